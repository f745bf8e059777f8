"""Whatever a schema, a manifest or a decision says is text on every page, and stays text."""

from __future__ import annotations

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.site.decisions import decision_links
from jobarium_events.site.rendering import anchor, breakable, markdown
from jobarium_events.site.shown import read_shown
from tests import folders
from tests.site.catalogs import counters
from tests.site.conftest import site_of
from tests.site.parsed import Parsed

SPLIT = {"wbr", "ins", "del", "tspan"}  # where a text is broken or marked depends on the text


def catalog(folder, said):
    """A catalog whose every free name and text is what `said` makes of a plain word."""
    word = {"type": "string", "title": said("title"), "description": said("description"), "x-unit": said("unit")}
    listed = {
        **word,
        "enum": [said("value"), said("other")],
        "x-enum-meanings": {said("value"): said("meaning")},
        "default": said("value"),
    }
    inner = folders.schema({said("inner"): word}, **{said("opened"): {**word, "x-extensible-enum": [said("known")]}})
    first = {
        "title": said("payload"),
        "description": said("sentence"),
        **folders.schema(
            {"id": folders.TEXT, said("field"): word},
            **{
                said("list"): {"type": "array", "items": inner},
                said("choice"): listed,
                said("old"): {**word, "deprecated": True},
            },
        ),
    }
    second = {**first, "description": said("another"), "required": [*first["required"], said("choice")]}
    releases, planned = [said("first"), said("second")], [said("third"), said("fourth"), said("fifth")]
    lines = f"""releases = {json.dumps(releases)}
planned = {json.dumps(planned)}
[event."thing.made"]
owner = {json.dumps(said("maker"))}
consumers = [{json.dumps(said("taker"))}, {json.dumps(said("watcher"))}]
[event."thing.made".v1]
key = {json.dumps(said("key").replace("{", "(").replace("}", ")") + ":{id}")}
introduced = {json.dumps(releases[0])}
deprecated = {json.dumps(releases[1])}
retired = {json.dumps(planned[1])}
[event."thing.made".v2]
key = {json.dumps(said("key").replace("{", "(").replace("}", ")") + ":{id}")}
introduced = {json.dumps(releases[1])}
decision = "DEC-0001"
[event."thing.made".v3]
key = "k:{{id}}"
decision = {json.dumps(said("nothing"))}
"""
    sections = "\n".join(
        f"## {name}\n\n{said('prose')}\n"
        for name in ("Context", "Decision", "Migration plan", "Alternatives", "Why", "Consequences")
    )
    decision = f"""+++
id = "DEC-0001"
title = {json.dumps(said("about"))}
date = 2026-01-05
status = "accepted"
owner = {json.dumps(said("decider"))}
review = 2099-01-01
[[allows]]
event = "thing.made"
version = "v2"
breaking = [{json.dumps("/required/" + said("choice").replace("~", "~0").replace("/", "~1"))}]
owner = {json.dumps(said("heir"))}
[[columns]]
table = {json.dumps(said("table"))}
meanings = [{json.dumps(said("column"))}]
[[timeline]]
event = "thing.made"
version = "v1"
deprecated = {json.dumps(releases[1])}
retired = {json.dumps(planned[1])}
+++

{sections}"""
    schemas = {"thing.made/v1.json": first, "thing.made/v2.json": second, "thing.made/v3.json": first}
    folders.write(folder, lines, {**schemas, "decisions/DEC-0001.md": decision})
    evidence = counters(folder / "counters.txt", said("taker"), {("thing.made", "v1"): 3, ("thing.made", "v2"): 1})
    return site_of(folder, evidence=[evidence])


def shape(page):
    """The elements of a page; of a picture only their kinds, as a longer text takes more lines there."""
    kinds = [
        (each.tag, *sorted(each.attributes), "svg" in each.around) for each in page.elements if each.tag not in SPLIT
    ]
    return [each for each in kinds if not each[-1]], {each for each in kinds if each[-1]}


HOSTILE = {
    "script": lambda word: f"<script>alert('{word}')</script>",
    "attribute": lambda word: f"{word}\" onmouseover=\"alert(1)' autofocus x='",
    "element": lambda word: f"<img src=x onerror=alert(1)><b>{word}</b>&lt;i&gt;",
    "close": lambda word: f"{word}</code></pre></td></title></style><h1>--><!--",
    "template": lambda word: f"{word}{{{{ 7*7 }}}}{{% include 'base.html.jinja' %}}",
}


@pytest.fixture(scope="module")
def tame(tmp_path_factory):
    return catalog(tmp_path_factory.mktemp("tame"), lambda word: f"{word} of it")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_add_no_element_and_no_attribute(name, tame, tmp_path):
    hostile = catalog(tmp_path, HOSTILE[name])
    assert hostile.pages.keys() == tame.pages.keys()
    for path, page in hostile.pages.items():
        assert shape(page) == shape(tame[path]), path
        for each in page.elements:
            for attribute in ("href", "src"):
                assert not each.attributes.get(attribute, "").lower().startswith(("javascript", "data")), path
            assert "alert" not in each.attributes.get("class", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_shown(name, tmp_path):
    said = HOSTILE[name]
    site = catalog(tmp_path, said)
    event = " ".join(site["events/thing.made.html"].text.split())
    for word in "sentence another field list choice value meaning unit description maker taker third".split():
        assert said(word) in event, word
    for word in "decider about heir table column".split():
        assert said(word) in site["decisions/DEC-0001.html"].text
    for path in ("index.html", "services.html"):
        assert said("maker") in site[path].text
        assert said("taker") in site[path].text
    assert json.loads(site.files["index.js"].decode().removeprefix("const searched = ").rstrip().rstrip(";"))


def test_characters_that_turn_the_text_around_are_shown_as_what_they_are(tame, tmp_path):
    """An override that nobody ends would otherwise turn around what follows in the line."""
    turning = "".join(map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))
    turned = catalog(tmp_path, lambda word: f"{word}{turning}")
    for path, content in turned.files.items():
        assert not set(content.decode()) & set(turning), path
    shown = "".join(f"\\u{ord(each):04x}" for each in turning)
    text = turned["events/thing.made.html"].text
    assert [word for word in ("sentence", "field", "meaning", "unit", "taker") if f"{word}{shown}" not in text] == []
    assert f"about{shown}" in turned["decisions/DEC-0001.html"].text
    # What the search says is what stands in the list.
    searched = json.loads(turned.files["index.js"].decode().removeprefix("const searched = ").rstrip().rstrip(";"))
    assert f"maker{shown}" in searched["services"]
    for path, page in turned.pages.items():
        assert shape(page) == shape(tame[path]), path


def test_prose_is_markdown_without_html():
    html = markdown("# A\n\n<b onclick='x'>no</b> **yes** `<i>`\n\n<script>no</script>", lambda target: target)
    assert "<strong>yes</strong>" in html
    assert "<b" not in html
    assert "<script" not in html
    assert "<h3>A</h3>" in html


def test_columns_are_aligned_without_a_style():
    html = markdown("| a | b |\n| -: | :-: |\n| 1 | 2 |", lambda target: target)
    assert '<th class="to-right" scope="col">a</th>' in html
    assert '<td class="to-center">2</td>' in html
    assert "style" not in html


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "file:///etc/passwd", "/x", "a.md"],
)
def test_a_link_that_leads_nowhere_is_text(target, shop_folder):
    shown = read_shown(shop_folder)
    for text in (f"[see]({target})", f"<{target}>", f"[see][1]\n\n[1]: {target}", f"![see]({target})"):
        html = markdown(text, partial(decision_links, shown))
        assert "href" not in html, text
        assert "src" not in html, text


PROSE = {"p", "em", "strong", "code", "pre", "a", "ul", "ol", "li", "blockquote", "hr", "br", "h3", "h4", "h5", "h6"}
TABLES = {"table", "thead", "tbody", "tr", "th", "td", "div"}


@given(
    st.lists(
        st.sampled_from(
            [
                "<script>",
                "</p>",
                "<b onclick=1>",
                "](",
                "[",
                "!",
                "javascript:",
                "http://x",
                ")",
                "`",
                "\n",
                "|-|",
                "|:-|-:|\n",
                "|",
                "> ",
                "# ",
                "- ",
                "&lt;",
                "&#106;avascript:",
                " ",
            ]
        )
        | st.text(max_size=4),
        max_size=14,
    ).map("".join)
)
def test_no_prose_makes_anything_but_prose(text):
    html = markdown(text, lambda target: target if target.startswith("http") else None)
    page = Parsed(f"<div>{html}</div>".encode(errors="replace"))
    assert {each.tag for each in page.elements} <= PROSE | TABLES
    for each in page.elements:
        assert each.attributes.keys() <= {"href", "title", "scope", "class", "tabindex", "role", "aria-label", "start"}
        assert each.attributes.get("href", "http").startswith("http")


@given(st.text(), st.text())
def test_two_names_have_two_anchors(one, other):
    assert (anchor(one) == anchor(other)) == (one == other)


def test_anchors_differ_where_names_do():
    names = ["a b", "a_b", "a:20b", "a%20b", "ä", "Ä", "", " ", "a/b", "a.b", "é", "main:content"]
    anchors = [anchor(name) for name in names]
    assert len(set(anchors)) == len(names)
    assert all(each and not set(each) & set(" \"'<>&#%") for each in anchors)
    assert "main:content" not in anchors


def test_a_name_may_be_broken_and_is_still_the_name():
    assert breakable("order.placed<b>") == "order.<wbr>placed&lt;b&gt;"
    assert breakable("/required/order_id") == "/required<wbr>/order_<wbr>id"
    assert breakable("") == ""

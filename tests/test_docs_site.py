"""The site of ``docs/``: it says what pages and commands say, every link leads somewhere, nothing is fetched."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer
from markdown_it import MarkdownIt

from documentation.building import build
from documentation.commands import command_pages, write_command_pages
from documentation.links import Page, broken_links, loaded_from_elsewhere
from documentation.reference import linked, public_names
from documentation.sources import ROOT, NotBuilt, write_sources
from jobarium_events.cli.app import app
from tests import servers
from tests.conftest import found

DOCS = ROOT / "docs"
PHONE, DESKTOP = 390, 1280
WITH_ALL = "counters errors evolution examples migrations payloads sqlite testing".split()
BLOCKS = frozenset("blockquote h1 h2 h3 h4 h5 hr img li ol pre table td th ul".split())
INLINE = frozenset("code em strong".split())
WITHOUT_END = frozenset("br hr img input link meta".split())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    output = tmp_path_factory.mktemp("docs") / "site"
    build(output)
    return output


@pytest.fixture
def project(tmp_path):
    """A copy of what the site is made of."""
    root = tmp_path / "project"
    shutil.copytree(DOCS, root / "docs")
    shutil.copy(ROOT / "CHANGELOG.md", root)
    (root / "src").symlink_to(ROOT / "src")
    return root


# ---------------------------------------------------------------- the command line


def test_the_pages_of_the_commands_are_up_to_date():
    written = {page.name: page.read_text(encoding="utf-8") for page in (DOCS / "cli").glob("*.md")}
    assert written == command_pages(), "`make docs` brings docs/cli up to date"


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, by how it is called."""
    waiting = [("jobarium-events", typer.main.get_command(app))]
    for name, command in waiting:
        inner = getattr(command, "commands", {})
        waiting += [(f"{name} {each}", inner[each]) for each in inner]
        if not inner:
            yield name, command


@pytest.mark.parametrize(("name", "command"), [pytest.param(*each, id=each[0]) for each in commands()])
def test_a_command_is_shown_with_its_options_and_examples(name, command):
    text = (DOCS / "cli" / f"{name.split()[1]}.md").read_text(encoding="utf-8")
    _, heading, rest = text.partition(f"# `{name}`\n")
    assert heading
    shown = re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]
    in_tables = " ".join(re.findall(r"^\| `([^`]+)`", shown, re.MULTILINE))
    for each in command.params:
        for option in each.opts if each.param_type_name == "option" else [each.metavar or each.name.upper()]:
            assert option == "--help" or option in re.split(r"[ ,]+", in_tables), option
    paragraphs = [" ".join(each.split()) for each in command.help.split("\n\n")]
    examples = [each.removeprefix("Example: `")[:-1] for each in paragraphs if each.startswith("Example: `")]
    assert examples
    assert set(examples) <= set(shown.splitlines())
    assert paragraphs[0] in shown


def test_the_overview_leads_to_every_command():
    rows = re.findall(r"^\| \[`(.+?)`\]", (DOCS / "cli" / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {" ".join(name.split()[:3]) for name, _ in commands()} <= set(rows)


def test_the_page_of_a_command_that_is_no_more_goes(tmp_path):
    (tmp_path / "gone.md").write_text("# `jobarium-events gone`\n")
    write_command_pages(tmp_path)
    assert {page.name for page in tmp_path.iterdir()} == set(command_pages())
    before = {page: page.stat().st_mtime_ns for page in tmp_path.iterdir()}
    write_command_pages(tmp_path)
    assert {page: page.stat().st_mtime_ns for page in tmp_path.iterdir()} == before


def test_limits_defaults_and_variables_are_said_in_words():
    text = command_pages()["db.md"]
    assert "default: all that are supported; from 13 to 18 |" in text
    assert "required; or the variable `DATABASE_URL` |" in text
    assert "[default" not in text
    assert "x>=" not in text
    assert "one of `text`, `json`, `github` and `sarif`; default: text |" in text


# ---------------------------------------------------------------- the API


def api() -> str:
    return (DOCS / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", sorted(public_names(api())))
def test_every_public_name_is_in_the_reference(site, module):
    page = Page((site / "reference" / f"{module}.html").read_text(encoding="utf-8"))
    names = public_names(api())[module]
    assert {f"{module}.{name}" for name in names} <= page.anchors
    assert all(hasattr(importlib.import_module(module), name) for name in names)


@pytest.mark.parametrize("module", ["jobarium_events", *(f"jobarium_events.{each}" for each in WITH_ALL)])
def test_the_reference_holds_all_that_a_public_module_exports(module):
    assert set(public_names(api())[module]) == set(importlib.import_module(module).__all__)


def test_no_row_of_the_api_is_left_out():
    modules = api().partition("## Modules\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", modules, re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`([\w.]+)`", row)]
    assert len(listed) == sum(map(len, public_names(api()).values()))


def test_names_on_the_page_of_the_api_lead_into_the_reference(site):
    targets = {link.target for link in Page((site / "api.html").read_text(encoding="utf-8")).links}
    for module, names in public_names(api()).items():
        assert {f"reference/{module}.html#{module}.{name}" for name in names} <= targets


def test_only_names_of_modules_are_linked():
    text = "### `jobarium_events.a`\n\n| `x.One`, `Two` | `Three` |\n\n## `B`\n\n| `four` | x |\n"
    assert linked(text) == (
        "### `jobarium_events.a`\n\n| [`x.One`](reference/jobarium_events.a.x.md#jobarium_events.a.x.One), "
        "[`Two`](reference/jobarium_events.a.md#jobarium_events.a.Two) | `Three` |\n\n## `B`\n\n| `four` | x |\n"
    )


def test_docstrings_are_shown_as_markdown(site):
    for page in (site / "reference").glob("*.html"):
        assert "::<" not in page.read_text(encoding="utf-8").replace(" ", ""), page.name
    errors = (site / "reference" / "jobarium_events.errors.html").read_text(encoding="utf-8")
    assert re.search(r"<pre>.*?JobariumEventsError\n├── SchemaError", errors, re.DOTALL)


# ---------------------------------------------------------------- the pages


class Shown(HTMLParser):
    """What a page says: its text with its blocks, lists, tables, code and emphasis, without what a theme adds."""

    def __init__(self, text: str, *, is_page: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._is_on = not is_page
        self._left_out = 0
        self._in_block = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "article":
            self._is_on = True
            return
        classes = set((values.get("class") or "").split())
        if self._left_out or classes & {"filename", "headerlink", "md-code__nav"} or values.get("id") == "__skip":
            self._left_out += tag not in WITHOUT_END
            return
        self._in_block = self._in_block or tag == "pre"
        self._mark(tag, f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._is_on = False
        if self._left_out:
            self._left_out -= 1
            return
        self._mark(tag, f"</{tag}>")
        self._in_block = self._in_block and tag != "pre"

    def _mark(self, tag: str, mark: str) -> None:
        if self._is_on and (tag in BLOCKS or (tag in INLINE and not self._in_block)):
            self._parts.append(mark if tag in INLINE else f"\n{mark}\n")

    def handle_data(self, data: str) -> None:
        if self._is_on and not self._left_out:
            self._parts.append(data if self._in_block else re.sub(r"\s+", " ", data))

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in "".join(self._parts).splitlines() if line.strip()]


def pages() -> list[Path]:
    return sorted(DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(DOCS)))
def test_the_site_says_what_markdown_says_elsewhere(site, page):
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    built = site / page.relative_to(DOCS).with_suffix(".html")
    said = Shown(built.read_text(encoding="utf-8"), is_page=True).lines
    assert said == Shown(markdown.render(page.read_text(encoding="utf-8")), is_page=False).lines


def test_what_is_said_is_told_apart():
    one = "<ul><li>a <code>b</code></li></ul><table><tr><td>c</td></tr></table>"
    for other in (one.replace("b", "d"), one.replace("code", "i"), one.replace("ul", "ol"), one.replace("td", "th")):
        assert Shown(one, is_page=False).lines != Shown(other, is_page=False).lines


def test_the_benchmarks_have_their_table_and_their_plot(site):
    text = (site / "benchmarks.html").read_text(encoding="utf-8")
    page = Page(text)
    style = (site / "assets" / "site.css").read_text(encoding="utf-8")
    for name in ("benchmarks.svg", "benchmarks-dark.svg"):
        assert f"images/{name}" in {link.target for link in page.links}
        assert (site / "images" / name).is_file()
        assert f'url("../images/{name}")' in style
    assert re.search(r"<td>consume</td>\s*<td>orjson.loads of the same bytes</td>", text)


def test_a_page_that_nobody_is_led_to_is_refused(project, tmp_path):
    (project / "docs" / "lonely.md").write_text("# Lonely\n")
    (project / "docs" / "tutorial.md").unlink()
    with pytest.raises(NotBuilt) as refused:
        write_sources(tmp_path, "site", project)
    assert refused.value.problem == (
        "docs/lonely.md is in no section of the navigation\n"
        "the navigation has tutorial.md, which is no page\n"
        "mend `nav` in documentation/zensical.toml"
    )


# ---------------------------------------------------------------- links


def test_every_link_of_the_site_leads_somewhere(site):
    assert len(list(site.rglob("*.html"))) > len(pages())
    assert broken_links(site) == []


def test_what_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.html").write_text('<h1 id="one">x</h1><img src="no.svg"><a href="https://example.org">x</a>')
    (tmp_path / "c.html").write_text(
        '<a href="a/b.html#one">x</a><a href="a/b.html#two">x</a><a href="#three">x</a><a href="a/">x</a>'
        '<a href="../out.html">x</a><a href="/a/b.html">x</a><a name="here"></a><a href="#here">x</a>'
    )
    (tmp_path.parent / "out.html").write_text("x")
    assert broken_links(tmp_path) == [
        "a/b.html: no.svg leads to no file of the site",
        "c.html: a/b.html#two leads to no place on that page",
        "c.html: #three leads to no place on that page",
        "c.html: a/ leads to no file of the site",
        "c.html: ../out.html leads to no file of the site",
        "c.html: /a/b.html leads to no file of the site",
    ]


def test_a_broken_link_ends_the_build_and_leaves_what_was_there(project, tmp_path):
    output = tmp_path / "site"
    output.mkdir()
    (output / "before.html").write_text("x")
    with (project / "docs" / "tutorial.md").open("a", encoding="utf-8") as tutorial:
        tutorial.write("\n[nowhere](index.md#nowhere)\n")
    with pytest.raises(NotBuilt, match=r"tutorial\.md:\d+:20(.|\n)*\[nowhere\]\(index.md#nowhere\)") as not_built:
        build(output, project)
    assert "\x1b" not in not_built.value.problem
    assert "Traceback" not in not_built.value.problem
    assert [each.name for each in output.iterdir()] == ["before.html"]
    assert {each.name for each in tmp_path.iterdir()} == {"project", "site"}


def test_nothing_is_loaded_from_the_network(site):
    assert loaded_from_elsewhere(site) == []


def test_what_is_loaded_from_the_network_is_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<link rel="stylesheet" href="//cdn.example.org/a.css"><script src="https://cdn.example.org/a.js"></script>'
        '<img src="data:image/png;base64,x"><img srcset="b.png 1x, https://example.org/c.png 2x">'
        '<a href="https://example.org">x</a><link rel="next" href="https://example.org/next">'
    )
    (tmp_path / "a.css").write_text('@import "https://example.org/b.css"; a { background: url(c.png) }')
    assert loaded_from_elsewhere(tmp_path) == [
        "a.html: //cdn.example.org/a.css",
        "a.html: https://cdn.example.org/a.js",
        "a.html: https://example.org/c.png",
        "a.css: https://example.org/b.css",
    ]


# ---------------------------------------------------------------- the whole


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_build_is_the_same(site, tmp_path):
    build(tmp_path / "again")
    assert content(tmp_path / "again") == content(site)


def test_nothing_on_the_site_says_where_it_was_built(site):
    for name, data in content(site).items():
        assert str(ROOT).encode() not in data, name
        assert str(site.parent).encode() not in data, name


@pytest.fixture(scope="module")
def browser():
    path = found("chromium", servers.chromium)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may be missing

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


def test_pages_fit_on_a_phone_and_ask_for_nothing(site, browser):
    faults = []
    window = browser.new_page(viewport={"width": PHONE, "height": 800})
    window.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    window.on("pageerror", lambda error: faults.append(str(error)))
    window.on("request", lambda asked: faults.append(asked.url) if not asked.url.startswith(f"file://{site}") else None)
    for page in sorted(site.rglob("*.html")):
        window.goto(page.as_uri(), wait_until="domcontentloaded")
        width = window.evaluate("document.documentElement.scrollWidth")
        if width > PHONE:
            faults.append(f"{page.name} is {width} wide")
    assert faults == []
    window.close()


def test_the_search_works_without_a_server(site, browser):
    window = browser.new_page(viewport={"width": DESKTOP, "height": 800})
    window.goto((site / "index.html").as_uri())
    window.keyboard.press("Control+k")
    field = window.get_by_role("combobox", name="Search")
    field.fill("deadline that is not there")
    field.fill("requeue")
    window.get_by_role("option").filter(has_text="jobarium-events outbox requeue").first.click()
    window.wait_for_url("**/cli/outbox.html*")
    window.close()

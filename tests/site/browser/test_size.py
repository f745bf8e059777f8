"""A catalog of a thousand events: its index stays small, and searching it changes no more than it has to.

It is one as a company might have, in which hardly a name is there twice: one of copies would be small by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from benchmarks.companies import write_company
from benchmarks.sites import EVENTS, index_of
from tests.site.browser.windows import until
from tests.site.parsed import Parsed

MOST = 300_000  # bytes

CLEAR = """
() => {
  const box = document.querySelector("input[type=search]");
  box.value = "";
  box.dispatchEvent(new Event("input", {bubbles: true}));
  return [...document.querySelectorAll("#events > li")].map((each) => !each.hidden);
}
"""

WATCH = """
() => {
  window.changes = [];
  new MutationObserver((found) => {
    for (const each of found) {
      window.changes.push([each.type, each.attributeName, each.target.id || each.target.parentElement?.id]);
    }
  }).observe(document.body, {attributes: true, childList: true, characterData: true, subtree: true});
}
"""


FOUND = """
() => [...document.querySelectorAll("#events > li:not([hidden])")]
  .map((each) => [each.querySelector("a").textContent, each.querySelector("em")?.textContent ?? ""])
"""

ALL_BACK = """
parseInt(document.querySelector("#count").textContent.replace(",", "")) ===
  document.querySelectorAll("#events > li:not([hidden])").length
"""


class Large(NamedTuple):
    url: str
    files: dict[str, bytes]
    names: list[str]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder, site = tmp_path_factory.mktemp("large"), tmp_path_factory.mktemp("site")
    write_company(folder, EVENTS)
    files = index_of(folder)
    for path, content in files.items():
        (site / path).write_bytes(content)
    return Large(site.as_uri() + "/", files, sorted(each.name for each in folder.iterdir() if each.is_dir()))


def loaded(page: bytes) -> Iterator[str]:
    """Yield what the page loads to be shown: its scripts, its styles and its icon."""
    for each in Parsed(page).all("script", "link"):
        yield each.attributes.get("src") or each.attributes["href"]


def test_the_index_and_all_that_it_loads_are_small(large):
    page = large.files["index.html"]
    paths = list(loaded(page))
    assert {"index.js", "search.js", "style.css"} <= set(paths)
    assert len(page) + sum(len(large.files[path]) for path in paths) < MOST
    assert page.partition(b'id="events"')[2].count(b"<li><a ") == EVENTS


def test_few_of_its_names_are_there_twice(large, opened):
    page = opened(large.url).open("index.html")
    names, uses = page.evaluate("[names.length, fields.flat().length]")
    assert uses > EVENTS * 14
    assert names > uses / 3
    assert page.evaluate("new Set(served.flat()).size") > 50


def test_searching_toggles_rows_and_nothing_else(large, opened):
    page = opened(large.url).open("index.html")
    page.evaluate(WATCH)
    box = page.get_by_role("searchbox")
    box.press_sequentially("77.")
    page.wait_for_timeout(300)
    shown = page.locator("#events > li:visible").count()
    assert 0 < shown < EVENTS / 10
    changes = {tuple(each) for each in page.evaluate("window.changes")}
    assert ("attributes", "hidden", "events") in changes
    in_list = {each for each in changes if each[2] == "events"}
    assert in_list == {("attributes", "hidden", "events")}
    assert {each[2] for each in changes} <= {"events", "count", "none"}


def test_the_list_is_as_it_was_once_the_search_is_over(large, opened):
    page = opened(large.url).open("index.html")
    before = page.locator("#events").inner_html()
    box = page.get_by_role("searchbox")
    for text in ("s", "order requested", "_template", "77", "e", "contact active"):
        box.fill(text)
        assert page.locator("#events > li:visible").count() > 0
    until(page, ALL_BACK)
    assert page.locator("#events em").count() > 0
    page.evaluate(CLEAR)
    until(page, "!document.querySelector('#events > li[hidden]')")
    assert page.locator("#events").inner_html().replace(' hidden=""', "") == before


def test_the_names_come_first_whatever_was_typed_before(large, opened):
    page = opened(large.url).open("index.html")
    for text in ("order", "o", "order re", "retry", "re", "requested order"):
        page.get_by_role("searchbox").fill(text)
        until(page, ALL_BACK)
        found = page.evaluate(FOUND)
        assert [name for name, why in found if why == ""] == sorted(
            name for name in large.names if all(word in name for word in text.split())
        )
        assert found == sorted(found, key=lambda each: (each[1] != "", each[0]))
        assert len({why != "" for _, why in found}) == 2


def test_what_is_in_sight_comes_back_at_once_and_all_of_it_in_order(large, opened):
    page = opened(large.url).open("index.html")
    box = page.get_by_role("searchbox")
    box.fill("nothing of that kind")
    assert page.locator("#events > li:visible").count() == 0
    at_once = page.evaluate(CLEAR)
    assert at_once[:100] == [True] * 100
    until(page, "!document.querySelector('#events > li[hidden]')")
    assert page.get_by_role("status").inner_text() == "1,000 events"
    assert page.locator("#events > li:visible").count() == EVENTS


def test_a_key_ends_what_was_still_coming_back(large, opened):
    page = opened(large.url).open("index.html")
    page.get_by_role("searchbox").fill("nothing of that kind")
    page.evaluate(CLEAR)
    page.get_by_role("searchbox").fill("77.")
    found = page.locator("#events > li:visible").count()
    page.wait_for_timeout(300)
    assert page.locator("#events > li:visible").count() == found < EVENTS / 10


def test_every_row_can_be_found(large, opened):
    page = opened(large.url).open("index.html")
    for name in (large.names[0], large.names[499], large.names[-1]):
        page.get_by_role("searchbox").fill(name)
        assert page.locator("#events > li:visible > a").all_inner_texts() == [name]


def test_who_reads_an_event_is_counted_where_no_script_says_it(large, opened):
    page = opened(large.url, java_script_enabled=False).open("index.html")
    assert page.locator("#events > li > p:nth-of-type(2)").all_text_contents() == ["4 services"] * EVENTS
    page = opened(large.url).open("index.html")
    page.get_by_label("Read by").select_option(label="claim-audit-service")
    readers = page.locator("#events > li:visible > p:nth-of-type(2)").all_text_contents()
    assert readers
    for each in readers:
        assert "claim-audit-service" in each
        assert len(each.split(", ")) == 4

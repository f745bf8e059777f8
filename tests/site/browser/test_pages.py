"""Every page in a browser: it loads without a complaint, for everybody, on a phone and on paper."""

from __future__ import annotations

import pytest

from tests.site.browser.windows import DESKTOP, HEIGHT, PHONE, too_wide, violations

# Those in pictures too, which have no `href` of the usual kind.
LINKS = """
() => [...document.querySelectorAll("a")].map((each) => new URL(each.getAttribute("href"), location).href)
"""
# Boxes that scroll have to be reached by the keyboard, and to say what they are.
BOXES = """
() => [...document.body.querySelectorAll("*")]
  .filter((each) => ["auto", "scroll"].includes(getComputedStyle(each).overflowX) && each.checkVisibility())
  .filter((each) => each.scrollWidth > each.clientWidth)
  .filter((each) => each.tabIndex < 0 || !(each.getAttribute("aria-label") || each.getAttribute("aria-labelledby")))
  .map((each) => each.outerHTML.slice(0, 120))
"""


def test_every_page_loads_without_a_complaint(whole, opened):
    window = opened(whole.url)
    for path in whole.pages:
        page = window.open(path)
        assert page.title()
        assert page.locator("h1").count() == 1, path
        assert page.locator("html").get_attribute("lang") == "en"
        assert [page.locator(each).count() for each in ("main", "header", "footer")] == [1, 1, 1], path


def test_a_page_that_asks_elsewhere_is_noticed(whole, opened):
    window = opened(whole.url)
    page = window.open("index.html")
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.example/x.png'}))")
    page.evaluate("console.warn('something is wrong')")
    page.wait_for_timeout(100)
    assert any("Content Security Policy" in fault for fault in window.faults)
    assert any("something is wrong" in fault for fault in window.faults)
    window.faults.clear()


def test_links_lead_to_what_is_there(whole, opened):
    window = opened(whole.url)
    anchors: dict[str, set[str]] = {}
    linked: dict[str, set[str]] = {}
    for path in whole.pages:
        page = window.open(path)
        anchors[path] = set(page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)"))
        linked[path] = set(page.evaluate(LINKS))
    missing = []
    for path, links in linked.items():
        for link in links:
            if not link.startswith(whole.url):
                missing.append(f"{path}: {link}")
                continue
            target, _, anchor = link.removeprefix(whole.url).partition("#")
            filtered = target == "index.html" and "=" in anchor
            if target not in whole.files or (anchor and not filtered and anchor not in anchors.get(target, ())):
                missing.append(f"{path}: {link.removeprefix(whole.url)}")
    assert missing == []


def test_no_id_is_there_twice(whole, opened):
    window = opened(whole.url)
    for path in whole.pages:
        ids = window.open(path).evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
        assert sorted(ids) == sorted(set(ids)), path


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(whole, opened, width, dark):
    window = opened(whole.url, width=width, dark=dark)
    assert {path: found for path in whole.kinds if (found := violations(window.open(path)))} == {}


def test_axe_finds_what_is_wrong(whole, opened):
    page = opened(whole.url).open("index.html")
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<h5></h5><button></button>')")
    assert any(each.startswith("button-name: ") for each in violations(page))


@pytest.mark.parametrize("width", [320, PHONE, DESKTOP])
def test_no_page_scrolls_sideways(whole, opened, width):
    window = opened(whole.url, width=width)
    assert {path: wide for path in whole.pages if (wide := too_wide(window.open(path)))} == {}


def test_what_a_service_sends_and_what_it_reads_stand_each_in_a_column_of_its_own(whole, opened):
    page = opened(whole.url).open("services.html")
    lefts = "(word) => [...document.querySelectorAll('h3')].filter((each) => each.textContent === word)"
    lefts += ".map((each) => Math.round(each.getBoundingClientRect().left))"
    sends, reads = (set(page.evaluate(lefts, word)) for word in ("Sends", "Reads"))
    assert len(sends) == len(reads) == 1
    assert max(sends) < min(reads)
    page.set_viewport_size({"width": PHONE, "height": HEIGHT})
    assert set(page.evaluate(lefts, "Sends")) == set(page.evaluate(lefts, "Reads"))


def test_boxes_that_scroll_can_be_reached_and_have_names(whole, opened):
    window = opened(whole.url, width=PHONE)
    found = {path: boxes for path in whole.kinds if (boxes := window.open(path).evaluate(BOXES))}
    assert found == {}


def test_texts_stay_readable_when_they_are_doubled(whole, opened):
    window = opened(whole.url, width=DESKTOP)
    for path in whole.kinds:
        page = window.open(path)
        page.set_viewport_size({"width": DESKTOP // 2, "height": HEIGHT})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert too_wide(page, opened=False) == [], path


def test_on_paper_there_is_the_content_alone(whole, opened):
    window = opened(whole.url)
    for path in whole.kinds:
        page = window.open(path)
        shown = page.locator("main").inner_text()
        page.emulate_media(media="print")
        printed = page.locator("main").inner_text()
        assert page.locator("h1").is_visible(), path
        assert len(printed) > len(shown) * 0.6, path
        assert not page.locator("nav").first.is_visible(), path
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        page.emulate_media(media="screen")


def test_paper_is_white_in_the_dark_too(whole, opened):
    window = opened(whole.url, dark=True)
    page = window.open("index.html")
    page.emulate_media(media="print", color_scheme="dark")
    red, green, blue = page.evaluate(
        "getComputedStyle(document.querySelector('main')).color.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    )
    assert red + green + blue < 3 * 110  # ink is dark, as paper is white


def test_what_is_folded_is_on_paper(whole, opened):
    page = opened(whole.url).open("events/billing.usage.updated.html")
    folded = page.locator("details:not([open]) pre").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()


def test_on_paper_the_fields_are_a_table_and_the_picture_is_the_broad_one(whole, opened):
    page = opened(whole.url, width=PHONE).open("events/billing.usage.updated.html")
    looks = "[...document.querySelectorAll('.fields td, .timeline svg')].map((each) => getComputedStyle(each).display)"
    assert set(page.evaluate(looks)) == {"block", "none"}
    assert page.locator(".timeline svg:visible").get_attribute("class") == "narrow"
    page.emulate_media(media="print")
    assert "table-cell" in page.evaluate(looks)
    assert page.locator(".timeline svg:visible").get_attribute("class") == "broad"


def test_on_a_phone_the_bars_of_every_event_are_in_sight(whole, opened):
    page = opened(whole.url, width=PHONE).open("timeline.html")
    bars = page.locator(".timeline svg.narrow .bar rect")
    assert bars.count() >= 13
    assert all(box["x"] + 40 < PHONE for box in (bars.nth(place).bounding_box() for place in range(bars.count())))

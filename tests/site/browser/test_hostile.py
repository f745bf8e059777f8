"""A catalog whose names and texts are HTML and script: it shows as text, and nothing of it runs."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.site.browser.sites import HOSTILE
from tests.site.browser.windows import DESKTOP, OPEN_ALL, PHONE, too_wide

PAGES = ["index.html", "events/thing.made.html", "services.html", "decisions.html", "decisions/DEC-0001.html"]
STRUCTURE = """
() => [...document.querySelectorAll(":not(wbr)")].map((each) =>
  [each.tagName.toLowerCase(), ...each.getAttributeNames().filter((name) => name !== "class").sort()].join(" "))
"""
HANDLERS = """
() => [...document.querySelectorAll("*")].flatMap((each) => each.getAttributeNames()).filter((name) => /^on/.test(name))
"""
LEADS_ELSEWHERE = """
() => [...document.querySelectorAll("[href], [src], [action], [srcdoc]")]
  .map((each) => each.getAttribute("href") ?? each.getAttribute("src") ?? "?")
  .filter((target) => /^[a-z][a-z0-9+.-]*:|^[/][/]/i.test(target.trim()))
"""


def test_no_script_runs_and_no_link_leads_out(hostile, opened):
    window = opened(hostile.url)
    window.context.expose_function("hacked", lambda: window.faults.append(f"a script ran at {window.page.url}"))
    for path in hostile.pages:
        page = window.open(path)
        page.evaluate(OPEN_ALL)
        page.keyboard.press("Tab")
        assert page.evaluate(LEADS_ELSEWHERE) == [], path
        handlers = (
            "[...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()).filter((n) => /^on/.test(n))"
        )
        assert page.evaluate(handlers) == [], path
        assert page.evaluate("[...document.scripts].every((each) => each.src && !each.textContent)"), path


def test_without_scripts_of_its_own_the_policy_still_lets_none_run(hostile, opened):
    window = opened(hostile.url)
    window.context.expose_function("hacked", lambda: window.faults.append("a script ran"))
    page = window.open("index.html")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=hacked()>')")
    page.wait_for_timeout(200)
    assert not any("a script ran" in fault for fault in window.faults)
    assert any("Content Security Policy" in fault for fault in window.faults)
    window.faults.clear()


def test_texts_add_no_elements(hostile, harmless, opened):
    window, other = opened(hostile.url), opened(harmless.url)
    assert hostile.pages == harmless.pages
    for path in hostile.pages:
        with_html = Counter(window.open(path).evaluate(STRUCTURE))
        with_words = Counter(other.open(path).evaluate(STRUCTURE))
        assert with_html.keys() == with_words.keys(), path
        more = with_html - with_words
        # How many lines a text takes in a picture or a comparison depends on it; nothing else does.
        assert {each.partition(" ")[0] for each in more} <= {"text", "tspan", "tr", "td", "del", "ins"}, path


@pytest.mark.parametrize("path", PAGES)
def test_texts_are_shown_as_they_are(hostile, opened, path):
    page = opened(hostile.url).open(path)
    shown = page.evaluate("document.documentElement.textContent")
    assert any(text in shown for text in HOSTILE)


def test_every_text_is_shown_somewhere(hostile, opened):
    window = opened(hostile.url)
    shown = "".join(window.open(path).evaluate("document.body.textContent") for path in PAGES)
    assert [text for text in HOSTILE if text not in shown] == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_word_that_no_line_holds_widens_no_page(unbroken, opened, width):
    window = opened(unbroken.url, width=width)
    assert {path: wide for path in unbroken.pages if (wide := too_wide(window.open(path)))} == {}


def test_what_is_served_is_as_harmless(hostile, opened):
    from jobarium_events.site.serving import Live, Server  # noqa: PLC0415 - beside the test that uses it

    live = Live()
    live.built(hostile.files)
    with Server(live, port=0) as server:
        window = opened(server.url)
        window.context.expose_function("hacked", lambda: window.faults.append("a script ran"))
        page = window.open("events/thing.made.html")
        live.failed(f"{HOSTILE[0]} {HOSTILE[4]}")
        page.wait_for_selector("[role=alert]")
        assert page.locator("[role=alert] pre").inner_text() == f"{HOSTILE[0]} {HOSTILE[4]}"

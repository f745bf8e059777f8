"""Everything can be reached and used by the keyboard alone, and one sees where one is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.site.browser.windows import DESKTOP, PHONE

MOST = 3_000
# What the focus is on, and whether that can be seen: by a ring around it, and within the window.
FOCUSED = """
() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return null;
  const style = getComputedStyle(at);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const box = at.getBoundingClientRect();
  const within = box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0;
  window.focusedNumber ??= new Map();
  if (!window.focusedNumber.has(at)) window.focusedNumber.set(at, window.focusedNumber.size);
  return {
    number: window.focusedNumber.get(at), html: at.outerHTML.slice(0, 100), href: at.href?.baseVal ?? at.href ?? null,
    ring: ring || style.boxShadow !== "none", within,
  };
}
"""
REACHABLE = """
() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
  .filter((each) => each.tabIndex >= 0 && !each.disabled && each.checkVisibility({checkVisibilityCSS: true}))
  .length
"""


def walked(page: Any) -> list[dict[str, Any]]:
    """What Tab comes by, from the beginning of a page to its end."""
    found: list[dict[str, Any]] = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None or (found and at["number"] == 0):
            return found
        found.append(at)
    raise AssertionError("Tab never comes to an end")


def test_every_page_is_reached_from_the_index_by_tab_and_enter(whole, opened):
    window = opened(whole.url)
    left, seen = ["index.html"], {"index.html"}
    while left:
        page = window.open(left.pop())
        for at in walked(page):
            target = (at["href"] or "").partition("#")[0].removeprefix(whole.url)
            if target in whole.files and target not in seen:
                seen.add(target)
                left.append(target)
    assert seen == set(whole.pages)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_everything_gets_the_focus_and_shows_it(whole, opened, width):
    window = opened(whole.url, width=width)
    for path in whole.kinds:
        page = window.open(path)
        reachable = page.evaluate(REACHABLE)
        found = walked(page)
        assert len({at["number"] for at in found}) == reachable, path
        assert [at["html"] for at in found if not at["ring"]] == [], path
        assert [at["html"] for at in found if not at["within"]] == [], path


def test_the_first_tab_skips_to_the_content(whole, opened):
    window = opened(whole.url)
    for path in whole.kinds:
        page = window.open(path)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Skip to the content", path
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.closest('main') !== null"), path


def test_enter_follows_a_link(whole, opened):
    page = opened(whole.url).open("index.html")
    link = page.get_by_role("main").get_by_role("link", name="job.updated", exact=True)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/job.updated.html")
    assert "job.updated" in page.locator("h1").inner_text()

"""A site in a folder, and a window of the browser on one, which notes whatever goes wrong there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobarium_events.site.building import site_files
from jobarium_events.site.shown import read_shown

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

    from tests.site.browser.sites import Given

PHONE, DESKTOP = 390, 1280
HEIGHT = 844

OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"

# What holds a page open sideways: the elements that reach beyond its right edge and do not scroll within themselves.
_WIDE = """
() => {
  const edge = document.documentElement.clientWidth;
  const scrolls = (element) => {
    for (let each = element.parentElement; each && each !== document.body; each = each.parentElement) {
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(each).overflowX)) return true;
    }
    return false;
  };
  return [document.documentElement.scrollWidth - edge, [...document.body.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().right > edge + 0.5 && !scrolls(each) && each.checkVisibility())
    .map((each) => `${each.cloneNode().outerHTML}: ${each.textContent.slice(0, 40)}`)];
}
"""
_PATIENCE = 30.0
_AXE = {"resultTypes": ["violations"], "preload": False}  # what it would load, the pages' policy forbids


def until(page: Page, true: str, given: object = None) -> None:
    """Wait until an expression is true; Playwright's own way needs what the pages' policy forbids."""
    end = time.monotonic() + _PATIENCE
    while not page.evaluate(true, given):
        assert time.monotonic() < end, f"not true within {_PATIENCE} s: {true}"
        page.wait_for_timeout(20)


def shows(element: Locator, text: str) -> None:
    """Wait until an element shows a text, whichever page it is on by then."""
    from playwright.sync_api import expect  # noqa: PLC0415 - where there is a browser

    expect(element).to_contain_text(text, timeout=_PATIENCE * 1_000)


def violations(page: Page) -> list[str]:
    """Return what axe finds on a page, with all of it opened."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - where there is a browser

    page.evaluate(OPEN_ALL)
    found = Axe().run(page, options=_AXE).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"][:3]
    ]


def too_wide(page: Page, *, opened: bool = True) -> list[str]:
    """Return some of what holds a page open sideways, with all of it opened; nothing if it fits."""
    if opened:
        page.evaluate(OPEN_ALL)
    beyond, elements = page.evaluate(_WIDE)
    return (elements[:4] or ["something"]) if beyond > 0 else []


class Site:
    """A site in a folder.

    Attributes:
        folder: Where it stands.
        pages: The paths of its pages.
    """

    def __init__(self, folder: Path, given: Given) -> None:
        self.folder = folder
        self.files = site_files(read_shown(given.folder, evidence=given.evidence, migrations=given.migrations))
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        self.pages = sorted(path for path in self.files if path.endswith(".html"))

    @property
    def url(self) -> str:
        """Where it stands, as the browser opens it."""
        return self.folder.as_uri() + "/"

    @property
    def kinds(self) -> list[str]:
        """One page of each kind: those of the first level, and of each folder the longest."""
        folders = {path.rpartition("/")[0] for path in self.pages} - {""}
        longest = [
            max((path for path in self.pages if path.startswith(f"{each}/")), key=lambda path: len(self.files[path]))
            for each in sorted(folders)
        ]
        return [path for path in self.pages if "/" not in path] + longest


class Window:
    """A window of the browser, which notes what must not be on any page.

    Attributes:
        page: The page in it.
        faults: Messages on the console, errors of scripts, dialogs, and requests of what is not the site's.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.context = context
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda said: self._note(f"console {said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self._note(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self._note(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("popup", lambda page: self._note(f"window: {page.url}"))
        context.on("request", self._requested)

    def _note(self, fault: str) -> None:
        self.faults.append(f"{fault} at {self.page.url}")

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:")):
            self._note(f"request: {request.url}")

    def open(self, path: str) -> Page:
        """Show a page of the site."""
        # A fragment alone would not load it anew.
        self.page.goto("about:blank")
        self.page.goto(self.url + path)
        return self.page

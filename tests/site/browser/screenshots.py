"""Pictures of the site's pages: those in `docs/images`, or of every kind of page to look at.

Run as ``python -m tests.site.browser.screenshots`` for the first, and with a folder for the second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.servers import chromium
from tests.site.browser import sites
from tests.site.browser.windows import DESKTOP, HEIGHT, PHONE, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).parents[3] / "docs" / "images"
SHOWN = {
    "site-index": ("index.html", 900, False),
    "site-event": ("events/billing.usage.updated.html", 1220, False),
    "site-event-dark": ("events/billing.usage.updated.html", 1220, True),
}
"""The pictures of the documentation: page, height, and whether it is dark."""


def main() -> None:
    """Make the pictures."""
    with TemporaryDirectory() as made, TemporaryDirectory() as given, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        if len(sys.argv) > 1:
            _all(browser, Site(Path(made), sites.whole(Path(given))), Path(sys.argv[1]))
        else:
            _documented(browser, Site(Path(made), sites.Given(None)))
        browser.close()


def _documented(browser: Browser, site: Site) -> None:
    for name, (path, height, dark) in SHOWN.items():
        with _page(browser, width=DESKTOP, height=height, dark=dark) as page:
            page.goto(site.url + path)
            page.screenshot(path=IMAGES / f"{name}.png")


def _all(browser: Browser, site: Site, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for width in (PHONE, DESKTOP):
        for dark in (False, True):
            with _page(browser, width=width, dark=dark) as page:
                for path in site.kinds:
                    page.goto(site.url + path)
                    name = f"{path.removesuffix('.html').replace('/', '-')}-{width}-{'dark' if dark else 'light'}"
                    page.screenshot(path=folder / f"{name}.png", full_page=True)


@contextmanager
def _page(browser: Browser, *, width: int, height: int = HEIGHT, dark: bool) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    try:
        yield context.new_page()
    finally:
        context.close()


if __name__ == "__main__":
    main()

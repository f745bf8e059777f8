"""The sites, and a browser that shows their pages."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests import servers
from tests.conftest import found
from tests.site.browser import sites
from tests.site.browser.windows import DESKTOP, HEIGHT, Site, Window


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("site"), sites.whole(tmp_path_factory.mktemp("whole")))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("site"), sites.hostile(tmp_path_factory.mktemp("hostile")))


@pytest.fixture(scope="session")
def harmless(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("site"), sites.harmless(tmp_path_factory.mktemp("harmless")))


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("site"), sites.unbroken(tmp_path_factory.mktemp("unbroken")))


@pytest.fixture(scope="session")
def chromium():
    return found("chromium", servers.chromium)


@pytest.fixture(scope="module")  # its loop must have ended where other files run loops of their own
def browser(chromium):
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may be missing

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium)
        yield started
        started.close()


@pytest.fixture
def opened(browser):
    """Opens a window on a site; in the end nothing that must not be may have been on its pages."""
    windows = []
    with ExitStack() as stack:

        def open_(url, *, width=DESKTOP, dark=False, **options):
            context = browser.new_context(
                viewport={"width": width, "height": HEIGHT},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                **options,
            )
            stack.callback(context.close)
            windows.append(Window(context, url))
            return windows[-1]

        yield open_
    assert [fault for window in windows for fault in window.faults] == []

"""A page that `site serve` shows: it reloads once there is another site, and says what is wrong meanwhile."""

from __future__ import annotations

import pytest

from jobarium_events.site.serving import Live, Server
from tests.site.browser.windows import shows, violations

PAGE = "events/job.updated.html"


@pytest.fixture
def live(whole):
    live = Live()
    live.built(whole.files)
    return live


@pytest.fixture
def server(live):
    with Server(live, port=0) as server:
        yield server


def test_a_page_reloads_once_there_is_another_site(whole, live, server, opened):
    page = opened(server.url).open(PAGE)
    page.evaluate("window.isOld = true")
    live.built(whole.files | {PAGE: whole.files[PAGE].replace(b"</h1>", b" anew</h1>")})
    shows(page.locator("h1"), "anew")
    assert page.evaluate("window.isOld") is None


def test_a_page_stays_where_nothing_is_new(server, opened):
    page = opened(server.url).open(PAGE)
    page.evaluate("window.isOld = true")
    page.wait_for_timeout(1_200)
    assert page.evaluate("window.isOld") is True


def test_a_mistake_is_said_on_the_page_until_it_is_mended(whole, live, server, opened):
    page = opened(server.url).open(PAGE)
    heading = page.locator("h1").inner_text()
    live.failed("job.updated/v1.json: is no JSON")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().split("\n")[0] == "There is a mistake. This page is from before it."
    assert alert.locator("pre").inner_text() == "job.updated/v1.json: is no JSON"
    assert page.locator("h1").inner_text() == heading
    live.failed("job.updated/v1.json: is no object")
    shows(alert.locator("pre"), "job.updated/v1.json: is no object")
    live.built(whole.files)
    alert.wait_for(state="detached")


def test_where_there_is_no_site_the_page_says_why_until_there_is_one(whole, opened):
    live = Live()
    live.failed("catalog.toml: names no releases")
    with Server(live, port=0) as server:
        window = opened(server.url)
        page = window.open(PAGE)
        assert page.locator("pre").inner_text() == "catalog.toml: names no releases"
        assert page.get_by_role("alert").count() == 0  # it is said once
        live.failed("catalog.toml: is no TOML")
        shows(page.locator("pre"), "catalog.toml: is no TOML")
        live.built(whole.files)
        shows(page.locator("h1"), "job.updated")
        # That there was nothing to show is all that the browser may have said.
        assert all("503" in fault for fault in window.faults)
        window.faults.clear()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_on_what_is_added(live, server, opened, dark):
    window = opened(server.url, dark=dark)
    page = window.open(PAGE)
    live.failed("job.updated/v1.json: is no JSON")
    page.get_by_role("alert").wait_for()
    assert violations(page) == []
    assert violations(window.open("nothing.html")) == []
    assert all("404" in fault for fault in window.faults)
    window.faults.clear()

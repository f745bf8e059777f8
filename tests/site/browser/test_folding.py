"""The long pages of a large catalog: short at first, opened by whoever follows a link, and whole on paper."""

from __future__ import annotations

import pytest

from jobarium_events.site.pictures.flow import MANY
from tests.site.browser.sites import Given
from tests.site.browser.windows import DESKTOP, HEIGHT, PHONE, Site, too_wide, until, violations
from tests.site.catalogs import large

PAGES = ["flow.html", "services.html"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = large(tmp_path_factory.mktemp("catalog"), 2 * MANY)
    return Site(tmp_path_factory.mktemp("site"), Given(folder))


@pytest.mark.parametrize("path", PAGES)
def test_a_link_opens_the_part_to_which_it_leads_and_no_other(site, opened, path):
    page = opened(site.url).open(f"{path}#main")
    event = page.locator("section.folded li a:not(.state), section.folded th a")
    seen = event.filter(visible=True)
    until(page, "document.querySelector('#main').closest('section').querySelector('details').open")
    assert (event.count(), seen.count()) == ({"flow.html": 80, "services.html": 352}[path], 40)
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="maker").click()
    until(page, "document.querySelector('#maker').closest('section').querySelector('details').open")
    assert seen.count() == 80
    assert 0 <= page.locator("#maker").bounding_box()["y"] < HEIGHT


@pytest.mark.parametrize("path", PAGES)
def test_a_part_is_opened_by_the_keyboard(site, opened, path):
    page = opened(site.url).open(path)
    assert page.locator("section.folded details[open] > :not(summary)").filter(visible=True).count() == 0
    page.locator("#main ~ details > summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#main ~ details a").first.is_visible()


@pytest.mark.parametrize("path", PAGES)
def test_what_is_folded_is_found_by_a_search_in_the_page_and_is_on_paper(site, opened, path):
    page = opened(site.url).open(f"{path}#:~:text=thing37.made")
    until(page, "document.querySelector('.folded > details[open]')?.textContent.includes('thing37.made')")
    assert page.locator(".folded > details[open]").count() == 1
    page = opened(site.url).open(path)
    page.emulate_media(media="print")
    assert page.locator("section.folded a").filter(visible=False).count() == 0


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_on_long_pages(site, opened, path, width, dark):
    assert violations(opened(site.url, width=width, dark=dark).open(path)) == []


@pytest.mark.parametrize("width", [320, PHONE, DESKTOP])
@pytest.mark.parametrize("path", PAGES)
def test_no_long_page_scrolls_sideways(site, opened, path, width):
    page = opened(site.url, width=width).open(path)
    assert too_wide(page) == []


def test_on_a_phone_a_table_stands_for_the_picture(site, opened):
    page = opened(site.url, width=PHONE).open("flow.html#main")
    until(page, "document.querySelector('#main').closest('section').querySelector('details').open")
    assert not page.locator("#main ~ details svg").is_visible()
    assert page.locator("#main ~ details table").is_visible()

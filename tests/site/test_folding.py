"""The pages of a large catalog: each service says in a line what it sends and reads; the rest is folded."""

from __future__ import annotations

import pytest

from jobarium_events.site.pictures.flow import MANY
from jobarium_events.site.services import LONG
from tests.site.catalogs import large
from tests.site.conftest import site_of


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return site_of(large(tmp_path_factory.mktemp("large"), 2 * MANY))


def test_the_flow_of_a_large_catalog_says_which_service_sends_how_many_to_whom(tmp_path):
    page = site_of(large(tmp_path, MANY + 1))["flow.html"]
    assert [each.text for each in page.all("h2")] == ["main", "maker"]
    assert [each.attributes["id"] for each in page.all("h2")] == ["main", "maker"]
    main, maker = (each.text for each in page.all("p") if each.text.startswith("Sends"))
    assert main == (
        "Sends 20 events; read by first-reader (20 events), second-reader (16), third-reader (12), "
        "fourth-reader (9), fifth-reader (6) and 1 other service."
    )
    assert maker == (
        "Sends 21 events; read by first-reader (21 events), second-reader (17), third-reader (13), "
        "fourth-reader (9), fifth-reader (6) and 1 other service."
    )


def test_what_each_service_sends_is_folded_and_nothing_of_it_is_lost(site):
    page = site["flow.html"]
    assert len(page.all("section", class_="folded")) == 2
    assert len(page.all("svg")) == 2
    folded = [each for each in page.all("details") if "details" not in each.around]
    assert ["open" in each.attributes for each in folded] == [False, False]
    rows = [each.text for each in page.all("th", scope="row")]
    assert sorted(rows) == sorted(f"thing{number}.made" for number in range(2 * MANY))
    assert all("open" in each.attributes for each in page.all("details", class_="as-table"))


def test_what_a_service_has_retired_is_counted_by_itself(tmp_path):
    folder = large(tmp_path, MANY + 1)
    manifest = folder / "catalog.toml"
    over = 'introduced = "1"\ndeprecated = "2"\nretired = "4"\n[event'
    manifest.write_text(manifest.read_text().replace('introduced = "1"\n[event', over, 1))
    text = site_of(folder)["flow.html"].text
    assert "Sends 20 events; read by first-reader (20 events), second-reader (17)" in text
    assert "Once sent 1 event, until it was retired." in text


def test_the_services_of_a_large_catalog_are_folded_and_nothing_of_them_is_lost(site):
    page = site["services.html"]
    first = {"Sends 40 events: maker", "Sends 40 events: main", "Reads 80 events: first-reader"}
    summaries = {each.text for each in page.all("summary")}
    assert first < summaries
    assert len(summaries) == len(page.all("h2")) == 8
    assert not [each for each in page.all("details") if "open" in each.attributes]
    links = [each.text for each in page.all("a") if "details" in each.around and each.text != "v1 active"]
    assert set(links) == {f"thing{number}.made" for number in range(2 * MANY)}
    assert len(links) > LONG


def test_a_short_page_is_not_folded(bundled, tmp_path):
    site = site_of(large(tmp_path, MANY))
    assert site["flow.html"].all("svg")
    for page in (bundled["flow.html"], bundled["services.html"], site["flow.html"], site["services.html"]):
        assert not page.all(class_="folded")
        assert not page.all("script")

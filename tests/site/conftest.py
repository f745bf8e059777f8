"""Sites that several tests look at: built once, and read only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from jobarium_events.site.building import site_files
from jobarium_events.site.shown import read_shown
from tests.site.catalogs import counters, shop
from tests.site.parsed import Parsed

V1 = ("order.placed", "v1")


class Site:
    """The files of a site, and its pages as a browser reads them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.pages = {path: Parsed(content) for path, content in files.items() if path.endswith(".html")}

    def __getitem__(self, path: str) -> Parsed:
        return self.pages[path]


def site_of(folder: Path | None, **given: object) -> Site:
    return Site(site_files(read_shown(folder, **given)))


@pytest.fixture(scope="session")
def bundled() -> Site:
    """The site of the bundled catalog."""
    return site_of(None)


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory) -> Path:
    return shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def shop_site(shop_folder) -> Site:
    """The site of the shop, without counters."""
    return site_of(shop_folder)


@pytest.fixture(scope="session")
def counted_site(shop_folder, tmp_path_factory) -> Site:
    """The site of the shop, with counters by which one service of two has moved."""
    folder = tmp_path_factory.mktemp("counters")
    moved = counters(folder / "billing.json", "billing-service", {V1: 30})
    not_moved = counters(folder / "shop of ours.json", "shop-service", {V1: 3})
    return site_of(shop_folder, evidence=[moved, not_moved])

from __future__ import annotations

import pytest

from benchmarks import sites as measured
from benchmarks.scenarios import UnfitScenario
from benchmarks.sites import FRAME, searching, sites
from benchmarks.timing import Effort
from tests.conftest import found
from tests.servers import Missing, chromium

BRIEF = Effort(rounds=2, slice_seconds=0.00001, processes=2, changed=20)


def away():
    raise Missing("Chromium: there is none")


def test_a_site_is_built_and_its_catalog_loaded(monkeypatch, capsys):
    monkeypatch.setattr(measured, "chromium", away)
    (row,) = sites(BRIEF)
    assert (row.name, row.base, row.bound) == ("build the site of 100 events", "Catalog.load of its folder", None)
    assert row.ratio.value > 1
    assert "left out: search among 1,000 events: Chromium: there is none" in capsys.readouterr().err


def test_a_site_without_its_pages_ends_the_run(monkeypatch):
    monkeypatch.setattr(measured, "site_files", lambda _: {"index.html": b""})
    with pytest.raises(UnfitScenario, match="0 pages of events for 100 events"):
        sites(BRIEF)


def test_searching_is_compared_with_a_frame(monkeypatch):
    monkeypatch.setattr(measured, "chromium", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(measured, "searching", lambda _: ([FRAME / 4] * 5, [FRAME / 2] * 5))
    _, key, clear = sites(BRIEF)
    assert (key.name, key.base, key.bound) == ("search among 1,000 events, a key", "a frame", 1)
    assert (clear.name, clear.base, clear.bound) == (
        "clear the search among 1,000 events, the first in sight",
        "a frame",
        1,
    )
    assert (key.ratio.value, clear.ratio.value) == (0.25, 0.5)


def test_the_search_is_timed_in_a_browser(monkeypatch):
    monkeypatch.setattr(measured, "_ROUNDS", 1)
    (key,), (clear,) = searching(found("chromium", chromium), 100)
    assert min(key, clear) > 0


def test_a_search_that_does_nothing_ends_the_run(monkeypatch):
    monkeypatch.setattr(measured, "_ROUNDS", 1)
    index = measured.index_of
    idle = b"document.getElementById('search').hidden = false;"
    monkeypatch.setattr(measured, "index_of", lambda folder: index(folder) | {"search.js": idle})
    with pytest.raises(UnfitScenario, match="100 of 100 events are found"):
        searching(found("chromium", chromium), 100)

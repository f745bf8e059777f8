"""What the site is made of: everything that is wrong with it is said."""

from __future__ import annotations

import pytest

from jobarium_events.counters import CountersError
from jobarium_events.errors import CatalogError
from jobarium_events.evolution.refusals import LockError
from jobarium_events.site.shown import read_shown
from tests import folders
from tests.site.catalogs import DECISION, counters, shop
from tests.site.conftest import V1


def test_the_bundled_catalog_is_shown_by_default():
    shown = read_shown()
    assert shown.is_bundled
    assert shown.releases == shown.catalog.releases
    assert shown.planned
    assert shown.lock
    assert shown.decisions.keys() == {"DEC-0001"}


def test_a_folder_is_shown_as_it_is(tmp_path):
    given = counters(tmp_path / "counters.txt", "taker", {V1: 1})
    folder = shop(tmp_path / "schemas")
    shown = read_shown(folder, evidence=[given])
    assert not shown.is_bundled
    assert (shown.releases, shown.planned) == (("2026.1", "2026.2"), ("2026.3", "2026.4"))
    assert [each.service for each in shown.counters] == ["taker"]


def test_a_folder_with_mistakes_is_refused_with_all_of_them(tmp_path):
    with pytest.raises(CatalogError, match="2 mistakes"):
        read_shown(folders.write(tmp_path, folders.table("thing.made", {"v1": 'key = "k"'}), {}))


def test_a_decision_with_a_mistake_is_refused(tmp_path):
    folder = shop(tmp_path, drafts=False)
    (folder / "decisions/DEC-0001.md").write_text(DECISION.replace('"accepted"', '"maybe"'))
    with pytest.raises(
        CatalogError, match=r"decisions/DEC-0001.md at status: has a status that is not one of proposed"
    ):
        read_shown(folder)


def test_a_decision_whose_review_has_passed_is_shown(tmp_path):
    folder = shop(tmp_path, drafts=False)
    (folder / "decisions/DEC-0001.md").write_text(DECISION.replace("2099-01-01", "2020-01-01"))
    assert read_shown(folder).decisions


def test_a_broken_lock_is_refused(tmp_path):
    folder = shop(tmp_path, drafts=False)
    (folder / "catalog.lock").write_text("{}")
    with pytest.raises(LockError):
        read_shown(folder)


def test_evidence_that_is_none_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(CountersError, match=r"x\.json is no file of counters"):
        read_shown(None, evidence=[tmp_path / "x.json"])
    with pytest.raises(FileNotFoundError):
        read_shown(None, evidence=[tmp_path / "y.json"])

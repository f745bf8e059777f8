from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import backfills as measured
from benchmarks.backfills import backfills
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import Effort
from tests import servers

if TYPE_CHECKING:
    from tests.conftest import Database

BRIEF = Effort(rounds=2, slice_seconds=0.00001, processes=2, changed=2)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in {"WATCHED": 60_000, "WINDOWS": 2, "WINDOW": 0.1, "BEFORE": 0.05}.items():
        monkeypatch.setattr(measured, name, size)


def test_a_backfill_and_a_writer_beside_it_are_measured(postgres: Database) -> None:
    rows = backfills(BRIEF)
    assert [(row.name, row.base, row.bound) for row in rows] == [
        ("backfill of 2,000 rows, at its full share", "one plain UPDATE of them", 2),
        ("p99 of a writer of single rows beside that backfill", "of the same one alone", 2),
    ]
    assert all(row.ratio.value > 0 for row in rows)


def test_a_backfill_that_is_complete_too_soon_ends_the_run(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "WATCHED", 10)
    with pytest.raises(UnfitScenario, match="complete too soon"):
        backfills(BRIEF)


def test_without_a_server_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> str:
        raise servers.Missing("Postgres: none")

    monkeypatch.setattr(servers, "postgres_url", missing)
    assert backfills(BRIEF) == []
    assert capsys.readouterr().err == "left out: backfills: Postgres: none\n"

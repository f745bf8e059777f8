from __future__ import annotations

import pytest

from benchmarks import checks as measured
from benchmarks.checks import checks
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import Effort
from jobarium_events.evolution.reports import Report

BRIEF = Effort(rounds=2, slice_seconds=0.00001, processes=2, changed=20)


def test_unchanged_and_changed_contracts_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "UNCHANGED", 20)
    rows = checks(BRIEF)
    assert [(row.name, row.base, row.bound) for row in rows] == [
        ("check 20 unchanged contracts against the lock", "loading them", 3),
        ("check 20 unchanged contracts against another folder", "loading them", 3),
        ("check 10 changed contracts, each", "each of 5", 1.3),
        ("check 20 changed contracts, each", "each of 5", 1.3),
    ]
    assert all(row.ratio.value > 0 for row in rows)


def test_a_check_that_does_not_look_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "UNCHANGED", 6)
    monkeypatch.setattr(measured, "check", lambda folder, against=None: Report(folder=str(folder)))
    with pytest.raises(UnfitScenario, match="not all is unchanged"):
        checks(BRIEF)

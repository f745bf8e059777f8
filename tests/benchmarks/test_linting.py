from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import linting as measured
from benchmarks.linting import linting
from benchmarks.migrations import BRIEF as SHORT
from benchmarks.migrations import USUAL
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import Effort
from jobarium_events.migrations.lint.findings import Report
from jobarium_events.migrations.lint.linting import lint_files

BRIEF = Effort(rounds=2, slice_seconds=0.00001, processes=2, changed=20)


def test_files_are_linted_and_parsed() -> None:
    usual, short = linting(BRIEF)
    assert (usual.name, usual.base, usual.bound) == ("lint 100 files of SQL", "postgast.parse of their texts", 3)
    assert (short.name, short.bound) == ("lint 100 files of a few short statements", None)
    assert min(usual.ratio.value, short.ratio.value) > 0


def test_a_lint_that_does_not_look_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "lint_files", lambda _: Report())
    with pytest.raises(UnfitScenario, match="in 0 of 100 files"):
        linting(BRIEF)


@pytest.mark.parametrize("files", [USUAL, SHORT], ids=["usual", "short"])
def test_what_is_linted_does_something(files: tuple[str, ...], tmp_path: Path) -> None:
    """Ten files of a service: locks are found, and each file has its own text."""
    for number, text in enumerate(files):
        (tmp_path / f"{number}.sql").write_text(text.replace("SERVICE", "service"))
    report = lint_files([tmp_path])
    assert len(set(files)) == report.files == 10
    assert not report.findings
    assert {lock.table for statement in report.statements for lock in statement.locks}

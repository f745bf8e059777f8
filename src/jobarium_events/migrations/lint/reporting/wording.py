"""What the reports say alike: where a finding is, and the whole in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobarium_events.annotations import path_shown
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.reading import STDIN

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.findings import Report

__all__ = ["file_shown", "summary"]


def file_shown(file: str) -> str:
    """Return a file's path as a reader of the report opens it."""
    return file if file == STDIN else path_shown(Path(file))


def summary(report: Report) -> str:
    """Return what was judged, for which versions, and whether it may run, in one line."""
    what = f"{_counted(report.files, 'file')}, {_counted(len(report.statements), 'statement')}"
    first, last = report.versions[0], report.versions[-1]
    on = f"Postgres {first}" if first == last else f"Postgres {first} to {last}"
    found = ", ".join(_counted(count, severity) for severity in Severity if (count := report.count(severity)))
    verdict = "may run as it is" if report.ok else "may not run as it is"
    return f"{what}, for {on}: {f'{found}: ' if found else ''}{verdict}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

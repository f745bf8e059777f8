"""Where each finding is to be looked at: the file's path as a reader of the report opens it, and the line."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jobarium_events.annotations import path_shown
from jobarium_events.evolution.reporting.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.evolution.findings import Finding
    from jobarium_events.evolution.reports import Report

__all__ = ["Location", "located"]


class Location(NamedTuple):
    """A place in a file.

    Attributes:
        path: With ``/`` between its parts; relative to where the command runs, if the file is below that.
        line: Counted from 1; None if the file is not there.
    """

    path: str
    line: int | None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


def located(report: Report) -> Iterator[tuple[Finding, Location]]:
    """Yield the findings of a report, each with its location; that of the folder if it has no file.

    They come in the report's order, and those of one contract in one file in that of their lines.
    """
    folder = Path(report.folder)
    lines = Lines(folder)
    for (_, file), findings in groupby(report.findings, lambda each: (each.contract, each.file)):
        path = path_shown(folder / file if file else folder)
        found = [(finding, Location(path, lines.line(file, finding.pointer) if file else None)) for finding in findings]
        yield from sorted(found, key=lambda each: each[1].line or 0)

"""Findings as annotations of lines, which GitHub and SARIF show alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.annotations import Annotation
from jobarium_events.evolution.reporting.locations import located
from jobarium_events.evolution.reporting.wording import sentences, witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.evolution.reports import Report

__all__ = ["annotated"]


def annotated(report: Report) -> Iterator[Annotation]:
    """Yield an annotation for each finding of a report."""
    for finding, location in located(report):
        shown = witness(finding)
        yield Annotation(
            rule=finding.rule,
            level=finding.severity.value,
            path=location.path,
            line=location.line,
            text=sentences(finding),
            details=(
                *([f"witness: {shown}"] if shown else []),
                *(f"{side}: {verdict}" for side, verdict in finding.explanation),
            ),
            place=f"{finding.contract} {finding.pointer}".rstrip() if finding.contract else "",
            known_by=(finding.rule, finding.contract, finding.file, finding.pointer, finding.reader or ""),
            properties=finding.as_json(),
        )

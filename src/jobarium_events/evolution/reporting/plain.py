"""A report as JSON, with all that was found out, for programs that make something else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.annotations import json_text
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.reporting.locations import located

if TYPE_CHECKING:
    from jobarium_events.evolution.comparing import Comparison
    from jobarium_events.evolution.reports import Report
    from jobarium_events.evolution.verdicts import Containment

__all__ = ["as_json"]


def as_json(report: Report) -> str:
    """Return the whole report."""
    document = {
        "ok": report.ok,
        "folder": report.folder,
        "against": report.against,
        "mode": report.mode,
        "contracts": report.contracts,
        "unchanged": report.unchanged,
        "counts": {severity.value: report.count(severity) for severity in Severity},
        "findings": [
            {**finding.as_json(), "path": location.path, "line": location.line} for finding, location in located(report)
        ],
        "comparisons": [_comparison(each) for each in report.comparisons],
    }
    return json_text(document, indent=2) + "\n"


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "old": comparison.old,
        "new": comparison.new,
        "compatible": comparison.compatible,
        "differs": comparison.differs,
        "policy": _views(comparison.backward, comparison.forward),
        "as_written": _views(comparison.plain_backward, comparison.plain_forward),
    }


def _views(backward: Containment, forward: Containment) -> dict[str, Any]:
    return {"backward": msgspec.to_builtins(backward), "forward": msgspec.to_builtins(forward)}

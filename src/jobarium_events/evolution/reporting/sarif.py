"""A report as SARIF 2.1.0, which code scanning of GitHub, GitLab and others reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.annotations import as_log
from jobarium_events.evolution.reporting.annotating import annotated
from jobarium_events.evolution.reporting.rules import RULES

if TYPE_CHECKING:
    from jobarium_events.evolution.reports import Report

__all__ = ["as_sarif"]


def as_sarif(report: Report) -> str:
    """Return a SARIF log of one run."""
    return as_log(annotated(report), RULES)

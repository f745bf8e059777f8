"""A report as workflow commands of GitHub Actions, which shows each finding at its line in the pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.annotations import as_workflow_commands
from jobarium_events.evolution.reporting.annotating import annotated
from jobarium_events.evolution.reporting.wording import summary

if TYPE_CHECKING:
    from jobarium_events.evolution.reports import Report

__all__ = ["as_github"]


def as_github(report: Report) -> str:
    """Return one workflow command for each finding, and the summary for whoever reads the log."""
    return as_workflow_commands(annotated(report), summary(report))

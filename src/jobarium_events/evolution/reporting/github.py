"""A report as workflow commands of GitHub Actions, which shows each finding at its line in the pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.reporting.locations import Location, located
from jobarium_events.evolution.reporting.wording import printable, sentences, summary, witness

if TYPE_CHECKING:
    from jobarium_events.evolution.reports import Report

__all__ = ["as_github"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def as_github(report: Report) -> str:
    """Return one workflow command for each finding, and the summary for whoever reads the log."""
    commands = [_command(finding, location) for finding, location in located(report)]
    return "".join(f"{line}\n" for line in (*commands, printable(summary(report))))


def _command(finding: Finding, location: Location) -> str:
    facts = {"file": location.path, "line": str(location.line or 1), "title": finding.rule}
    properties = ",".join(f"{name}={_property(value)}" for name, value in facts.items())
    return f"::{_COMMANDS[finding.severity]} {properties}::{_data(_message(finding))}"


def _message(finding: Finding) -> str:
    shown = witness(finding)
    lines = [sentences(finding), *([f"witness: {shown}"] if shown else [])]
    return "\n".join([*lines, *(f"{side}: {verdict}" for side, verdict in finding.explanation)])


def _data(text: str) -> str:
    # GitHub decodes line ends only; what else would steer the terminal in which somebody reads the log is shown.
    return printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

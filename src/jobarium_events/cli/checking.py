"""`check`: whether a change to a folder of schemas may ship as it is, for people, for CI and for other programs."""

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from jobarium_events.cli.catalogs import SchemasArgument, schemas_in
from jobarium_events.cli.output import Column, console, paragraphs, printable, table
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.reporting import as_github, as_json, as_markdown, as_sarif
from jobarium_events.evolution.reporting.locations import Location, located
from jobarium_events.evolution.reporting.wording import summary, views, witness
from jobarium_events.evolution.reports import Mode, Report

__all__ = ["check", "print_finding"]

_FOUND = 1
_INDENT = "    "
_COLORS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    """For people, in colour where the terminal has it."""
    JSON = "json"
    """All that was found out, for programs."""
    GITHUB = "github"
    """Workflow commands of GitHub Actions, which show each finding at its line."""
    SARIF = "sarif"
    """SARIF 2.1.0, for code scanning."""
    MARKDOWN = "markdown"
    """A comment on a pull request."""


_FORMATS = {Format.JSON: as_json, Format.GITHUB: as_github, Format.SARIF: as_sarif, Format.MARKDOWN: as_markdown}


def check(
    folder: SchemasArgument = None,
    *,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="BASELINE",
            help="lock, git:REF (or git:REF:PATH) or another folder. [default: the folder's lock, if it has one]",
        ),
    ] = None,
    mode: Annotated[
        Mode | None, typer.Option(help="Judge the schemas as written, as a registry would, and nothing else.")
    ] = None,
    format: Annotated[Format, typer.Option(help="How to write the report.")] = Format.TEXT,  # noqa: A002 - its name
) -> None:
    """Check whether a folder of schemas may ship as it is.

    Each contract is held against what was published; lifecycle, decisions and meanings are checked as well. The exit
    code is 1 if a finding is an error.

    Example: `jobarium-events check`

    Example: `jobarium-events check schemas --against git:origin/main --format github`
    """
    from jobarium_events.evolution.checking import check as check_folder  # noqa: PLC0415 - provers take long to import

    report = check_folder(schemas_in(folder), against=against, mode=mode)
    if format is Format.TEXT:
        _print(report)
    else:
        sys.stdout.write(_FORMATS[format](report))
    if not report.ok:
        raise typer.Exit(_FOUND)


def _print(report: Report) -> None:
    to = console()
    for finding, location in located(report):
        print_finding(to, finding, location)
    differing = list(views(report))
    if differing:
        to.print("Where a registry would judge otherwise", style="bold")
        table(to, [Column("Contract"), Column("By the policy"), Column("As written", below=True)], differing)
        to.print()
    to.print(printable(summary(report)), style="bold green" if report.ok else "bold red")


def print_finding(to: Console, finding: Finding, location: Location) -> None:
    """Print a finding for people: where it is, what it says, and the witness if there is one."""
    to.print(printable(f"{location}: "), end="")
    to.print(finding.severity.value, style=_COLORS[finding.severity], end="")
    to.print(printable(f" [{finding.rule}]"), style="dim")
    place = " at ".join(filter(None, (finding.contract, finding.pointer)))
    if place:
        to.print(f"{_INDENT}{printable(place)}", style="bold")
    for text in filter(None, (finding.text, finding.advice)):
        paragraphs(to, printable(text), _INDENT)
    shown = witness(finding)
    if shown:
        to.print(f"{_INDENT}witness  {printable(shown)}")
    for side, verdict in finding.explanation:
        accepts = verdict == "accepts"
        line = f"{_INDENT}{'+' if accepts else '-'} {side}: {verdict}"
        to.print(printable(line), style="green" if accepts else "red")
    to.print()

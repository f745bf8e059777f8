"""`db lint`: what files of SQL would do to running code, for people, for CI and for other programs."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from jobarium_events.cli.db.options import MigrationsOption
from jobarium_events.cli.output import console, paragraphs, printable

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.findings import Finding, Report

__all__ = ["lint"]

_FOUND = 1
_INDENT = "    "
_COLORS = {"error": "bold red", "warning": "yellow"}


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    """For people, in colour where the terminal has it."""
    JSON = "json"
    """Every statement, with its locks and the rules it breaks, for programs."""
    GITHUB = "github"
    """Workflow commands of GitHub Actions, which show each finding at its line."""
    SARIF = "sarif"
    """SARIF 2.1.0, for code scanning."""


def lint(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="Files and folders of SQL, or migrations by their ids or numbers; - is the standard input. "
            "[default: the folder of migrations]",
        ),
    ] = None,
    *,
    migrations: MigrationsOption = Path("migrations"),
    format: Annotated[Format, typer.Option(help="How to write the report.")] = Format.TEXT,  # noqa: A002 - its name
    postgres: Annotated[
        list[int] | None,
        typer.Option(
            min=13,
            max=18,
            metavar="VERSION",
            help="A major version of Postgres to judge for; may be repeated. [default: all that are supported]",
        ),
    ] = None,
) -> None:
    """Tell what SQL would do to the code that runs: the locks it takes, and the rules it breaks, with the safe way.

    It reads migrations, plain SQL, and what `alembic upgrade --sql` and `manage.py sqlmigrate` print. The exit code is
    1 if a finding is an error.

    Example: `jobarium-events db lint migrations/0007_job_source.sql`

    Example: `alembic upgrade head --sql | jobarium-events db lint - --postgres 15 --format github`
    """
    from jobarium_events.migrations.lint.linting import lint_files  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.migrations.lint.reporting import as_github, as_json, as_sarif  # noqa: PLC0415 - likewise
    from jobarium_events.migrations.refusals import no_folder  # noqa: PLC0415 - likewise

    if not files and not migrations.is_dir():
        raise no_folder(migrations)
    paths = [_meant(each, migrations) for each in files or [str(migrations)]]
    report = lint_files(paths, postgres=postgres or ())
    if not report.files:
        raise typer.BadParameter(f"there is no file *.sql in {', '.join(paths)}")
    formats = {Format.JSON: as_json, Format.GITHUB: as_github, Format.SARIF: as_sarif}
    if format is Format.TEXT:
        _print(report)
    else:
        sys.stdout.write(formats[format](report))
    if not report.ok:
        raise typer.Exit(_FOUND)


def _meant(named: str, folder: Path) -> str:
    """Return the file of a migration that is named by its id or its number; what is named where that is a path."""
    if named[:1].isdecimal() and not Path(named).exists():
        for path in sorted(folder.glob("*.sql")):
            number = path.stem.partition("_")[0]
            if path.stem == named or (named.isdecimal() and number.isdecimal() and int(number) == int(named)):
                return str(path)
    return named


def _print(report: "Report") -> None:
    from jobarium_events.migrations.lint.reporting import summary  # noqa: PLC0415 - the extra may be missing

    to = console()
    for finding in report.findings:
        _print_finding(to, finding)
    to.print(printable(summary(report)), style="bold green" if report.ok else "bold red")


def _print_finding(to: Console, finding: "Finding") -> None:
    from jobarium_events.migrations.lint.reporting.wording import file_shown  # noqa: PLC0415 - the extra may be missing

    place = f"{file_shown(finding.file)}:{finding.line}" if finding.line else file_shown(finding.file)
    to.print(printable(f"{place}: "), end="")
    to.print(finding.severity.value, style=_COLORS[finding.severity.value], end="")
    to.print(printable(f" [{finding.rule}]"), style="dim")
    paragraphs(to, printable(finding.sentence), _INDENT)
    if finding.safe:
        to.print(f"{_INDENT}instead:", style="dim")
        for line in finding.safe.split("\n"):
            to.print(f"{_INDENT}{_INDENT}{printable(line)}", style="green")
    to.print()

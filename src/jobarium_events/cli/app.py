"""The commands put together, and what is printed when one of them fails."""

import re
import sys
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jobarium_events.cli.catalogs import catalog, show
from jobarium_events.cli.checking import check
from jobarium_events.cli.db import db
from jobarium_events.cli.dead_letters import dead_letters
from jobarium_events.cli.decisions import decisions
from jobarium_events.cli.demo import demo
from jobarium_events.cli.exporting import export
from jobarium_events.cli.generating import generate
from jobarium_events.cli.inbox import inbox
from jobarium_events.cli.outbox import outbox
from jobarium_events.cli.output import print_error
from jobarium_events.cli.releases import deprecate, new_version, release, retire, reword
from jobarium_events.cli.site import site
from jobarium_events.cli.validating import validate
from jobarium_events.cli.verifying import verify
from jobarium_events.errors import CatalogError, JobariumEventsError
from jobarium_events.evolution.refusals import EvidenceError, Refused

__all__ = ["app"]

FOUND, MISUSED = 1, 2
_MEANT = {
    r"Input should be greater than or equal to (\S+)": r"it has to be \1 or more",
    r"Input should be less than or equal to (\S+)": r"it has to be \1 or less",
    r"Input should be a valid integer.*": "it has to be a whole number",
    r"Input should be a valid number.*": "it has to be a number",
}


class _Commands(TyperGroup):
    """Prints the errors that a command is expected to meet, instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _in_words(error.message)
            raise
        except JobariumEventsError as error:
            print_error(str(error))
            raise typer.Exit(FOUND if _is_found(error) else MISUSED) from None
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            print_error(f"{place}{error.strerror or error}")
            raise typer.Exit(MISUSED) from None


def _is_found(error: JobariumEventsError) -> bool:
    """Whether something is wrong with files; of migrations, this is known where they were read, and nowhere else."""
    of_migrations = sys.modules.get("jobarium_events.migrations.refusals")
    kinds = (CatalogError, EvidenceError, Refused, *([of_migrations.MigrationError] if of_migrations else []))
    return isinstance(error, kinds)


def _in_words(problem: str) -> str:
    """Return what is wrong with an option or an argument, without the words of the library that reads them."""
    problem = problem.removeprefix("Value error, ")
    for said, meant in _MEANT.items():
        problem = re.sub(said, meant, problem)
    return problem


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo,
    catalog,
    show,
    validate,
    generate,
    check,
    verify,
    release,
    new_version,
    deprecate,
    retire,
    reword,
):
    app.command()(command)
app.add_typer(decisions, name="decisions")
app.add_typer(export, name="export")
app.add_typer(db, name="db")
app.add_typer(site, name="site")
app.add_typer(outbox, name="outbox")
app.add_typer(inbox, name="inbox")
app.add_typer(dead_letters, name="dead-letters")


def _print_version(*, wanted: bool) -> None:
    if wanted:
        try:
            version = metadata.version("jobarium-events")
        except metadata.PackageNotFoundError:
            version = "from a source checkout"
        typer.echo(f"jobarium-events {version}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda wanted: _print_version(wanted=wanted), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Look at event contracts, check events against them, and generate classes from them.

    Exit codes: 0 if all is well, 1 if something was found wrong, 2 if a command was used wrongly.

    Example: `jobarium-events demo`
    """

"""The commands put together, and what is printed when one of them fails."""

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
from jobarium_events.cli.generating import generate
from jobarium_events.cli.inbox import inbox
from jobarium_events.cli.outbox import outbox
from jobarium_events.cli.output import console, printable
from jobarium_events.cli.releases import deprecate, new_version, release, retire, reword
from jobarium_events.cli.validating import validate
from jobarium_events.cli.verifying import verify
from jobarium_events.errors import CatalogError, JobariumEventsError
from jobarium_events.evolution.refusals import EvidenceError, Refused

__all__ = ["app"]

FOUND, MISUSED = 1, 2


class _Commands(TyperGroup):
    """Prints the errors that a command is expected to meet, instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (CatalogError, EvidenceError, Refused) as error:
            _print_error(str(error))
            raise typer.Exit(FOUND) from None
        except JobariumEventsError as error:
            _print_error(str(error))
            raise typer.Exit(MISUSED) from None
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            _print_error(f"{place}{error.strerror or error}")
            raise typer.Exit(MISUSED) from None


def _print_error(text: str) -> None:
    to = console(stderr=True)
    to.print("Error: ", style="bold red", end="")
    to.print("\n".join(map(printable, text.split("\n"))))


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
app.add_typer(db, name="db")
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

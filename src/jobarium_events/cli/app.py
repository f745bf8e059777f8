"""The commands put together, and what is printed when one of them fails."""

from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jobarium_events.cli.catalogs import catalog, show
from jobarium_events.cli.demo import demo
from jobarium_events.cli.generating import generate
from jobarium_events.cli.output import console, printable
from jobarium_events.cli.validating import validate
from jobarium_events.errors import CatalogError, JobariumEventsError

__all__ = ["app"]

FOUND, MISUSED = 1, 2


class _Commands(TyperGroup):
    """Prints the errors that a command is expected to meet, instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CatalogError as error:
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
for command in (demo, catalog, show, validate, generate):
    app.command()(command)


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

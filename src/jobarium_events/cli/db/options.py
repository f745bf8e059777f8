"""What the commands on migrations share: their options."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "EnvironmentOption",
    "MigrationArgument",
    "MigrationsOption",
    "OperatorOption",
    "WaitOption",
    "operator_named",
]


def _span(text: str) -> float:
    from jobarium_events.migrations.files.spans import Span  # noqa: PLC0415 - with the rest of the migrations

    try:
        return Span.read(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is {error}, as in 30s") from None


MigrationsOption = Annotated[
    Path,
    typer.Option("--migrations", metavar="FOLDER", envvar="JOBARIUM_MIGRATIONS", help="The folder of migrations."),
]
MigrationArgument = Annotated[str, typer.Argument(metavar="ID", help="The migration's id, or its number alone.")]
EnvironmentOption = Annotated[
    str,
    typer.Option("--environment", metavar="NAME", envvar="JOBARIUM_ENVIRONMENT", help="The database's environment."),
]
OperatorOption = Annotated[
    str | None,
    typer.Option(
        "--operator", metavar="NAME", envvar="JOBARIUM_OPERATOR", help="Who does it. [default: the system's user]"
    ),
]
WaitOption = Annotated[
    float,
    typer.Option(parser=_span, metavar="SPAN", help="How long to wait for somebody else who is applying, such as 10m."),
]


def operator_named(name: str | None) -> str:
    """Return who does it, for the record."""
    return name or os.environ.get("SUDO_USER") or getpass.getuser()

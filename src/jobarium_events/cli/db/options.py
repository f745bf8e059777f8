"""What the commands on migrations share: their options."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EnvironmentOption", "MigrationArgument", "MigrationsOption", "OperatorOption", "operator_named"]

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


def operator_named(name: str | None) -> str:
    """Return who does it, for the record."""
    return name or os.environ.get("SUDO_USER") or getpass.getuser()

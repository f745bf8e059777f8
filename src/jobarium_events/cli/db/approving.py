"""`db approve` and `db checklist`: who has approved what, and what is left to do before and after applying."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from jobarium_events.cli.catalogs import JsonOption
from jobarium_events.cli.databases import DatabaseOption
from jobarium_events.cli.db.options import (
    EnvironmentOption,
    MigrationArgument,
    MigrationsOption,
    OperatorOption,
    operator_named,
)
from jobarium_events.cli.db.showing import marks
from jobarium_events.cli.db.telling import REFUSED, target_of, told
from jobarium_events.cli.output import console, print_json

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.approving import Window

__all__ = ["approve", "checklist"]

_FOLDER = Path("migrations")
_ROLES = ("cto", "ceo")  # not made of `Role`, as the extra may be missing


def _role(text: str) -> str:
    if text not in _ROLES:
        raise typer.BadParameter(f"{text!r} is no role; there are {' and '.join(_ROLES)}")
    return text


def approve(
    id_: MigrationArgument,
    *,
    role: Annotated[
        str,
        typer.Option(
            parser=_role, metavar="cto|ceo", help="cto reviews each migration; ceo approves one of high risk."
        ),
    ],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who, as the [roles] of migrations.toml list them.")],
    database: DatabaseOption,
    environment: EnvironmentOption,
    window: Annotated[
        str | None,
        typer.Option(metavar="FROM/TO", help="When it may be applied: 2026-11-02T20:00Z/2026-11-02T23:00Z."),
    ] = None,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
) -> None:
    """Record that somebody approves a migration's file as it is now; a change of the file voids it.

    Example: `jobarium-events db approve 0007 --role cto --by ada --environment production`
    """
    from jobarium_events.migrations import Role  # noqa: PLC0415 - the extra may be missing

    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        given = target.approve(id_, role=Role(role), by=by, window=None if window is None else _window(window))
    what = f"approved for {given.window}" if given.window else "reviewed"
    console().print(f"{given.migration}  {what} by {given.by} as {given.role}, its hash {given.hash}")


def checklist(
    id_: MigrationArgument,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
    json: JsonOption = False,
) -> None:
    """Print a migration's operational checklist, with what is done for this database and what is not.

    The exit code is 1 if something is left to do.

    Example: `jobarium-events db checklist 0007 --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        items = target.checklist(id_)
    if json:
        print_json(msgspec.to_builtins(items))
    else:
        marks(console(), ((item.name, item.done, item.text) for item in items))
    if not all(item.done for item in items):
        raise typer.Exit(REFUSED)


def _window(text: str) -> "Window":
    from jobarium_events.migrations.applying.approving import Window  # noqa: PLC0415 - with the rest of the migrations

    try:
        return Window.read(text)
    except ValueError as error:
        raise typer.BadParameter(f"--window: {error}") from None

"""`db backfill`: pausing a migration's backfill, letting it go on, and looking how far it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from jobarium_events.cli.db.showing import figures
from jobarium_events.cli.db.telling import REFUSED, target_of, told
from jobarium_events.cli.output import console, print_json

if TYPE_CHECKING:
    from jobarium_events.migrations import Progress

__all__ = ["backfill"]

_FOLDER = Path("migrations")

backfill = typer.Typer(
    help="""Look at a migration's backfill, pause it, and let it go on; `db apply` is what runs it.

    Example: `jobarium-events db backfill pause 0007`

    Example: `jobarium-events db backfill status 0007 --json`
    """,
)


@backfill.command()
def pause(
    id_: MigrationArgument,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
) -> None:
    """Keep a backfill from beginning another batch, whichever process runs it; that process then ends.

    Example: `jobarium-events db backfill pause 0007 --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        found = target.pause(id_)
    console().print(_line(found))


@backfill.command()
def resume(
    id_: MigrationArgument,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
) -> None:
    """Let a paused backfill go on when its migration is applied again; it does not run it.

    The exit code is 1 if it was never begun.

    Example: `jobarium-events db backfill resume 0007 --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        found = target.resume(id_)
    id_ = target.migrations[id_].id
    _print(id_, found)
    if found is None:
        raise typer.Exit(REFUSED)
    if not found.is_complete and not found.is_running:
        console().print(f"`db apply {id_}` goes on")


@backfill.command()
def status(
    id_: MigrationArgument,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
    json: JsonOption = False,
) -> None:
    """Show how far a backfill has come, how fast it goes, and when it will be complete if it goes on so.

    The exit code is 1 if it is neither complete nor running. Keys are not shown, as they are values of rows.

    Example: `jobarium-events db backfill status 0007 --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        found = target.progress(id_)
    id_ = target.migrations[id_].id
    if json:
        print_json({"migration": id_, "stands": "not begun"} if found is None else _document(found))
    else:
        _print(id_, found)
    if found is None or not (found.is_complete or found.is_running):
        raise typer.Exit(REFUSED)


def _line(found: "Progress") -> str:
    return f"{found.migration}  {found.stands}  {figures(found)}"


def _print(id_: str, found: "Progress | None") -> None:
    console().print(f"{id_}  not begun" if found is None else _line(found))


def _document(found: "Progress") -> dict[str, Any]:
    fields = {name: value for name, value in msgspec.to_builtins(found).items() if name != "last_key"}
    return {**fields, "stands": found.stands, "share": found.share, "rate": found.rate, "eta": found.eta}

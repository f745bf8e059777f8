"""`db install`: the library's own tables, brought to their present form."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobarium_events.cli.databases import DatabaseOption, SchemaOption
from jobarium_events.cli.db.options import (
    EnvironmentOption,
    MigrationsOption,
    OperatorOption,
    WaitOption,
    operator_named,
)
from jobarium_events.cli.db.showing import Progress
from jobarium_events.cli.db.telling import REFUSED, stopping, told
from jobarium_events.cli.output import console, printable
from jobarium_events.errors import DeclarationError
from jobarium_events.extras import extra

if TYPE_CHECKING:
    from jobarium_events.migrations.files.settings import Environment

__all__ = ["install"]

_PARTS = ("outbox", "inbox", "dead-letters")


def install(
    *,
    database: DatabaseOption = "",
    environment: EnvironmentOption = "",
    operator: OperatorOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PART", help="One of outbox, inbox and dead-letters; more by repeating it."),
    ] = None,
    schema: SchemaOption = None,
    outbox_table: Annotated[
        str, typer.Option("--outbox-table", metavar="NAME", help="Name of the outbox's table.")
    ] = "outbox_event",
    event_table: Annotated[
        str, typer.Option("--event-table", metavar="NAME", help="Name of the inbox's table of what was handled.")
    ] = "inbox_event",
    position_table: Annotated[
        str,
        typer.Option("--position-table", metavar="NAME", help="Name of its table of how far each aggregate has come."),
    ] = "inbox_position",
    dead_letters_table: Annotated[
        str, typer.Option("--dead-letters-table", metavar="NAME", help="Name of the table of dead letters.")
    ] = "dead_letter",
    migrations: MigrationsOption = Path("migrations"),
    wait: WaitOption = "0s",  # type: ignore[assignment] # it is parsed
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that makes the tables, and do nothing.")] = False,
) -> None:
    """Make the tables of outbox, inbox and dead letters, or bring those that are there to their present form.

    It can be repeated. Tables of the first form are moved without stopping what writes to them; an index or a table
    that is gone is made again. All are looked at first, and if one is somebody else's nothing is done. Limits for locks
    are those of the environment in migrations.toml, if there is one.

    Example: `jobarium-events db install --only outbox`
    """
    unknown = [each for each in only or () if each not in _PARTS]
    if unknown:
        raise typer.BadParameter(f"it is one of {', '.join(_PARTS)}, not {unknown[0]!r}", param_hint="--only")
    names = (outbox_table, event_table, position_table, dead_letters_table)
    parts = [part for kind, part in _parts(schema, *names) if not only or kind in only]
    if sql:
        typer.echo("\n\n".join(part.tables for part in parts))
        return
    for option, variable, given in (
        ("--database", "DATABASE_URL", database),
        ("--environment", "JOBARIUM_ENVIRONMENT", environment),
    ):
        if not given:
            raise typer.BadParameter(f"say which, or set {variable}", param_hint=option)
    limits = _limits(migrations, environment)
    who = operator_named(operator)
    _install(database, parts, environment=environment, operator=who, limits=limits, wait=wait)


def _parts(schema: str | None, outbox: str, event: str, position: str, letters: str) -> Iterator[tuple[str, Any]]:
    with extra("migrations"):
        import psycopg  # noqa: PLC0415 - the extra may be missing

    from jobarium_events.postgres import Outbox, PostgresDeadLetters, PostgresInbox  # noqa: PLC0415

    # None of them connects to anything.
    yield "outbox", Outbox(schema=schema, table=outbox)
    yield "inbox", PostgresInbox(psycopg.connect, schema=schema, event_table=event, position_table=position)
    yield "dead-letters", PostgresDeadLetters(psycopg.connect, schema=schema, table=letters)


def _limits(folder: Path, environment: str) -> "Environment | None":
    from jobarium_events.migrations.files.settings import SETTINGS, read_settings  # noqa: PLC0415

    known = read_settings(folder).environments
    if known and environment not in known:
        raise DeclarationError(f"{SETTINGS} has no environment {environment!r}; it has {', '.join(known)}")
    return known.get(environment)


def _install(
    database: str, parts: list[Any], *, environment: str, operator: str, limits: "Environment | None", wait: float
) -> None:
    from jobarium_events.migrations.own.installing import install as installed  # noqa: PLC0415 - the extra was there

    who = {"environment": environment, "operator": operator}
    with told(), Progress() as progress, stopping(progress.say, "db install") as stop:
        done = installed(database, *parts, **who, limits=limits, wait=wait, watch=progress.watch, stop=stop)
    to = console()
    for each in done:
        to.print(f"{each.how:<7}{printable(each.table)}")
    if len(done) < len(parts):
        to.print("stopped; run it again to go on")
        raise typer.Exit(REFUSED)

"""`inbox`: looking after what consumers remember of the events that they have handled."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from jobarium_events.cli import stores
from jobarium_events.cli.databases import SchemaOption, age
from jobarium_events.cli.output import console, counted
from jobarium_events.extras import extra

__all__ = ["inbox"]

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="DATABASE_URL",
        help="Where it is: postgresql://..., or sqlite:///path of a file.",
    ),
]
EventTableOption = Annotated[
    str, typer.Option("--event-table", metavar="NAME", help="Name of the table of what was handled.")
]
PositionTableOption = Annotated[
    str,
    typer.Option("--position-table", metavar="NAME", help="Name of the table of how far each aggregate has come."),
]

inbox = typer.Typer(
    help="""Look after what consumers remember of the events that they have handled.

    Example: `jobarium-events inbox prune --older-than 30d`
    """,
)


@inbox.command()
def prune(
    *,
    older_than: Annotated[
        timedelta, typer.Option(parser=age, metavar="AGE", help="How long ago they were handled, such as 30d.")
    ],
    database: DatabaseOption,
    schema: SchemaOption = None,
    event_table: EventTableOption = "inbox_event",
    position_table: PositionTableOption = "inbox_position",
    batch: Annotated[int, typer.Option(min=1, max=2**31, help="How many rows are deleted in one transaction.")] = 1_000,
) -> None:
    """Forget events that were handled long ago, a few at a time. How far each aggregate has come is kept.

    One that is delivered or replayed after that is handled a second time, unless it is stale. So take an age at which
    neither a broker nor an operator delivers an event again.

    Example: `jobarium-events inbox prune --older-than 30d`
    """
    if schema is not None and database.startswith("sqlite:"):
        raise typer.BadParameter("a file has no schemas", param_hint="--schema")

    def in_file(path: Path) -> Any:
        from jobarium_events.sqlite import SqliteInbox  # noqa: PLC0415 - one of the two is needed

        return SqliteInbox(path, event_table=event_table, position_table=position_table)

    def in_postgres(pool: Any) -> Any:
        from jobarium_events.postgres import PostgresInbox  # noqa: PLC0415 - the extra may be missing

        return PostgresInbox(pool, schema=schema, event_table=event_table, position_table=position_table)

    with stores.opened(database, in_file, in_postgres) as found:
        forgotten = found.prune(datetime.now(UTC) - older_than, batch=batch)
    console().print(f"{counted(forgotten, 'event')} forgotten")


@inbox.command()
def tables(
    *,
    schema: SchemaOption = None,
    event_table: EventTableOption = "inbox_event",
    position_table: PositionTableOption = "inbox_position",
    expand: Annotated[bool, typer.Option("--expand", help="For a table of the first form: what is new.")] = False,
) -> None:
    """Print the SQL that makes an inbox in Postgres, for a migration. A SQLite file needs none.

    Example: `jobarium-events inbox tables | psql`
    """
    with extra("postgres"):
        import psycopg  # noqa: PLC0415 - the extra may be missing

    from jobarium_events.postgres import PostgresInbox  # noqa: PLC0415 - the extra may be missing

    names = {"event_table": event_table, "position_table": position_table}
    made = PostgresInbox(psycopg.connect, schema=schema, **names)  # it connects to nothing
    typer.echo(made.expand if expand else made.tables)

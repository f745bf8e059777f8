"""`outbox`: how an outbox stands, and looking after it; `outbox relay` publishes from it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import typer

from jobarium_events.cli.catalogs import JsonOption
from jobarium_events.cli.databases import (
    DatabaseOption,
    SchemaOption,
    TableOption,
    YesOption,
    age,
    confirm_loss,
    database_errors,
    outbox_in,
)
from jobarium_events.cli.output import Column, console, counted, print_json, table
from jobarium_events.cli.relaying import relay

if TYPE_CHECKING:
    from jobarium_events.postgres.outbox import Outbox

__all__ = ["outbox"]

_FOUND = 1
_OF_PAYLOADS = ("aggregate", "idempotency_key")  # they are made of a payload's fields


def _event_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no event id; give one as `outbox status` lists it") from None


EventsArgument = Annotated[
    list[UUID] | None,
    typer.Argument(parser=_event_id, metavar="EVENT_ID...", help="Those that `outbox status` lists."),
]
AllOption = Annotated[bool, typer.Option("--all", help="All that are set aside.")]

outbox = typer.Typer(
    help="""Publish what waits in an outbox, and look after it.

    Example: `jobarium-events outbox relay --to billing.app:transport`

    Example: `jobarium-events outbox status`
    """,
)
outbox.command()(relay)


@outbox.command()
def status(
    *,
    database: DatabaseOption,
    schema: SchemaOption = None,
    table_name: TableOption = "outbox_event",
    payload: Annotated[
        bool, typer.Option("--payload", help="Show aggregates and idempotency keys; they are parts of payloads.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show how many events wait, how long the oldest has waited, how fast they are published, and what is set aside.

    The exit code is 1 if an event is set aside: one that the broker will never take.

    Example: `jobarium-events outbox status --json`
    """
    from jobarium_events.postgres import upkeep  # noqa: PLC0415 - the extra may be missing

    async def asked(connection: Any, source: "Outbox") -> tuple[upkeep.Status, list[upkeep.SetAside]]:
        return await upkeep.status(connection, source), await upkeep.set_aside(connection, source)

    found, aside = _with_database(database, schema, table_name, asked)
    if json:
        events = [_without(() if payload else _OF_PAYLOADS, each) for each in aside]
        print_json({**msgspec.to_builtins(found), "events": events})
    else:
        _print_status(found, aside, payload=payload)
    if aside or found.held:
        raise typer.Exit(_FOUND)


def _without(names: Sequence[str], event: Any) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(event).items() if name not in names}


def _print_status(found: Any, aside: list[Any], *, payload: bool) -> None:
    to = console()
    oldest = "" if found.oldest_seconds is None else f", the oldest for {_lasting(found.oldest_seconds)}"
    to.print(f"waiting      {counted(found.waiting, 'event')}{oldest}")
    rate = found.published_last_minute / 60
    to.print(f"published    {counted(found.published_last_minute, 'event')} in the last minute, {rate:.1f}/s")
    to.print(
        f"set aside    {counted(found.set_aside, 'event')}, and {found.held} held behind", style="red" if aside else ""
    )
    if aside:
        to.print()
        more = _OF_PAYLOADS if payload else ()
        titles = ("Event id", "Event", *(name.capitalize().replace("_", " ") for name in more), "Behind", "Reason")
        rows = [
            [e.event_id, f"{e.event} {e.version}", *(getattr(e, name) for name in more), str(e.behind), e.reason]
            for e in aside
        ]
        table(to, [Column(title) for title in titles], rows)


@outbox.command()
def requeue(
    events: EventsArgument = None,
    *,
    every: AllOption = False,
    database: DatabaseOption,
    schema: SchemaOption = None,
    table_name: TableOption = "outbox_event",
) -> None:
    """Have events that are set aside published after all, and what is held; by ids, what is held behind them.

    The exit code is 1 if one of those named is not set aside.

    Example: `jobarium-events outbox requeue --all`
    """
    from jobarium_events.postgres import upkeep  # noqa: PLC0415 - the extra may be missing

    _check_chosen(events, every=every)
    _release(upkeep.requeue, "requeued", events, events or None, (database, schema, table_name))


@outbox.command()
def drop(
    events: EventsArgument = None,
    *,
    every: AllOption = False,
    database: DatabaseOption,
    schema: SchemaOption = None,
    table_name: TableOption = "outbox_event",
    yes: YesOption = False,
) -> None:
    """Delete events that are set aside, so that what is held behind them is published. They are lost.

    It asks first. The exit code is 1 if one of those named is not set aside.

    Example: `jobarium-events outbox drop 01a20598-6ca8-76bc-8373-fd577ad3316e`
    """
    from jobarium_events.postgres import upkeep  # noqa: PLC0415 - the extra may be missing

    _check_chosen(events, every=every)
    where = (database, schema, table_name)
    # Those that are asked about, and not what is set aside in the meantime.
    ids = events or [UUID(each.event_id) for each in _with_database(*where, upkeep.set_aside)]
    if ids and not yes:
        confirm_loss(len(ids), "event")
    _release(upkeep.drop, "dropped", events, ids, where)


def _check_chosen(events: list[UUID] | None, *, every: bool) -> None:
    """Raise if no events are named, or in more than one way."""
    if events and every:
        raise typer.BadParameter("name the events by their ids, or give --all, and not both")
    if not events and not every:
        raise typer.BadParameter("name the events by their ids, or give --all")


def _release(
    how: Callable[..., Awaitable[list[str]]],
    done: str,
    named: list[UUID] | None,
    ids: list[UUID] | None,
    where: tuple[str, str | None, str],
) -> None:
    released = _with_database(*where, lambda connection, source: how(connection, source, ids))
    to = console()
    to.print(f"{counted(len(released), 'event')} {done}")
    missing = [str(each) for each in named or () if str(each) not in released]
    for each in missing:
        to.print(f"{each} is not set aside", style="red")
    if missing:
        raise typer.Exit(_FOUND)


@outbox.command()
def prune(
    *,
    older_than: Annotated[
        timedelta, typer.Option(parser=age, metavar="AGE", help="How long ago they were published, such as 7d.")
    ],
    database: DatabaseOption,
    schema: SchemaOption = None,
    table_name: TableOption = "outbox_event",
    batch: Annotated[int, typer.Option(min=1, help="How many rows are deleted in one transaction.")] = 1_000,
) -> None:
    """Delete events that were published long ago, a few at a time.

    An outbox knows an idempotency key for as long as it keeps the event.

    Example: `jobarium-events outbox prune --older-than 7d`
    """
    from jobarium_events.postgres import upkeep  # noqa: PLC0415 - the extra may be missing

    def pruned(connection: Any, source: "Outbox") -> Awaitable[int]:
        return upkeep.prune(connection, source, older_than, batch=batch)

    console().print(f"{counted(_with_database(database, schema, table_name, pruned), 'event')} deleted")


@outbox.command()
def tables(
    *,
    schema: SchemaOption = None,
    table_name: TableOption = "outbox_event",
    expand: Annotated[bool, typer.Option("--expand", help="For a table of the first form: what is new.")] = False,
) -> None:
    """Print the SQL that makes an outbox, for a migration.

    Example: `jobarium-events outbox tables | psql`
    """
    source = outbox_in(schema, table_name)
    typer.echo(source.expand if expand else source.tables)


def _with_database(database: str, schema: str | None, name: str, ask: Callable[[Any, "Outbox"], Awaitable[Any]]) -> Any:
    """Return what is asked of an outbox, on a connection of its own."""
    from jobarium_events.postgres.connecting import aconnect  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.postgres.upkeep import check_table  # noqa: PLC0415 - as above

    source = outbox_in(schema, name)

    async def asked() -> Any:
        async with database_errors(), await aconnect(database) as connection:
            await check_table(connection, source)
            return await ask(connection, source)

    return asyncio.run(asked())


def _lasting(seconds: float) -> str:
    """Return a time span in words, as far as anyone wants to know."""
    for name, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.1f} s"

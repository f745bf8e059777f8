"""Looking after an outbox: how it stands, what is set aside, and deleting what was published long ago.

Each raises `NoTable` if the outbox's table is not there, or is one of the first form.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.postgres.outbox import BUCKETS, Outbox

with extra("postgres"):
    import psycopg
    from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Backlog", "SetAside", "Status", "backlog", "drop", "prune", "prune_once", "requeue", "set_aside", "status"]

Connection = psycopg.AsyncConnection[Any]


class Status(msgspec.Struct, frozen=True):
    """How an outbox stands.

    Attributes:
        waiting: How many events are to be published.
        held: How many stand behind one of their aggregate that is set aside.
        set_aside: How many the broker will never take.
        oldest_seconds: How long the oldest waits; None if none does.
        published_last_minute: How many were published within the last minute.
    """

    waiting: int
    held: int
    set_aside: int
    oldest_seconds: float | None
    published_last_minute: int


class Backlog(msgspec.Struct, frozen=True):
    """What is left in an outbox, in short.

    Attributes:
        waiting: How many events are to be published; if that is more than was asked for, one more than that.
        is_blocked: Whether an event is set aside.
    """

    waiting: int
    is_blocked: bool


class SetAside(msgspec.Struct, frozen=True):
    """An event that the broker will never take.

    Attributes:
        event_id: By which it is requeued or dropped.
        event: Its name.
        version: Its version.
        idempotency_key: Its key.
        aggregate: What it is about; its own id if it has no ordering.
        refused_at: When it was set aside.
        reason: Why, in the broker's words.
        behind: How many of its aggregate are held behind it.
    """

    event_id: str
    event: str
    version: str
    idempotency_key: str
    aggregate: str
    refused_at: datetime
    reason: str
    behind: int


async def check_table(connection: Connection, outbox: Outbox) -> None:
    """Raise if an outbox's table cannot be used: one for something else is told from one of the first form here."""
    await _rows(connection, outbox, "columns", {})


async def status(connection: Connection, outbox: Outbox) -> Status:
    """Count what waits, and how long."""
    rows = await _rows(connection, outbox, "status", {"buckets": BUCKETS})
    return Status(*rows[0])


async def backlog(connection: Connection, outbox: Outbox, most: int) -> Backlog:
    """Count what waits, up to a number; it takes some ten milliseconds for each 100,000, however many there are."""
    ((waiting, is_blocked),) = await _rows(connection, outbox, "backlog", {"most": most, "buckets": BUCKETS})
    return Backlog(waiting, is_blocked)


async def set_aside(connection: Connection, outbox: Outbox) -> list[SetAside]:
    """List what the broker will never take, the oldest first."""
    return [SetAside(*row) for row in await _rows(connection, outbox, "set_aside", {})]


async def requeue(connection: Connection, outbox: Outbox, events: Sequence[UUID] | None = None) -> list[str]:
    """Have events that are set aside, by their ids or all of them, published after all, and what stands behind them.

    On a connection with a transaction open on it, that must be one at READ COMMITTED.

    Returns:
        The ids of those that were set aside.
    """
    return await _released(connection, outbox, "requeue", events)


async def drop(connection: Connection, outbox: Outbox, events: Sequence[UUID] | None = None) -> list[str]:
    """Delete events that are set aside, by their ids or all of them; what stands behind them is published.

    On a connection with a transaction open on it, that must be one at READ COMMITTED.

    Returns:
        The ids of those that are gone.
    """
    return await _released(connection, outbox, "drop", events)


async def prune(connection: Connection, outbox: Outbox, older_than: timedelta, *, batch: int = 1_000) -> int:
    """Delete what was published longer ago than this, in transactions of at most `batch` rows each.

    A key is known for as long as its row is kept: an event that is added again after that is published again.

    Args:
        connection: One with no transaction open on it.
        outbox: Where.
        older_than: How long ago.
        batch: How many rows at once.

    Returns:
        How many rows are gone.
    """
    gone = last = await prune_once(connection, outbox, older_than, batch)
    while last >= batch:
        last = await prune_once(connection, outbox, older_than, batch)
        gone += last
    return gone


async def prune_once(connection: Connection, outbox: Outbox, older_than: timedelta, batch: int) -> int:
    """Delete at most `batch` rows that were published longer ago than this, in one transaction; return how many."""
    with outbox.maker.explained():
        async with connection.transaction():
            values = {"older_than": older_than, "batch": batch}
            return (await connection.execute(outbox.statement("prune"), values, prepare=False)).rowcount


async def _released(connection: Connection, outbox: Outbox, how: str, events: Sequence[UUID] | None) -> list[str]:
    ids = None if events is None else list(events)
    is_first = connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
    async with connection.transaction():
        if is_first:  # what was committed while the locks were waited for is to be seen
            await connection.execute("set transaction isolation level read committed")
        locked = await _rows(connection, outbox, "lock_aggregates", {"table": outbox.table, "ids": ids})
        values = {"ids": ids, "buckets": [bucket for bucket, _ in locked]}
        released = await _rows(connection, outbox, how, values)
        with outbox.maker.explained():
            await connection.execute(outbox.statement("release"), values)
        return [event_id for (event_id,) in released]


async def _rows(connection: Connection, outbox: Outbox, name: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with outbox.maker.explained():
        async with psycopg.AsyncCursor(connection, row_factory=tuple_row) as cursor:
            await cursor.execute(outbox.statement(name), values)
            return await cursor.fetchall()

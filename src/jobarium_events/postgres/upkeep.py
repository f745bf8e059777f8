"""Looking after an outbox: how it stands, what is set aside, and deleting what was published long ago."""

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

__all__ = ["SetAside", "Status", "drop", "prune", "requeue", "set_aside", "status"]

Connection = psycopg.AsyncConnection[Any]


class Status(msgspec.Struct, frozen=True):
    """How an outbox stands.

    Attributes:
        waiting: How many events are to be published.
        held: How many are set aside, or stand behind one that is.
        set_aside: How many the broker will never take.
        oldest_seconds: How long the oldest waits; None if none does.
        published_last_minute: How many were published within the last minute.
    """

    waiting: int
    held: int
    set_aside: int
    oldest_seconds: float | None
    published_last_minute: int


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


async def status(connection: Connection, outbox: Outbox) -> Status:
    """Count what waits, and how long."""
    rows = await _rows(connection, outbox, "status", {"buckets": BUCKETS})
    return Status(*rows[0])


async def set_aside(connection: Connection, outbox: Outbox) -> list[SetAside]:
    """List what the broker will never take, the oldest first."""
    return [SetAside(*row) for row in await _rows(connection, outbox, "set_aside", {})]


async def requeue(connection: Connection, outbox: Outbox, events: Sequence[UUID] | None = None) -> list[str]:
    """Have events that are set aside, by their ids or all of them, published after all, and what stands behind them.

    Returns:
        The ids of those that were set aside.
    """
    return await _released(connection, outbox, "requeue", events)


async def drop(connection: Connection, outbox: Outbox, events: Sequence[UUID] | None = None) -> list[str]:
    """Delete events that are set aside, by their ids or all of them; what stands behind them is published.

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
    statement = outbox.statement("prune")
    gone = 0
    while True:
        async with connection.transaction():
            cursor = await connection.execute(statement, {"older_than": older_than, "batch": batch})
        gone += cursor.rowcount
        if cursor.rowcount < batch:
            return gone


async def _released(connection: Connection, outbox: Outbox, how: str, events: Sequence[UUID] | None) -> list[str]:
    ids = None if events is None else list(events)
    async with connection.transaction():
        await _rows(connection, outbox, "lock_aggregates", {"table": outbox.table, "ids": ids})
        return [event_id for (event_id,) in await _rows(connection, outbox, how, {"ids": ids})]


async def _rows(connection: Connection, outbox: Outbox, name: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    async with psycopg.AsyncCursor(connection, row_factory=tuple_row) as cursor:
        await cursor.execute(outbox.statement(name), values)
        return await cursor.fetchall()

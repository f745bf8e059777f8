"""One lane of a relay: one batch after another, on one connection, from the locks to the marks."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.errors import JobariumEventsError
from jobarium_events.extras import extra
from jobarium_events.postgres.outbox import BUCKETS, Outbox
from jobarium_events.postgres.publishing import Publisher, Row, Settled
from jobarium_events.postgres.upkeep import prune

with extra("postgres"):
    import psycopg
    import stamina
    from psycopg import sql
    from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from jobarium_events.postgres.connecting import Connections

__all__ = ["Batch", "Lane", "NoOutbox"]

_log = logging.getLogger("jobarium_events")

_LOST = (psycopg.OperationalError, psycopg.InterfaceError)
_SHARE = 16  # buckets of a batch: the others are left for other relays
_PAUSE = 0.1  # seconds
_PRUNE_EVERY = 60.0  # seconds


class NoOutbox(JobariumEventsError):
    """The database has no such table, or it lacks a column.

    Attributes:
        table: The table's name.
        problem: What Postgres says.
    """

    def __init__(self, table: str, problem: str) -> None:
        self.table = table
        self.problem = problem

    def __str__(self) -> str:
        return f"there is no outbox in {self.table}: {self.problem}; make it with the SQL of `Outbox(...).tables`"


class Batch(msgspec.Struct, frozen=True):
    """What a relay did with some events.

    Attributes:
        published: How many the broker confirmed.
        refused: How many the broker will never take; they were set aside.
        held: How many were found to stand behind one of their aggregate that is set aside.
        failed: How many could not be sent for now; they, and what stands behind them, are sent later.
        seconds: How long it took.
    """

    published: int = 0
    refused: int = 0
    held: int = 0
    failed: int = 0
    seconds: float = 0.0


class Lane:
    """Takes a batch, publishes it and marks it, again and again.

    Args:
        connections: Where its connection comes from.
        outbox: What it publishes from.
        publisher: What it publishes by; lanes of one relay share it.
        batch: How many events it takes at once, at most.
        poll: Seconds after which to look for events if nothing has told of any.
        prune_after: The age at which published events are deleted, or None.
        told: Called after each batch.
        stopping: Set where it is to take no more.

    Attributes:
        is_busy: Whether it has a batch at hand.
    """

    def __init__(
        self,
        connections: Connections,
        outbox: Outbox,
        publisher: Publisher,
        *,
        batch: int,
        poll: float,
        prune_after: timedelta | None,
        told: Callable[[Batch], object] | None,
        stopping: asyncio.Event,
    ) -> None:
        self.is_busy = False
        self._connections, self._outbox, self._publisher = connections, outbox, publisher
        self._batch, self._poll, self._told, self._stopping = batch, poll, told, stopping
        self._prune_after, self._pruned = prune_after, monotonic() - _PRUNE_EVERY
        names = ("channel", "lock_buckets", "take", "publish", "refuse", "hold")
        self._sql = {name: outbox.statement(name) for name in names}
        self._turn = random.randrange(BUCKETS)  # noqa: S311 - so that not all begin at the same bucket

    async def run(self) -> None:
        """Publish until stopped; whenever the database is out of reach, try it again.

        Raises:
            NoOutbox: If the database has no such table.
        """
        while not self._stopping.is_set():
            async for attempt in stamina.retry_context(on=_LOST, attempts=None, timeout=None):
                with attempt:
                    await self._session()

    async def drain(self) -> list[Batch]:
        """Publish until nothing is left that can be published now.

        Raises:
            NoOutbox: If the database has no such table.
            psycopg.OperationalError: If the database is out of reach.
        """
        batches = []
        async with self._listening() as connection:
            while not self._stopping.is_set() and (batch := await self._one_batch(connection)) is not None:
                batches.append(batch)
        return batches

    async def _session(self) -> None:
        """Connect, and publish until stopped or cut off. What fails before that raises, so that it is backed off."""
        async with self._listening() as connection:
            try:
                await self._serve(connection)
            except _LOST as error:
                _log.warning("the relay lost its database and connects again: %s", error)
                await asyncio.sleep(_PAUSE)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection that is told of new events, and that commits what is not in a transaction."""
        async with self._connections.aone() as connection:
            before = connection.autocommit
            await connection.set_autocommit(True)
            try:
                await self._listen(connection)
                yield connection
            except (
                psycopg.errors.UndefinedTable,
                psycopg.errors.UndefinedColumn,
                psycopg.errors.InvalidSchemaName,
            ) as error:
                raise NoOutbox(self._outbox.table, error.diag.message_primary or str(error)) from None
            finally:
                if not connection.closed:  # a pool's goes back as it was
                    with suppress(*_LOST):
                        await connection.execute("unlisten *")
                        await connection.set_autocommit(before)

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        ((channel,),) = await self._rows(connection, "channel", {"table": self._outbox.table})
        await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))

    async def _serve(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while not self._stopping.is_set():
            if await self._one_batch(connection) is None:
                await self._prune(connection)
                await self._wait(connection)

    async def _wait(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Wait until something is told, or it is time to look."""
        seconds = self._publisher.seconds_to_rest(self._poll)
        async for _ in connection.notifies(timeout=seconds, stop_after=1):
            pass  # that there is something is all that it says

    async def _prune(self, connection: psycopg.AsyncConnection[Any]) -> None:
        if self._prune_after is not None and monotonic() - self._pruned >= _PRUNE_EVERY:
            await prune(connection, self._outbox, self._prune_after)
            self._pruned = monotonic()

    async def _one_batch(self, connection: psycopg.AsyncConnection[Any]) -> Batch | None:
        """Publish some of what waits, and mark it; None if nothing waits that can be had and sent now."""
        began = monotonic()
        if self._publisher.is_exhausted:
            return None
        try:
            # Neither the locks nor reading give the transaction an id: while it waits for the broker, it is not in the
            # way of vacuum.
            async with connection.transaction():
                resting = self._publisher.resting
                buckets = await self._locked(connection, resting)
                if not buckets:
                    return None
                self.is_busy = True
                each = max(1, self._batch // len(buckets))
                rows = await self._rows(connection, "take", {"buckets": buckets, "resting": resting, "each": each})
                settled = await self._publisher.publish(Row(*row) for row in rows)
                await self._mark(connection, settled)
        finally:
            self.is_busy = False
        _log_failures(settled.failed)
        counts = (len(settled.published), len(settled.refused), len(settled.held), len(settled.failed))
        batch = Batch(*counts, monotonic() - began)
        if self._told is not None:
            self._told(batch)
        return batch

    async def _locked(self, connection: psycopg.AsyncConnection[Any], resting: list[str]) -> list[int]:
        """Return the buckets of a batch; nobody else has them until the transaction ends."""
        values = {
            "table": self._outbox.table,
            "buckets": [(self._turn + number) % BUCKETS for number in range(BUCKETS)],
            "resting": resting,
            "most": min(_SHARE, self._batch),
        }
        buckets = [bucket for (bucket,) in await self._rows(connection, "lock_buckets", values)]
        if buckets:
            self._turn = (buckets[-1] + 1) % BUCKETS
        return buckets

    async def _mark(self, connection: psycopg.AsyncConnection[Any], settled: Settled) -> None:
        if settled.published:
            await connection.execute(self._sql["publish"], {"positions": settled.published})
        for position, reason in settled.refused:
            refusal = reason.replace("\0", "")  # which Postgres has no text with
            await connection.execute(self._sql["refuse"], {"position": position, "refusal": refusal})
        if settled.held:
            await connection.execute(self._sql["hold"], {"positions": settled.held})

    async def _rows(
        self, connection: psycopg.AsyncConnection[Any], name: str, values: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        async with psycopg.AsyncCursor(connection, row_factory=tuple_row) as cursor:
            await cursor.execute(self._sql[name], values)
            return await cursor.fetchall()


def _log_failures(failed: list[tuple[int, Exception]]) -> None:
    """Log what went wrong in a batch, in one line, with one of the errors: they tend to be alike."""
    if failed:
        position, error = failed[0]
        told = f"{type(error).__name__}: {error}".removesuffix(": ")
        _log.warning(
            "%d events are not published and tried again, such as position %d: %s", len(failed), position, told
        )

"""One lane of a relay: one batch after another, on one connection, from the locks to the marks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.postgres.outbox import BUCKETS, Outbox
from jobarium_events.postgres.publishing import Publisher, Row, Settled
from jobarium_events.postgres.upkeep import prune_once

with extra("postgres"):
    import psycopg
    import psycopg_pool
    import stamina
    from psycopg import errors, sql
    from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from jobarium_events.postgres.connecting import Connections
    from jobarium_events.postgres.reporting import Outage

__all__ = ["Batch", "Lane"]

_LOST = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.IdleInTransactionSessionTimeout,
    errors.ReadOnlySqlTransaction,  # as a database is that another has taken over from
)
_SHARE = 16  # buckets of a batch: the others are left for other relays
_MOST_BYTES = 16 * 1024 * 1024  # of a batch's bodies
_MARGIN = 30.0  # seconds that Postgres waits for a relay longer than that has for a batch
_PAUSE = 0.1  # seconds
_PRUNE_EVERY = 60.0  # seconds
_PRUNED_AT_ONCE = 1_000  # rows; between two batches, so that none waits long


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
        outage: What is told where the database cannot be used; shared as well.
        connecting: Held while one of the relay's lanes connects, so that they do not all fail at once.
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
        outage: Outage,
        connecting: asyncio.Lock,
        *,
        batch: int,
        poll: float,
        prune_after: timedelta | None,
        told: Callable[[Batch], object] | None,
        stopping: asyncio.Event,
    ) -> None:
        self.is_busy = False
        self._connections, self._outbox, self._publisher = connections, outbox, publisher
        self._outage, self._connecting = outage, connecting
        self._batch, self._poll, self._told, self._stopping = batch, poll, told, stopping
        self._prune_after, self._pruned = prune_after, monotonic() - _PRUNE_EVERY
        self._has_served = False
        names = ("channel", "columns", "settings", "lock_buckets", "take", "publish", "refuse", "hold")
        self._sql = {name: outbox.statement(name) for name in names}
        self._turn = random.randrange(BUCKETS)  # noqa: S311 - so that not all begin at the same bucket

    async def run(self) -> None:
        """Publish until stopped; whenever the database is out of reach, try it again.

        Raises:
            NoTable: If the database has no such table, or one of the first form.
            psycopg_pool.PoolClosed: If the connections are those of a pool that is not open.
        """
        while not self._stopping.is_set():
            async for attempt in stamina.retry_context(on=_is_lost, attempts=None, timeout=None):
                with attempt:
                    await self._session()

    async def drain(self, batches: list[Batch]) -> None:
        """Publish until nothing is left that can be published now.

        Args:
            batches: Where what was done is added.

        Raises:
            NoTable: If the database has no such table, or one of the first form.
            psycopg.Error: If the database is out of reach, or read-only.
        """
        async with self._listening() as connection:
            while not self._stopping.is_set() and (batch := await self._one_batch(connection)) is not None:
                batches.append(batch)
            while not self._stopping.is_set() and await self._prune(connection):
                pass

    async def _session(self) -> None:
        """Connect, and publish until stopped or cut off. What fails before a batch raises, so that it is backed off."""
        self._has_served = False
        try:
            async with self._listening() as connection:
                await self._serve(connection)
        except _LOST as error:
            if not _is_lost(error):
                raise
            self._outage.goes_on(error)
            if not self._has_served:
                raise
            await asyncio.sleep(_PAUSE)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection that is told of new events, and whose statements see what is committed when they begin."""
        async with AsyncExitStack() as stack:
            stack.enter_context(self._outbox.maker.explained())
            async with self._connecting, AsyncExitStack() as opening:  # left here where it fails, before another begins
                connection = await opening.enter_async_context(self._connections.aone())
                opening.push_async_callback(
                    _left_as_it_was, connection, autocommit=connection.autocommit, level=connection.isolation_level
                )
                await connection.set_autocommit(True)
                await connection.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED)
                await self._listen(connection)
                stack.push_async_exit(opening.pop_all())
            yield connection

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        ((channel,),) = await self._rows(connection, "channel", {"table": self._outbox.table})
        await connection.execute(self._sql["columns"], prepare=False)
        await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))

    async def _serve(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while not self._stopping.is_set():
            batch = await self._one_batch(connection)
            self._has_served = True
            self._outage.is_over()
            is_busy = await self._prune(connection) or batch is not None
            await self._wait(connection, 0 if is_busy else self._publisher.seconds_to_rest(self._poll))

    async def _wait(self, connection: psycopg.AsyncConnection[Any], seconds: float) -> None:
        """Wait until something is told, or it is time to look; what was told before the last look is taken as well."""
        async for _ in connection.notifies(timeout=seconds, stop_after=1):
            pass  # that there is something is all that it says

    async def _prune(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        """Delete some of what was published long ago, if it is time; return whether there may be more."""
        if self._prune_after is None or monotonic() - self._pruned < _PRUNE_EVERY:
            return False
        if await prune_once(connection, self._outbox, self._prune_after, _PRUNED_AT_ONCE) == _PRUNED_AT_ONCE:
            return True
        self._pruned = monotonic()
        return False

    async def _one_batch(self, connection: psycopg.AsyncConnection[Any]) -> Batch | None:
        """Publish some of what waits, and mark it; None if nothing waits that can be had and sent now."""
        began = monotonic()
        if self._publisher.is_exhausted:
            return None
        try:
            # Neither the locks nor reading give the transaction an id: while it waits for the broker, it is not in the
            # way of vacuum.
            async with connection.transaction():
                await self._set(connection)
                resting = self._publisher.resting
                buckets = await self._locked(connection, resting)
                if not buckets:
                    return None
                self.is_busy = True
                each = max(1, self._batch // len(buckets))
                values = {"buckets": buckets, "resting": resting, "each": each, "bytes": _MOST_BYTES}
                rows = await self._rows(connection, "take", values)
                settled = await self._publisher.publish(Row(*row) for row in rows)
                await self._mark(connection, settled)
        finally:
            self.is_busy = False
        counts = (len(settled.published), len(settled.refused), len(settled.held), len(settled.failed))
        batch = Batch(*counts, monotonic() - began)
        if self._told is not None:
            self._told(batch)
        return batch

    async def _set(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Set for a transaction what it needs.

        Raises:
            ReadOnlySqlTransaction: If nothing could be marked in it.
        """
        milliseconds = 1_000 * (self._publisher.longest + _MARGIN)
        ((is_read_only, *_),) = await self._rows(connection, "settings", {"milliseconds": f"{milliseconds:.0f}"})
        if is_read_only:
            raise errors.ReadOnlySqlTransaction("it is read-only")

    async def _locked(self, connection: psycopg.AsyncConnection[Any], resting: list[str]) -> list[int]:
        """Return the buckets of a batch; nobody else has them until the transaction ends."""
        values = {
            "table": self._outbox.table,
            "buckets": BUCKETS,
            "turn": self._turn,
            "resting": resting,
            "most": min(_SHARE, self._batch),
        }
        buckets = [bucket for (bucket,) in await self._rows(connection, "lock_buckets", values)]
        if buckets:
            self._turn = (buckets[-1] + 1) % BUCKETS
        return buckets

    async def _mark(self, connection: psycopg.AsyncConnection[Any], settled: Settled) -> None:
        if settled.published:
            await self._execute(connection, "publish", {"positions": settled.published})
        for row, reason in settled.refused:
            refusal = reason.replace("\0", "")  # which Postgres has no text with
            await self._execute(connection, "refuse", {"position": row.position, "refusal": refusal})
        if settled.held:
            await self._execute(connection, "hold", {"positions": settled.held})

    async def _execute(self, connection: psycopg.AsyncConnection[Any], name: str, values: dict[str, Any]) -> None:
        # A prepared statement would keep a plan for a table that was empty, and be unknown behind some poolers.
        await connection.execute(self._sql[name], values, prepare=False)

    async def _rows(
        self, connection: psycopg.AsyncConnection[Any], name: str, values: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        async with psycopg.AsyncCursor(connection, row_factory=tuple_row) as cursor:
            await cursor.execute(self._sql[name], values, prepare=False, binary=True)
            return await cursor.fetchall()


def _is_lost(error: Exception) -> bool:
    """Whether a database may be back by and by; a pool that is not open is not opened by waiting for it."""
    return isinstance(error, _LOST) and not isinstance(error, psycopg_pool.PoolClosed)


async def _left_as_it_was(
    connection: psycopg.AsyncConnection[Any], *, autocommit: bool, level: psycopg.IsolationLevel | None
) -> None:
    """Leave a connection as it was lent: it may be a pool's."""
    if not connection.closed:
        with suppress(*_LOST):
            await connection.execute("unlisten *")
            await connection.set_isolation_level(level)
            await connection.set_autocommit(autocommit)

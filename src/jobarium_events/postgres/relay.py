"""The relay: publishes what waits in an outbox, in order within each aggregate, in as many lanes as it is to have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

from jobarium_events.errors import DeclarationError
from jobarium_events.postgres.connecting import Connections, Source, aconnect, check_url
from jobarium_events.postgres.lanes import Batch, Lane
from jobarium_events.postgres.outbox import Outbox
from jobarium_events.postgres.publishing import Publisher
from jobarium_events.postgres.reporting import Outage
from jobarium_events.transports import check_transport

if TYPE_CHECKING:
    import psycopg

    from jobarium_events.transports import Transport

__all__ = ["Relay"]

_LONGEST_STOP = 10.0  # seconds, the grace of a batch included; the database may be away as well


class Relay:
    """Publishes what waits in an outbox, at least once and in order within each aggregate.

    Any number of relays can work on one outbox. Each takes a share of its buckets for a batch, by locks that Postgres
    gives back when a relay ends in whatever way. What a relay had published and not yet marked when it was killed is
    published again.

    A message that cannot be sent for now rests, and so does its aggregate; the rests grow up to half a minute. One that
    the broker will never take (`Refused`) is set aside with the reason; what stands behind it in its aggregate is held
    until it is requeued or dropped. Other aggregates are not affected by either.

    Args:
        connections: The database: its URL, a `psycopg_pool.AsyncConnectionPool`, or an async function that opens a
            connection.
        transport: What publishes.
        outbox: By default the one in the table `outbox_event`.
        batch: How many events are taken at once, at most.
        lanes: How many batches are worked on at the same time, each on a connection of its own. With two, one is
            published while the database is at the other.
        poll: Seconds after which to look for events if nothing has told of any.
        timeout: Seconds that the broker has to confirm a message.
        prune_after: The age at which published events are deleted; by default they are kept.
        told: Called after each batch.

    Raises:
        DeclarationError: If one of these is not what it must be.
    """

    def __init__(
        self,
        connections: str | Source,
        transport: Transport,
        *,
        outbox: Outbox | None = None,
        batch: int = 500,
        lanes: int = 2,
        poll: float = 1.0,
        timeout: float = 30.0,
        prune_after: timedelta | None = None,
        told: Callable[[Batch], object] | None = None,
    ) -> None:
        check_transport(transport, "a relay")
        if batch < 1 or lanes < 1:
            raise DeclarationError("a relay takes at least one event at once, in at least one lane")
        self._stopping = asyncio.Event()
        source = Connections(self, _opening(connections) if isinstance(connections, str) else connections)
        if source.most is not None and source.most < lanes:
            raise DeclarationError(
                f"a relay with {lanes} lanes keeps as many connections, and its pool has {source.most}: give it a "
                "larger one, or fewer lanes"
            )
        self._publisher = Publisher(transport, timeout, self._stopping)
        outage, connecting = Outage(), asyncio.Lock()
        self._lanes = [
            Lane(
                source,
                outbox or Outbox(),
                self._publisher,
                outage,
                connecting,
                batch=batch,
                poll=poll,
                prune_after=prune_after if number == 0 else None,
                told=told,
                stopping=self._stopping,
            )
            for number in range(lanes)
        ]

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Have `run` or `drain` return once what is on its way is confirmed and marked; for a signal handler.

        No other is begun. What the broker does not confirm within a few seconds is left in the outbox.
        """
        self._stopping.set()

    async def run(self) -> None:
        """Publish until `stop` is called. Whenever the database is out of reach or read-only, it is tried again.

        So is one that refuses the password or is not known: Postgres's client tells that by a text alone, and it may be
        about to be mended. The log says why.

        Raises:
            NoTable: If the database has no such table, or one of the first form.
            psycopg_pool.PoolClosed: If the connections are those of a pool that is not open.
        """
        await _side_by_side(self._stopped_when_idle(lane, lane.run()) for lane in self._lanes)

    async def drain(self) -> Batch:
        """Publish until nothing is left that can be published now, and return the sum of what was done.

        Of what failed, the sum has only what could not be sent until the end. At last, what is to be pruned is pruned.

        Raises:
            NoTable: If the database has no such table, or one of the first form.
            psycopg.Error: If the database is out of reach, or read-only.
        """
        began = monotonic()
        done: list[Batch] = []
        await _side_by_side(self._stopped_when_idle(lane, lane.drain(done)) for lane in self._lanes)
        return Batch(
            published=sum(batch.published for batch in done),
            refused=sum(batch.refused for batch in done),
            held=sum(batch.held for batch in done),
            failed=self._publisher.failing,
            seconds=monotonic() - began,
        )

    async def _stopped_when_idle(self, lane: Lane, what: Coroutine[Any, Any, None]) -> None:
        """Have a lane work. To stop, it is let finish its batch, or is cut short where it has none."""
        work = asyncio.create_task(what)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
            if lane.is_busy:
                await asyncio.wait((work,), timeout=_LONGEST_STOP)
        finally:
            work.cancel()
            stopping.cancel()
            await asyncio.wait((work, stopping))
        if not work.cancelled():
            work.result()


async def _side_by_side(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run some coroutines; the first error ends them all and is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _opening(url: str) -> Callable[[], Any]:
    check_url(url)

    async def opened() -> psycopg.AsyncConnection[Any]:
        return await aconnect(url, "jobarium-events relay")

    return opened

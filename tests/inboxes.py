"""Every inbox behind one face: what a test delivers to it, and what its handlers have done for good."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from jobarium_events import Catalog, Consumer, Event, Message, Outcome, Producer
from jobarium_events.payloads import InviteExpiredV1, JobUpdatedV1
from jobarium_events.postgres.inbox import PostgresInbox
from jobarium_events.sqlite import SqliteInbox
from jobarium_events.testing import InMemoryInbox

KINDS = ["memory", "memory, async", "sqlite", "sqlite, async", "postgres", "postgres, async"]

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
CATALOG = Catalog.bundled()
_jobs = Producer(CATALOG, name="job-service")
_invites = Producer(CATALOG, name="automation-service")


class Trouble(Exception):
    """What a handler raises that was told to."""


def job(position: int, aggregate: str = "j-1", **fields: Any) -> Message:
    """Return an event that has an ordering."""
    payload = JobUpdatedV1(job_id=aggregate, job_version=position, status="active", updated_at=NOW)
    return _jobs.prepare(payload, **fields)


def invite(number: int, **fields: Any) -> Message:
    """Return an event that has none."""
    payload = InviteExpiredV1(invite_id=f"i-{number}", job_id="j-1", candidate_id="c-1", expired_at=NOW)
    return _invites.prepare(payload, **fields)


class Face:
    """One inbox, and consumers that share it, each with the same handler.

    Attributes:
        inbox: The inbox.
        consumer: Name of the consumer that deliveries go to, unless they say otherwise.
        before: Called by the handler before it has done anything; an async handler awaits what it gives.
        after: Called by the handler once it is done.
    """

    def __init__(self, inbox: Any, effects: Any, *, is_async: bool, runner: asyncio.Runner | None = None) -> None:
        self.inbox = inbox
        self.is_async = is_async
        self.consumer = ""
        self._effects = effects
        self._runner = runner
        self.fresh()

    def fresh(self) -> None:
        """Go on under the name of another consumer, which has handled nothing yet."""
        self.consumer = f"taker-{uuid.uuid4().hex}"
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None

    def made(self, name: str | None = None) -> Consumer:
        """Return a consumer."""
        name = name or self.consumer
        consumer = Consumer(CATALOG, name=name, inbox=self.inbox)

        def take(event: Event[Any]) -> None:
            self.before()
            self._effects.add(self.inbox.connection, name, str(event.event_id))
            self.after()

        async def atake(event: Event[Any]) -> None:
            held = self.before()
            if isinstance(held, Awaitable):
                await held
            await self._effects.aadd(self.inbox.connection, name, str(event.event_id))
            await asyncio.sleep(0)
            self.after()

        for contract in (JobUpdatedV1, InviteExpiredV1):
            consumer.on(contract)(atake if self.is_async else take)
        return consumer

    def deliver(self, message: Message, *, replay: bool = False, consumer: str | None = None) -> Outcome:
        """Deliver an event once."""
        attributes = {**message.attributes, **({"replay": "true"} if replay else {})}
        taker = self.made(consumer)
        if self._runner is None:
            return taker.consume(message.body, attributes)
        return self.run(taker.aconsume(message.body, attributes))

    def run(self, work: Any) -> Any:
        """Run a coroutine in the loop that the inbox's connections belong to."""
        assert self._runner is not None
        return self._runner.run(work)

    def effects(self, consumer: str | None = None) -> list[str]:
        """Return the ids of the events that took effect, in order; one that did so twice is there twice."""
        return self._effects.of(consumer or self.consumer)


class _Listed:
    """Effects in a list; as nothing can undo them, the handler has to raise before."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def add(self, _: Any, consumer: str, event_id: str) -> None:
        self.rows.append((consumer, event_id))

    async def aadd(self, connection: Any, consumer: str, event_id: str) -> None:
        self.add(connection, consumer, event_id)

    def of(self, consumer: str) -> list[str]:
        return [event_id for name, event_id in self.rows if name == consumer]


class _InSqlite:
    def __init__(self, path: str) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("create table effect (consumer text, event_id text)")
            connection.commit()

    def add(self, connection: Any, consumer: str, event_id: str) -> None:
        connection.execute("insert into effect values (?, ?)", (consumer, event_id))

    async def aadd(self, connection: Any, consumer: str, event_id: str) -> None:
        self.add(connection, consumer, event_id)

    def of(self, consumer: str) -> list[str]:
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute("select event_id from effect where consumer = ? order by rowid", (consumer,))
            return [row[0] for row in found.fetchall()]


class _InPostgres:
    INSERT = "insert into effect (consumer, event_id) values (%s, %s)"

    def __init__(self, options: str, url: str) -> None:
        self.connection = psycopg.connect(url, options=options, autocommit=True)
        self.connection.execute("create table effect (number bigserial, consumer text, event_id text)")

    def add(self, connection: Any, consumer: str, event_id: str) -> None:
        connection.execute(self.INSERT, (consumer, event_id))

    async def aadd(self, connection: Any, consumer: str, event_id: str) -> None:
        await connection.execute(self.INSERT, (consumer, event_id))

    def of(self, consumer: str) -> list[str]:
        query = "select event_id from effect where consumer = %s order by number"
        return [row[0] for row in self.connection.execute(query, (consumer,)).fetchall()]


@contextmanager
def face(kind: str, *, path: str, database: Any) -> Iterator[Face]:
    """Open an inbox of a kind: of a file at `path`, or of `database`."""
    name, _, how = kind.partition(", ")
    is_async = how == "async"
    with asyncio.Runner() as runner:
        chosen = runner if is_async else None
        if name == "memory":
            yield Face(InMemoryInbox(), _Listed(), is_async=is_async, runner=chosen)
        elif name == "sqlite":
            inbox = SqliteInbox(path)
            yield Face(inbox, _InSqlite(path), is_async=is_async, runner=chosen)
            inbox.close()
        else:
            options = f"-c search_path={database.schema}"
            effects = _InPostgres(options, database.url)
            with closing(effects.connection) as connection:
                if is_async:
                    pool = AsyncConnectionPool(database.url, kwargs={"options": options}, min_size=1, open=False)
                    runner.run(pool.open())
                    inbox = PostgresInbox(pool)
                    connection.execute(inbox.tables)
                    try:
                        yield Face(inbox, effects, is_async=True, runner=runner)
                    finally:
                        runner.run(pool.close())
                else:
                    with ConnectionPool(database.url, kwargs={"options": options}, min_size=1, open=True) as threads:
                        inbox = PostgresInbox(threads)
                        connection.execute(inbox.tables)
                        yield Face(inbox, effects, is_async=False)

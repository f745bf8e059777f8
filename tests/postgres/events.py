"""Events for the tests of the outbox, and transports that keep what they are given."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from jobarium_events import Catalog, Message, Producer
from jobarium_events.postgres import Outbox
from jobarium_events.transports import Refused

JOBS = Producer(Catalog.bundled(), name="job-service")
PACKETS = Producer(Catalog.bundled(), name="packet-builder-service")
WHEN = "2026-10-05T09:30:00Z"


def job(aggregate: object, version: int) -> Message:
    """An event with an ordering."""
    return JOBS.prepare(
        "job.updated", {"job_id": f"j-{aggregate}", "job_version": version, "status": "active", "updated_at": WHEN}
    )


def packet(number: int) -> Message:
    """An event without an ordering."""
    ids = {f"{each}_id": f"{each}-{number}" for each in ("packet", "job", "candidate", "session")}
    return PACKETS.prepare("packet.ready", {**ids, "ready_at": WHEN})


def outbox_in(database: Any, **options: Any) -> Outbox:
    """An outbox in a test's own schema, with its table made."""
    made = Outbox(schema=database.schema, **options)
    with psycopg.connect(database.url) as connection:
        connection.execute(made.tables)
    return made


def add(database: Any, outbox: Outbox, *messages: Message) -> None:
    with psycopg.connect(database.url) as connection:
        outbox.add(connection, *messages)


def rows(database: Any, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url) as connection:
        connection.execute(psycopg.sql.SQL("set search_path = {}").format(psycopg.sql.Identifier(database.schema)))
        return connection.execute(query).fetchall()


def keys(messages: Iterable[Message]) -> list[str]:
    return [message.attributes["idempotency_key"] for message in messages]


def in_order(messages: Iterable[Message]) -> bool:
    """Whether the first deliveries of each aggregate's events came in order; later ones are duplicates."""
    seen: dict[str | None, list[int]] = defaultdict(list)
    for message in messages:
        version = int(message.attributes["idempotency_key"].rpartition(":")[2])
        if version not in seen[message.ordering_key]:
            seen[message.ordering_key].append(version)
    return all(versions == sorted(versions) for versions in seen.values())


class Kept:
    """A transport that keeps what it is given, as a broker with a will of its own.

    Args:
        refuses: Whether it will never take a message.
        fails: Whether it cannot take a message now.
        seconds: How long it takes to confirm.
    """

    def __init__(
        self,
        refuses: Callable[[Message], bool] = lambda _: False,
        fails: Callable[[Message], bool] = lambda _: False,
        seconds: float = 0,
    ) -> None:
        self.refuses, self.fails, self.seconds = refuses, fails, seconds
        self.sent: list[Message] = []
        self.running: dict[str | None, int] = defaultdict(int)
        self.most_at_once = 0

    async def asend(self, message: Message) -> None:
        if message.ordering_key is not None:
            assert self.running[message.ordering_key] == 0, "two of one aggregate at once"
        self.running[message.ordering_key] += 1
        self.most_at_once = max(self.most_at_once, sum(self.running.values()))
        try:
            await asyncio.sleep(self.seconds)
            if self.refuses(message):
                raise Refused("no such topic")
            if self.fails(message):
                raise ConnectionError("the broker is away")
            self.sent.append(message)
        finally:
            self.running[message.ordering_key] -= 1

"""What the outbox and the relay cost, on a real Postgres and a real NATS; without them, nothing is measured.

Both sides of each comparison take turns on the same servers. A relay is compared with publishing the same bytes from
memory to the same stream, as many at once, each confirmed.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.results import Row
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import compared
from jobarium_events import Catalog, Message, Producer

if TYPE_CHECKING:
    import psycopg

    from benchmarks.timing import Effort
    from jobarium_events.postgres import Outbox
    from jobarium_events.transports import Transport

__all__ = ["delivery"]

ADDED = 1_000
PUBLISHED = 5_000
FROM_BACKLOG = 2_000
AGGREGATES = 500
AT_ONCE = 500
SMALL_BACKLOG = 10_000

_PLAIN = (
    "insert into {} (id, event_name, event_version, idempotency_key, aggregate, ordering_key, bucket, body, attributes)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_FILL = (
    "insert into {} (id, event_name, event_version, idempotency_key, aggregate, bucket, body, attributes, published_at)"
    " select gen_random_uuid(), 'job.updated', 'v1', md5(n::text), 'a' || n %% 500, (n %% 500) %% 128, %(body)s,"
    """ '{{"event_id": ""}}', case when n <= %(published)s then now() - interval '1 day' end"""
    " from generate_series(1, %(rows)s) as n"
)
_AGAIN = "update {} set published_at = null where published_at > now() - interval '1 hour'"


def delivery(effort: Effort) -> list[Row]:
    """Measure adding to the outbox, relaying from it, and relaying from a long backlog."""
    from tests import servers  # noqa: PLC0415 - where the servers come from is one place's to know

    rows = []
    try:
        url = servers.postgres_url()
    except (servers.Missing, ImportError) as missing:
        _skipped("the outbox", missing)
        return []
    with _schema(url) as (connection, schema):
        rows.append(_adding(connection, schema, effort))
        try:
            rows += asyncio.run(_relaying(url, connection, schema, servers.nats_url(), effort))
        except (servers.Missing, ImportError) as missing:
            _skipped("the relay", missing)
    return rows


def _skipped(what: str, why: Exception) -> None:
    print(f"not measured, {what}: {why}", file=sys.stderr)


@contextmanager
def _schema(url: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    import psycopg  # noqa: PLC0415 - one of the extras

    name = f"jobarium_bench_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create schema {name}")
        try:
            yield connection, name
        finally:
            connection.execute("set client_min_messages = warning")
            connection.execute(f"drop schema {name} cascade")


_producer = Producer(Catalog.bundled(), name="job-service")
_versions = itertools.count(1)


def _messages(number: int) -> list[Message]:
    return [
        _producer.prepare(
            "job.updated",
            {
                "job_id": f"j-{place % AGGREGATES}",
                "job_version": next(_versions),
                "status": "active",
                "updated_at": "2026-10-05T09:30:00Z",
            },
        )
        for place in range(number)
    ]


def _table(connection: psycopg.Connection[Any], schema: str, name: str) -> Outbox:
    from jobarium_events.postgres import Outbox  # noqa: PLC0415 - one of the extras

    outbox = Outbox(schema=schema, table=name)
    connection.execute(outbox.tables.encode())
    return outbox


def _adding(connection: psycopg.Connection[Any], schema: str, effort: Effort) -> Row:
    outbox = _table(connection, schema, "added")
    plain = _PLAIN.format(outbox.table)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(_rounds(effort)):
        messages, others = _messages(ADDED), _messages(ADDED)
        rows = [_row(each) for each in others]
        for place in _turns(number):
            start = perf_counter()
            with connection.transaction():
                if place == 0:
                    added = outbox.add(connection, *messages)
                else:
                    connection.cursor().executemany(plain, rows)
            times[place].append(perf_counter() - start)
        if len(added.added) != ADDED:
            raise UnfitScenario("not all was added")
        connection.execute(f"truncate {outbox.table}")
    return Row(f"Outbox.add of {ADDED:,} events", "psycopg's executemany of the same rows", compared(*times), 1 / 0.7)


def _row(message: Message) -> tuple[object, ...]:
    import orjson  # noqa: PLC0415 - what a service would write by hand

    of = message.attributes
    key = message.ordering_key
    names = (of["event_id"], of["event_name"], of["event_version"], of["idempotency_key"], key)
    return (*names, orjson.dumps(key).decode(), hash(key) % 128, message.body, orjson.dumps(of).decode())


class _Stream:
    """A transport that keeps many messages in flight: the fastest way there is to publish with confirmation.

    Args:
        streams: The client's JetStream.
        name: Of the stream, and of its subject.
    """

    def __init__(self, streams: Any, name: str) -> None:
        self._streams = streams
        self._name = name

    async def asend(self, message: Message) -> None:
        headers = dict(message.attributes)
        await (await self._streams.publish_async(self._name, message.body, headers=headers))


async def _relaying(
    url: str, connection: psycopg.Connection[Any], schema: str, nats_url: str, effort: Effort
) -> list[Row]:
    import nats  # noqa: PLC0415 - one of the extras

    client = await nats.connect(nats_url)
    streams = client.jetstream(publish_async_max_pending=4 * AT_ONCE)
    await streams.add_stream(name=schema, subjects=[schema])
    transport = _Stream(streams, schema)
    try:
        row = await _against_memory(url, connection, schema, transport, effort)
        if (sent := (await streams.stream_info(schema)).state.messages) != 2 * PUBLISHED * _rounds(effort):
            raise UnfitScenario(f"{sent} were published")
        return [row, await _backlogs(url, connection, schema, transport, effort)]
    finally:
        await streams.delete_stream(schema)
        await client.close()


async def _against_memory(
    url: str, connection: psycopg.Connection[Any], schema: str, transport: Transport, effort: Effort
) -> Row:
    from jobarium_events.postgres import Relay  # noqa: PLC0415 - one of the extras

    outbox = _table(connection, schema, "relayed")
    relay = Relay(url, transport, outbox=outbox, batch=AT_ONCE)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(_rounds(effort)):
        messages = _messages(PUBLISHED)
        with connection.transaction():
            outbox.add(connection, *messages)
        connection.execute(f"vacuum analyze {outbox.table}")
        for place in _turns(number):
            start = perf_counter()
            await (relay.drain() if place == 0 else _from_memory(transport, messages))
            times[place].append(perf_counter() - start)
    what = f"relay {PUBLISHED:,} events from Postgres to NATS JetStream, confirmed"
    return Row(what, "publishing them from memory, confirmed", compared(*times), 1 / 0.5)


async def _from_memory(transport: Transport, messages: list[Message]) -> None:
    for first in range(0, len(messages), AT_ONCE):
        await asyncio.gather(*(transport.asend(each) for each in messages[first : first + AT_ONCE]))


async def _backlogs(
    url: str, connection: psycopg.Connection[Any], schema: str, transport: Transport, effort: Effort
) -> Row:
    """Compare a long backlog with a short one, in tables of as many rows: in the second most are published."""
    large = effort.changed * 1_000
    body = _messages(1)[0].body
    outboxes = []
    for backlog in (large, SMALL_BACKLOG):
        outboxes.append(_table(connection, schema, f"backlog_{backlog}"))
        values = {"body": body, "rows": large, "published": large - backlog}
        connection.execute(_FILL.format(outboxes[-1].table).encode(), values)
        connection.execute(f"vacuum analyze {outboxes[-1].table}")
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(_rounds(effort)):
        for place in _turns(number):
            times[place].append(await _some(url, outboxes[place], transport))
            connection.execute(_AGAIN.format(outboxes[place].table).encode())
            connection.execute(f"vacuum {outboxes[place].table}")
    what = f"relay {FROM_BACKLOG:,} events of a backlog of {large:,}"
    return Row(what, f"of a backlog of {SMALL_BACKLOG:,}", compared(*times), 1)


async def _some(url: str, outbox: Outbox, transport: Transport) -> float:
    """Return the seconds for which a relay publishes the first events of a backlog."""
    from jobarium_events.postgres import Batch, Relay  # noqa: PLC0415 - one of the extras

    count = 0

    def told(batch: Batch) -> None:
        nonlocal count
        count += batch.published
        if count >= FROM_BACKLOG:
            relay.stop()

    relay = Relay(url, transport, outbox=outbox, batch=AT_ONCE, lanes=1, told=told)
    start = perf_counter()
    await relay.drain()
    if count < FROM_BACKLOG:
        raise UnfitScenario("the backlog was too small")
    return (perf_counter() - start) / count


def _rounds(effort: Effort) -> int:
    return max(3, effort.processes // 8)


def _turns(number: int) -> tuple[int, int]:
    return (0, 1) if number % 2 == 0 else (1, 0)

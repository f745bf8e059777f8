"""Whatever is killed or restarted: nothing is lost, nothing is made up, and each aggregate keeps its order.

`make faults` runs these with 20,000 events over 500 aggregates and 50 kills, and says how many were sent twice.
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import time

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from jobarium_events import Catalog, Consumer, Outcome
from jobarium_events.postgres import PostgresInbox
from tests.conftest import Database
from tests.postgres.events import in_order, keys, outbox_in, rows
from tests.postgres.faults import (
    SIZE,
    Relays,
    Service,
    all_of,
    await_drained,
    await_published,
    make_stream,
    sent_twice,
    until_sent_twice,
)

pytest.importorskip("nats")

log = logging.getLogger(__name__)

ADDED = "select idempotency_key, body from outbox_event"


async def check(database, url, stream):
    """Check what is in the stream against what was committed, and return it."""
    messages = await all_of(url, stream)
    added = dict(rows(database, ADDED))
    assert len(added) >= SIZE.events  # more where a commit went through whose answer was lost
    assert {key: m.body for key, m in zip(keys(messages), messages, strict=True)} == added
    assert in_order(messages)
    log.info("%d events, of which %d were sent twice", len(added), sent_twice(messages))
    return messages


async def test_a_relay_that_is_killed_at_random(postgres, nats, tmp_path):
    outbox = outbox_in(postgres)
    await make_stream(nats.url, nats.name)
    chance = random.Random(20)
    with Relays(tmp_path, postgres, nats.url, nats.name, batch=50, pause=0.05) as relays:
        with Service(postgres, outbox, SIZE, seed=1):
            relays.start()
            for _ in range(SIZE.kills):
                relays.kill_at_work(chance)
            await until_sent_twice(nats.url, nats.name, lambda: relays.kill_at_work(chance))
        await_drained(postgres)
        assert relays.stop() == [0]
    messages = await check(postgres, nats.url, nats.name)
    assert effects(postgres, messages) == len(messages) - sent_twice(messages)


def effects(database, messages):
    """Return how many of some messages took effect in a consumer with an inbox."""
    with ConnectionPool(database.url, min_size=1, max_size=1) as pool:
        inbox = PostgresInbox(pool, schema=database.schema)
        with pool.connection() as connection:
            connection.execute(inbox.tables)
        consumer = Consumer(Catalog.bundled(), name="matching-service", inbox=inbox)
        consumer.on("job.updated", "v1")(lambda event: None)
        return sum(consumer.consume(each.body, each.attributes) is Outcome.HANDLED for each in messages)


async def test_relays_that_race_and_are_killed(postgres, nats, tmp_path):
    outbox = outbox_in(postgres)
    await make_stream(nats.url, nats.name)
    chance = random.Random(21)

    def kill_one():
        time.sleep(chance.random() * 0.1)
        place = chance.randrange(3)
        relays.await_batch(place)
        relays.kill(place)
        relays.start()

    with Relays(tmp_path, postgres, nats.url, nats.name, batch=50, pause=0.05) as relays:
        with Service(postgres, outbox, SIZE, seed=2):
            relays.start(3)
            for _ in range(SIZE.kills):
                kill_one()
            await until_sent_twice(nats.url, nats.name, kill_one)
        await_drained(postgres)
        assert set(relays.stop()) <= {0, -signal.SIGTERM}  # the last may not have come so far as to listen to signals
    await check(postgres, nats.url, nats.name)


async def test_relays_that_race_undisturbed_send_nothing_twice(postgres, nats, tmp_path):
    outbox = outbox_in(postgres)
    await make_stream(nats.url, nats.name)
    with Relays(tmp_path, postgres, nats.url, nats.name, batch=50) as relays:
        with Service(postgres, outbox, SIZE, seed=3):
            relays.start(2)
        await_drained(postgres)
        assert relays.stop() == [0, 0]
    assert sent_twice(await check(postgres, nats.url, nats.name)) == 0


async def test_postgres_that_crashes(own_postgres, nats, tmp_path):
    with psycopg.connect(own_postgres.url) as connection:
        connection.execute("create schema faults")
    database = Database(own_postgres.url, "faults")
    outbox = outbox_in(database)
    await make_stream(nats.url, nats.name)

    def crash():
        relays.await_batch(0)
        own_postgres.crash()

    with Relays(tmp_path, database, nats.url, nats.name, pause=0.05) as relays:
        with Service(database, outbox, SIZE, seed=4):
            relays.start(2)
            for mark in (SIZE.events // 4, SIZE.events // 2):
                await_published(database, mark)
                crash()
            await until_sent_twice(nats.url, nats.name, crash)
        await_drained(database)
        assert relays.stop() == [0, 0]
    await check(database, nats.url, nats.name)


async def test_a_broker_that_is_killed(postgres, own_nats, tmp_path):
    outbox = outbox_in(postgres)
    await make_stream(own_nats.url, postgres.schema)
    with Relays(tmp_path, postgres, own_nats.url, postgres.schema) as relays:
        with Service(postgres, outbox, SIZE, seed=5):
            relays.start(2)
            for mark in (SIZE.events // 4, SIZE.events // 2):
                await_published(postgres, mark)
                relays.await_batch(0)
                own_nats.kill()
                await asyncio.sleep(0.5)
                own_nats.start()
        await_drained(postgres)
        assert relays.stop() == [0, 0]
    await check(postgres, own_nats.url, postgres.schema)

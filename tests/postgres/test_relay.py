"""The relay publishes what waits, in order within each aggregate, and marks it once it is confirmed."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from jobarium_events.errors import DeclarationError
from jobarium_events.postgres import Batch, NoOutbox, Outbox, Relay, publishing
from jobarium_events.postgres.publishing import Publisher
from tests.postgres.events import Kept, add, in_order, job, keys, outbox_in, packet, rows

WAITING = "select count(*) from outbox_event where published_at is null and not held"


def relay_of(database, outbox, transport, **options) -> Relay:
    return Relay(database.url, transport, outbox=outbox, **options)


@asynccontextmanager
async def running(relay):
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        relay.stop()
        await asyncio.wait_for(task, 60)


async def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it takes too long"
        await asyncio.sleep(0.01)


async def test_what_was_added_is_what_is_sent(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    messages = [job(1, 1), packet(1)]
    add(postgres, outbox, *messages)
    batch = await relay_of(postgres, outbox, kept).drain()
    assert (batch.published, batch.refused, batch.held, batch.failed) == (2, 0, 0, 0)
    assert sorted(kept.sent, key=lambda m: m.body) == sorted(messages, key=lambda m: m.body)
    assert rows(postgres, WAITING) == [(0,)]


async def test_nothing_is_sent_twice(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, job(1, 1))
    await relay_of(postgres, outbox, kept).drain()
    batch = await relay_of(postgres, outbox, kept).drain()
    assert batch == Batch(seconds=batch.seconds)
    assert len(kept.sent) == 1


@pytest.mark.parametrize("batch", [1, 7, 500])
async def test_in_order_within_an_aggregate_and_side_by_side_otherwise(postgres, batch):
    outbox, kept = outbox_in(postgres), Kept(seconds=0.001)
    messages = [job(number % 9, number) for number in range(120)]
    add(postgres, outbox, *messages)
    await relay_of(postgres, outbox, kept, batch=batch, lanes=1).drain()
    assert len(kept.sent) == 120
    assert in_order(kept.sent)
    assert kept.most_at_once <= min(batch, 9)
    assert batch == 1 or kept.most_at_once > 1


async def test_it_is_told_of_what_is_committed(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    async with running(relay_of(postgres, outbox, kept, poll=60)):
        await asyncio.sleep(0.3)
        add(postgres, outbox, job(1, 1))
        await until(lambda: kept.sent, 5)


async def test_it_looks_by_itself_where_it_is_not_told(postgres):
    outbox, kept = outbox_in(postgres, notify=False), Kept()
    async with running(relay_of(postgres, outbox, kept, poll=0.05)):
        await asyncio.sleep(0.2)
        add(postgres, outbox, job(1, 1))
        await until(lambda: kept.sent, 5)


async def test_a_failing_aggregate_keeps_its_order_and_is_in_nobodys_way(postgres, caplog):
    outbox = outbox_in(postgres)
    attempts = []

    def fails(message):
        if message.ordering_key == "j-1":
            attempts.append(message)
        return message.ordering_key == "j-1" and len(attempts) <= 3

    kept = Kept(fails=fails)
    add(postgres, outbox, *(job(aggregate, version) for version in range(5) for aggregate in range(40)))
    async with running(relay_of(postgres, outbox, kept, poll=60, batch=20)):
        await until(lambda: len(kept.sent) == 200)
    first = [message.ordering_key for message in kept.sent].index("j-1")
    assert first >= 190  # it was tried again after the others were through
    assert in_order(kept.sent)
    assert keys(attempts[:4]) == ["job.updated:j-1:0"] * 4
    assert "1 events are not published and tried again" in caplog.text
    assert "the broker is away" in caplog.text


def test_rests_grow_and_have_an_end():
    publisher = Publisher(Kept(), 1)
    longest = []
    for _ in range(30):
        publisher._rest("a")
        longest.append(publisher._rests["a"].until - time.monotonic())
    assert longest[0] <= 0.2
    assert 10 < longest[-1] <= 30


async def test_a_broker_that_is_away_is_not_asked_for_every_aggregate(postgres, monkeypatch):
    monkeypatch.setattr(publishing, "_MOST_RESTING", 20)
    monkeypatch.setattr(publishing, "_FIRST_REST", 10)
    outbox, away = outbox_in(postgres), [True]
    asked = []
    kept = Kept(fails=lambda message: asked.append(message) or away[0])
    add(postgres, outbox, *(job(number, 1) for number in range(100)))
    relay = relay_of(postgres, outbox, kept, batch=10, poll=0.05, lanes=1)
    async with running(relay):
        await asyncio.sleep(0.5)
        assert 20 <= len(asked) < 40
        away[0] = False
        relay._lanes[0]._publisher._rests.popitem()  # the first of them to have rested enough finds the broker back
        await until(lambda: len(kept.sent) == 100, 5)


async def test_a_message_that_is_not_confirmed_in_time_is_tried_again(postgres):
    outbox = outbox_in(postgres)
    calls = []

    class Hanging(Kept):
        async def asend(self, message):
            calls.append(message)
            await (asyncio.sleep(60) if len(calls) == 1 else super().asend(message))

    kept = Hanging()
    add(postgres, outbox, job(1, 1))
    async with running(relay_of(postgres, outbox, kept, timeout=0.05)):
        await until(lambda: kept.sent)
    assert len(calls) == 2


async def test_a_long_batch_is_cut_short_and_goes_on(postgres, monkeypatch):
    monkeypatch.setattr(publishing, "_LONGEST_BATCH", 0.05)
    outbox, kept, batches = outbox_in(postgres), Kept(seconds=0.02), []
    add(postgres, outbox, *(job(1, version) for version in range(20)))
    await relay_of(postgres, outbox, kept, told=batches.append).drain()
    assert len(batches) > 2
    assert keys(kept.sent) == [f"job.updated:j-1:{version}" for version in range(20)]


async def test_stopping_finishes_the_batch(postgres):
    outbox, kept = outbox_in(postgres), Kept(seconds=0.3)
    add(postgres, outbox, *(job(number, 1) for number in range(5)))
    relay = relay_of(postgres, outbox, kept)
    task = asyncio.create_task(relay.run())
    await until(lambda: kept.running)
    relay.stop()
    await asyncio.wait_for(task, 5)
    assert len(kept.sent) == 5
    assert rows(postgres, WAITING) == [(0,)]


async def test_stopping_does_not_wait_for_events(postgres):
    relay = relay_of(postgres, outbox_in(postgres), Kept(), poll=60)
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(0.2)
    relay.stop()
    await asyncio.wait_for(task, 2)
    assert task.done()


async def test_stopping_does_not_wait_for_a_database_that_is_away():
    relay = Relay("postgresql://postgres@127.0.0.1:1/none?connect_timeout=1", Kept())
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(0.3)
    assert not task.done()
    relay.stop()
    await asyncio.wait_for(task, 3)


async def test_being_cancelled_marks_nothing_that_is_not_sure(postgres):
    outbox, kept = outbox_in(postgres), Kept(seconds=30)
    add(postgres, outbox, job(1, 1))
    task = asyncio.create_task(relay_of(postgres, outbox, kept).run())
    await until(lambda: kept.running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rows(postgres, WAITING) == [(1,)]


async def test_several_relays_share_the_work(postgres):
    outbox, kept = outbox_in(postgres), Kept(seconds=0.001)
    add(postgres, outbox, *(job(number % 100, number) for number in range(2_000)))
    counts = [0, 0, 0]

    def count(place):
        return lambda batch: counts.__setitem__(place, counts[place] + batch.published)

    relays = [relay_of(postgres, outbox, kept, batch=50, lanes=1, told=count(place)) for place in range(3)]
    for _ in range(3):  # one may end while another has what is left
        await asyncio.gather(*(relay.drain() for relay in relays))
    assert sum(counts) == len(kept.sent) == len(set(keys(kept.sent))) == 2_000
    assert min(counts) > 0
    assert in_order(kept.sent)


async def test_connections_of_a_pool_come_back_as_they_were(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, job(1, 1))
    async with AsyncConnectionPool(postgres.url, min_size=1, max_size=1, open=False) as pool:
        await Relay(pool, kept, outbox=outbox, lanes=1).drain()
        async with pool.connection() as connection:
            assert not connection.autocommit
            assert await (await connection.execute("select pg_listening_channels()")).fetchall() == []
    assert len(kept.sent) == 1


async def test_a_lost_connection_is_made_again(postgres, caplog):
    outbox, kept = outbox_in(postgres), Kept()
    url = psycopg.conninfo.make_conninfo(postgres.url, application_name=postgres.schema)
    async with running(Relay(url, kept, outbox=outbox, poll=60)):
        add(postgres, outbox, job(1, 1))
        await until(lambda: kept.sent)
        with psycopg.connect(postgres.url) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s", [postgres.schema]
            )
        add(postgres, outbox, job(1, 2))
        await until(lambda: len(kept.sent) == 2)
    assert "lost its database" in caplog.text


async def test_a_database_without_an_outbox_is_said(postgres):
    with pytest.raises(NoOutbox, match=r"there is no outbox in .*make it with the SQL"):
        await Relay(postgres.url, Kept(), outbox=Outbox(schema=postgres.schema)).run()


async def test_a_table_of_the_first_form_is_said(postgres):
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"create table {postgres.schema}.outbox_event (id uuid)")
    with pytest.raises(NoOutbox, match="column"):
        await Relay(postgres.url, Kept(), outbox=Outbox(schema=postgres.schema)).drain()


async def test_published_events_are_pruned(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, *(job(number, 1) for number in range(10)))
    await relay_of(postgres, outbox, kept).drain()
    async with running(relay_of(postgres, outbox, kept, prune_after=timedelta(0))):
        await until(lambda: rows(postgres, "select count(*) from outbox_event") == [(0,)])


def test_declared_wrongly():
    with pytest.raises(DeclarationError, match="an async `asend`, not function"):
        Relay("", lambda message: None)
    with pytest.raises(DeclarationError, match="at least one event"):
        Relay("", Kept(), batch=0)
    with pytest.raises(DeclarationError, match="at least one lane"):
        Relay("", Kept(), lanes=0)


@pytest.mark.parametrize("analyzed", [False, True])
def test_the_plans_walk_one_index_and_read_no_more_than_they_need(postgres, analyzed):
    outbox = outbox_in(postgres, notify=False)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(
            f"insert into {outbox.table} (id, event_name, event_version, idempotency_key, aggregate, bucket, body,"
            " attributes, published_at) select gen_random_uuid(), 'job.updated', 'v1', n, n, n %% 128, '', '{}',"
            " case when n %% 2 = 0 then now() end from generate_series(1, 20000) as n",
            (),
        )
        if analyzed:
            connection.execute(f"analyze {outbox.table}")
        values = {"table": outbox.table, "buckets": list(range(128)), "resting": ["1"], "most": 16, "each": 8}
        for name, read in (("take", 128 * 8), ("lock_buckets", 128)):
            explained = connection.execute(
                b"explain (analyze, format json) " + outbox.statement(name), values
            ).fetchone()[0]
            scans = [node for node in nodes(explained[0]["Plan"]) if node.get("Relation Name") == "outbox_event"]
            waiting = [node for node in scans if node.get("Index Name") == "outbox_event_waiting"]
            assert waiting, name
            assert {node["Node Type"] for node in scans} <= {"Index Scan", "Index Only Scan"}, name
            assert sum(node["Actual Rows"] * node["Actual Loops"] for node in waiting) <= read, name


def nodes(plan):
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)

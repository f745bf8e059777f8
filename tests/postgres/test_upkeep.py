"""What is set aside blocks its own aggregate alone, and until it is requeued or dropped; what is old is pruned."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from jobarium_events.postgres import NoTable, Outbox, Relay, upkeep
from tests.postgres.events import Kept, add, in_order, job, keys, outbox_in, packet, rows
from tests.postgres.relays import until

HELD = "select idempotency_key from outbox_event where held order by position"


@asynccontextmanager
async def connected(database):
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        yield connection


def of_first_version(message):
    return message.ordering_key == "j-1" and message.attributes["idempotency_key"].endswith(":1")


@pytest.fixture
async def blocked(postgres):
    """An outbox in which the first of three events of j-1 is set aside; and what was sent."""
    outbox, kept = outbox_in(postgres), Kept(refuses=of_first_version)
    add(postgres, outbox, *(job(aggregate, version) for version in (1, 2, 3) for aggregate in (1, 2)))
    batch = await Relay(postgres.url, kept, outbox=outbox, batch=2).drain()
    assert (batch.published, batch.refused, batch.held) == (3, 1, 2)
    return outbox, kept


async def test_a_refused_event_blocks_its_own_aggregate_alone(postgres, blocked):
    _, kept = blocked
    assert keys(kept.sent) == ["job.updated:j-2:1", "job.updated:j-2:2", "job.updated:j-2:3"]
    assert [key for (key,) in rows(postgres, HELD)] == [f"job.updated:j-1:{version}" for version in (1, 2, 3)]


async def test_what_is_added_behind_it_later_is_held_as_well(postgres, blocked):
    outbox, kept = blocked
    add(postgres, outbox, job(1, 4), job(2, 4))
    batch = await Relay(postgres.url, kept, outbox=outbox).drain()
    assert (batch.published, batch.held) == (1, 1)
    assert kept.sent[-1].ordering_key == "j-2"


async def test_status_says_how_it_stands(postgres, blocked):
    outbox, _ = blocked
    add(postgres, outbox, job(3, 1), packet(1))
    async with connected(postgres) as connection:
        found = await upkeep.status(connection, outbox)
        (aside,) = await upkeep.set_aside(connection, outbox)
    assert (found.waiting, found.held, found.set_aside, found.published_last_minute) == (2, 2, 1, 3)
    assert 0 <= found.oldest_seconds < 60
    assert (aside.event, aside.version, aside.aggregate, aside.behind) == ("job.updated", "v1", "j-1", 2)
    assert (aside.idempotency_key, aside.reason) == ("job.updated:j-1:1", "no such topic")


async def test_status_of_an_empty_outbox(postgres):
    outbox = outbox_in(postgres)
    async with connected(postgres) as connection:
        assert await upkeep.status(connection, outbox) == upkeep.Status(0, 0, 0, None, 0)


async def test_the_backlog_is_counted_up_to_a_number(postgres, blocked):
    outbox, _ = blocked
    add(postgres, outbox, job(3, 1), job(4, 1), packet(1))
    async with connected(postgres) as connection:
        assert await upkeep.backlog(connection, outbox, 3) == upkeep.Backlog(3, True)
        assert await upkeep.backlog(connection, outbox, 2) == upkeep.Backlog(3, True)
        assert await upkeep.backlog(connection, outbox, 1) == upkeep.Backlog(2, True)
        await upkeep.drop(connection, outbox)
        assert await upkeep.backlog(connection, outbox, 100) == upkeep.Backlog(5, False)


@pytest.mark.parametrize("by", ["status", "set_aside", "requeue", "prune", "backlog"])
async def test_a_table_that_is_not_there_is_said(postgres, by):
    more = {"prune": (timedelta(0),), "backlog": (1,)}
    async with connected(postgres) as connection:
        with pytest.raises(NoTable, match=r"run the SQL that `jobarium-events outbox tables --schema .*` prints"):
            await getattr(upkeep, by)(connection, Outbox(schema=postgres.schema), *more.get(by, ()))


@pytest.mark.parametrize("by_id", [True, False])
async def test_requeued_events_are_published_in_order(postgres, blocked, by_id):
    outbox, kept = blocked
    async with connected(postgres) as connection:
        (aside,) = await upkeep.set_aside(connection, outbox)
        ids = [UUID(aside.event_id)] if by_id else None
        assert await upkeep.requeue(connection, outbox, ids) == [aside.event_id]
        assert await upkeep.requeue(connection, outbox, ids) == []
    kept.refuses = lambda _: False
    await Relay(postgres.url, kept, outbox=outbox).drain()
    assert len(kept.sent) == 6
    assert in_order(kept.sent)


async def test_a_requeued_event_can_be_refused_again(postgres, blocked):
    outbox, kept = blocked
    async with connected(postgres) as connection:
        await upkeep.requeue(connection, outbox)
    batch = await Relay(postgres.url, kept, outbox=outbox).drain()
    assert (batch.refused, batch.held) == (1, 2)


async def test_dropped_events_are_gone_and_the_rest_is_published(postgres, blocked):
    outbox, kept = blocked
    async with connected(postgres) as connection:
        (aside,) = await upkeep.set_aside(connection, outbox)
        assert await upkeep.drop(connection, outbox, [UUID(aside.event_id)]) == [aside.event_id]
    await Relay(postgres.url, kept, outbox=outbox).drain()
    assert keys(kept.sent[3:]) == ["job.updated:j-1:2", "job.updated:j-1:3"]
    assert rows(postgres, "select count(*) from outbox_event") == [(5,)]


async def test_other_events_are_not_requeued_or_dropped(postgres, blocked):
    outbox, _ = blocked
    (held,) = rows(postgres, "select id from outbox_event where idempotency_key = 'job.updated:j-1:2'")
    async with connected(postgres) as connection:
        assert await upkeep.requeue(connection, outbox, list(held)) == []
        assert await upkeep.drop(connection, outbox, list(held)) == []
    assert len(rows(postgres, HELD)) == 3


async def test_requeueing_waits_for_a_relay_that_is_about_to_hold_more(postgres, blocked):
    outbox, kept = blocked
    add(postgres, outbox, job(1, 4), job(1, 5))
    # Another aggregate of the same bucket keeps the relay busy, while it knows of the first that it is to be held.
    other = next(n for n in range(10_000) if bucket(outbox, n) == bucket(outbox, 1) and n != 1)
    add(postgres, outbox, job(other, 1))
    kept.seconds = 0.5
    relay = asyncio.create_task(Relay(postgres.url, kept, outbox=outbox).drain())
    await asyncio.sleep(0.25)
    async with connected(postgres) as connection:
        await upkeep.requeue(connection, outbox)
    assert rows(postgres, HELD) == []
    kept.refuses = lambda _: False
    kept.seconds = 0
    await relay
    await Relay(postgres.url, kept, outbox=outbox).drain()
    assert [m.attributes["idempotency_key"][-1] for m in kept.sent if m.ordering_key == "j-1"] == list("12345")


async def test_what_is_set_aside_meanwhile_is_left_alone(postgres, blocked, monkeypatch):
    outbox, kept = blocked
    ((first,),) = rows(postgres, "select id::text from outbox_event where refused_at is not null")
    rows_of = upkeep._rows

    async def late(connection, source, name, values):
        found = await rows_of(connection, source, name, values)
        if name == "lock_aggregates":
            kept.refuses = lambda message: message.ordering_key == "j-3"
            add(postgres, outbox, job(3, 1), job(3, 2))
            await Relay(postgres.url, kept, outbox=outbox).drain()
        return found

    assert bucket(outbox, 1) != bucket(outbox, 3)
    monkeypatch.setattr(upkeep, "_rows", late)
    async with connected(postgres) as connection:
        assert await upkeep.requeue(connection, outbox) == [first]
    assert [key for (key,) in rows(postgres, HELD)] == ["job.updated:j-3:1", "job.updated:j-3:2"]


async def test_what_stands_behind_nothing_is_released_with_all_others(postgres, blocked):
    outbox, kept = blocked
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"delete from {outbox.table} where refused_at is not null")
    add(postgres, outbox, job(1, 4))
    assert (await Relay(postgres.url, kept, outbox=outbox).drain()).held == 1  # lest it overtake the others
    async with connected(postgres) as connection:
        assert await upkeep.requeue(connection, outbox) == []
    await Relay(postgres.url, kept, outbox=outbox).drain()
    assert keys(kept.sent[3:]) == [f"job.updated:j-1:{version}" for version in (2, 3, 4)]


@pytest.mark.parametrize("by", ["requeue", "drop"])
async def test_what_stands_behind_another_that_is_set_aside_stays_held(postgres, blocked, by):
    outbox, _ = blocked
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"update {outbox.table} set refused_at = now() where idempotency_key = 'job.updated:j-1:2'")
    ((first,),) = rows(postgres, "select id from outbox_event where idempotency_key = 'job.updated:j-1:1'")
    async with connected(postgres) as connection:
        assert await getattr(upkeep, by)(connection, outbox, [first]) == [str(first)]
    assert [key for (key,) in rows(postgres, HELD)] == ["job.updated:j-1:2", "job.updated:j-1:3"]


async def test_what_was_committed_while_locks_were_waited_for_is_seen_at_any_isolation(postgres, blocked):
    outbox, _ = blocked
    async with connected(postgres) as connection, connected(postgres) as relay:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        table = outbox.table
        await relay.execute(
            "select pg_advisory_xact_lock(%s::text::regclass::oid::int, %s)", [table, bucket(outbox, 1)]
        )
        await relay.execute(f"update {table} set held = true where aggregate = 'j-1'")
        requeued = asyncio.create_task(upkeep.requeue(connection, outbox))
        await until(lambda: rows(postgres, "select 1 from pg_locks where locktype = 'advisory' and not granted"))
        await relay.commit()
        assert len(await requeued) == 1
    assert rows(postgres, HELD) == []


def bucket(outbox, number):
    return outbox._values([job(number, 1)])[0]["buckets"][0]


async def test_pruning_deletes_what_was_published_long_ago_and_nothing_else(postgres, blocked):
    outbox, kept = blocked
    add(postgres, outbox, *(job(5, version) for version in range(5)), job(6, 1))
    await Relay(postgres.url, kept, outbox=outbox).drain()
    add(postgres, outbox, job(7, 1))
    with psycopg.connect(postgres.url) as connection:
        connection.execute(
            f"update {outbox.table} set published_at = now() - interval '8 days' where aggregate in ('j-5', 'j-2')"
        )
    async with connected(postgres) as connection:
        assert await upkeep.prune(connection, outbox, timedelta(days=9)) == 0
        assert await upkeep.prune(connection, outbox, timedelta(days=7), batch=3) == 8
    assert rows(postgres, "select aggregate, count(*) from outbox_event group by 1 order by 1") == [
        ("j-1", 3),
        ("j-6", 1),
        ("j-7", 1),
    ]


async def test_pruning_is_in_nobodys_way(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, *(job(number, 1) for number in range(4)))
    await Relay(postgres.url, kept, outbox=outbox).drain()
    async with connected(postgres) as one, connected(postgres) as other:
        await one.execute(f"select 1 from {outbox.table} where aggregate = 'j-2' for update")
        await other.execute("set lock_timeout = '1s'")
        assert await upkeep.prune(other, outbox, timedelta(0)) == 3


async def test_a_key_is_known_for_as_long_as_its_event_is_kept(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, job(1, 1))
    await Relay(postgres.url, kept, outbox=outbox).drain()
    async with connected(postgres) as connection:
        assert (await outbox.add(connection, job(1, 1))).known
        await connection.commit()
        await upkeep.prune(connection, outbox, timedelta(0))
        assert (await outbox.add(connection, job(1, 1))).added

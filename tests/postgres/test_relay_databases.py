"""What a relay makes of its database: one that is away, read-only or without an outbox, and settings of all kinds."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import psycopg_pool
import pytest
from psycopg_pool import AsyncConnectionPool

from jobarium_events.errors import DeclarationError
from jobarium_events.postgres import NoTable, Outbox, Relay, lanes, reporting
from tests.postgres.events import Kept, add, job, outbox_in, packet, rows
from tests.postgres.relays import WAITING, relay_of, running, until
from tests.postgres.test_outbox import FIRST_FORM

OLD = "select count(*) from outbox_event where published_at < now() - interval '1 hour'"


def with_options(database, **options):
    """A database's URL with settings of the server's."""
    given = " ".join(f"-c {name}={str(value).replace(' ', chr(92) + ' ')}" for name, value in options.items())
    return psycopg.conninfo.make_conninfo(database.url, options=given)


async def test_a_database_that_is_away_is_said_and_not_waited_for_at_the_end(caplog):
    relay = Relay("postgresql://postgres@127.0.0.1:1/none?connect_timeout=1", Kept())
    task = asyncio.create_task(relay.run())
    await until(lambda: caplog.text.count("stamina") > 2)  # both lanes have tried
    assert not task.done()
    relay.stop()
    await asyncio.wait_for(task, 10)
    (said,) = [record.getMessage() for record in caplog.records if record.name == "jobarium_events"]
    assert said.startswith("the relay's database cannot be used, and is tried again: connection failed")
    assert "127.0.0.1" in said
    assert said.endswith("? Check the URL of the database")
    assert "\t" not in said
    assert "\n" not in said


async def test_the_way_out_of_a_wrong_name_is_said_once(postgres, monkeypatch, caplog):
    monkeypatch.setattr(reporting, "_EVERY", 0.0)
    url = psycopg.conninfo.make_conninfo(postgres.url, dbname=f"{postgres.schema}_none")
    async with running(Relay(url, Kept())):
        await until(lambda: caplog.text.count("and is tried again") >= 2)
    first, *others = [record.getMessage() for record in caplog.records if record.name == "jobarium_events"]
    assert first.endswith('_none" does not exist. Check the URL of the database')
    assert all(each.endswith('_none" does not exist') for each in others)


async def test_connections_of_a_pool_come_back_as_they_were(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, job(1, 1))
    async with AsyncConnectionPool(postgres.url, min_size=1, max_size=1, open=False) as pool:
        with pytest.raises(NoTable):
            await Relay(pool, kept, outbox=Outbox(table="none"), lanes=1).drain()
        async with pool.connection() as connection:
            assert not connection.autocommit
        await Relay(pool, kept, outbox=outbox, lanes=1).drain()
        async with pool.connection() as connection:
            assert (connection.autocommit, connection.isolation_level) == (False, None)
            assert await (await connection.execute("select pg_listening_channels()")).fetchall() == []
    assert len(kept.sent) == 1


async def test_a_lost_connection_is_made_again(postgres, caplog):
    outbox, kept = outbox_in(postgres), Kept()
    url = psycopg.conninfo.make_conninfo(postgres.url, application_name=postgres.schema)
    async with running(Relay(url, kept, outbox=outbox, poll=60)):
        add(postgres, outbox, job(1, 1))
        await until(lambda: rows(postgres, WAITING) == [(0,)])  # it would be sent again before it is marked
        with psycopg.connect(postgres.url) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s", [postgres.schema]
            )
        add(postgres, outbox, job(1, 2))
        await until(lambda: len(kept.sent) == 2)
    assert "the relay's database cannot be used, and is tried again" in caplog.text
    assert "Check the URL" not in caplog.text
    assert "the relay has its database again" in caplog.text


@pytest.mark.parametrize("how", ["run", "drain"])
@pytest.mark.parametrize("schema", ["its own", "nowhere"])
async def test_a_database_without_an_outbox_is_said(postgres, caplog, how, schema):
    chosen = postgres.schema if schema == "its own" else schema
    relay = Relay(postgres.url, Kept(), outbox=Outbox(schema=chosen))
    with pytest.raises(NoTable, match=rf"run the SQL that `jobarium-events outbox tables --schema {chosen}` prints"):
        await getattr(relay, how)()
    assert caplog.text == ""


async def test_a_table_of_the_first_form_is_said(postgres, caplog):
    with psycopg.connect(postgres.url) as connection:
        connection.execute(FIRST_FORM.format(postgres.schema))
    with pytest.raises(NoTable, match=r"column .* does not exist; run the SQL that .* --expand` prints"):
        await Relay(postgres.url, Kept(), outbox=Outbox(schema=postgres.schema)).drain()
    assert caplog.text == ""


async def test_published_events_are_pruned(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, *(job(number, 1) for number in range(10)))
    await relay_of(postgres, outbox, kept).drain()
    async with running(relay_of(postgres, outbox, kept, prune_after=timedelta(0))):
        await until(lambda: rows(postgres, "select count(*) from outbox_event") == [(0,)])


async def published_long_ago(database, outbox, number):
    add(database, outbox, *(packet(each) for each in range(number)))
    await relay_of(database, outbox, Kept()).drain()
    with psycopg.connect(database.url) as connection:
        connection.execute(f"update {outbox.table} set published_at = now() - interval '1 day'")


async def test_a_relay_prunes_between_its_batches(postgres, monkeypatch):
    monkeypatch.setattr(lanes, "_PRUNED_AT_ONCE", 2)
    outbox, left, kept = outbox_in(postgres), [], Kept()
    await published_long_ago(postgres, outbox, 5)
    kept.fails = lambda _: left.append(rows(postgres, OLD)[0][0])
    add(postgres, outbox, *(job(1, version) for version in range(5)))
    async with running(relay_of(postgres, outbox, kept, batch=1, lanes=1, prune_after=timedelta(hours=1))):
        await until(lambda: len(kept.sent) == 5)
    assert left == [5, 3, 1, 0, 0]


async def test_draining_prunes_as_well(postgres, monkeypatch):
    monkeypatch.setattr(lanes, "_PRUNED_AT_ONCE", 2)
    outbox = outbox_in(postgres)
    await published_long_ago(postgres, outbox, 5)
    add(postgres, outbox, job(1, 1))
    await relay_of(postgres, outbox, Kept(), prune_after=timedelta(hours=1)).drain()
    assert rows(postgres, "select aggregate from outbox_event") == [("j-1",)]


async def test_what_a_busy_relay_is_told_is_taken_after_each_batch(postgres):
    outbox, kept, waits = outbox_in(postgres), Kept(), []
    add(postgres, outbox, *(job(1, version) for version in range(3)))
    relay = relay_of(postgres, outbox, kept, batch=1, lanes=1, poll=0.5)
    (lane,) = relay._lanes
    wait = lane._wait

    async def waiting(connection, seconds):
        waits.append(seconds)
        if len(waits) == 1:
            add(postgres, outbox, packet(1))
            await connection.execute("select 1")  # by which it comes in, and is kept until somebody asks
        await wait(connection, seconds)
        if len(waits) == 1:
            assert [each async for each in connection.notifies(timeout=0)] == []

    lane._wait = waiting
    async with running(relay):
        await until(lambda: len(waits) >= 5)
    assert waits[:5] == [0, 0, 0, 0, 0.5]


async def test_a_pool_that_is_not_open_is_not_waited_for(postgres):
    pool = AsyncConnectionPool(postgres.url, open=False)
    for how in ("run", "drain"):
        with pytest.raises(psycopg_pool.PoolClosed, match="not open yet"):
            await getattr(Relay(pool, Kept(), outbox=outbox_in(postgres)), how)()


def test_a_pool_has_a_connection_for_each_lane(postgres):
    with pytest.raises(DeclarationError, match="with 2 lanes keeps as many connections, and its pool has 1"):
        Relay(AsyncConnectionPool(postgres.url, min_size=1, max_size=1, open=False), Kept())
    Relay(psycopg_pool.AsyncNullConnectionPool(postgres.url, open=False), Kept())


async def test_a_relay_prepares_no_statements(postgres):
    outbox = outbox_in(postgres)
    add(postgres, outbox, *(job(1, version) for version in range(10)))
    async with AsyncConnectionPool(postgres.url, min_size=1, max_size=1, open=False) as pool:
        await Relay(pool, Kept(), outbox=outbox, lanes=1, batch=1, prune_after=timedelta(0)).drain()
        async with pool.connection() as connection:
            found = await connection.execute("select statement from pg_prepared_statements", prepare=False)
            assert await found.fetchall() == []


async def test_a_database_that_ends_idle_transactions_leaves_a_batch_alone(postgres):
    outbox, kept = outbox_in(postgres), Kept(seconds=0.5)
    add(postgres, outbox, job(1, 1))
    url = with_options(postgres, idle_in_transaction_session_timeout="100ms")
    await Relay(url, kept, outbox=outbox).drain()
    assert len(kept.sent) == 1
    assert rows(postgres, WAITING) == [(0,)]


async def test_a_batch_that_takes_too_long_loses_its_locks_and_is_tried_again(postgres, monkeypatch, caplog):
    monkeypatch.setattr(lanes, "_MARGIN", 0.1 - 40)  # what a relay has by itself is ten seconds and thirty
    outbox, kept = outbox_in(postgres), Kept(seconds=0.5)
    add(postgres, outbox, job(1, 1))
    async with running(relay_of(postgres, outbox, kept, lanes=1)):
        await until(lambda: "the relay's database cannot be used" in caplog.text)
        kept.seconds = 0
        await until(lambda: rows(postgres, WAITING) == [(0,)])
    assert "idle-in-transaction timeout" in caplog.text
    assert len(kept.sent) >= 2


async def test_nothing_is_published_of_a_read_only_database(postgres, caplog):
    outbox, kept, state = outbox_in(postgres), Kept(), {"default_transaction_read_only": "on"}
    add(postgres, outbox, job(1, 1))

    async def opened():
        return await psycopg.AsyncConnection.connect(with_options(postgres, **state))

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await Relay(opened, kept, outbox=outbox).drain()
    async with running(Relay(opened, kept, outbox=outbox, lanes=1)):
        await until(lambda: caplog.text.count("stamina.retry_scheduled") >= 3)  # it is backed off
        assert kept.sent == []
        state.clear()
        await until(lambda: rows(postgres, WAITING) == [(0,)])
    assert "the relay's database cannot be used, and is tried again: it is read-only" in caplog.text
    assert caplog.text.count("the relay has its database again") == 1


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
async def test_what_another_relay_has_marked_is_seen_at_any_isolation(postgres, level):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, job(1, 1))
    relay = Relay(with_options(postgres, default_transaction_isolation=level), kept, outbox=outbox, lanes=1)
    (lane,) = relay._lanes
    locked = lane._locked

    async def locked_late(connection, resting):
        found = await locked(connection, resting)
        with psycopg.connect(postgres.url) as other:
            other.execute(f"update {outbox.table} set published_at = now()")
        return found

    lane._locked = locked_late
    await relay.drain()
    assert kept.sent == []

"""Events are in the outbox exactly if the transaction commits, once by their key, and in the order of the commits."""

from __future__ import annotations

import threading

import psycopg
import pytest
import sqlalchemy
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from jobarium_events import Message
from jobarium_events.errors import DeclarationError
from jobarium_events.postgres import Added, Outbox
from tests.postgres.events import add, job, keys, outbox_in, packet, rows

FIRST_FORM = """
create table {0}.outbox_event (
    id uuid primary key, event_name text not null, event_version text not null, aggregate_type text not null,
    aggregate_id uuid not null, idempotency_key text not null, payload_json jsonb not null, published_at timestamptz,
    created_at timestamptz not null, unique (event_name, idempotency_key)
);
create index on {0}.outbox_event (published_at) where published_at is null
"""
OLD_ROW = """
insert into {0}.outbox_event (id, event_name, event_version, aggregate_type, aggregate_id, idempotency_key,
    payload_json, created_at)
values (gen_random_uuid(), 'job.updated', 'v1', 'job', gen_random_uuid(), gen_random_uuid(), '{{}}', now())
"""


def stored(database) -> list[str]:
    return [key for (key,) in rows(database, "select idempotency_key from outbox_event order by position")]


def test_an_event_is_there_exactly_if_the_transaction_commits(postgres):
    outbox = outbox_in(postgres)
    with psycopg.connect(postgres.url) as connection:
        assert outbox.add(connection, job(1, 1)) == Added(("job.updated:j-1:1",), ())
        connection.rollback()
        outbox.add(connection, job(1, 2))
    assert stored(postgres) == ["job.updated:j-1:2"]


def test_bytes_attributes_and_aggregate_are_kept_as_they_are(postgres):
    outbox = outbox_in(postgres)
    ordered, alone = job("ü/'\"\\{},", 1), packet(1)
    add(postgres, outbox, ordered, alone)
    found = rows(postgres, "select body, attributes, aggregate, id::text, event_version from outbox_event order by 1")
    assert found == sorted(
        (m.body, dict(m.attributes), m.ordering_key or m.attributes["event_id"], m.attributes["event_id"], "v1")
        for m in (ordered, alone)
    )


def test_a_key_is_added_once_and_said_to_be_known_after_that(postgres):
    outbox = outbox_in(postgres)
    add(postgres, outbox, job(1, 1))
    with psycopg.connect(postgres.url) as connection:
        added = outbox.add(connection, job(1, 1), job(1, 2), job(2, 1), job(1, 2))
    assert added.added == ("job.updated:j-1:2", "job.updated:j-2:1")
    assert added.known == ("job.updated:j-1:1", "job.updated:j-1:2")
    assert stored(postgres) == ["job.updated:j-1:1", "job.updated:j-1:2", "job.updated:j-2:1"]


def test_the_same_key_under_two_names_is_two_events(postgres):
    outbox = outbox_in(postgres)
    one = job(1, 1)
    other = Message(one.body, {**one.attributes, "event_name": "job.closed"}, one.ordering_key)
    with psycopg.connect(postgres.url) as connection:
        assert outbox.add(connection, one, other).known == ()


def test_two_transactions_with_one_key_add_it_once(postgres):
    outbox = outbox_in(postgres)
    told = []

    def second():
        with psycopg.connect(postgres.url) as connection:
            told.append(outbox.add(connection, packet(1)))

    with psycopg.connect(postgres.url) as connection:
        outbox.add(connection, packet(1))
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()  # whether the key is known depends on how the first transaction ends
    thread.join()
    assert told == [Added((), ("packet.ready:packet-1",))]


def test_positions_within_an_aggregate_follow_the_commits(postgres):
    outbox = outbox_in(postgres)
    begun = threading.Event()

    def second():
        with psycopg.connect(postgres.url) as connection:
            connection.execute("select 1")
            begun.set()
            outbox.add(connection, job(1, 2))

    with psycopg.connect(postgres.url) as connection:
        outbox.add(connection, job(1, 1))
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait()
        thread.join(0.3)
        assert thread.is_alive()  # it waits for this transaction
        outbox.add(connection, job(2, 1), job(1, 3))
    thread.join()
    assert stored(postgres) == [f"job.updated:j-{key}" for key in ("1:1", "2:1", "1:3", "1:2")]


def test_events_without_an_ordering_wait_for_nobody(postgres):
    outbox = outbox_in(postgres)
    with psycopg.connect(postgres.url) as one, psycopg.connect(postgres.url) as other:
        other.execute("set lock_timeout = '2s'")
        outbox.add(one, *(packet(number) for number in range(100)))
        assert len(outbox.add(other, *(packet(number) for number in range(100, 200))).added) == 100


def test_many_aggregates_at_once_do_not_use_up_the_locks_of_postgres(postgres):
    outbox = outbox_in(postgres)
    with psycopg.connect(postgres.url) as connection:
        outbox.add(connection, *(job(number, 1) for number in range(12_000)))
        (held,) = connection.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        ).fetchone()
        assert held == 1_024
        connection.rollback()


def test_transactions_that_add_to_the_same_aggregates_do_not_block_each_other_for_good(postgres):
    outbox = outbox_in(postgres)
    errors = []

    def adding(numbers, version):
        try:
            with psycopg.connect(postgres.url) as connection:
                outbox.add(connection, *(job(number, version) for number in numbers))
        except psycopg.Error as error:
            errors.append(error)

    numbers = list(range(50))
    threads = [threading.Thread(target=adding, args=(numbers[:: (-1) ** turn], turn)) for turn in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(stored(postgres)) == 500


async def test_async_connection(postgres):
    outbox = outbox_in(postgres)
    async with await psycopg.AsyncConnection.connect(postgres.url) as connection:
        assert (await outbox.add(connection, job(1, 1), job(1, 1))).known == ("job.updated:j-1:1",)
    assert stored(postgres) == ["job.updated:j-1:1"]


def test_row_factory_and_cursors_of_the_caller_do_not_matter(postgres):
    outbox = outbox_in(postgres)
    options = {"row_factory": dict_row, "cursor_factory": psycopg.RawCursor}
    with psycopg.connect(postgres.url, **options) as connection:
        assert len(outbox.add(connection, job(1, 1)).added) == 1


def test_nothing_to_add(postgres):
    outbox = outbox_in(postgres)
    with psycopg.connect(postgres.url) as connection:
        assert outbox.add(connection) == Added((), ())


def test_names_of_every_kind(postgres):
    table = "out\"box%s's {x}"
    outbox = outbox_in(postgres, table=table)
    with psycopg.connect(postgres.url) as connection:
        assert len(outbox.add(connection, job(1, 1)).added) == 1
        found = connection.execute(
            psycopg.sql.SQL("select 1 from {}").format(psycopg.sql.Identifier(postgres.schema, table))
        )
        assert found.fetchall() == [(1,)]


def test_a_name_too_long_for_its_indexes_is_refused():
    with pytest.raises(DeclarationError, match="at most 53 bytes"):
        Outbox(table="o" * 54)


def test_keys_that_postgres_cannot_hold_as_they_are(postgres):
    outbox = outbox_in(postgres)
    odd = [job("nul\0", 1), job("x" * 5_000, 1)]
    with psycopg.connect(postgres.url) as connection:
        assert outbox.add(connection, *odd).added == tuple(keys(odd))
        assert outbox.add(connection, *odd).known == tuple(keys(odd))
    assert [body for (body,) in rows(postgres, "select body from outbox_event order by position")] == [
        each.body for each in odd
    ]


@pytest.mark.parametrize("inside", [True, False])
def test_autocommit_is_refused_outside_of_a_transaction(postgres, inside):
    outbox = outbox_in(postgres)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        if inside:
            with connection.transaction():
                outbox.add(connection, job(1, 1))
        else:
            with pytest.raises(DeclarationError, match="is in autocommit"):
                outbox.add(connection, job(1, 1))
    assert len(stored(postgres)) == inside


async def test_autocommit_of_an_async_connection_is_refused(postgres):
    outbox = outbox_in(postgres)
    async with await psycopg.AsyncConnection.connect(postgres.url, autocommit=True) as connection:
        with pytest.raises(DeclarationError, match="is in autocommit"):
            await outbox.add(connection, job(1, 1))


def test_a_message_without_an_envelope_is_refused(postgres):
    outbox = outbox_in(postgres)
    with (
        psycopg.connect(postgres.url) as connection,
        pytest.raises(DeclarationError, match="the attribute 'idempotency_key'"),
    ):
        outbox.add(connection, Message(b"{}", {"event_name": "a", "event_version": "v1", "event_id": "x"}))


@pytest.mark.parametrize("other", [None, "postgresql://", object()])
def test_other_connections_are_refused(other):
    with pytest.raises(DeclarationError, match="an outbox needs a psycopg Connection"):
        Outbox().add(other, job(1, 1))


class TestAlchemy:
    @pytest.fixture
    def engine(self, postgres):
        engine = sqlalchemy.create_engine(postgres.sqlalchemy_url)
        yield engine
        engine.dispose()

    @pytest.fixture
    async def async_engine(self, postgres):
        engine = create_async_engine(postgres.sqlalchemy_url)
        yield engine
        await engine.dispose()

    def test_connection(self, postgres, engine):
        outbox = outbox_in(postgres)
        with engine.connect() as connection:
            outbox.add(connection, job(1, 1))
            connection.rollback()
            assert outbox.add(connection, job(1, 2)).added == ("job.updated:j-1:2",)
            connection.commit()
        assert stored(postgres) == ["job.updated:j-1:2"]

    @pytest.mark.parametrize("scoped", [False, True])
    def test_session(self, postgres, engine, scoped):
        outbox = outbox_in(postgres)
        session = scoped_session(sessionmaker(engine)) if scoped else Session(engine)
        outbox.add(session, job(1, 1))
        session.rollback()
        assert outbox.add(session, job(1, 2), job(1, 2)).known == ("job.updated:j-1:2",)
        session.commit()
        session.close()
        assert stored(postgres) == ["job.updated:j-1:2"]

    async def test_async_connection(self, postgres, async_engine):
        outbox = outbox_in(postgres)
        async with async_engine.begin() as connection:
            assert len((await outbox.add(connection, job(1, 1))).added) == 1
        assert stored(postgres) == ["job.updated:j-1:1"]

    async def test_async_session(self, postgres, async_engine):
        outbox = outbox_in(postgres)
        async with AsyncSession(async_engine) as session:
            await outbox.add(session, job(1, 1))
            await session.rollback()
            await outbox.add(session, job(1, 2))
            await session.commit()
        assert stored(postgres) == ["job.updated:j-1:2"]

    def test_another_driver_is_refused(self):
        engine = sqlalchemy.create_engine("sqlite://")
        with engine.connect() as connection, pytest.raises(DeclarationError, match="this engine through pysqlite"):
            Outbox().add(connection, job(1, 1))
        engine.dispose()

    def test_autocommit_is_refused(self, postgres, engine):
        outbox = outbox_in(postgres)
        with (
            engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
            pytest.raises(DeclarationError, match="is in autocommit"),
        ):
            outbox.add(connection, job(1, 1))
        assert stored(postgres) == []


def test_from_the_first_form(postgres):
    outbox = Outbox(schema=postgres.schema)
    with psycopg.connect(postgres.url) as connection:
        connection.execute(FIRST_FORM.format(postgres.schema))
        connection.execute(OLD_ROW.format(postgres.schema))
        connection.execute(outbox.expand)
        connection.execute(OLD_ROW.format(postgres.schema))  # the previous release runs on the migrated schema
        outbox.add(connection, job(1, 1))
        assert outbox.add(connection, job(1, 1)).known == ("job.updated:j-1:1",)
    assert rows(postgres, "select count(*), count(body), count(payload_json) from outbox_event") == [(3, 1, 2)]


def test_expanding_can_be_repeated(postgres):
    outbox = Outbox(schema=postgres.schema)
    with psycopg.connect(postgres.url, options="-c client_min_messages=warning") as connection:
        connection.execute(FIRST_FORM.format(postgres.schema))
        connection.execute(outbox.expand)
        outbox.add(connection, job(1, 1))
        connection.execute(outbox.expand)
        outbox.add(connection, job(1, 2))
        for column in ("aggregate_type", "aggregate_id", "payload_json"):
            connection.execute(f"alter table {outbox.table} drop column {column}")
            connection.execute(outbox.expand)
        outbox.add(connection, job(1, 3))
    assert rows(postgres, "select count(*) from outbox_event") == [(3,)]

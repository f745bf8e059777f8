"""What an outbox says to a wrong table, connection or message: the way out, and nothing of a payload."""

from __future__ import annotations

import sqlite3
import traceback

import psycopg
import pytest
import sqlalchemy
from psycopg_pool import AsyncConnectionPool, ConnectionPool
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from jobarium_events.errors import DeclarationError
from jobarium_events.postgres import NoTable, Outbox
from tests.postgres.events import job, outbox_in
from tests.postgres.test_outbox import FIRST_FORM

SENTINEL = "sentinel-9917"
FAILING = [
    "create function pg_temp.fail() returns trigger language plpgsql as $$ begin raise 'not today'; end $$",
    "create trigger fail before insert on {} for each row execute function pg_temp.fail()",
]


@pytest.fixture
def engine(postgres):
    engine = sqlalchemy.create_engine(postgres.sqlalchemy_url)
    yield engine
    engine.dispose()


@pytest.fixture
async def async_engine(postgres):
    engine = create_async_engine(postgres.sqlalchemy_url)
    yield engine
    await engine.dispose()


def whole(error: BaseException) -> str:
    """An error as it is logged, with its causes, and all that is in it."""
    errors, each = [], error
    while each is not None:
        errors.append(each)
        each = each.__cause__ or each.__context__
    return "".join(traceback.format_exception(error)) + "".join(repr(vars(each)) + repr(each.args) for each in errors)


class TestAlchemysErrors:
    """Those of the statement quote its parameters by themselves: payloads."""

    def test_a_statement_that_fails(self, postgres, engine):
        outbox = outbox_in(postgres)
        with Session(engine) as session:
            for statement in FAILING:
                session.execute(sqlalchemy.text(statement.format(outbox.table)))
            with pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
                outbox.add(session, job(SENTINEL, 1))
        assert "not today" in str(caught.value)
        assert SENTINEL not in whole(caught.value)

    def test_a_table_that_is_missing(self, postgres, engine):
        outbox = Outbox(schema=postgres.schema, table="nope")
        with engine.connect() as connection, pytest.raises(NoTable) as caught:
            outbox.add(connection, job(SENTINEL, 1))
        assert SENTINEL not in whole(caught.value)
        assert isinstance(caught.value.__cause__, sqlalchemy.exc.ProgrammingError)

    async def test_a_lock_that_is_waited_for_too_long(self, postgres, engine, async_engine):
        outbox = outbox_in(postgres)
        with engine.begin() as holder:
            outbox.add(holder, job(SENTINEL, 1))
            async with AsyncSession(async_engine) as session:
                await session.execute(sqlalchemy.text("set local lock_timeout = 100"))
                with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
                    await outbox.add(session, job(SENTINEL, 2))
        assert "lock timeout" in str(caught.value)
        assert SENTINEL not in whole(caught.value)

    async def test_a_table_that_is_missing_over_an_async_connection(self, postgres, async_engine):
        async with async_engine.connect() as connection:
            with pytest.raises(NoTable) as caught:
                await Outbox(table="nope").add(connection, job(SENTINEL, 1))
        assert SENTINEL not in whole(caught.value)


class TestTables:
    @pytest.mark.parametrize(
        ("given", "command"),
        [
            ({}, "jobarium-events outbox tables --schema {}"),
            ({"table": "my events"}, "jobarium-events outbox tables --schema {} --table 'my events'"),
        ],
    )
    def test_one_that_is_missing(self, postgres, given, command):
        outbox = Outbox(schema=postgres.schema, **given)
        with psycopg.connect(postgres.url) as connection, pytest.raises(NoTable) as caught:
            outbox.add(connection, job(1, 1))
        assert caught.value.command == command.format(postgres.schema)
        assert str(caught.value).startswith(f"{outbox.table} cannot be used: relation ")
        assert str(caught.value).endswith(f"does not exist; run the SQL that `{caught.value.command}` prints")
        assert isinstance(caught.value.__cause__, psycopg.errors.UndefinedTable)

    def test_a_schema_that_is_missing(self, postgres):
        with psycopg.connect(postgres.url) as connection, pytest.raises(NoTable, match="--schema no_such_schema"):
            Outbox(schema="no_such_schema").add(connection, job(1, 1))

    async def test_one_of_the_first_form(self, postgres):
        outbox = Outbox(schema=postgres.schema)
        with psycopg.connect(postgres.url) as connection:
            connection.execute(FIRST_FORM.format(postgres.schema))
        async with await psycopg.AsyncConnection.connect(postgres.url) as connection:
            with pytest.raises(NoTable, match=r"column .* does not exist; .* tables --schema \w+ --expand` prints"):
                await outbox.add(connection, job(1, 1))

    @pytest.mark.parametrize("columns", ["a int", "id uuid, event_name text"])
    def test_one_that_is_no_outbox(self, postgres, columns):
        with psycopg.connect(postgres.url) as connection:
            connection.execute(f"create table {postgres.schema}.other ({columns})")
            with pytest.raises(NoTable, match="so it is no outbox; name another by --table") as caught:
                Outbox(schema=postgres.schema, table="other").add(connection, job(1, 1))
        assert caught.value.command is None


class TestArguments:
    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ([job(1, 1)], r"not list; add several by `outbox.add\(connection, \*messages\)`"),
            ((each for each in [job(1, 1)]), "not generator; add several by"),
            ({"job_id": SENTINEL}, "not dict$"),
            (job(SENTINEL, 1).body, "not bytes$"),
            (None, "not NoneType$"),
        ],
    )
    def test_what_is_no_message(self, postgres, given, problem):
        with psycopg.connect(postgres.url) as connection, pytest.raises(DeclarationError, match=problem) as caught:
            Outbox().add(connection, given)
        assert SENTINEL not in str(caught.value)

    @pytest.mark.parametrize("kind", [ConnectionPool, AsyncConnectionPool])
    def test_a_pool_is_no_connection(self, postgres, kind):
        pool = kind(postgres.url, open=False)
        with pytest.raises(
            DeclarationError, match=rf"not psycopg_pool\..*{kind.__name__}; take a connection from it: `with pool"
        ):
            Outbox().add(pool, job(1, 1))

    @pytest.mark.parametrize(
        ("other", "named"), [(sqlite3.connect(":memory:"), "sqlite3.Connection"), ("postgresql://", "str")]
    )
    def test_what_is_no_connection_of_psycopgs_is_named_with_its_module(self, other, named):
        with pytest.raises(DeclarationError, match=rf"AsyncSession, not {named}$"):
            Outbox().add(other, job(1, 1))

"""What is Postgres's own about dead letters; what they share with the others is in tests/test_deadletter_stores.py."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from jobarium_events import DeadLetter
from jobarium_events.errors import UnknownVersion
from jobarium_events.postgres import AsyncPostgresDeadLetters, NoTable, PostgresDeadLetters

LETTER = DeadLetter(
    raw=b"{}",
    attributes={},
    consumer="taker",
    rejected_at=datetime.now(UTC),
    rejection=UnknownVersion("job.updated", "v9"),
)


@pytest.mark.parametrize("use", [lambda store: store(LETTER), lambda store: store.list()])
def test_a_table_that_is_missing_is_named_with_the_command_that_makes_it(postgres, use):
    store = PostgresDeadLetters(lambda: psycopg.connect(postgres.url), schema=postgres.schema)
    with pytest.raises(NoTable) as caught:
        use(store)
    assert str(caught.value) == (
        f'"{postgres.schema}"."dead_letter" cannot be used: relation "{postgres.schema}.dead_letter" does not exist; '
        f"run the SQL that `jobarium-events dead-letters tables --table {postgres.schema}.dead_letter` prints"
    )
    assert isinstance(caught.value.__cause__, psycopg.errors.UndefinedTable)


@pytest.mark.parametrize("use", [lambda store: store(LETTER), lambda store: store.list()])
def test_a_table_of_something_else_is_said(postgres, use):
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"create table {postgres.schema}.dead_letter (a int)")
    store = PostgresDeadLetters(lambda: psycopg.connect(postgres.url), schema=postgres.schema)
    with pytest.raises(
        NoTable, match=r"so it is no store of dead letters; name another by --table, in code by table=$"
    ):
        use(store)


async def test_a_table_that_is_missing_over_async_connections(postgres):
    async def connect() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(postgres.url, options=f"-c search_path={postgres.schema}")

    store = AsyncPostgresDeadLetters(connect)
    with pytest.raises(NoTable, match="`jobarium-events dead-letters tables` prints"):
        await store(LETTER)
    with pytest.raises(NoTable, match="`jobarium-events dead-letters tables` prints"):
        await store.list()

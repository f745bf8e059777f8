"""`jobarium-events inbox`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jobarium_events import Consumer
from jobarium_events.postgres import PostgresInbox
from jobarium_events.sqlite import SqliteInbox
from tests.cli.conftest import Run, said
from tests.inboxes import CATALOG, job
from tests.postgres.test_inbox import FIRST_FORM

AGED = "update {} set processed_at = {} where event_id in (select event_id from {} order by event_id limit 5)"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path: Path):
    """What names an inbox to a command, and how to ask its database; five of its seven events are old."""
    if request.param == "sqlite":
        path = str(tmp_path / "service.db")
        inbox: Any = SqliteInbox(path)
        handle(inbox)
        inbox.close()
        with sqlite3.connect(path) as connection:
            connection.execute(AGED.format("inbox_event", "'2026-01-01T00:00:00.000Z'", "inbox_event"))
        yield ["--database", f"sqlite:///{path}"], connection
        connection.close()
        return
    database = request.getfixturevalue("postgres")
    table = f"{database.schema}.inbox_event"
    with psycopg.connect(database.url, autocommit=True) as connection:
        inbox = PostgresInbox(lambda: psycopg.connect(database.url), schema=database.schema)
        connection.execute(inbox.tables)
        handle(inbox)
        connection.execute(AGED.format(table, "now() - interval '31 days'", table))
        connection.execute(f"set search_path = {database.schema}")
        yield ["--database", database.url, "--schema", database.schema], connection


def handle(inbox: Any) -> None:
    consumer = Consumer(CATALOG, name="taker", inbox=inbox)
    consumer.on("job.updated", "v1")(lambda _: None)
    for number in range(7):
        consumer.consume(job(number, f"j-{number}").body)


def count(connection: Any, table: str) -> int:
    return connection.execute(f"select count(*) from {table}").fetchone()[0]


def test_what_was_handled_long_ago_is_forgotten_in_batches(run: Run, place):
    options, connection = place
    ended = run("inbox", "prune", "--older-than", "30d", "--batch", 2, *options)
    assert (ended.code, ended.out, ended.err) == (0, "5 events forgotten\n", "")
    assert (count(connection, "inbox_event"), count(connection, "inbox_position")) == (2, 7)
    assert run("inbox", "prune", "--older-than", "30d", *options).out == "0 events forgotten\n"


def test_the_database_may_be_told_by_the_environment(run: Run, place, monkeypatch):
    (_, url, *schema), _ = place
    monkeypatch.setenv("DATABASE_URL", url)
    assert run("inbox", "prune", "--older-than", "1w", *schema).out == "5 events forgotten\n"


def test_tables_of_other_names(run: Run, postgres):
    names = ["--schema", postgres.schema, "--event-table", "handled", "--position-table", "places"]
    with psycopg.connect(postgres.url) as connection:
        connection.execute(run("inbox", "tables", *names).out)
    ended = run("inbox", "prune", "--older-than", "30d", "--database", postgres.url, *names)
    assert (ended.code, ended.out) == (0, "0 events forgotten\n")


def test_the_sql_for_a_table_of_the_first_form(run: Run, postgres):
    with psycopg.connect(postgres.url, options=f"-c search_path={postgres.schema}") as connection:
        connection.execute(FIRST_FORM)
        connection.execute(run("inbox", "tables", "--expand").out)
        found = connection.execute("select idempotency_key from inbox_event").fetchall()
    assert found == []


def test_a_table_that_is_missing(run: Run, postgres):
    ended = run("inbox", "prune", "--older-than", "30d", "--database", postgres.url, "--schema", postgres.schema)
    assert ended.code == 2
    assert f"run the SQL that `jobarium-events inbox tables --schema {postgres.schema}` prints" in ended.err


def test_a_table_that_is_no_inbox(run: Run, postgres):
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"create table {postgres.schema}.inbox_event (a int)")
    ended = run("inbox", "prune", "--older-than", "30d", "--database", postgres.url, "--schema", postgres.schema)
    assert ended.code == 2
    assert "so it is no inbox; name others by --event-table and --position-table" in ended.err


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite:///no/such/file.db", "there is no file no/such/file.db"),
        ("mysql://root:secret@host", "the database must be named by a URL: postgresql://..., or sqlite:///path"),
        ("postgresql+psycopg://postgres:secret@host/x", "write postgresql://"),
        ("postgresql://postgres:secret@127.0.0.1:1/x", "the database cannot be used: "),
    ],
)
def test_a_database_that_cannot_be_used(run: Run, url, problem):
    ended = run("inbox", "prune", "--older-than", "30d", "--database", url)
    assert ended.code == 2
    assert problem in ended.err
    assert "secret" not in ended.err


def test_a_file_that_is_no_inbox_is_named(run: Run, tmp_path: Path):
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("create table inbox_event (processed_at, number)")
    connection.close()
    ended = run("inbox", "prune", "--older-than", "30d", "--database", f"sqlite:///{tmp_path / 'other.db'}")
    assert ended.code == 2
    assert f"the database cannot be used: {tmp_path / 'other.db'}: no such column" in ended.err
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("inbox_event",)]


def test_a_wrong_file_is_told_and_left_as_it_is(run: Run, tmp_path: Path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table mine (a)")
    connection.close()
    before = path.read_bytes()
    ended = run("inbox", "prune", "--older-than", "30d", "--database", f"sqlite:///{path}")
    assert ended.code == 2
    assert f"{path} has no table inbox_event; a consumer makes it when it first has" in ended.err
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.glob("other.db*")] == ["other.db"]


@pytest.mark.parametrize("option", [["--older-than", "9999999d"], ["--older-than", "30d", "--batch", 10**20]])
def test_numbers_beyond_what_there_is(run: Run, place, option):
    options, connection = place
    ended = run("inbox", "prune", *option, *options)
    assert ended.code == 2
    assert "before the year 1" in said(ended.err) or "has to be 2147483648 or less" in said(ended.err)
    assert count(connection, "inbox_event") == 7


def test_a_file_has_no_schemas(run: Run, tmp_path: Path):
    options = ["--database", f"sqlite:///{tmp_path / 'service.db'}", "--schema", "matching"]
    ended = run("inbox", "prune", "--older-than", "30d", *options)
    assert ended.code == 2
    assert "a file has no schemas" in said(ended.err)

"""`db install` makes the library's own tables, and says what it did."""

from __future__ import annotations

import psycopg
import pytest

from tests.cli.conftest import said
from tests.migrations.conftest import database  # noqa: F401 - a fixture
from tests.migrations.own.test_own import SCHEMA
from tests.postgres.test_outbox import FIRST_FORM, OLD_ROW

TABLES = ("outbox_event", "inbox_event", "dead_letter")


@pytest.fixture
def where(database, tmp_path, monkeypatch):  # noqa: F811 - the fixture
    monkeypatch.chdir(tmp_path)
    return "--database", database, "--environment", "production", "--operator", "ada"


def test_it_says_what_it_did(run, where):
    ended = run("db", "install", *where)
    assert (ended.code, ended.out.splitlines()[-3:]) == (0, [f"made   public.{table}" for table in TABLES])
    assert run("db", "install", *where).out.split() == [
        word for table in TABLES for word in ("found", f"public.{table}")
    ]


def test_how_it_goes(run, where):
    """A table with many rows is moved for long, and so each step is told."""
    with psycopg.connect(where[1], autocommit=True) as connection:
        connection.execute(FIRST_FORM.format("public"))
        connection.execute(OLD_ROW.format("public"))
        told = run("db", "install", *where, "--only", "outbox").out.splitlines()
        assert told[0] == "0002_outbox_columns@public.outbox_event  up 1 of 7, line 16  ..."
        filled = "0003_outbox_positions@public.outbox_event  backfill  100.0%  1 rows visited, 1 changed  "
        assert (told[-2].startswith(filled), told[-1]) == (True, "moved  public.outbox_event")
        connection.execute("drop index outbox_event_held")
        told = run("db", "install", *where, "--only", "outbox").out.splitlines()
    assert [line.split()[-1] for line in told] == ["...", "done", "public.outbox_event"]
    assert told[-1] == "mended public.outbox_event"


def test_some_of_them_by_other_names(run, where):
    with psycopg.connect(where[1], autocommit=True) as connection:
        connection.execute("create schema billing")
    ended = run(
        "db", "install", *where, "--schema", "billing", "--only", "outbox", "--only", "dead-letters",
        "--outbox-table", "sent", "--dead-letters-table", "lost",
    )  # fmt: skip
    assert (ended.code, ended.out.splitlines()[-2:]) == (0, ["made   billing.sent", "made   billing.lost"])


def test_the_sql_is_that_of_the_schema(run, monkeypatch):
    ended = run("db", "install", "--sql")
    assert ended.code == 0
    assert ended.out == SCHEMA.partition("\n\n")[2]
    only = run("db", "install", "--sql", "--only", "inbox", "--event-table", "handled")
    assert '"handled"' in only.out
    assert "outbox_event" not in only.out


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--only", "everything"], "it is one of outbox, inbox, dead-letters, not 'everything'"),
        (["--event-table", "t" * 60], "longer than the 63 bytes"),
        (["--database", "mysql://a"], "write postgresql://"),
        (["--wait", "soon"], "'soon' is not a number and ms, s, m or h, as in 30s"),
        (["--database", "postgresql://nobody@127.0.0.1:1/none"], "the database cannot be used"),
    ],
)
def test_misuse(run, where, options, problem):
    ended = run("db", "install", *where, *options)
    assert (ended.code, problem in said(ended.err)) == (2, True), ended.err


def test_what_it_needs_to_know(run, where, monkeypatch):
    for name in ("DATABASE_URL", "JOBARIUM_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    assert "--database: say which, or set DATABASE_URL" in said(run("db", "install").err)
    ended = run("db", "install", "--database", where[1])
    assert (ended.code, "--environment: say which, or set JOBARIUM_ENVIRONMENT" in said(ended.err)) == (2, True)


def test_the_environment_is_one_of_the_settings(run, where, tmp_path):
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "migrations.toml").write_text("[environments.staging]\n")
    ended = run("db", "install", *where)
    assert (ended.code, "has no environment 'production'; it has staging" in said(ended.err)) == (2, True)
    assert run("db", "install", *where, "--environment", "staging").code == 0


def test_a_table_of_somebody_else(run, where):
    with psycopg.connect(where[1], autocommit=True) as connection:
        connection.execute("create table dead_letter (mine int)")
        ended = run("db", "install", *where)
        assert (ended.code, ended.out) == (1, "")
        assert "public.dead_letter cannot be used: it has no column id, raw" in said(ended.err)
        assert "but mine; expected are the tables as `db install --sql` prints them; name other tables" in said(
            ended.err
        )
        assert connection.execute("select to_regclass('outbox_event')").fetchone() == (None,)
        connection.execute("drop table dead_letter")
    assert run("db", "install", *where).code == 0

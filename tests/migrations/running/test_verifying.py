"""A check holds if its query returns what it must, and says what is wrong without a text of a row."""

from __future__ import annotations

import threading
from datetime import date

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.files.migration import Check, read_migration
from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.running.verifying import verify
from tests import servers
from tests.conftest import found as server_found
from tests.migrations.written import write
from tests.strategies import some


@pytest.fixture
def session(each_database):
    with psycopg.connect(each_database, autocommit=True) as connection:
        connection.execute("create table job (id int, title text)")
        connection.execute("insert into job select n, 'Secret ' || n from generate_series(1, 20) as n")
        yield connection


def asked(session, query, *rows):
    """What came of one check."""
    (statement,) = parse(query, line=7)
    (found,) = verify(session, [Check("the name", statement, tuple(rows))])
    assert found.name == "the name"
    return found


@pytest.mark.parametrize(
    ("query", "returns"),
    [
        ("select count(*) from job", "20"),
        ("select sum(id) from job", "210"),
        ("select avg(id) from job", "10.5"),
        ("select 0.1::numeric", "0.1"),
        ("select true", "true"),
        ("select id, title from job order by id limit 2", '[[1, "Secret 1"], [2, "Secret 2"]]'),
        ("select 1 where false", "nothing"),
        ("select '2026-11-02 20:00+01'::timestamptz", "2026-11-02T19:00:00Z"),
        ("select '2026-11-02'::date", "2026-11-02"),
        ("select '0199c7a8-0000-7000-8000-000000000000'::uuid", '"0199c7a8-0000-7000-8000-000000000000"'),
        ("select count(*) filter (where title like 'Secret%') from job", "20"),
    ],
)
def test_what_a_file_says_is_compared_with_what_postgres_returns(session, tmp_path, query, returns):
    migration = read_migration(write(tmp_path, "0001_a", verify=f"-- returns: {returns}\n{query};"))
    (found,) = verify(session, migration.checks)
    assert (found.ok, found.problem) == (True, "")


@pytest.mark.parametrize(
    ("query", "rows", "problem"),
    [
        ("select count(*) from job", [(0,)], "line 7: must return 0, and returned 20"),
        ("select 1", [(True,)], "line 7: must return true, and returned 1"),
        ("select '1'", [(1,)], "line 7: must return 1, and returned a text"),
        ("select null", [(0,)], "line 7: must return 0, and returned null"),
        ("select 1 where false", [(0,)], "line 7: must return 0, and returned nothing"),
        ("select id, title from job limit 1", [], "line 7: must return nothing, and returned at least 1 row"),
        ("select title from job limit 3", [], "line 7: must return nothing, and returned at least 1 row"),
        ("select title from job", [("x",)], 'line 7: must return "x", and returned more than 1 row'),
        ("select title from job limit 1", [("x",)], 'line 7: must return "x", and returned another text'),
        (
            "select title from job limit 1",
            [(date(2026, 11, 2),)],
            "line 7: must return 2026-11-02, and returned a text",
        ),
        ("select 1", [("1",)], 'line 7: must return "1", and returned 1'),
        ("select id from job", [(1,), (2,)], "line 7: must return 2 rows, and returned more than 2 rows"),
        ("select 1, 2", [(1,)], "line 7: must return 1, and of the 1 row that it returned 1 differs"),
        ("select 1, 1000", [(1, 2)], "line 7: must return 1 row, and of the 1 row that it returned 1 differs"),
        (
            "select n * 1000 from generate_series(1, 3) as n",
            [(1000,), (7,), (8,)],
            "must return 3 rows, and of the 3 rows that it returned 2 differ",
        ),
        ("select 'NaN'::numeric", [(0,)], "line 7: must return 0, and returned nan"),
        ("select 'Infinity'::float", [(0,)], "line 7: must return 0, and returned inf"),
        ("select nothing from job", [(0,)], 'line 7: column "nothing" does not exist'),
        ("select title::int from job", [(0,)], "line 7: invalid text representation; what Postgres says of it may"),
        (
            "with gone as (delete from job returning 1) select count(*) from gone",
            [(20,)],
            "must not contain data-modifying",
        ),
    ],
)
def test_what_is_wrong_is_said_without_a_text_of_a_row(session, query, rows, problem):
    found = asked(session, query, *rows)
    assert (found.ok, problem in found.problem, "Secret" in found.problem) == (False, True, False), found.problem
    assert session.execute("select count(*) from job").fetchone() == (20,)


def test_all_are_asked_whatever_comes_of_each(session):
    queries = ("select 2", "select x", "select 1")
    checks = [Check(query, parse(query)[0], ((1,),)) for query in queries]
    assert [found.ok for found in verify(session, checks)] == [False, False, True]


def test_no_more_is_read_than_it_takes(session):
    assert "more than 2 rows" in asked(session, "select generate_series(1, 100000000)", (1,), (2,)).problem


def test_a_lost_connection_is_no_answer(session, each_database):
    with psycopg.connect(each_database, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s)", [session.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        asked(session, "select 1", (1,))


@pytest.fixture(scope="module")
def shared():
    with psycopg.connect(server_found("postgres", servers.postgres_url), autocommit=True) as connection:
        yield connection


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0'\\"), max_size=5)
values = st.one_of(st.booleans(), st.integers(-(2**31), 2**31 - 1), texts)


@some
@given(st.lists(st.tuples(values, values), max_size=4), st.lists(st.tuples(values, values), max_size=4))
def test_rows_are_equal_exactly_if_their_values_and_kinds_are(shared, there, wanted):
    for place, row_there in enumerate(there):
        row = wanted[place : place + 1]
        same = [tuple(map(kind, row_there))] == [tuple(map(kind, each)) for each in row]
        (statement,) = parse(f"select {', '.join(map(literal, row_there))}")
        (found,) = verify(shared, [Check("it", statement, tuple(row))])
        assert found.ok == same


def literal(value):
    if isinstance(value, bool):
        return str(value).lower()
    return f"({value})" if isinstance(value, int) else f"'{value}'::text"


def kind(value):
    return (type(value), value)


def test_a_query_that_gets_no_lock_or_takes_too_long_ends(session, each_database):
    environment = Environment(lock_timeout=Span(0.1), statement_timeout=Span(0.5), attempts=2)
    checks = [Check(query, parse(query)[0], ((1,),)) for query in ("select count(*) from job", "select pg_sleep(60)")]
    with psycopg.connect(each_database) as other:
        other.execute("lock table job in access exclusive mode")
        held, slow = verify(session, checks, environment)
    assert "lock timeout" in held.problem
    assert "statement timeout" in slow.problem
    assert session.execute("show statement_timeout").fetchone() == ("0",)


def test_a_query_is_asked_again_once_it_gets_its_lock(session, each_database):
    environment = Environment(lock_timeout=Span(0.1), attempts=100)
    query = "select count(*) from job"
    other = psycopg.connect(each_database)
    other.execute("lock table job in access exclusive mode")
    leaving = threading.Timer(0.5, other.close)
    leaving.start()
    (found,) = verify(session, [Check(query, parse(query)[0], ((20,),))], environment)
    leaving.join()
    assert found.ok, found.problem

"""What is told of each statement is what a live Postgres does; on the Postgres that was found, and on the newest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from jobarium_events.migrations.files.parsing import Statement, enum_name, parse
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.locking.commands import COMMANDS
from jobarium_events.migrations.lint.locking.effects import TOLD, Effects, Lock, LockMode, effects
from jobarium_events.migrations.lint.locking.functions import steady_functions
from tests import servers
from tests.conftest import found, fresh_name
from tests.migrations.conftest import SERVERS, fresh_database
from tests.migrations.lint.examples import MATERIALIZED, PARTED, VIEW
from tests.migrations.lint.examples_around import AROUND
from tests.migrations.lint.examples_columns import COLUMNS
from tests.migrations.lint.examples_constraints import CONSTRAINTS
from tests.migrations.lint.examples_heirs import HEIRS, NAMES
from tests.migrations.lint.examples_indexes import INDEXES
from tests.migrations.lint.examples_tables import TABLES
from tests.migrations.lint.locking.examples_along import ALONG
from tests.migrations.lint.locking.examples_named import NAMED
from tests.migrations.lint.locking.examples_partitions import PARTITIONS
from tests.migrations.lint.observing import BASE, Example, Observed, observed

EXAMPLES = (*COLUMNS, *CONSTRAINTS, *INDEXES, *TABLES, *AROUND, *HEIRS, *NAMES, *PARTITIONS, *ALONG, *NAMED)


@pytest.fixture(scope="module", params=SERVERS)
def module_database(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A database for all examples, which each of them empties, and the version of its Postgres."""
    is_newest = request.param == "newest"
    url = request.getfixturevalue("newest_postgres") if is_newest else found("postgres", servers.postgres_url)
    for name in fresh_database(url):
        with psycopg.connect(name) as connection:
            version = connection.info.server_version // 10_000
        yield name, version


def told(example: Example, version: int) -> Effects:
    return effects(one(example.sql), Schema().apply_all(parse(BASE + example.before)), version)


def one(sql: str) -> Statement:
    (statement,) = parse(sql)
    return statement


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.id for example in EXAMPLES])
def test_what_is_told_is_what_happens(module_database, example):
    url, version = module_database
    if version < example.since:
        with pytest.raises(psycopg.Error):
            observed(url, example)
        return
    verdict = told(example, version)
    assert Observed(verdict.locks, verdict.rewrite, verdict.scan) == observed(url, example)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.id for example in EXAMPLES])
def test_each_kind_has_a_word(example):
    assert told(example, 18).kind == example.kind


ELSEWHERE = {"alter_table_move_all_stmt", "drop_owned_stmt", "reassign_owned_stmt"}
"""Those that need a tablespace or a role, which outlive a database; see the tests of both."""


def test_all_that_the_tables_of_locks_name_has_an_example():
    statements = [one(example.sql) for example in EXAMPLES]
    kinds = {each.kind for each in statements}
    altered = [each.node.cmds for each in statements if each.kind == "alter_table_stmt"]
    assert TOLD.keys() - ELSEWHERE <= kinds
    assert {*COMMANDS} <= {enum_name(each.alter_table_cmd, "subtype") for commands in altered for each in commands}


@pytest.fixture
def tablespace(module_database) -> Iterator[str]:
    name = fresh_name()
    with closing(psycopg.connect(module_database[0], autocommit=True)) as connection:
        connection.execute("set allow_in_place_tablespaces = on")
        connection.execute(f"create tablespace {name} location ''")
        yield name
        connection.execute(f"drop tablespace {name}")


@pytest.fixture
def role(module_database) -> Iterator[str]:
    name = fresh_name()
    with closing(psycopg.connect(module_database[0], autocommit=True)) as connection:
        connection.execute(f"create role {name}")
        yield name
        connection.execute(f"drop owned by {name} cascade")
        connection.execute(f"drop role {name}")


@pytest.mark.parametrize(
    "sql", ["alter table job set tablespace {}", "alter table all in tablespace pg_default set tablespace {}"]
)
def test_another_tablespace_writes_a_table_anew(module_database, tablespace, sql):
    url, version = module_database
    example = Example(id="", kind="set-tablespace", sql=sql.format(tablespace), before=MATERIALIZED + PARTED)
    seen, verdict = observed(url, example), told(example, version)
    assert verdict.kind == example.kind
    assert (verdict.locks, verdict.rewrite) == (seen.locks, seen.rewrite)
    assert seen.rewrite


def test_another_tablespace_writes_materialized_views_anew(module_database, tablespace):
    url, version = module_database
    sql = f"alter materialized view all in tablespace pg_default set tablespace {tablespace}"
    example = Example(id="", kind="set-tablespace", sql=sql, before=MATERIALIZED)
    seen, verdict = observed(url, example), told(example, version)
    assert verdict.locks == seen.locks == (Lock("counts", LockMode.ACCESS_EXCLUSIVE),)
    assert verdict.rewrite
    assert seen.rewrite


@pytest.mark.parametrize(
    "sql", ["alter index job_pkey set tablespace {}", "alter index all in tablespace pg_default set tablespace {}"]
)
def test_an_index_that_is_moved_is_locked_and_queries_of_its_table_wait(module_database, tablespace, sql):
    url, version = module_database
    example = Example(id="", kind="", sql=sql.format(tablespace))
    assert observed(url, example) == Observed((), rewrite=False, scan=False)
    with closing(psycopg.connect(url)) as connection, closing(psycopg.connect(url, autocommit=True)) as reader:
        connection.execute(example.sql)
        query = "select relation::regclass::text, mode from pg_locks where pid = pg_backend_pid() and relation > 16383"
        held = {Lock(table, LockMode(mode)) for table, mode in connection.execute(query)}
        reader.execute("set lock_timeout = '20ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            reader.execute("select title from job where id = 1")
        connection.rollback()
    verdict = told(example, version)
    assert (set(verdict.locks), verdict.rewrite) == (held, False)


@pytest.mark.parametrize(
    ("before", "sql", "tables"),
    [
        ("", "alter table all in tablespace fast set tablespace slow", ["employer", "job"]),
        ("create table a (x int) tablespace fast;", "alter table all in tablespace fast set tablespace slow", ["a"]),
        (
            "create table a (x int) tablespace fast; alter table elsewhere add x int;",
            "alter table all in tablespace fast set tablespace slow",
            ["a", "elsewhere"],
        ),
        ("", "alter materialized view all in tablespace fast set tablespace slow", []),
        ("", "alter index all in tablespace fast set tablespace slow", ["employer_pkey", "job_pkey"]),
        ("create index i on job (id) tablespace fast;", "alter index all in tablespace fast set tablespace x", ["i"]),
    ],
)
def test_of_another_tablespace_those_are_told_that_may_be_there(before, sql, tables):
    """Nothing says where all of a database is; that is told where no file has put anything there by its name."""
    verdict = effects(one(sql), Schema().apply_all(parse(BASE + before)), 18)
    assert [lock.table for lock in verdict.locks] == tables
    assert {lock.mode for lock in verdict.locks} <= {LockMode.ACCESS_EXCLUSIVE}


@pytest.mark.parametrize("sql", ["reassign owned by {} to current_user", "drop owned by {}"])
def test_all_that_a_role_owns_is_locked(module_database, role, sql):
    url, version = module_database
    kind = "reassign-owned" if sql.startswith("reassign") else "drop-owned"
    owned = "".join(f"alter table {name} owner to {role};" for name in ("job", "employer", "titles", "counts"))
    example = Example(id="", kind=kind, sql=sql.format(role), before=VIEW + MATERIALIZED + owned)
    seen, verdict = observed(url, example), told(example, version)
    assert (verdict.kind, verdict.locks, verdict.rewrite) == (kind, seen.locks, seen.rewrite)
    assert {lock.table for lock in seen.locks} == {"job", "employer", "titles", "counts"}


@pytest.mark.parametrize("sql", ["alter table job add x int default f(1)", "alter table job add x int default a.now()"])
def test_a_function_that_is_not_of_postgres_counts_as_volatile(sql):
    assert effects(one(sql), Schema(), 18).rewrite


def test_the_steady_functions_are_those_of_this_postgres(module_database):
    """Of every one that is listed no variant is volatile; and of those that are not listed, no one is missing."""
    query = """
    select proname, bool_or(provolatile = 'v') from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and prokind in ('f', 'a', 'w')
      and not ('internal'::regtype = any (proargtypes) or 'cstring'::regtype = any (proargtypes)
               or prorettype in ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype, 'event_trigger'::regtype))
    group by proname"""
    with closing(psycopg.connect(module_database[0])) as connection:
        volatile = dict(connection.execute(query).fetchall())
        operators = connection.execute(
            "select count(*) from pg_operator o join pg_proc p on p.oid = o.oprcode where p.provolatile = 'v'"
        ).fetchone()
    assert operators == (0,)
    assert not [name for name in steady_functions() if volatile.get(name)]
    assert {name for name, is_volatile in volatile.items() if not is_volatile} <= steady_functions()


def test_an_index_whose_table_is_not_known_stands_for_it():
    assert effects(one("drop index i"), Schema(), 18).locks == (Lock("i", LockMode.ACCESS_EXCLUSIVE),)


@pytest.mark.parametrize("version", range(13, 19))
def test_what_differs_between_versions(version):
    """Those that run nowhere here are told from what Postgres says of them, see `versions`."""
    schema = Schema().apply_all(parse("create table a (x int); create table b () inherits (a)"))

    def modes(sql):
        return {lock.table: lock.mode for lock in effects(one(sql), schema, version).locks}

    newest = version == 18
    assert modes("grant select on a to public") == ({"a": LockMode.ACCESS_SHARE} if newest else {})
    heirs = LockMode.SHARE_UPDATE_EXCLUSIVE if newest else LockMode.ACCESS_SHARE
    assert modes("analyze a") == {"a": LockMode.SHARE_UPDATE_EXCLUSIVE, "b": heirs}
    assert ("b" in modes("alter table a add check (x > 0) no inherit")) is newest
    assert ("b" in modes("alter table a add unique (x)")) is newest
    assert ("b" in modes("vacuum a")) is newest
    assert ("b" in modes("alter table only a alter x drop not null")) is newest
    schema = Schema().apply_all(
        parse("create table a (x int) partition by list (x); create table b partition of a default")
    )
    assert ("b" in modes("alter table a alter x add generated always as identity")) is (version >= 17)


def test_the_modes_are_in_the_order_of_their_strength():
    assert [mode.strength for mode in LockMode] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [mode.words for mode in LockMode if mode.blocks_writes] == [
        *("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
    ]
    assert [mode for mode in LockMode if mode.blocks_reads] == [LockMode.ACCESS_EXCLUSIVE]

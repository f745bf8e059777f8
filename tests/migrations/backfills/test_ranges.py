"""Ranges of keys of any type follow each other without a gap, and what cannot be gone through is refused."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations import Environment
from jobarium_events.migrations.backfills.backfilling import forget, run
from jobarium_events.migrations.backfills.ranges import Ranges
from jobarium_events.migrations.backfills.refusals import BackfillRefused
from tests.migrations.tallies import COUNT, execute, ran, rows, written
from tests.strategies import examples

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
moments = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001 - the strategy adds the offset
    datetime(9999, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
TYPES = {
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "uuid": st.uuids(),
    "text": texts,
    'text collate "C"': texts,
    "varchar(20)": texts,
    "timestamptz": moments,
    "timestamp": moments.map(lambda moment: moment.replace(tzinfo=None)),
    "date": st.dates(),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
    "double precision": st.floats(allow_nan=False, allow_infinity=False),
    "interval": st.timedeltas(),
    "bytea": st.binary(max_size=4),
    "boolean": st.booleans(),
}


class Stopped(Exception):
    """A run was broken off."""


@pytest.fixture
def connection(database):
    with psycopg.connect(database, autocommit=True) as made:
        yield made


@given(st.data())
@examples(60)
def test_each_row_once_for_any_key_and_batches_wherever_it_is_broken_off(tmp_path_factory, connection, data):
    """Runs are broken off in the middle of a batch, and sessions write and read values in different ways."""
    kinds = data.draw(st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=3))
    keys = data.draw(st.lists(st.tuples(*(TYPES[kind] for kind in kinds)), max_size=30, unique=True))
    names = [f"k{place}" for place, _ in enumerate(kinds)]
    columns = ", ".join(names)
    order = data.draw(st.sampled_from(["asc", "desc nulls first"]))
    connection.execute("drop table if exists job")
    typed = ", ".join(f"{name} {kind} not null" for name, kind in zip(names, kinds, strict=True))
    connection.execute(f"create table job ({typed}, n int not null default 0)")
    connection.execute(f"create unique index on job ({', '.join(f'{name} {order}' for name in names)})")
    slots = ", ".join(["%s"] * len(names))
    # Two that Postgres holds for one, such as a moment written in two ways, are one row.
    connection.cursor().executemany(f"insert into job ({columns}) values ({slots}) on conflict do nothing", keys)
    bounds = [", ".join(f"${place + start}" for place, _ in enumerate(names, 1)) for start in (0, len(names))]
    migration = written(
        tmp_path_factory.mktemp("ranges"),
        key=tuple(names),
        statement=f"update job set n = n + 1 where ({columns}) between ({bounds[0]}) and ({bounds[1]})",
        batch_rows=data.draw(st.integers(1, 12)),
        batch_time=data.draw(st.sampled_from(["1ms", "100ms"])),
    )
    forget(connection, migration)
    style, zone = data.draw(st.sampled_from([("SQL, DMY", "UTC"), ("German", "Asia/Kolkata"), ("Postgres", "MST")]))
    done = None
    while done is None or not done.is_complete:
        left = data.draw(st.integers(0, 4))
        done = _run(connection, migration, left, {"datestyle": style, "timezone": zone, "extra_float_digits": "-3"})
        style, zone = "ISO, MDY", "Europe/Berlin"
    assert {n for (n,) in connection.execute("select n from job")} <= {1}
    assert done.passed == done.rows == connection.execute("select count(*) from job").fetchone()[0]


def _run(connection, migration, batches, settings):
    """Run a backfill for a few batches, at the end of which it loses its session before the commit."""
    count = 0

    def break_off(made):
        raise Stopped

    def connect():
        made = psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True)
        for name, value in settings.items():
            made.execute("select set_config(%s, %s, false)", [name, value])
        return made

    def watch(found):
        nonlocal count
        count += 1
        if count == batches:
            raise Stopped

    finished = break_off if batches == 1 else None
    try:
        return run(connect, migration, Environment(), stop=threading.Event(), watch=watch, finished=finished)
    except Stopped:
        return None


def test_infinity_and_what_is_no_number(database, tmp_path):
    execute(database, "create table job (id numeric, at timestamptz, n int not null default 0, primary key (id, at))")
    ids, moments = "{NaN,-1,0.10,1e20}", "{-infinity,infinity,0044-03-15 BC,2026-01-01}"
    execute(database, "insert into job select a, b from unnest(%s::numeric[]) a, unnest(%s::timestamptz[]) b",
            [ids, moments])  # fmt: skip
    statement = "update job set n = n + 1 where (id, at) between ($1, $2) and ($3, $4)"
    ran(database, written(tmp_path, key=("id", "at"), statement=statement, batch_rows=1, batch_time="1ms"))
    assert rows(database, "select distinct n from job") == [(1,)]


def test_texts_that_a_collation_orders_otherwise_than_bytes(database, tmp_path):
    execute(database, 'create table job (id text collate "und-x-icu" primary key, n int not null default 0)')
    letters = "select chr(c) || chr(d) from generate_series(33, 255) c, (values (65), (97)) v (d)"
    execute(database, f"insert into job {letters} where c not between 127 and 160")
    ran(database, written(tmp_path, batch_rows=7, batch_time="1ms"))
    assert rows(database, "select distinct n from job") == [(1,)]


def test_a_partitioned_table_and_odd_names(database, tmp_path):
    execute(database, 'create schema "My App"')
    execute(database, 'create table "My App"."Job""s" ("I d" int, at date, n int not null default 0, '
            'primary key ("I d", at)) partition by range (at)')  # fmt: skip
    execute(
        database, """create table early partition of "My App"."Job""s" for values from (minvalue) to ('2026-01-01')"""
    )
    execute(
        database, """create table late partition of "My App"."Job""s" for values from ('2026-01-01') to (maxvalue)"""
    )
    execute(database, """insert into "My App"."Job""s" select n, date '2025-12-01' + n from generate_series(1, 90) n""")
    statement = """update "My App"."Job""s" set n = n + 1 where ("I d", at) between ($1, $2) and ($3, $4)"""
    migration = written(tmp_path, table='"My App"."Job""s"', key=("I d", "at"), statement=statement, batch_rows=11)
    assert ran(database, migration).passed == 90
    assert rows(database, """select distinct n from "My App"."Job""s" """) == [(1,)]


MADE = {
    "no table": ("select 1", "there is no table job"),
    "a view": ("create table t (id int primary key, n int); create view job as select * from t", "is a view"),
    "no such column": ("create table job (key int primary key, n int)", "none of this name"),
    "may be null": ("create table job (id int unique, n int)", "may be null"),
    "not unique": ("create table job (id int not null, n int); create index on job (id)", "no unique index"),
    "partial": (
        "create table job (id int not null, n int); create unique index on job (id) where n > 0",
        "no unique index",
    ),
    "deferrable": ("create table job (id int primary key deferrable, n int)", "no unique index"),
    "by more columns": ("create table job (id int, n int, primary key (id, n))", "no unique index"),
    "another collation": (
        'create table job (id text not null, n int); create unique index on job (id collate "C")',
        "another collation",
    ),
    "another operator class": (
        "create table job (id text not null, n int); create unique index on job (id text_pattern_ops)",
        "does not sort as",
    ),
    "inherited": (
        "create table job (id int primary key, n int); create table more () inherits (job)",
        "inherit from it",
    ),
}


@pytest.mark.parametrize("case", MADE)
def test_what_cannot_be_gone_through_is_refused(database, tmp_path, case):
    made, said = MADE[case]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(made)
    with pytest.raises(BackfillRefused, match=said):
        ran(database, written(tmp_path))
    assert rows(database, "select to_regclass('jobarium_migrations.backfill')") == [(None,)]


def test_both_orders_in_one_index_are_refused(database, tmp_path):
    execute(database, "create table job (id int not null, at date not null, n int)")
    execute(database, "create unique index on job (id, at desc)")
    statement = "update job set n = 1 where (id, at) between ($1, $2) and ($3, $4)"
    with pytest.raises(BackfillRefused, match="both ascending and descending"):
        ran(database, written(tmp_path, key=("id", "at"), statement=statement))


@pytest.mark.parametrize(
    "statement",
    [
        "update job set id = id + 1 where id between $1 and $2",
        "update job as j set (n, id) = (1, 2) where j.id between $1 and $2",
        "with c as (update job set id = -id where id between $1 and $2 returning 1) update job set n = 1 from c",
        "merge into job using job as j on false when matched and j.id between $1 and $2 then update set id = 1",
    ],
)
def test_a_statement_that_moves_rows_to_other_ranges_is_refused(tmp_path, statement):
    with pytest.raises(BackfillRefused, match="sets 'id', a column of the key"):
        Ranges(written(tmp_path, statement=statement))


def test_another_tables_column_of_the_keys_name_may_be_set(tmp_path):
    assert Ranges(written(tmp_path, statement="update copy set id = 1 from job where job.id between $1 and $2"))


def test_the_bounds_are_keys_that_are_there(database, tmp_path, connection):
    execute(database, "create table job (id int primary key, n int)")
    execute(database, "insert into job select 10 * g from generate_series(1, 7) as g")
    ranges = Ranges(written(tmp_path, statement=COUNT))
    ranges.check(connection)
    found, after = [], None
    while (each := ranges.next(connection, after, 3)) is not None:
        found.append((each.first, each.last, each.rows, each.is_last))
        after = each.last
    assert found == [(("10",), ("30",), 3, False), (("40",), ("60",), 3, False), (("70",), ("70",), 1, True)]


def test_the_next_range_is_found_along_the_index(database, tmp_path, connection):
    """However many rows there are before it, none of them is read."""
    execute(database, "create table job (id int primary key, n int)")
    execute(database, "insert into job select generate_series(1, 20000)")
    execute(database, "vacuum analyze job")
    ranges = Ranges(written(tmp_path))
    ranges.check(connection)
    with connection.transaction():  # whose own reading is told here, before anybody else hears of it
        assert ranges.next(connection, ("15000",), 100).last == ("15100",)
        query = "select pg_stat_get_xact_tuples_returned(oid) from pg_class where relname in ('job', 'job_pkey')"
        assert sum(count for (count,) in connection.execute(query)) <= 2 + 100


def test_keys_are_texts_whatever_their_type(database, tmp_path):
    execute(database, "create table job (id numeric primary key, n int not null default 0)")
    execute(database, "insert into job values (%s), (%s)", [Decimal("1.50"), Decimal(2)])
    assert ran(database, written(tmp_path)).last_key == ("2",)

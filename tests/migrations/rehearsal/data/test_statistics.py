import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from jobarium_events.migrations.rehearsal.data.statistics import Statistics, TableStatistics, read_statistics
from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.data.volumes import fill
from tests.conftest import fresh_name

TABLES = """
    create type mood as enum ('glad', 'sad');
    create table person (id int primary key, name text, m mood, ok boolean);
    create table part (id int, note text) partition by range (id);
    create table part_1 partition of part for values from (0) to (500);
    create table part_2 partition of part for values from (500) to (9000);
    create table never (id int);
    create schema jobarium_migrations;
    create table jobarium_migrations.record (id int);
"""
ROWS = """
    insert into person select i,
        case when i % 4 = 0 then null
            when i % 2 = 0 then 'Ada Lovelace' else 'Grace ' || i end,
        case when i % 10 = 0 then 'glad' else 'sad' end::mood, i % 5 <> 0 from generate_series(1, 2000) i;
    insert into part select i, 'x' from generate_series(0, 999) i;
    analyze person; analyze part; analyze part_1; analyze part_2;
"""


@pytest.fixture
def connection(each_database):
    with psycopg.connect(each_database, autocommit=True) as opened:
        opened.execute(TABLES)
        opened.execute(ROWS)
        yield opened


def test_rows_and_spread_are_read_and_no_text(connection):
    statistics = read_statistics(connection)
    assert statistics.rows == {"public.never": 0, "public.part": 1000, "public.person": 2000}
    columns = statistics.tables["public.person"].columns
    assert columns["id"].distinct_of(2000) == 2000
    assert 0.2 < columns["name"].null_share < 0.3
    assert 0.2 < columns["name"].frequencies[0] < 0.3
    assert columns["name"].values is None
    assert columns["m"].values == ("sad", "glad")
    assert columns["ok"].values == ("t", "f")
    assert 0.75 < columns["ok"].frequencies[0] < 0.85
    assert statistics.tables["public.part"].columns["note"].distinct == 1
    assert statistics.tables["public.never"].columns == {}


def test_what_leaves_production_has_no_value_of_a_text(connection):
    written = read_statistics(connection).encoded()
    assert b"Ada" not in written
    assert b"Grace" not in written
    assert Statistics.decoded(written) == read_statistics(connection)


def test_a_role_that_may_only_read_reads_them(connection, each_database):
    role = fresh_name()
    connection.execute(f"create role {role} login; grant select on person to {role}")
    try:
        with psycopg.connect(make_conninfo(each_database, user=role), autocommit=True) as opened:
            statistics = read_statistics(opened)
        assert statistics.rows["public.part"] == 1000
        assert statistics.tables["public.person"].columns
        assert statistics.tables["public.part"].columns == {}
    finally:
        connection.execute(f"drop owned by {role}; drop role {role}")


def test_a_share_of_the_rows_is_taken_and_of_few_one(connection):
    scaled = read_statistics(connection).scaled(0.1)
    assert scaled.rows == {"public.never": 0, "public.part": 100, "public.person": 200}
    assert read_statistics(connection).scaled(0.00001).rows == {"public.never": 0, "public.part": 1, "public.person": 1}
    assert read_statistics(connection).scaled(3).rows["public.person"] == 6000


def test_a_table_that_is_filled_by_them_has_the_same(connection):
    before = read_statistics(connection)
    connection.execute("truncate person, part")
    fill(connection, read_tables(connection), before.rows, seed=1, statistics=before)
    after = read_statistics(connection)
    assert after.rows == before.rows
    for name, column in before.tables["public.person"].columns.items():
        again = after.tables["public.person"].columns[name]
        assert again.null_share == pytest.approx(column.null_share, abs=0.05)
        assert again.distinct_of(2000) == pytest.approx(column.distinct_of(2000), rel=0.25)
        assert again.values == column.values
        assert again.frequencies[:1] == pytest.approx(column.frequencies[:1], abs=0.05)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"nonsense", "malformed"),
        (b'{"tables": {"public.t": {"rows": "many"}}}', r"Expected `int`.*rows"),
        (b'{"table": {}}', "unknown field `table`"),
    ],
)
def test_a_file_that_is_none_is_refused(content, problem):
    with pytest.raises(ValueError, match=problem):
        Statistics.decoded(content)


def test_distinct_values_are_a_number_or_a_part():
    empty = TableStatistics(rows=0)
    assert Statistics(tables={"public.t": empty}).scaled(5).rows == {"public.t": 0}


def test_what_was_never_analyzed_is_unknown(connection):
    connection.execute("create table fresh (id int); insert into fresh select generate_series(1, 50)")
    statistics = read_statistics(connection)

    assert statistics.unknown == ("public.fresh",)
    assert "public.fresh" not in statistics.rows
    assert Statistics.decoded(statistics.scaled(0.5).encoded()) == statistics.scaled(0.5)

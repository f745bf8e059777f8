"""What runs while a migration is rehearsed: made from tables, or a team's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

from jobarium_events.migrations import MigrationError
from jobarium_events.migrations.rehearsal.data.tables import Table, read_tables
from jobarium_events.migrations.rehearsal.observing import Clock, Observer
from jobarium_events.migrations.rehearsal.preparing import Preparation, read_preparation
from jobarium_events.migrations.rehearsal.probes import Probe, ProbeWhen
from jobarium_events.migrations.rehearsal.probing import Probing, percentile
from jobarium_events.migrations.rehearsal.supplies import Asked, Supply
from jobarium_events.statements import identifier
from tests.conftest import fresh_name
from tests.migrations.waiting import until
from tests.strategies import examples

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(each_database: str) -> Iterator[Connection]:
    with psycopg.connect(each_database, autocommit=True) as connection:
        yield connection


def table_of(connection: Connection, title: str) -> Table:
    return next(table for table in read_tables(connection) if table.title == title)


def supply_of(connection: Connection, title: str = "public.job") -> Supply:
    tables = read_tables(connection)
    supply = Supply(connection, table_of(connection, title), tables)
    supply.begin(connection, tables, list(supply.before(ProbeWhen.OLD)))
    return supply


def shoot(connection: Connection, asked: Asked) -> int:
    """Run a probe once; return how many rows it met."""
    values = asked.take()
    assert values is not None
    cursor = psycopg.RawCursor(connection).execute(asked.probe.sql.encode(), values)
    asked.done(values, True, cursor.fetchone() if asked.returns else None)
    return cursor.rowcount


def count(connection: Connection, table: str = "job") -> int:
    return connection.execute(f"select count(*) from {table}").fetchall()[0][0]


def test_each_kind_of_statement_meets_one_row(connection: Connection) -> None:
    connection.execute(
        """create table person (id uuid primary key default gen_random_uuid());
        create table job (
            at timestamptz, no int, person uuid references person, tags text[],
            size int generated always as (no * 2) stored, big bigint generated always as identity,
            "odd %s {x} ""name"" x" text not null check (length("odd %s {x} ""name"" x") = 3),
            primary key (at, no)
        );
        create table part (at timestamptz, no int, foreign key (at, no) references job);
        insert into person select from generate_series(1, 5);
        insert into job (at, no, person, tags, "odd %s {x} ""name"" x")
            select '2026-01-01'::timestamptz + n * interval '1 hour', n, (select id from person limit 1),
                '{a,"b c"}', 'abc' from generate_series(1, 100) n;
        insert into part select at, no from job where no <= 90;"""
    )
    supply = supply_of(connection)
    assert count(connection) == 90  # those that nothing refers to were taken out
    select, update, insert, delete = supply.before(ProbeWhen.OLD)

    assert [each.probe.name for each in (select, update, insert, delete)] == [
        "select from job",
        "update job",
        "insert into job",
        "delete from job",
    ]
    assert [each.writes for each in (select, update, insert, delete)] == [False, True, True, True]
    assert [shoot(connection, each) for each in (select, update)] == [1, 1]
    assert delete.take() is None  # some rows that were inserted are left
    for _ in range(10):
        assert shoot(connection, insert) == 1
    assert insert.take() is None
    assert count(connection) == 100
    assert [shoot(connection, delete) for _ in range(5)] == [1] * 5
    assert delete.take() is None
    assert count(connection) == 95
    assert supply.lost(connection, supply.columns) == 0
    connection.execute("delete from job where no = (select max(no) from job)")
    assert supply.lost(connection, supply.columns) == 1


def test_what_probes_write_is_known(connection: Connection) -> None:
    connection.execute(
        "create table job (id int primary key, status text);"
        "insert into job select n, 'open' from generate_series(1, 200) n"
    )
    supply = supply_of(connection)
    before = connection.execute(
        f"select array_agg(id order by id) from job where {supply.others()}".encode()
    ).fetchone()
    probes = list(supply.before(ProbeWhen.OLD))
    connection.execute(
        "create function late() returns trigger language plpgsql as "
        "$$ begin new.status = 'written'; return new; end $$;"
        "create trigger late before insert or update on job for each row execute function late()"
    )
    for _ in range(70):
        for probe in probes:
            if (values := probe.take()) is not None:
                cursor = psycopg.RawCursor(connection).execute(probe.probe.sql.encode(), values)
                probe.done(values, True, cursor.fetchone() if probe.returns else None)

    query = (
        f"select array_agg(id order by id), count(*) filter (where status <> 'open') from job where {supply.others()}"
    )
    assert connection.execute(query.encode()).fetchone() == (*(before or ()), 0)
    assert count(connection, "job where status = 'written'") > 0


def test_one_that_failed_leaves_its_row_where_it_was(connection: Connection) -> None:
    connection.execute("create table job (id int primary key); insert into job select generate_series(1, 40)")
    _, insert, _ = (supply := supply_of(connection)).before(ProbeWhen.OLD)
    values = insert.take()
    assert values is not None
    insert.done(values, False, None)

    assert supply.inserted == ()
    assert len([insert.take() for _ in range(10) if insert.take() is not None]) > 0


def test_a_table_without_rows_is_not_probed_in_vain(connection: Connection) -> None:
    connection.execute("create table job (id int primary key, status text)")
    supply = supply_of(connection)

    assert [each.probe.name for each in supply.before(ProbeWhen.OLD)] == ["delete from job"]
    assert supply.others() == "true"


def test_the_new_code_knows_the_new_columns(connection: Connection) -> None:
    connection.execute(
        "create table job (id int primary key, gone text, kept text);"
        "insert into job select n, 'g', 'k' from generate_series(1, 40) n"
    )
    supply = supply_of(connection)
    list(supply.before(ProbeWhen.OLD))
    connection.execute(
        "alter table job drop gone, add must text not null default 'm', add one int unique, add none text, "
        "add twice text generated always as (kept || kept) stored"
    )
    select, update, insert = supply.after(connection, table_of(connection, "public.job"))

    assert select.probe.when is ProbeWhen.NEW
    assert '"must", "one", "none", "twice"' in select.probe.sql
    assert "gone" not in insert.probe.sql
    assert 'set "kept" = "kept", "must" = "must", "one" = "one", "none" = "none" where' in update.probe.sql
    assert '("id", "kept", "must")' in insert.probe.sql
    assert [shoot(connection, each) for each in (select, update, insert)] == [1, 1, 1]


def test_what_only_lost_columns_has_no_more_probes(connection: Connection) -> None:
    connection.execute("create table job (id int primary key, a text, b text); insert into job values (1, 'a', 'b')")
    supply = supply_of(connection)
    (select, *_) = supply.before(ProbeWhen.BOTH, ["b"])
    connection.execute("alter table job drop b")

    assert '"b"' not in select.probe.sql
    assert list(supply.after(connection, table_of(connection, "public.job"))) == []


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(
    lambda name: len(name.encode()) <= 60
)


@given(names=st.lists(NAMES, min_size=3, max_size=3, unique=True))
@examples(15)
def test_any_names_of_tables_and_columns_will_do(names: list[str], probed_database: str) -> None:
    table, key, other = map(identifier, names)
    schema = fresh_name()
    with psycopg.connect(probed_database, autocommit=True) as connection:
        connection.execute(f"create schema {schema}")
        connection.execute(f"create table {schema}.{table} ({key} int primary key, {other} text)".encode())
        connection.execute(f"insert into {schema}.{table} select n, 'x' from generate_series(1, 40) n".encode())
        supply = supply_of(connection, f"{schema}.{names[0]}")
        select, update, insert, _ = supply.before(ProbeWhen.OLD)

        assert [shoot(connection, each) for each in (select, update, insert)] == [1, 1, 1]
        assert supply.lost(connection, supply.columns) == 0
        connection.execute(f"drop schema {schema} cascade")


@pytest.fixture(scope="module")
def probed_database() -> Iterator[str]:
    from tests import servers  # noqa: PLC0415 - as the other fixtures of databases
    from tests.conftest import found  # noqa: PLC0415

    url, name = found("postgres", servers.postgres_url), fresh_name()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
        yield make_conninfo(url, dbname=name)
        connection.execute(f"drop database {name} with (force)")


def test_probes_run_at_their_rate_and_their_latencies_are_kept(database: str) -> None:
    clock = Clock()

    def connect() -> Connection:
        return psycopg.connect(database, autocommit=True)

    probes = [
        Probe(name="quick", sql=f"select\n1 as {'a' * 60}, {'1, ' * 60}1", when=ProbeWhen.OLD, per_second=200),
        Probe(name="wrong", sql="select nothing", when=ProbeWhen.NEW, per_second=200),
        Probe(name="slow", sql="select pg_sleep(10)", when=ProbeWhen.OLD, per_second=200),
        Probe(name="undone", sql="create table made (id int)", when=ProbeWhen.BOTH, per_second=200),
    ]
    with Observer(connect, clock) as observer:
        probing = Probing(connect, clock, observer, 100)
        probing.start(map(Asked.own, probes))
        until(lambda: all(len(each.shots) >= 3 for each in probing._running))
        began = clock()
        until(lambda: all(each.shots[-1].at > began for each in probing._running))
        probing.stop()
    lasted = clock()
    quick, wrong, slow, undone = probing.results(began, began, lasted)

    assert quick.sql == probes[0].sql
    assert quick.failed == undone.failed == 0
    assert quick.idle is not None
    assert quick.p95 is not None
    assert 0 < wrong.failed < wrong.count  # what failed before the new code came does not count
    assert 'column "nothing" does not exist' in wrong.error
    assert slow.error == "was cut off by its statement_timeout"
    assert slow.failed == slow.count
    assert undone.writes
    series = {each.name: each for each in probing.series(lasted)}
    assert set(series) == {"old reads", "new reads", "both writes"}
    buckets = series["old reads"].buckets
    assert sum(bucket.count for bucket in buckets) == quick.count + slow.count
    assert [bucket.at for bucket in buckets] == sorted({bucket.at for bucket in buckets})
    assert all(0 <= bucket.p50 <= bucket.p95 <= bucket.most for bucket in buckets)
    with connect() as connection:
        assert connection.execute("select to_regclass('made')").fetchone() == (None,)


def test_a_probe_that_loses_its_connection_says_so_and_ends(database: str) -> None:
    clock = Clock()

    def connect() -> Connection:
        return psycopg.connect(database, autocommit=True)

    with Observer(connect, clock) as observer, connect() as other:
        probing = Probing(connect, clock, observer, 60_000)
        probing.start([Asked.own(Probe(name="lost", sql="select pg_sleep(0)", per_second=100))])
        (running,), (lane,) = probing._running, probing._lanes
        until(lambda: bool(running.shots))
        other.execute("select pg_terminate_backend(%s)", (lane.connection.info.backend_pid,))
        until(lambda: not lane.thread.is_alive())
        probing.stop()
    (found,) = probing.results(0.0, 0.0, clock())

    assert found.failed == 1
    assert found.error


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0, 1))
def test_a_percentile_is_one_of_the_values_that_so_many_stay_within(values: list[float], share: float) -> None:
    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_a_folder_may_say_nothing_of_its_rehearsals(tmp_path: Path) -> None:
    assert read_preparation(tmp_path) == Preparation()


def test_what_a_team_says_is_read(tmp_path: Path) -> None:
    (tmp_path / "rehearsal.toml").write_text(
        '[rows]\njob = 7\n[generators]\n"job.code" = "n::text"\n[[probe]]\nname = "a"\nsql = "select 1"\n',
        encoding="utf-8",
    )
    found = read_preparation(tmp_path)

    assert found.rows == {"job": 7}
    assert found.generators == {"job.code": "n::text"}
    assert found.probe == (Probe(name="a", sql="select 1"),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rows = 1", "rehearsal.toml:1: 'rows' is a whole number; write a table"),
        ("[rows]\nperson = 7\njob = -1", "rehearsal.toml:3: asks for -1 rows of job"),
        ("[generators]\ntitle = '1'", "rehearsal.toml:2: has a generator 'title', which names no table"),
        ("[rows", "is no valid TOML"),
        (
            "[[probe]]\nname = 'a'\nsql = 'select'\nwhen = 'never'",
            "rehearsal.toml:1: 'when' in entry 1 of 'probe' is 'never'; write one of old, new, both",
        ),
        ("[[probe]]\nname = 'a'\nsql = 'selec'", "has a probe 'a' that Postgres cannot read"),
        ("[[probe]]\nname = 'a'\nsql = 'select 1; select 2'", "'a' that is not one statement which a transaction may"),
        ("[[probe]]\nname = 'a'\nsql = 'vacuum'", "'a' that is not one statement"),
        ("[[probe]]\nname = 'a'\nsql = 'commit'", "'a' that is not one statement"),
        ("[[probe]]\nname = 'a'\nsql = 'select'\n" * 2, "has two probes 'a'"),
        ("probes = 1", "rehearsal.toml:1: 'probes' means nothing; write one of rows, generators, probe"),
    ],
)
def test_a_mistake_in_what_a_team_says_is_told(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "rehearsal.toml").write_text(text, encoding="utf-8")

    with pytest.raises(MigrationError) as caught:
        read_preparation(tmp_path)
    assert problem in str(caught.value)
    assert "rehearsal.toml" in str(caught.value)


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / "rehearsal.toml").write_bytes(b"\xff")

    with pytest.raises(MigrationError, match="is not encoded in UTF-8"):
        read_preparation(tmp_path)

"""A backfill meets every row once, stops where it is told, and says how far it is."""

from __future__ import annotations

import threading
from time import sleep

import psycopg
import pytest
from psycopg import sql

from jobarium_events.migrations import Environment
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.backfills.refusals import BackfillFailed, BackfillRefused, BackfillRunning
from jobarium_events.migrations.files.spans import Span
from tests.migrations.patience import awaited
from tests.migrations.tallies import COUNT, counts, execute, jobs, ran, rows, running, written


def test_each_row_is_met_once_and_a_complete_backfill_is_not_run_again(each_database, tmp_path):
    jobs(each_database, 2_345)
    migration = written(tmp_path, batch_rows=100)
    done = ran(each_database, migration)
    assert counts(each_database) == {1: 2_345}
    assert done.is_complete
    assert (done.rows, done.passed, done.left, done.share, done.stands) == (2_345, 2_345, 0, 1.0, "complete")
    assert ran(each_database, migration) == done
    assert counts(each_database) == {1: 2_345}
    execute(each_database, "drop table job")
    assert ran(each_database, migration) == done, "what is complete needs no table any more"


@pytest.mark.parametrize("number", [0, 1, 2, 100, 101])
def test_tables_of_any_size(database, tmp_path, number):
    jobs(database, number)
    done = ran(database, written(tmp_path, batch_rows=100))
    assert done.is_complete
    assert counts(database) == ({1: number} if number else {})
    assert done.passed == number


def test_rows_that_need_no_change_are_visited_and_not_counted_as_changed(database, tmp_path):
    jobs(database, 500)
    done = ran(database, written(tmp_path, statement=f"{COUNT} and n is null", batch_rows=50))
    assert (done.is_complete, done.rows, done.passed) == (True, 0, 500)


def test_it_ends_although_rows_are_added_behind_its_back(database, tmp_path):
    """What is written with a key behind the checkpoint is left alone; what is ahead is met."""
    jobs(database, 300)
    migration = written(tmp_path, batch_rows=100, batch_time="1m")

    def add(found):
        if found.batches == 1:
            execute(database, "insert into job values (0, 70), (100000, 0)")

    assert ran(database, migration, watch=add).is_complete
    assert counts(database) == {1: 301, 70: 1}


def test_completion_is_told_within_its_transaction(database, tmp_path):
    jobs(database, 10)
    migration = written(tmp_path)
    execute(database, "create table told (at text)")

    def broken(connection):
        connection.execute("insert into told values ('first')")
        raise BackfillRefused("0001_fill", "not now")

    with pytest.raises(BackfillRefused):
        ran(database, migration, finished=broken)
    assert counts(database) == {0: 10}
    assert ran(database, migration, finished=lambda each: each.execute("insert into told values ('second')"))
    assert rows(database, "select at from told") == [("second",)]
    ran(database, migration, finished=broken)


def test_a_pause_takes_effect_before_the_next_batch(database, tmp_path):
    jobs(database, 1_000)
    migration = written(tmp_path, batch_rows=100, batch_time="10ms")

    def pause(found):
        if found.batches == 2:
            with psycopg.connect(database, autocommit=True) as other:
                assert backfilling.pause(other, migration).is_running

    found = ran(database, migration, watch=pause)
    assert (found.is_paused, found.is_complete, found.batches, found.stands) == (True, False, 2, "paused")
    assert counts(database)[1] == found.passed
    assert ran(database, migration).batches == 2
    with psycopg.connect(database, autocommit=True) as other:
        assert backfilling.progress(other, migration).stands == "paused"
        assert backfilling.resume(other, migration).stands == "stopped"
    assert ran(database, migration).is_complete
    assert counts(database) == {1: 1_000}


def test_one_can_be_paused_before_it_begins(database, tmp_path):
    jobs(database, 10)
    migration = written(tmp_path)
    with psycopg.connect(database, autocommit=True) as other:
        assert backfilling.resume(other, migration) is None
        assert backfilling.progress(other, migration) is None
        assert backfilling.pause(other, migration).left > 0
    assert ran(database, migration).is_paused
    assert counts(database) == {0: 10}


def test_stopping_ends_after_the_batch_and_the_next_run_goes_on(database, tmp_path):
    jobs(database, 1_000)
    migration = written(tmp_path, batch_rows=100, batch_time="1m")
    stop = threading.Event()
    found = ran(database, migration, stop=stop, watch=lambda _: stop.set())
    assert (found.passed, found.is_complete, found.is_paused) == (100, False, False)
    assert counts(database) == {0: 900, 1: 100}
    assert ran(database, migration).batches >= 2
    assert counts(database) == {1: 1_000}


def test_a_long_way_to_the_server_makes_no_batch_smaller(database, tmp_path):
    """There are fewer rows in a batch only where they take long there."""

    class Far(psycopg.Connection):
        def wait(self, *arguments, **options):
            sleep(0.03)
            return super().wait(*arguments, **options)

    jobs(database, 2_000)
    done = ran(database, written(tmp_path, batch_rows=100, batch_time="10ms"), connect=Far.connect)
    assert done.is_complete
    assert done.batches <= 20
    assert counts(database) == {1: 2_000}


def test_two_at_once(database, tmp_path):
    jobs(database, 1_000)
    migration = written(tmp_path, batch_rows=10, batch_time="5ms")
    second: list[BaseException] = []

    def another(found):
        if not second:
            with pytest.raises(BackfillRunning) as caught:
                ran(database, migration)
            second.append(caught.value)

    assert ran(database, migration, watch=another).is_complete
    assert "another process" in str(second[0])
    assert counts(database) == {1: 1_000}


def test_status_from_another_session(database, tmp_path):
    jobs(database, 10_000)
    migration = written(tmp_path, batch_rows=1_000, batch_time="20ms")
    seen = []

    def look(found):
        if found.batches == 2:
            with psycopg.connect(database, autocommit=True) as other:
                seen.append((found, backfilling.progress(other, migration)))

    ran(database, migration, watch=look)
    ((own, other),) = seen
    assert (other.stands, other.passed, other.batches) == ("running", own.passed, 2)
    for each in (own, other):
        assert abs(each.left - (10_000 - each.passed)) < 500
        assert each.eta == pytest.approx(each.left / each.rate)
        assert abs(each.share - each.passed / 10_000) < 0.05


def test_a_changed_file_is_refused_and_one_that_did_nothing_is_not(database, tmp_path):
    jobs(database, 100)
    stop = threading.Event()
    broken = written(tmp_path, statement=COUNT.replace("n + 1", "1 / (n - n)"))
    with pytest.raises(BackfillFailed, match="may quote a row"):
        ran(database, broken)
    begun = written(tmp_path, batch_rows=10)
    assert ran(database, begun, stop=stop, watch=lambda _: stop.set()).passed == 10
    with pytest.raises(BackfillRefused, match="has changed since it began"):
        ran(database, written(tmp_path, batch_rows=20))
    assert counts(database) == {0: 90, 1: 10}
    with psycopg.connect(database) as connection:
        backfilling.forget(connection, begun)
    assert ran(database, written(tmp_path, batch_rows=20)).is_complete
    assert counts(database) == {1: 90, 2: 10}


def test_no_value_of_a_row_is_told(database, tmp_path):
    execute(database, "create table job (id text primary key, n text)")
    execute(database, "insert into job values ('ada@example.com', 'secret')")
    with pytest.raises(BackfillFailed) as caught:
        ran(database, written(tmp_path, statement="update job set n = n::int::text where id between $1 and $2"))
    assert "secret" not in str(caught.value)
    assert "ada" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_batch_that_takes_too_long_is_halved(database, tmp_path):
    """The first batch is far too large for its time: it is cut off, again and again, until one fits."""
    jobs(database, 64)
    slow = "update job set n = n + 1 from pg_sleep(0.03) where id between $1 and $2 and pg_sleep(0.03) is not null"
    migration = written(tmp_path, batch_rows=64, batch_time="10ms", statement=slow)
    sizes = []
    done = ran(database, migration, watch=lambda found: sizes.append(found.passed))
    assert done.is_complete
    assert sizes[0] < 64
    assert counts(database) == {1: 64}


def test_one_row_that_takes_longer_than_any_statement_may(database, tmp_path):
    jobs(database, 2)
    migration = written(tmp_path, batch_rows=2, batch_time="10ms", statement=COUNT + " and pg_sleep(5) is not null")
    with pytest.raises(BackfillFailed, match="statement timeout"):
        ran(database, migration, environment=Environment(statement_timeout=Span(0.2)))
    assert counts(database) == {0: 2}


def test_a_lock_that_another_holds_is_waited_for_and_that_is_said(database, tmp_path):
    """Far longer than `attempts` would have it: nobody waits behind a batch that rests."""
    jobs(database, 100)
    migration = written(tmp_path, batch_time="50ms")
    said = []
    with psycopg.connect(database) as other:
        other.execute("update job set n = n + 10 where id = 50")

        def watch(found):
            if found.waits_for:
                said.append((found.waits_for, rows(database, "select waits_for from jobarium_migrations.backfill")))
            if len(said) == 3:
                other.commit()

        done = ran(database, migration, environment=Environment(attempts=1), watch=watch)
    assert (done.is_complete, done.waits_for) == (True, "")
    what = "rows that another session has locked"
    assert said == [(what, [(what,)])] * 3
    assert counts(database) == {1: 99, 11: 1}


def test_a_lock_that_is_never_let_go_ends_it(database, tmp_path):
    jobs(database, 100)
    migration = written(tmp_path, batch_time="50ms")
    with psycopg.connect(database) as other:
        other.execute("update job set n = n + 10 where id = 50")
        with pytest.raises(BackfillFailed, match="lock timeout; it was tried again and again for 500ms"):
            ran(database, migration, patience=0.5)
        other.rollback()
    with psycopg.connect(database, autocommit=True) as other:
        assert backfilling.progress(other, migration).waits_for == ""
    assert ran(database, migration).is_complete
    assert counts(database) == {1: 100}


def test_waiting_for_a_lock_is_cut_short(database, tmp_path, caplog):
    """It ends as it does between two batches, whatever it waits for; and nothing is logged beside what is told."""
    jobs(database, 100)
    migration = written(tmp_path, batch_time="50ms")
    stop = threading.Event()
    with psycopg.connect(database) as other:
        other.execute("update job set n = n + 10 where id = 50")
        found = ran(database, migration, stop=stop, watch=lambda found: found.waits_for and stop.set())
    assert (found.is_complete, found.passed) == (False, 0)
    assert not caplog.records


def test_a_database_that_was_never_reached_is_not_tried_again(tmp_path):
    with pytest.raises(BackfillFailed, match="the connection was lost; what is done stays, and the next run") as caught:
        ran("postgresql://nobody@127.0.0.1:1/none", written(tmp_path))
    assert "again and again" not in str(caught.value)


def test_what_a_trigger_says_of_a_row_is_not_told(database, tmp_path):
    jobs(database, 3)
    execute(
        database,
        "create function refuse() returns trigger language plpgsql as $$ begin "
        "raise exception 'ada@example.com' using errcode = 'check_violation'; end $$",
    )
    execute(database, "create trigger refuse before update on job for each row execute function refuse()")
    with pytest.raises(BackfillFailed) as caught:
        ran(database, written(tmp_path))
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize("tenants", [1, 4])
def test_how_far_it_is_by_a_key_of_several_columns(database, tmp_path, tenants):
    """The first column of a key may be the same in every row."""
    execute(database, "create table job (tenant int, at date, id int, n int default 0, primary key (tenant, at, id))")
    sql = "insert into job select g %% %s, '2026-01-01', g from generate_series(1, 10000) as g"
    execute(database, sql, [tenants])
    execute(database, "analyze job")
    statement = "update job set n = n + 1 where (tenant, at, id) between ($1, $2, $3) and ($4, $5, $6)"
    migration = written(
        tmp_path, key=("tenant", "at", "id"), statement=statement, batch_rows=2_000, batch_time="1m", share=1
    )
    stop = threading.Event()
    found = ran(database, migration, stop=stop, watch=lambda _: stop.set())
    with psycopg.connect(database, autocommit=True) as other:
        left = backfilling.progress(other, migration).left
    assert found.passed == 2_000
    for each in (found.left, left):
        assert abs(each - 8_000) < 1_000


@pytest.mark.parametrize(
    ("definition", "parts", "analyzed"),
    [
        ("(id bigint primary key, n int not null default 0)", (), None),
        ("(id bigint primary key, n int not null default 0, more text default repeat('x', 500))", (), None),
        (
            "(id bigint primary key, n int not null default 0) partition by range (id)",
            ("from (minvalue) to (10000)", "from (10000) to (maxvalue)"),
            None,
        ),
        ("(id bigint primary key, n int not null default 0)", (), "job"),
        (
            "(id bigint primary key, n int not null default 0) partition by range (id)",
            ("from (minvalue) to (10000)", "from (10000) to (maxvalue)"),
            "job_0",
        ),
    ],
    ids=["never", "wide", "partitions", "stale", "a partition"],
)
def test_how_far_it_is_without_statistics_of_its_rows(each_database, tmp_path, definition, parts, analyzed):
    """Those of Postgres are missing until it takes some, or are of few rows only."""
    execute(each_database, f"create table job {definition}")
    for place, bounds in enumerate(parts):
        execute(each_database, f"create table job_{place} partition of job for values {bounds}")
    for name in [f"job_{place}" for place, _ in enumerate(parts)] or ["job"]:
        execute(each_database, f"alter table {name} set (autovacuum_enabled = off)")
    execute(each_database, "insert into job (id) select generate_series(-99, 0)")
    if analyzed is not None:
        execute(each_database, f"analyze {analyzed}")
    execute(each_database, "insert into job (id) select generate_series(1, 30000)")
    migration = written(tmp_path, batch_rows=5_000, batch_time="1m")
    seen = []

    def look(found):
        if not found.is_complete:
            with psycopg.connect(each_database, autocommit=True) as other:
                seen.append((found, backfilling.progress(other, migration)))

    assert ran(each_database, migration, watch=look).passed == 30_100
    assert len(seen) > 1
    for each in (one for both in seen for one in both):
        assert abs(each.left - (30_100 - each.passed)) < 3_000
        assert abs(each.share - each.passed / 30_100) < 0.05


@pytest.mark.parametrize("number", [0, 7])
def test_how_far_it_is_in_a_table_of_few_rows(database, tmp_path, number):
    execute(database, "create table job (id bigint primary key, n int not null default 0)")
    execute(database, "insert into job select generate_series(1, %s)", [number])
    stop = threading.Event()
    found = ran(database, written(tmp_path, batch_rows=2), stop=stop, watch=lambda _: stop.set())
    assert found.left == max(number - 2, 0)


def test_row_security_that_hides_rows_ends_it(database, tmp_path):
    jobs(database, 10)
    execute(database, "alter table job enable row level security")
    execute(database, "create policy few on job using (id < 5)")
    role = sql.Identifier(psycopg.conninfo.conninfo_to_dict(database)["dbname"])
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login").format(role))
        try:
            backfilling.install(connection)
            connection.execute(sql.SQL("grant all on schema jobarium_migrations to {}").format(role))
            connection.execute(sql.SQL("grant all on job, jobarium_migrations.backfill to {}").format(role))

            def connect():
                made = psycopg.connect(database, autocommit=True)
                made.execute(sql.SQL("set role {}").format(role))
                return made

            with pytest.raises(BackfillFailed, match="row-level security"):
                backfilling.run(connect, written(tmp_path), Environment(), stop=threading.Event())
        finally:
            connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))
    assert counts(database) == {0: 10}


def test_a_process_that_runs_it(database, tmp_path):
    jobs(database, 1_000)
    with running(database, written(tmp_path, batch_rows=100)) as process:
        assert process.wait(60) == 0
    assert counts(database) == {1: 1_000}


def test_it_is_not_running_once_it_has_ended(database, tmp_path):
    jobs(database, 1_000)
    migration = written(tmp_path, batch_rows=10, batch_time="5ms", share=0.05)
    with psycopg.connect(database, autocommit=True) as connection:
        with running(database, migration) as process:
            awaited(lambda: (found := backfilling.progress(connection, migration)) and found.is_running, "not running")
            process.kill()
        awaited(lambda: not backfilling.progress(connection, migration).is_running, "still running")

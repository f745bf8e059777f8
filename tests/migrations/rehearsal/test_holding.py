"""Each lock of what no transaction may hold is seen each time, on a live Postgres, however brief it is."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.rehearsal import holding, judging, observing
from jobarium_events.migrations.rehearsal.observing import Clock, Observer
from tests.conftest import fresh_name
from tests.migrations.rehearsal.locking import LOCKED, STORED, STRONGEST, WEAKEST, Seen, of, strong, strongest
from tests.migrations.rehearsal.trials import Trials
from tests.migrations.waiting import until

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.report import ObservedStep

TIMES = 2
NOT_AS_FORETOLD = {"cluster", "reindex table concurrently event"}
FULL = {"vacuum full": (STRONGEST,), "vacuum (full, analyze)": (STRONGEST, WEAKEST)}


@pytest.mark.parametrize("sql", LOCKED)
def test_each_lock_is_seen_each_time(seen: Seen, sql: str) -> None:
    for _ in range(TIMES):
        seen.afresh()
        step = seen.run(sql)
        assert strongest(strong(step)) == strongest(LOCKED[sql])
        assert strong(step) >= LOCKED[sql]
        assert [lock for lock in step.locks if lock.waited] == []  # for nobody but the observer
        assert step.retries == 0
        for lock in step.locks:
            assert step.begin <= lock.begin <= lock.end <= step.begin + step.seconds


@pytest.mark.parametrize("sql", sorted(set(LOCKED) - NOT_AS_FORETOLD))
def test_what_is_seen_is_what_lint_foretells(seen: Seen, sql: str) -> None:
    foretold = seen.foretold(sql)
    step = seen.run(sql)

    assert list(judging.of_effects(step, [foretold])) == []
    least = LockMode.SHARE_UPDATE_EXCLUSIVE.strength
    told = {(lock.table, lock.mode.value) for lock in foretold.locks if lock.mode.strength >= least}
    of_none = {"event", "entry"} if sql.startswith("reindex schema") else set()
    assert strongest(strong(step)) == {table: mode for table, mode in strongest(told).items() if table not in of_none}


@pytest.mark.parametrize(
    "sql",
    [
        "vacuum",
        "vacuum full",
        "vacuum (full, analyze)",
        "reindex schema public",
        "reindex schema concurrently public",
        "drop index concurrently job_status",
        "create index concurrently fresh on job (id)",
        "cluster",
    ],
)
def test_where_there_are_more_tables_than_sessions_what_is_left_behind_tells(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    """Nothing tells of what has neither rows of its own nor an index: there are few such tables, held before others."""
    monkeypatch.setattr(holding, "_MOST", 0)
    monkeypatch.setattr(observing, "_EVERY", 30.0)  # no look is taken
    with_traces = {"job", "person", "late", "event_1", "event_2"}
    observer = Observer(seen.connect, Clock())
    with observer:
        step = seen.run(sql, observer=observer)

    expected = LOCKED.get(sql) or {(table, mode) for table in STORED for mode in FULL[sql]}
    assert {lock for lock in strong(step) if lock[0] in with_traces} == {
        lock for lock in expected if lock[0] in with_traces
    }
    assert all(0 < lock.seconds <= step.seconds for lock in step.locks)


def test_a_table_in_which_nothing_is_stored_is_held_before_others(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "_MOST", 2)
    step = seen.run("vacuum")

    assert strong(step) == LOCKED["vacuum"]


@pytest.mark.parametrize("on", [(), None])
def test_a_lock_that_nobody_foretold_is_seen_as_well(seen: Seen, on: Collection[str] | None) -> None:
    for _ in range(TIMES):
        seen.afresh()
        assert strong(seen.run("vacuum job, late", on=on)) == of("ShareUpdateExclusiveLock", "job", "late")


def test_a_vacuum_that_cuts_off_the_end_of_a_table_has_locked_it_for_that(seen: Seen) -> None:
    for _ in range(TIMES):
        seen.afresh()
        seen.migration.execute("insert into job select n, repeat('x', 500) from generate_series(100, 3000) n")
        seen.migration.execute("delete from job where id > 90")
        step = seen.run("vacuum job, person")

        assert strong(step) == {("job", WEAKEST), ("job", STRONGEST), ("person", WEAKEST)}
        assert seen.migration.execute("select pg_relation_size('job') < 50000").fetchone() == (True,)


def test_what_is_waited_for_is_told_if_it_is_held_by_others(seen: Seen) -> None:
    with seen.connect() as reader, Observer(seen.connect, Clock()) as observer:
        reader.execute("begin; select from event_2")

        def let_go() -> None:
            until(lambda: observer.awaited)
            watched = observer._watched
            assert watched is not None
            until(lambda: any(span.seconds for span in watched.awaited.values()))
            reader.execute("commit")

        letting_go = threading.Thread(target=let_go)
        letting_go.start()
        step = seen.run("alter table event detach partition event_2 concurrently", observer=observer)
        letting_go.join()

    assert strong(step) == LOCKED["alter table event detach partition event_2 concurrently"]
    assert {(lock.table, lock.mode) for lock in step.locks if lock.waited} == {("event_2", STRONGEST)}


def test_what_fails_did_not_get_what_it_waited_for(seen: Seen) -> None:
    into: list[ObservedStep] = []
    (statement,) = parse("vacuum full person")
    with seen.connect() as reader, Observer(seen.connect, Clock()) as observer:
        reader.execute("begin; select from person")
        observer.own(seen.migration)
        seen.migration.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable), observer.step(1, "", into, alone=statement):
            seen.migration.execute(statement.text.encode())

    assert strong(into[0]) == set()


def test_a_table_that_cannot_be_locked_is_left_to_its_traces(seen: Seen) -> None:
    seen.migration.execute(
        "create function refuse() returns event_trigger language plpgsql as $$ begin raise 'not here'; end $$;"
        "create event trigger refusing on ddl_command_start when tag in ('ALTER MATERIALIZED VIEW')"
        "execute function refuse()"
    )
    step = seen.run("vacuum late, job")
    seen.migration.execute("drop event trigger refusing")

    assert strong(step) == of(WEAKEST, "late", "job")


def test_where_no_more_sessions_are_to_be_had_fewer_tables_are_held(seen: Seen) -> None:
    role = fresh_name()
    seen.migration.execute(f"create role {role} login connection limit 4".encode())
    try:
        seen.migration.execute(f"grant pg_read_all_stats to {role}".encode())

        def connect() -> psycopg.Connection[Any]:
            return psycopg.connect(seen.url, autocommit=True, user=role)

        with Observer(connect, Clock()) as observer:
            step = seen.run("vacuum", observer=observer)
    finally:
        seen.migration.execute(f"drop role {role}".encode())

    assert {"job", "person", "late"} <= {table for table, _ in strong(step)}


def test_an_observer_that_has_failed_holds_nobody_up(seen: Seen) -> None:
    observer = Observer(seen.connect, Clock())
    seen.migration.execute("select pg_terminate_backend(%s)", (observer._sampling.info.backend_pid,))
    until(lambda: not observer._thread.is_alive())
    step = seen.run("vacuum nothing", observer=observer)

    assert strong(step) == of(WEAKEST, "nothing")
    with pytest.raises(psycopg.OperationalError):
        observer.close()


def test_nothing_is_left_of_what_was_held(seen: Seen) -> None:
    """A materialized view is held by what could change it, and a statement that fails ends nothing by itself."""
    seen.migration.execute("cluster late using late_id")
    with Observer(seen.connect, Clock()) as observer:
        step = seen.run("vacuum late", observer=observer)
        query = "select count(*) from pg_locks where relation = any(%s::regclass[]) and pid <> pg_backend_pid()"
        held = seen.migration.execute(query, (["late", "job"],)).fetchone()
        clustered = seen.migration.execute("select indisclustered from pg_index where indexrelid = 'late_id'::regclass")

    assert strong(step) == of(WEAKEST, "late")
    assert held == (0,)
    assert clustered.fetchone() == (True,)


def test_a_rehearsal_sees_them_while_code_reads_and_writes(tmp_path: Path, each_database: str) -> None:
    trials = Trials(tmp_path / "migrations", each_database)
    baseline = trials.folder / "baseline.sql"
    parted = """
        create table event (id bigint, at int not null, primary key (id, at)) partition by range (at);
        create table event_1 partition of event for values from (0) to (1000000);
        create table event_2 partition of event for values from (1000000) to (2000000);
    """
    baseline.write_text(f"{baseline.read_text()}{parted}", encoding="utf-8")
    found = trials.one(
        {"category": "contract"},
        up="alter table event detach partition event_2 concurrently;\nvacuum job, person;\nvacuum (full) log;",
        down="alter table event attach partition event_2 for values from (1000000) to (2000000);",
        verify="-- returns: 1\nselect 1;",
    )

    detached, vacuumed, full = found.steps
    assert strong(detached) == {("event", WEAKEST), ("event_2", WEAKEST), ("event_2", STRONGEST)}
    assert strong(vacuumed) >= of(WEAKEST, "job", "person")
    assert strongest(strong(full)) == {"log": STRONGEST}
    assert not [each for each in found.problems if " took " in each]
    assert not [probe for probe in found.probes if probe.failed]
    assert [step.retries for step in found.steps] == [0, 0, 0]

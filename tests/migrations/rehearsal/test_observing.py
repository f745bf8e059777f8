"""What is seen of a migration while it runs, on a live Postgres."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from jobarium_events.migrations import Environment
from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.rehearsal import observing
from jobarium_events.migrations.rehearsal.observing import Clock, Observer, shortened
from jobarium_events.migrations.running.running import run_step
from jobarium_events.statements import identifier
from tests.migrations.waiting import until

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.report import ObservedStep

ROWS = 3000


@pytest.fixture
def url(each_database: str) -> str:
    with psycopg.connect(each_database, autocommit=True) as connection:
        connection.execute("create table job (id bigint primary key, status text not null)")
        connection.execute("create schema audit create table entry (id bigint primary key, note text)")
        connection.execute("insert into job select n, 'open' from generate_series(1, %s) n", (ROWS,))
    return each_database


class Seen:
    """Runs SQL under an observer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.observer = Observer(self.connect, Clock())
        self.migration = self.connect()
        self.observer.own(self.migration)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    def run(
        self,
        sql: str,
        within: Callable[[], None] = lambda: None,
        *,
        on: Sequence[str] = (),
        observer: Observer | None = None,
    ) -> list[ObservedStep]:
        seen: list[ObservedStep] = []
        watching = observer or self.observer
        for step in steps(parse(sql)):
            text = step.statements[0].text
            alone = None if step.in_transaction else step.statements[0]
            with watching.step(step.line, text, seen, alone=alone, on=on) as watched:
                run_step(self.migration, step, Environment(), within=self._within(within), retried=watched.retried)
        return seen

    def _within(self, more: Callable[[], None]) -> Callable[[psycopg.Connection[Any]], None]:
        def within(connection: psycopg.Connection[Any]) -> None:
            more()
            self.observer.within(connection)

        return within


@pytest.fixture
def seen(url: str) -> Iterator[Seen]:
    seen = Seen(url)
    with seen.observer, seen.migration:
        yield seen


def locks(step: ObservedStep) -> set[tuple[str, str]]:
    return {(lock.table, lock.mode) for lock in step.locks}


def test_the_lock_of_a_step_that_is_over_at_once_is_seen(seen: Seen) -> None:
    (step,) = seen.run("alter table job add column source text")

    assert ("job", "AccessExclusiveLock") in locks(step)
    assert step.rewrites == ()
    (lock,) = (each for each in step.locks if each.mode == "AccessExclusiveLock")
    assert 0 < lock.seconds <= step.seconds
    assert step.begin <= lock.begin <= lock.end <= step.begin + step.seconds + 1e-6


def test_a_table_outside_of_public_is_named_with_its_schema(seen: Seen) -> None:
    (step,) = seen.run("alter table audit.entry alter note set default ''")

    assert ("audit.entry", "AccessExclusiveLock") in locks(step)


def test_each_step_has_locks_of_its_own_and_a_new_table_has_none(seen: Seen) -> None:
    first, second = seen.run("create table fresh (id int); update job set status = 'shut' where id = 1;")

    assert locks(first) == set()
    assert locks(second) == {("job", "RowExclusiveLock")}
    assert second.wal > 0


def test_a_rewrite_is_seen_by_its_new_file(seen: Seen) -> None:
    changed, widened = seen.run(
        "alter table job alter id type numeric; alter table audit.entry alter note type varchar"
    )

    assert changed.rewrites == ("job",)
    assert widened.rewrites == ()


def test_an_index_is_measured(seen: Seen) -> None:
    plain, concurrent = seen.run(
        "create index job_status on job (status); create index concurrently job_late on job (status, id)"
    )

    assert [(built.index, built.table) for built in plain.indexes] == [("job_status", "job")]
    assert plain.indexes[0].size > 8192
    assert ("job", "ShareLock") in locks(plain)
    assert [built.index for built in concurrent.indexes] == ["job_late"]
    assert ("job", "ShareLock") not in locks(concurrent)


@pytest.mark.parametrize("table", ["job", "audit.entry", "late", 'Odd "name"'])
def test_the_lock_of_an_index_that_is_dropped_concurrently_is_seen_each_time(
    seen: Seen, url: str, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """It waits for nobody's snapshot, and is over before the next look."""
    monkeypatch.setattr(observing, "_EVERY", 0.1)
    seen.migration.execute("create materialized view late as select 1 as id with no data")
    seen.migration.execute('create table "Odd ""name""" (id int)')
    name = identifier(*table.split("."))
    observer = Observer(seen.connect, Clock())
    observer.own(seen.migration)
    with observer:
        for _ in range(3):
            seen.migration.execute(f"create index gone on {name} (id)".encode())
            schema = "audit." if table.startswith("audit.") else ""
            (step,) = seen.run(f"drop index concurrently {schema}gone", on=[table], observer=observer)
            assert (table, "ShareUpdateExclusiveLock") in locks(step)
            assert step.seconds < 1


def test_a_probe_that_waits_is_seen_with_the_step_that_it_waits_for(seen: Seen) -> None:
    with seen.connect() as probe:
        seen.observer.probe(probe, "insert into job", "job")
        thread = threading.Thread(target=lambda: probe.execute("insert into job values (0, 'open')"))

        def wait_until_blocked() -> None:
            thread.start()
            until(lambda: bool(seen.observer.waiting))

        (step,) = seen.run("\n\ncreate index job_status on job (status)", wait_until_blocked)
        thread.join()
    seen.observer.close()

    (wait,) = seen.observer.blocked
    assert (wait.probe, wait.table, wait.line) == ("insert into job", "job", 3)
    assert step.line == 3
    assert wait.seconds > 0


def test_who_waits_behind_a_waiting_migration_is_blocked_by_it(seen: Seen) -> None:
    with seen.connect() as reader, seen.connect() as probe:
        seen.observer.probe(probe, "select from job", "job")
        thread = threading.Thread(target=lambda: probe.execute("select 1 from job limit 1"))
        reader.execute("begin; select 1 from job limit 1")

        def let_go() -> None:
            until(lambda: bool(seen.observer.awaited))
            thread.start()
            until(lambda: bool(seen.observer.waiting))
            reader.execute("commit")

        releasing = threading.Thread(target=let_go)
        releasing.start()
        (step,) = seen.run("alter table job add column source text")
        releasing.join()
        thread.join()
    seen.observer.close()

    assert {wait.probe for wait in seen.observer.blocked} == {"select from job"}
    (lock,) = (each for each in step.locks if each.mode == "AccessExclusiveLock")
    assert lock.waited > 0


def test_one_that_waits_for_somebody_else_is_not_blocked_by_the_migration(seen: Seen) -> None:
    with seen.connect() as other, seen.connect() as probe:
        seen.observer.probe(probe, "update job", "job")
        other.execute("begin; update job set status = 'shut' where id = 7")
        thread = threading.Thread(target=lambda: probe.execute("update job set status = 'open' where id = 7"))
        thread.start()

        def wait_for_it() -> None:
            query = "select count(*) from pg_locks where pid = %s and not granted"
            until(lambda: other.execute(query, (probe.info.backend_pid,)).fetchone() == (1,))

        seen.run("alter table audit.entry add column at timestamptz", wait_for_it)
        other.execute("commit")
        thread.join()
    seen.observer.close()

    assert seen.observer.blocked == []


def test_a_step_that_fails_is_observed_all_the_same(seen: Seen) -> None:
    into: list[ObservedStep] = []
    with pytest.raises(psycopg.Error), seen.observer.step(4, "select 1 / 0", into):
        seen.migration.execute("select 1 / 0")

    assert [step.line for step in into] == [4]


def test_an_observer_that_loses_its_connection_says_so(seen: Seen, url: str) -> None:
    observer = Observer(seen.connect, Clock())
    pid = observer._sampling.info.backend_pid
    seen.migration.execute("select pg_terminate_backend(%s)", (pid,))
    until(lambda: not observer._thread.is_alive())

    with pytest.raises(psycopg.OperationalError):
        observer.close()


def test_long_sql_is_shortened_to_one_line() -> None:
    assert shortened("select 1,\n   2") == "select 1, 2"
    assert len(shortened("select " + "1, " * 200)) == 80


def test_a_trigger_does_not_make_the_report_wider_than_it_can_be_read() -> None:
    body = "$$ begin insert into audit (job_id, what) values (new.id, tg_op); return null; end $$"
    function = f"create or replace function audited() returns trigger language plpgsql as {body}"
    trigger = "create trigger audited after insert or update or delete on job for each row execute function audited()"

    assert shortened(function) == "create or replace function audited() returns trigger language plpgsql as $$ b..."
    assert len(shortened(trigger)) == 80

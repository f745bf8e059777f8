"""Tables to lock, the locks that steps take on them, and SQL that is run while it is watched."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import psycopg

from jobarium_events.migrations import Environment
from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.locking.effects import effects
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.rehearsal.observing import Clock, Observer
from jobarium_events.migrations.running.running import run_step

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.locking.locks import Effects
    from jobarium_events.migrations.rehearsal.report import ObservedStep

TABLES = """
create table job (id bigint primary key, status text);
create table person (id bigint primary key, name text);
create table nothing (id bigint);
create materialized view late as select 1 as id;
create index late_id on late (id);
create table event (id bigint, at int not null) partition by range (at);
create table event_1 partition of event for values from (0) to (10);
create table event_2 partition of event for values from (10) to (20);
create table entry (job_id bigint references job, person_id bigint references person, at int not null)
    partition by range (at);
create table entry_1 partition of entry for values from (0) to (10);
create index event_id on event (id);
create index job_status on job (status);
create view shown as select id from person;
create function written() returns bigint language plpgsql as $$
begin
    perform from public.nothing for update;
    perform from public.shown;
    delete from public.event_1 where false;
    return 1;
end
$$;
create function counted() returns bigint immutable language plpgsql as $$ begin return public.written(); end $$;
"""
ROWS = """
insert into job select n, 'open' from generate_series(1, 20) n;
insert into event select n, n from generate_series(0, 19) n;
"""
WEAKEST, SHARE, STRONGEST = "ShareUpdateExclusiveLock", "ShareLock", "AccessExclusiveLock"
STORED = ("job", "person", "nothing", "late", "event", "event_1", "event_2", "entry", "entry_1")


def of(mode: str, *tables: str) -> set[tuple[str, str]]:
    return {(table, mode) for table in tables}


LOCKED: dict[str, set[tuple[str, str]]] = {
    "vacuum job": of(WEAKEST, "job"),
    "vacuum job, person": of(WEAKEST, "job", "person"),
    "vacuum nothing": of(WEAKEST, "nothing"),
    "vacuum late": of(WEAKEST, "late"),
    "vacuum event": of(WEAKEST, "event", "event_1", "event_2"),
    "vacuum": of(WEAKEST, *STORED),
    "vacuum full job": of(STRONGEST, "job"),
    "vacuum full nothing, late": of(STRONGEST, "nothing", "late"),
    "vacuum (full, analyze) job": {("job", STRONGEST), ("job", WEAKEST)},
    "vacuum (skip_locked) job, nothing, late": of(WEAKEST, "job", "nothing", "late"),
    "vacuum (skip_locked, full) job, nothing, late": of(STRONGEST, "job", "nothing", "late"),
    "alter table event detach partition event_2 concurrently": {
        ("event", WEAKEST),
        ("event_2", WEAKEST),
        ("event_2", STRONGEST),
    },
    "alter table entry detach partition entry_1 concurrently": {
        ("entry", WEAKEST),
        ("entry_1", WEAKEST),
        ("entry_1", STRONGEST),
        *of("ShareRowExclusiveLock", "job", "person"),
    },
    "create index concurrently fresh on job (id)": of(WEAKEST, "job"),
    "create index concurrently fresh on late (id)": of(WEAKEST, "late"),
    "create index concurrently if not exists job_status on job (status)": of(WEAKEST, "job"),
    "create index concurrently if not exists late_id on late (id)": of(WEAKEST, "late"),
    "drop index concurrently job_status": of(WEAKEST, "job"),
    "drop index concurrently late_id": of(WEAKEST, "late"),
    "reindex index concurrently job_status": of(WEAKEST, "job"),
    "reindex table concurrently job": of(WEAKEST, "job"),
    "reindex table concurrently nothing": of(WEAKEST, "nothing"),
    "reindex table concurrently event": {
        ("event", WEAKEST),
        *of(SHARE, "event_1", "event_2"),
        *of(WEAKEST, "event_1", "event_2"),
    },
    "reindex table job": of(SHARE, "job"),
    "reindex schema public": of(SHARE, *(set(STORED) - {"event", "entry"})),
    "reindex schema concurrently public": of(WEAKEST, *(set(STORED) - {"event", "entry"})),
    "cluster": of(STRONGEST, "person"),
}


class Seen:
    """Runs SQL under observers, each time on the same tables."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.migration = self.connect()
        self.migration.execute("set client_min_messages = error")

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    def afresh(self) -> None:
        self.migration.execute("drop schema public cascade; create schema public")
        self.migration.execute(TABLES)
        self.migration.execute(ROWS)
        self.migration.execute("cluster person using person_pkey")

    def foretold(self, sql: str) -> Effects:
        (statement,) = parse(sql)
        schema = Schema().apply_all(parse(TABLES)).afresh()
        return effects(statement, schema, self.migration.info.server_version // 10_000)

    def run(self, sql: str, *, on: Collection[str] | None = None, observer: Observer | None = None) -> ObservedStep:
        """Run a statement.

        Args:
            sql: The statement.
            on: The tables that it is known to lock; without it, those that lint foretells.
            observer: Without one, one that is there for it alone.
        """
        if observer is None:
            with Observer(self.connect, Clock()) as own:
                return self.run(sql, on=on, observer=own)
        seen: list[ObservedStep] = []
        (step,) = steps(parse(sql))
        alone = None if step.in_transaction else step.statements[0]
        known = {lock.table for lock in self.foretold(sql).locks} if on is None else on
        observer.own(self.migration)
        with observer.step(1, sql, seen, alone=alone, on=known) as watched:
            run_step(self.migration, step, Environment(), within=observer.within, retried=watched.retried)
        return seen[0]

    def hindered(self, sql: str) -> tuple[ObservedStep, float]:
        """Run a statement, and return for how long of it the observer alone was in its way, too."""
        with Observer(self.connect, Clock()) as observer:
            step = self.run(sql, observer=observer)
        return step, observer.hindered


def strong(step: ObservedStep) -> set[tuple[str, str]]:
    found = {(lock.table, lock.mode) for lock in step.locks}
    return {(table, mode) for table, mode in found if LockMode(mode).strength > LockMode.ROW_EXCLUSIVE.strength}


def strongest(locks: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the strongest on each table: a transaction that rewrites one has weaker ones besides."""
    return dict(sorted(locks, key=lambda lock: LockMode(lock[1]).strength))

"""What no transaction may hold is run again with nobody beside it: the locks of mere reading and writing are seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations import Environment
from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.rehearsal import observing
from jobarium_events.migrations.rehearsal.stepping import run_again
from tests.migrations.rehearsal.locking import LOCKED, WEAKEST, Seen, of, strongest
from tests.migrations.rehearsal.trials import Trials

READ = "AccessShareLock"
BRIEF: dict[str, set[tuple[str, str]]] = {
    "vacuum job": of(READ, "job"),
    "vacuum job, person": of(READ, "job", "person"),
    "vacuum nothing": of(READ, "nothing"),
    "vacuum late": of(READ, "late"),
    "vacuum event": of(READ, "event"),
    "vacuum (analyze) event": of(READ, "event", "event_1", "event_2") | of(WEAKEST, "event", "event_1", "event_2"),
    "vacuum (skip_locked) job, nothing, late": of(READ, "job", "nothing", "late"),
    "vacuum (verbose false, skip_locked) event": of(READ, "event") | of(WEAKEST, "event", "event_1", "event_2"),
    "vacuum (skip_locked, full) job, nothing, late": of(READ, "job", "nothing", "late"),
    "vacuum full job": of(READ, "job"),
    "vacuum full nothing, late": of(READ, "nothing", "late"),
    "vacuum (full, analyze) job": of(READ, "job"),
    "create index concurrently fresh on job (id) where counted() > 0": {
        *of(WEAKEST, "job"),
        *of(READ, "person", "shown"),
        ("nothing", "RowShareLock"),
        ("event_1", "RowExclusiveLock"),
    },
}
"""What else is locked for mere reading and writing: what a breakpoint in `LockAcquireExtended` of Postgres 15 met.

A mode is left out where its table has one that is as strong, or stronger, in the same transaction already.
"""


@pytest.mark.parametrize("sql", sorted(LOCKED.keys() | BRIEF.keys()))
def test_where_nobody_else_is_each_mode_is_seen_be_it_the_weakest(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    expected = LOCKED.get(sql, set()) | BRIEF.get(sql, set())
    (step,) = steps(parse(sql))
    for every in (0.003, 0.1):  # a lock is over long before the next look
        monkeypatch.setattr(observing, "_EVERY", every)
        seen.afresh()
        seconds, seen_again = run_again(seen.connect, [(step, (seen.foretold(sql),))], Environment(), lambda _: True)
        again = seen_again[0]

        found = {(lock.table, lock.mode) for lock in again.locks}
        assert found >= expected
        assert strongest(found) == strongest(expected)
        assert [lock for lock in again.locks if lock.waited] == []
        assert (again.retries, again.seconds) == (0, seconds)


@pytest.mark.parametrize("down", [None, "select 1;"])
def test_a_rehearsal_sees_mere_reading_once_no_code_runs(
    tmp_path: Path, each_database: str, monkeypatch: pytest.MonkeyPatch, down: str | None
) -> None:
    monkeypatch.setattr(observing, "_EVERY", 0.1)  # the first run's locks of reading are over long before a look
    trials = Trials(tmp_path / "migrations", each_database)
    found = trials.one(
        {"containment": "nothing is changed"},
        up="create table fresh (id int);\nvacuum job; vacuum person;",
        down=down and f"drop table fresh;\n{down}",
        verify="-- returns: 1\nselect 1;",
    )

    assert found.problems == ()
    _, *vacuums = found.steps
    assert [{(lock.table, lock.mode) for lock in step.locks} for step in vacuums] == [
        of(READ, table) | of(WEAKEST, table) for table in ("job", "person")
    ]
    for step in vacuums:
        assert all(step.begin <= lock.begin <= lock.end <= step.begin + step.seconds for lock in step.locks)
        assert all(0 < lock.seconds <= step.seconds for lock in step.locks)


def test_what_cannot_be_run_again_for_want_of_a_way_back_is_noted(tmp_path: Path, each_database: str) -> None:
    trials = Trials(tmp_path / "migrations", each_database)
    found = trials.one(
        {"category": "contract", "containment": "a backup is kept"},
        up="vacuum log;\ndrop table log;",
        down=None,
        verify="-- returns: 1\nselect 1;",
    )

    assert [each for each in found.problems if "second time" in each] == []
    assert [each for each in found.notes if "may be missing" in each] != []


def test_a_step_that_fails_the_second_time_is_told(tmp_path: Path, each_database: str) -> None:
    trials = Trials(tmp_path / "migrations", each_database)
    found = trials.one(
        up="create index concurrently job_rank on job (rank);",
        down="drop index job_rank;\nalter table job drop column rank;",
        verify="-- returns: 1\nselect 1;",
    )

    assert [each for each in found.problems if each.startswith("up fails the second time: line")] != []

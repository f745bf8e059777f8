"""The runtime that is held against the estimate is the migration's own, without the work of watching it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobarium_events.migrations.rehearsal import observing
from jobarium_events.migrations.rehearsal.observing import Clock, Observer
from jobarium_events.migrations.rehearsal.relations import Relation
from tests.migrations.rehearsal.trials import Trials
from tests.migrations.waiting import until

if TYPE_CHECKING:
    from tests.migrations.rehearsal.locking import Seen

LOOKING = 0.5  # seconds that a look takes, or that lie between two
SLEEP = "do $$ begin perform pg_sleep({}); end $$;"


@pytest.fixture
def trials(tmp_path: Path, database: str) -> Trials:
    return Trials(tmp_path / "migrations", database)


def test_what_is_looked_at_between_the_steps_is_none_of_it(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Relation.read

    def slowly(*given: Any) -> Mapping[int, Relation]:
        time.sleep(LOOKING)
        return read(*given)

    monkeypatch.setattr(Relation, "read", slowly)
    found = trials.one({"estimated_runtime": "500ms"})

    assert found.problems == ()
    assert 0 < found.seconds < LOOKING
    assert found.lasted - found.began > 2 * LOOKING


def test_all_steps_and_the_backfill_are_of_it(trials: Trials) -> None:
    found = trials.one(
        {
            "estimated_runtime": "300ms",
            "category": "migrate",
            "backfill": {"table": "job", "key": ["id"], "batch_rows": 1000, "share": 1.0},
        },
        up=f"{SLEEP.format(0.2)}\n{SLEEP.format(0.3)}",
        down="select 1;",
        backfill="update job set rank = 1 where id between $1 and $2 and pg_sleep(0.001) is not null;",
        verify="-- returns: 1\nselect 1;",
    )

    assert len(found.steps) == 3
    assert found.seconds > 0.2 + 0.3 + 0.3
    assert found.seconds <= sum(step.seconds for step in found.steps)
    assert any(each.startswith("it took ") and "300ms; correct" in each for each in found.problems)


def test_what_a_step_is_asked_before_it_commits_is_none_of_it(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = f"select relation, mode from ({observing._SQL['own_locks']}) _, pg_sleep({LOOKING})"
    monkeypatch.setattr(observing, "_SQL", {**observing._SQL, "own_locks": slow})
    step, hindered = seen.hindered("alter table job add column source text")

    assert step.seconds > LOOKING
    assert step.seconds - hindered < LOOKING


@pytest.mark.parametrize(
    "sql",
    [
        "vacuum job, person",
        "drop index concurrently job_status",
        "create index concurrently fresh on job (id)",
        "alter table event detach partition event_2 concurrently",
    ],
)
def test_what_a_step_waits_for_the_observer_alone_is_none_of_it(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    """It waits for each lock until a look has met that."""
    monkeypatch.setattr(observing, "_EVERY", LOOKING)
    step, hindered = seen.hindered(sql)

    assert step.seconds > LOOKING / 2
    assert 0 < step.seconds - hindered < LOOKING / 2


def test_what_a_step_waits_for_others_is_of_it(seen: Seen) -> None:
    observer = Observer(seen.connect, Clock())
    with observer, seen.connect() as reader:
        reader.execute("begin; lock table job in share update exclusive mode")

        def let_go() -> None:
            until(lambda: observer.awaited)
            time.sleep(LOOKING)
            reader.execute("commit")

        releasing = threading.Thread(target=let_go)
        releasing.start()
        step = seen.run("vacuum job", observer=observer)
        releasing.join()

    assert step.seconds - observer.hindered > LOOKING

"""How many rows a batch has follows from how long those before it took, and from their rows alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from jobarium_events.migrations import Environment
from jobarium_events.migrations.backfills import throttling
from jobarium_events.migrations.backfills.throttling import Pace
from jobarium_events.migrations.files.header import Backfill
from jobarium_events.migrations.files.spans import Span
from tests.migrations.tallies import counts, execute, jobs, ran, written


def pace(batch_time: float = 0.01, rows: int = 1_000) -> Pace:
    return Pace(Backfill(table="job", key=("id",), batch_time=Span(batch_time), batch_rows=rows), Environment())


def taken(made: Pace, seconds: Callable[[int], float], batches: int = 60) -> list[int]:
    """Return the rows of the last batches, where so many take so long."""
    found = []
    for _ in range(batches):
        made.took(made.rows, seconds(made.rows))
        found.append(made.rows)
    return found[-10:]


@pytest.mark.parametrize("seconds", [0.0, -0.5])
def test_what_takes_no_time_as_it_seems_makes_the_next_twice_as_large(seconds: float) -> None:
    made = pace()
    made.took(1_000, seconds)
    assert made.rows == 2_000
    assert taken(made, lambda _: seconds)[-1] == 100_000


def test_rows_that_take_long_are_few() -> None:
    assert set(taken(pace(), lambda rows: rows * 0.001)) == {10}
    assert set(taken(pace(), lambda rows: rows * 1.0)) <= {1, 2}


@pytest.mark.parametrize("rows", [1, 1_000])
@pytest.mark.parametrize("fixed", [0.011, 0.02, 0.5])
def test_what_every_statement_takes_makes_no_batch_small(fixed: float, rows: int) -> None:
    """Fewer rows would not make it quicker."""
    found = taken(pace(rows=rows), lambda number: fixed + number * 0.00001)
    assert min(found) >= 50
    assert max(found) <= 1_000


def test_a_statement_that_is_planned_for_many_partitions_keeps_its_rows(database, tmp_path) -> None:
    execute(database, "create table job (id bigint primary key, n int not null default 0) partition by hash (id)")
    execute(
        database,
        "do $$ begin for r in 0..149 loop execute format('create table job_%s partition of job "
        "for values with (modulus 150, remainder %s)', r, r); end loop; end $$",
    )
    execute(database, "insert into job select generate_series(1, 4000)")
    seen = []
    migration = written(tmp_path, batch_time="2ms", batch_rows=200)
    stop = threading.Event()

    def look(found):
        seen.append(found.passed)
        if len(seen) == 40:
            stop.set()

    ran(database, migration, watch=look, stop=stop)
    sizes = [after - before for before, after in pairwise(seen)]
    # One row each if planning counted; how many more it is depends on what else the machine does.
    assert sum(sizes[-10:]) > 60


class Waits(threading.Event):
    """Notes for how long it is waited for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout or 0.0)
        return self.is_set()


def test_a_batch_that_is_cut_off_has_its_rest(database, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(throttling, "_LEAST_CUT", 0.2)
    jobs(database, 8)
    statement = "update job set n = n + 1 where id between $1 and $2 and pg_sleep(0.06) is not null"
    stop = Waits()
    assert ran(database, written(tmp_path, statement=statement, batch_rows=8, batch_time="1ms", share=0.1), stop=stop)
    assert stop.asked[0] >= 9 * 0.2
    assert counts(database) == {1: 8}

"""What a backfill costs over one plain UPDATE, and what it does to others who write meanwhile, on a real Postgres.

The table has ten columns and two indexes beside its key, none on the column that is filled, and no room for new
versions of rows beside the old ones; so each changed row is a new entry in three indexes, on both sides alike.
"""

from __future__ import annotations

import multiprocessing
import random
import secrets
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, Self

from benchmarks.results import Row
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import compared

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from benchmarks.timing import Effort
    from jobarium_events.migrations import Migration

__all__ = ["backfills"]

FULL = ", share = 1.0"  # no rest between two batches; all else is as it is by default
WATCHED = 1_000_000  # rows, of which there are to be enough for the backfill to go on
WINDOWS = 8  # of each kind, in turns
WINDOW = 1.0  # seconds for which a writer is watched at a stretch
BEFORE = 0.3  # seconds that the backfill has to get going, and the server to come to rest
PAUSE = 0.003  # seconds between two writes

_TABLE = """
create table job (
    id bigint primary key, tenant int not null, title text not null, status text not null, owner uuid not null,
    salary numeric not null, created_at timestamptz not null, updated_at timestamptz not null, note text, source text
);
create index on job (tenant, created_at);
create index on job (owner);
"""
_FILL = """
insert into job
select n, n % 1000, 'engineer, number ' || n, 'active', gen_random_uuid(), 50000 + n % 40000,
    timestamptz '2026-01-01' + n * interval '1 second', now(), 'a note of some length about job ' || n, null
from generate_series(1, {}) as n
"""
_UPDATE = "update job set source = 'form' where source is null"
_WRITE = "update job set status = 'closed', updated_at = now() where id = %s"
_FILE = """-- /// migration
-- id = "0001_job_source"
-- owner = "benchmark"
-- category = "migrate"
-- release = "1"
-- estimated_runtime = "1m"
-- rollback_plan = "none"
-- risk = "low"
-- backfill = {{ table = "job", key = ["id"]{} }}
-- ///
-- name: backfill
update job set source = 'form' where id between $1 and $2 and source is null;
-- name: verify
-- returns: 0
select count(*) from job where source is null;
"""


def backfills(effort: Effort) -> list[Row]:
    """Compare a backfill with one UPDATE, and a writer beside it with one that is alone."""
    from tests import servers  # noqa: PLC0415 - where the servers come from is one place's to know

    try:
        url = servers.postgres_url()
    except (servers.Missing, ImportError) as missing:
        print(f"left out: backfills: {missing}", file=sys.stderr)
        return []
    with TemporaryDirectory() as folder:
        return [_speed(url, effort, Path(folder)), _writer(url, effort, Path(folder))]


def _migration(folder: Path, options: str) -> Migration:
    from jobarium_events.migrations.files.migration import read_migration  # noqa: PLC0415 - one of the extras

    path = folder / "0001_job_source.sql"
    path.write_text(_FILE.format(options))
    return read_migration(path)


@contextmanager
def _database(url: str, rows: int) -> Iterator[str]:
    """Lend a database with a table of so many rows, as a service has it that has been running for a while."""
    import psycopg  # noqa: PLC0415 - one of the extras
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    name = f"jobarium_bench_{secrets.token_hex(4)}"
    own = make_conninfo(url, dbname=name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
        try:
            with psycopg.connect(own, autocommit=True) as made:
                made.execute(_TABLE)
                made.execute(_FILL.format(rows))
                made.execute("vacuum (analyze, freeze) job")
                made.execute("checkpoint")
            yield own
        finally:
            connection.execute(f"drop database {name} with (force)")


def _run(url: str, migration: Migration, stop: threading.Event | Event) -> Any:
    import psycopg  # noqa: PLC0415 - one of the extras

    from jobarium_events.migrations import Environment  # noqa: PLC0415
    from jobarium_events.migrations.backfills.backfilling import run  # noqa: PLC0415

    return run(lambda: psycopg.connect(url, autocommit=True), migration, Environment(), stop=stop)


def _speed(url: str, effort: Effort, folder: Path) -> Row:
    rows = effort.changed * 1_000
    migration = _migration(folder, FULL)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(_rounds(effort)):
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            with _database(url, rows) as own:
                start = perf_counter()
                changed = _run(own, migration, threading.Event()).rows if place == 0 else _updated(own)
                times[place].append(perf_counter() - start)
            if changed != rows:
                raise UnfitScenario(f"{changed} rows were filled, and not {rows}")
    return Row(f"backfill of {rows:,} rows, at its full share", "one plain UPDATE of them", compared(*times), 2)


def _updated(url: str) -> int:
    import psycopg  # noqa: PLC0415 - one of the extras

    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(_UPDATE).rowcount


def _writer(url: str, effort: Effort, folder: Path) -> Row:
    """Watch a writer of single rows, in turns alone and beside a backfill; each round is a table of its own."""
    migration = _migration(folder, FULL)
    latencies: tuple[list[float], list[float]] = ([], [])
    for number in range(_rounds(effort)):
        beside: list[float] = []
        alone: list[float] = []
        with _database(url, WATCHED) as own, _Other(own, migration) as other:
            for window in range(WINDOWS):
                for is_beside in (True, False) if (number + window) % 2 == 0 else (False, True):
                    if is_beside:
                        with other.working():
                            beside += _written(own)
                    else:
                        alone += _written(own)
        for place, taken in enumerate((beside, alone)):
            latencies[place].append(statistics.quantiles(taken, n=100)[98])
    return Row("p99 of a writer of single rows beside that backfill", "of the same one alone", compared(*latencies), 2)


class _Other:
    """A process that runs the backfill now and then, as an operator's does: one here would share its interpreter."""

    def __init__(self, url: str, migration: Migration) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._begin, self._stop, self._rests = spawning.Event(), spawning.Event(), spawning.Event()
        events = (self._begin, self._stop, self._rests)
        self._process = spawning.Process(target=_take_turns, args=(url, migration.path, *events), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._await_rest()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Have it work on the backfill meanwhile."""
        self._rests.clear()
        self._begin.set()
        sleep(BEFORE)
        yield
        if self._rests.is_set():
            raise UnfitScenario("the backfill was complete too soon")
        self._stop.set()
        self._await_rest()
        sleep(BEFORE)

    def _await_rest(self) -> None:
        while not self._rests.wait(0.1):
            if not self._process.is_alive():
                raise UnfitScenario("the backfill failed; see above")


def _take_turns(url: str, path: Path, begin: Event, stop: Event, rests: Event) -> None:
    from jobarium_events.migrations.files.migration import read_migration  # noqa: PLC0415 - one of the extras

    migration = read_migration(path)
    while True:
        rests.set()
        begin.wait()
        begin.clear()
        _run(url, migration, stop)
        stop.clear()


def _written(url: str) -> list[float]:
    """Write for the time of one window, and return how many seconds each write took."""
    import psycopg  # noqa: PLC0415 - one of the extras

    taken = []
    with psycopg.connect(url, autocommit=True) as connection:
        end = perf_counter() + WINDOW
        while perf_counter() < end:
            key = random.randint(1, WATCHED)
            start = perf_counter()
            connection.execute(_WRITE, [key])
            taken.append(perf_counter() - start)
            sleep(PAUSE)
    return taken


def _rounds(effort: Effort) -> int:
    return max(3, effort.processes // 24)

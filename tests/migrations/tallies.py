"""A table to be backfilled, the migration that does it, and processes that run it and can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from jobarium_events.migrations import Environment, Migration
from jobarium_events.migrations.backfills.backfilling import Progress, run
from jobarium_events.migrations.files.migration import read_migration

IS_FULL = os.environ.get("JOBARIUM_FAULTS") == "full"
KILLS = 50 if IS_FULL else 6

COUNT = "update job set n = n + 1 where id between $1 and $2"
"""An update that counts: it shows every row that is met twice, or not at all."""

FILE = """-- /// migration
-- id = "{id}"
-- owner = "job-service"
-- category = "migrate"
-- release = "2026.12"
-- estimated_runtime = "1m"
-- rollback_plan = "pause it"
-- risk = "low"
-- containment = "what it fills is not read yet"
-- [backfill]
-- table = '{table}'
-- key = {key}
-- {options}
-- ///

-- name: backfill
{statement};

-- name: verify
-- returns: 0
select 0;
"""

SCRIPT = """
import sys, threading
from pathlib import Path
import psycopg
from jobarium_events.migrations import Environment
from jobarium_events.migrations.backfills.backfilling import run
from jobarium_events.migrations.files.migration import read_migration

url, path = sys.argv[1:]
environment = Environment(attempts=30)
found = run(lambda: psycopg.connect(url), read_migration(Path(path)), environment, stop=threading.Event())
sys.exit(not found.is_complete)
"""


def written(
    folder: Path,
    *,
    table: str = "job",
    key: tuple[str, ...] = ("id",),
    statement: str = COUNT,
    id_: str = "0001_fill",
    **options: Any,
) -> Migration:
    """Write a migration and read it; the options are those of its backfill, of which a share of 1 is the default."""
    path = folder / f"{id_}.sql"
    given = {"share": 1, **options}
    shown = "\n-- ".join(f"{name} = {_toml(value)}" for name, value in given.items())
    columns = "[" + ", ".join(f"'{each}'" for each in key) + "]"
    path.write_text(FILE.format(id=id_, table=table, key=columns, options=shown, statement=statement))
    return read_migration(path)


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def jobs(url: str, rows: int) -> None:
    """Make the table with so many rows, of which none is counted."""
    execute(url, "create table job (id bigint primary key, n int not null default 0)")
    execute(url, "insert into job select generate_series(1, %s)", [rows])
    execute(url, "analyze job")


def execute(url: str, statement: str, values: Any = None) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, values)


def rows(url: str, query: str, values: Any = None) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query, values).fetchall()


def counts(url: str) -> dict[int, int]:
    """Return how many rows were counted how often."""
    return dict(rows(url, "select n, count(*) from job group by n"))


def ran(url: str, migration: Migration, **options: Any) -> Progress:
    """Run a backfill in this process."""
    environment = options.pop("environment", None) or Environment()
    options.setdefault("stop", threading.Event())
    connect = options.pop("connect", psycopg.connect)
    return run(lambda: connect(url), migration, environment, **options)


@contextmanager
def running(url: str, migration: Migration, name: str = "backfill-test") -> Iterator[subprocess.Popen[bytes]]:
    """Run a backfill in a process of its own, which does not outlive the block."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PGAPPNAME": name}
    command = [sys.executable, "-c", SCRIPT, url, str(migration.path)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()

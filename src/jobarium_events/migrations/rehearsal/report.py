"""What a rehearsal found, and its file: ``rehearsals/ID.json`` in the folder of migrations.

The gates read it before a migration is applied, so nothing is imported here that only a rehearsal needs. All times are
seconds; those that say when something was count from the beginning of the observation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import orjson

from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.refusals import MigrationError, Mistake
from jobarium_events.writing import write_files

__all__ = [
    "FOLDER",
    "Blocked",
    "Bucket",
    "Built",
    "Checked",
    "Held",
    "ObservedStep",
    "ProbeResult",
    "Rehearsal",
    "Series",
    "WayBack",
    "read_rehearsal",
    "rehearsal_path",
    "write_rehearsal",
]

FOLDER = "rehearsals"
"""Where the files are, within the folder of migrations."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A lock that a step took on a table.

    Attributes:
        table: The table, with its schema unless that is ``public``.
        mode: Its name in ``pg_locks``.
        waited: How long the step waited for it.
        begin: When it was first held.
        end: When it was last held.
        seconds: How long it was held; less than from begin to end if it was let go in between.
    """

    table: str
    mode: str
    waited: float
    begin: float
    end: float
    seconds: float


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """An index that a step built.

    Attributes:
        index: Its name.
        table: Its table.
        seconds: How long it took.
        size: Its bytes.
    """

    index: str
    table: str
    seconds: float
    size: int


class ObservedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of ``up``, or its backfill, as it went.

    Attributes:
        line: Its line in the file.
        text: Its SQL, shortened.
        begin: When it began.
        seconds: How long it took, with what watching it made it wait for.
        locks: What it locked.
        rewrites: The tables that were written anew.
        indexes: The indexes that were built.
        wal: Bytes of the write-ahead log meanwhile, those of the probes among them.
        retries: How often it was tried again for want of a lock.
    """

    line: int
    text: str
    begin: float
    seconds: float
    locks: tuple[Held, ...] = ()
    rewrites: tuple[str, ...] = ()
    indexes: tuple[Built, ...] = ()
    wal: int = 0
    retries: int = 0


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of a probe that waited for a lock of the migration.

    Attributes:
        probe: The probe's name.
        table: The table.
        line: The line of the step that blocked it.
        begin: When it began to wait.
        seconds: How long it waited.
    """

    probe: str
    table: str
    line: int
    begin: float
    seconds: float


class Bucket(msgspec.Struct, frozen=True, array_like=True):
    """The latencies of some time.

    Attributes:
        at: When it begins.
        count: How many statements ended in it.
        failed: How many of them failed.
        p50: The median.
        p95: What 95 of 100 stay within.
        most: The longest.
    """

    at: float
    count: int
    failed: int
    p50: float
    p95: float
    most: float


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """How latencies went over time.

    Attributes:
        name: What they are of: ``"old reads"``, ``"old writes"``, ``"new reads"`` or ``"new writes"``.
        width: How long each bucket lasts.
        buckets: Those that have a statement, in order.
    """

    name: str
    width: float
    buckets: tuple[Bucket, ...]


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one probe.

    Attributes:
        name: Its name.
        sql: Its statement.
        when: Whose statement it is: that of the old code, of the new, or of both.
        writes: Whether it writes.
        count: How often it ran.
        failed: How often it failed when it had to succeed.
        error: The first of these errors, by its name.
        idle: What 95 of 100 of its latencies stayed within before ``up`` began; None if it did not run then.
        p95: The same while ``up`` and its backfill ran; None if it did not run then.
        after: The same after them; None if it did not run then.
        usual: What half of these last stayed within.
        most: The longest latency of all.
    """

    name: str
    sql: str
    when: str
    writes: bool
    count: int
    failed: int
    error: str
    idle: float | None
    p95: float | None
    most: float
    after: float | None = None
    usual: float | None = None


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A query of the section ``verify`` with what it returned.

    Attributes:
        at: When it was asked: ``"before"``, ``"after"``, ``"after down"`` or ``"after up again"``.
        name: What it shows.
        ok: Whether it returned what it must.
        problem: What else it returned.
    """

    at: str
    name: str
    ok: bool
    problem: str


class WayBack(msgspec.Struct, frozen=True, kw_only=True):
    """How ``down`` went, and ``up`` after it.

    Attributes:
        seconds: How long ``down`` took.
        written: How many rows had been written since ``up``, which had to survive it.
        schema: How the schema differs from that before; nothing if it is the same.
        data: The tables whose data differs from that before, and how; nothing if it is the same.
        lost: What is lost by the migration's nature: the data of columns and tables that a contract removes.
        again: How long ``up`` took the second time, with its backfill and what watching it added; None if it did not
            come to that.
    """

    seconds: float
    written: int
    schema: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    again: float | None = None


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What a rehearsal of one migration found.

    Attributes:
        id: The migration's id.
        hash: The hash of its file, as it was rehearsed.
        before: The hashes of the files before it, by their ids: what the schema was that it began from.
        category: Its category.
        at: When it was rehearsed.
        server_version: The server's version: ``"15.20"``.
        rows: How many rows each table had before.
        expected: How many rows each table has where the migration matters, as far as statistics said so.
        scale: Which part of these was asked for.
        estimated: The runtime that its header says.
        seconds: The runtime of ``up`` with its backfill: what the steps took, without what watching them added.
        began: When ``up`` began; the probes were alone before.
        lasted: How long the observation lasted.
        steps: The steps of ``up``, and its backfill as the last one.
        blocked: The probes' statements that had to wait for the migration.
        probes: The probes.
        series: Their latencies over time.
        checks: The outcomes of ``verify``.
        back: The way back; None if there is none, or it did not come to that.
        notes: What is to be known and is no problem, each a sentence.
        problems: What is wrong, each a sentence.
    """

    id: str
    hash: str
    before: Mapping[str, str] = {}
    category: Category
    at: datetime
    server_version: str
    rows: Mapping[str, int]
    expected: Mapping[str, int] = {}
    scale: float = 1.0
    estimated: float
    seconds: float
    began: float
    lasted: float
    steps: tuple[ObservedStep, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    series: tuple[Series, ...] = ()
    checks: tuple[Checked, ...] = ()
    back: WayBack | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def green(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def longest_lock(self) -> float:
        """How long a lock that blocks reads or writes was held, at the most."""
        locks = (lock for step in self.steps for lock in step.locks)
        return max((lock.seconds for lock in locks if LockMode(lock.mode).blocks_writes), default=0.0)

    @property
    def longest_wait(self) -> float:
        """How long a probe had to wait for the migration, at the most."""
        return max((each.seconds for each in self.blocked), default=0.0)

    def covers(self, hash_: str) -> bool:
        """Whether it is green, and of a file with this hash."""
        return self.green and self.hash == hash_

    def as_json(self) -> dict[str, Any]:
        """Return it as a document, with the verdict, and a digest by which an edit by hand shows."""
        document: dict[str, Any] = {"green": self.green, **orjson.loads(msgspec.json.encode(_rounded(self)))}
        return {**document, "digest": _digest(document)}


def rehearsal_path(folder: Path, id_: str) -> Path:
    """Return the file of a migration's rehearsal."""
    return folder / FOLDER / f"{id_}.json"


def read_rehearsal(folder: Path, id_: str) -> Rehearsal | None:
    """Read what the last rehearsal of a migration found; None if it was not rehearsed.

    Whether it is of the file as it is now, `Rehearsal.covers` tells.

    Args:
        folder: The folder of migrations.
        id_: The migration's id.

    Raises:
        MigrationError: If the file is not as a rehearsal wrote it.
    """
    path = rehearsal_path(folder, id_)
    try:
        document = orjson.loads(path.read_bytes())
        found = msgspec.convert(document, Rehearsal)
        is_written = found.id == id_ and found.as_json() == document
    except FileNotFoundError:
        return None
    except (orjson.JSONDecodeError, msgspec.ValidationError):
        is_written = False
        found = None
    if not is_written:
        text = f"is not as a rehearsal wrote it; run `jobarium-events db rehearse {id_}` again"
        raise MigrationError([Mistake(str(path), 0, text)])
    return found


def write_rehearsal(folder: Path, rehearsal: Rehearsal) -> Path:
    """Write what a rehearsal found, in place of what an earlier one did.

    Returns:
        The file.

    Raises:
        OSError: If it cannot be written.
    """
    path = rehearsal_path(folder, rehearsal.id)
    write_files({path: orjson.dumps(rehearsal.as_json(), option=orjson.OPT_INDENT_2) + b"\n"})
    return path


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _rounded(value: Any) -> Any:
    """Return a value whose times are rounded: nobody measures nanoseconds, and the file is read by people."""
    match value:
        case float():
            return round(value, 5)
        case msgspec.Struct():
            kind = type(value)
            return kind(**{name: _rounded(getattr(value, name)) for name in kind.__struct_fields__})
        case tuple():
            return tuple(map(_rounded, value))
        case _:
            return value

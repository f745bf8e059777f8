"""How far a backfill has come: one row in the database that it works on, written together with each batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.backfills.refusals import BackfillRefused
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg
    from psycopg import RawCursor
    from psycopg.rows import dict_row, tuple_row

if TYPE_CHECKING:
    from jobarium_events.migrations.backfills.ranges import Range
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Checkpoint", "Progress", "install", "is_installed", "raw"]

SQL = statements(__package__ or "", "backfilling.sql")
"""The statements of backfills, by their names."""

_LOCK = (
    1_246_708_578  # the first half of the key of a runner's advisory lock; the other is a hash of the migration's id
)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a backfill has come.

    Attributes:
        migration: The id of its migration.
        hash: The file's, which the backfill began with.
        last_key: The last key of the last batch, as texts; None before the first. A row with a key up to this one that
            is written from now on is not visited any more: to write it rightly is the dual-write's business.
        rows: How many rows its statement has changed.
        passed: How many rows it has visited.
        left: How many are left to be visited, as estimated from some of the table's blocks.
        batches: How many batches are committed.
        seconds: How long it has run, with its waits and without the time between two runs.
        started_at: When it was begun, by the clock of the database, as the other times.
        last_batch_at: When its last batch was done.
        finished_at: When it was complete; None if it is not.
        is_paused: Whether it is kept from going on.
        is_running: Whether a process is at it.
        waits_for: What keeps the next batch back, such as a replica's lag; empty if nothing does.
    """

    migration: str
    hash: str
    last_key: tuple[str, ...] | None = None
    rows: int = 0
    passed: int = 0
    left: int = 0
    batches: int = 0
    seconds: float = 0.0
    started_at: datetime
    last_batch_at: datetime | None = None
    finished_at: datetime | None = None
    is_paused: bool = False
    is_running: bool = False
    waits_for: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether every row has been visited."""
        return self.finished_at is not None

    @property
    def share(self) -> float:
        """Which part of the rows has been visited, as far as that can be estimated: from 0 to 1."""
        if self.is_complete:
            return 1.0
        return self.passed / max(self.passed + self.left, 1)

    @property
    def rate(self) -> float | None:
        """Rows visited in a second; None before the first batch."""
        return self.passed / self.seconds if self.passed and self.seconds else None

    @property
    def eta(self) -> float | None:
        """In how many seconds it is complete if it goes on at this rate; None if that is unknown."""
        if self.is_complete:
            return 0.0
        return self.left / self.rate if self.rate else None

    @property
    def stands(self) -> str:
        """Whether it goes on, in a word or two."""
        if self.is_complete:
            return "complete"
        if self.is_paused:
            return "paused"
        return "running" if self.is_running else "stopped"


class Checkpoint:
    """The row of one migration's backfill.

    Args:
        migration: One with a backfill.
    """

    def __init__(self, migration: Migration) -> None:
        self._migration = migration
        self._which = (migration.id, migration.hash)

    def begin(self, connection: psycopg.Connection[Any]) -> Progress:
        """Make the row if there is none yet, and return what it says.

        Raises:
            BackfillRefused: If the backfill began with another text of the file.
        """
        with connection.transaction():
            self.check_file(connection)
            raw(connection, "begin", self._which)
        found = self.read(connection)
        assert found is not None  # noqa: S101 - it was made above, and nobody rolls back while it runs
        return found

    def check_file(self, connection: psycopg.Connection[Any]) -> None:
        """See whether it began with the file as it is.

        Raises:
            BackfillRefused: If it began with another text of the file.
        """
        ((is_other,),) = raw(connection, "other_hash", self._which)
        if is_other:
            raise BackfillRefused(
                self._migration.id,
                "its file has changed since it began; put back what it was, or roll the migration back before it is "
                "run as it is now",
            )

    def read(self, connection: psycopg.Connection[Any]) -> Progress | None:
        """Return what it says; None if there is no row."""
        return self._read(connection, "checkpoint")

    def lock(self, connection: psycopg.Connection[Any]) -> Progress | None:
        """The same, and keep others from changing it until the end of the transaction."""
        return self._read(connection, "lock_checkpoint")

    def move(
        self, connection: psycopg.Connection[Any], found: Range | None, *, changed: int, seconds: float, is_last: bool
    ) -> Progress | None:
        """Write down a range that was worked on, in the transaction that did it, and return what the row says now."""
        last = None if found is None else list(found.last)
        rows = 0 if found is None else found.rows
        return self._read(connection, "move_checkpoint", last, changed, rows, seconds, is_last)

    def pause(self, connection: psycopg.Connection[Any]) -> None:
        """Keep the next batch from beginning."""
        raw(connection, "pause", self._which)

    def resume(self, connection: psycopg.Connection[Any]) -> None:
        """Let it go on."""
        raw(connection, "resume", self._which[:1])

    def forget(self, connection: psycopg.Connection[Any]) -> None:
        """Remove it."""
        raw(connection, "forget", self._which[:1])

    def wait(self, connection: psycopg.Connection[Any], what: str) -> None:
        """Write down what it waits for."""
        raw(connection, "wait", (*self._which, what))

    def take_lock(self, connection: psycopg.Connection[Any]) -> bool:
        """Whether this session is the one that may run the backfill."""
        ((is_taken,),) = raw(connection, "take_lock", (_LOCK, self._migration.id))
        return bool(is_taken)

    def is_running(self, connection: psycopg.Connection[Any]) -> bool:
        """Whether any session runs it."""
        ((is_running,),) = raw(connection, "is_running", (_LOCK, self._migration.id))
        return bool(is_running)

    def _read(self, connection: psycopg.Connection[Any], name: str, *values: Any) -> Progress | None:
        cursor = RawCursor(connection, row_factory=dict_row)
        row = cursor.execute(SQL[name].encode(), (*self._which, *values)).fetchone()
        return None if row is None else msgspec.convert(row, Progress)


def install(connection: psycopg.Connection[Any]) -> None:
    """Make the table of checkpoints, in the schema ``jobarium_migrations``, if it is not there."""
    if is_installed(connection):
        return
    with connection.transaction():
        raw(connection, "lock_installing")  # two that make it at once would collide
        raw(connection, "make_schema")
        raw(connection, "make_table")


def is_installed(connection: psycopg.Connection[Any]) -> bool:
    """Whether the table of checkpoints is there."""
    ((found,),) = raw(connection, "is_installed")
    return bool(found)


def raw(connection: psycopg.Connection[Any], name: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement by its name, and return its rows."""
    cursor = RawCursor(connection, row_factory=tuple_row).execute(SQL[name].encode(), values)
    return cursor.fetchall() if cursor.description is not None else []

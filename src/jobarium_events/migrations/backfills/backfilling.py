"""Backfills: data moved range by range of a table's key, gently, and each row exactly once.

A batch is one transaction: it locks the checkpoint, finds the next range behind it, runs the migration's statement on
that range and moves the checkpoint. Whatever ends it ends both or neither, so that no row is left out or met twice,
whoever else runs, and whatever is killed.

A row that is written with a key behind the checkpoint is not visited any more, so what writes rows has to write both
representations before the backfill begins: that is the dual-write's business, see `dual_write`.

A batch locks its rows in the order in which its statement meets them, which is the statement's own. To lock them in
order first would write every row twice. Where others lock the same rows in another order, one of the two is ended by
Postgres; the batch is then tried again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.backfills.checkpoints import Checkpoint, Progress, install, is_installed, raw
from jobarium_events.migrations.backfills.lag import Replicas
from jobarium_events.migrations.backfills.ranges import Ranges, checked
from jobarium_events.migrations.backfills.refusals import BackfillFailed, BackfillRefused, BackfillRunning
from jobarium_events.migrations.backfills.throttling import Pace, Patience
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.running.failures import said_by

with extra("migrations"):
    import psycopg
    from psycopg import RawCursor, errors

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.settings import Environment

__all__ = ["PATIENCE", "Progress", "forget", "install", "pause", "progress", "resume", "run"]

PATIENCE = 600.0
"""For how many seconds a batch is tried that gets no lock, or loses its connection, before the run fails."""

_LOCKED = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
_LAG_EVERY = 0.5  # seconds between two questions how far replicas are behind
_LOOK_EVERY = 1.0  # seconds between two looks while they are too far
_ESTIMATE_EVERY = 5.0  # seconds between two questions how many rows are left
_LOCK_PATIENCE = 5.0  # seconds for which the session of a killed runner may still be there


def run(
    connect: Callable[[], psycopg.Connection[Any]],
    migration: Migration,
    environment: Environment,
    *,
    stop: threading.Event,
    watch: Callable[[Progress], None] | None = None,
    begun: Callable[[psycopg.Connection[Any]], None] | None = None,
    finished: Callable[[psycopg.Connection[Any]], None] | None = None,
    patience: float = PATIENCE,
) -> Progress:
    """Run the backfill of a migration until it is complete, is paused or is to stop.

    One that is complete stays so: it is not run again.

    Args:
        connect: Opens a connection of its own to the primary; it is closed at the end, and opened anew if it is lost.
        migration: One with a backfill.
        environment: How long a batch waits for a lock and may take at most, and which replicas there are.
        stop: When it is set, no further batch is begun.
        watch: Called after each batch, and while something is waited for.
        begun: Called in the transaction of the first batch.
        finished: Called in the transaction that marks the backfill as complete.
        patience: For how many seconds a batch is tried again and again that gets no lock, or loses its connection.

    Returns:
        How far it has come: `is_complete`, or `is_paused`, or neither if it was to stop.

    Raises:
        BackfillRefused: If it cannot be begun; nothing was done.
        BackfillFailed: If a batch failed for good; what was committed before stays, and it can be run again.
    """
    with Replicas(migration.id, environment.replica_urls) as replicas:
        runner = _Runner(
            connect,
            migration,
            environment,
            replicas,
            stop=stop,
            watch=watch,
            begun=begun,
            finished=finished,
            patience=patience,
        )
        try:
            return runner.run()
        except psycopg.Error as error:
            _, statement = checked(migration)
            raise BackfillFailed(migration.id, statement.line, runner.said_by(error), error.sqlstate) from None
        finally:
            runner.close()


def pause(connection: psycopg.Connection[Any], migration: Migration) -> Progress:
    """Keep a backfill from beginning another batch, whichever process runs it, and return how far it has come.

    The batch that is under way is waited for. A backfill that was never begun cannot begin either.
    """
    checked(migration)
    install(connection)
    Checkpoint(migration).pause(connection)
    found = progress(connection, migration)
    assert found is not None  # noqa: S101 - there is a row now
    return found


def resume(connection: psycopg.Connection[Any], migration: Migration) -> Progress | None:
    """Let a paused backfill go on when it is run again, and return how far it has come; None if it was never begun."""
    checked(migration)
    if is_installed(connection):
        Checkpoint(migration).resume(connection)
    return progress(connection, migration)


def progress(connection: psycopg.Connection[Any], migration: Migration) -> Progress | None:
    """Return how far a backfill has come; None if it was never begun.

    Raises:
        BackfillRefused: If it has none, or it began with another text of its file.
    """
    checked(migration)
    if not is_installed(connection):
        return None
    checkpoint = Checkpoint(migration)
    found = checkpoint.read(connection)
    if found is None:
        checkpoint.check_file(connection)
    if found is None or found.is_complete:
        return found
    ranges = Ranges(migration)
    try:
        ranges.check(connection)
    except BackfillRefused:  # the table is not there yet, or not any more
        left = 0
    else:
        left = ranges.left(connection, found.last_key)
    return msgspec.structs.replace(found, left=left, is_running=checkpoint.is_running(connection))


def is_paused(connection: psycopg.Connection[Any], migration: Migration) -> bool:
    """Whether a backfill is kept from going on."""
    found = Checkpoint(migration).read(connection) if is_installed(connection) else None
    return found is not None and found.is_paused


def forget(connection: psycopg.Connection[Any], migration: Migration) -> None:
    """Forget a backfill, so that the next run begins anew; for the transaction of the way back that undoes its work."""
    if is_installed(connection):
        Checkpoint(migration).forget(connection)


class _Runner:
    """One run of a backfill."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        migration: Migration,
        environment: Environment,
        replicas: Replicas,
        *,
        stop: threading.Event,
        watch: Callable[[Progress], None] | None,
        begun: Callable[[psycopg.Connection[Any]], None] | None,
        finished: Callable[[psycopg.Connection[Any]], None] | None,
        patience: float,
    ) -> None:
        backfill, statement = checked(migration)
        self._connect, self._migration, self._replicas = connect, migration, replicas
        self._stop, self._watch, self._begun, self._finished = stop, watch, begun, finished
        self._statement = statement.text.encode()
        self._max_lag = backfill.max_lag
        self._patience = Patience(patience)
        self._checkpoint = Checkpoint(migration)
        self._pace = Pace(backfill, environment)
        self._connection: psycopg.Connection[Any] | None = None
        self._ranges = Ranges(migration)
        self._is_begun = self._was_connected = self._waits = False
        self._last: Progress | None = None
        self._since = monotonic()  # the time up to here is in the checkpoint
        self._asked_at = self._estimated_at = float("-inf")
        self._all = 0
        self._round_trip = 0.0

    def close(self) -> None:
        """Close the connection; with it the lock is let go."""
        if self._connection is not None:
            if self._waits:
                with suppress(psycopg.Error):
                    self._checkpoint.wait(self._connection, "")
            self._connection.close()
            self._connection = None

    def run(self) -> Progress:
        """Run batch after batch; one that gets no lock, or loses its connection, is tried again."""
        found: Progress | None = None
        while found is None:
            try:
                found = self._batch()
            except psycopg.Error as error:
                is_passing = self._is_passing(error)
                is_left = self._stop.is_set() and self._connection is None
                if not is_passing or is_left or self._patience.is_at_its_end():
                    raise
                self._tell_of(error)
                self._stop.wait(self._patience.rest())
            else:
                self._patience.begin_anew()
                self._waits = False
        return found

    def said_by(self, error: psycopg.Error) -> str:
        """Return what ended the run, and for how long it was tried."""
        return f"{said_by(error)}{self._patience}"

    def _is_passing(self, error: psycopg.Error) -> bool:
        """Whether a batch that failed so is tried again."""
        if self._connection is not None and self._connection.closed:
            self._connection = None
        is_lost = isinstance(error, psycopg.OperationalError) and self._connection is None and self._was_connected
        return is_lost or isinstance(error, _LOCKED)

    def _tell_of(self, error: psycopg.Error) -> None:
        """Say that it waits; where the connection is lost there is nobody to say it to but this process."""
        what = "rows that another session has locked" if isinstance(error, _LOCKED) else "the database"
        if self._connection is not None and self._is_begun:
            with suppress(psycopg.Error):
                self._checkpoint.wait(self._connection, what)
                self._waits = True
        if self._watch is not None and self._last is not None:
            self._watch(msgspec.structs.replace(self._last, waits_for=what))

    def _batch(self) -> Progress | None:
        """Run one batch and rest after it; return how far it has come if the run ends here."""
        if self._connection is None:
            self._connection = self._opened()
            self._was_connected, self._is_begun = True, False
        connection = self._connection
        if not self._is_begun:
            found = progress(connection, self._migration)
            if found is not None and (found.is_complete or found.is_paused):
                return found
            self._begin(connection)
            self._is_begun = True
        self._await_replicas(connection)
        began = monotonic()
        try:
            with connection.transaction():
                self._last = found = self._locked(connection)
                if found.is_complete or found.is_paused or self._stop.is_set():
                    return self._estimated(connection, found)
                self._last = self._worked(connection, found)
        except errors.QueryCanceled:
            if not self._pace.is_cut():
                raise
            self._stop.wait(self._pace.rest(monotonic() - began))
            return None
        rest = self._pace.rest(monotonic() - began)
        if not self._told(connection, self._last).is_complete:
            self._stop.wait(rest)
        return None

    def _locked(self, connection: psycopg.Connection[Any]) -> Progress:
        limits = (self._pace.lock_timeout, self._pace.statement_timeout)
        began = monotonic()
        raw(connection, "limits", [str(Span(each).milliseconds) for each in limits])
        self._round_trip = monotonic() - began  # as good as nothing is done there
        return self._there(self._checkpoint.lock(connection))

    def _there(self, found: Progress | None) -> Progress:
        if found is None:
            raise BackfillRefused(self._migration.id, "it was rolled back in the meantime; apply it anew")
        return found

    def _worked(self, connection: psycopg.Connection[Any], found: Progress) -> Progress:
        """Run the statement on the next range, move the checkpoint, and return what that says then."""
        following = self._ranges.next(connection, found.last_key, self._pace.rows)
        changed = 0
        if following is not None:
            keys = (*following.first, *following.last)
            began = monotonic()
            # Never prepared, so that the plan is one for this range.
            changed = max(RawCursor(connection).execute(self._statement, keys, prepare=False).rowcount, 0)
            self._pace.took(following.rows, monotonic() - began - self._round_trip)
        if found.batches == 0 and self._begun is not None:
            self._begun(connection)
        is_last = following is None or following.is_last
        now = monotonic()
        seconds, self._since = now - self._since, now
        moved = self._checkpoint.move(connection, following, changed=changed, seconds=seconds, is_last=is_last)
        if is_last and self._finished is not None:
            self._finished(connection)
        return self._there(moved)

    def _told(self, connection: psycopg.Connection[Any], found: Progress) -> Progress:
        """Tell how far it has come."""
        self._last = found = self._estimated(connection, found)
        if self._watch is not None:
            self._watch(found)
        return found

    def _estimated(self, connection: psycopg.Connection[Any], found: Progress) -> Progress:
        """Return how far it has come, with an estimate of what is left, which is asked for now and then."""
        if found.is_complete:
            return found
        if monotonic() - self._estimated_at > _ESTIMATE_EVERY:
            self._estimated_at = monotonic()
            self._all = found.passed + self._ranges.left(connection, found.last_key)
        return msgspec.structs.replace(found, left=max(self._all - found.passed, 0), is_running=True)

    def _await_replicas(self, connection: psycopg.Connection[Any]) -> None:
        """Wait until no replica is too far behind."""
        if monotonic() - self._asked_at < _LAG_EVERY:
            return
        told = ""
        while not self._stop.is_set():
            behind = self._replicas.worst(connection)
            if behind is None or behind.seconds <= self._max_lag:
                break
            told = str(behind)
            self._checkpoint.wait(connection, told)
            if self._told(connection, self._there(self._checkpoint.read(connection))).is_paused:
                break
            self._stop.wait(_LOOK_EVERY)
        if told:
            self._checkpoint.wait(connection, "")
        self._asked_at = monotonic()

    def _opened(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        connection.autocommit = True
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # sees what was committed before the lock
        return connection

    def _begin(self, connection: psycopg.Connection[Any]) -> None:
        """Prepare a session for batches, and become the one that runs them."""
        (*_, is_replica) = raw(connection, "session")[0]
        if is_replica:
            raise BackfillRefused(self._migration.id, "the database is a replica; give the URL of the primary")
        self._ranges.check(connection)
        self._replicas.check(connection)
        install(connection)
        end = monotonic() + _LOCK_PATIENCE
        while not self._checkpoint.take_lock(connection):
            if monotonic() > end or self._stop.wait(0.1):
                raise BackfillRunning(self._migration.id)
        self._last = self._checkpoint.begin(connection)

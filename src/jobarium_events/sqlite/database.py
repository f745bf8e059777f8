"""One SQLite file, and its transactions: one at a time that writes, over threads, tasks and processes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from jobarium_events.errors import DeclarationError, JobariumEventsError

__all__ = ["Busy", "Database", "Transaction"]

_DENIED = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
# These differ from what anybody else would write: Python keeps compiled statements by their text, and one that is
# compiled already is not asked about again.
_BEGIN, _COMMIT = "begin immediate /* jobarium-events */", "commit /* jobarium-events */"


class Busy(JobariumEventsError):
    """Another transaction kept the file for longer than this one was to wait; the event is to be delivered again.

    Attributes:
        path: The file.
        seconds: How long it was waited for.
    """

    def __init__(self, path: str, seconds: float) -> None:
        self.path = path
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.path} was locked for {self.seconds:g} seconds by another transaction; keep handlers short"


class Transaction:
    """A connection whose transactions begin and end here alone.

    Attributes:
        connection: What a handler may use: all but begin, commit and rollback, which SQLite refuses it.
    """

    def __init__(self, path: str) -> None:
        self._is_ours = True
        self.connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        self.connection.execute("pragma synchronous = full")
        self.connection.execute("pragma foreign_keys = on")
        self.connection.set_authorizer(self._authorize)

    def began(self) -> bool:
        """Begin, and whether that was possible at once."""
        self._is_ours = True
        try:
            self.connection.execute(_BEGIN)
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
            return False
        self._is_ours = False
        return True

    def commit(self) -> None:
        """Commit. To roll back, close the connection."""
        self._is_ours = True
        self.connection.execute(_COMMIT)

    def _authorize(self, action: int, word: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_TRANSACTION and word in _DENIED and not self._is_ours:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK


class Database:
    """A SQLite file, and connections to it that are kept for reuse.

    Args:
        path: The file; it is made if it is not there.
        tables: The SQL that makes the tables in it, if they are not there.
        patience: How many seconds a transaction waits for its turn.

    Raises:
        DeclarationError: If the path is that of no file.
    """

    def __init__(self, path: str | os.PathLike[str], tables: str, patience: float) -> None:
        self.path = os.fspath(path)
        if self.path in ("", ":memory:"):
            raise DeclarationError("several connections must meet in the file, so name one; tests can do without any")
        self._patience = patience
        self._tables = tables
        self._lock = threading.Lock()
        self._idle: list[Transaction] = []
        self._process = os.getpid()
        self._is_made = False

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the block in a transaction, which is committed if it ends well, and else rolled back.

        Raises:
            Busy: If its turn did not come in time.
        """
        with self._lent() as transaction:
            for pause in self._pauses():
                if transaction.began():
                    break
                time.sleep(pause)
            yield transaction.connection
            transaction.commit()

    @asynccontextmanager
    async def atransaction(self) -> AsyncIterator[sqlite3.Connection]:
        """As `transaction`, letting other tasks run while it waits for its turn."""
        with self._lent() as transaction:
            for pause in self._pauses():
                if transaction.began():
                    break
                await asyncio.sleep(pause)
            yield transaction.connection
            transaction.commit()

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop().connection.close()

    @contextmanager
    def _lent(self) -> Iterator[Transaction]:
        transaction = self._taken()
        try:
            yield transaction
        except BaseException:
            transaction.connection.close()  # which rolls back, whatever state the handler has left it in
            raise
        self._idle.append(transaction)

    def _taken(self) -> Transaction:
        with self._lock:
            if self._process != os.getpid():  # a fork: SQLite's connections must not be carried over
                self._idle, self._process = [], os.getpid()
            if not self._is_made:
                self._make()
                self._is_made = True
            return self._idle.pop() if self._idle else Transaction(self.path)

    def _make(self) -> None:
        connection = sqlite3.connect(self.path, timeout=self._patience, isolation_level=None)
        try:
            for pause in self._pauses():
                if _set_to_wal(connection):
                    break
                time.sleep(pause)
            connection.executescript(f"begin immediate;\n{self._tables}\ncommit;")
        finally:
            connection.close()

    def _pauses(self) -> Iterator[float]:
        pause, until = _FIRST_PAUSE, time.monotonic() + self._patience
        while time.monotonic() < until:
            yield pause
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise Busy(self.path, self._patience)


def _set_to_wal(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("pragma journal_mode = wal")
    except sqlite3.OperationalError as error:
        if not _is_busy(error):
            raise
        return False  # SQLite does not wait here as it does elsewhere, whatever the timeout
    return True


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

"""One SQLite file, and its transactions: one at a time that writes, over threads, tasks and processes."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

from jobarium_events.errors import DeclarationError, JobariumEventsError

__all__ = ["Busy", "Database", "Transaction", "Unusable"]

_DENIED = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})
_URL = re.compile(r"\w\w+://|(?:sqlite|file):")
_OURS = "sqlite:///"
_TABLE = "select 1 from sqlite_master where type = 'table' and name = ? collate nocase"
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


class Unusable(JobariumEventsError):
    """A file cannot be opened as a database.

    Attributes:
        path: The file.
        problem: What SQLite says.
    """

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path} cannot be used: {self.problem}"


class Transaction:
    """A connection whose transactions begin and end here alone.

    Attributes:
        connection: What a handler may use: all but begin, commit and rollback, which SQLite refuses it.
    """

    def __init__(self, path: str) -> None:
        self._is_ours = True
        self.connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self.connection.execute("pragma synchronous = full")
            self.connection.execute("pragma foreign_keys = on")
        except sqlite3.Error:
            self.connection.close()
            raise
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
        """Commit, and undo what a handler has set on the connection. To roll back, close the connection."""
        self._is_ours = True
        self.connection.execute(_COMMIT)
        self.connection.row_factory, self.connection.text_factory = None, str
        self.connection.isolation_level = None

    def _authorize(self, action: int, word: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_TRANSACTION and word in _DENIED and not self._is_ours:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK


class Database:
    """A SQLite file, and connections to it that are kept for reuse.

    Args:
        path: The file; it is made if it is not there.
        tables: The SQL that makes the tables in it, if they are not there.
        table: The name of one of them, by which the file is known to have been written to before.
        patience: How many seconds a transaction waits for its turn.

    Raises:
        DeclarationError: If the path is that of no file.
    """

    def __init__(self, path: str | os.PathLike[str], tables: str, table: str, patience: float) -> None:
        self.path = os.fspath(path)
        if self.path in ("", ":memory:"):
            raise DeclarationError("several connections must meet in the file, so name one; tests can do without any")
        if _URL.match(self.path):
            hint = f"; write {self.path.removeprefix(_OURS)!r}" if self.path.startswith(_OURS) else ""
            raise DeclarationError(f"the path of a file is wanted here, not a URL{hint}")
        self._patience = patience
        self._tables = tables
        self._table = table
        self._lock = threading.Lock()
        self._idle: list[Transaction] = []
        self._process = os.getpid()
        self._is_made = False

    def missing(self) -> str | None:
        """Return the name of the table that is not in the file, or None if it is there.

        Raises:
            Busy: If its turn did not come in time.
            Unusable: If the file cannot be opened as a database.
        """
        if not Path(self.path).exists():
            return self._table
        with self.reading() as connection:
            return None if connection.execute(_TABLE, (self._table,)).fetchone() else self._table

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read from: it waits for no handler, and makes neither file nor tables.

        Raises:
            Busy: If its turn did not come in time.
            Unusable: If the file cannot be read as a database.
        """
        with self._explained():
            uri = f"{Path(self.path).absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(uri, uri=True, timeout=self._patience, isolation_level=None)) as connection:
                connection.execute("select 1 from sqlite_master").fetchone()  # SQLite opens a file when it is needed
                yield connection

    @contextmanager
    def transaction(self, *, make: bool = True) -> Iterator[sqlite3.Connection]:
        """Run the block in a transaction, which is committed if it ends well, and else rolled back.

        Args:
            make: Whether to make the tables before, if they are not there.

        Raises:
            Busy: If its turn did not come in time.
            Unusable: If the file cannot be opened as a database.
        """
        with self._lent(make=make) as transaction:
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

    @contextmanager
    def alone(self, what: str) -> Iterator[bool]:
        """Do something that no other process does at the same time, without a transaction: whether that is so.

        It is the lock on another file beside this one, which goes with its holder, however that ends.

        Args:
            what: What is done; the end of the other file's name.

        Raises:
            Unusable: If there can be no file beside this one.
        """
        with self._explained():
            lock = sqlite3.connect(f"{os.path.realpath(self.path)}-{what}", timeout=0, isolation_level=None)
        with closing(lock):
            yield self._is_locked(lock)

    def _is_locked(self, lock: sqlite3.Connection) -> bool:
        with self._explained():
            try:
                lock.execute("begin exclusive")
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                return False
        return True

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop().connection.close()

    @contextmanager
    def _lent(self, *, make: bool = True) -> Iterator[Transaction]:
        transaction = self._taken(make=make)
        try:
            yield transaction
        except BaseException:
            transaction.connection.close()  # which rolls back, whatever state the handler has left it in
            raise
        self._idle.append(transaction)

    def _taken(self, *, make: bool) -> Transaction:
        with self._lock, self._explained():
            if self._process != os.getpid():  # a fork: SQLite's connections must not be carried over
                self._idle, self._process = [], os.getpid()
            if make and not self._is_made:
                self._make()
                self._is_made = True
            return self._idle.pop() if self._idle else self._opened()

    def _opened(self) -> Transaction:
        """Return a new connection; to open one reads the file, which another process has alone while it recovers it."""
        pauses = self._pauses()
        while True:
            try:
                return Transaction(self.path)
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                time.sleep(next(pauses))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if _is_busy(error):
                raise Busy(self.path, self._patience) from error
            raise Unusable(self.path, str(error)) from error

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


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

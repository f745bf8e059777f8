"""Has a step that no transaction may hold wait for its locks, one by one, until each was looked at.

Such a step commits on its way, so that nothing tells at its end what it held, and a lock may be over before the next
look. Therefore a session of its own locks each table before the step begins, SHARE UPDATE EXCLUSIVE: nobody who reads
or writes waits for that, and whoever wants the same, or more, does. Once a look has met the wait, the session lets go.
It holds one lock and wants no other, so it is part of no deadlock.

To detach a partition CONCURRENTLY is to lock it again later, ACCESS EXCLUSIVE: there a second session has ACCESS SHARE.
For VACUUM there is none, and no session has a snapshot: it would neither cut off the empty end of a table nor take away
dead rows. With SKIP_LOCKED it passes by what is locked, so nothing is. For that, for tables that a step locks more
often, and where there are more of them than sessions, there is what the step leaves behind; see `Traces`.

Weaker locks, those of reading and writing, are left to the looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jobarium_events.extras import extra
from jobarium_events.migrations.files.options import is_on
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["Holding"]

_SQL = statements(__package__, "observing.sql")
_MOST = 32
_WEAK = "lock table only {} in access share mode"
_STRONG = "lock table only {} in share update exclusive mode"
_OF_VIEW = "alter materialized view {} set without cluster"
"""What takes the same lock where `lock table` takes none; nothing is changed, as it is rolled back."""


class Holding:
    """The sessions that a step has to wait for.

    Args:
        connect: Opens a connection, in autocommit.
        asking: One that is not used by anybody while `begin` runs.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], asking: psycopg.Connection[Any]) -> None:
        self._connect = connect
        self._asking = asking
        self._idle: list[psycopg.Connection[Any]] = []
        self._held: dict[int, psycopg.Connection[Any]] = {}
        self._closed = False

    @property
    def pids(self) -> frozenset[int]:
        """The backends that hold something."""
        return frozenset(self._held)

    def begin(self, statement: Statement, on: Sequence[int], others: Sequence[int]) -> None:
        """Hold what a statement is to wait for; nothing once `close` was called.

        Args:
            statement: It runs in no transaction.
            on: The tables that it is known to lock.
            others: All others, which it may lock as well.
        """
        if self._closed or (statement.kind == "vacuum_stmt" and is_on(statement.node.options, "skip_locked")):
            return
        detaches = statement.kind == "alter_table_stmt"
        with suppress(psycopg.OperationalError):  # where there are no more sessions to be had, these are held
            most = self._most()
            for text in (*self._locking(on, weak=detaches), *self._locking(others)):
                if len(self._held) >= most:
                    break
                self._hold(text)

    def let_go(self, pids: Iterable[int]) -> None:
        """Let go what was waited for."""
        for pid in pids:
            if pid in self._held:
                session = self._held.pop(pid)
                session.rollback()
                self._idle.append(session)

    def end(self) -> None:
        """Let go all."""
        self.let_go([*self._held])

    def close(self) -> None:
        """Let go all, for good."""
        self._closed = True
        for session in (*self._held.values(), *self._idle):
            session.close()
        self._held.clear()
        self._idle.clear()

    def _most(self) -> int:
        """Return how many sessions may be held: most of a server's are for others."""
        row = self._asking.execute(_SQL["sessions"]).fetchone()
        return _MOST if row is None else min(_MOST, int(row[0]) // 4)

    def _locking(self, tables: Sequence[int], *, weak: bool = False) -> Iterator[str]:
        for name, kind in self._asking.execute(_SQL["lockable"], (list(tables),)).fetchall():
            yield (_OF_VIEW if kind == "m" else _STRONG).format(name)
            if weak:
                yield _WEAK.format(name)

    def _hold(self, text: str) -> None:
        session = self._session()
        try:
            session.execute("begin")
            session.execute(text.encode(), prepare=False)
        except psycopg.Error:
            # Whose table it is not, or who finds it locked for long, goes without.
            session.rollback()
            self._idle.append(session)
        else:
            self._held[session.info.backend_pid] = session

    def _session(self) -> psycopg.Connection[Any]:
        if self._idle:
            return self._idle.pop()
        session = self._connect()
        session.execute(_SQL["patient"])
        return session

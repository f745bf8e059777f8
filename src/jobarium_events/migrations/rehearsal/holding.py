"""Has a step that no transaction may hold wait for its locks, one by one, until each was looked at.

Such a step commits on its way, so that nothing tells at its end what it held, and a lock may be over before the next
look. Therefore a session of its own locks each table before the step begins. Once a look has met the step's wait, the
session lets go of what is in the way, and keeps what is weaker, for which a stronger lock has to wait in its turn. It
waits for nobody while it holds anything, so it is part of no deadlock.

While code reads and writes, the session has SHARE UPDATE EXCLUSIVE: nobody who does that waits for it, and whoever
wants the same, or more, does. To detach a partition CONCURRENTLY is to lock it again later, ACCESS EXCLUSIVE: there it
keeps ACCESS SHARE. Where nobody else is, it has every mode, one above the other, so that reading waits for it too.

For VACUUM it keeps nothing, and no session has a snapshot: it would neither cut off the empty end of a table nor take
away dead rows. With SKIP_LOCKED it passes by what is locked, so nothing is. For that, and where there are more tables
than sessions, there is what the step leaves behind; see `Traces`.

What is not met is a mode that is weaker than, or the same as, one that the step has on that table already in the same
transaction: nobody waits for it who would not wait for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.extras import extra
from jobarium_events.migrations.files.options import is_on
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["Holding"]

_SQL = statements(__package__, "observing.sql")
_MOST = 32
_LADDER = (
    LockMode.ACCESS_SHARE,
    LockMode.ROW_SHARE,
    LockMode.ROW_EXCLUSIVE,
    LockMode.SHARE_UPDATE_EXCLUSIVE,
    LockMode.SHARE_ROW_EXCLUSIVE,
    LockMode.EXCLUSIVE,
    LockMode.ACCESS_EXCLUSIVE,
)
"""Each mode that is in nobody's way who has the one before it alone."""
_BESIDE: Mapping[str | None, LockMode] = {
    LockMode.ACCESS_SHARE: LockMode.EXCLUSIVE,
    LockMode.ROW_SHARE: LockMode.SHARE_ROW_EXCLUSIVE,
    LockMode.ROW_EXCLUSIVE: LockMode.SHARE_UPDATE_EXCLUSIVE,
    LockMode.SHARE_UPDATE_EXCLUSIVE: LockMode.ROW_EXCLUSIVE,
    LockMode.SHARE: LockMode.ROW_SHARE,
    LockMode.SHARE_ROW_EXCLUSIVE: LockMode.ROW_SHARE,
    LockMode.EXCLUSIVE: LockMode.ACCESS_SHARE,
}
"""Up to which of these others may have locked what is wanted; see Postgres' table of conflicting lock modes."""


class _Held(NamedTuple):
    session: psycopg.Connection[Any]
    modes: tuple[LockMode, ...]


class Holding:
    """The sessions that a step has to wait for.

    Args:
        connect: Opens a connection, in autocommit.
        asking: One that is not used by anybody while `begin` runs.
        every: Whether the step is to wait for every lock; only where nobody else uses the tables.
    """

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], asking: psycopg.Connection[Any], *, every: bool
    ) -> None:
        self._connect = connect
        self._asking = asking
        self._every = every
        self._idle: list[psycopg.Connection[Any]] = []
        self._held: dict[int, _Held] = {}
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
        vacuums = statement.kind == "vacuum_stmt"
        if self._closed or (vacuums and is_on(statement.node.options, "skip_locked")):
            return
        modes = [LockMode.SHARE_UPDATE_EXCLUSIVE]
        if self._every:
            modes = [mode for mode in _LADDER if not vacuums or mode.strength >= modes[0].strength]
        known = modes
        if statement.kind == "alter_table_stmt" and not self._every:
            known = [LockMode.ACCESS_SHARE, *modes]
        with suppress(psycopg.OperationalError):  # where there are no more sessions to be had, these are held
            most = self._most()
            for locking in (*self._locking(on, known), *self._locking(others, modes)):
                if len(self._held) >= most:
                    break
                self._hold(locking)

    def let_go(self, waits: Iterable[tuple[int, str | None]]) -> None:
        """Let go what was waited for.

        Args:
            waits: The backends that were waited for, each with the mode that was wanted; None for anything else than a
                table.
        """
        for pid, wanted in waits:
            if pid in self._held:
                session, modes = self._held[pid]
                beside = 0 if wanted not in _BESIDE else _BESIDE[wanted].strength
                kept = tuple(mode for mode in modes if mode.strength <= beside)
                if not kept:
                    session.rollback()
                    self._idle.append(session)
                    del self._held[pid]
                elif kept != modes:
                    session.execute(f"rollback to savepoint {modes[len(kept)].name}".encode())
                    self._held[pid] = _Held(session, kept)

    def end(self) -> None:
        """Let go all."""
        self.let_go([(pid, None) for pid in self._held])

    def close(self) -> None:
        """Let go all, for good."""
        self._closed = True
        for session in (*(held.session for held in self._held.values()), *self._idle):
            session.close()
        self._held.clear()
        self._idle.clear()

    def _most(self) -> int:
        """Return how many sessions may be held: most of a server's are for others."""
        row = self._asking.execute(_SQL["sessions"]).fetchone()
        return _MOST if row is None else min(_MOST, int(row[0]) // 4)

    def _locking(self, tables: Sequence[int], modes: Sequence[LockMode]) -> Iterator[Mapping[LockMode, str]]:
        """Yield, for each table that can be locked, what does so, from the weakest mode to the strongest."""
        for name, kind in self._asking.execute(_SQL["lockable"], (list(tables),)).fetchall():
            locking = {mode: text for mode in modes if (text := _locking(mode, kind))}
            if locking:
                yield {mode: text.format(name) for mode, text in locking.items()}

    def _hold(self, locking: Mapping[LockMode, str]) -> None:
        session = self._session()
        steps = (f"savepoint {mode.name}; {text}" for mode, text in locking.items())
        try:
            session.execute("; ".join(("begin", *steps)).encode(), prepare=False)
        except psycopg.Error:
            # Whose table it is not, or who finds it locked for long, goes without.
            session.rollback()
            self._idle.append(session)
        else:
            self._held[session.info.backend_pid] = _Held(session, tuple(locking))

    def _session(self) -> psycopg.Connection[Any]:
        if self._idle:
            return self._idle.pop()
        session = self._connect()
        session.execute(_SQL["patient"])
        return session


def _locking(mode: LockMode, kind: str) -> str:
    """Return what locks a relation of a kind in a mode; empty if nothing does.

    Where `lock table` takes none, or takes those that a view reads as well, it is locked by a change; that is undone.
    """
    if kind in ("r", "p"):
        return f"lock table only {{}} in {mode.words} mode"
    if mode is LockMode.ACCESS_EXCLUSIVE:
        return "alter table {} owner to current_user"
    if mode is LockMode.SHARE_UPDATE_EXCLUSIVE and kind == "m":
        return "alter materialized view {} set without cluster"
    return ""

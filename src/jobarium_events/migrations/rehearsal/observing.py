"""Watches a migration while it runs: its locks, whom they block, what is written anew, and which indexes are built.

A connection of its own looks at the locks every few milliseconds. A step that a transaction holds is asked once more
just before it commits, when it holds all that it took; so no lock is missed because its step was quick. What no
transaction may hold is made to wait for each of its locks until a look has met that; see `holding`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.holding import Holding
from jobarium_events.migrations.rehearsal.relations import Relation, Traces
from jobarium_events.migrations.rehearsal.report import Blocked, Built, ObservedStep
from jobarium_events.migrations.rehearsal.watched import Found, Watched
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from typing import Self

    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["Clock", "Observer", "shortened"]

_SQL = statements(__package__, "observing.sql")
_EVERY = 0.003
_LONGEST = 80  # as the statement is one column of a table beside others


class Clock:
    """Counts the seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def __call__(self) -> float:
        """Return what it shows now."""
        return time.perf_counter() - self._began


def shortened(text: str) -> str:
    """Return SQL in one line, and not without end."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


class _Waiting(NamedTuple):
    probe: str
    table: str
    line: int


class Observer:
    """Watches the backends of a migration, and the probes that may have to wait for them.

    Args:
        connect: Opens a connection, in autocommit.
        clock: By which everything is timed.
        every: Whether to meet locks of mere reading and writing too, however brief; only where no code runs.

    Attributes:
        blocked: The waits of probes that the migration caused; complete after `close`.
        hindered: For how many seconds of its steps the migration waited for this observer alone.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], clock: Clock, *, every: bool = False) -> None:
        self._clock = clock
        self._connection = connect()
        self._sampling = connect()
        self._holding = Holding(connect, self._connection, every=every)
        self._own: set[int] = set()
        self._probes: dict[int, tuple[str, str]] = {}
        self._watched: Watched | None = None
        self._sampled = clock()
        self._waits: dict[int, tuple[_Waiting, float]] = {}
        self._state = threading.Lock()
        self._stopped = threading.Event()
        self._failed: BaseException | None = None
        self.blocked: list[Blocked] = []
        self.hindered = 0.0
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop watching.

        Raises:
            psycopg.Error: If it could not watch to the end.
        """
        self._stopped.set()
        self._thread.join()
        self._connection.close()
        self._sampling.close()
        if self._failed is not None:
            raise self._failed

    @property
    def waiting(self) -> tuple[str, ...]:
        """The probes that wait for the migration now."""
        return tuple(what.probe for what, _ in list(self._waits.values()))

    @property
    def awaited(self) -> bool:
        """Whether the step that runs has had to wait for a lock of others."""
        with self._state:
            return self._watched is not None and bool(self._watched.awaited)

    def own(self, connection: psycopg.Connection[Any]) -> None:
        """Take a connection for one of the migration."""
        with self._state:
            self._own.add(connection.info.backend_pid)

    def probe(self, connection: psycopg.Connection[Any], name: str, table: str) -> None:
        """Take a connection for that of a probe."""
        with self._state:
            self._probes[connection.info.backend_pid] = name, table

    def within(self, connection: psycopg.Connection[Any]) -> None:
        """Note what a transaction holds before it commits; see `run_step`."""
        found = self._own_locks(connection)
        with self._state:
            if self._watched is not None:
                self._watched.at_commit |= {(oid, mode) for oid, mode in found}

    def amid(self, connection: psycopg.Connection[Any]) -> None:
        """Note what one of a step's many transactions holds; each may be too brief for a sample to meet it."""
        found = self._own_locks(connection)
        at = self._clock()
        with self._state:
            if self._watched is not None:
                self._watched.note(found, at)

    def _own_locks(self, connection: psycopg.Connection[Any]) -> list[tuple[int, str]]:
        began = self._clock()
        found = connection.execute(_SQL["own_locks"]).fetchall()
        with self._state:
            self.hindered += self._clock() - began
        return found

    @contextmanager
    def step(
        self,
        line: int,
        text: str,
        into: list[ObservedStep],
        *,
        alone: Statement | None = None,
        on: Collection[str] = (),
    ) -> Iterator[Watched]:
        """Watch one step, and append what was seen, also if it fails.

        Args:
            line: Its line.
            text: Its SQL.
            into: Where it is appended.
            alone: Its statement, if no transaction may hold it.
            on: The tables that it is known to lock.
        """
        before = Relation.read(self._connection)
        traces = None if alone is None else Traces.read(self._connection, before)
        if alone is not None and traces is not None:
            known = [oid for oid, each in before.items() if each.name in on]
            with self._state:
                self._holding.begin(alone, known, [oid for oid in traces if oid not in known])
        position = self._position()
        watched = Watched(line, shortened(text), self._clock(), before)
        done = False
        with self._state:
            self._watched = watched
        try:
            yield watched
            done = True
        finally:
            ended = self._clock()
            with self._state:
                self._watched = None
                self._holding.end()
            into.append(self._observed(watched, ended, position, traces if done else None))

    def _observed(
        self, watched: Watched, ended: float, position: int, traces: Mapping[int, Traces] | None
    ) -> ObservedStep:
        before, after = watched.relations, Relation.read(self._connection)
        proven = None
        if traces is not None:
            proven = set(Traces.proven((before, traces), (after, Traces.read(self._connection, after))))
        return ObservedStep(
            line=watched.line,
            text=watched.text,
            begin=watched.began,
            seconds=ended - watched.began,
            locks=tuple(watched.locks(ended, proven)),
            rewrites=tuple(
                sorted(
                    before[oid].name
                    for oid, relation in after.items()
                    if relation.kind in ("r", "m") and oid in before and before[oid].file != relation.file
                )
            ),
            indexes=tuple(self._built(watched, after, ended)),
            wal=self._position() - position,
            retries=watched.retries,
        )

    def _built(self, watched: Watched, after: Mapping[int, Relation], ended: float) -> Iterator[Built]:
        new = {oid: each for oid, each in after.items() if each.of is not None and oid not in watched.relations}
        tables = [each.of for each in new.values()]
        for oid, index in new.items():
            table = index.of or 0
            span = watched.building.get(oid) or (watched.building.get(table) if tables.count(table) == 1 else None)
            seen = 0.0 if span is None else span.last - span.begin
            row = self._connection.execute(_SQL["size"], (oid,)).fetchone()
            yield Built(
                index=index.name,
                table=after[table].name if table in after else "",
                seconds=seen or ended - watched.began,  # where fewer than two looks have met it, it took no longer
                size=int(row[0]) if row is not None and row[0] is not None else 0,
            )

    def _position(self) -> int:
        row = self._connection.execute(_SQL["position"]).fetchone()
        return int(row[0]) if row is not None else 0

    def _run(self) -> None:
        try:
            while not self._stopped.wait(_EVERY):
                self._sample()
            self._let_go({}, self._clock())
        except psycopg.Error as error:
            self._failed = error
        finally:
            with self._state:
                self._holding.close()

    def _sample(self) -> None:
        with self._state:
            watched, own, probes = self._watched, list(self._own), dict(self._probes)
            holding = self._holding.pids
        asked = {"own": own, "probes": list(probes), "holding": list(holding)}
        found = [Found(*row) for row in self._sampling.execute(_SQL["sample"], asked)]
        at = self._clock()
        line = 0 if watched is None else watched.line
        waiting: dict[int, _Waiting] = {}
        blockers = {each.pid: (each.relation, each.by) for each in found if each.pid in probes and each.by is not None}
        for pid, (relation, _) in blockers.items():
            if watched is not None and _leads(pid, blockers, set(own)):
                name, table = probes[pid]
                waiting[pid] = _Waiting(name, watched.name(relation) or table, line)
        with self._state:
            before, self._sampled = self._sampled, at
            if watched is not None and self._watched is watched:
                migration = [each for each in found if each.pid in self._own]
                served = watched.look(migration, holding, at, before)
                self._holding.let_go(served)
                waits = [each.waited for each in migration if each.is_only_for(holding)]
                if served and waits:
                    self.hindered += max(waits) + self._clock() - at
        self._let_go(waiting, at)

    def _let_go(self, waiting: Mapping[int, _Waiting], at: float) -> None:
        """Note the waits that have ended, and those that have begun."""
        for pid in [pid for pid in self._waits if self._waits[pid][0] != waiting.get(pid)]:
            what, begin = self._waits.pop(pid)
            self.blocked.append(
                Blocked(probe=what.probe, table=what.table, line=what.line, begin=begin, seconds=at - begin)
            )
        for pid, what in waiting.items():
            self._waits.setdefault(pid, (what, at))


def _leads(pid: int, blockers: Mapping[int, tuple[int | None, list[int]]], own: set[int]) -> bool:
    """Whether a backend waits for one of the migration, be it through others that wait."""
    seen: set[int] = set()
    ways = [pid]
    while ways:
        each = ways.pop()
        if each in seen:
            continue
        seen.add(each)
        by = blockers[each][1] if each in blockers else []
        if own.intersection(by):
            return True
        ways += by
    return False

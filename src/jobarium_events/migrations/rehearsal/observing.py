"""Watches a migration while it runs: its locks, whom they block, what is written anew, and which indexes are built.

A connection of its own looks at the locks every few milliseconds. A step that a transaction holds is asked once more
just before it commits, when it holds all that it took; so no lock is missed because its step was quick. What no
transaction may hold has a snapshot to wait for until it was looked at, and the weakest lock on its tables: to build an
index CONCURRENTLY means to wait for the one, and to drop it CONCURRENTLY for the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.report import Blocked, Built, Held, ObservedStep
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Clock", "Observer", "shortened"]

_SQL = statements(__package__, "observing.sql")
_EVERY = 0.003
_TABLES = ("r", "p", "m", "f", "v")
_BUILDING = "building"
_LONGEST = 160
_HELD = 1.0  # seconds that a step waits for being looked at, at the most


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


class _Relation(NamedTuple):
    name: str
    kind: str
    file: int
    of: int | None  # the table of an index


class _Span:
    """When something was seen: its first and last sight, and the time between sights that followed each other."""

    def __init__(self, begin: float) -> None:
        self.begin = self.last = begin
        self.seconds = 0.0

    def seen(self, at: float, before: float) -> None:
        """Note that it is there; `before` is when the sample before this one was taken."""
        if self.last == before:
            self.seconds += at - before
        self.last = at


class _Watched:
    """What is seen while one step runs."""

    def __init__(self, line: int, text: str, began: float, relations: Mapping[int, _Relation]) -> None:
        self.line = line
        self.text = text
        self.began = began
        self.relations = relations
        self.held: dict[tuple[int, str], _Span] = {}
        self.awaited: dict[tuple[int, str], _Span] = {}
        self.building: dict[int, _Span] = {}
        self.at_commit: set[tuple[int, str]] = set()
        self.retries = 0

    def retried(self, _attempt: int, _problem: str) -> None:
        """Count a further attempt; see `run_step`."""
        self.retries += 1

    def name(self, oid: int | None) -> str:
        """Return the name of a table; empty for what is none, or was not there before the step."""
        relation = None if oid is None else self.relations.get(oid)
        return relation.name if relation is not None and relation.kind in _TABLES else ""

    def locks(self, ended: float) -> Iterator[Held]:
        """Yield the locks on tables that were there before."""
        for oid, mode in sorted({*self.held, *self.at_commit}, key=lambda key: (self.name(key[0]), key[1])):
            if not self.name(oid):
                continue
            span = self.held.get((oid, mode))
            begin = self.began if span is None else span.begin
            until_commit = (oid, mode) in self.at_commit
            waited = self.awaited.get((oid, mode))
            yield Held(
                table=self.name(oid),
                mode=mode,
                waited=0.0 if waited is None else waited.seconds,
                begin=begin,
                end=ended if until_commit or span is None else span.last,
                seconds=ended - begin if until_commit or span is None else span.seconds,
            )


class _Waiting(NamedTuple):
    probe: str
    table: str
    line: int


class Observer:
    """Watches the backends of a migration, and the probes that may have to wait for them.

    Args:
        connect: Opens a connection, in autocommit.
        clock: By which everything is timed.

    Attributes:
        blocked: The waits of probes that the migration caused; complete after `close`.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], clock: Clock) -> None:
        self._clock = clock
        self._connection = connect()
        self._sampling = connect()
        self._holding = connect()
        self._own: set[int] = set()
        self._probes: dict[int, tuple[str, str]] = {}
        self._watched: _Watched | None = None
        self._sampled = clock()
        self._waits: dict[int, tuple[_Waiting, float]] = {}
        self._state = threading.Lock()
        self._stopped = threading.Event()
        self._failed: BaseException | None = None
        self.blocked: list[Blocked] = []
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
        self._holding.close()
        if self._failed is not None:
            raise self._failed

    @property
    def waiting(self) -> tuple[str, ...]:
        """The probes that wait for the migration now."""
        return tuple(what.probe for what, _ in list(self._waits.values()))

    @property
    def awaited(self) -> bool:
        """Whether the step that runs has had to wait for a lock."""
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
        found = connection.execute(_SQL["own_locks"]).fetchall()
        with self._state:
            if self._watched is not None:
                self._watched.at_commit |= {(oid, mode) for oid, mode in found}

    def amid(self, connection: psycopg.Connection[Any]) -> None:
        """Note what one of a step's many transactions holds; each may be too brief for a sample to meet it."""
        found = connection.execute(_SQL["own_locks"]).fetchall()
        at = self._clock()
        with self._state:
            if self._watched is not None:
                for oid, mode in found:
                    self._watched.held.setdefault((oid, mode), _Span(at))

    @contextmanager
    def step(
        self, line: int, text: str, into: list[ObservedStep], *, alone: bool = False, on: Iterable[str] = ()
    ) -> Iterator[_Watched]:
        """Watch one step, and append what was seen, also if it fails.

        Args:
            line: Its line.
            text: Its SQL.
            into: Where it is appended.
            alone: Whether no transaction may hold it.
            on: The tables on which it then waits for others' locks, however long they are held.
        """
        before = self._relations()
        position = self._position()
        watched = _Watched(line, shortened(text), self._clock(), before)
        if alone:
            self._holding.execute("begin isolation level repeatable read")
            self._holding.execute("select 1")
            for name in on:
                self._hold(before, name)
        with self._state:
            self._watched = watched
        try:
            yield watched
        finally:
            ended = self._clock()
            with self._state:
                self._watched = None
            self._holding.rollback()
            into.append(self._observed(watched, ended, position))

    def _hold(self, relations: Mapping[int, _Relation], name: str) -> None:
        """Hold the weakest lock on a table, if there is one of this name."""
        found = [oid for oid, each in relations.items() if each.name == name and each.kind in ("r", "p", "m")]
        for (quoted,) in self._holding.execute(_SQL["quoted"], (found,)).fetchall():
            # Not `lock table`, which no materialized view allows.
            self._holding.execute(f"explain select from only {quoted}".encode())

    def _observed(self, watched: _Watched, ended: float, position: int) -> ObservedStep:
        before, after = watched.relations, self._relations()
        return ObservedStep(
            line=watched.line,
            text=watched.text,
            begin=watched.began,
            seconds=ended - watched.began,
            locks=tuple(watched.locks(ended)),
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

    def _built(self, watched: _Watched, after: Mapping[int, _Relation], ended: float) -> Iterator[Built]:
        new = {oid: each for oid, each in after.items() if each.of is not None and oid not in watched.relations}
        tables = [each.of for each in new.values()]
        for oid, index in new.items():
            table = index.of or 0
            span = watched.building.get(oid) or (watched.building.get(table) if tables.count(table) == 1 else None)
            row = self._connection.execute(_SQL["size"], (oid,)).fetchone()
            yield Built(
                index=index.name,
                table=after[table].name if table in after else "",
                seconds=ended - watched.began if span is None else span.last - span.begin,
                size=int(row[0]) if row is not None and row[0] is not None else 0,
            )

    def _relations(self) -> dict[int, _Relation]:
        return {oid: _Relation(*rest) for oid, *rest in self._connection.execute(_SQL["relations"])}

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
            with suppress(psycopg.Error):
                self._holding.rollback()

    def _sample(self) -> None:
        with self._state:
            watched, own, probes = self._watched, list(self._own), dict(self._probes)
        found = self._sampling.execute(_SQL["sample"], {"own": own, "probes": list(probes)}).fetchall()
        at = self._clock()
        line = 0 if watched is None else watched.line
        waiting: dict[int, _Waiting] = {}
        blockers = {pid: (relation, by) for pid, relation, _, _, by in found if by is not None}
        for pid, (relation, _) in blockers.items():
            if watched is not None and _leads(pid, blockers, set(own)):
                name, table = probes[pid]
                waiting[pid] = _Waiting(name, watched.name(relation) or table, line)
        with self._state:
            before, self._sampled = self._sampled, at
            looked = watched is not None and at - watched.began > _HELD
            if watched is not None and self._watched is watched:
                for pid, relation, mode, granted, _ in found:
                    if pid not in self._own:
                        continue
                    spans: dict[Any, _Span] = watched.held if granted else watched.awaited
                    key: Any = (relation, mode)
                    if mode == _BUILDING:
                        spans, key = watched.building, relation
                    spans.setdefault(key, _Span(at)).seen(at, before)
                looked = looked or any(watched.name(oid) for oid, _ in (*watched.held, *watched.awaited))
        if looked:
            self._holding.rollback()
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


def _leads(pid: int, blockers: Mapping[int, tuple[int, list[int]]], own: set[int]) -> bool:
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

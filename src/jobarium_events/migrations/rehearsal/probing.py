"""Probes at work, each at its rate, with every latency kept."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.probes import Probe, ProbeWhen
from jobarium_events.migrations.rehearsal.report import Bucket, ProbeResult, Series
from jobarium_events.migrations.running.failures import said_by

with extra("migrations"):
    import psycopg
    from psycopg import errors

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.observing import Clock, Observer
    from jobarium_events.migrations.rehearsal.supplies import Asked

__all__ = ["Probing", "percentile"]

_LANES = 24  # connections, of the code before and again of that after: a server has 100, and others want some
_BUCKETS = 120
_NARROWEST = 0.05


class _Shot(NamedTuple):
    """One statement of a probe: when it began, how long it took, and the error that it ended with, if it did."""

    at: float
    seconds: float
    error: str

    @property
    def end(self) -> float:
        return self.at + self.seconds


class _Running:
    """A probe with what became of it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.probe: Probe = asked.probe
        self.writes = asked.writes
        self.shots: list[_Shot] = []
        self.pause = 1 / asked.probe.per_second
        self.due = 0.0


class _Lane:
    """A connection with the probes that share it, in a thread: each in its turn."""

    def __init__(self, connection: psycopg.Connection[Any], observer: Observer, clock: Clock) -> None:
        self.connection = connection
        self._observer = observer
        self._clock = clock
        self._cursor = psycopg.RawCursor(connection)
        self._stopped = threading.Event()
        self._probes: list[_Running] = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def add(self, running: _Running) -> None:
        """Give it a probe, before it starts."""
        # so that not all of them come at once
        running.due = self._clock() + random.random() * running.pause  # noqa: S311
        self._probes.append(running)

    def start(self) -> None:
        """Have it begin."""
        self.thread.start()

    def stop(self) -> None:
        """Have it stop after the statement that it is at."""
        self._stopped.set()

    def join(self) -> None:
        """Wait for it to stop."""
        self.thread.join()
        self.connection.close()

    def _run(self) -> None:
        while True:
            running = min(self._probes, key=lambda each: each.due)
            if self._stopped.wait(max(running.due - self._clock(), 0)):
                return
            self._observer.probe(self.connection, running.probe.name, running.asked.table)
            at = self._clock()
            error = self._shoot(running.asked)
            if error is not None:
                running.shots.append(_Shot(at, self._clock() - at, error))
            if self.connection.closed:
                return
            running.due = max(running.due + running.pause, self._clock())

    def _shoot(self, asked: Asked) -> str | None:
        """Run the statement once; return its error, empty if there is none, and None if there is nothing to run."""
        values = asked.take()
        if values is None:
            return None
        stored = None
        try:
            if asked.undone:
                with self.connection.transaction(force_rollback=True):
                    self.connection.execute(asked.probe.sql.encode())
            else:
                self._cursor.execute(asked.probe.sql.encode(), values)
                stored = self._cursor.fetchone() if asked.returns else None
        except psycopg.Error as error:
            asked.done(values, False, None)  # noqa: FBT003 - see `Asked`
            is_late = isinstance(error, errors.QueryCanceled)
            return "was cut off by its statement_timeout" if is_late else said_by(error)
        asked.done(values, True, stored)  # noqa: FBT003
        return ""


class Probing:
    """Runs probes while a migration runs.

    Args:
        connect: Opens a connection, in autocommit.
        clock: By which everything is timed.
        observer: Is told which connections are those of probes.
        timeout: The `statement_timeout` of each, in milliseconds.
    """

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], clock: Clock, observer: Observer, timeout: int
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._observer = observer
        self._timeout = timeout
        self._running: list[_Running] = []
        self._lanes: list[_Lane] = []

    def start(self, probes: Iterable[Asked]) -> None:
        """Start some probes, each with a connection of its own unless there are very many.

        Then those share one that do the same to different tables, so that reads do not wait where writes do.
        """
        begun = [_Running(asked) for asked in probes]
        kinds: dict[str, list[_Running]] = {}
        for running in begun:
            kinds.setdefault(running.probe.name.partition(" ")[0] if running.asked.table else "", []).append(running)
        most = max(_LANES // max(len(kinds), 1), 1)
        lanes = [group[place::most] for group in kinds.values() for place in range(min(most, len(group)))]
        for group in lanes if len(begun) > _LANES else [[running] for running in begun]:
            connection = self._connect()
            connection.prepare_threshold = None  # a plan that a migration makes stale would fail by its own
            connection.execute("select set_config('statement_timeout', %s, false)", (f"{self._timeout}ms",))
            lane = _Lane(connection, self._observer, self._clock)
            for running in group:
                lane.add(running)
            self._lanes.append(lane)
            lane.start()
        self._running += begun

    def stop(self) -> None:
        """Stop all of them; a statement that runs is waited for."""
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.join()

    def results(self, began: float, upped: float, ended: float) -> Iterator[ProbeResult]:
        """Yield what became of each; they have to be stopped.

        Args:
            began: When ``up`` began.
            upped: From when on what the new code runs has to succeed.
            ended: When the backfill was over as well.
        """
        for running in self._running:
            probe, shots = running.probe, running.shots
            since = upped if probe.when is ProbeWhen.NEW else 0.0
            failed = [shot for shot in shots if shot.error and shot.at >= since]
            well = [shot for shot in shots if not shot.error]
            idle = [shot.seconds for shot in well if shot.end < began]
            during = [shot.seconds for shot in well if shot.end >= began and shot.at <= ended]
            after = [shot.seconds for shot in well if shot.at > ended]
            yield ProbeResult(
                name=probe.name,
                sql=probe.sql,
                when=probe.when,
                writes=running.writes,
                count=len(shots),
                failed=len(failed),
                error=failed[0].error if failed else "",
                idle=percentile(idle, 0.95) if idle else None,
                p95=percentile(during, 0.95) if during else None,
                after=percentile(after, 0.95) if after else None,
                usual=percentile(after, 0.5) if after else None,
                most=max((shot.seconds for shot in shots), default=0.0),
            )

    def series(self, lasted: float) -> Iterator[Series]:
        """Yield the latencies over time, those of each kind of statement together; they have to be stopped."""
        kinds: dict[str, list[_Shot]] = {}
        for running in self._running:
            kind = f"{running.probe.when} {'writes' if running.writes else 'reads'}"
            kinds.setdefault(kind, []).extend(running.shots)
        width = max(lasted / _BUCKETS, _NARROWEST)
        for name, shots in sorted(kinds.items()):
            yield Series(name=name, width=width, buckets=tuple(_buckets(shots, width)))


def _buckets(shots: Iterable[_Shot], width: float) -> Iterator[Bucket]:
    places: dict[int, list[_Shot]] = {}
    for shot in shots:
        places.setdefault(int(shot.end / width), []).append(shot)
    for place, inside in sorted(places.items()):
        seconds = [shot.seconds for shot in inside]
        failed = sum(1 for shot in inside if shot.error)
        p50, p95 = percentile(seconds, 0.5), percentile(seconds, 0.95)
        yield Bucket(place * width, len(inside), failed, p50, p95, max(seconds))


def percentile(values: Sequence[float], share: float) -> float:
    """Return what a share of some values stays within; one of them."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

"""Times calls against each other, so that whatever else the machine does falls on all of them alike.

The tasks of one race take turns in one process: a slice of a few milliseconds each, round after round, in an order
that rotates. A ratio is taken within a round, where both sides saw the same machine; the median over the rounds is
what counts, so that a disturbed round has no say. The garbage collector is on, as it is in a service.
"""

from __future__ import annotations

import gc
import statistics
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Effort", "Ratio", "Runner", "Task", "compared", "race"]


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        rounds: How often each task of a race has its turn.
        slice_seconds: How long a turn is, at least.
        processes: How often each process is started, where processes are compared.
        changed: How many changed contracts are checked, at most.
    """

    rounds: int
    slice_seconds: float
    processes: int
    changed: int = 1_000


@dataclass(frozen=True)
class Task:
    """One function with one or more inputs to be called with in turn; its time is that of one call."""

    call: Callable[..., object]
    inputs: tuple[tuple[object, ...], ...]

    @classmethod
    def of(cls, call: Callable[..., object], *arguments: object) -> Task:
        """Return the task of one call."""
        return cls(call, (arguments,))


@dataclass(frozen=True)
class Ratio:
    """How many times as long one side takes as the other.

    Attributes:
        value: The median over the rounds.
        low: The first quartile.
        high: The third quartile.
        seconds: Of one call, the first side's, in its best round.
        base_seconds: The other side's.
    """

    value: float
    low: float
    high: float
    seconds: float
    base_seconds: float


class Runner:
    """Runs one task in slices of a settled length."""

    def __init__(self, task: Task, slice_seconds: float) -> None:
        # The calls are written out with local names, as they would stand in a service: a lambda around each would
        # cost the same for all, and so bring every ratio nearer to one.
        names = [[f"a{row}_{place}" for place in range(len(given))] for row, given in enumerate(task.inputs)]
        targets = ", ".join(f"({''.join(f'{name}, ' for name in row)})" for row in names)
        setup = f"gc.enable(); call = task.call; ({targets},) = task.inputs"
        statement = "; ".join(f"call({', '.join(row)})" for row in names)
        self._timer = timeit.Timer(statement, setup, globals={"gc": gc, "task": task})
        self._calls = len(task.inputs)
        self._loops = self._calibrated(slice_seconds)

    def _calibrated(self, slice_seconds: float) -> int:
        loops, taken = 1, self._timer.timeit(1)  # the very first call may compile something
        while (taken := self._timer.timeit(loops)) < slice_seconds / 2:
            loops *= 2
        return max(1, round(loops * slice_seconds / taken))

    def run(self) -> float:
        """Return the seconds of one call."""
        return self._timer.timeit(self._loops) / self._loops / self._calls


def race(tasks: Sequence[Task], effort: Effort) -> list[list[float]]:
    """Return, for each task, the seconds of one call in each round."""
    runners = [Runner(task, effort.slice_seconds) for task in tasks]
    times: list[list[float]] = [[] for _ in runners]
    gc.collect()
    for number in range(effort.rounds):
        for place in range(len(runners)):
            turn = (place + number) % len(runners)
            times[turn].append(runners[turn].run())
    return times


def compared(times: Sequence[float], base: Sequence[float]) -> Ratio:
    """Return the ratio of two sides that were measured in the same rounds."""
    ratios = [one / other for one, other in zip(times, base, strict=True)]
    low, value, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(value, low, high, min(times), min(base))

"""How many rows a batch has, how long it rests after it, and for how long one is tried that fails."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from jobarium_events.migrations.files.spans import Span

if TYPE_CHECKING:
    from jobarium_events.migrations.files.header import Backfill
    from jobarium_events.migrations.files.settings import Environment

__all__ = ["Pace", "Patience"]

_MOST_ROWS = 100_000
_STEP = 2.0  # by which a batch is at most larger than the one before, and at most smaller
_FEW = 100  # rows
_LIKE = 0.25  # by which part two batches may differ that tell nothing of what rows add
_CUT_AFTER = 20.0  # times the time of a batch
_LEAST_CUT = 1.0  # seconds
_LEAST_LOCK = 0.05  # seconds
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0  # seconds


class Pace:
    """The pace of one run; the rows of a batch follow from how long the statement took in the one before.

    Args:
        backfill: What the migration says of it.
        environment: Of which time-outs none is exceeded.

    Attributes:
        rows: How many rows the next batch is to have.
    """

    def __init__(self, backfill: Backfill, environment: Environment) -> None:
        self._backfill = backfill
        self._environment = environment
        self.rows = backfill.batch_rows
        self._noted: list[tuple[int, float]] = []  # the last batch, and the last before it that had more rows or fewer

    def took(self, rows: int, seconds: float) -> None:
        """Take note of a statement that took so long in the server.

        The way there and back is not to be in it: more rows or fewer do not change it, and over a long way a batch
        would shrink to a single row. So it would where each statement takes long whatever its rows, as one does that
        is planned for many partitions; so of few rows the time counts that they add.
        """
        time = self._backfill.batch_time
        lowest, highest = self.rows / _STEP, self.rows * _STEP
        wanted = rows / max(seconds, 1e-6) * time
        if rows < _FEW and seconds > time and self._added(rows, seconds) < time / _STEP:
            wanted = highest
        self._note(rows, seconds)
        self.rows = min(max(round(min(max(wanted, lowest), highest)), 1), _MOST_ROWS)

    def _note(self, rows: int, seconds: float) -> None:
        if not self._noted or _differ(rows, self._noted[-1][0]):
            self._noted = [*self._noted[-1:], (rows, seconds)]
        else:
            self._noted[-1] = rows, seconds

    def _added(self, rows: int, seconds: float) -> float:
        """Return how much of a statement's time its rows have added, by the last one that had more or fewer."""
        other = next((each for each in reversed(self._noted) if _differ(rows, each[0])), None)
        return 0.0 if other is None else max((seconds - other[1]) / (rows - other[0]), 0.0) * rows

    def rest(self, seconds: float) -> float:
        """Return for how long to rest after a batch that took so long, all that belongs to it included."""
        return seconds * (1 / self._backfill.share - 1)

    def is_cut(self) -> bool:
        """Take note of a batch that was cut off, and return whether a smaller one is possible."""
        if self.rows == 1:
            return False
        self._note(self.rows, self.statement_timeout)
        self.rows //= 2
        return True

    @property
    def lock_timeout(self) -> float:
        """How long a batch may wait for a row: no longer than one is to take, since others wait for its own rows."""
        return min(self._environment.lock_timeout, max(self._backfill.batch_time, _LEAST_LOCK))

    @property
    def statement_timeout(self) -> float:
        """How long a batch may take before it is cut off; one of a single row as long as any statement."""
        longest = self._environment.statement_timeout
        return longest if self.rows == 1 else min(longest, max(_CUT_AFTER * self._backfill.batch_time, _LEAST_CUT))


def _differ(rows: int, others: int) -> bool:
    return abs(rows - others) > rows * _LIKE


class Patience:
    """How long a batch is tried again and again, with a longer rest after each time.

    Args:
        seconds: For how long.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None
        self._rest = _FIRST_WAIT

    def __str__(self) -> str:
        """Return for how long it was tried, as the end of a sentence; nothing if it was tried once."""
        return "" if self._since is None else f"; it was tried again and again for {Span(round(self._seconds, 3))}"

    def begin_anew(self) -> None:
        """Take note of a batch that is done."""
        self._since, self._rest = None, _FIRST_WAIT

    def is_at_its_end(self) -> bool:
        """Take note of a batch that failed, and return whether it was tried for long enough."""
        if self._since is None:
            self._since = monotonic()
        return monotonic() - self._since >= self._seconds

    def rest(self) -> float:
        """Return for how long to rest before it is tried again."""
        rest, self._rest = self._rest, min(self._rest * 2, _LONGEST_WAIT)
        return rest

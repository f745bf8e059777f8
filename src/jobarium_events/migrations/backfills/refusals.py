"""What goes wrong with backfills, as errors.

::

    JobariumEventsError
    ├── BackfillRefused         it cannot be begun, and nothing was done
    │   └── BackfillRunning     another process is at it
    └── BackfillFailed          a batch failed for good; what was committed before stays

No message holds a value of a row, and so none holds a key.
"""

from __future__ import annotations

from jobarium_events.errors import JobariumEventsError

__all__ = ["BackfillFailed", "BackfillRefused", "BackfillRunning"]

_OF_ROWS = ("22", "23")  # the classes of errors in data, and of constraints that it breaks


class BackfillRefused(JobariumEventsError):
    """A backfill that cannot be begun; nothing was done.

    Attributes:
        migration: The migration's id.
        problem: Why, and the way out.
    """

    def __init__(self, migration: str, problem: str) -> None:
        self.migration = migration
        self.problem = problem

    def __str__(self) -> str:
        return f"the backfill of {self.migration} cannot run: {self.problem}"


class BackfillRunning(BackfillRefused):
    """Another process runs the backfill."""

    def __init__(self, migration: str) -> None:
        super().__init__(migration, "another process is at it, and one is enough; `db backfill status` shows how far")


class BackfillFailed(JobariumEventsError):
    """A batch that failed for good. What was committed stays, and the next run goes on from there.

    Attributes:
        migration: The migration's id.
        line: Of the statement, in its file.
        problem: What Postgres says, without any value of a row.
        sqlstate: Postgres' code of the error, or None if there is none.
    """

    def __init__(self, migration: str, line: int, problem: str, sqlstate: str | None = None) -> None:
        self.migration = migration
        self.line = line
        self.problem = problem
        self.sqlstate = sqlstate

    def __str__(self) -> str:
        code = f" ({self.sqlstate})" if self.sqlstate else ""
        is_of_rows = (self.sqlstate or "").startswith(_OF_ROWS)
        mend = ": mend the rows that come there, or go back by `db rollback` and mend the statement"
        return (
            f"{self.migration}, line {self.line}: the backfill failed: {self.problem}{code}; what is done stays, and "
            f"the next run goes on after the last batch{mend if is_of_rows else ''}"
        )

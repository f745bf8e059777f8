"""What goes wrong before a rehearsal can begin, as errors; none of them holds a value of a row.

::

    JobariumEventsError
    ├── ScratchError          there is no Postgres to rehearse on, or none can be made
    ├── DumpError             a dump that cannot be restored
    └── FillError             a table that cannot be filled
"""

from __future__ import annotations

from collections.abc import Sequence

from jobarium_events.errors import JobariumEventsError

__all__ = ["ELSEWHERE", "DumpError", "FillError", "ScratchError", "generators_of", "said"]

_WITHOUT_VALUES = ("0A", "28", "3F", "42", "53", "55", "57", "58")
"""Classes of what is said of names, rights and resources, not of rows."""


ELSEWHERE = "rehearse on a Postgres that has it, with --url or JOBARIUM_REHEARSAL_URL"
"""The way out where a Postgres lacks an extension, as the one has that is started for a rehearsal."""


class ScratchError(JobariumEventsError):
    """There is no Postgres to rehearse on, or no database can be made there; `problem` says why, and the way out."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class DumpError(JobariumEventsError):
    """A dump cannot be restored.

    Attributes:
        file: Path of the dump.
        line: Of the statement, counted from 1; 0 where there are no lines.
        problem: What is wrong.
    """

    def __init__(self, file: str, line: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}: {self.problem}"


class FillError(JobariumEventsError):
    """A table cannot be filled.

    Attributes:
        table: The table, with its schema.
        problem: What is in the way, and the way out.
        column: The column, if it is about one.
    """

    def __init__(self, table: str, problem: str, column: str | None = None) -> None:
        self.table = table
        self.problem = problem
        self.column = column

    def __str__(self) -> str:
        return f"{self.table}{f'.{self.column}' if self.column else ''} cannot be filled: {self.problem}"


def generators_of(table: str, columns: Sequence[str]) -> str:
    """Return the way out where values cannot be made up: for some columns of a table, or for any if none is known."""
    named = " or ".join(f"{table}.{column}" for column in columns) or "a column"
    return f"give SQL that makes a value from the row's number n, as the generator of {named} in rehearsal.toml"


def said(error: Exception) -> str:
    """Return what Postgres says, without a value of a row: of rows that it refuses, only why."""
    diagnosis = getattr(error, "diag", None)
    state = str(getattr(error, "sqlstate", "") or "")
    message = getattr(diagnosis, "message_primary", None)
    if message and state[:2] in _WITHOUT_VALUES:
        return " ".join(str(message).split())
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type(error).__name__).strip()
    names = [getattr(diagnosis, f"{what}_name", None) for what in ("constraint", "column", "table")]
    named = next((name for name in names if name), None)
    return f"Postgres says {words}{f', of {named}' if named else ''}"

"""What is said where a table is not there, or is one of its first form: which, and the command that prints its SQL."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from jobarium_events.errors import JobariumEventsError
from jobarium_events.extras import extra

with extra("postgres"):
    from psycopg import Error, errors

__all__ = ["MISSING", "Maker", "NoTable"]

MISSING = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName)
"""What Postgres says where a table, or what it should have, is not there."""


class NoTable(JobariumEventsError):
    """A table is not there, or lacks a column.

    Attributes:
        table: The table's name.
        problem: What Postgres says.
        command: What prints the SQL that mends it.
    """

    def __init__(self, table: str, problem: str, command: str) -> None:
        self.table = table
        self.problem = problem
        self.command = command

    def __str__(self) -> str:
        return f"{self.table} cannot be used: {self.problem}; run the SQL that `{self.command}` prints"


class Maker:
    """Knows the command that prints the SQL of some tables.

    Args:
        table: The table's name as it stands in SQL.
        command: The command's name, such as ``outbox``.
        options: What is to be said to it, by the options' names; None where the default will do.
        expand: Whether there was a first form of the table.
    """

    def __init__(self, table: str, command: str, options: dict[str, str | None], *, expand: bool = True) -> None:
        self._table = table
        given = (f"--{name} {shlex.quote(value)}" for name, value in options.items() if value is not None)
        self._command = " ".join(["jobarium-events", command, "tables", *given])
        self._expand = expand

    def error(self, error: Error) -> NoTable:
        """Return what to raise, from what Postgres has said."""
        is_first_form = self._expand and isinstance(error, errors.UndefinedColumn)
        command = f"{self._command} --expand" if is_first_form else self._command
        return NoTable(self._table, error.diag.message_primary or str(error), command)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Run a statement within this.

        Raises:
            NoTable: If a table is not there, or lacks a column.
        """
        try:
            yield
        except MISSING as error:
            raise self.error(error) from error

"""What is said where a table is not there, is one of its first form, or another's: which, and the way out."""

from __future__ import annotations

import re
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
        problem: What Postgres says, and what follows from it.
        command: What prints the SQL that mends it; None where the table is one for something else.
        instead: What to do in its place, where it is None.
    """

    def __init__(self, table: str, problem: str, command: str | None, instead: str = "") -> None:
        self.table = table
        self.problem = problem
        self.command = command
        self.instead = instead

    def __str__(self) -> str:
        way_out = self.instead if self.command is None else f"run the SQL that `{self.command}` prints"
        return f"{self.table} cannot be used: {self.problem}; {way_out}"


class Maker:
    """Knows the command that prints the SQL of some tables.

    Args:
        table: The table's name as it stands in SQL.
        command: The command's name, such as ``outbox``.
        options: What is to be said to it, by the options' names; None where the default will do.
        kind: What is in the tables, as in "an outbox".
        tables: The options of theirs, which are arguments in code as well.
        added: The columns that a table of the first form lacks.
    """

    def __init__(
        self,
        table: str,
        command: str,
        options: dict[str, str | None],
        *,
        kind: str,
        tables: tuple[str, ...] = ("table",),
        added: frozenset[str] = frozenset(),
    ) -> None:
        self._table = table
        given = (f"--{name} {shlex.quote(value)}" for name, value in options.items() if value is not None)
        self._command = " ".join(["jobarium-events", command, "tables", *given])
        self._kind = kind
        self._instead = (
            f"name {'another' if len(tables) == 1 else 'others'} by {' and '.join(f'--{each}' for each in tables)}, "
            f"in code by {' and '.join(each.replace('-', '_') + '=' for each in tables)}"
        )
        self._added = added

    def error(self, error: Error) -> NoTable:
        """Return what to raise, from what Postgres has said: it names the first column that is not there.

        So a statement that is to tell the first form from a table for something else names its columns first.
        """
        problem = error.diag.message_primary or str(error)
        if not isinstance(error, errors.UndefinedColumn):
            return NoTable(self._table, problem, self._command)
        if self._added.isdisjoint(re.findall(r"\w+", problem)):  # in whatever language
            return NoTable(self._table, f"{problem}, so it is no {self._kind}", None, self._instead)
        return NoTable(self._table, problem, f"{self._command} --expand")

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

"""Where each part of what rules say to write instead belongs: it is seldom one section of one migration."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from jobarium_events.migrations.files.parsing import expression
from jobarium_events.migrations.lint.rewriting import lines
from jobarium_events.migrations.lint.rules.keys import key_of

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.rules.rule import Subject

__all__ = ["BACKFILL", "LATER", "UP", "dual_write", "part", "parts", "unused"]

UP = "up"
BACKFILL = "backfill, in the next migration"
LATER = "up, in a later migration"
_CONTRACT = "up, in a later migration of category contract"

_WITHOUT_EQUALITY = {"json", "xml", "point", "polygon"}


def part(where: str, *statements: str) -> str:
    """Return the statements of one section as SQL, below a comment that names it."""
    return f"-- in {where}:\n{lines(*statements)}"


def parts(*each: str) -> str:
    """Return parts one after the other."""
    return "\n".join(each)


def unused(subject: Subject, *statements: str) -> str:
    """Return statements as what comes once no code relies on something any more."""
    where = _CONTRACT if subject.header is not None else "a later file"
    return part(f"{where}, once no code relies on it", *statements)


def dual_write(subject: Subject, table: str, columns: tuple[str, str], values: tuple[str, str]) -> str:
    """Return a comment with the command that prints what keeps two columns alike, and what fills the new one.

    The trigger itself is longer than a finding, and is made in one place alone.

    Args:
        subject: The statement that is judged.
        table: The table.
        columns: The names of the old column and of the new one.
        values: SQL for the new one's value, and for the old one's.
    """
    schema, _, name = table.rpartition(".")
    column = subject.schema.column(table, columns[0])
    words = ["jobarium-events", "db", "dual-write", "--table", name, *(("--schema", schema) if schema else ())]
    words += ["--old", columns[0], "--new", columns[1], "--to-new", values[0], "--to-old", values[1]]
    if column is not None and column.default is not None:
        words += ["--old-default", expression(column.default)]
    if column is not None and column.type in _WITHOUT_EQUALITY:
        words.append("--as-text")
    for key in key_of(subject, table):
        words += ["--key", key]
    told = "-- in up as well, what keeps both alike; in the next migration, what fills the new one; to print them:\n"
    return told + "\n".join(f"-- {line}" for line in shlex.join(words).split("\n"))

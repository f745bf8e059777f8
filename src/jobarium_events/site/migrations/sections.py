"""What a file does: its sections, statement by statement, each with its locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.annotations import json_text, printable

if TYPE_CHECKING:
    from jobarium_events.migrations import Migration
    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.lint.findings import LintedStatement

__all__ = ["Section", "Shape", "sections"]


class Shape(msgspec.Struct, frozen=True):
    """One statement of a file.

    Attributes:
        line: Its line.
        about: The comments above it, or what it shows.
        text: Its SQL.
        notes: Which locks it takes, and what else it does to its tables; or what a query must return.
    """

    line: int
    about: str
    text: str
    notes: tuple[str, ...] = ()


class Section(msgspec.Struct, frozen=True):
    """A section of a file: its name, what it is for, and its statements."""

    name: str
    purpose: str
    statements: tuple[Shape, ...]


def sections(migration: Migration, linted: Sequence[LintedStatement]) -> Iterator[Section]:
    """Yield the sections of a file.

    Args:
        migration: The migration.
        linted: What lint says of its statements.
    """
    effects = {(each.section, each.line): tuple(_effects(each)) for each in linted}

    def shapes(name: str, statements: Sequence[Statement]) -> tuple[Shape, ...]:
        return tuple(
            Shape(each.line, " ".join(each.comments), _sql(each), effects.get((name, each.line), ()))
            for each in statements
        )

    if migration.up:
        yield Section("up", "what it does", shapes("up", migration.up))
    if migration.backfill is not None:
        yield Section("backfill", "moves the data, in batches", shapes("backfill", [migration.backfill]))
    if migration.down:
        yield Section("down", "the way back", shapes("down", migration.down))
    checks = (
        Shape(each.query.line, each.name, _sql(each.query), (f"{_WHEN[each.when]}, must return {_rows(each.returns)}",))
        for each in migration.checks
    )
    yield Section("verify", "queries, and what they must return", tuple(checks))


_WHEN = {"before": "Before up", "after": "After up", "always": "Before and after up, and after down"}


def _sql(statement: Statement) -> str:
    return printable(statement.text, keep="\n\t") + ";"


def _effects(statement: LintedStatement) -> Iterator[str]:
    if statement.locks:
        yield f"Locks {', '.join(f'{lock.table} in {lock.mode.words}' for lock in statement.locks)}."
    if statement.rewrite:
        yield "Writes a table anew."
    if statement.scan:
        yield "Reads a whole table under its lock."


def _rows(rows: Sequence[Sequence[object]]) -> str:
    """Return what a query must return, as it is written in the file."""
    if not rows:
        return "nothing"
    if len(rows) == 1 and len(rows[0]) == 1:
        return json_text(_plain(rows[0][0]))
    return json_text(_plain(rows))


def _plain(value: object) -> object:
    """Return a value of TOML as one of JSON, which has no dates."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float) else str(value)

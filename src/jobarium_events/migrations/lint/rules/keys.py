"""How the rows of a table are gone through in batches, for what rules say to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.migrations.lint.knowledge.schema import ConstraintKind
from jobarium_events.migrations.lint.rewriting import quoted, shown

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.rules.rule import Subject

__all__ = ["batch", "key_of", "within"]


def key_of(subject: Subject, table: str) -> tuple[str, ...]:
    """Return the columns by which a table is gone through: those of the header, or of its primary key, or ``id``."""
    header = subject.header
    if header is not None and header.backfill is not None and header.backfill.table == table:
        return header.backfill.key
    known = subject.schema.tables.get(table)
    keys = known.constraints.values() if known is not None else ()
    return next((each.columns for each in keys if each.kind is ConstraintKind.PRIMARY_KEY), ("id",))


def within(key: tuple[str, ...]) -> str:
    """Return the condition for the range of keys that a backfill is given."""
    first = ", ".join(f"${place}" for place in range(1, len(key) + 1))
    last = ", ".join(f"${place}" for place in range(len(key) + 1, 2 * len(key) + 1))
    if len(key) == 1:
        return f"{quoted(key[0])} between {first} and {last}"
    columns = ", ".join(map(quoted, key))
    return f"({columns}) >= ({first}) and ({columns}) <= ({last})"


def batch(subject: Subject, table: str, assignment: str, condition: str = "") -> str:
    """Return the update of one range of keys, as the section backfill has it."""
    where = within(key_of(subject, table)) + (f" and {condition}" if condition else "")
    return f"update {shown(table)} set {assignment} where {where}"  # noqa: S608 - shown, and not run; names are quoted

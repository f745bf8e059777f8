"""Rules about what a column means: its comment, and the values it may have; both change only by a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.names import enum_name, joined, listed_names, relation_name
from jobarium_events.migrations.lint.rules.rule import Hit, Rule, described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jobarium_events.evolution.decision import Decision
    from jobarium_events.migrations.files.header import Header
    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.lint.knowledge.schema import Schema

__all__ = ["reworded"]

_CHANGED = described(
    "meaning-changed",
    "Code that runs reads a column as it was meant; what it means is never changed in silence.",
)
_UNKNOWN = described(
    "meaning-unknown",
    "Whether a comment changes what a column means cannot be told where nothing says what it meant.",
    Severity.WARNING,
)
_KINDS = {"comment_stmt", "alter_table_stmt", "alter_enum_stmt"}


def reworded(
    statement: Statement, before: Schema, after: Schema, header: Header, decisions: Mapping[str, Decision]
) -> Iterator[tuple[Rule, Hit]]:
    """Yield each column whose meaning a statement changes without a decision that names it."""
    if statement.kind not in _KINDS:
        return
    decision = decisions.get(header.decision or "")
    for table, column in _touched(statement, before):
        if table in before.created:
            continue
        was, now = before.column(table, column), after.column(table, column)
        known = before.tables.get(table)
        if now is None or (was is None and known is not None and known.complete):
            continue
        if statement.kind == "comment_stmt":
            if was is None or (was.comment is None and (known is None or not known.complete)):
                text = f"comments on {table}.{column}, and no earlier file or baseline says what it meant"
                yield _UNKNOWN, Hit(f"{text}; put the statement that made the table into the baseline")
                continue
            changes = was.comment is not None and was.comment != now.comment
        else:
            values = before.allowed_values(table, column)
            changes = values is not None and values != after.allowed_values(table, column)
        if changes and not (decision is not None and decision.allows_column(table, column)):
            yield _CHANGED, _hit(table, column, header)


def _hit(table: str, column: str, header: Header) -> Hit:
    by = f"{header.decision} does not name it" if header.decision else "no decision in the header names it"
    text = f"changes what {table}.{column} means, and {by}; have one accepted with this table, or add another column"
    return Hit(text, f'[[columns]]\ntable = "{table}"\nmeanings = ["{column}"]')


def _touched(statement: Statement, before: Schema) -> Iterator[tuple[str, str]]:
    """Yield the columns whose meaning a statement may change."""
    node = statement.node
    match statement.kind:
        case "comment_stmt" if enum_name(node, "objtype") == "OBJECT_COLUMN":
            yield listed_names(node.object)
        case "alter_table_stmt":
            table = relation_name(node.relation)
            known = before.tables.get(table)
            names = known.columns if known is not None else ()
            yield from ((table, column) for column in names)
        case "alter_enum_stmt":
            type_ = joined(part.string.sval for part in node.type_name)
            for each in before.tables.values():
                yield from ((each.name, column.name) for column in each.columns.values() if column.type == type_)
        case _:
            pass

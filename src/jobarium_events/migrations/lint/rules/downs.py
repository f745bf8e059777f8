"""Rules about the way back: what ``up`` makes, ``down`` removes, and what it removes comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.schema import Relation, Schema, Table
from jobarium_events.migrations.lint.names import joined, listed_name, listed_names, relation_name
from jobarium_events.migrations.lint.rewriting import lines, quoted, shown
from jobarium_events.migrations.lint.rules.rule import Hit, Rule, described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["incomplete"]

_INCOMPLETE = described(
    "down-incomplete",
    "A way back that leaves something behind is none: the next try finds it there, or finds it missing.",
)
_WORDS = {Relation.VIEW: "view", Relation.MATERIALIZED_VIEW: "materialized view"}


def incomplete(migration: Migration, before: Schema, after: Schema, back: Schema) -> Iterator[tuple[Rule, Hit]]:
    """Yield what is other after ``up`` and ``down`` than before.

    Args:
        migration: The migration.
        before: What is known before it.
        after: What is known after its ``up``.
        back: What is known after its ``down``.
    """
    for text, safe in (*_left(before, after, back), *_made(migration)):
        yield _INCOMPLETE, Hit(text, lines(safe) if safe else "")


def _left(before: Schema, after: Schema, back: Schema) -> Iterator[tuple[str, str]]:
    for name in after.created & back.tables.keys():
        what = _WORDS.get(after.table(name).kind, "table")
        yield f"leaves the {what} {name} behind; drop it", f"drop {what} {shown(name)}"
    for name in _made_of(before.indexes, after.indexes) & back.indexes.keys():
        if not after.indexes[name].constraint and after.indexes[name].table not in after.created:
            yield f"leaves the index {name} behind; drop it", f"drop index concurrently {shown(name)}"
    for name in _made_of(after.tables, before.tables) - back.tables.keys():
        yield f"does not bring back {name}, which up removes; if its rows are gone, say so in containment", ""
    for name in _made_of(before.enums, after.enums) & back.enums.keys():
        yield f"leaves the type {name} behind; drop it", f"drop type {shown(name)}"
    for name, changed in after.tables.items():
        if before.tables.get(name) is not changed and name not in after.created and name in back.tables:
            yield from _columns(name, before.table(name), changed, back.tables[name])


def _made_of(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    """Return the names that are new; often the two are the very same, and always they are large."""
    return set() if before is after else after.keys() - before.keys()


def _columns(name: str, before: Table, after: Table, back: Table) -> Iterator[tuple[str, str]]:
    alter = f"alter table {shown(name)}"
    for column in after.columns:
        is_added = column not in before.columns and column in back.columns
        # Of a table that no statement made, a column may become known only by a change of it.
        if is_added and (before.complete or _adds(before, after, column)):
            yield f"leaves {name}.{column} behind; drop it", f"{alter} drop column {quoted(column)}"
    for column, was in before.columns.items():
        now, then = after.columns.get(column), back.columns.get(column)
        if now is None and then is None:
            yield (
                f"does not bring back {name}.{column}, which up removes; if its values are gone, say so in containment",
                (f"{alter} add column {quoted(column)} {was.type}" if was.type else ""),
            )
        elif now is not None and then is not None and was.nullable and not now.nullable and not then.nullable:
            yield (
                f"leaves {name}.{column} required; let it be null again",
                (f"{alter} alter column {quoted(column)} drop not null"),
            )
    for constraint in after.constraints.keys() - before.constraints.keys():
        if constraint in back.constraints:
            yield (
                f"leaves the constraint {constraint} of {name} behind; drop it",
                (f"{alter} drop constraint {quoted(constraint)}"),
            )


def _adds(before: Table, after: Table, column: str) -> bool:
    """Whether a column that was not known has come by being added, which is when its type is known."""
    return column not in before.columns and bool(after.columns[column].type)


def _made(migration: Migration) -> Iterator[tuple[str, str]]:
    """Yield the triggers, functions and the like that ``up`` makes and ``down`` leaves."""
    gone = {each for statement in migration.down for each in _things(statement, drop=True)}
    made = {each: None for statement in migration.up for each in _things(statement, drop=False)}
    for statement in migration.up:
        for each in _things(statement, drop=True):
            made.pop(each, None)
    tables = {name for kind, name, _ in gone if kind == "table"}
    for kind, name, table in made:
        if kind == "table" or (kind, name, table) in gone or table in tables:
            continue
        on = f" on {shown(table)}" if table else ""
        yield f"leaves the {kind} {name} behind; drop it", f"drop {kind} {shown(name)}{on}"


def _things(statement: Statement, *, drop: bool) -> Iterator[tuple[str, str, str]]:
    """Yield what a statement makes, or drops: its kind, its name, and the table it is on."""
    node = statement.node
    match statement.kind:
        case "create_function_stmt" if not drop and not node.replace:
            yield "procedure" if node.is_procedure else "function", joined(p.string.sval for p in node.funcname), ""
        case "create_trig_stmt" if not drop and not node.replace:
            yield "trigger", node.trigname, relation_name(node.relation)
        case "create_schema_stmt" if not drop and not node.if_not_exists:
            yield "schema", node.schemaname, ""
        case "create_seq_stmt" if not drop and not node.if_not_exists:
            yield "sequence", relation_name(node.sequence), ""
        case "drop_stmt" if drop:
            kind = enum_name(node, "remove_type").removeprefix("OBJECT_").lower()
            for each in node.objects:
                if kind == "trigger":
                    table, name = listed_names(each)
                    yield kind, name, table
                elif kind in ("function", "procedure", "routine"):
                    named = joined(part.string.sval for part in each.object_with_args.objname)
                    yield "function", named, ""
                    yield "procedure", named, ""
                else:
                    yield kind, listed_name(each), ""

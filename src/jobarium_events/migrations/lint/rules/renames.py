"""Rules about names: what running code reads keeps its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.names import joined, relation_name
from jobarium_events.migrations.lint.rewriting import lines, quoted, shown
from jobarium_events.migrations.lint.rules.parts import UP, dual_write, part, parts
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule

_RELATIONS = {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"}
_QUIET = {
    "OBJECT_INDEX",
    "OBJECT_TABCONSTRAINT",
    "OBJECT_TRIGGER",
    "OBJECT_POLICY",
    "OBJECT_RULE",
    "OBJECT_DOMCONSTRAINT",
}


@rule(
    "rename-column",
    "Code that runs asks for the column by its old name, and fails from that moment on.",
    "rename_stmt",
    breaks=True,
)
def rename_column(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a column that gets another name."""
    if enum_name(node, "rename_type") not in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE") or not node.HasField("relation"):
        return
    table = relation_name(node.relation)
    if subject.is_new(table):
        return
    column = subject.schema.column(table, node.subname)
    text = f"renames {table}.{node.subname}, which code that runs still asks for; add {node.newname} beside it, write "
    text += f"both, and drop {node.subname} once no code uses it"
    yield Hit(text, _beside(subject, table, node.subname, node.newname, column.type if column is not None else ""))


def _beside(subject: Subject, table: str, old: str, new: str, type_: str) -> str:
    """Return how a column comes beside another and is kept the same; a type that is not known is for the reader."""
    add = f"alter table {shown(table)} add column {quoted(new)}"
    return parts(
        part(UP, f"{add} {type_}") if type_ else f"-- in {UP}, with the type of {quoted(old)}:\n-- {add} ...;",
        dual_write(subject, table, (old, new), (quoted(old), quoted(new))),
    )


@rule(
    "rename-table",
    "Code that runs asks for the table, view or schema by its old name, and fails from that moment on.",
    "rename_stmt",
    "alter_object_schema_stmt",
    breaks=True,
)
def rename_table(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a table, a view or a schema that gets another name."""
    if subject.statement.kind == "alter_object_schema_stmt":
        if enum_name(node, "object_type") in _RELATIONS and not subject.is_new(relation_name(node.relation)):
            table = relation_name(node.relation)
            view = f"create view {shown(table)} as select * from {quoted(node.newschema, table.rpartition('.')[2])}"  # noqa: S608 - shown, and not run; names are quoted
            text = f"moves {table} to another schema, where code that runs does not find it; leave a view in its place"
            yield Hit(text, lines("begin", subject.statement.text, view, "commit"))
        return
    kind = enum_name(node, "rename_type")
    if kind == "OBJECT_SCHEMA":
        yield Hit(f"renames the schema {node.subname}, whose tables code that runs still asks for; make another one")
    elif kind in _RELATIONS and not subject.is_new(relation_name(node.relation)):
        table = relation_name(node.relation)
        new = quoted(node.relation.schemaname, node.newname)
        view = f"create view {shown(table)} as select * from {new}"  # noqa: S608 - shown, and not run; names are quoted
        text = (
            f"renames {table}, which code that runs still asks for; leave a view of the old name in its place, which "
        )
        text += "takes writes as well, and drop it once no code uses it"
        yield Hit(text, lines("begin", subject.statement.text, view, "commit"))


@rule(
    "rename-other",
    "Code that runs calls the function, or uses the type or sequence, by its old name.",
    "rename_stmt",
    breaks=True,
)
def rename_other(_: Subject, node: Any) -> Iterator[Hit]:
    """Yield a function, type, domain or sequence that gets another name."""
    kind = enum_name(node, "rename_type")
    if kind in _QUIET | _RELATIONS | {"OBJECT_COLUMN", "OBJECT_ATTRIBUTE", "OBJECT_SCHEMA"}:
        return
    yield Hit(
        f"renames a {kind.removeprefix('OBJECT_').lower()} that code that runs may use; make another one beside it"
    )


@rule(
    "rename-enum-value",
    "Code that runs writes the old value and reads it: it is refused from that moment on.",
    "alter_enum_stmt",
    breaks=True,
)
def rename_enum_value(_: Subject, node: Any) -> Iterator[Hit]:
    """Yield a value of an enumerated type that gets another name."""
    if node.old_val:
        type_ = [each.string.sval for each in node.type_name]
        add = f"alter type {quoted(*type_)} add value {_literal(node.new_val)} after {_literal(node.old_val)}"
        text = f"renames the value {node.old_val!r} of {joined(type_)}, which code that runs still writes; add the "
        yield Hit(text + "new one beside it, and move the rows in a backfill", lines(add))


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

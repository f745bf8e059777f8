"""What is known after ``rename``, ``set schema`` and ``comment``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.known import Known
from jobarium_events.migrations.lint.knowledge.layers import layered
from jobarium_events.migrations.lint.knowledge.tables import Column
from jobarium_events.migrations.lint.names import joined, listed_name, listed_names, relation_name

__all__ = ["commented", "moved", "renamed"]

K = TypeVar("K", bound=Known)
_RELATIONS = ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE")


def renamed(known: K, node: Any) -> K:
    """Return what is known after a ``RenameStmt``."""
    kind = enum_name(node, "rename_type")
    if kind in _RELATIONS:
        name = relation_name(node.relation)
        return known.with_table_named(name, _beside(name, node.newname))
    rename = _RENAMES.get(kind)
    return known if rename is None else rename(known, node)


def _column_renamed(known: K, node: Any) -> K:
    name = relation_name(node.relation)
    for each in (name, *known.descendants(name)):
        known = _with_column_named(known, each, node.subname, node.newname)
    return known


def _index_renamed(known: K, node: Any) -> K:
    name = relation_name(node.relation)
    return _with_index_named(known, name, _beside(name, node.newname))


def _constraint_renamed(known: K, node: Any) -> K:
    name = relation_name(node.relation)
    for each in known.descendants(name):
        known = _constraint_named(known, each, node.subname, node.newname)
    return _with_constraint_named(known, name, node.subname, node.newname)


def _trigger_renamed(known: K, node: Any) -> K:
    table = known.table(relation_name(node.relation))
    triggers = {node.newname if each == node.subname else each: to for each, to in table.triggers.items()}
    return known.with_table(msgspec.structs.replace(table, triggers=triggers))


def _type_renamed(known: K, node: Any) -> K:
    name = listed_name(node.object)
    return _with_type_named(known, name, _beside(name, node.newname))


def _publication_renamed(known: K, node: Any) -> K:
    name = listed_name(node.object)
    found = known.publications.get(name)
    if found is None:
        return known
    return known.without_publications([name]).with_publication(msgspec.structs.replace(found, name=node.newname))


def _schema_renamed(known: K, node: Any) -> K:
    for name in tuple(known.tables):
        if name.startswith(f"{node.subname}."):
            known = known.with_table_named(name, f"{node.newname}.{name.removeprefix(f'{node.subname}.')}")
    return known


def moved(known: K, node: Any) -> K:
    """Return what is known after an ``AlterObjectSchemaStmt``."""
    kind = enum_name(node, "object_type")
    if kind in _RELATIONS:
        name = relation_name(node.relation)
        return known.with_table_named(name, joined((node.newschema, name.rpartition(".")[2])))
    if kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        name = listed_name(node.object)
        return _with_type_named(known, name, joined((node.newschema, name.rpartition(".")[2])))
    return known


def commented(known: K, node: Any) -> K:
    """Return what is known after a ``CommentStmt``."""
    comment = node.comment or None
    match enum_name(node, "objtype"):
        case kind if kind in _RELATIONS:
            table = known.table(listed_name(node.object))
            return known.with_table(msgspec.structs.replace(table, comment=comment))
        case "OBJECT_COLUMN":
            name, column = listed_names(node.object)
            table = known.table(name)
            found = msgspec.structs.replace(table.columns.get(column) or Column(name=column), comment=comment)
            columns = layered(table.columns).having(column, found)
            return known.with_table(msgspec.structs.replace(table, columns=columns))
        case _:
            return known


def _beside(name: str, new: str) -> str:
    return joined((name.rpartition(".")[0], new))


def _with_column_named(known: K, name: str, old: str, new: str) -> K:
    def now(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if each == old else each for each in names)

    table = known.table(name)
    columns = {
        new if each == old else each: msgspec.structs.replace(column, name=new) if each == old else column
        for each, column in table.columns.items()
    }
    constraints = {
        each: msgspec.structs.replace(value, columns=now(value.columns), proves=now(value.proves))
        for each, value in table.constraints.items()
    }
    known = known.with_table(msgspec.structs.replace(table, columns=columns, constraints=constraints))
    for index in tuple(known.indexes_of(name)):
        known = known.with_index(msgspec.structs.replace(index, columns=now(index.columns)))
    for other, key in tuple(known.referencing(name)):
        found = known.table(other.name)
        key = msgspec.structs.replace(found.constraints[key.name], referenced=now(key.referenced))  # noqa: PLW2901
        known = known.with_table(msgspec.structs.replace(found, constraints={**found.constraints, key.name: key}))
    return known


def _with_index_named(known: K, old: str, new: str) -> K:
    index = known.indexes.get(old)
    if index is None:
        return known
    known = known.without_indexes([old]).with_index(msgspec.structs.replace(index, name=new))
    return _constraint_named(known, index.table, old, new) if index.constraint else known


def _with_constraint_named(known: K, table: str, old: str, new: str) -> K:
    schema = table.rpartition(".")[0]
    index = known.indexes.get(joined((schema, old)))
    if index is not None and index.constraint:
        return _with_index_named(known, index.name, joined((schema, new)))
    return _constraint_named(known, table, old, new)


def _constraint_named(known: K, table: str, old: str, new: str) -> K:
    found = known.table(table)
    own_old, own_new = old.rpartition(".")[2], new.rpartition(".")[2]
    constraints = {
        own_new if name == own_old else name: msgspec.structs.replace(each, name=own_new) if name == own_old else each
        for name, each in found.constraints.items()
    }
    return known.with_table(msgspec.structs.replace(found, constraints=constraints))


def _with_type_named(known: K, old: str, new: str) -> K:
    if old not in known.enums and old not in known.domains:
        for each in known.typed_tables(old):
            known = known.with_table(msgspec.structs.replace(each, of=new))
        return known
    tables = dict(known.tables)
    for table, column in known.using_type(old):
        columns = dict(tables[table.name].columns)
        columns[column.name] = msgspec.structs.replace(column, type=new + column.type.removeprefix(old))
        tables[table.name] = msgspec.structs.replace(tables[table.name], columns=columns)
    enums = {name: each for name, each in known.enums.items() if name != old}
    domains = {
        name: msgspec.structs.replace(each, over=new) if each.over == old else each
        for name, each in known.domains.items()
        if name != old
    }
    if old in known.enums:
        enums[new] = msgspec.structs.replace(known.enums[old], name=new)
    else:
        domains[new] = msgspec.structs.replace(known.domains[old], name=new)
    return msgspec.structs.replace(known, tables=tables, enums=enums, domains=domains)


_RENAMES: dict[str, Callable[[Any, Any], Any]] = {
    "OBJECT_COLUMN": _column_renamed,
    "OBJECT_INDEX": _index_renamed,
    "OBJECT_TABCONSTRAINT": _constraint_renamed,
    "OBJECT_TRIGGER": _trigger_renamed,
    "OBJECT_TYPE": _type_renamed,
    "OBJECT_DOMAIN": _type_renamed,
    "OBJECT_SCHEMA": _schema_renamed,
    "OBJECT_PUBLICATION": _publication_renamed,
}

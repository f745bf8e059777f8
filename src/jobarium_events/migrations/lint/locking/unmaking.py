"""What ``drop`` and ``truncate`` do to tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.names import (
    chosen_name,
    joined,
    listed_name,
    listed_names,
    relation_name,
    schema_of,
    texts,
)
from jobarium_events.migrations.lint.walking import constants

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.tables import Table
    from jobarium_events.migrations.lint.locking.gathering import Gathered

__all__ = ["dropped", "truncated"]

_RELATIONS = ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE")
_CALLED = ("OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE")


def dropped(told: Gathered, node: Any) -> None:
    """Gather what a ``DropStmt`` does; an index whose table is not known stands for it."""
    cascade = enum_name(node, "behavior") == "DROP_CASCADE"
    known = told.known
    match enum_name(node, "remove_type"):
        case kind if kind in _RELATIONS:
            _tables_dropped(told, [listed_name(each) for each in node.objects], cascade=cascade)
        case "OBJECT_INDEX":
            mode = LockMode.SHARE_UPDATE_EXCLUSIVE if node.concurrent else LockMode.ACCESS_EXCLUSIVE
            for name in (listed_name(each) for each in node.objects):
                index = known.indexes.get(name)
                told.lock(mode, (index.table, *told.partitions(index.table)) if index else (name,))
        case "OBJECT_TRIGGER":
            table = listed_names(node.objects[0])[0]
            told.lock(LockMode.ACCESS_EXCLUSIVE, (table, *told.partitions(table)))
        case "OBJECT_RULE" | "OBJECT_POLICY":
            told.lock(LockMode.ACCESS_EXCLUSIVE, (listed_names(node.objects[0])[0],))
        case "OBJECT_STATISTIC_EXT":
            names = [listed_name(each) for each in node.objects]
            told.lock(
                LockMode.SHARE_UPDATE_EXCLUSIVE, [known.statistics[name] for name in names if name in known.statistics]
            )
        case kind if cascade:
            _taken_along(told, kind, node)
        case _:
            pass


def _taken_along(told: Gathered, kind: str, node: Any) -> None:
    """Gather what a ``drop ... cascade`` of something else does to the tables that need it."""
    known = told.known
    match kind:
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            types = [joined(texts(each.type_name.names)) for each in node.objects]
            names = [name for each in types for name in known.domains_over(each)]
            told.lock(LockMode.ACCESS_EXCLUSIVE, [table.name for name in names for table, _ in known.using_type(name)])
        case "OBJECT_SCHEMA":
            schemas = {listed_name(each) for each in node.objects}
            _tables_dropped(told, [name for name in known.tables if schema_of(name) in schemas], cascade=True)
        case "OBJECT_SEQUENCE":
            counted = {listed_name(each) for each in node.objects}
            tables = [each.name for each in known.tables.values() if _counts_by(each, counted)]
            told.lock(LockMode.ACCESS_EXCLUSIVE, tables)
        case kind if kind in _CALLED:
            names = [joined(texts(each.object_with_args.objname)) for each in node.objects]
            tables = [each.name for each in known.tables.values() if {*names} & {*each.triggers.values()}]
            told.lock(LockMode.ACCESS_EXCLUSIVE, tables)
        case _:
            pass


def _counts_by(table: Table, sequences: set[str]) -> bool:
    """Whether a column of a table takes its default from one of some sequences, be it one of its own."""
    schema = table.name.rpartition(".")[0]
    own = (chosen_name(table.name, (each.name,), "seq", ()) for each in table.columns.values() if each.serial)
    if any(joined((schema, name)) in sequences for name in own):
        return True
    defaults = (each.default for each in table.columns.values() if each.default is not None)
    return any(joined(text.split(".")) in sequences for default in defaults for text in constants(default))


def _tables_dropped(told: Gathered, names: Iterable[str], *, cascade: bool) -> None:
    known = told.known
    for name in names:
        for each in told.family(name):
            table = known.table(each)
            parents = [parent for parent in table.parents if parent in known.tables]
            rests = [rest for rest in map(known.default_partition, parents) if rest]
            keys = (key for key in table.foreign_keys() if not known.inherits_key(table, key))
            referenced = [name for key in keys if key.references for name in told.whole(key.references)]
            told.lock(LockMode.ACCESS_EXCLUSIVE, (each, *parents, *rests, *referenced))
            if cascade:
                told.lock(LockMode.ACCESS_EXCLUSIVE, known.readers(each))
                leading = [name for other, _ in known.leading_to(each) for name in told.whole(other.name)]
                told.lock(LockMode.ACCESS_EXCLUSIVE, leading)


def truncated(told: Gathered, node: Any) -> None:
    """Gather what a ``TruncateStmt`` does."""
    waiting = [
        name
        for each in node.relations
        for name in (
            told.family(relation_name(each.range_var)) if each.range_var.inh else (relation_name(each.range_var),)
        )
    ]
    cascade = enum_name(node, "behavior") == "DROP_CASCADE"
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            told.lock(LockMode.ACCESS_EXCLUSIVE, (name,))
            if cascade:
                waiting += [each for other, _ in told.known.leading_to(name) for each in told.family(other.name)]

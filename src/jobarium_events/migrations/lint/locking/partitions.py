"""What becomes of tables as partitions come and go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.names import inner, relation_name, texts

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.known import Known
    from jobarium_events.migrations.lint.knowledge.tables import Index, Table
    from jobarium_events.migrations.lint.locking.gathering import Gathered

__all__ = ["attached", "detached", "finalized", "partition_made"]

_PLACE = re.compile(r"^ *location: \d+\n", re.MULTILINE)


def attached(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``attach partition`` does.

    It reads the new partition unless a check proves where its rows belong and the indexes of the whole are there.
    """
    part = getattr(command, "def").partition_cmd
    name = relation_name(part.name)
    told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (table,))
    told.lock(LockMode.ACCESS_SHARE, told.known.above(table))
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(name))
    parent = told.known.table(table)
    alone = part.bound.is_default and parent.complete and not told.known.descendants(table)
    proven = alone or _proven(parent, told.known.table(name), part.bound)
    told.scan |= not proven or any(parent.foreign_keys()) or _builds_index(told.known, table, name)
    _joined(told, table)


def _builds_index(known: Known, table: str, part: str) -> bool:
    """Whether a partitioned table has an index that a part of it has none for, so that one is built."""
    own = tuple(known.indexes_of(part))
    return any(not any(_serves(each, index) for each in own) for index in known.indexes_of(table))


def _serves(own: Index, index: Index) -> bool:
    """Whether an index of a part can become that of its partitioned table (``CompareIndexInfo`` of Postgres)."""
    if own.columns != index.columns or own.unique != index.unique or own.constraint < index.constraint:
        return False
    return _form(own) == _form(index)


def _form(index: Index) -> tuple[Any, ...]:
    """Return what an index is beside its columns, as a value that compares; that of a constraint is a plain one."""
    made = index.made
    if made is None:
        return "btree", (("", "", ""),) * len(index.columns), "", ""
    elements = (each.index_elem for each in made.index_params)
    keys = ((_written(each.expr), _written(*each.opclass), _written(*each.collation)) for each in elements)
    return made.access_method, tuple(keys), _written(made.where_clause), _written(*made.index_including_params)


def _written(*nodes: Any) -> str:
    """Return trees as a text that compares: the same wherever they stood."""
    return _PLACE.sub("", "".join(map(str, nodes)))


def partition_made(told: Gathered, table: str) -> None:
    """Gather what ``create table ... partition of`` does to the other tables."""
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table,))
    _joined(told, table)


def _joined(told: Gathered, table: str) -> None:
    rest = told.known.default_partition(table)
    if rest is not None:
        told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(rest))
        told.scan = True
    _linked(told, table)
    told.lock(LockMode.SHARE_ROW_EXCLUSIVE, [other.name for other, _ in told.known.leading_to(table)])


def _linked(told: Gathered, table: str) -> None:
    """Gather what becomes of the tables that the foreign keys of a partitioned one lead to."""
    for key in told.known.table(table).foreign_keys():
        if key.references:
            told.lock(LockMode.SHARE_ROW_EXCLUSIVE, told.whole(key.references))


def detached(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``detach partition`` does."""
    part = getattr(command, "def").partition_cmd
    name = relation_name(part.name)
    _linked(told, table)
    _still_led_to(told, table)
    if part.concurrent:
        told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (table,))
        told.lock(LockMode.ACCESS_EXCLUSIVE, (name,))
        return
    rest = told.known.default_partition(table)
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table, *told.family(name), *([rest] if rest else [])))


def _still_led_to(told: Gathered, table: str) -> None:
    """Gather how the tables are searched whose foreign keys lead to a partitioned one, for rows that lead to a part."""
    for other, key in told.known.leading_to(table):
        told.lock(LockMode.ACCESS_EXCLUSIVE, (other.name,))
        told.lock(LockMode.ACCESS_SHARE, (*told.whole(other.name), key.references or ""))
        told.scan = True


def finalized(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``detach partition ... finalize`` does."""
    told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (table,))
    told.lock(LockMode.ACCESS_EXCLUSIVE, (relation_name(getattr(command, "def").partition_cmd.name),))


def _proven(parent: Table, part: Table, bound: Any) -> bool:
    """Whether valid checks of a table say of the one column that its partitions are told by what the bound says."""
    if len(parent.partition_key) != 1 or bound.is_default:
        return False
    column = parent.partition_key[0]
    known = part.columns.get(column)
    if (known is None or known.nullable) and not part.proven_not_null(column):
        return False
    checks = [each for each in part.constraints.values() if each.validated and each.enforced]
    if bound.listdatums:
        wanted = {_text(each) for each in bound.listdatums}
        return any(each.allowed and each.columns == (column,) and {*each.allowed} <= wanted for each in checks)
    said = {fact for each in checks if each.expression is not None for fact in _facts(each.expression, column)}
    limits = [*_limits(">=", bound.lowerdatums), *_limits("<", bound.upperdatums)]
    return bool(limits) and all(limit in said for limit in limits)


def _limits(operator: str, datums: Any) -> Iterator[tuple[str, str]]:
    for each in datums:
        text = _text(each)
        if text not in ("column_ref:minvalue", "column_ref:maxvalue"):
            yield operator, text


def _facts(expression: Any, column: str) -> Iterator[tuple[str, str]]:
    """Yield what an expression says of a column where it is true: pairs of an operator and a constant."""
    found = inner(expression)
    name = "" if found is None else found.DESCRIPTOR.name
    if name == "BoolExpr" and enum_name(found, "boolop") == "AND_EXPR":
        for each in found.args:
            yield from _facts(each, column)
    elif name == "A_Expr" and enum_name(found, "kind") == "AEXPR_OP" and _text(found.lexpr) == f"column_ref:{column}":
        yield texts(found.name)[-1], _text(found.rexpr)


def _text(node: Any) -> str:
    """Return a constant or a column as a text that compares."""
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    if node.WhichOneof("node") == "column_ref":
        return f"column_ref:{node.column_ref.fields[-1].string.sval}"
    if node.WhichOneof("node") != "a_const":
        return f"other:{id(node)}"
    constant = node.a_const
    match constant.WhichOneof("val"):
        case "sval":
            return str(constant.sval.sval)
        case "ival":
            return str(constant.ival.ival)
        case "fval":
            return str(constant.fval.fval)
        case _:
            return f"other:{id(node)}"

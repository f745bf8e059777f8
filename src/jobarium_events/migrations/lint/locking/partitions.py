"""What becomes of tables as partitions come and go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.names import enum_name, inner, relation_name, texts

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.tables import Table
    from jobarium_events.migrations.lint.locking.gathering import Gathered

__all__ = ["attached", "detached", "finalized", "partition_made"]


def attached(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``attach partition`` does; it reads the new partition unless a check proves where its rows belong."""
    part = getattr(command, "def").partition_cmd
    name = relation_name(part.name)
    told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (table,))
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(name))
    parent = told.known.table(table)
    alone = part.bound.is_default and parent.complete and not told.known.descendants(table)
    proven = alone or _proven(parent, told.known.table(name), part.bound)
    told.scan |= not proven or any(parent.foreign_keys())
    _joined(told, table)


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


def _linked(told: Gathered, table: str) -> None:
    for key in told.known.table(table).foreign_keys():
        if key.references:
            told.lock(LockMode.SHARE_ROW_EXCLUSIVE, (key.references,))


def detached(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``detach partition`` does."""
    part = getattr(command, "def").partition_cmd
    name = relation_name(part.name)
    _linked(told, table)
    if part.concurrent:
        told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (table,))
        told.lock(LockMode.ACCESS_EXCLUSIVE, (name,))
        return
    rest = told.known.default_partition(table)
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table, *told.family(name), *([rest] if rest else [])))


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

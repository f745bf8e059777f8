"""Whether the statement of a backfill goes through a range of keys with both its ends, so that no row is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.files.parsing import enum_name, parameters

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["is_bounded"]

_CONDITIONS = ("where_clause", "quals", "join_condition", "condition")
_FLIPPED = {">=": "<=", "<=": ">="}


class _Bound(msgspec.Struct, frozen=True):
    """One end of a range, as a comparison has it.

    Attributes:
        columns: Of the key, in their order.
        operator: ``>=`` or ``<=``.
        values: The numbers of its parameters.
    """

    columns: tuple[str, ...]
    operator: str
    values: tuple[int, ...]


def is_bounded(statement: Statement, key: Sequence[str]) -> bool:
    """Whether rows are taken from the first key of a range, ``$1`` and so on, to the last one, both included.

    That has to hold for all that it takes, so a comparison below ``or`` or ``not`` is none. Further comparisons of the
    first columns of the key may narrow the range for the planner, if they leave none of it out.
    """
    count = len(key)
    needed = set(_ends(key, count))
    allowed = {end for columns in range(1, count + 1) for end in _ends(key, columns)}
    found = set(_bounds(statement.node, is_condition=False))
    return needed <= found <= allowed and max(parameters(statement)) == 2 * count


def _ends(key: Sequence[str], columns: int) -> Iterator[_Bound]:
    for operator, first in ((">=", 1), ("<=", len(key) + 1)):
        yield _Bound(tuple(key[:columns]), operator, tuple(range(first, first + columns)))


def _bounds(node: Any, *, is_condition: bool) -> Iterator[_Bound | None]:
    """Yield the ends of ranges below a node; None for a condition with a parameter that is no such end."""
    kind = node.DESCRIPTOR.name
    if kind == "Node":
        inner = node.WhichOneof("node")
        if inner is not None:
            yield from _bounds(getattr(node, inner), is_condition=is_condition)
        return
    if is_condition and not (kind == "BoolExpr" and enum_name(node, "boolop") == "AND_EXPR") and _has_value(node):
        yield from _compared(node) if kind == "A_Expr" else (None,)
        return
    for field, value in node.ListFields():
        if field.message_type is not None:
            below = field.name in _CONDITIONS or (is_condition and kind == "BoolExpr")
            for each in value if field.is_repeated else (value,):
                yield from _bounds(each, is_condition=below)


def _compared(node: Any) -> Iterator[_Bound | None]:
    kind = enum_name(node, "kind")
    if kind == "AEXPR_BETWEEN":
        first, last = node.rexpr.list.items
        yield _bound(node.lexpr, ">=", first)
        yield _bound(node.lexpr, "<=", last)
        return
    operator = node.name[-1].string.sval if kind == "AEXPR_OP" else ""
    if operator not in _FLIPPED:
        yield None
    else:
        yield _bound(node.lexpr, operator, node.rexpr) or _bound(node.rexpr, _FLIPPED[operator], node.lexpr)


def _bound(columns: Any, operator: str, values: Any) -> _Bound | None:
    names = [_column(each) for each in _parts(columns)]
    numbers = [_value(each) for each in _parts(values)]
    if None in names or None in numbers:
        return None
    return _Bound(tuple(filter(None, names)), operator, tuple(filter(None, numbers)))


def _parts(node: Any) -> Sequence[Any]:
    return node.row_expr.args if node.WhichOneof("node") == "row_expr" else (node,)


def _column(node: Any) -> str | None:
    last = node.column_ref.fields[-1] if node.WhichOneof("node") == "column_ref" else None
    return last.string.sval if last is not None and last.HasField("string") else None


def _value(node: Any) -> int | None:
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    number: int | None = node.param_ref.number if node.WhichOneof("node") == "param_ref" else None
    return number


def _has_value(node: Any) -> bool:
    """Whether a condition has a parameter of its own; a query within it has conditions of its own."""
    if node.DESCRIPTOR.name == "ParamRef":
        return True
    return any(
        _has_value(each)
        for field, value in node.ListFields()
        if field.message_type is not None and field.name != "subselect"
        for each in (value if field.is_repeated else (value,))
    )

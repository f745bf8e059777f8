"""What a check says of single columns, read from its tree: so that values can be made that fulfil it.

What is not understood here is no harm: every row is held against every check before it is inserted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from jobarium_events.migrations.files.parsing import expression, parse
from jobarium_events.statements import identifier

__all__ = ["Counted", "Demand", "Understood", "of_domain", "understand"]

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_LENGTHS = {"char_length", "character_length", "length", "octet_length"}
_COUNTED = {"num_nonnulls", "num_nulls"}
_WORDS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\bVALUE\b")


class Demand(msgspec.Struct, frozen=True):
    """What a column has to be.

    Attributes:
        column: The column.
        what: ``<``, ``<=``, ``>``, ``>=``, ``in``, ``~``, ``null`` or ``not null``; ``length<`` and so on.
        values: With what it is compared, each as SQL.
    """

    column: str
    what: str
    values: tuple[str, ...] = ()


class Counted(msgspec.Struct, frozen=True):
    """How many of some columns have to be given.

    Attributes:
        columns: The columns.
        count: How many of them are not null.
    """

    columns: tuple[str, ...]
    count: int


class Understood(msgspec.Struct, frozen=True):
    """What could be read from a check.

    Attributes:
        demands: What single columns have to be.
        counts: How many of some columns have to be given.
        whole: Whether that is all that the check says.
    """

    demands: tuple[Demand, ...] = ()
    counts: tuple[Counted, ...] = ()
    whole: bool = True


_NOT_UNDERSTOOD = Understood(whole=False)


def of_domain(definition: str, column: str) -> str:
    """Return the condition of a domain's check, for a column."""
    named = identifier(column)
    condition = _WORDS.sub(lambda word: named if word[0] == "VALUE" else word[0], definition)
    return condition.removeprefix("CHECK ").removesuffix(" NOT VALID")


def understand(condition: str) -> Understood:
    """Read a check."""
    (statement,) = parse(f"select {condition}")
    return _read(statement.node.target_list[0].res_target.val)


def _read(node: Any) -> Understood:
    kind, inner = _bare(node)
    if kind == "bool_expr":
        return _read_bool(inner)
    if kind == "null_test":
        column = _column(inner.arg)
        if column is None:
            return _NOT_UNDERSTOOD
        is_null = _name(inner, "nulltesttype") == "IS_NULL"
        return Understood((Demand(column, "null" if is_null else "not null"),))
    if kind == "a_expr":
        return _read_comparison(inner)
    return _NOT_UNDERSTOOD


def _read_bool(node: Any) -> Understood:
    parts = [_read(each) for each in node.args]
    match _name(node, "boolop"):
        case "AND_EXPR":
            return Understood(
                tuple(each for part in parts for each in part.demands),
                tuple(each for part in parts for each in part.counts),
                all(part.whole for part in parts),
            )
        case "OR_EXPR":
            return _either(parts)
        case _:
            return _NOT_UNDERSTOOD


def _either(parts: list[Understood]) -> Understood:
    """One of some: only where all of them speak of the same column."""
    demands = [each for part in parts for each in part.demands]
    columns = {each.column for each in demands}
    if len(columns) != 1 or not all(part.whole and part.demands and not part.counts for part in parts):
        return _NOT_UNDERSTOOD
    others = [part for part in parts if [each.what for each in part.demands] != ["null"]]
    if len(others) == 1:
        return others[0]
    if all([each.what for each in part.demands] == ["in"] for part in others):
        values = tuple(value for part in others for value in part.demands[0].values)
        return Understood((Demand(columns.pop(), "in", values),))
    return _NOT_UNDERSTOOD


def _read_comparison(node: Any) -> Understood:
    kind, operator = _name(node, "kind"), node.name[0].string.sval if node.name else ""
    if kind in ("AEXPR_OP_ANY", "AEXPR_IN") and operator == "=":
        column, values = _column(node.lexpr), _elements(node.rexpr)
        if column is not None and values and all(map(_is_constant, values)):
            return Understood((Demand(column, "in", tuple(map(expression, values))),))
        return _NOT_UNDERSTOOD
    if kind != "AEXPR_OP":
        return _NOT_UNDERSTOOD
    left, right = node.lexpr, node.rexpr
    if operator in _MIRRORED and _is_constant(left):
        left, right, operator = right, left, _MIRRORED[operator]
    if not _is_constant(right):
        return _NOT_UNDERSTOOD
    column, value = _column(left), expression(right)
    if column is not None:
        return _of_column(column, operator, value)
    called, arguments = _call(left)
    columns = [_column(each) for each in arguments]
    names = tuple(each for each in columns if each is not None)
    if len(names) != len(columns) or operator not in _MIRRORED:
        return _NOT_UNDERSTOOD
    if called in _LENGTHS and len(names) == 1:
        whats = ("length>=", "length<=") if operator == "=" else (f"length{operator}",)
        return Understood(tuple(Demand(names[0], what, (value,)) for what in whats))
    if called in _COUNTED and value.isdecimal():
        return _counted(called, names, operator, int(value))
    return _NOT_UNDERSTOOD


def _of_column(column: str, operator: str, value: str) -> Understood:
    if operator == "=":
        return Understood((Demand(column, "in", (value,)),))
    if operator == "~" or operator in _MIRRORED:
        return Understood((Demand(column, operator, (value,)),))
    return _NOT_UNDERSTOOD


def _counted(called: str, columns: tuple[str, ...], operator: str, value: int) -> Understood:
    count = {"<": value - 1, ">": value + 1}.get(operator, value)
    if called == "num_nulls":
        count = len(columns) - count
    return Understood(counts=(Counted(columns, count),)) if 0 <= count <= len(columns) else _NOT_UNDERSTOOD


def _bare(node: Any) -> tuple[str, Any]:
    """Return what a node is, with casts and collations around it seen through."""
    while True:
        kind = node.WhichOneof("node")
        inner = getattr(node, kind) if kind else node
        if kind not in ("type_cast", "collate_clause"):
            return kind or "", inner
        node = inner.arg


def _column(node: Any) -> str | None:
    kind, inner = _bare(node)
    if kind != "column_ref" or inner.fields[-1].WhichOneof("node") != "string":
        return None
    name: str = inner.fields[-1].string.sval
    return name


def _call(node: Any) -> tuple[str, list[Any]]:
    kind, inner = _bare(node)
    return (inner.funcname[-1].string.sval, list(inner.args)) if kind == "func_call" else ("", [])


def _elements(node: Any) -> list[Any]:
    kind, inner = _bare(node)
    return list({"a_array_expr": lambda: inner.elements, "list": lambda: inner.items}.get(kind, list)())


def _is_constant(node: Any) -> bool:
    return not any(kind in ("column_ref", "sub_link") for kind in _kinds(node))


def _kinds(message: Any) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.message_type is not None:
            yield field.name
            each: Iterable[Any] = value if isinstance(value, Iterable) else (value,)
            for inner in each:
                yield from _kinds(inner)


def _name(node: Any, field: str) -> str:
    name: str = node.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(node, field)].name
    return name

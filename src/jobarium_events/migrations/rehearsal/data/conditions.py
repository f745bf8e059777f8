"""What a check says of single columns, read from its tree: so that values can be made that fulfil it.

What is not understood here is no harm: every row is held against every check before it is inserted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from jobarium_events.migrations.files.parsing import enum_name, expression, parse
from jobarium_events.migrations.rehearsal.data.expressions import (
    bare,
    call_of,
    column_of,
    constant_text,
    elements_of,
    is_constant,
    operator_of,
)
from jobarium_events.migrations.rehearsal.data.texts import of_text
from jobarium_events.statements import identifier

__all__ = ["Counted", "Demand", "Understood", "columns_of", "of_domain", "understand"]

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_LENGTHS = {"char_length", "character_length", "length", "octet_length"}
_COUNTED = {"num_nonnulls", "num_nulls"}
_KINDS = {"json_typeof", "jsonb_typeof"}
_WORDS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\bVALUE\b")


class Demand(msgspec.Struct, frozen=True):
    """What a column has to be.

    Attributes:
        column: The column.
        what: ``<``, ``<=``, ``>``, ``>=``, ``in``, ``~``, ``null`` or ``not null``; ``length<`` and so on; of a text
            ``case``; of a member of a document ``there``, ``kind`` or ``text``.
        values: With what it is compared, each as SQL, and one of them is enough; the kinds of a member, and the case
            of a text, as they are.
        path: The keys on the way to the member; empty for the document itself.
    """

    column: str
    what: str
    values: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


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
    return _read(_parsed(condition))


def columns_of(condition: str) -> tuple[str, ...]:
    """Return the columns that a check speaks of, in their order."""
    return tuple(dict.fromkeys(_columns(_parsed(condition))))


def _parsed(condition: str) -> Any:
    (statement,) = parse(f"select {condition}")
    return statement.node.target_list[0].res_target.val


def _columns(message: Any) -> Iterator[str]:
    if message.DESCRIPTOR.name == "Node" and (name := column_of(message)) is not None:
        yield name
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            each: Iterable[Any] = value if isinstance(value, Iterable) else (value,)
            for inner in each:
                yield from _columns(inner)


def _read(node: Any) -> Understood:
    kind, inner = bare(node)
    if kind == "bool_expr":
        return _read_bool(inner)
    if kind == "null_test":
        column = column_of(inner.arg)
        is_null = enum_name(inner, "nulltesttype") == "IS_NULL"
        if column is None:
            return _NOT_UNDERSTOOD if is_null else _of_member("there", inner.arg)
        return Understood((Demand(column, "null" if is_null else "not null"),))
    said = of_text(node)
    if said is not None:
        return Understood((Demand(*said),))
    return _read_comparison(inner) if kind == "a_expr" else _NOT_UNDERSTOOD


def _read_bool(node: Any) -> Understood:
    parts = [_read(each) for each in node.args]
    match enum_name(node, "boolop"):
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
    whats = {tuple(each.what for each in part.demands) for part in others}
    if whats in ({("in",)}, {("~",)}):
        ((what,),) = whats
        values = tuple(value for part in others for value in part.demands[0].values)
        return Understood((Demand(columns.pop(), what, values),))
    return _NOT_UNDERSTOOD


def _read_comparison(node: Any) -> Understood:
    kind, operator = enum_name(node, "kind"), operator_of(node)
    if kind in ("AEXPR_OP_ANY", "AEXPR_IN") and operator == "=":
        return _read_among(node.lexpr, elements_of(node.rexpr))
    if kind != "AEXPR_OP":
        return _NOT_UNDERSTOOD
    left, right = node.lexpr, node.rexpr
    if operator in _MIRRORED and is_constant(left):
        left, right, operator = right, left, _MIRRORED[operator]
    if not is_constant(right):
        return _NOT_UNDERSTOOD
    if operator == "?":
        key = constant_text(right)
        return _NOT_UNDERSTOOD if key is None else _of_member("there", left, key=key)
    column, value = column_of(left), expression(right)
    if column is not None:
        return _of_column(column, operator, value)
    found = _member_among(left, [right]) if operator == "=" else _NOT_UNDERSTOOD
    return found if found.whole else _read_call(left, operator, value)


def _read_among(node: Any, values: list[Any]) -> Understood:
    if not values or not all(map(is_constant, values)):
        return _NOT_UNDERSTOOD
    column = column_of(node)
    if column is None:
        return _member_among(node, values)
    return Understood((Demand(column, "in", tuple(map(expression, values))),))


def _read_call(node: Any, operator: str, value: str) -> Understood:
    """Read what a function of columns is compared with."""
    called, arguments = call_of(node)
    columns = [column_of(each) for each in arguments]
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
    if operator in _MIRRORED:
        return Understood((Demand(column, operator, (value,)),))
    return _NOT_UNDERSTOOD


def _member_among(node: Any, values: list[Any]) -> Understood:
    """Read that a member of a document is one of some constants, or of one of some kinds."""
    called, arguments = call_of(node)
    if called in _KINDS and len(arguments) == 1:
        kinds = [kind for each in values if (kind := constant_text(each)) is not None]
        return _of_member("kind", arguments[0], kinds) if len(kinds) == len(values) else _NOT_UNDERSTOOD
    kind, inner = bare(node)
    if kind == "a_expr" and operator_of(inner) == "->>":
        return _of_member("text", node, list(map(expression, values)))
    return _NOT_UNDERSTOOD


def _of_member(what: str, node: Any, values: Iterable[str] = (), *, key: str | None = None) -> Understood:
    """Return a demand on a member, be it written as ``a -> 'b' ->> 'c'``; or on the member of this key within it."""
    path = [] if key is None else [key]
    while (column := column_of(node)) is None:
        kind, inner = bare(node)
        name = constant_text(inner.rexpr) if kind == "a_expr" else None
        if name is None or operator_of(inner) not in ("->", "->>"):
            return _NOT_UNDERSTOOD
        path.insert(0, name)
        node = inner.lexpr
    return Understood((Demand(column, what, tuple(values), tuple(path)),))


def _counted(called: str, columns: tuple[str, ...], operator: str, value: int) -> Understood:
    count = {"<": value - 1, ">": value + 1}.get(operator, value)
    if called == "num_nulls":
        count = len(columns) - count
    return Understood(counts=(Counted(columns, count),)) if 0 <= count <= len(columns) else _NOT_UNDERSTOOD

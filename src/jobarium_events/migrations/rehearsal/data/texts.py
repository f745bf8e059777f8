"""What a check says of a text, read from its tree: the regular expressions that it matches, or the case of its letters.

A pattern of ``like``, a beginning, or what has to be within a text, is written as a regular expression.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jobarium_events.migrations.files.parsing import enum_name, expression
from jobarium_events.migrations.rehearsal.data.expressions import (
    bare,
    call_of,
    column_of,
    constant_text,
    elements_of,
    is_constant,
    operator_of,
)
from jobarium_events.migrations.rehearsal.data.quoting import text

__all__ = ["OfText", "of_text"]

_REGULAR = ("~", "~*")
_LIKE = ("~~", "~~*")
_BEGINS = "^@"
_SEEN_THROUGH = ("btrim", "lower", "ltrim", "rtrim", "upper")
_CASES = ("lower", "upper")
_PARTS = {"left": "^{}", "right": "{}$", "substr": "^{}", "substring": "^{}"}
_PLACES = ("position", "strpos")


class OfText(NamedTuple):
    """What a text has to be.

    Attributes:
        column: The column.
        what: ``~`` if it matches one of the values; ``case`` if its letters are all of the case of the value.
        values: Regular expressions, each as SQL; or ``lower`` or ``upper``.
    """

    column: str
    what: str
    values: tuple[str, ...]


def of_text(node: Any) -> OfText | None:
    """Read a condition on a text; None if it is another, or not understood."""
    kind, inner = bare(node)
    if kind == "func_call":
        called, arguments = call_of(node)
        return _spelt(arguments[0], arguments[1:], "^{}") if called == "starts_with" else None
    if kind != "a_expr":
        return None
    match enum_name(inner, "kind"):
        case "AEXPR_OP":
            return _of_operator(inner.lexpr, operator_of(inner), [inner.rexpr])
        case "AEXPR_OP_ANY" | "AEXPR_IN":
            return _of_operator(inner.lexpr, operator_of(inner), elements_of(inner.rexpr))
        case _:
            return None


def _of_operator(left: Any, operator: str, values: list[Any]) -> OfText | None:
    if operator in _REGULAR:
        column = _text_of(left)
        usable = column is not None and values and all(map(is_constant, values))
        return OfText(column, "~", tuple(map(expression, values))) if usable and column is not None else None
    if operator in _LIKE:
        return _matching(left, [None if each is None else _of_like(each) for each in map(constant_text, values)])
    if operator == _BEGINS:
        return _spelt(left, values, "^{}")
    if operator == "=" and (found := _of_case(left, values) or _of_part(left, values)) is not None:
        return found
    return _of_place(left, operator, values)


def _of_case(left: Any, values: list[Any]) -> OfText | None:
    """Read that a text is the same in small letters, or in capitals."""
    if len(values) != 1:
        return None
    for one, other in ((left, values[0]), (values[0], left)):
        called, arguments = call_of(one)
        column = column_of(other)
        if called in _CASES and column is not None and column_of(arguments[0]) == column:
            return OfText(column, "case", (called,))
    return None


def _of_part(left: Any, values: list[Any]) -> OfText | None:
    """Read how a text begins or ends."""
    called, arguments = call_of(left)
    if called not in _PARTS or not all(map(is_constant, arguments[1:])):
        return None
    *begin, length = map(expression, arguments[1:])
    lengths = {len(each) for value in values if (each := constant_text(value)) is not None}
    known = begin in ([], ["1"]) and length.isdecimal() and lengths == {int(length)}
    return _spelt(arguments[0], values, _PARTS[called]) if known else None


def _of_place(left: Any, operator: str, values: list[Any]) -> OfText | None:
    """Read where in a text something has to be."""
    called, arguments = call_of(left)
    place = expression(values[0]) if len(values) == 1 and is_constant(values[0]) else ""
    if called not in _PLACES or not place.isdecimal():
        return None
    before = int(place) - {"=": 1, ">": 0, ">=": 1}.get(operator, 0)
    if (operator, before) != ("<>", 0) and (operator not in ("=", ">", ">=") or before < 0):
        return None
    return _spelt(arguments[0], arguments[1:], ("^" if operator == "=" else "") + "." * before + "{}")


def _spelt(node: Any, values: list[Any], where: str) -> OfText | None:
    """Return that a text has one of some constants at a place."""
    texts = map(constant_text, values)
    return _matching(node, [None if each is None else where.format(_escaped(each)) for each in texts])


def _matching(node: Any, patterns: list[str | None]) -> OfText | None:
    column, known = _text_of(node), [each for each in patterns if each is not None]
    if column is None or not known or len(known) < len(patterns):
        return None
    return OfText(column, "~", tuple(map(text, known)))


def _text_of(node: Any) -> str | None:
    """Return the column whose text a node is, whatever is done to its letters' case or to spaces around it."""
    while (column := column_of(node)) is None:
        called, arguments = call_of(node)
        if called not in _SEEN_THROUGH:
            return None
        node = arguments[0]
    return column


def _of_like(pattern: str) -> str:
    """Return the regular expression of a pattern of ``like``."""
    parts, rest = [], iter(pattern)
    for character in rest:
        if character == "\\":
            parts.append(_escaped(next(rest, "")))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or _escaped(character))
    inner = "".join(parts)
    begins, ends = not pattern.startswith("%"), parts[-1:] != [".*"]
    return (
        ("^" if begins else "")
        + inner.removeprefix("" if begins else ".*").removesuffix("" if ends else ".*")
        + ("$" if ends else "")
    )


def _escaped(value: str) -> str:
    return "".join(each if each.isalnum() else f"\\{each}" for each in value)

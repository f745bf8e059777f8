"""Parts of the tree of an expression: the column, the constant or the call that a node is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["bare", "call_of", "column_of", "constant_text", "elements_of", "is_constant", "operator_of"]


def bare(node: Any) -> tuple[str, Any]:
    """Return what a node is, with casts and collations around it seen through."""
    while True:
        kind = node.WhichOneof("node")
        inner = getattr(node, kind) if kind else node
        if kind not in ("type_cast", "collate_clause"):
            return kind or "", inner
        node = inner.arg


def column_of(node: Any) -> str | None:
    """Return the column that a node is; None if it is none."""
    kind, inner = bare(node)
    if kind != "column_ref" or inner.fields[-1].WhichOneof("node") != "string":
        return None
    name: str = inner.fields[-1].string.sval
    return name


def call_of(node: Any) -> tuple[str, list[Any]]:
    """Return the function that a node calls, and with what; an empty name if it calls none."""
    kind, inner = bare(node)
    return (inner.funcname[-1].string.sval, list(inner.args)) if kind == "func_call" else ("", [])


def operator_of(node: Any) -> str:
    """Return the operator of an ``a_expr``, without its schema."""
    return node.name[-1].string.sval if node.name else ""


def elements_of(node: Any) -> list[Any]:
    """Return what is listed in an array or in brackets."""
    kind, inner = bare(node)
    return list({"a_array_expr": lambda: inner.elements, "list": lambda: inner.items}.get(kind, list)())


def is_constant(node: Any) -> bool:
    """Whether a node speaks of no column and asks no other table."""
    return not any(kind in ("column_ref", "sub_link") for kind in _kinds(node))


def _kinds(message: Any) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.message_type is not None:
            yield field.name
            each: Iterable[Any] = value if isinstance(value, Iterable) else (value,)
            for inner in each:
                yield from _kinds(inner)


def constant_text(node: Any) -> str | None:
    """Return the text that a node spells out; None if it spells none."""
    kind, inner = bare(node)
    if kind != "a_const" or inner.WhichOneof("val") != "sval":
        return None
    text: str = inner.sval.sval
    return text

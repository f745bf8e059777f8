"""What a statement has anywhere in its tree: the functions it calls, the columns and the tables that it names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

from jobarium_events.migrations.lint.names import relation_name

__all__ = ["BARE", "NAMELESS", "calls", "columns_in", "constants", "held", "messages", "parts", "tables_of"]

BARE = frozenset((None, "string", "type_name"))
"""The nodes that are not looked into: bare names, and those that hold nothing."""


NAMELESS = BARE | {"a_const", "column_ref"}
"""The nodes that name no table."""
_NO_COLUMN = BARE | {"a_const"}


def messages(message: Any, bare: Collection[str | None] = BARE) -> Iterator[Any]:
    """Yield a message of the tree, and all within it but for some kinds of nodes."""
    waiting = [message]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += parts(each, (), bare)


def parts(message: Any, without: Collection[str] = (), bare: Collection[str | None] = BARE) -> list[Any]:
    """Return the messages right within one of the tree, and of nodes what they hold.

    It is slow to ask a message for all of its fields, so those that trees are mostly made of are asked for their own.

    Args:
        message: The message.
        without: The fields that are left out.
        bare: The kinds of nodes that are left out.
    """
    known = _MOSTLY.get(type(message).__name__)
    if known is not None:
        return [getattr(node, kind) for node in known(message) if (kind := node.WhichOneof("node")) not in bare]
    found: list[Any] = []
    for field, value in message.ListFields():
        holds = _HOLDS.get(field) or _held_by(field)
        if holds.messages and field.name not in without:
            values = value if holds.several else (value,)
            found += held(values, bare) if holds.nodes else values
    return found


class _Holds(NamedTuple):
    """What a field holds: messages at all, nodes, and whether any number of them."""

    messages: bool
    nodes: bool
    several: bool


_HOLDS: dict[Any, _Holds] = {}
"""What the fields hold that have been met; it is slow to ask the parser for it."""


def _held_by(field: Any) -> _Holds:
    kind = field.message_type
    _HOLDS[field] = holds = _Holds(kind is not None, kind is not None and kind.name == "Node", field.is_repeated)
    return holds


def held(nodes: Iterable[Any], bare: Collection[str | None]) -> list[Any]:
    """Return what nodes hold, but for some kinds of them."""
    return [getattr(node, kind) for node in nodes if (kind := node.WhichOneof("node")) not in bare]


def _window(call: Any) -> tuple[Any, ...]:
    """Return the nodes within what a call is ``over``."""
    if not call.HasField("over"):
        return ()
    over = call.over
    return (*over.partition_clause, *over.order_clause, over.start_offset, over.end_offset)


_MOSTLY: dict[str, Callable[[Any], Iterable[Any]]] = {
    "A_Const": lambda _: (),
    "A_Expr": lambda found: (found.lexpr, found.rexpr),
    "BoolExpr": lambda found: found.args,
    "CaseExpr": lambda found: (found.arg, *found.args, found.defresult),
    "CaseWhen": lambda found: (found.expr, found.result),
    "CoalesceExpr": lambda found: found.args,
    "ColumnRef": lambda _: (),
    "FuncCall": lambda found: (*found.args, *found.agg_order, found.agg_filter, *_window(found)),
    "JoinExpr": lambda found: (found.larg, found.rarg, found.quals),
    "List": lambda found: found.items,
    "Node": lambda found: (found,),
    "NullTest": lambda found: (found.arg,),
    "RangeSubselect": lambda found: (found.subquery,),
    "RangeVar": lambda _: (),
    "ResTarget": lambda found: (*found.indirection, found.val),
    "SubLink": lambda found: (found.testexpr, found.subselect),
    "TypeCast": lambda found: (found.arg,),
    "TypeName": lambda _: (),
}
"""The nodes within those messages that trees are mostly made of: neither names nor constants are looked into."""


def columns_in(expression: Any) -> tuple[str, ...]:
    """Return the names of the columns in an expression."""
    found: dict[str, None] = {}
    waiting = [expression]
    while waiting:
        message = waiting.pop()
        if type(message).__name__ != "ColumnRef":
            waiting += parts(message, (), _NO_COLUMN)[::-1]
        elif message.fields:
            found[message.fields[-1].string.sval] = None
    return tuple(found)


def calls(node: Any) -> set[str]:
    """Return the names of the functions that a tree calls, without their schemas."""
    return {str(each.funcname[-1].string.sval).lower() for each in _of(node, "FuncCall")}


def tables_of(node: Any) -> list[str]:
    """Return the tables that a tree names, each once and without the names of its own ``with``."""
    own: set[str] = set()
    found: dict[str, None] = {}
    for each in messages(node, NAMELESS):
        kind = type(each).__name__
        if kind == "CommonTableExpr":
            own.add(each.ctename)
        elif kind == "RangeVar":
            found[relation_name(each)] = None
    return [table for table in found if table not in own]


def constants(node: Any) -> set[str]:
    """Return the texts that stand in a tree as constants."""
    return {str(each.sval.sval) for each in _of(node, "A_Const") if each.HasField("sval")}


def _of(node: Any, kind: str) -> Iterator[Any]:
    """Yield the messages of a kind within a tree, itself included."""
    return (each for each in messages(node) if type(each).__name__ == kind)

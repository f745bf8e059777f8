"""Whether an index that is there is the one that a statement asks for, as far as that can be told for sure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name, parse

__all__ = ["is_the_one"]

_ELSEWHERE = ("relation", "idxname", "table_space", "options", "concurrent", "if_not_exists")
"""What is no part of what an index is of: its table and name are known, and the rest only says how it is built."""

_NULLS = {"SORTBY_DESC": "SORTBY_NULLS_FIRST"}


def is_the_one(node: Any, definition: str) -> bool:
    """Whether an index on the table, and of the name, that a statement names is the one that it asks for.

    Postgres writes out the types of constants, which a statement need not. What else it writes in another way, such as
    `in` or a default that a statement names, is not recognized.

    Args:
        node: The tree of the statement.
        definition: How Postgres defines the index, as ``pg_get_indexdef`` has it.
    """
    wanted, there = _bare(node), _bare(parse(definition)[0].node)
    if wanted == there:
        return True
    for each in _nodes(there):
        if each.WhichOneof("node") == "type_cast" and each.type_cast.arg.WhichOneof("node") == "a_const":
            constant = type(each)()
            constant.CopyFrom(each.type_cast.arg)
            each.CopyFrom(constant)
    return bool(wanted == there)


def _bare(node: Any) -> Any:
    """Return a copy of a tree without places in the text, and with the defaults of an order as their meaning."""
    made = type(node)()
    made.CopyFrom(node)
    for name in _ELSEWHERE:
        made.ClearField(name)
    for each in _messages(made):
        if "location" in each.DESCRIPTOR.fields_by_name:
            each.ClearField("location")
    for element in made.index_params:
        _order(element.index_elem)
    return made


def _order(element: Any) -> None:
    fields = element.DESCRIPTOR.fields_by_name
    orders, nulls = fields["ordering"].enum_type, fields["nulls_ordering"].enum_type
    name = enum_name(element, "ordering")
    if name == "SORTBY_DEFAULT":
        element.ordering = orders.values_by_name["SORTBY_ASC"].number
    if enum_name(element, "nulls_ordering") == "SORTBY_NULLS_DEFAULT":
        element.nulls_ordering = nulls.values_by_name[_NULLS.get(name, "SORTBY_NULLS_LAST")].number


def _nodes(tree: Any) -> Iterator[Any]:
    return (each for each in _messages(tree) if "node" in each.DESCRIPTOR.oneofs_by_name)


def _messages(tree: Any) -> Iterator[Any]:
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        yield each
        for field, value in each.ListFields():
            if field.message_type is not None:
                waiting += [value] if hasattr(value, "ListFields") else list(value)

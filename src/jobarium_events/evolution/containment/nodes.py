"""Schemas as nodes: one node for all subschemas that mean the same, so that they can be recognised and remembered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jobarium_events.evolution.containment.formats import FORMATS
from jobarium_events.validation.dialects import ASSERTING, DRAFT_2019_09, DRAFT_2020_12, Schema, dialect_of, rebuilt
from jobarium_events.validation.references import bundled, lookup, walk

__all__ = ["Node", "Nodes"]

_DYNAMIC = {DRAFT_2019_09: "$recursiveRef", DRAFT_2020_12: "$dynamicRef"}
_REFERRING = frozenset(("$ref", *_DYNAMIC.values()))
_SHELVES = frozenset(("$defs", "contentSchema", "definitions"))


class Node:
    """A subschema and the schema that it stands in. Two nodes are equal only if they are one object.

    Attributes:
        schema: The subschema, without annotations.
        dialect: Of the whole schema.
        key: Text that tells the subschema from others.
        number: Nodes are numbered as they are made, so that they have an order from run to run.
    """

    __slots__ = ("_inner", "_nodes", "_whole", "dialect", "key", "number", "schema")

    def __init__(self, nodes: Nodes, whole: _Whole, schema: Schema, key: str, number: int) -> None:
        self._nodes = nodes
        self._whole = whole
        self._inner: dict[int, Node] = {}
        self.schema = schema
        self.dialect = whole.dialect
        self.key = key
        self.number = number

    def inner(self, schema: Schema) -> Node:
        """Return the node of a subschema of this one, which must be the very object that stands in `schema`."""
        node = self._inner.get(id(schema))
        if node is None:
            node = self._inner[id(schema)] = self._nodes.node(self._whole, schema)
        return node

    @property
    def depends_on_the_way(self) -> bool:
        """Whether what the whole schema says may depend on how a check got to a part of it."""
        return self._whole.dynamic

    def plain(self, schema: Schema) -> Node:
        """Return the node of a schema that stands nowhere, and refers to nothing."""
        return self._nodes.plain(schema)

    def target(self, reference: str) -> Node:
        """Return the node of the schema that a reference in this one names."""
        return self._nodes.node(self._whole, lookup(self._whole.schema, reference))

    def __repr__(self) -> str:
        return f"<Node {self.key}>"


class _Whole:
    def __init__(self, schema: Schema) -> None:
        self.dialect = dialect_of(schema)
        self.schema = bundled(_settled(schema, _DYNAMIC.get(self.dialect, "")))
        self.dynamic = _has(self.schema, _DYNAMIC.get(self.dialect, ""))
        # References lead to places that a keyword names, and nowhere else; dynamic ones may lead to any.
        self.text = _text(schema if self.dynamic else _only(self.schema, ASSERTING | _REFERRING | _SHELVES))


class Nodes:
    """The nodes of the schemas that are compared with each other.

    Args:
        formats: Whether ``format`` says anything.
    """

    def __init__(self, *, formats: bool) -> None:
        self._known: dict[tuple[str, ...], Node] = {}
        self._plain: dict[str, Node] = {}
        self._nowhere = _Whole({})
        self._kept = (ASSERTING | _REFERRING) - (frozenset() if formats else {"format"})

    def root(self, schema: Schema) -> Node:
        """Return the node of a whole schema.

        Raises:
            SchemaError: If it is no schema, or a reference leads out of it.
        """
        whole = _Whole(schema)
        return self.node(whole, whole.schema)

    def plain(self, schema: Schema) -> Node:
        """Return the node of a schema of draft-07 that stands nowhere, and refers to nothing."""
        text = repr(schema)  # the same few are asked for again and again
        node = self._plain.get(text)
        if node is None:
            node = self._plain[text] = self.node(self._nowhere, schema)
        return node

    def node(self, whole: _Whole, schema: Schema) -> Node:
        """Return the node of a subschema."""
        bare = _only(schema, self._kept)
        key = _text(bare)
        refers = any(isinstance(each, Mapping) and _REFERRING.intersection(each) for _, each in walk(bare))
        # The same reference in another schema names something else.
        place = (key, whole.dialect, whole.text) if refers else (key, whole.dialect)
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = Node(self, whole, bare, key, len(self._known))
        return known


def _has(schema: Schema, keyword: str) -> bool:
    return any(isinstance(each, Mapping) and keyword in each for _, each in walk(schema))


def _settled(schema: Schema, dynamic: str) -> Schema:
    """Return a schema in which a plain reference stands for each dynamic one, where that means the same.

    It does where all is one resource: then there is only one place for a dynamic reference to lead to.
    """
    if not _has(schema, dynamic):
        return schema
    anchors: list[Any] = []
    for pointer, each in walk(schema):
        if isinstance(each, Mapping):
            if (pointer and "$id" in each) or not all(each.get(key, "#").startswith("#") for key in _REFERRING):
                return schema
            anchors += [each[anchor] for anchor in ("$anchor", "$dynamicAnchor") if anchor in each]
    return _plain(schema, dynamic) if len(set(anchors)) == len(anchors) else schema


def _plain(schema: Schema, dynamic: str) -> Schema:
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key != dynamic}
    if dynamic in schema:
        kept["allOf"] = [*schema.get("allOf", ()), {"$ref": schema[dynamic]}]
    return rebuilt(kept, lambda inner, _: _plain(inner, dynamic))


def _only(schema: Schema, keywords: frozenset[str]) -> Schema:
    """Return a schema with no other keywords at any level."""
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key in keywords and (key != "format" or value in FORMATS)}
    return rebuilt(kept, lambda inner, _: _only(inner, keywords))


def _text(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True)

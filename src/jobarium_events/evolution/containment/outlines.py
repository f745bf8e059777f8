"""What a glance at two schemas tells: that no value satisfies both, or that the one's values are all the other's.

A glance takes in types, listed values and required members; it tells the kinds of a union apart without a search. What
it does not see only makes it say less, so whatever it says is proven.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.evolution.containment.atoms import Literal, opposite
from jobarium_events.evolution.containment.formulas import TYPES, type_of
from jobarium_events.evolution.containment.values import identity
from jobarium_events.validation.dialects import DRAFT_7

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.found import Spend
    from jobarium_events.evolution.containment.nodes import Node

__all__ = ["Outline", "Outlines"]

_EVERY = frozenset(TYPES)


class Outline(NamedTuple):
    """What every value of a schema fulfils.

    Attributes:
        types: It is of one of these types.
        values: It is one of these, if they are listed; each with its type.
        required: It has these members, if it is an object.
        members: What they satisfy, by name, if they are there.
        exact: Whether, the other way round, what fulfils this is a value of the schema.
    """

    types: frozenset[str] = _EVERY
    values: Mapping[Hashable, str] | None = None
    required: frozenset[str] = frozenset()
    members: Mapping[str, tuple[Node, ...]] = {}
    exact: bool = False

    def __and__(self, other: Outline) -> Outline:
        types = self.types & other.types
        values = other.values if self.values is None else self.values
        if values is not None:
            among = values if other.values is None else other.values
            values = {key: kind for key, kind in values.items() if key in among and kind in types}
            types = frozenset(values.values())
        members = dict(self.members)
        for name, nodes in other.members.items():
            members[name] = members.get(name, ()) + nodes
        return Outline(types, values, self.required | other.required, members, self.exact and other.exact)


class Outlines:
    """The outlines of schemas, and what follows from them.

    Args:
        spend: Called for each step; may raise to end the search.
    """

    def __init__(self, spend: Spend) -> None:
        self._spend = spend
        self._known: dict[Node, Outline] = {}
        self._excluding: dict[tuple[Literal, Literal], bool] = {}

    def excludes(self, one: Literal, other: Literal) -> bool:
        """Whether it shows that no value satisfies both."""
        pair = one, other
        known = self._excluding.get(pair)
        if known is None:
            self._spend(1)
            self._excluding[pair] = False  # where the answer is asked for inside of it
            known = self._excluding[pair] = self._is_never(one) or self._is_never(other) or self._excludes(one, other)
        return known

    def implies(self, one: Literal, other: Literal) -> bool:
        """Whether it shows that what satisfies the one satisfies the other."""
        return self.excludes(one, opposite(other))

    def outline(self, node: Node) -> Outline:
        """Return the outline of a schema."""
        known = self._known.get(node)
        if known is None:
            self._known[node] = Outline()  # where it refers to itself
            known = self._known[node] = self._outline(node)
        return known

    def _is_never(self, literal: Literal) -> bool:
        outline = self.outline(literal.node)
        if literal.holds:
            return not outline.types
        return outline.exact and outline.types == _EVERY and outline.values is None

    def _excludes(self, one: Literal, other: Literal) -> bool:
        if one.holds is other.holds:
            return one.holds and self._are_disjoint(self.outline(one.node), self.outline(other.node))
        held, failed = (one.node, other.node) if one.holds else (other.node, one.node)
        return held is failed or _is_within(self.outline(held), self.outline(failed))

    def _are_disjoint(self, one: Outline, other: Outline) -> bool:
        types = one.types & other.types
        if one.values is not None and other.values is not None and not one.values.keys() & other.values.keys():
            return True
        if not types <= {"object"}:
            return False
        return not types or any(
            self.excludes(Literal(first, holds=True), Literal(second, holds=True))
            for name in one.members.keys() & other.members.keys() & (one.required | other.required)
            for first in one.members[name]
            for second in other.members[name]
        )

    def _outline(self, node: Node) -> Outline:
        schema = node.schema
        if not isinstance(schema, Mapping):
            return Outline(exact=True) if schema else Outline(frozenset(), exact=True)
        if "$ref" in schema and node.dialect == DRAFT_7:
            return self.outline(node.target(schema["$ref"]))
        self._spend(1 + len(schema.get("properties", ())) // 16 + len(schema.get("enum", ())) // 16)
        outline = _own(node, schema)
        for each in schema.get("allOf", ()):
            outline &= self.outline(node.inner(each))
        return outline


def _own(node: Node, schema: Mapping[str, Any]) -> Outline:
    """Return the outline of a schema by its own keywords."""
    names = schema.get("type", TYPES)
    names = [names] if isinstance(names, str) else names
    types = frozenset("number" if name == "integer" else name for name in names)
    exact = schema.keys() <= {"type", "const", "enum", "allOf"} and ("integer" not in names or "number" in names)
    members = {name: (node.inner(each),) for name, each in schema.get("properties", {}).items()}
    outline = Outline(types, None, frozenset(schema.get("required", ())), members, exact)
    listed = [schema["enum"]] if "enum" in schema else []
    for values in (*listed, *([[schema["const"]]] if "const" in schema else [])):
        outline &= Outline(values={identity(value): type_of(value) for value in values}, exact=True)
    return outline


def _is_within(held: Outline, wide: Outline) -> bool:
    if not wide.exact or not held.types <= wide.types:
        return False
    return wide.values is None or (held.values is not None and held.values.keys() <= wide.values.keys())

"""What ``unevaluatedProperties`` and ``unevaluatedItems`` say, as a formula.

They speak of what no other keyword has looked at, here and in every schema beside them that holds. Which of those hold
is a choice where a value may satisfy them or not, so the formula has a branch for each way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from jobarium_events.evolution.containment.atoms import (
    ALWAYS,
    AllOf,
    AnyOf,
    Formula,
    Items,
    Literal,
    Members,
    Others,
    denied,
    present,
)
from jobarium_events.evolution.containment.nodes import Node
from jobarium_events.validation.dialects import DRAFT_2020_12

__all__ = ["unevaluated"]

_MOST_WAYS = 64


class _Unclear(Exception):
    """What was looked at cannot be said, or there are too many ways. It never leaves this module."""


class _Seen(NamedTuple):
    """What has been looked at: members by their names, or the first items; or all of them."""

    names: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    first: int = 0
    all: bool = False

    def __or__(self, other: object) -> _Seen:
        if not isinstance(other, _Seen):
            return NotImplemented
        names, patterns = self.names | other.names, self.patterns | other.patterns
        return _Seen(names, patterns, max(self.first, other.first), self.all or other.all)


class _Either(NamedTuple):
    """Ways of which a value takes one: what it satisfies then, and the schemas that then have looked at it."""

    ways: tuple[tuple[Formula, tuple[Node, ...]], ...]


def unevaluated(node: Node, keyword: str) -> Formula | None:
    """Return what ``unevaluatedProperties`` or ``unevaluatedItems`` says in a schema; None if that cannot be told.

    It says so where all other keywords of the schema hold; where they do not, it does not matter.
    """
    try:
        return _Reading(node, keyword).formula()
    except _Unclear:
        return None


class _Reading:
    def __init__(self, node: Node, keyword: str) -> None:
        if node.depends_on_the_way:
            raise _Unclear
        self.node = node
        self.keyword = keyword
        self.says = Literal(node.inner(node.schema[keyword]), holds=True)  # type: ignore[index]
        self.ways = 0

    def formula(self) -> Formula:
        return self._after(_Seen(), [self.node])

    def _after(self, seen: _Seen, waiting: list[Node | _Either]) -> Formula:
        """Return what is said when some has been seen, and more schemas have looked at the value."""
        waiting = list(waiting)
        choices: list[_Either] = []
        while waiting:
            each = waiting.pop()
            if isinstance(each, Node):
                seen |= self._seen(each)
                waiting += self._beside(each)
            else:
                choices.append(each)
        if seen.all:
            return ALWAYS
        if not choices:
            return self._rest(seen)
        choice, *others = choices
        branches = [(condition, self._after(seen, [*others, *nodes])) for condition, nodes in choice.ways]
        first = branches[0][1]
        if all(branch == first for _, branch in branches):
            return first
        return AnyOf(tuple(AllOf((condition, branch)) for condition, branch in branches))

    def _rest(self, seen: _Seen) -> Formula:
        self.ways += 1
        if self.ways > _MOST_WAYS:
            raise _Unclear
        if self.keyword == "unevaluatedItems":
            return Items(seen.first, None, self.says)
        return Members(Others(seen.names, seen.patterns), self.says)

    def _seen(self, node: Node) -> _Seen:
        """Return what the keywords of one schema look at."""
        schema = node.schema
        if not isinstance(schema, Mapping):
            return _Seen()
        inner = node is not self.node and self.keyword in schema
        if self.keyword == "unevaluatedProperties":
            names, patterns = (frozenset(schema.get(key, ())) for key in ("properties", "patternProperties"))
            return _Seen(names, patterns, all=inner or "additionalProperties" in schema)
        if "contains" in schema:
            # It looks at those items that satisfy it: in 2020-12, and to the validators in 2019-09 as well.
            raise _Unclear
        if node.dialect == DRAFT_2020_12:
            return _Seen(first=len(schema.get("prefixItems", ())), all=inner or "items" in schema)
        items = schema.get("items")
        if isinstance(items, list):
            return _Seen(first=len(items), all=inner or "additionalItems" in schema)
        return _Seen(all=inner or items is not None)

    def _beside(self, node: Node) -> list[Node | _Either]:
        """Return the schemas that look at the same value as this one."""
        schema = node.schema
        if not isinstance(schema, Mapping):
            return []
        found: list[Node | _Either] = [node.inner(each) for each in schema.get("allOf", ())]
        if "$ref" in schema:
            found.append(node.target(schema["$ref"]))
        found += [_whether(node.inner(each)) for each in schema.get("anyOf", ())]
        if "oneOf" in schema:
            branches = [node.inner(each) for each in schema["oneOf"]]
            found.append(_Either(tuple((Literal(each, holds=True), (each,)) for each in branches)))
        if "if" in schema:
            found.append(_conditional(node, schema))
        for name, each in schema.get("dependentSchemas", {}).items():
            found.append(_either(present(node, name), (node.inner(each),), ()))
        return found


def _whether(node: Node) -> _Either:
    return _either(Literal(node, holds=True), (node,), ())


def _conditional(node: Node, schema: Mapping[str, Any]) -> _Either:
    condition = node.inner(schema["if"])
    then, otherwise = (tuple(node.inner(schema[key]) for key in (key,) if key in schema) for key in ("then", "else"))
    return _either(Literal(condition, holds=True), (condition, *then), otherwise)


def _either(condition: Formula, then: tuple[Node, ...], otherwise: tuple[Node, ...]) -> _Either:
    return _Either(((condition, then), (denied(condition), otherwise)))

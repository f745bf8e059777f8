"""What a schema says of a value of one JSON type, as a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from jobarium_events.evolution.containment.atoms import (
    ALWAYS,
    NEVER,
    AllOf,
    Among,
    AnyOf,
    AtLeast,
    AtMost,
    Formatted,
    Formula,
    Items,
    Literal,
    Longest,
    Matching,
    Members,
    Multiple,
    Named,
    Names,
    Opaque,
    Others,
    Patterned,
    Shortest,
    Times,
    Unique,
    denied,
    opposite,
    present,
)
from jobarium_events.evolution.containment.evaluating import unevaluated
from jobarium_events.evolution.containment.nodes import Node
from jobarium_events.validation.dialects import DRAFT_7, DRAFT_2019_09, DRAFT_2020_12

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.found import Spend

__all__ = ["TYPES", "Formulas", "formula", "fraction", "type_of"]

TYPES = ("null", "boolean", "number", "string", "array", "object")
"""The JSON types; an integer is a number that is a multiple of 1."""


def formula(literal: Literal, kind: str) -> Formula:
    """Return what a literal says of a value of one JSON type."""
    positive = _says(literal.node, kind)
    if literal.holds:
        return positive
    negative = denied(positive)
    return replace(negative, denies=opposite(literal)) if isinstance(negative, AnyOf) else negative


class Formulas:
    """What literals say of values of one JSON type, each read once.

    Args:
        kind: The type.
        spend: Called for each step; may raise to end the search.
    """

    def __init__(self, kind: str, spend: Spend) -> None:
        self._kind = kind
        self._spend = spend
        self._known: dict[bool, dict[Node, Formula]] = {True: {}, False: {}}

    def of(self, literal: Literal) -> Formula:
        """Return what a literal says."""
        known = self._known[literal.holds].get(literal.node)
        if known is None:
            self._spend(1)
            known = self._known[literal.holds][literal.node] = formula(literal, self._kind)
        return known


def type_of(value: Any) -> str:
    """Return the JSON type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def fraction(number: float) -> Fraction:
    """Return exactly the number that is written in JSON."""
    return Fraction(number) if isinstance(number, int) else Fraction(Decimal(repr(number)))


def _says(node: Node, kind: str) -> Formula:
    schema = node.schema
    if not isinstance(schema, Mapping):
        return ALWAYS if schema else NEVER
    if "$ref" in schema and node.dialect == DRAFT_7:
        return _reference(node, schema["$ref"])
    parts: list[Formula] = []
    for keyword in schema:
        if (keyword, node.dialect) in _INTRICATE:
            if _INTRICATE[keyword, node.dialect] in (None, kind):
                said = unevaluated(node, keyword) if keyword in _UNEVALUATED else None
                parts.append(said or Opaque(keyword, node, holds=True))
            continue
        reader = _READERS.get(keyword)
        if reader is not None and (reader.kind is None or reader.kind == kind):
            parts.append(reader.read(node, schema, kind))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _reference(node: Node, reference: str) -> Formula:
    return Literal(node.target(reference), holds=True)


def _holds(node: Node, schema: Any) -> Literal:
    return Literal(node.inner(schema), holds=True)


def _fails(node: Node, schema: Any) -> Literal:
    return Literal(node.inner(schema), holds=False)


_Schema = Mapping[str, Any]


# ---- keywords about a value of any type


def _type(_: Node, schema: _Schema, kind: str) -> Formula:
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if kind in names:
        return ALWAYS
    return Multiple(Fraction(1), holds=True) if kind == "number" and "integer" in names else NEVER


def _const(node: Node, schema: _Schema, kind: str) -> Formula:
    return _one_of(node, [schema["const"]], kind)


def _enum(node: Node, schema: _Schema, kind: str) -> Formula:
    return _one_of(node, schema["enum"], kind)


def _one_of(node: Node, values: Iterable[Any], kind: str) -> Formula:
    values = [value for value in values if type_of(value) == kind]
    match kind:
        case "null":
            return ALWAYS if values else NEVER
        case "array":
            return AnyOf(tuple(_equals_list(node, value) for value in values))
        case "object":
            return AnyOf(tuple(_equals_object(node, value) for value in values))
        case "number":
            return Among(frozenset(map(fraction, values)), holds=True)
        case _:
            return Among(frozenset(values), holds=True)


def _equals_list(node: Node, value: list[Any]) -> Formula:
    items = (Items(i, i + 1, _equal(node, item)) for i, item in enumerate(value))
    return AllOf((Shortest(len(value)), Longest(len(value)), *items))


def _equals_object(node: Node, value: _Schema) -> Formula:
    members = (Members(Named(name), _equal(node, item)) for name, item in value.items())
    return AllOf((_only(node, value), *(present(node, name) for name in value), *members))


def _equal(node: Node, value: Any) -> Literal:
    return Literal(node.plain({"const": value}), holds=True)


def _only(node: Node, names: Iterable[str]) -> Formula:
    return Members(Others(frozenset(names), frozenset()), Literal(node.plain(schema=False), holds=True))


def _lacks(node: Node, name: str) -> Formula:
    return denied(present(node, name))


def _all_of(node: Node, schema: _Schema, _: str) -> Formula:
    return AllOf(tuple(_holds(node, each) for each in schema["allOf"]))


def _any_of(node: Node, schema: _Schema, _: str) -> Formula:
    return AnyOf(tuple(_holds(node, each) for each in schema["anyOf"]))


def _one_of_schemas(node: Node, schema: _Schema, _: str) -> Formula:
    holds, fails = [_holds(node, each) for each in schema["oneOf"]], [_fails(node, each) for each in schema["oneOf"]]
    return AnyOf(tuple(AllOf((one, *fails[:i], *fails[i + 1 :])) for i, one in enumerate(holds)))


def _not(node: Node, schema: _Schema, _: str) -> Formula:
    return _fails(node, schema["not"])


def _if(node: Node, schema: _Schema, _: str) -> Formula:
    condition = schema["if"]
    parts = []
    if "then" in schema:
        parts.append(AnyOf((_fails(node, condition), _holds(node, schema["then"]))))
    if "else" in schema:
        parts.append(AnyOf((_holds(node, condition), _holds(node, schema["else"]))))
    return AllOf(tuple(parts))


def _ref(node: Node, schema: _Schema, _: str) -> Formula:
    return _reference(node, schema["$ref"])


# ---- keywords about one type


def _at_least(keyword: str, *, strict: bool) -> _Read:
    return lambda _, schema, __: AtLeast(fraction(schema[keyword]), strict)


def _at_most(keyword: str, *, strict: bool) -> _Read:
    return lambda _, schema, __: AtMost(fraction(schema[keyword]), strict)


def _multiple_of(_: Node, schema: _Schema, __: str) -> Formula:
    return Multiple(fraction(schema["multipleOf"]), holds=True)


def _shortest(keyword: str) -> _Read:
    return lambda _, schema, __: Shortest(int(schema[keyword]))


def _longest(keyword: str) -> _Read:
    return lambda _, schema, __: Longest(int(schema[keyword]))


def _pattern(_: Node, schema: _Schema, __: str) -> Formula:
    return Patterned(schema["pattern"], holds=True)


def _format(_: Node, schema: _Schema, __: str) -> Formula:
    return Formatted(schema["format"], holds=True)


def _items(node: Node, schema: _Schema, _: str) -> Formula:
    items = schema["items"]
    if isinstance(items, list):
        return AllOf(tuple(Items(i, i + 1, _holds(node, each)) for i, each in enumerate(items)))
    first = len(schema.get("prefixItems", ())) if node.dialect == DRAFT_2020_12 else 0
    return Items(first, None, _holds(node, items))


def _prefix_items(node: Node, schema: _Schema, _: str) -> Formula:
    if node.dialect != DRAFT_2020_12:
        return ALWAYS
    return AllOf(tuple(Items(i, i + 1, _holds(node, each)) for i, each in enumerate(schema["prefixItems"])))


def _additional_items(node: Node, schema: _Schema, _: str) -> Formula:
    items = schema.get("items")
    if node.dialect == DRAFT_2020_12 or not isinstance(items, list):
        return ALWAYS
    return Items(len(items), None, _holds(node, schema["additionalItems"]))


def _contains(node: Node, schema: _Schema, _: str) -> Formula:
    inner = node.inner(schema["contains"])
    if node.dialect == DRAFT_7:
        return Times(inner, 1, least=True)
    parts: list[Formula] = [Times(inner, int(schema.get("minContains", 1)), least=True)]
    if "maxContains" in schema:
        parts.append(Times(inner, int(schema["maxContains"]), least=False))
    return AllOf(tuple(parts))


def _unique_items(_: Node, schema: _Schema, __: str) -> Formula:
    return Unique(holds=True) if schema["uniqueItems"] else ALWAYS


def _properties(node: Node, schema: _Schema, _: str) -> Formula:
    return AllOf(tuple(Members(Named(name), _holds(node, each)) for name, each in schema["properties"].items()))


def _pattern_properties(node: Node, schema: _Schema, _: str) -> Formula:
    each = schema["patternProperties"].items()
    return AllOf(tuple(Members(Matching(pattern), _holds(node, inner)) for pattern, inner in each))


def _additional_properties(node: Node, schema: _Schema, _: str) -> Formula:
    others = Others(frozenset(schema.get("properties", ())), frozenset(schema.get("patternProperties", ())))
    return Members(others, _holds(node, schema["additionalProperties"]))


def _property_names(node: Node, schema: _Schema, _: str) -> Formula:
    return Names(node.inner(schema["propertyNames"]))


def _required(node: Node, schema: _Schema, _: str) -> Formula:
    return AllOf(tuple(present(node, name) for name in schema["required"]))


def _dependencies(node: Node, schema: _Schema, _: str) -> Formula:
    return _if_there(node, schema["dependencies"]) if node.dialect == DRAFT_7 else ALWAYS


def _dependent(keyword: str) -> _Read:
    def read(node: Node, schema: _Schema, _: str) -> Formula:
        return ALWAYS if node.dialect == DRAFT_7 else _if_there(node, schema[keyword])

    return read


def _if_there(node: Node, needs: _Schema) -> Formula:
    parts = []
    for name, need in needs.items():
        then = AllOf(tuple(present(node, each) for each in need)) if isinstance(need, list) else _holds(node, need)
        parts.append(AnyOf((_lacks(node, name), then)))
    return AllOf(tuple(parts))


_Read = Callable[[Node, _Schema, str], Formula]


class _Reader:
    def __init__(self, read: _Read, kind: str | None = None) -> None:
        self.read = read
        self.kind = kind


_READERS: dict[str, _Reader] = {
    "type": _Reader(_type),
    "const": _Reader(_const),
    "enum": _Reader(_enum),
    "allOf": _Reader(_all_of),
    "anyOf": _Reader(_any_of),
    "oneOf": _Reader(_one_of_schemas),
    "not": _Reader(_not),
    "if": _Reader(_if),
    "$ref": _Reader(_ref),
    "minimum": _Reader(_at_least("minimum", strict=False), "number"),
    "exclusiveMinimum": _Reader(_at_least("exclusiveMinimum", strict=True), "number"),
    "maximum": _Reader(_at_most("maximum", strict=False), "number"),
    "exclusiveMaximum": _Reader(_at_most("exclusiveMaximum", strict=True), "number"),
    "multipleOf": _Reader(_multiple_of, "number"),
    "minLength": _Reader(_shortest("minLength"), "string"),
    "maxLength": _Reader(_longest("maxLength"), "string"),
    "pattern": _Reader(_pattern, "string"),
    "format": _Reader(_format, "string"),
    "items": _Reader(_items, "array"),
    "prefixItems": _Reader(_prefix_items, "array"),
    "additionalItems": _Reader(_additional_items, "array"),
    "minItems": _Reader(_shortest("minItems"), "array"),
    "maxItems": _Reader(_longest("maxItems"), "array"),
    "contains": _Reader(_contains, "array"),
    "uniqueItems": _Reader(_unique_items, "array"),
    "properties": _Reader(_properties, "object"),
    "patternProperties": _Reader(_pattern_properties, "object"),
    "additionalProperties": _Reader(_additional_properties, "object"),
    "propertyNames": _Reader(_property_names, "object"),
    "required": _Reader(_required, "object"),
    "minProperties": _Reader(_shortest("minProperties"), "object"),
    "maxProperties": _Reader(_longest("maxProperties"), "object"),
    "dependencies": _Reader(_dependencies, "object"),
    "dependentRequired": _Reader(_dependent("dependentRequired"), "object"),
    "dependentSchemas": _Reader(_dependent("dependentSchemas"), "object"),
}
# Keywords whose meaning depends on what other keywords, or references before them, have already seen.
_UNEVALUATED = frozenset(("unevaluatedItems", "unevaluatedProperties"))
_INTRICATE: dict[tuple[str, str], str | None] = {
    ("unevaluatedItems", DRAFT_2019_09): "array",
    ("unevaluatedItems", DRAFT_2020_12): "array",
    ("unevaluatedProperties", DRAFT_2019_09): "object",
    ("unevaluatedProperties", DRAFT_2020_12): "object",
    ("$recursiveRef", DRAFT_2019_09): None,
    ("$dynamicRef", DRAFT_2020_12): None,
}

"""The JSON Schema dialects that are understood, and how to walk a schema of any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jobarium_events.errors import SchemaError

__all__ = [
    "ASSERTING",
    "ASSERTIONS",
    "COMPOSING",
    "DRAFT_7",
    "DRAFT_2019_09",
    "DRAFT_2020_12",
    "Schema",
    "children",
    "dialect_of",
    "escape",
    "rebuilt",
]

Schema = Mapping[str, Any] | bool

DRAFT_7 = "draft-07"
DRAFT_2019_09 = "2019-09"
DRAFT_2020_12 = "2020-12"

_BY_URI = {
    "http://json-schema.org/draft-07/schema": DRAFT_7,
    "https://json-schema.org/draft/2019-09/schema": DRAFT_2019_09,
    "https://json-schema.org/draft/2020-12/schema": DRAFT_2020_12,
}

# Where subschemas stand, by the form of the keyword's value. `items` and `dependencies` have two forms each.
_ONE = frozenset(
    "additionalItems additionalProperties contains contentSchema else if items not propertyNames then "
    "unevaluatedItems unevaluatedProperties".split()
)
_LIST = frozenset("allOf anyOf items oneOf prefixItems".split())
_MAP = frozenset("$defs definitions dependencies dependentSchemas patternProperties properties".split())

ASSERTIONS: dict[str, frozenset[str]] = {
    "number": frozenset("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split()),
    "string": frozenset("minLength maxLength pattern".split()),
    "array": frozenset(
        "items additionalItems prefixItems minItems maxItems uniqueItems contains minContains maxContains "
        "unevaluatedItems".split()
    ),
    "object": frozenset(
        "properties patternProperties additionalProperties propertyNames required minProperties maxProperties "
        "dependencies dependentRequired dependentSchemas unevaluatedProperties".split()
    ),
}
"""The keywords that assert something about a value, by the type that they speak of; all dialects together."""

COMPOSING = frozenset("allOf anyOf oneOf not if then else $ref const enum".split())
"""The keywords that assert something about a value of any type."""

ASSERTING = COMPOSING.union({"type", "format"}, *ASSERTIONS.values())
"""Every keyword that can make a value invalid."""


def dialect_of(schema: Schema) -> str:
    """Return the dialect that ``$schema`` names; draft-07 where it names none.

    Raises:
        SchemaError: If it names a dialect that is not understood.
    """
    uri = schema.get("$schema") if isinstance(schema, Mapping) else None
    if uri is None:
        return DRAFT_7
    dialect = _BY_URI.get(uri.rstrip("#")) if isinstance(uri, str) else None
    if dialect is None:
        raise SchemaError(f"$schema {uri!r} is not understood; use one of {', '.join(_BY_URI)}", "/$schema")
    return dialect


def escape(token: str | int) -> str:
    """Return one token of a JSON Pointer, escaped (RFC 6901)."""
    return str(token).replace("~", "~0").replace("/", "~1")


def children(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield each direct subschema with its JSON Pointer relative to `schema`."""
    if not isinstance(schema, Mapping):
        return
    for keyword, value in schema.items():
        if keyword in _MAP and isinstance(value, Mapping):
            yield from (
                (f"/{escape(keyword)}/{escape(name)}", inner)
                for name, inner in value.items()
                if isinstance(inner, Mapping | bool)
            )
        elif keyword in _LIST and isinstance(value, list):
            yield from ((f"/{escape(keyword)}/{i}", inner) for i, inner in enumerate(value))
        elif keyword in _ONE and isinstance(value, Mapping | bool):
            yield f"/{escape(keyword)}", value


def rebuilt(schema: Schema, change: Callable[[Schema, str], Schema]) -> Schema:
    """Return a copy of `schema` in which `change(subschema, keyword)` stands for each direct subschema."""
    if not isinstance(schema, Mapping):
        return schema
    copy: dict[str, Any] = dict(schema)
    for keyword, value in schema.items():
        if keyword in _MAP and isinstance(value, Mapping):
            copy[keyword] = {
                name: change(inner, keyword) if isinstance(inner, Mapping | bool) else inner
                for name, inner in value.items()
            }
        elif keyword in _LIST and isinstance(value, list):
            copy[keyword] = [change(inner, keyword) for inner in value]
        elif keyword in _ONE and isinstance(value, Mapping | bool):
            copy[keyword] = change(value, keyword)
    return copy

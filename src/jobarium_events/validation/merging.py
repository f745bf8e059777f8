"""Several schemas of one value as a single schema, where that can be said exactly."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from jobarium_events.validation.dialects import ASSERTING, Schema
from jobarium_events.validation.references import lookup

__all__ = ["Unmergeable", "merged"]

_ANNOTATIONS = frozenset(("title", "description"))
_TIGHTEST = {
    "minimum": max, "exclusiveMinimum": max, "minLength": max, "minItems": max, "minProperties": max,
    "maximum": min, "exclusiveMaximum": min, "maxLength": min, "maxItems": min, "maxProperties": min,
}  # fmt: skip

# Keywords that speak of what another keyword beside them left over, so that they cannot move to another schema.
_BOUND = frozenset(
    "additionalItems prefixItems contains minContains maxContains unevaluatedItems unevaluatedProperties if then else "
    "propertyNames not".split()
)


class Unmergeable(Exception):
    """The schemas cannot be said as one. Never seen outside: it only steers the reading."""


def merged(root: Schema, schema: Mapping[str, Any], *, ref_stands_alone: bool, depth: int = 0) -> dict[str, Any]:
    """Return `schema` with its ``$ref`` and ``allOf`` merged into one schema that means the same.

    Raises:
        Unmergeable: If they cannot be.
    """
    if depth > 32:  # noqa: PLR2004 - deep enough for any schema that a person wrote
        raise Unmergeable
    schemas: list[Mapping[str, Any]] = []
    if "$ref" in schema:
        target = lookup(root, schema["$ref"])
        schemas.append(_object(target))
        if ref_stands_alone:
            schema = {}
    schemas.extend(_object(part) for part in schema.get("allOf", ()))
    rest = {
        key: value
        for key, value in schema.items()
        if key not in ("$ref", "allOf") and (key in ASSERTING or key in _ANNOTATIONS)
    }
    return reduce(
        _both, (merged(root, part, ref_stands_alone=ref_stands_alone, depth=depth + 1) for part in schemas), rest
    )


def _object(schema: Schema) -> Mapping[str, Any]:
    if schema is True:
        return {}
    if not isinstance(schema, Mapping):
        raise Unmergeable
    return schema


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    if one and other and (_BOUND.intersection(one) or _BOUND.intersection(other)):
        raise Unmergeable
    _settle_additional(one, other)
    result = dict(one)
    for keyword, value in other.items():
        if keyword in _ANNOTATIONS or keyword not in result or _same(result[keyword], value):
            result.setdefault(keyword, value)
        elif keyword in _TIGHTEST:
            result[keyword] = _TIGHTEST[keyword](result[keyword], value)
        elif (
            keyword == "enum" and _are_names(result[keyword]) and (common := [v for v in result[keyword] if v in value])
        ):
            result[keyword] = common
        elif keyword == "required":
            result[keyword] = list(dict.fromkeys([*result[keyword], *value]))
        elif keyword == "properties":
            mine = result[keyword]
            result[keyword] = {
                **mine,
                **{name: _property(mine[name], inner) if name in mine else inner for name, inner in value.items()},
            }
        elif keyword == "additionalProperties" and True in (result[keyword], value):
            result[keyword] = value if result[keyword] is True else result[keyword]
        else:
            raise Unmergeable
    return result


def _are_names(values: list[Any]) -> bool:
    return all(isinstance(value, str | None) for value in values)


def _same(one: object, other: object) -> bool:
    return repr(one) == repr(other)  # to Python, but not to JSON, 1 is True


def _property(one: Schema, other: Schema) -> Schema:
    if one is True or _same(one, other):
        return other
    return one if other is True else {"allOf": [one, other]}


def _settle_additional(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Refuse where one side says something of additional fields that the other side names."""
    for mine, theirs in ((one, other), (other, one)):
        if mine.get("additionalProperties", True) is not True:
            unseen = set(theirs.get("properties", ())) - set(mine.get("properties", ()))
            if unseen or "patternProperties" in mine or "patternProperties" in theirs:
                raise Unmergeable

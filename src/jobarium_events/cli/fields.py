"""The fields of a payload, as its schema describes them, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jobarium_events.validation.references import lookup

__all__ = ["FieldRow", "fields_of"]

_LIMITS = {
    "minimum": ">= {}",
    "exclusiveMinimum": "> {}",
    "maximum": "<= {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


class FieldRow(NamedTuple):
    """One field.

    Attributes:
        name: Its name; within an object or a list, after the names around it: ``items[].sku``.
        type: Its JSON type.
        required: Whether it must be there.
        format: Its format and its limits.
        meaning: Its description, pattern, unit and possible values.
        values: The values that it may have, if they are listed.
    """

    name: str
    type: str
    required: bool
    format: str
    meaning: str
    values: tuple[Any, ...] | None

    def as_json(self) -> dict[str, Any]:
        """Return the field as a JSON document."""
        return self._asdict()


def fields_of(schema: Mapping[str, Any]) -> list[FieldRow]:
    """Return the fields of a payload's schema, each followed by the fields within it."""
    return list(_fields(schema, schema, "", ()))


def _fields(
    root: Mapping[str, Any], schema: Mapping[str, Any], before: str, around: tuple[int, ...]
) -> Iterator[FieldRow]:
    if id(schema) in around:
        return  # the schema is recursive here, and its fields stand further up
    around = (*around, id(schema))
    for name, given in schema.get("properties", {}).items():
        inner = _resolved(root, given)
        listed = inner.get("enum", [inner["const"]] if "const" in inner else None)
        yield FieldRow(
            name=f"{before}{name}",
            type=_type(root, inner),
            required=name in schema.get("required", ()),
            format=", ".join(_formats(inner)),
            meaning=" ".join(_meaning(inner, listed)),
            values=None if listed is None else tuple(listed),
        )
        item, suffix = inner, "."
        while item.get("type") == "array":
            item, suffix = _resolved(root, item.get("items", {})), f"[]{suffix}"
        yield from _fields(root, item, f"{before}{name}{suffix}", around)


def _resolved(root: Mapping[str, Any], schema: Any) -> Mapping[str, Any]:
    """Return a schema without the references that it begins with; ``{}`` if there is nothing to say of it."""
    for _ in range(32):  # a chain of references may lead back to itself
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return schema
        schema = lookup(root, reference)
    return {}


def _type(root: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    types = schema.get("type")
    if isinstance(types, list):
        return " or ".join(types)
    if types == "array":
        return f"array of {_type(root, _resolved(root, schema.get('items', {})))}"
    if types is not None:
        return str(types)
    if "oneOf" in schema or "anyOf" in schema:
        return "one of several"
    return "any"


def _formats(schema: Mapping[str, Any]) -> Iterator[str]:
    if "format" in schema:
        yield schema["format"]
    for keyword, text in _LIMITS.items():
        if keyword in schema:
            yield text.format(schema[keyword])


def _meaning(schema: Mapping[str, Any], listed: list[Any] | None) -> Iterator[str]:
    description = schema.get("description") or schema.get("title")
    if description:
        yield description
    if "x-unit" in schema:
        yield f"Unit: {schema['x-unit']}."
    if "pattern" in schema:
        yield f"Pattern: {schema['pattern']}"
    if listed is not None:
        yield f"One of: {', '.join(map(str, listed))}."

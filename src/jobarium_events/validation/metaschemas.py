"""Whether a schema is a valid schema: JSON, and by the metaschema of its dialect."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.errors import SchemaError
from jobarium_events.validation.dialects import DRAFT_7, DRAFT_2019_09, DRAFT_2020_12, Schema, dialect_of, escape
from jobarium_events.validation.documents import encodable, too_deep
from jobarium_events.validation.preparing import Prepared
from jobarium_events.validation.references import specifications, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SchemaMistake", "check_schema"]

_DEEPEST = 64
_LONGEST = 160
# Keywords of other dialects, which a metaschema has no word for: references may lead into them all the same, and the
# closed form counts the names that they declare. Each is checked as a keyword of the same form.
_FOREIGN = {
    DRAFT_7: {
        "$defs": "definitions",
        "contentSchema": "not",
        "dependentSchemas": "definitions",
        "prefixItems": "allOf",
        "unevaluatedItems": "not",
        "unevaluatedProperties": "not",
    },
    DRAFT_2019_09: {"prefixItems": "allOf"},
    DRAFT_2020_12: {"additionalItems": "not"},
}


class SchemaMistake(msgspec.Struct, frozen=True):
    """One place where a schema is not valid.

    Attributes:
        pointer: JSON Pointer into the schema.
        explanation: What is wrong there.
    """

    pointer: str
    explanation: str


def check_schema(schema: Any) -> list[SchemaMistake]:
    """Return what is wrong with a schema; nothing if it is valid."""
    if not isinstance(schema, dict | bool):
        return [SchemaMistake("", "a schema is an object or a boolean")]
    if too_deep(schema, _DEEPEST):
        return [SchemaMistake("", f"it is nested more than {_DEEPEST} levels deep")]
    if (pointer := _no_json(schema)) is not None:
        return [SchemaMistake(pointer, "it is no JSON: only what a JSON text can say makes a schema")]
    try:
        dialect = dialect_of(schema)
    except SchemaError as error:
        return [SchemaMistake(error.pointer, error.problem)]
    return [*_by_metaschema(schema, dialect), *_foreign(schema, dialect), *_patterns(schema)]


def _by_metaschema(schema: Schema, dialect: str) -> Iterator[SchemaMistake]:
    if dialect == DRAFT_7 and _draft_7().accepts(schema):
        return
    for error in _exact(dialect).iter_errors(schema):
        yield SchemaMistake("".join(f"/{escape(token)}" for token in error.absolute_path), error.message[:_LONGEST])


def _foreign(schema: Schema, dialect: str) -> Iterator[SchemaMistake]:
    """Yield what is wrong within the keywords of other dialects."""
    for pointer, inner in walk(schema):
        if not isinstance(inner, dict):
            continue
        for keyword, alike in _FOREIGN[dialect].items():
            if keyword in inner:
                for mistake in _by_metaschema({alike: inner[keyword]}, dialect):
                    place = mistake.pointer.removeprefix(f"/{alike}")
                    yield SchemaMistake(f"{pointer}/{keyword}{place}", mistake.explanation)


def _patterns(schema: Schema) -> list[SchemaMistake]:
    """Return the patterns that are no regular expressions."""
    stated = []
    for pointer, inner in walk(schema):
        if isinstance(inner, dict):
            by_name = inner.get("patternProperties")
            by_name = by_name if isinstance(by_name, dict) else ()
            stated += [(pattern, f"{pointer}/patternProperties/{escape(pattern)}") for pattern in by_name]
            if isinstance(inner.get("pattern"), str):
                stated.append((inner["pattern"], f"{pointer}/pattern"))
    if not stated:
        return []
    from jobarium_events.validation.patterns import translate  # noqa: PLC0415 - not light, and not always needed

    mistakes = []
    for pattern, place in stated:
        try:
            translate(pattern)
        except SchemaError as error:
            mistakes.append(SchemaMistake(place, error.problem))
    return mistakes


def _no_json(value: Any, pointer: str = "") -> str | None:
    """Return a pointer to what a JSON text could not say, or None."""
    match value:
        case bool() | int() | None:
            return None
        case float():
            return None if math.isfinite(value) else pointer
        case str():
            return None if encodable(value) else pointer
        case list():
            items: Any = enumerate(value)
        case dict():
            if not all(isinstance(name, str) and encodable(name) for name in value):
                return pointer
            items = value.items()
        case _:
            return pointer
    found = (_no_json(inner, f"{pointer}/{escape(name)}") for name, inner in items)
    return next((place for place in found if place is not None), None)


@cache
def _draft_7() -> Any:
    from jobarium_events.validation.engines.fastjsonschema import FastJsonSchema  # noqa: PLC0415 - slow to import

    metaschema: Mapping[str, Any] = specifications().contents("http://json-schema.org/draft-07/schema#")
    return FastJsonSchema(Prepared(metaschema, DRAFT_7, simple=True), lambda _: [])


@cache
def _exact(dialect: str) -> Any:
    from jobarium_events.validation.engines.jsonschema import validator_class  # noqa: PLC0415 - slow to import

    validator = validator_class(dialect)
    return validator(validator.META_SCHEMA)

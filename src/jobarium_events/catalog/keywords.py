"""The keywords that this library adds to JSON Schema, which no metaschema has a word for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobarium_events.validation.dialects import escape
from jobarium_events.validation.references import walk

if TYPE_CHECKING:
    from jobarium_events.validation.dialects import Schema

__all__ = ["misused_keywords"]


def misused_keywords(schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield the JSON Pointer to each ``x-`` keyword of this library that says nothing, with what is wrong there."""
    for pointer, inner in walk(schema):
        if not isinstance(inner, Mapping):
            continue
        for keyword, mistakes in _KEYWORDS.items():
            if keyword in inner:
                yield from ((f"{pointer}/{keyword}{place}", text) for place, text in mistakes(inner[keyword]))


def _values(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list):
        yield "", 'lists no values; write them as a list, such as ["web", "app"]'


def _meanings(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        yield "", 'gives no value its meaning; write an object, such as {"web": "In the shop\'s pages."}'
        return
    for name, meaning in value.items():
        if not isinstance(meaning, str):
            yield f"/{escape(name)}", "is no text; write what the value means"


def _unit(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str):
        yield "", 'is no text; write the name of a unit, such as "kg"'


_KEYWORDS: Mapping[str, Callable[[Any], Iterator[tuple[str, str]]]] = {
    "x-extensible-enum": _values,
    "x-enum-meanings": _meanings,
    "x-unit": _unit,
}

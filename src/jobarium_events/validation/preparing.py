"""A schema made ready for the engines: without what some of them would check and others not, patterns translated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from jobarium_events.validation import formats
from jobarium_events.validation.dialects import Schema, rebuilt

__all__ = ["Prepared"]

_UNCHECKED = ("contentEncoding", "contentMediaType", "contentSchema")


class Prepared:
    """A schema in the forms that the engines take.

    Attributes:
        dialect: Its dialect.
        schema: The schema without the formats and the ``content...`` keywords that are annotations.
        simple: Whether every reference is a pointer into the schema.
        patterns: Each translated pattern's original.
    """

    def __init__(self, schema: Schema, dialect: str, *, simple: bool) -> None:
        self.dialect = dialect
        self.schema = _without_annotations(schema)
        self.simple = simple
        self.patterns: dict[str, str] = {}

    @cached_property
    def python(self) -> Schema:
        """The schema with its patterns in Python's dialect."""
        from jobarium_events.validation.patterns import translate  # noqa: PLC0415 - not light, and not always needed

        def noted(pattern: str) -> str:
            translated = translate(pattern)
            self.patterns[translated] = pattern
            return translated

        return _with_patterns(self.schema, noted)

    @cached_property
    def portable(self) -> Schema:
        """The schema with its patterns as Rust reads them alike."""
        from jobarium_events.validation.patterns import portable  # noqa: PLC0415

        return _with_patterns(self.schema, portable)


def _without_annotations(schema: Schema) -> Schema:
    if not isinstance(schema, Mapping):
        return schema
    copy = dict(rebuilt(schema, lambda inner, _: _without_annotations(inner)))  # type: ignore[arg-type]
    if copy.get("format") not in formats.CHECKS:
        copy.pop("format", None)
    for keyword in _UNCHECKED:
        copy.pop(keyword, None)
    return copy


def _with_patterns(schema: Schema, translated: Callable[[str], str]) -> Schema:
    if not isinstance(schema, Mapping):
        return schema
    copy: dict[str, Any] = dict(rebuilt(schema, lambda inner, _: _with_patterns(inner, translated)))  # type: ignore[arg-type]
    if isinstance(copy.get("pattern"), str):
        copy["pattern"] = translated(copy["pattern"])
    if isinstance(copy.get("patternProperties"), Mapping):
        # Two patterns may have one translation; then both must hold.
        several: dict[str, list[Schema]] = {}
        for pattern, inner in copy["patternProperties"].items():
            several.setdefault(translated(pattern), []).append(inner)
        copy["patternProperties"] = {
            pattern: inner[0] if len(inner) == 1 else {"allOf": inner} for pattern, inner in several.items()
        }
    return copy

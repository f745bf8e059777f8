"""``fastjsonschema``, and what must be done to a schema before it can be trusted with it.

It generates Python code. It serves draft-07 alone: of later dialects it silently ignores keywords. It names a function
by a reference's letters, so that ``#/definitions/A`` and ``#/definitions/a`` are one to it; it takes a ``$ref`` or an
``$id`` in *data* (``enum``, ``const``, ``default``) for one of the schema, and would fetch it; and it divides where a
remainder is asked for. So it gets a copy that has nothing but assertions, its references numbered, and no schema
where that is not enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from fastjsonschema import JsonSchemaDefinitionException, JsonSchemaValueException
from fastjsonschema import compile as compiled

from jobarium_events.errors import SchemaError, Violation
from jobarium_events.validation import formats
from jobarium_events.validation.checking import UNEXPLAINED
from jobarium_events.validation.dialects import ASSERTING, Schema, escape, rebuilt
from jobarium_events.validation.references import lookup

if TYPE_CHECKING:
    from jobarium_events.validation.preparing import Prepared

__all__ = ["FastJsonSchema"]

_NAMING = ("$ref", "$id", "id")


class FastJsonSchema:
    """``fastjsonschema``: draft-07 alone.

    Raises:
        SchemaError: If it cannot be trusted with the schema.
    """

    name = "fastjsonschema"

    def __init__(self, prepared: Prepared, explain: Callable[[Any], list[Violation]]) -> None:
        schema = _Numbering(prepared.python).numbered()
        try:
            # Defaults are not written into the document, and nothing is left to fetch.
            self._validate: Callable[[Any], Any] = compiled(
                cast("dict[str, Any] | bool", schema), handlers={}, formats=dict(formats.CHECKS), use_default=False
            )
        except (JsonSchemaDefinitionException, SyntaxError, RecursionError, re.error) as error:
            raise SchemaError(f"fastjsonschema cannot compile it: {error}") from None
        self._explain = explain
        self._patterns = prepared.patterns

    def accepts(self, document: Any) -> bool:
        """Whether the document is valid."""
        try:
            self._validate(document)
        except JsonSchemaValueException:
            return False
        return True

    def first(self, document: Any) -> Violation | None:
        """The first violation, or None if the document is valid."""
        try:
            self._validate(document)
        except JsonSchemaValueException as error:
            located = _located(document, error, self._patterns)
            return located or next(iter(self._explain(document)), UNEXPLAINED)
        return None


class _Numbering:
    """Copies a schema's assertions, with every target of a reference in ``definitions`` under a number."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.numbers: dict[int, str] = {}
        self.definitions: dict[str, Schema] = {}

    def numbered(self) -> Schema:
        copy = self.copied(self.root)
        return {**copy, "definitions": self.definitions} if isinstance(copy, dict) and self.definitions else copy

    def copied(self, schema: Schema) -> Schema:
        if not isinstance(schema, Mapping):
            return schema
        if "$ref" in schema:
            return {"$ref": self.reference(lookup(self.root, schema["$ref"]))}
        if "multipleOf" in schema or _names(schema.get("const")) or _names(schema.get("enum")):
            raise SchemaError("fastjsonschema is not exact for it")
        asserting = {keyword: value for keyword, value in schema.items() if keyword in ASSERTING}
        return rebuilt(asserting, lambda inner, _: self.copied(inner))

    def reference(self, target: Schema) -> str:
        number = self.numbers.get(id(target))
        if number is None:
            number = self.numbers[id(target)] = str(len(self.numbers))
            self.definitions[number] = self.copied(target)
        return f"#/definitions/{number}"


def _names(value: Any) -> bool:
    """Whether data holds what would be taken for a reference or an identifier."""
    if isinstance(value, dict):
        return any(name in value for name in _NAMING) or any(map(_names, value.values()))
    return isinstance(value, list) and any(map(_names, value))


# The rules whose place and name fastjsonschema gives as jsonschema does.
_TOLD = frozenset(
    "additionalProperties const enum exclusiveMaximum exclusiveMinimum format maxItems maxLength maxProperties maximum "
    "minItems minLength minProperties minimum pattern required type uniqueItems".split()
)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def _located(document: Any, error: Any, patterns: Mapping[str, str]) -> Violation | None:
    """Read the place out of fastjsonschema's name for it; None where the name is ambiguous or says too little."""
    rule, path, place, pointer = error.rule, error.name.removeprefix("data"), document, ""
    if rule not in _TOLD:
        return None
    position = 0
    if path[1:].isidentifier() and isinstance(document, dict) and path[1:] in document:
        # By far the most frequent: a field of the document itself, whose name cannot be read otherwise.
        position, place, pointer = len(path), document[path[1:]], f"/{path[1:]}"
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return None
        position = step.end()
        name, index = step.groups()
        if index is not None:
            if not isinstance(place, list) or int(index) >= len(place):
                return None
            place, pointer = place[int(index)], f"{pointer}/{index}"
        else:
            # A key with a dot or a bracket in it reads like a path of its own.
            if not isinstance(place, dict) or name not in place or any("." in key or "[" in key for key in place):
                return None
            place, pointer = place[name], f"{pointer}/{escape(name)}"
    return _told(place, pointer, rule, error.definition, patterns)


def _told(place: Any, pointer: str, rule: str, schema: Any, patterns: Mapping[str, str]) -> Violation | None:
    if not isinstance(schema, dict) or rule not in schema:
        return None
    limit = schema[rule]
    match rule:
        case "required":
            missing = next((name for name in limit if name not in place), None)
            return None if missing is None else Violation(f"{pointer}/{escape(missing)}", rule)
        case "additionalProperties":
            if "patternProperties" in schema:
                return None
            extra = next((name for name in place if name not in schema.get("properties", ())), None)
            return None if extra is None else Violation(f"{pointer}/{escape(extra)}", rule)
        case "pattern":
            return Violation(pointer, rule, patterns.get(limit, limit))
        case _:
            return Violation(pointer, rule, limit)

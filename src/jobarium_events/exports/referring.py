"""What a parser of AsyncAPI would take for a reference, and what is none: any object with a member ``$ref``.

It looks for references everywhere, whether a schema stands there, a value, or what is known by names. What only
annotates is left out then; what says which values are valid cannot be, so such a schema is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from jobarium_events.exports.errors import ExportRefused
from jobarium_events.validation.dialects import ASSERTING, Schema, children, rebuilt

__all__ = ["holds_references", "without_references"]

# Keywords of AsyncAPI's own dialect. To JSON Schema they are unknown: their values may be anything, and mean nothing.
_OF_ASYNCAPI = frozenset(("discriminator", "externalDocs"))


def holds_references(value: Any) -> bool:
    """Whether something in a value looks like a reference."""
    if isinstance(value, Mapping):
        return "$ref" in value or any(map(holds_references, value.values()))
    return isinstance(value, list) and any(map(holds_references, value))


def without_references(schema: Schema, contract: str) -> Schema:
    """Return a schema in which only references look like some, and whose keywords are what AsyncAPI takes them for.

    Args:
        schema: The schema.
        contract: The contract that it is of, for an error.

    Raises:
        ExportRefused: If a field, or a value that is asked for, looks like a reference.
    """
    if not isinstance(schema, Mapping):
        return schema
    copy = dict(cast("Mapping[str, Any]", rebuilt(schema, lambda inner, _: without_references(inner, contract))))
    steps = [step.split("/")[1:] for step, _ in children(schema)]
    inner = {step[0] for step in steps}
    named = {step[0] for step in steps if len(step) > 1}  # what holds subschemas by names, or in a list
    for keyword, value in schema.items():
        if keyword in _OF_ASYNCAPI or (keyword == "deprecated" and not isinstance(value, bool)):
            del copy[keyword]
        elif keyword in inner:
            if keyword in named and isinstance(value, Mapping) and "$ref" in value:
                raise _refused(contract, keyword)
        elif keyword != "$ref" and holds_references(value):
            if keyword in ASSERTING:
                raise _refused(contract, keyword)
            del copy[keyword]
    return copy


def _refused(contract: str, keyword: str) -> ExportRefused:
    return ExportRefused(
        contract,
        f"names a field $ref, under {keyword}; every parser of AsyncAPI takes that for a reference, so the field needs "
        "another name, in a new version",
    )

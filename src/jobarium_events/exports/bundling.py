"""The schema of a whole event as one document: the envelope around the payload of one contract.

The envelope uses only keywords that mean the same in every dialect, so the whole is of the payload's dialect. What the
payload's schema keeps for references stands at the root of the whole, where the same references lead to it; all other
references are turned to where the payload stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import msgspec

from jobarium_events.catalog import SCHEMAS
from jobarium_events.contract import Lifecycle
from jobarium_events.validation.closing import closed as closed_form
from jobarium_events.validation.dialects import Schema, rebuilt

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobarium_events.contract import Contract

__all__ = ["DEFAULT_DIALECT", "event_schema", "redirected"]

DEFAULT_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The dialect of a schema that names none."""

_PAYLOAD = "#/properties/payload"
# Kept for references at the root of a schema; whichever dialect it is, references may lead there.
_SHELVES = ("definitions", "$defs")
# Said of the whole, and not of a part of it.
_OF_THE_WHOLE = ("$schema", "$id")


def event_schema(contract: Contract, *, closed: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of the events of one contract, as they are on the wire.

    It accepts what a consumer of the library does, if formats are checked; in its closed form it accepts what the
    contract's owner may send. All its references are pointers into itself.

    Args:
        contract: The contract.
        closed: Whether fields that the contract does not name are refused, as a producer refuses them.
    """
    given = contract.schema
    payload = cast("dict[str, Any]", redirected(closed_form(given) if closed else given, _in_payload))
    shelves = {name: payload.pop(name) for name in _SHELVES if name in payload}
    for keyword in _OF_THE_WHOLE:
        payload.pop(keyword, None)
    envelope = _envelope()
    properties = {name: dict(field) for name, field in envelope["properties"].items()}
    for name, value in (
        ("event_name", contract.event),
        ("event_version", contract.version),
        ("producer", contract.owner),
    ):
        said = {key: text for key, text in properties[name].items() if key in ("title", "description", "type")}
        properties[name] = {**said, "const": value}
    whole: dict[str, Any] = {
        "$schema": given.get("$schema", DEFAULT_DIALECT),
        "$id": f"urn:jobarium-events:{contract.event}:{contract.version}{':closed' if closed else ''}",
        "title": contract.class_name,
    }
    if isinstance(given.get("description"), str):
        whole["description"] = given["description"]
    if contract.lifecycle in (Lifecycle.DEPRECATED, Lifecycle.RETIRED):
        whole["deprecated"] = True
    whole |= {"type": "object", "required": envelope["required"], "properties": {**properties, "payload": payload}}
    if closed:
        whole["additionalProperties"] = False
    return {**whole, **shelves}


def redirected(schema: Schema, turn: Callable[[str], str]) -> Schema:
    """Return a schema with each of its references turned to another place; what is no schema in it is left as it is."""
    if not isinstance(schema, Mapping):
        return schema
    copy = dict(cast("Mapping[str, Any]", rebuilt(schema, lambda inner, _: redirected(inner, turn))))
    if isinstance(copy.get("$ref"), str):
        copy["$ref"] = turn(copy["$ref"])
    return copy


def _in_payload(reference: str) -> str:
    """Return where a reference of the payload's schema leads to in the whole."""
    first = unquote(reference[2:].partition("/")[0])
    return reference if first in _SHELVES and reference[2:].partition("/")[1] else _PAYLOAD + reference[1:]


@cache
def _envelope() -> Mapping[str, Any]:
    envelope: Mapping[str, Any] = msgspec.json.decode((SCHEMAS / "envelope.json").read_bytes())
    return envelope

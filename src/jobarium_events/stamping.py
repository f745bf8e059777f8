"""The fields that a producer stamps around a payload."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import UUID

import msgspec
from uuid_utils import uuid7

from jobarium_events.errors import Violation
from jobarium_events.validation.documents import encodable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EnvelopeFields", "InvalidField", "stamps", "trace_of"]

_OPTIONAL = ("tenant_id", "correlation_id", "schema_ref")

_VERSIONS = frozenset(("version", "event_version"))
_DECLARED = "the version of an event is set with Producer(declares=...)"

_encode = msgspec.json.Encoder().encode


class EnvelopeFields(TypedDict, total=False):
    """The fields of the envelope that a caller may set; all others are the producer's to stamp."""

    event_id: UUID | str
    occurred_at: datetime
    trace_id: str
    tenant_id: str
    correlation_id: str
    schema_ref: str


class InvalidField(Exception):  # never leaves the library: it becomes the violations that it carries
    """Fields that were given and are not valid."""

    def __init__(self, violations: list[Violation]) -> None:
        self.violations = violations


def stamps(given: Mapping[str, Any]) -> dict[str, str]:
    """Return event_id, occurred_at, trace_id and the optional fields as text, as given or else made.

    Raises:
        InvalidField: If one that is given is not valid.
        TypeError: If one is given that a caller cannot set.
    """
    unknown = sorted(given.keys() - EnvelopeFields.__annotations__.keys())
    if unknown:
        raise TypeError(_not_to_be_set(unknown))
    violations = [
        Violation(f"/{name}", "type", "string")
        for name, value in given.items()
        if name not in ("event_id", "occurred_at") and not (isinstance(value, str) and encodable(value))
    ]
    event_id = str(given["event_id"]) if "event_id" in given else str(uuid7())
    if "event_id" in given:
        try:
            event_id = str(UUID(event_id))
        except ValueError:
            violations.append(Violation("/event_id", "format", "uuid"))
    occurred_at = given["occurred_at"] if "occurred_at" in given else datetime.now(UTC)
    try:
        if occurred_at.utcoffset() is None:
            raise ValueError  # noqa: TRY301 - as for whatever else is no moment
        occurred_at = occurred_at.astimezone(UTC)
    except (AttributeError, ValueError, OverflowError):
        violations.append(Violation("/occurred_at", "type", "datetime with an offset"))
    if violations:
        raise InvalidField(violations)
    return {
        "event_id": event_id,
        "occurred_at": _encode(occurred_at)[1:-1].decode(),
        "trace_id": given["trace_id"] if "trace_id" in given else trace_of(event_id),
        **{name: given[name] for name in _OPTIONAL if name in given},
    }


def _not_to_be_set(names: list[str]) -> str:
    may = ", ".join(EnvelopeFields.__annotations__)
    fields = "field" if len(names) == 1 else "fields"
    told = f"{', '.join(names)}: no {fields} of the envelope that a caller may set; the fields that may be set: {may}"
    return f"{told}; {_DECLARED}" if _VERSIONS.intersection(names) else told


def trace_of(event_id: str) -> str:
    """Return the id of the running OpenTelemetry trace; without one, an id for a trace that this event begins."""
    telemetry = sys.modules.get("opentelemetry.trace")  # not imported: then no span can be running
    if telemetry is not None:
        span = telemetry.get_current_span().get_span_context()
        if span.is_valid:
            return format(span.trace_id, "032x")
    return event_id.replace("-", "")

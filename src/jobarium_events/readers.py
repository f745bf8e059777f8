"""From the bytes of an event to the event that a handler sees.

A reader has two ways. `fast` reads events that are in order, in one pass where the contract's types are exact; it
raises anything at all where something is wrong. `exact` takes the parsed document, and either returns the event or
raises the rejection that says why not. Whatever `fast` refuses is read again by `exact`, whose word counts.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import msgspec

from jobarium_events.catalog import Entry, envelope_validator
from jobarium_events.documents import in_payload
from jobarium_events.envelope import Event, Replayed
from jobarium_events.errors import InvalidPayload, Malformed, UnexpectedProducer, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jobarium_events.views import View

__all__ = ["ContractReader", "EnvelopeReader", "Reader", "bad_envelope", "envelope_of", "named", "parsed"]


_decode = msgspec.json.Decoder().decode
_BYTE = re.compile(r"\(byte (\d+)\)")


class Reader(Protocol):
    """Reads the events of one contract for one handler."""

    fast: Callable[[bytes], Event[Any]]
    fast_replayed: Callable[[bytes], Event[Any]]

    def exact(self, document: Mapping[str, Any], *, replayed: bool, doubt: Exception | None = None) -> Event[Any]:
        """Return the event, or raise the rejection that says why not; `doubt` is what the fast way raised."""


class ContractReader:
    """Reads the events of one contract into one view."""

    def __init__(self, entry: Entry, view: View) -> None:
        self._entry = entry
        self._view = view
        self.fast = self._fast(Event)
        self.fast_replayed = self._fast(Replayed)

    def _fast(self, base: type[Event[Any]]) -> Callable[[bytes], Event[Any]]:
        contract, view, typed = self._entry.contract, self._view, self._entry.is_typed
        if typed and view.is_contracts:
            return msgspec.json.Decoder(
                _wire_type(base, contract.event, contract.version, contract.owner, view.type)
            ).decode
        decode = msgspec.json.Decoder(
            _wire_type(base, contract.event, contract.version, contract.owner, msgspec.Raw)
        ).decode
        validate = msgspec.json.Decoder(self._entry.payload_type).decode if typed else self._validate
        from_json, place = view.from_json, msgspec.structs.force_setattr

        def fast(raw: bytes) -> Event[Any]:
            event: Event[Any] = decode(raw)
            payload = event.payload
            validate(payload)
            place(event, "payload", from_json(payload))
            return event

        return fast

    def _validate(self, payload: msgspec.Raw) -> None:
        if not self._entry.open.is_valid(_decode(payload)):
            raise ValueError("the payload is not valid")

    def exact(self, document: Mapping[str, Any], *, replayed: bool, doubt: Exception | None = None) -> Event[Any]:
        """Return the event of a document whose name and version are this contract's.

        Raises:
            Malformed: If the envelope is not valid.
            UnexpectedProducer: If its producer does not own the event.
            InvalidPayload: If its payload breaks the contract.
        """
        contract, validator = self._entry.contract, self._entry.open
        envelope = envelope_of(document)
        if envelope.producer != contract.owner:
            raise UnexpectedProducer(contract.event, contract.version, Violation("/producer", "const", contract.owner))
        payload = document["payload"]
        violation = validator.first_violation(payload, _near(doubt))
        if violation is None:
            try:
                return _event(envelope, self._view.from_document(payload), replayed=replayed)
            except msgspec.ValidationError:
                # Valid, but beyond what its Python type can hold: an integer of more than 64 bits.
                violation = Violation("", "range")
        raise InvalidPayload(
            contract.event,
            contract.version,
            in_payload(violation),
            explain=lambda: map(in_payload, validator.violations(payload)),
        )


_MISSING = "Object missing required field `"


def _near(doubt: Exception | None) -> str | None:
    """Return the field of the payload at which the typed engine stumbled, if it says so."""
    if not isinstance(doubt, msgspec.ValidationError):
        return None
    what, _, place = str(doubt).rpartition(" - at `$.payload")
    if place == "`":
        return what.removeprefix(_MISSING)[:-1] if what.startswith(_MISSING) else None
    return place[1:-1].partition(".")[0].partition("[")[0] if what else None


class EnvelopeReader:
    """Reads events of which there is no contract: the payload stays a document, unchecked."""

    def fast(self, raw: bytes) -> Event[Any]:
        """There is nothing that a fast way could leave out."""
        return self.exact(parsed(raw), replayed=False)

    def fast_replayed(self, raw: bytes) -> Event[Any]:
        """As `fast`."""
        return self.exact(parsed(raw), replayed=True)

    def exact(
        self,
        document: Mapping[str, Any],
        *,
        replayed: bool,
        doubt: Exception | None = None,  # noqa: ARG002
    ) -> Event[Any]:
        """Return the event.

        Raises:
            Malformed: If the envelope is not valid, or the payload is no object.
        """
        envelope = envelope_of(document)
        if not isinstance(document["payload"], dict):
            raise bad_envelope(document)
        return _event(envelope, document["payload"], replayed=replayed)


@cache
def _wire_type(base: type[Event[Any]], event: str, version: str, owner: str, payload: Any) -> type[Event[Any]]:
    """Return the class of events of one contract: the decoder itself then refuses another name, version or owner."""
    types = {"event_name": Literal[event], "event_version": Literal[version], "producer": Literal[owner]}
    return cast(
        "type[Event[Any]]",
        msgspec.defstruct(
            base.__name__,
            _fields(payload=payload, **types),
            bases=(base,),
            module=base.__module__,
            frozen=True,
            kw_only=True,
            omit_defaults=True,
            eq=False,
        ),
    )


def _fields(**types: Any) -> list[tuple[str, Any] | tuple[str, Any, Any]]:
    """Return the fields of `Event`, with other types for some; without a payload's, it has no payload."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for each in msgspec.structs.fields(Event):
        kind = types.get(each.name, each.type)
        if each.name != "payload" or "payload" in types:
            fields.append((each.name, kind) if each.required else (each.name, kind, each.default))
    return fields


# The fields around a payload, alone: what the payload holds is another reader's concern.
_ENVELOPE = msgspec.defstruct("Envelope", _fields(), frozen=True, kw_only=True)


def envelope_of(document: Mapping[str, Any]) -> Any:
    """Return the fields around a document's payload.

    Raises:
        Malformed: If they are not valid, or there is no payload.
    """
    try:
        envelope = msgspec.convert(document, _ENVELOPE)
        document["payload"]
    except (msgspec.ValidationError, KeyError):
        raise bad_envelope(document) from None
    return envelope


def _event(envelope: Any, payload: Any, *, replayed: bool) -> Event[Any]:
    return (Replayed if replayed else Event)(**msgspec.structs.asdict(envelope), payload=payload)


def bad_envelope(document: Mapping[str, Any]) -> Malformed:
    """Return the rejection of a document whose envelope is not valid."""
    validator = envelope_validator()
    return Malformed(
        "the envelope is not valid",
        *named(document),
        validator.first_violation(document) or Violation("", "range"),
        explain=lambda: validator.violations(document),
    )


def named(document: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the event's name and version, each None where it is no string."""
    event, version = document.get("event_name"), document.get("event_version")
    return event if isinstance(event, str) else None, version if isinstance(version, str) else None


def parsed(raw: bytes) -> dict[str, Any]:
    """Return the document that some bytes are.

    Raises:
        Malformed: If they are no JSON object.
    """
    try:
        document = _decode(raw)  # and not by orjson, to which an integer of more than 64 bits is a float
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except msgspec.ValidationError:
        raise Malformed("a number in it is out of range") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"not JSON, at byte {_offset(raw, error)}") from None
    if not isinstance(document, dict):
        raise Malformed("JSON, but not an object")
    return document


def _offset(raw: bytes, error: Exception) -> int:
    try:
        raw.decode()
    except UnicodeDecodeError as undecodable:
        return undecodable.start
    place = _BYTE.search(str(error))
    return int(place[1]) if place else len(raw)

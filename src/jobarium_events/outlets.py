"""Where the payloads of one contract leave: validated closed, stamped, with their keys, as a message."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import orjson
from uuid_utils import uuid7

from jobarium_events.documents import NotJson, document_of, in_payload
from jobarium_events.envelope import Message
from jobarium_events.errors import PayloadRefused, Violation
from jobarium_events.stamping import InvalidField, stamps, trace_of
from jobarium_events.validation.shapes import Literals, Number, Record, Shape, Text, nullable
from jobarium_events.validation.source import field_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jobarium_events.catalog import Entry

__all__ = ["UNSURE", "Outlet"]

_encode = msgspec.json.Encoder().encode

# What may be raised where something is wrong with a payload; the exact way then says what.
UNSURE = (msgspec.MsgspecError, TypeError, ValueError, RecursionError)


class Outlet:
    """What a producer needs of one contract, worked out once.

    Args:
        entry: The contract.
        producer: Name of the producer.

    Attributes:
        quick: Makes the message of an ordinary payload, and raises one of `UNSURE` for any other; `message` then
            makes it, or says what is wrong.
    """

    def __init__(self, entry: Entry, producer: str) -> None:
        contract, validator = entry.contract, entry.closed
        self._entry = entry
        self._producer = producer
        # Where the types say all that the schema does, a payload is checked by converting it.
        says_all = entry.is_typed and validator.engine == "msgspec" and validator.keeps_all and not validator.free_form
        self._decode: Callable[[bytes], Any] | None = msgspec.json.Decoder(validator.type).decode if says_all else None
        self._key_values = _getter(contract.key.fields, entry, typed=says_all)
        self._order_value = _getter([contract.ordering.per], entry, typed=says_all) if contract.ordering else None
        self.quick: Callable[[Any], Message] = self._compiled(self._decode) if self._decode is not None else _unsure

    def message(self, payload: Any, given: Mapping[str, Any] | None) -> Message:
        """Return the message of a payload.

        Args:
            payload: In any form that `document_of` takes.
            given: Fields of the envelope that were given, if any were.

        Raises:
            PayloadRefused: With every violation.
        """
        content, encodable = self._taken(payload)
        try:
            stamped = stamps(given or {})
        except InvalidField as invalid:
            raise self._refused(invalid.violations) from None
        contract = self._entry.contract
        envelope = {
            "event_name": contract.event,
            "event_version": contract.version,
            "event_id": stamped.pop("event_id"),
            "occurred_at": stamped.pop("occurred_at"),
            "producer": self._producer,
            "trace_id": stamped.pop("trace_id"),
            "idempotency_key": "",
            **stamped,
        }
        envelope["idempotency_key"] = contract.key.rendered(self._key_values(content), envelope["event_id"])
        try:
            body = orjson.dumps({**envelope, "payload": encodable})
        except TypeError:  # text that UTF-8 cannot hold
            raise self._refused([Violation("/payload", "json")]) from None
        return Message(body, envelope, self._ordering_key(content))

    def replayed_ordering_key(self, document: Any) -> str | None:
        """Return the ordering key of a payload that was emitted before: the one that it had then."""
        return self._ordering_key(document if self._decode is None else self._entry.open.convert(document))

    def _compiled(self, decode: Callable[[bytes], Any]) -> Callable[[Any], Message]:
        """Return what makes the message of an ordinary payload, and raises anything at all where it is not sure.

        All that it needs are constants of its own: looking them up anew would be a fifth of the work of emitting.
        """
        contract = self._entry.contract
        plain_key = _plain_key(self._entry)
        if plain_key is None:
            return _unsure
        event, version, producer, colons = contract.event, contract.version, self._producer, contract.key.colons
        kind, ordering_key = self._entry.closed.type, self._ordering_key if self._order_value else None
        convert, encode, dumps, fragment = msgspec.convert, _encode, orjson.dumps, orjson.Fragment
        now, modules = datetime.now, sys.modules

        def quick(payload: Any) -> Message:
            if type(payload) is dict:
                content = convert(payload, kind)
            else:
                encoded = encode(payload)
                content, payload = decode(encoded), fragment(encoded)
            key = plain_key(content)
            if key.count(":") != colons or "%" in key:
                raise ValueError("the key is to be escaped")
            event_id = str(uuid7())
            envelope = {
                "event_name": event,
                "event_version": version,
                "event_id": event_id,
                "occurred_at": encode(now(UTC))[1:-1].decode(),
                "producer": producer,
                "trace_id": trace_of(event_id) if "opentelemetry.trace" in modules else event_id.replace("-", ""),
                "idempotency_key": key,
                "payload": payload,
            }
            body = dumps(envelope)
            del envelope["payload"]  # what is left is text, and what brokers carry as headers
            return Message(body, envelope, None if ordering_key is None else ordering_key(content))

        return quick

    def _taken(self, payload: Any) -> tuple[Any, Any]:
        """Return a payload as it was validated, and as it is to be encoded."""
        validator = self._entry.closed
        if self._decode is not None:
            try:
                if isinstance(payload, msgspec.Struct):
                    encoded = _encode(payload)
                    return self._decode(encoded), orjson.Fragment(encoded)
                if type(payload) is dict:
                    # orjson refuses what msgspec would convert unasked, such as a Decimal to a float.
                    return msgspec.convert(payload, validator.type), orjson.Fragment(orjson.dumps(payload))
            except UNSURE:
                pass  # what is wrong, if anything is, is found below
        try:
            document = document_of(payload, validator)
        except NotJson as problem:
            raise self._refused(map(in_payload, problem.violations)) from None
        violations = validator.violations(document)
        if violations:
            raise self._refused(map(in_payload, violations))
        try:
            content = document if self._decode is None else validator.convert(document)
            return content, orjson.Fragment(_encode(document))
        except msgspec.ValidationError:
            raise self._refused([Violation("/payload", "range")]) from None

    def _refused(self, violations: Iterable[Violation]) -> PayloadRefused:
        return PayloadRefused(self._entry.contract.event, self._entry.contract.version, violations)

    def _ordering_key(self, content: Any) -> str | None:
        value = self._order_value(content)[0] if self._order_value is not None else None
        return None if value is None or value is msgspec.UNSET else str(value)


def _unsure(_: Any) -> NoReturn:
    raise ValueError("no payload of this contract is ordinary")


def _getter(fields: Iterable[str], entry: Entry, *, typed: bool) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes some fields' values out of a payload, as a tuple."""
    names = list(fields)
    shape = entry.closed.reading.shape
    if not typed or not isinstance(shape, Record):
        return lambda document: tuple(document.get(name) for name in names)
    python = field_names(shape)
    get = attrgetter(*(python[name] for name in names))
    return get if len(names) > 1 else lambda payload: (get(payload),)


def _plain_key(entry: Entry) -> Callable[[Any], str] | None:
    """Return what renders the key of a payload whose key's fields are all required text or integers.

    It is compiled, as an f-string: rendering the key would otherwise be a tenth of the work of emitting.
    """
    shape = entry.closed.reading.shape
    template = entry.contract.key
    if not isinstance(shape, Record):
        return None
    plain = {each.name for each in shape.fields if each.required and _is_plain(each.shape)}
    if not plain.issuperset(template.fields):
        return None
    names = field_names(shape)
    texts = {f"text{place}": text for place, text in enumerate(template.texts)}
    fields = [f"{{payload.{names[name]}}}" for name in template.fields]
    source = "".join(f"{{{text}}}{field}" for text, field in zip(texts, [*fields, ""], strict=True))
    render: Callable[[Any], str] = eval(f"lambda payload: f'{source}'", texts)  # noqa: S307 - of identifiers alone
    return render


def _is_plain(shape: Shape) -> bool:
    if isinstance(shape, Number):
        return shape.integer
    return isinstance(shape, Text | Literals) and not nullable(shape)

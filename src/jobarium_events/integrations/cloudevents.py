"""CloudEvents 1.0: events as other systems know them, and back, in structured mode and in binary mode.

=================  ==================================================================================
CloudEvents        here
=================  ==================================================================================
``id``             ``event_id``
``source``         ``producer``, percent-encoded; or a URI that is given, with the extension ``producer``
``type``           ``event_name``
``time``           ``occurred_at``
``subject``        the message's ordering key, where it has one
``dataschema``     ``schema_ref`` where it is a URI; any other is the extension ``schemaref``
``data``           ``payload``, byte for byte
``eventversion``   ``event_version``
...                ``idempotencykey``, ``traceid``, ``tenantid`` and ``correlationid`` likewise
``extrafields``    what the envelope has beyond the fields that this version of the library knows, as JSON
=================  ==================================================================================

The message's other attributes (``replay``, ``traceparent``) are extensions of their own names. Those whose names a
CloudEvent cannot have, such as ``content-type``, are the transport's and stay behind.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NoReturn
from urllib.parse import quote, unquote

import msgspec

from jobarium_events.envelope import Event, Message
from jobarium_events.errors import DeclarationError, Malformed, Violation
from jobarium_events.readers import envelope_of, parsed
from jobarium_events.transports import Refused

__all__ = [
    "STRUCTURED",
    "Binding",
    "from_binary",
    "from_structured",
    "is_structured",
    "to_binary",
    "to_structured",
]

STRUCTURED = "application/cloudevents+json"
"""The content type of structured mode."""

_JSON = "application/json"
_CONTENT_TYPE = "content-type"
_CLOUDEVENTS_TYPE = "application/cloudevents"

# The event's fields in the order in which they are written, each with its attribute.
_FIELDS = {
    "event_name": "type",
    "event_version": "eventversion",
    "event_id": "id",
    "occurred_at": "time",
    "producer": "producer",
    "trace_id": "traceid",
    "idempotency_key": "idempotencykey",
    "tenant_id": "tenantid",
    "correlation_id": "correlationid",
    "schema_ref": "schemaref",
}
_EXTRA = "extrafields"
_NOT_EXTENSIONS = {"specversion", "source", "dataschema", "datacontenttype", "data", _EXTRA, *_FIELDS.values()}

_NAME = re.compile(r"[a-z0-9]+")
_IN_URI = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:{_IN_URI}")
_REFERENCE = re.compile(_IN_URI)
_JSON_TYPE = re.compile(r"[^/;\s]+/(?:[^/;\s]+\+)?json\s*(?:;(.*))?", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Control characters, surrogates and noncharacters: no attribute may hold them.
_BARRED = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_UNENCODED = _PRINTABLE.replace('"', "").replace("%", "")

_slices = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_slice = msgspec.json.Decoder(msgspec.Raw).decode
_value = msgspec.json.Decoder().decode
_attribute = msgspec.json.Decoder(str | bool | int | None).decode
_encode = msgspec.json.Encoder().encode


class Binding(StrEnum):
    """How attributes become headers in binary mode."""

    HTTP = "ce-"
    """Percent-encoded, as NATS has it too."""
    KAFKA = "ce_"
    """As they are, in UTF-8."""


def to_structured(message: Message, *, source: str | None = None) -> bytes:
    """Return an event as a CloudEvent in one piece of JSON, to be sent as `STRUCTURED`.

    Args:
        message: What a producer made.
        source: The CloudEvent's ``source``, a URI-reference; without one it is the producer's name.

    Raises:
        TypeError: If this is no message.
        DeclarationError: If the source is no URI-reference.
        Malformed: If the message holds no event.
        Refused: If a field of its envelope holds what no CloudEvent may.
    """
    context, payload = _taken_apart(message, source)
    return _encode({**context, "data": payload})


def to_binary(
    message: Message, *, binding: Binding = Binding.HTTP, source: str | None = None
) -> tuple[dict[str, str], bytes]:
    """Return an event as a CloudEvent in binary mode: headers, and the payload alone as the body.

    Args:
        message: What a producer made.
        binding: How the headers are named and written.
        source: As for `to_structured`.

    Raises:
        TypeError: As `to_structured` does.
        DeclarationError: As `to_structured` does, or if there is no such binding.
        Malformed: As `to_structured` does.
        Refused: As `to_structured` does.
    """
    if not isinstance(binding, Binding):
        raise DeclarationError("there is no such binding: it is Binding.HTTP or Binding.KAFKA")
    context, payload = _taken_apart(message, source)
    headers = {_CONTENT_TYPE: context.pop("datacontenttype")}
    for name, value in context.items():
        headers[f"{binding}{name}"] = quote(value, safe=_UNENCODED) if binding is Binding.HTTP else value
    return headers, bytes(payload)


def from_structured(raw: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a CloudEvent in structured mode as an event's bytes and attributes, for `Consumer.consume`.

    What the event lacks, such as a version, is for the consumer to find: it says so, and keeps the bytes.

    Raises:
        TypeError: If it is not given as bytes.
        Malformed: If it is no CloudEvent, or its data is not JSON.
    """
    _need_bytes(raw)
    members = _parsed(_slices, raw, "an object in JSON")
    context = {}
    for name, slice_ in members.items():
        if name not in ("data", "data_base64"):
            value = _attribute_value(name, slice_)
            if value is not None:
                context[name] = value
    if "data" in members and "data_base64" in members:
        _reject("it has both `data` and `data_base64`")
    data = members.get("data")
    if "data_base64" in members:
        data = _parsed(_slice, _decoded(members["data_base64"]), "JSON in its `data_base64`")
    return _put_together(context, data)


def from_binary(headers: Mapping[str, str | bytes], body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a CloudEvent in binary mode as an event's bytes and attributes, for `Consumer.consume`.

    Args:
        headers: In the way of any `Binding`; upper and lower case are the same.
        body: The payload.

    Raises:
        TypeError: If the body is not given as bytes.
        Malformed: If it is no CloudEvent, or its body is not JSON.
    """
    _need_bytes(body)
    given = {name.lower(): _text(name, value) for name, value in headers.items()}
    content_type = given.get(_CONTENT_TYPE)
    if is_structured(headers):
        _reject("it is in structured mode: use from_structured")
    if content_type is not None and content_type.lower().startswith(_CLOUDEVENTS_TYPE):
        _reject("it is a batch, or in another format than JSON")
    binding = Binding.KAFKA if f"{Binding.KAFKA}specversion" in given else Binding.HTTP
    context = {} if content_type is None else {"datacontenttype": content_type}
    for header, value in given.items():
        name = header.removeprefix(binding)
        if name != header:
            context[name] = _unquoted(name, value) if binding is Binding.HTTP else value
    return _put_together(context, _parsed(_slice, body, "JSON in its body") if body else None)


def is_structured(headers: Mapping[str, str | bytes]) -> bool:
    """Whether the headers of a message say that its body is a CloudEvent in structured mode."""
    types = [_text(name, value) for name, value in headers.items() if name.lower() == _CONTENT_TYPE]
    return any(each.partition(";")[0].strip().lower() == STRUCTURED for each in types)


def _need_bytes(given: object) -> None:
    if not isinstance(given, bytes | bytearray | memoryview):
        raise TypeError(f"a CloudEvent is bytes, not {type(given).__name__}")


def _check_arguments(message: object, source: str | None) -> None:
    """Raise unless a CloudEvent can be made of a message, and have a source.

    Raises:
        TypeError: If this is no message.
        DeclarationError: If the source is no URI-reference.
    """
    if not isinstance(message, Message):
        kind = type(message).__name__
        raise TypeError(f"a CloudEvent is made of a message, as Producer.prepare makes it, not of {kind}")
    if source is not None and not _REFERENCE.fullmatch(source):
        raise DeclarationError("the source is no URI-reference, such as https://jobs.example/api or /jobs")


def _taken_apart(message: Message, source: str | None) -> tuple[dict[str, str], msgspec.Raw]:
    """Return the attributes of an event, and its payload.

    Raises:
        TypeError: If this is no message.
        DeclarationError: If the source is no URI-reference.
        Malformed: If it holds no event.
        Refused: If a field of its envelope holds what no CloudEvent may.
    """
    _check_arguments(message, source)
    envelope_of(parsed(message.body))
    slices = _slices(message.body)
    payload = slices.pop("payload")
    fields = {name: _value(slices.pop(field)) for field, name in _FIELDS.items() if field in slices}
    producer, schema = fields.pop("producer"), fields.pop("schemaref", None)
    context = {
        "specversion": "1.0",
        "id": fields.pop("id"),
        "source": quote(producer, safe="") if source is None else source,
        "type": fields.pop("type"),
        "time": fields.pop("time"),
        "datacontenttype": _JSON,
    }
    if schema is not None:
        context["dataschema" if _URI.fullmatch(schema) else "schemaref"] = schema
    if message.ordering_key:
        context["subject"] = message.ordering_key
    context.update(fields)
    if source is not None:
        context["producer"] = producer
    if slices:
        context[_EXTRA] = _plain_json(slices)
    for name, value in message.attributes.items():
        if _NAME.fullmatch(name) and name not in _NOT_EXTENSIONS:
            context.setdefault(name, value)
    for name, value in context.items():
        if _BARRED.search(value):
            raise Refused(f"no CloudEvent can carry it: {name} holds a control character or a noncharacter")
        if not value and name in ("source", "type"):
            raise Refused(f"no CloudEvent can carry it: {name} would be empty")
    return context, payload


def _put_together(context: dict[str, str], data: msgspec.Raw | None) -> tuple[bytes, dict[str, str]]:
    """Return the bytes and attributes of the event that a CloudEvent's attributes and data say.

    Raises:
        Malformed: If it is no CloudEvent, or says in `datacontenttype` that its data is not JSON.
    """
    if not all(map(_NAME.fullmatch, context)):
        _reject("the name of an attribute is not made of lower-case letters and digits alone")
    for name in ("specversion", "id", "source", "type"):
        if not context.get(name):
            _reject("a required attribute is missing or empty", f"/{name}", "required")
    if context["specversion"] != "1.0":
        _reject("its version is another one", "/specversion", "const", "1.0")
    _check_type(context.get("datacontenttype", _JSON))
    context.setdefault("producer", _unquoted("source", context["source"]))
    if "dataschema" in context:
        context.setdefault("schemaref", context["dataschema"])
    fields = {field: context[name] for field, name in _FIELDS.items() if name in context}
    document: dict[str, Any] = dict(fields)
    if data is not None:
        document["payload"] = data
    if _EXTRA in context:
        extra = _parsed(_slices, context[_EXTRA].encode(errors="surrogatepass"), "an object in JSON as `extrafields`")
        document = {**document, **{name: value for name, value in extra.items() if name not in Event.__struct_fields__}}
    others = {name: value for name, value in context.items() if name not in _NOT_EXTENSIONS}
    try:
        return _encode(document), {**others, **fields}
    except UnicodeEncodeError:
        _reject("an attribute holds half a surrogate pair")


def _check_type(content_type: str) -> None:
    """Raise unless a content type is that of JSON in UTF-8.

    Raises:
        Malformed: If it is another one.
    """
    match = _JSON_TYPE.fullmatch(content_type.strip())
    charset = _CHARSET.search(match[1] or "") if match else None
    if match is None or (charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii")):
        _reject("its data is another type than JSON in UTF-8", "/datacontenttype", "const", _JSON)


def _plain_json(slices: Mapping[str, msgspec.Raw]) -> str:
    """Return an object as JSON in one line of printable ASCII, its numbers as they were written."""
    text = msgspec.json.format(_encode(slices), indent=-1).decode()

    def escaped(match: re.Match[str]) -> str:
        code = match[0].encode("utf-16-be").hex()
        return "".join(f"\\u{code[place : place + 4]}" for place in range(0, len(code), 4))

    return re.sub(r"[^ -~]", escaped, text)  # such a character stands in a string, and nowhere else


def _parsed(decode: Callable[[bytes], Any], raw: bytes, what: str) -> Any:
    """Return what some bytes say.

    Raises:
        Malformed: If they are not what they are to be.
    """
    try:
        bytes(raw).decode()  # what is passed on as a slice would not be looked at
        return decode(raw)
    except RecursionError:
        _reject("it is nested too deeply")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _reject(f"it is not {what}")


def _attribute_value(name: str, slice_: msgspec.Raw) -> str | None:
    """Return what an attribute in JSON says as text; None where it is unset.

    Raises:
        Malformed: If its type is none that attributes have.
    """
    try:
        value = _attribute(slice_)
    except msgspec.MsgspecError:
        _reject("an attribute has a value of another type", f"/{name}", "type", ["string", "boolean", "integer"])
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def _decoded(slice_: msgspec.Raw) -> bytes:
    """Return the bytes of a text in base64.

    Raises:
        Malformed: If it is none.
    """
    try:
        return base64.b64decode(_value(slice_), validate=True)
    except (TypeError, ValueError, binascii.Error):
        _reject("its `data_base64` is no base64")


def _text(name: str, value: str | bytes) -> str:
    """Return a header's value as text.

    Raises:
        Malformed: If it is not UTF-8.
    """
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        _reject("a header is not UTF-8", f"/{name}", "format", "UTF-8")


def _unquoted(name: str, value: str) -> str:
    """Return what a header's value says: without double quotes, and percent-decoded once.

    Raises:
        Malformed: If it is not UTF-8 then.
    """
    quoted = _QUOTED.fullmatch(value)
    if quoted:
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        _reject("a header's percent-encoded value is not UTF-8", f"/{name}", "format", "UTF-8")


def _reject(problem: str, pointer: str | None = None, rule: str = "", limit: Any = None) -> NoReturn:
    violation = None if pointer is None else Violation(pointer, rule, limit)
    raise Malformed(f"no CloudEvent: {problem}", violation=violation) from None

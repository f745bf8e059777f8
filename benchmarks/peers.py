"""The ways to read an event that ours is compared with, each shown to do the job before it is timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import fastjsonschema
import jsonschema
import jsonschema_rs
import msgspec
import orjson
from cloudevents.core.formats.json import JSONFormat

from benchmarks.events import Sample, broken, catalog, whole_schema
from benchmarks.models import MODELS, STRUCTS
from jobarium_events import Consumer, Event

__all__ = ["OURS", "PARSER", "PEERS", "Peer", "UnfitPeer", "fit"]

Reading = Callable[[bytes], object]


class UnfitPeer(Exception):
    """A peer does not do what its time would be taken for."""


@dataclass(frozen=True)
class Peer:
    """One way to read an event.

    Attributes:
        name: What the tables call it.
        reader: Returns, for an event's contract, the function that reads its bytes and raises if they are not valid.
        translate: Turns the bytes into the peer's own format, where it has one.
        validates: Whether it is to reject an invalid event.
    """

    name: str
    reader: Callable[[Sample], Reading]
    translate: Callable[[bytes], bytes] = bytes
    validates: bool = True


def fit(peer: Peer, sample: Sample) -> tuple[Reading, bytes]:
    """Return a peer's reader of an event, with the bytes to time it with, once it is shown to do its job.

    Raises:
        UnfitPeer: If it rejects the event, or accepts a broken one.
    """
    read = peer.reader(sample)
    raw = peer.translate(sample.raw)
    try:
        read(raw)
    except Exception as error:
        raise UnfitPeer(f"{peer.name} rejects the {sample.label} event: {error}") from error
    if peer.validates:
        for what, wrong in broken(sample).items():
            try:
                read(peer.translate(wrong))
            except Exception:  # noqa: BLE001 - each library has errors of its own
                continue
            raise UnfitPeer(f"{peer.name} accepts the {sample.label} event with a broken {what}")
    return read, raw


def _ours(sample: Sample) -> Reading:
    consumer = Consumer(catalog(), name="benchmark")

    @consumer.on(sample.contract.event, sample.contract.version)
    def handle(event: Event[Any]) -> None:
        pass

    return consumer.consume


def _orjson(_: Sample) -> Reading:
    return orjson.loads


def _fastjsonschema(sample: Sample) -> Reading:
    validate = fastjsonschema.compile(whole_schema(sample.contract), use_default=False)
    loads = orjson.loads

    def read(raw: bytes) -> object:
        return validate(loads(raw))

    return read


def _jsonschema_rs(sample: Sample) -> Reading:
    is_valid = jsonschema_rs.Draft7Validator(whole_schema(sample.contract), validate_formats=True).is_valid
    loads = orjson.loads

    def read(raw: bytes) -> object:
        document = loads(raw)
        if not is_valid(document):
            raise ValueError("invalid")
        return document

    return read


def _python_validator(schema: dict[str, Any]) -> jsonschema.Draft7Validator:
    # Without the packages of jsonschema's extra it knows no date-time; Python's own parser is the fastest there is.
    checker = jsonschema.FormatChecker(formats=())

    @checker.checks("date-time", raises=ValueError)
    def is_moment(value: object) -> bool:
        return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None

    return jsonschema.Draft7Validator(schema, format_checker=checker)


def _jsonschema(sample: Sample) -> Reading:
    is_valid = _python_validator(whole_schema(sample.contract)).is_valid
    loads = orjson.loads

    def read(raw: bytes) -> object:
        document = loads(raw)
        if not is_valid(document):
            raise ValueError("invalid")
        return document

    return read


def _pydantic(sample: Sample) -> Reading:
    return MODELS[sample.contract.event].model_validate_json


def _msgspec(sample: Sample) -> Reading:
    return msgspec.json.Decoder(STRUCTS[sample.contract.event]).decode


def _cloudevents(sample: Sample) -> Reading:
    is_valid = _python_validator(dict(sample.contract.schema)).is_valid
    parse = JSONFormat().read

    def read(raw: bytes) -> object:
        event = parse(None, raw)
        if not is_valid(event.get_data()):
            raise ValueError("invalid")
        return event

    return read


def _as_cloud_event(raw: bytes) -> bytes:
    """Return an event as a CloudEvent in structured mode: the envelope's fields under CloudEvents' names."""
    event = orjson.loads(raw)
    names = {
        "id": "event_id",
        "source": "producer",
        "type": "event_name",
        "time": "occurred_at",
        "eventversion": "event_version",
        "traceid": "trace_id",
        "idempotencykey": "idempotency_key",
        "data": "payload",
    }
    attributes = {name: event[field] for name, field in names.items() if field in event}
    return orjson.dumps({"specversion": "1.0", "datacontenttype": "application/json", **attributes})


PARSER = Peer("orjson alone, no validation", _orjson, validates=False)
"""What every other way is compared with."""

OURS = Peer("jobarium-events", _ours)

PEERS = (
    Peer("msgspec by hand", _msgspec),
    Peer("orjson + jsonschema-rs", _jsonschema_rs),
    Peer("pydantic", _pydantic),
    Peer("orjson + fastjsonschema", _fastjsonschema),
    Peer("orjson + jsonschema", _jsonschema),
    Peer("CloudEvents SDK + jsonschema", _cloudevents, translate=_as_cloud_event),
)

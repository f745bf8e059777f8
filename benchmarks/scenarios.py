"""What is compared with what in one process, and by which bound. Every call is shown to do its job first."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import fastjsonschema
import orjson

from benchmarks.events import TRACE, catalog, foreign, four, medium, reordered, whole_schema
from benchmarks.models import AssessedModel  # noqa: TC001 - the consumer reads it from the annotation
from benchmarks.timing import Task
from jobarium_events import Consumed, Consumer, DeadLetter, Emitted, Event, Message, Outcome, Producer
from jobarium_events.payloads import QaAuthenticityAssessedV1
from jobarium_events.validation import Validator, compile_schema

__all__ = ["Scenario", "UnfitScenario", "scenarios"]

_PARSE = "orjson.loads of the same bytes"
_BY_HAND = "uuid4 + isoformat + fastjsonschema + orjson.dumps by hand"
_BY_HAND_TOO = "the same by hand, with a second uuid4 for the trace"
_COMPILE = "fastjsonschema.compile of the same schema"


class UnfitScenario(Exception):
    """A scenario does not do what its time would be taken for."""


@dataclass(frozen=True)
class Scenario:
    """One comparison; see `benchmarks.results.Row` for the names."""

    name: str
    base_name: str
    ours: Task
    base: Task
    bound: float | None = None


def scenarios() -> list[Scenario]:
    """Return all scenarios, those with a bound first."""
    found = [*_consuming(), *_rejecting(), *_emitting(), *_validating()]
    return sorted(found, key=lambda each: each.bound is None)


def _require(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise UnfitScenario(what)


class _Quiet:
    """Hooks that do nothing, so that what is timed is the telling."""

    def emitted(self, details: Emitted) -> None:
        pass

    def consumed(self, details: Consumed) -> None:
        pass


# -- consuming -----------------------------------------------------------------------------------------------------


def _typed(event: Event[QaAuthenticityAssessedV1]) -> None:
    pass


def _as_dict(event: Event[dict[str, Any]]) -> None:
    pass


def _as_model(event: Event[AssessedModel]) -> None:
    pass


def _unannotated(event: Any) -> None:
    pass


def _consumer(handler: Callable[[Any], None], **options: Any) -> Consumer:
    consumer = Consumer(catalog(), name="benchmark", **options)
    consumer.on("qa.authenticity.assessed", "v1")(handler)
    return consumer


def _consuming() -> list[Scenario]:
    raw = medium().raw
    mixed = Consumer(catalog(), name="benchmark")
    for sample in four():
        mixed.on(sample.contract.event, sample.contract.version)(_unannotated)

    def scenario(name: str, consumer: Consumer, *raws: bytes, bound: float | None = None) -> Scenario:
        for each in raws:
            _require(consumer.consume(each) is Outcome.HANDLED, f"{name}: not handled")
        inputs = tuple((each,) for each in raws)
        return Scenario(name, _PARSE, Task(consumer.consume, inputs), Task(orjson.loads, inputs), bound)

    return [
        scenario("consume", _consumer(_typed), raw, bound=1.3),
        scenario("consume, envelope in another order", _consumer(_typed), reordered(medium()), bound=2.0),
        scenario("consume, payload as a dict", _consumer(_as_dict), raw, bound=2.5),
        scenario("consume four different events in turn", mixed, *(sample.raw for sample in four())),
        scenario("consume, text beyond ASCII", _consumer(_typed), foreign().raw),
        scenario("consume, payload as a pydantic model", _consumer(_as_model), raw),
        scenario("consume, with two hooks", _consumer(_typed, hooks=[_Quiet(), _Quiet()]), raw),
    ]


def _attempt(loads: Callable[[bytes], object], raw: bytes) -> None:
    try:  # noqa: SIM105 - suppress would cost as much as what is timed
        loads(raw)
    except ValueError:
        pass


def _rejecting() -> list[Scenario]:
    kept: list[DeadLetter] = []

    def look(letter: DeadLetter) -> object:
        violation = letter.rejection.violation
        return letter.reason, violation and (violation.pointer, violation.rule)

    document = medium().document
    document["payload"]["confidence"] = 2
    invalid, torn = orjson.dumps(document), medium().raw[:-20]
    observed = _consumer(_typed, dead_letters=kept.append)
    for raw in (invalid, torn):
        _require(observed.consume(raw) is Outcome.DEAD_LETTERED, "not rejected")
    _require(look(kept[0]) == ("invalid-payload", ("/payload/confidence", "maximum")), "rejected for another reason")
    _require(kept[1].reason == "malformed", "rejected for another reason")
    consume = _consumer(_typed, dead_letters=look).consume
    return [
        Scenario("reject an invalid event", _PARSE, Task.of(consume, invalid), Task.of(orjson.loads, invalid), 10),
        Scenario(
            "reject bytes that are no JSON",
            "orjson.loads of the same bytes, its error caught",
            Task.of(consume, torn),
            Task.of(_attempt, orjson.loads, torn),
        ),
    ]


# -- emitting ------------------------------------------------------------------------------------------------------


def _emitting() -> list[Scenario]:
    event, version, owner = medium().contract.event, medium().contract.version, medium().contract.owner
    payload = medium().payload
    validate = fastjsonschema.compile(whole_schema(medium().contract), use_default=False)

    def by_hand(payload: dict[str, Any], trace_id: str | None = None) -> bytes:
        document = {
            "event_name": event,
            "event_version": version,
            "event_id": str(uuid.uuid4()),
            "occurred_at": datetime.now(UTC).isoformat(),
            "producer": owner,
            "trace_id": trace_id or uuid.uuid4().hex,
            "idempotency_key": f"qa.authenticity.assessed:{payload['session_id']}:{payload['model_version']}",
            "payload": payload,
        }
        validate(document)
        return orjson.dumps(document)

    def drop(message: Message) -> None:
        pass

    def producer(*hooks: _Quiet) -> Producer:
        return Producer(catalog(), name=owner, send=drop, hooks=hooks)

    value = QaAuthenticityAssessedV1(**{**payload, "assessed_at": datetime.fromisoformat(payload["assessed_at"])})
    _require(
        {*orjson.loads(by_hand(payload))} == {*orjson.loads(producer().emit(event, payload).body)},
        "the events differ in their fields",
    )
    _require(orjson.loads(producer().emit(value).body)["payload"] == payload, "the payloads differ")
    base = Task.of(by_hand, payload, TRACE)
    both_ids = Task.of(by_hand, payload)
    watched = producer(_Quiet(), _Quiet())
    return [
        Scenario("emit a dict", _BY_HAND, Task.of(producer().emit, event, payload), base, 0.22),
        Scenario("emit a dict, trace ids made", _BY_HAND_TOO, Task.of(producer().emit, event, payload), both_ids),
        Scenario("emit a payload object", _BY_HAND, Task.of(producer().emit, value), base),
        Scenario("emit a dict, with two hooks", _BY_HAND, Task.of(watched.emit, event, payload), base),
    ]


# -- validating ----------------------------------------------------------------------------------------------------


def _validating() -> list[Scenario]:
    schema, payload, raw = dict(medium().contract.schema), medium().payload, medium().raw

    def compiled() -> Any:
        return compile_schema(schema).type

    found = [
        Scenario(
            "compile a schema into types",
            _COMPILE,
            Task.of(compiled),
            Task.of(lambda: fastjsonschema.compile(schema, use_default=False)),
        )
    ]
    for engine, validator in _engines(schema):
        _require(validator.is_valid(payload), f"{engine} rejects the payload")
        _require(not validator.is_valid({**payload, "confidence": 2}), f"{engine} accepts an invalid payload")
        ours = Task.of(validator.is_valid, payload)
        found.append(Scenario(f"is_valid by {engine}", "orjson.loads of the event", ours, Task.of(orjson.loads, raw)))
    return found


def _engines(schema: dict[str, Any]) -> list[tuple[str, Validator]]:
    """Return a validator of each engine: of schemas that say the same, but that engine alone serves."""
    beyond_types = {**schema, "not": {"required": ["withdrawn_at"]}}
    newer = {**beyond_types, "$schema": "https://json-schema.org/draft/2020-12/schema"}
    found = [compile_schema(schema), compile_schema(beyond_types), compile_schema(newer)]
    with patch("jobarium_events.validation.checking.rust_available", return_value=False):
        found.append(compile_schema(newer))
    return [(validator.engine, validator) for validator in found]

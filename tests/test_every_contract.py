"""What holds of every contract in the bundled catalog, on payloads made from its schema."""

import contextlib
import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Consumer, Contract, Event, Message, Outcome, Producer
from jobarium_events.catalog import SCHEMAS, envelope_validator
from jobarium_events.documents import in_payload
from jobarium_events.errors import InvalidPayload, Malformed, PayloadRefused, UnexpectedProducer, UnknownVersion
from jobarium_events.readers import envelope_of
from jobarium_events.validation.closing import closed
from jobarium_events.validation.formats import CHECKS
from tests import strategies
from tests.strategies import BUNDLED, CONTRACTS, NAMES, event_of, few, some

pytestmark = pytest.mark.filterwarnings("ignore:billing.usage.updated v1 is deprecated:DeprecationWarning")
every_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
ENVELOPE: Any = json.loads((Path(SCHEMAS) / "envelope.json").read_text())


def consumed(contract: Contract, document: Any, view: Any = None) -> Any:
    """The payload that a handler gets, as the view that its annotation asks for."""
    got: list[Event[Any]] = []
    consumer = Consumer(BUNDLED, name="taker")

    def handler(event):
        got.append(event)

    handler.__annotations__["event"] = Event if view is None else Event[view]
    consumer.on(contract.event, contract.version)(handler)
    raw = document.body if isinstance(document, Message) else json.dumps(document).encode()
    assert consumer.consume(raw) is Outcome.HANDLED
    return got[0].payload


def producer_of(contract: Contract) -> Producer:
    return Producer(BUNDLED, name=contract.owner, declares={contract.event: contract.version}, send=lambda _: None)


def same(one: Any, other: Any) -> bool:
    """Whether two payloads say the same: a moment may be spelled in several ways."""
    return one == other or (
        isinstance(one, dict)
        and isinstance(other, dict)
        and one.keys() == other.keys()
        and all(
            one[name] == other[name]
            or msgspec.convert(one[name], strategies.datetime) == msgspec.convert(other[name], strategies.datetime)
            for name in one
        )
    )


@every_contract
@few
@given(data=st.data())
def test_missing_optional_fields_read_as_none(contract, data):
    payload = data.draw(strategies.payloads(contract))
    seen = consumed(contract, event_of(contract, payload))
    for name in strategies.optional_fields(contract):
        if name not in payload:
            assert getattr(seen, name) is None
    assert same(msgspec.to_builtins(seen), payload)


@every_contract
@few
@given(data=st.data())
def test_unknown_fields_are_for_consumers_to_ignore_and_for_producers_to_refuse(contract, data):
    payload = data.draw(strategies.payloads(contract))
    name = data.draw(strategies.texts.filter(lambda text: text not in contract.schema["properties"]))
    value = data.draw(strategies.documents)
    event = event_of(contract, {**payload, name: value}) | {"unknown": value}
    assert consumed(contract, event) == consumed(contract, event_of(contract, payload))
    with pytest.raises(PayloadRefused) as refused:
        producer_of(contract).emit(contract.event, {**payload, name: value})
    pointer = "/payload/" + name.replace("~", "~0").replace("/", "~1")
    assert [(each.pointer, each.rule) for each in refused.value.violations] == [(pointer, "additionalProperties")]


def dataclass_of(contract: Contract) -> Any:
    fields = [(name, Any, dataclasses.field(default=None)) for name in contract.schema["properties"]]
    return dataclasses.make_dataclass("Data", fields, kw_only=True)


def model_of(contract: Contract) -> Any:
    return pydantic.create_model("Model", **dict.fromkeys(contract.schema["properties"], (Any, None)))


def struct_of(contract: Contract) -> Any:
    return msgspec.defstruct(
        "Own", [(name, Any, msgspec.UNSET) for name in contract.schema["properties"]], kw_only=True
    )


def typeddict_of(contract: Contract) -> Any:
    from typing import TypedDict  # noqa: PLC0415 - beside its only use

    return TypedDict("Typed", dict.fromkeys(contract.schema["properties"], Any), total=False)  # type: ignore[operator]


FORMS = {
    "dict": lambda contract: dict,
    "class": lambda contract: BUNDLED.entry(contract.event, contract.version).payload_type,
    "dataclass": dataclass_of,
    "pydantic": model_of,
    "struct": struct_of,
    "typeddict": typeddict_of,
}


def as_form(form: str, kind: Any, payload: Any) -> Any:
    return msgspec.convert(payload, kind) if form == "class" else kind(**payload)


def as_document(value: Any, fields: Any) -> Any:
    if isinstance(value, pydantic.BaseModel):
        value = value.model_dump(mode="json")
    value = msgspec.to_builtins(value)
    return {name: value[name] for name in fields}


@pytest.mark.parametrize("form", [form for form in FORMS if form != "struct"])
@every_contract
@few
@given(data=st.data())
def test_what_is_emitted_is_what_is_consumed(contract, form, data):
    payload = data.draw(strategies.payloads(contract))
    kind = FORMS[form](contract)
    message = producer_of(contract).emit(contract.event, as_form(form, kind, payload))
    assert same(consumed(contract, message, dict), payload)


@pytest.mark.parametrize("form", FORMS)
@every_contract
@few
@given(data=st.data())
def test_a_handler_sees_a_payload_as_it_asks_for_it(contract, form, data):
    payload = data.draw(strategies.payloads(contract))
    kind = FORMS[form](contract)
    seen = consumed(contract, event_of(contract, payload), kind)
    assert isinstance(seen, dict if form == "typeddict" else kind)
    assert same(as_document(seen, payload), payload)


@every_contract
def test_every_missing_required_field_is_named(contract):
    for name in contract.schema["required"]:
        payload = strategies.sample(contract)
        del payload[name]
        with pytest.raises(InvalidPayload) as rejected:
            consumed(contract, event_of(contract, payload))
        assert [(each.pointer, each.rule) for each in rejected.value.violations] == [(f"/payload/{name}", "required")]
        with pytest.raises(PayloadRefused) as refused:
            producer_of(contract).emit(contract.event, payload)
        assert refused.value.violations == rejected.value.violations


@every_contract
@some
@given(data=st.data())
def test_every_wrong_type_is_pointed_at(contract, data):
    name = data.draw(st.sampled_from(list(contract.schema["properties"])))
    wrong = data.draw(strategies.misfits(contract.schema["properties"][name]))
    payload = strategies.sample(contract) | {name: wrong}
    with pytest.raises(InvalidPayload) as rejected:
        consumed(contract, event_of(contract, payload))
    assert rejected.value.violation in rejected.value.violations
    assert {each.pointer for each in rejected.value.violations} == {f"/payload/{name}"}
    assert {"type", "enum"} & {each.rule for each in rejected.value.violations}
    with pytest.raises(PayloadRefused) as refused:
        producer_of(contract).emit(contract.event, payload)
    assert refused.value.violations == rejected.value.violations


def oracle(schema: Any) -> Any:
    checker = jsonschema.FormatChecker(formats=())
    checker.checkers = {name: (check, ()) for name, check in CHECKS.items()}
    text = json.dumps(schema).replace('$"', r'\\Z"')  # ECMA's $ is the very end; Python's may stand before a last \n
    return jsonschema.Draft7Validator(json.loads(text), format_checker=checker)


@every_contract
@some
@given(data=st.data())
def test_the_verdict_is_that_of_jsonschema(contract, data):
    payload = data.draw(st.one_of(strategies.mutated(contract), strategies.payloads(contract), strategies.documents))
    entry = BUNDLED.entry(contract.event, contract.version)
    before = copy.deepcopy(payload)
    for validator, schema in ((entry.open, contract.schema), (entry.closed, closed(contract.schema))):
        valid = oracle(schema).is_valid(payload)
        assert validator.is_valid(payload) == valid
        assert (validator.first_violation(payload) is None) == valid
    assert payload == before


@every_contract
@some
@given(data=st.data())
def test_a_consumer_rejects_exactly_what_the_schema_does(contract, data):
    payload = data.draw(strategies.mutated(contract))
    event = event_of(contract, payload)
    if oracle(contract.schema).is_valid(payload):
        assert consumed(contract, event) is not None
        return
    with pytest.raises(InvalidPayload) as rejected:
        consumed(contract, event)
    violations = BUNDLED.entry(contract.event, contract.version).open.violations(payload)
    assert rejected.value.violations == tuple(map(in_payload, violations)) != ()


@every_contract
@some
@given(data=st.data())
def test_a_producer_refuses_exactly_what_the_closed_schema_does(contract, data):
    payload = data.draw(strategies.mutated(contract))
    producer = producer_of(contract)
    if oracle(closed(contract.schema)).is_valid(payload):
        message = producer.emit(contract.event, payload)
        assert same(json.loads(message.body)["payload"], payload)
        return
    with pytest.raises(PayloadRefused) as refused:
        producer.emit(contract.event, payload)
    assert refused.value.violations != ()


odd = st.sampled_from([None, 1, "", "x", "v1", "v0", "v01", "v1\n", "V1", {}, [], True, "2026-03-01T12:00:00", "٣"])


@some
@given(
    changes=st.dictionaries(
        st.sampled_from([name for name in ENVELOPE["properties"] if name != "payload"]), odd, max_size=2
    ),
    dropped=st.sets(st.sampled_from(ENVELOPE["required"]), max_size=1),
)
def test_the_envelope_is_what_its_schema_says(changes, dropped):
    contract = CONTRACTS[0]
    if isinstance(changes.get("event_name"), str):
        del changes["event_name"]  # another event is skipped unread
    document = event_of(contract, strategies.sample(contract)) | changes
    document = {name: value for name, value in document.items() if name not in dropped}
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on(contract.event, contract.version)(lambda event: None)
    raw = json.dumps(document).encode()
    if oracle(ENVELOPE).is_valid(document):
        with contextlib.suppress(UnknownVersion, UnexpectedProducer):
            assert consumer.consume(raw) is Outcome.HANDLED
        assert envelope_of(document).event_name == contract.event
        return
    with pytest.raises(Malformed) as malformed:
        consumer.consume(raw)
    assert malformed.value.violation in malformed.value.violations
    assert malformed.value.violations == tuple(envelope_validator().violations(document))


@every_contract
def test_the_class_of_a_contract_has_its_fields(contract):
    kind = BUNDLED.entry(contract.event, contract.version).payload_type
    assert kind.__name__ == contract.class_name
    assert kind.__contract__[:2] == (contract.event, contract.version)
    assert list(kind.__struct_fields__) == list(contract.schema["properties"])
    assert BUNDLED.contract(kind) is contract

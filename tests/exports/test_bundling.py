"""The schema of a whole event says what the library does: no more, no less."""

import jsonschema
import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobarium_events import Consumer, Event, Producer
from jobarium_events.contract import KeyTemplate, Lifecycle
from jobarium_events.errors import PayloadRefused, Rejection, SchemaError
from jobarium_events.examples import event_example, example
from jobarium_events.exports import event_schema
from jobarium_events.validation import Validator, check_schema, compile_schema
from jobarium_events.validation.documents import too_deep
from jobarium_events.validation.references import has_only_pointers, walk
from tests.exports.catalogs import catalog, contract
from tests.strategies import BUNDLED, CONTRACTS, NAMES, documents, some
from tests.validation.schemas import cases

DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
EVENT = {
    "event_name": "thing.made",
    "event_version": "v1",
    "event_id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
    "occurred_at": "2026-01-02T03:04:05Z",
    "producer": "maker",
    "trace_id": "t",
    "idempotency_key": "k",
    "tenant_id": "a",
    "correlation_id": "b",
    "schema_ref": "c",
    "payload": {},
}


def consumes(consumer, event) -> bool:
    """Whether a consumer takes an event. A number that no 64 bits hold is beyond JSON Schema: it proves nothing."""
    try:
        consumer.consume(msgspec.json.encode(event))
    except Rejection as rejection:
        assume(all(each.rule != "range" for each in rejection.violations))
        return False
    return True


def consumer_of(made) -> Consumer:
    consumer = Consumer(made, name="taker")
    for each in made:

        @consumer.on(each.event, each.version)
        def handle(event: Event[dict]) -> None: ...

    return consumer


def generated(schema):
    """A contract of a generated schema, of an object as a payload is."""
    made = contract({**schema, "type": "object"}, key=KeyTemplate("k:{id}"))
    assume(not check_schema(made.schema))
    try:
        Validator(made.schema, closed=True)
    except SchemaError:
        assume(False)  # no catalog would take it
    return made


@pytest.mark.parametrize("closed", [False, True])
@given(case=cases())
@some
def test_accepts_exactly_the_payloads_that_the_library_does(case, closed):
    schema, payloads = case
    made = generated(schema)
    bundled = event_schema(made, closed=closed)
    assert check_schema(bundled) == []
    whole = compile_schema(bundled)
    consumer, validator = consumer_of(catalog(made)), Validator(made.schema, closed=True)
    for payload in [*payloads, {}]:
        event = {**EVENT, "payload": payload}
        accepted = validator.is_valid(payload) if closed else consumes(consumer, event)
        if not too_deep(event):
            assert whole.is_valid(event) == accepted


@given(data=st.data())
@some
def test_accepts_exactly_the_envelopes_that_a_consumer_does(data):
    made = contract({"type": "object"})
    event = dict(EVENT)
    for name in data.draw(st.lists(st.sampled_from([*EVENT, "other"]), max_size=2)):
        if data.draw(st.booleans()):
            event.pop(name, None)
        else:
            values = st.sampled_from(["", "v2", "v1", "maker", "{1}", "2026-01-02 03:04:05+01:00", None, 1, {}])
            event[name] = data.draw(values | documents)
    whole = compile_schema(event_schema(made))
    assert whole.is_valid(event) == consumes(consumer_of(catalog(made)), event)


@pytest.mark.parametrize("each", CONTRACTS, ids=NAMES)
def test_bundled_contracts(each):
    entry = BUNDLED.entry(each.event, each.version)
    event = event_example(entry)
    for closed in (False, True):
        schema = event_schema(each, closed=closed)
        jsonschema.validators.validator_for(schema).check_schema(schema)
        jsonschema.validate(event, schema)
    wrong = {**event, "payload": {**event["payload"], "no_such_field": 1}}
    assert compile_schema(event_schema(each)).is_valid(wrong)
    assert not compile_schema(event_schema(each, closed=True)).is_valid(wrong)
    assert not compile_schema(event_schema(each, closed=True)).is_valid({**event, "other": 1})


@pytest.mark.filterwarnings("ignore:billing.usage.updated v1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize("each", CONTRACTS, ids=NAMES)
def test_what_a_producer_sends_is_valid_by_the_closed_schema(each):
    producer = Producer(BUNDLED, name=each.owner, declares={each.event: each.version})
    message = producer.prepare(each.event, example(BUNDLED.entry(each.event, each.version)), tenant_id="t")
    assert compile_schema(event_schema(each, closed=True)).is_valid(msgspec.json.decode(message.body))


def test_a_producer_refuses_what_the_closed_schema_does():
    made = contract({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}})
    whole = compile_schema(event_schema(made, closed=True))
    producer = Producer(catalog(made), name="maker")
    assert whole.is_valid({**EVENT, "payload": {"id": "1"}})
    producer.prepare("thing.made", {"id": "1"})
    for payload in ({}, {"id": 1}, {"id": "1", "other": 2}):
        assert not whole.is_valid({**EVENT, "payload": payload})
        with pytest.raises(PayloadRefused):
            producer.prepare("thing.made", payload)


SELF = {
    "type": "object",
    "$id": "http://example.org/own.json",
    "properties": {
        "id": {"type": "string"},
        "inner": {"$ref": "#"},
        "same": {"$ref": "#/properties/id"},
        "kept": {"$ref": "#/definitions/kept"},
        "quoted": {"$ref": "#/%64efinitions/kept"},
        "later": {"$ref": "#/$defs/later"},
        "$ref": {"const": {"$ref": "#/properties"}},
    },
    "definitions": {"kept": {"type": "integer", "maximum": 3}, "definitions": {"$ref": "#/definitions/kept"}},
    "$defs": {"later": {"$ref": "#/definitions/definitions"}},
}
"""A schema that refers in every way to parts of itself."""


@pytest.mark.parametrize("dialect", [None, "https://json-schema.org/draft/2019-09/schema", DRAFT_2020_12])
def test_references_lead_to_where_they_led(dialect):
    schema = {**SELF, **({"$schema": dialect} if dialect else {})}
    bundled = event_schema(contract(schema))
    assert has_only_pointers(bundled)
    assert bundled["$schema"] == dialect or dialect is None
    assert [pointer for pointer, each in walk(bundled) if isinstance(each, dict) and "$id" in each] == [""]
    whole = compile_schema(bundled)
    right = {"id": "1", "same": "2", "kept": 3, "quoted": 3, "later": 3, "$ref": {"$ref": "#/properties"}}
    assert whole.is_valid({**EVENT, "payload": {**right, "inner": right}})
    for name, wrong in {"id": 1, "same": 1, "kept": 4, "quoted": 4, "later": 4, "inner": {"id": 1}, "$ref": 1}.items():
        assert not whole.is_valid({**EVENT, "payload": {**right, name: wrong}}), name


@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_says_whether_the_version_is_deprecated(lifecycle):
    bundled = event_schema(contract({"type": "object", "description": "Made."}, lifecycle=lifecycle))
    assert ("deprecated" in bundled) == (lifecycle in (Lifecycle.DEPRECATED, Lifecycle.RETIRED))
    assert (bundled["title"], bundled["description"]) == ("ThingMadeV1", "Made.")
    assert bundled["$id"] == "urn:jobarium-events:thing.made:v1"


def test_a_contracts_own_schema_is_left_as_it_is():
    made = contract(SELF)
    before = made.schema_json
    event_schema(made)["properties"]["payload"]["properties"]["id"]["type"] = "integer"
    assert made.schema_json == before
    assert event_schema(made)["properties"]["payload"]["properties"]["id"]["type"] == "string"

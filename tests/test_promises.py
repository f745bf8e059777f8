"""Promises that hold across modules: one verdict, one key, one order of checks, whichever way an event takes."""

import json

import pytest

from jobarium_events import Consumer, Event, Outcome, Producer
from jobarium_events.errors import ConsumptionGap, Malformed, PayloadRefused, Rejection, UnknownEvent
from tests import folders
from tests.strategies import BUNDLED, event_of, sample

NODE = {"type": "object", "properties": {"next": {"$ref": "#/definitions/node"}}}


def nested(levels: int) -> dict:
    document: dict = {}
    for _ in range(levels):
        document = {"next": document}
    return document


def test_depth_has_one_verdict_for_a_recursive_schema(tmp_path):
    schema = {**folders.schema({"id": folders.TEXT}, n=NODE), "definitions": {"node": NODE}}
    catalog = folders.one(tmp_path, schema, key="{id}", lines='introduced = "1"')
    entry = catalog.entry("thing.made", "v1")
    assert entry.engine == "msgspec"
    assert not entry.is_typed
    deep, shallow = {"id": "a", "n": nested(100)}, {"id": "a", "n": nested(10)}
    producer = Producer(catalog, name="maker")
    assert entry.open.is_valid(shallow)
    raw = producer.prepare("thing.made", shallow).body
    assert not entry.open.is_valid(deep)
    with pytest.raises(PayloadRefused):
        producer.prepare("thing.made", deep)
    consumer = Consumer(catalog, name="taker")
    consumer.on("thing.made", "v1")(lambda event: None)
    document = json.loads(raw)
    for _ in range(2):
        assert consumer.consume(raw) is Outcome.HANDLED
        with pytest.raises(Rejection):
            consumer.consume(json.dumps({**document, "payload": deep}).encode())


@pytest.mark.parametrize("payload", [{"id": "a"}, {"id": "a", "per": "x"}])
def test_a_replay_keeps_its_ordering_key(tmp_path, payload):
    schema = folders.schema({"id": folders.TEXT}, per=folders.TEXT)
    lines = 'introduced = "1"\nordering = { per = "per", by = "id" }'
    producer = Producer(folders.one(tmp_path, schema, key="{id}", lines=lines), name="maker")
    message = producer.prepare("thing.made", payload)
    assert message.ordering_key == payload.get("per")
    assert producer.prepare_replay(message.body).ordering_key == message.ordering_key


def test_nothing_is_read_of_what_is_too_large():
    seen = []
    consumer = Consumer(BUNDLED, name="taker", max_bytes=2000)
    consumer.on("billing.usage.updated", "v2")(lambda event: None)

    @consumer.upcast("billing.usage.updated", "v1", "v2")
    def forward(payload: dict) -> dict:
        seen.append(payload)
        return {**payload, "delta": 1, "source_event_id": "s"}

    contract = BUNDLED.contract("billing.usage.updated", "v1")
    raw = json.dumps(event_of(contract, sample(contract))).encode()
    assert consumer.consume(raw) is Outcome.HANDLED
    assert len(seen) == 1
    with pytest.raises(Malformed, match="larger than 2000 bytes"):
        consumer.consume(raw + b" " * 2000)
    with pytest.raises(Malformed, match="not JSON"):
        consumer.consume(raw[:-1] + b',"more":"\xff"}')
    assert len(seen) == 1


def test_otherwise_gets_nothing_that_breaks_a_contract():
    got = []
    consumer = Consumer(BUNDLED, name="taker", strict=False)
    consumer.on("billing.usage.updated", "v2")(lambda event: None)

    @consumer.otherwise
    def rest(event: Event[dict]) -> None:
        got.append(event)

    contract = BUNDLED.contract("billing.usage.updated", "v1")
    document = event_of(contract, sample(contract))
    assert consumer.consume(json.dumps(document).encode()) is Outcome.HANDLED
    assert got.pop().payload == document["payload"]
    for change in ({"payload": {}}, {"producer": "somebody-else"}):
        with pytest.raises(Rejection):
            consumer.consume(json.dumps({**document, **change}).encode())
    assert got == []


def test_an_upcast_that_leads_nowhere_is_a_gap():
    consumer = Consumer(BUNDLED, name="taker")
    consumer.upcast("billing.usage.updated", "v1", "v2")(lambda payload: payload)
    with pytest.raises(ConsumptionGap, match="has neither handler nor upcast"):
        consumer.verify()


def test_an_upcast_to_a_version_that_the_catalog_lacks_is_not_taken():
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on("job.updated", "v3")(lambda event: None)
    consumer.upcast("job.updated", "v1", "v3")(lambda payload: payload)
    contract = BUNDLED.contract("job.updated", "v1")
    with pytest.raises(Rejection, match="unknown-version"):
        consumer.consume(json.dumps(event_of(contract, sample(contract))).encode())


def test_a_contract_is_not_changed_through_its_schema():
    contract = BUNDLED.contract("job.updated", "v1")
    contract.schema["properties"].clear()
    assert "status" in contract.schema["properties"]


def test_what_was_on_the_wire_is_shown_with_care():
    text = str(UnknownEvent("a\x1b[31m\nforged", "v" + "1" * 5000))
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) < 300

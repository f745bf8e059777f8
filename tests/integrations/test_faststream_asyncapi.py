"""FastStream's AsyncAPI page shows the contracts' schemas; no server is needed for it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from faststream.specification import AsyncAPI

from jobarium_events import Consumer, Event, Producer
from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream import FastStreamTransport, attach
from jobarium_events.payloads import JobUpdatedV1
from tests.folders import TEXT, one
from tests.integrations.faststream_brokers import CATALOG, KINDS, job
from tests.integrations.test_faststream_refusals import nowhere

NEEDED = {"nats": {"stream": "EVENTS"}}


def page(broker: Any) -> Any:
    return json.loads(AsyncAPI(broker).to_specification().to_json())


def resolved(page: Any, value: Any) -> Any:
    while "$ref" in value:
        target = page
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        value = target
    return value


def consumer() -> Consumer:
    consumer = Consumer(CATALOG, name="matching-service")

    @consumer.on(JobUpdatedV1)
    def refresh(event: Event[JobUpdatedV1]) -> None: ...

    return consumer


@pytest.mark.parametrize("kind", KINDS)
def test_a_consumer_shows_what_it_handles_at_its_address(kind):
    broker = nowhere(kind)
    attach(broker, consumer(), "job.updated", **NEEDED.get(kind, {}))
    shown = page(broker)
    [channel] = shown["channels"].values()
    [message] = channel["messages"].values()
    schema = resolved(shown, resolved(shown, message)["payload"])
    assert channel["address"] == "job.updated"
    assert channel["description"] == "Events for matching-service."
    assert schema["title"] == "JobUpdatedV1"
    assert schema["properties"]["event_name"] == {"const": "job.updated"}
    assert schema["properties"]["producer"] == {"const": "job-service"}
    jsonschema.validate(json.loads(job("job-1", 1).body), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(job("job-1", 1).body), "payload": {"job_id": 7}}, schema)


@pytest.mark.parametrize("kind", KINDS)
def test_a_transport_shows_what_a_producer_emits(kind):
    broker = nowhere(kind)
    FastStreamTransport(broker, **NEEDED.get(kind, {})).describe(Producer(CATALOG, name="billing-service"))
    shown = page(broker)
    [channel] = shown["channels"].values()
    [message] = channel["messages"].values()
    payload = resolved(shown, resolved(shown, message)["payload"])
    titles = [resolved(shown, each)["title"] for each in payload["oneOf"]]
    assert channel["address"] == "billing.usage.updated"
    assert titles == ["BillingUsageUpdatedV1", "BillingUsageUpdatedV2"]


def test_handlers_that_come_after_it_was_attached_are_shown_as_well():
    broker = nowhere("nats")
    late = Consumer(CATALOG, name="analytics-service")
    attach(broker, late, "events.>", stream="EVENTS")
    for event in ("invite.created", "invite.expired"):
        late.on(event, "v1")(lambda event: None)
    assert {"InviteCreatedV1", "InviteExpiredV1"} <= page(broker)["components"]["schemas"].keys()


def test_a_destination_named_after_an_event_shows_only_that_event():
    broker = nowhere("nats")
    both = consumer()
    both.on("invite.created", "v1")(lambda event: None)
    attach(broker, both, "invite.created", stream="EVENTS")
    assert page(broker)["components"]["schemas"].keys() == {"InviteCreatedV1"}


def test_a_destination_that_is_a_function_is_shown_with_its_ordering_key():
    broker = nowhere("nats")
    transport = FastStreamTransport(broker, destination=lambda message: f"jobs.{message.ordering_key}", stream="EVENTS")
    transport.describe(Producer(CATALOG, name="job-service"))
    [channel] = page(broker)["channels"].values()
    assert channel["address"] == "jobs.{job_id}"


def test_a_producer_that_emits_nothing_is_not_described():
    with pytest.raises(DeclarationError, match="'nobody' owns no contract"):
        FastStreamTransport(nowhere("redis")).describe(Producer(CATALOG, name="nobody"))


@pytest.mark.parametrize("kind", KINDS)
def test_references_within_a_schema_lead_to_where_it_is_shown(tmp_path, kind):
    catalog = one(
        tmp_path,
        {
            "type": "object",
            "required": ["id"],
            "properties": {"id": TEXT, "total": {"$ref": "#/$defs/money"}, "parts": {"items": {"$ref": "#"}}},
            "$defs": {"money": {"type": "object", "properties": {"cents": {"$ref": "#/definitions/count"}}}},
            "definitions": {"count": {"type": "integer"}},
        },
    )
    consumer = Consumer(catalog, name="taker")
    consumer.on("thing.made", "v1")(lambda event: None)
    broker = nowhere(kind)
    attach(broker, consumer, "thing.made", **NEEDED.get(kind, {}))
    shown = page(broker)
    payload = {"$ref": "#/components/schemas/ThingMadeV1/properties/payload"}
    accepts = jsonschema.Draft7Validator({**payload, "components": shown["components"]}).is_valid
    assert accepts({"id": "a", "total": {"cents": 7}, "parts": [{"id": "b"}]})
    assert not accepts({"id": "a", "total": {"cents": "7"}})
    assert not accepts({"id": "a", "parts": [{}]})

"""What becomes of events is counted, by the names of the conventions."""

import json
from typing import Any

import pytest
from opentelemetry.semconv._incubating.attributes import messaging_attributes
from opentelemetry.semconv._incubating.metrics import messaging_metrics

from jobarium_events import Consumer, Event, Message, Producer
from jobarium_events.counters import VersionCounters
from jobarium_events.errors import PayloadRefused, UnknownEvent
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.testing import InMemoryTransport
from tests.integrations.opentelemetry.conftest import JOB, maker, taker
from tests.strategies import BUNDLED

NAMES = {"jobarium.event.name": "job.updated", "jobarium.event.version": "v1"}
OTHER = dict.fromkeys(NAMES, "_OTHER")


def test_what_becomes_of_events_is_counted(watched, telemetry):
    calls: list[Any] = []

    def handle(event: Event[JobUpdatedV1]) -> None:
        calls.append(event)
        if len(calls) == 3:
            raise RuntimeError

    consumer = taker(telemetry, handle)
    message = Producer(BUNDLED, name="job-service").prepare("job.updated", JOB)
    for _ in range(2):
        consumer.consume(message.body)
    with pytest.raises(RuntimeError):
        consumer.consume(message.body)
    consumer.consume(message.body.replace(b"job.updated", b"qa.submitted"))
    for number in range(3):
        with pytest.raises(UnknownEvent):
            consumer.consume(message.body.replace(b"job.updated", b"made.up.%d" % number))
    assert watched.counted("messaging.client.consumed.messages") == [
        ({**NAMES, "jobarium.outcome": "handled"}, 2),
        ({**NAMES, "jobarium.reason": "error", "error.type": "error"}, 1),
        (
            {
                "jobarium.event.name": "qa.submitted",
                "jobarium.event.version": "v1",
                "jobarium.outcome": "skipped",
                "jobarium.reason": "no-handler",
            },
            1,
        ),
        ({**OTHER, "jobarium.reason": "unknown-event", "error.type": "unknown-event"}, 3),
    ]
    durations = watched.points["messaging.process.duration"]
    assert [point.count for point in durations] == [2, 1, 1, 3]
    assert durations[0].explicit_bounds[0] == 0.005
    assert durations[0].attributes["messaging.consumer.group.name"] == "taker"


def test_what_is_emitted_is_counted_and_what_is_refused_apart(watched, telemetry):
    def broken(_: Message) -> None:
        raise OSError

    producer = maker(telemetry, lambda _: None)
    producer.emit("job.updated", JOB)
    producer.emit("job.updated", JOB)
    with pytest.raises(PayloadRefused):
        producer.emit("job.updated", {})
    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        maker(telemetry, broken).emit("job.updated", JOB)
    assert watched.counted("messaging.client.sent.messages") == [
        (NAMES, 2),
        ({**NAMES, "jobarium.reason": "error", "error.type": "error"}, 1),
    ]
    refused = {**NAMES, "jobarium.reason": "invalid-payload", "error.type": "invalid-payload"}
    assert watched.counted("jobarium.client.refused.messages") == [(refused, 1)]
    assert [point.count for point in watched.points["messaging.client.operation.duration"]] == [2, 1, 1]


async def test_what_goes_through_an_outbox_is_counted_as_it_is_prepared_and_as_it_is_published(watched, telemetry):
    class Away:
        async def asend(self, message: Message) -> None:
            raise ConnectionError

    prepared = maker(telemetry).prepare("job.updated", JOB)
    with pytest.raises(PayloadRefused):
        maker(telemetry).prepare("job.updated", {})
    await telemetry.instrument(InMemoryTransport()).asend(prepared)
    with pytest.raises(ConnectionError):
        await telemetry.instrument(Away()).asend(prepared)
    refused = {**NAMES, "jobarium.reason": "invalid-payload", "error.type": "invalid-payload"}
    assert watched.counted("jobarium.client.prepared.messages") == [(NAMES, 1)]
    assert watched.counted("jobarium.client.refused.messages") == [(refused, 1)]
    assert watched.counted("messaging.client.sent.messages") == [
        (NAMES, 1),
        ({**NAMES, "jobarium.reason": "error", "error.type": "error"}, 1),
    ]
    operations = watched.points["messaging.client.operation.duration"]
    assert [point.attributes["messaging.operation.name"] for point in operations] == [
        "prepare", "prepare", "publish", "publish",
    ]  # fmt: skip


def test_it_counts_where_it_does_not_trace(watched, telemetry):
    consumer = Consumer(BUNDLED, name="taker", hooks=[telemetry])
    consumer.on(JobUpdatedV1)(lambda event: None)
    message = Producer(BUNDLED, name="job-service").prepare("job.updated", JOB)
    with watched.tracer.start_as_current_span("of the service"):
        consumer.consume(message.body)
    assert dict(watched.spans["of the service"].attributes) == {}
    assert watched.counted("messaging.client.consumed.messages") == [({**NAMES, "jobarium.outcome": "handled"}, 1)]


def test_counters_for_retirement_stand_beside_it(watched, telemetry, tmp_path):
    counters = VersionCounters("taker", BUNDLED)
    consumer = Consumer(BUNDLED, name="taker", hooks=[telemetry, counters])
    consumer.on(JobUpdatedV1)(lambda event: None)
    message = Producer(BUNDLED, name="job-service").prepare("job.updated", JOB)
    telemetry.instrument(consumer).consume(message.body, message.attributes)
    counters.write(tmp_path / "counters.json")
    counts = json.loads((tmp_path / "counters.json").read_text())["counts"]
    assert {count["event"]: count["consumed"] for count in counts if count["consumed"]} == {"job.updated": 1}
    assert watched.counted("messaging.client.consumed.messages")[0][1] == 1


def test_names_are_those_of_the_conventions(watched, telemetry):
    known = {
        value
        for module in (messaging_attributes, messaging_metrics)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    message = maker(telemetry, lambda _: None).emit("job.updated", JOB, correlation_id="cor")
    taker(telemetry).consume(message.body, message.attributes)
    used = {name for span in watched.spans.values() for name in span.attributes}
    used |= set(watched.points) | {
        name for each in watched.points.values() for point in each for name in point.attributes
    }
    assert {name for name in used if not name.startswith("jobarium.")} <= known
    assert {name for name in used if name.startswith("messaging.")}

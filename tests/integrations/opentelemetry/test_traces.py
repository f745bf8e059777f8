"""One trace leads from emit over a relay to the consumer."""

import asyncio
import json
import subprocess
import sys
from collections import deque
from typing import Any

import psycopg
import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from jobarium_events import Consumer, Event, Message, Outcome, Producer
from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.opentelemetry import Telemetry
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.postgres import Outbox, Relay
from jobarium_events.testing import InMemoryTransport, captured
from tests.integrations.opentelemetry.conftest import JOB, context_of, ids, maker, taker
from tests.strategies import BUNDLED


class Rows:
    """What an outbox does to a message: it is kept as text, and another process publishes it later."""

    def __init__(self) -> None:
        self.rows: deque[str] = deque()

    def add(self, message: Message) -> None:
        self.rows.append(json.dumps([message.body.decode(), dict(message.attributes), message.ordering_key]))

    async def relay(self, transport: Any) -> None:
        while self.rows:
            body, attributes, key = json.loads(self.rows.popleft())
            await transport.asend(Message(body.encode(), attributes, key))


async def test_one_trace_leads_over_an_outbox_to_the_consumer_and_what_it_emits(watched, telemetry):
    outbox, transport, answers = Rows(), telemetry.instrument(InMemoryTransport()), []
    producer = maker(telemetry)
    answering = maker(telemetry, answers.append)
    consumer = taker(telemetry, lambda event: answering.emit("job.updated", JOB))
    transport.subscribe(consumer)
    with watched.tracer.start_as_current_span("request"):
        outbox.add(producer.prepare("job.updated", JOB))
    await outbox.relay(transport)
    (delivery,) = transport.deliver()
    assert delivery.outcome is Outcome.HANDLED
    spans = watched.spans
    assert list(spans) == [
        "prepare job.updated",
        "request",
        "publish job.updated",
        "emit job.updated",
        "consume job.updated",
    ]
    assert {span.context.trace_id for span in spans.values()} == {spans["request"].context.trace_id}
    parents = {name: span.parent and format(span.parent.span_id, "016x") for name, span in spans.items()}
    made = ids(spans["prepare job.updated"])[1]
    assert parents == {
        "request": None,
        "prepare job.updated": ids(spans["request"])[1],
        "publish job.updated": made,
        "consume job.updated": made,
        "emit job.updated": ids(spans["consume job.updated"])[1],
    }
    trace_id = ids(spans["request"])[0]
    assert [json.loads(each.body)["trace_id"] for each in (delivery.message, answers[0])] == [trace_id, trace_id]
    assert context_of(answers[0]) == ids(spans["emit job.updated"])


async def test_the_trace_goes_through_the_outbox_in_postgres(watched, telemetry, postgres):
    transport = telemetry.instrument(InMemoryTransport())
    transport.subscribe(taker(telemetry))
    outbox = Outbox(schema=postgres.schema)
    with psycopg.connect(postgres.url) as connection:
        connection.execute(outbox.tables)
        with watched.tracer.start_as_current_span("request"):
            outbox.add(connection, maker(telemetry).prepare("job.updated", JOB))
    assert (await Relay(postgres.url, transport, outbox=outbox).drain()).published == 1
    transport.deliver()
    assert list(watched.spans) == ["prepare job.updated", "request", "publish job.updated", "consume job.updated"]
    assert len({span.context.trace_id for span in watched.spans.values()}) == 1


async def test_what_each_span_says(watched, telemetry):
    transport = telemetry.instrument(InMemoryTransport())
    producer = maker(telemetry)
    message = producer.prepare("job.updated", JOB, correlation_id="cor")
    await transport.asend(message)
    transport.subscribe(taker(telemetry))
    transport.deliver()
    shared = {
        "messaging.system": "kafka",
        "jobarium.event.name": "job.updated",
        "jobarium.event.version": "v1",
        "messaging.message.id": message.attributes["event_id"],
        "messaging.message.conversation_id": "cor",
        "messaging.message.body.size": len(message.body),
    }
    assert {name: (span.kind, dict(span.attributes)) for name, span in watched.spans.items()} == {
        "prepare job.updated": (
            SpanKind.PRODUCER,
            shared | {"messaging.operation.name": "prepare", "messaging.operation.type": "create"},
        ),
        "publish job.updated": (
            SpanKind.CLIENT,
            shared | {"messaging.operation.name": "publish", "messaging.operation.type": "send"},
        ),
        "consume job.updated": (
            SpanKind.CONSUMER,
            shared
            | {
                "messaging.operation.name": "consume",
                "messaging.operation.type": "process",
                "jobarium.outcome": "handled",
            },
        ),
    }


async def test_emit_is_one_span_and_its_message_carries_it(watched, telemetry):
    sent: list[Message] = []

    async def asend(message: Message) -> None:
        sent.append(message)

    maker(telemetry, sent.append).emit("job.updated", JOB)
    await maker(telemetry, asend).aemit("job.updated", JOB)
    spans = watched._exporter.get_finished_spans()
    assert [context_of(each) for each in sent] == [ids(each) for each in spans]
    assert [json.loads(each.body)["trace_id"] for each in sent] == [ids(each)[0] for each in spans]
    assert {span.kind for span in spans} == {SpanKind.PRODUCER}


async def test_async_handlers_run_within_the_trace(watched, telemetry):
    seen: list[Any] = []
    consumer = Consumer(BUNDLED, name="taker", hooks=[telemetry])

    @consumer.on(JobUpdatedV1)
    async def take(event: Event[JobUpdatedV1]) -> None:
        await asyncio.sleep(0)
        seen.append(trace.get_current_span().get_span_context())

    message = maker(telemetry).prepare("job.updated", JOB)
    assert await telemetry.instrument(consumer).aconsume(message.body, message.attributes) is Outcome.HANDLED
    assert format(seen[0].trace_id, "032x") == context_of(message)[0]
    assert seen[0].span_id == watched.spans["consume job.updated"].context.span_id


def test_a_message_without_a_trace_goes_on_with_the_running_one(watched, telemetry):
    message = Producer(BUNDLED, name="job-service").prepare("job.updated", JOB)
    with watched.tracer.start_as_current_span("push"):
        taker(telemetry).consume(message.body)
    assert ids(watched.spans["consume job.updated"])[0] == ids(watched.spans["push"])[0]
    assert not watched.spans["consume job.updated"].links


def test_a_message_with_a_trace_is_linked_to_the_running_one(watched, telemetry):
    message = maker(telemetry).prepare("job.updated", JOB)
    with watched.tracer.start_as_current_span("push"):
        taker(telemetry).consume(message.body, message.attributes)
    consumed = watched.spans["consume job.updated"]
    assert ids(consumed)[0] == context_of(message)[0]
    assert [ids(link) for link in consumed.links] == [ids(watched.spans["push"])]


@pytest.mark.parametrize("traceparent", ["", "junk", f"00-{'0' * 32}-{'b' * 16}-01", "00-" + "a" * 70])
def test_a_trace_that_is_none_is_ignored(watched, telemetry, traceparent):
    message = Producer(BUNDLED, name="job-service").prepare("job.updated", JOB)
    attributes = {**message.attributes, "traceparent": traceparent}
    assert taker(telemetry).consume(message.body, attributes) is Outcome.HANDLED
    assert watched.spans["consume job.updated"].parent is None


def test_a_replay_begins_a_trace_that_is_linked_to_the_old_one(watched, telemetry):
    sent: list[Message] = []
    before = maker(telemetry).prepare("job.updated", JOB)
    maker(telemetry, sent.append).replay(before.body, before.attributes)
    replayed = watched.spans["emit job.updated"]
    assert context_of(sent[0]) == ids(replayed)
    assert ids(replayed)[0] != context_of(before)[0]
    assert [ids(link) for link in replayed.links] == [context_of(before)]
    assert json.loads(sent[0].body)["trace_id"] == context_of(before)[0]
    taker(telemetry).consume(sent[0].body, sent[0].attributes)
    consumed = watched.spans["consume job.updated"]
    assert consumed.parent is None
    assert [ids(link) for link in consumed.links] == [ids(replayed)]
    assert consumed.attributes["jobarium.replay"] is True


async def test_every_way_to_replay_is_traced(watched, telemetry):
    before = maker(telemetry).prepare("job.updated", JOB)
    prepared = maker(telemetry).prepare_replay(before.body, before.attributes)
    assert prepared.attributes["replay"] == "true"
    assert context_of(prepared) != context_of(before)
    sent: list[Message] = []
    await maker(telemetry, sent.append).areplay(before.body, before.attributes)
    assert context_of(sent[0])[0] == ids(watched.spans["emit job.updated"])[0] != context_of(before)[0]


async def test_a_transport_gives_a_trace_to_a_message_that_has_none(watched, telemetry):
    transport = telemetry.instrument(InMemoryTransport())
    await transport.asend(Producer(BUNDLED, name="job-service").prepare("job.updated", JOB))
    published = watched.spans["publish job.updated"]
    assert context_of(transport.sent[0]) == ids(published)
    assert published.kind is SpanKind.PRODUCER


async def test_a_prepared_message_that_its_producer_sends_keeps_its_trace(watched, telemetry):
    sent: list[Message] = []
    producer = maker(telemetry, sent.append)
    message = producer.prepare("job.updated", JOB)
    producer.send(message)
    assert sent == [message]


def test_without_a_tracer_that_records_nothing_is_added():
    telemetry = Telemetry(BUNDLED, tracer_provider=trace.NoOpTracerProvider())
    sent: list[Message] = []
    message = maker(telemetry, sent.append).emit("job.updated", JOB)
    assert sent == [message]
    assert "traceparent" not in message.attributes
    assert message.attributes["trace_id"] == message.attributes["event_id"].replace("-", "")
    assert taker(telemetry).consume(message.body, message.attributes) is Outcome.HANDLED


def test_what_is_captured_in_a_test_is_sent_nowhere(telemetry):
    sent: list[Message] = []
    producer = maker(telemetry, sent.append)
    with captured(producer) as messages:
        producer.emit("job.updated", JOB)
    producer.emit("job.updated", JOB)
    assert (len(messages), len(sent)) == (1, 1)


def test_what_can_not_be_traced_is_said(telemetry):
    with pytest.raises(DeclarationError, match="give a Producer, a Consumer, or a transport"):
        telemetry.instrument(object())


def test_without_the_extra_it_says_which_one():
    code = "import sys; sys.modules['opentelemetry'] = None; import jobarium_events.integrations.opentelemetry"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert done.stderr.splitlines()[-1].endswith("opentelemetry is missing: pip install 'jobarium-events[otel]'")

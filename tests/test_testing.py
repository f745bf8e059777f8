"""The transport within the process, and captured messages."""

import pytest

from jobarium_events import Consumer, Event, Outcome, Producer
from jobarium_events.errors import InvalidPayload
from jobarium_events.payloads import InviteExpiredV1, JobUpdatedV1
from jobarium_events.testing import InMemoryTransport, captured
from tests.strategies import BUNDLED, sample

JOB = sample(BUNDLED.contract("job.updated", "v1"))
INVITE = sample(BUNDLED.contract("invite.expired", "v1"))


@pytest.fixture
def transport():
    return InMemoryTransport()


@pytest.fixture
def producer(transport):
    return Producer(BUNDLED, name="job-service", send=transport.send)


def consumer_of(name, handler, kind=JobUpdatedV1):
    consumer = Consumer(BUNDLED, name=name)
    consumer.on(kind)(handler)
    return consumer


async def test_every_consumer_gets_every_message_in_order(transport, producer):
    got = []
    transport.subscribe(consumer_of("one", got.append), consumer_of("two", got.append))
    messages = [producer.emit("job.updated", JOB | {"job_version": version}) for version in (1, 2)]
    assert transport.sent == messages
    deliveries = transport.deliver()
    assert [(each.message, each.consumer, each.outcome, each.error) for each in deliveries] == [
        (message, name, Outcome.HANDLED, None) for message in messages for name in ("one", "two")
    ]
    assert [event.payload.job_version for event in got] == [1, 1, 2, 2]
    assert transport.deliver() == await transport.adeliver() == []


async def test_what_handlers_send_is_delivered_too(transport, producer):
    other = Producer(BUNDLED, name="automation-service", send=transport.asend)
    got = []

    async def pass_on(event: Event[JobUpdatedV1]) -> None:
        await other.aemit("invite.expired", INVITE)

    transport.subscribe(consumer_of("one", pass_on), consumer_of("two", got.append, InviteExpiredV1))
    producer.emit("job.updated", JOB)
    outcomes = [(each.consumer, each.outcome) for each in await transport.adeliver()]
    assert outcomes == [("one", "handled"), ("two", "skipped"), ("one", "skipped"), ("two", "handled")]
    assert len(got) == 1


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_consumer_that_raises_gets_it_again(transport, producer, asynchronous):
    failures = [OSError("first"), OSError("second")]

    def failing(event):
        if failures:
            raise failures.pop(0)

    transport.subscribe(consumer_of("one", failing))
    expected = list(failures)
    producer.emit("job.updated", JOB)
    deliveries = await transport.adeliver() if asynchronous else transport.deliver()
    assert [each.error for each in deliveries] == [*expected, None]
    assert [each.outcome for each in deliveries] == [None, None, Outcome.HANDLED]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_attempts_end(producer, asynchronous):
    transport = InMemoryTransport(attempts=2)
    producer.send = transport.send

    def failing(event):
        raise OSError("again")

    transport.subscribe(consumer_of("one", failing))
    message = producer.emit("job.updated", JOB)
    assert len(await transport.adeliver() if asynchronous else transport.deliver()) == 2
    broken = type(message)(message.body.replace(b'"job_version":1', b'"job_version":"x"'), message.attributes)
    transport.send(broken)
    rejected = await transport.adeliver() if asynchronous else transport.deliver()
    assert [type(each.error) for each in rejected] == [InvalidPayload]


@pytest.mark.parametrize("attributes", [None, {"replay": "true"}])
def test_attributes_are_carried(transport, producer, attributes):
    got = []
    transport.subscribe(consumer_of("one", got.append))
    message = producer.prepare("job.updated", JOB)
    producer.replay(message.body) if attributes else transport.send(message)
    transport.deliver()
    assert [event.replay for event in got] == [attributes is not None]


def test_captured_restores_what_was_there(transport, producer):
    other = Producer(BUNDLED, name="automation-service")
    with captured(producer, other) as messages:
        producer.emit("job.updated", JOB)
        other.emit("invite.expired", INVITE)
        with captured(producer) as inner:
            producer.emit("job.updated", JOB)
        producer.emit("job.updated", JOB)
    assert [len(messages), len(inner), len(transport.sent)] == [3, 1, 0]
    assert other.send is None

    def failing():
        with captured(producer):
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    producer.emit("job.updated", JOB)
    assert len(transport.sent) == 1

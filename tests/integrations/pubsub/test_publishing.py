"""What is published: confirmed, ordered per key, and refused where it can never be taken."""

import asyncio
import json
from typing import Any

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from jobarium_events import Consumer, Event, Message, Producer
from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.pubsub import PubSubTransport, Undeliverable
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.transports import Refused
from tests.integrations.pubsub.conftest import Pulling, job, until
from tests.strategies import BUNDLED


async def test_what_is_sent_is_consumed_with_its_attributes(place):
    message = job(tenant_id="Zürich")
    sent = Message(message.body, {**message.attributes, "replay": "true"}, message.ordering_key)
    got: list[tuple[Event[Any], bool]] = []
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on(JobUpdatedV1)(lambda event: got.append((event, event.replay)))
    await place.transport.asend(sent)
    with Pulling(place, consumer):
        await asyncio.to_thread(until, lambda: got)
    assert str(got[0][0].event_id) == message.attributes["event_id"]
    assert got[0][0].tenant_id == "Zürich"
    assert got[0][1] is True


async def test_the_message_carries_attributes_and_ordering_key(fake):
    message = job()
    await fake.transport.asend(message)
    kept = fake.fake.published[0]
    assert (kept.data, dict(kept.attributes), kept.ordering_key) == (message.body, message.attributes, "j-7")


async def test_a_producer_sends_by_it(fake):
    sender = Producer(BUNDLED, name="job-service", send=fake.transport.asend)
    message = await sender.aemit("job.updated", json.loads(job().body)["payload"])
    assert fake.fake.published[0].data == message.body


async def test_order_is_kept_per_key(place):
    transport = place.transport
    got: dict[str, list[int]] = {}
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    def take(event: Event[JobUpdatedV1]) -> None:
        got.setdefault(event.payload.job_id, []).append(event.payload.job_version)

    async def send(job_id: str) -> None:
        for number in range(1, 9):
            await transport.asend(job(number, job_id=job_id))

    await asyncio.gather(*(send(f"j-{each}") for each in range(5)))
    with Pulling(place, consumer):
        await asyncio.to_thread(until, lambda: sum(map(len, got.values())) == 40)
    assert got == {f"j-{each}": list(range(1, 9)) for each in range(5)}


@pytest.mark.parametrize(
    ("status", "kind"),
    [("NOT_FOUND", Undeliverable), ("PERMISSION_DENIED", Undeliverable), ("INVALID_ARGUMENT", Refused)],
)
async def test_only_what_is_wrong_with_a_message_is_refused_and_its_key_goes_on(fake, status, kind):
    fake.fake.refuse = lambda message: getattr(grpc.StatusCode, status) if b'"job_version":1,' in message.data else None
    with pytest.raises(kind) as failed:
        await fake.transport.asend(job(1))
    assert fake.topic in str(failed.value)
    await fake.transport.asend(job(2))
    assert [json.loads(each.data)["payload"]["job_version"] for each in fake.fake.published] == [2]


async def test_a_topic_that_is_not_there_is_sent_to_once_it_is(place):
    transport = PubSubTransport(place.publisher, topic=f"{place.topic}-not")
    with pytest.raises(Undeliverable, match=f"^{place.topic}-not: there is no such topic$"):
        await transport.asend(job())
    place.publisher.create_topic(name=f"{place.topic}-not")
    await transport.asend(job())


async def test_what_may_succeed_later_is_raised_and_its_key_goes_on(fake):
    statuses = iter([grpc.StatusCode.FAILED_PRECONDITION, None, None])
    fake.fake.refuse = lambda message: next(statuses)
    with pytest.raises(Exception, match="as the test asks for") as failed:
        await fake.transport.asend(job(1))
    assert not isinstance(failed.value, Refused)
    await fake.transport.asend(job(1))
    await fake.transport.asend(job(2))
    assert len(fake.fake.published) == 2


async def test_what_waits_behind_a_failed_message_of_its_key_fails_with_it_and_can_be_sent_again(fake):
    fake.fake.refuse = lambda message: grpc.StatusCode.FAILED_PRECONDITION
    messages = [job(number) for number in range(1, 251)]  # more than a batch holds
    failures = await asyncio.gather(*map(fake.transport.asend, messages), return_exceptions=True)
    assert all(isinstance(each, Exception) and not isinstance(each, Refused) for each in failures)
    fake.fake.refuse = lambda message: None
    await asyncio.gather(*map(fake.transport.asend, messages))
    assert [each.data for each in fake.fake.published] == [each.body for each in messages]


async def test_an_invalid_message_fails_no_other_of_its_batch(slow):
    server = slow.fake
    poison = job(13, job_id="j-13")
    server.refuse = lambda message: grpc.StatusCode.INVALID_ARGUMENT if message.data == poison.body else None
    others = [job(each, job_id=f"j-{each}") for each in range(5)]
    transport = PubSubTransport(slow.publisher, topic=slow.topic, ordered=False)
    done = await asyncio.gather(*map(transport.asend, [*others, poison]), return_exceptions=True)
    assert server.batches[0] == 6
    assert done[:5] == [None] * 5
    assert isinstance(done[5], Refused)
    assert {each.data for each in server.published} == {each.body for each in others}


async def test_the_topic_may_depend_on_the_message(fake):
    fake.publisher.create_topic(name="projects/local/topics/job.updated")
    transport = PubSubTransport(
        fake.publisher, topic=lambda message: f"projects/local/topics/{message.attributes['event_name']}"
    )
    await transport.asend(job())
    assert len(fake.fake.published) == 1
    assert not fake.fake.subscriptions[fake.subscription].waiting


@pytest.mark.parametrize(
    ("attributes", "ordering_key", "reason"),
    [
        ({"tenant_id": "é" * 513}, None, "tenant_id has more than 1024 bytes"),
        ({f"a{each}": "" for each in range(101)}, None, "more than 100 attributes"),
        ({}, "k" * 1025, "ordering key has more than 1024 bytes"),
        ({"": "x"}, None, "no attribute of the name ''"),
        ({"googclient": "x"}, None, "no attribute of the name 'googclient'"),
        ({"n" * 257: "x"}, None, "no attribute of the name 'nnn"),
        ({"timeout": "x"}, None, "no attribute of the name 'timeout'"),
    ],
)
async def test_what_breaks_a_limit_is_refused_unsent(fake, attributes, ordering_key, reason):
    with pytest.raises(Refused) as refused:
        await fake.transport.asend(Message(b"{}", attributes, ordering_key))
    assert reason in str(refused.value)
    assert "é" not in str(refused.value)
    assert fake.fake.batches == []


async def test_what_is_too_large_is_refused(fake):
    with pytest.raises(Refused, match="too large"):
        await fake.transport.asend(Message(b"x" * 10_000_001, {}))
    assert fake.fake.batches == []


def test_a_publisher_that_does_not_order_is_no_transport_for_order(fake):
    transport = PublisherGrpcTransport(
        channel=grpc.insecure_channel(fake.fake.host), credentials=AnonymousCredentials()
    )
    publisher = PublisherClient(transport=transport)
    with pytest.raises(DeclarationError, match="enable_message_ordering=True"):
        PubSubTransport(publisher, topic=fake.topic)
    PubSubTransport(publisher, topic=fake.topic, ordered=False)
    publisher.stop()
    transport.close()

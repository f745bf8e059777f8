"""Google's real client against a server: the emulator where it is found, and always one in this process."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.types import BatchSettings, PublisherOptions
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from jobarium_events import Consumer, Message, Producer
from jobarium_events.integrations.pubsub import PubSubTransport, subscribe
from tests.integrations.fake_pubsub import FakePubSub
from tests.strategies import BUNDLED

PATIENCE = 60.0


class Place(NamedTuple):
    """A topic with one subscription, and clients for them."""

    publisher: PublisherClient
    subscriber: SubscriberClient
    topic: str
    subscription: str
    fake: Any = None

    @property
    def transport(self) -> PubSubTransport:
        return PubSubTransport(self.publisher, topic=self.topic)


def place_at(host: str, project: str, fake: Any = None, latency: float = 0.005) -> Iterator[Place]:
    channels = [grpc.insecure_channel(host), grpc.insecure_channel(host)]
    publisher = PublisherClient(
        batch_settings=BatchSettings(max_latency=latency),
        publisher_options=PublisherOptions(enable_message_ordering=True),
        transport=PublisherGrpcTransport(channel=channels[0], credentials=AnonymousCredentials()),
    )
    subscriber = SubscriberClient(
        transport=SubscriberGrpcTransport(channel=channels[1], credentials=AnonymousCredentials())
    )
    topic, subscription = f"projects/{project}/topics/events", f"projects/{project}/subscriptions/taker"
    publisher.create_topic(name=topic)
    subscriber.create_subscription(
        request={"name": subscription, "topic": topic, "enable_message_ordering": True, "ack_deadline_seconds": 10}
    )
    yield Place(publisher, subscriber, topic, subscription, fake)
    publisher.stop()
    for channel in channels:
        channel.close()


@pytest.fixture
def fake() -> Iterator[Place]:
    server = FakePubSub()
    yield from place_at(server.host, "local", server)
    server.close()


@pytest.fixture
def slow() -> Iterator[Place]:
    """One whose publisher waits for a batch to fill."""
    server = FakePubSub()
    yield from place_at(server.host, "local", server, latency=0.2)
    server.close()


@pytest.fixture(params=["in this process", "emulator"])
def place(request) -> Iterator[Place]:
    if request.param == "emulator":
        server = request.getfixturevalue("pubsub")
        yield from place_at(server.url, server.name)
    else:
        yield request.getfixturevalue("fake")


producer = Producer(BUNDLED, name="job-service")


def job(number: int = 1, *, job_id: str = "j-7", **fields: Any) -> Message:
    payload = {"job_id": job_id, "job_version": number, "status": "active", "updated_at": "2026-03-01T12:00:00Z"}
    return producer.prepare("job.updated", payload, **fields)


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


class Pulling:
    """Pulls while a block runs."""

    def __init__(self, place: Place, consumer: Consumer, **options: Any) -> None:
        self.future = subscribe(place.subscriber, place.subscription, consumer, **options)

    def __enter__(self) -> Any:
        return self.future

    def __exit__(self, *_: object) -> None:
        self.future.cancel()
        self.future.exception(timeout=PATIENCE)

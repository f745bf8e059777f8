"""Google's real client against a server: the emulator where it is found, and always one in this process."""

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from google.api_core.exceptions import Aborted, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.types import BatchSettings, FlowControl, PublisherOptions
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from jobarium_events import Consumer, Event, Message, Outcome, Producer
from jobarium_events.errors import DeclarationError, Malformed
from jobarium_events.integrations.pubsub import PubSubTransport, Push, Undeliverable, apush, asubscribe, push, subscribe
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.transports import Refused
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


def page_files(project: str) -> dict[str, str]:
    page = (Path(__file__).parents[2] / "docs/brokers/pubsub.md").read_text(encoding="utf-8")
    blocks = re.findall(r'^```python title="([^"]+)"\n(.*?)^```$', page, re.DOTALL | re.MULTILINE)
    return {name: body.replace("jobarium-local", project) for name, body in blocks}


@pytest.mark.parametrize("server", ["in this process", "emulator"])
def test_the_programs_of_the_page_run(server, request, tmp_path):
    fake = FakePubSub() if server == "in this process" else None
    host, project = (fake.host, "local") if fake else request.getfixturevalue("pubsub")
    for name, body in page_files(project).items():
        (tmp_path / name).write_text(body, encoding="utf-8")
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": host, "PYTHONPATH": os.pathsep.join(sys.path[1:])}

    def start(name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, name], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, encoding="utf-8"
        )

    for name, printed in {"create.py": "created\n", "publish.py": "published\n"}.items():
        assert start(name).communicate(timeout=PATIENCE)[0] == printed
    receiving = start("receive.py")
    try:
        assert [receiving.stdout.readline() for _ in range(3)] == [f"j-7 version {each}\n" for each in (1, 2, 3)]
        receiving.send_signal(signal.SIGINT)
        assert receiving.communicate(timeout=PATIENCE)[0] == "stopped\n"
    finally:
        receiving.kill()
    if fake:
        assert not fake.subscriptions[f"projects/{project}/subscriptions/matching-service"].out
        fake.close()


# -- publishing ------------------------------------------------------------------------------------------------------


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


# -- pulling ---------------------------------------------------------------------------------------------------------


async def test_each_outcome_is_acknowledged(fake):
    letters: list[Any] = []
    outcomes: list[Outcome | None] = []

    class Hook:
        def consumed(self, details):
            outcomes.append(details.outcome)

    consumer = Consumer(BUNDLED, name="taker", dead_letters=letters.append, hooks=[Hook()])
    consumer.on(JobUpdatedV1)(lambda event: None)
    other = Producer(BUNDLED, name="qa-service").prepare(
        "qa.submitted",
        dict.fromkeys(("session_id", "invite_id", "job_id", "candidate_id"), "x")
        | {"submitted_at": "2026-03-01T12:00:00Z"},
    )
    for message in (job(), other, Message(b"no event", {})):
        await fake.transport.asend(message)
    subscription = fake.fake.subscriptions[fake.subscription]
    with Pulling(fake, consumer):
        await asyncio.to_thread(until, lambda: not subscription.waiting and not subscription.out)
    assert sorted(map(str, outcomes)) == ["dead-lettered", "handled", "skipped"]
    assert letters[0].raw == b"no event"
    assert set(subscription.attempts.values()) == {1}


async def test_what_a_handler_fails_at_is_delivered_again(place, caplog):
    failed: list[int] = []
    handled: list[int] = []
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    def take(event: Event[JobUpdatedV1]) -> None:
        if event.payload.job_version == 1 and len(failed) < 3:
            failed.append(1)
            raise RuntimeError("not yet")
        handled.append(event.payload.job_version)

    await place.transport.asend(job(1))
    await place.transport.asend(job(2))
    with Pulling(place, consumer):
        await asyncio.to_thread(until, lambda: {1, 2} <= set(handled))
    assert handled.count(1) == 1  # and the later one of its key may come before it, and again after it
    ours = [record for record in caplog.records if record.name == "jobarium_events"]
    assert len(ours) == 3
    assert "will be delivered again" in ours[0].getMessage()


async def test_what_a_handler_fails_at_too_often_is_dead_lettered(fake):
    letters: list[Any] = []
    handled: list[int] = []
    failed: list[int] = []
    consumer = Consumer(BUNDLED, name="taker", dead_letters=letters.append, attempts=3)

    @consumer.on(JobUpdatedV1)
    def take(event: Event[JobUpdatedV1]) -> None:
        if event.payload.job_version == 1:
            failed.append(1)
            raise RuntimeError("never")
        handled.append(event.payload.job_version)

    await fake.transport.asend(job(1))
    await fake.transport.asend(job(2))
    subscription = fake.fake.subscriptions[fake.subscription]
    with Pulling(fake, consumer):
        await asyncio.to_thread(until, lambda: not subscription.waiting and not subscription.out)
    assert len(failed) == 3
    assert [json.loads(letter.raw)["payload"]["job_version"] for letter in letters] == [1]
    assert set(handled) == {2}  # it may come again with the one before it


async def test_what_is_rejected_and_not_kept_is_delivered_again(fake):
    consumer = Consumer(BUNDLED, name="taker")
    await fake.transport.asend(Message(b"no event", {}))
    subscription = fake.fake.subscriptions[fake.subscription]
    with Pulling(fake, consumer):
        await asyncio.to_thread(until, lambda: max(subscription.attempts.values(), default=0) >= 3)
    assert len(subscription.attempts) == 1


async def test_flow_control_limits_what_is_out(fake):
    release = threading.Event()
    running: list[Any] = []
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    def take(event: Event[JobUpdatedV1]) -> None:
        running.append(event)
        release.wait(PATIENCE)

    for number in range(8):
        await fake.transport.asend(job(number, job_id=f"j-{number}"))
    subscription = fake.fake.subscriptions[fake.subscription]
    with Pulling(fake, consumer, flow_control=FlowControl(max_messages=3)):
        await asyncio.to_thread(until, lambda: len(running) == 3)
        await asyncio.sleep(0.2)
        assert len(running) == 3
        release.set()
        await asyncio.to_thread(until, lambda: len(running) == 8)
    assert subscription.most_out == 3


def test_a_handler_that_cannot_run_there_ends_the_pulling(fake):
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    async def take(event: Event[JobUpdatedV1]) -> None: ...

    asyncio.run(fake.transport.asend(job()))
    with Pulling(fake, consumer) as pulling, pytest.raises(DeclarationError, match="aconsume"):
        pulling.result(timeout=PATIENCE)


async def test_async_handlers_run_in_the_loop_and_are_waited_for(place):
    started, done = asyncio.Event(), []
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    async def take(event: Event[JobUpdatedV1]) -> None:
        started.set()
        await asyncio.sleep(0.2)
        done.append(event.payload.job_version)

    await place.transport.asend(job())
    pulling = asyncio.create_task(asubscribe(place.subscriber, place.subscription, consumer))
    await asyncio.wait_for(started.wait(), PATIENCE)
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pulling
    assert done == [1]
    if place.fake:
        assert not place.fake.subscriptions[place.subscription].out


async def test_a_subscription_that_is_not_there_ends_the_pulling(place):
    with pytest.raises(NotFound):
        await asubscribe(place.subscriber, f"{place.subscription}-not", Consumer(BUNDLED, name="taker"))


# -- pushes ----------------------------------------------------------------------------------------------------------


def pushed(message: Message, **fields: Any) -> bytes:
    wrapped = {
        "data": base64.b64encode(message.body).decode(),
        "attributes": dict(message.attributes),
        "messageId": "136969346945",
        "message_id": "136969346945",
        "publishTime": "2026-03-01T12:00:00Z",
        "orderingKey": "j-7",
    }
    return json.dumps({"message": wrapped, "subscription": "projects/p/subscriptions/s", **fields}).encode()


def test_a_push_is_consumed():
    got: list[Event[Any]] = []
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on(JobUpdatedV1)(got.append)
    message = job()
    replayed = Message(message.body, {**message.attributes, "replay": "true"})
    assert push(consumer, pushed(replayed)) is Outcome.HANDLED
    assert got[0].replay is True
    assert str(got[0].event_id) == message.attributes["event_id"]


async def test_a_push_reaches_an_async_handler():
    got: list[Event[Any]] = []
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    async def take(event: Event[JobUpdatedV1]) -> None:
        got.append(event)

    assert await apush(consumer, pushed(job())) is Outcome.HANDLED
    assert len(got) == 1


def test_what_a_push_says():
    message = job()
    assert Push.parse(pushed(message, deliveryAttempt=5)) == Push(
        raw=message.body,
        attributes=dict(message.attributes),
        message_id="136969346945",
        ordering_key="j-7",
        subscription="projects/p/subscriptions/s",
        delivery_attempt=5,
    )
    bare = Push.parse(b'{"message": {"messageId": "1", "attributes": null}}')
    assert bare == Push(b"", {}, "1", None, "", None)


def test_what_a_handler_raises_comes_out_of_push():
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    def take(event: Event[JobUpdatedV1]) -> None:
        raise Aborted("not now")

    with pytest.raises(Aborted):
        push(consumer, pushed(job()))


SECRET = "a-value-from-the-wire"


@pytest.mark.parametrize(
    "body",
    [
        SECRET.encode(),
        b"",
        b"\xff",
        b'{"message": {"messageId": "\xff"}}',
        b"[1]",
        json.dumps({"event_name": SECRET}).encode(),
        json.dumps({"message": SECRET}).encode(),
        json.dumps({"message": {"data": f"!{SECRET}"}}).encode(),
        json.dumps({"message": {"data": "e30", "attributes": {}}}).encode(),
        json.dumps({"message": {"data": "e30=", "attributes": {"x": {"y": SECRET}}}}).encode(),
        json.dumps({"message": {"data": "e30="}, "deliveryAttempt": SECRET}).encode(),
        b'{"message": ' + b"[" * 5000,
        b'{"other": ' + b"[" * 5000,
    ],
)
def test_what_is_no_push_is_told_without_its_values(body):
    with pytest.raises(Malformed, match="no push of Pub/Sub's") as rejected:
        Push.parse(body)
    assert SECRET not in f"{rejected.value}{rejected.value!r}"
    assert rejected.value.__suppress_context__


def test_only_what_publishes_and_pulls_needs_the_extra():
    code = """
import sys
sys.modules["google"] = None
from jobarium_events import Catalog, Consumer
from jobarium_events.extras import MissingExtra
from jobarium_events.integrations.pubsub import PubSubTransport, Push, subscribe

consumer = Consumer(Catalog.bundled(), name="taker")
print(Push.parse(b'{"message": {"data": "e30="}}').raw)
for use in (lambda: PubSubTransport(None, topic="t"), lambda: subscribe(None, "s", consumer)):
    try:
        use()
    except MissingExtra as missing:
        print(missing)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    missing = "google is missing: pip install 'jobarium-events[pubsub]'"
    assert done.stdout.splitlines() == ["b'{}'", missing, missing], done.stderr

"""What is pulled: acknowledged by its outcome, delivered again where a handler fails, and limited in what is out."""

import asyncio
import json
import threading
from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.cloud.pubsub_v1.types import FlowControl

from jobarium_events import Consumer, Event, Message, Outcome, Producer
from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.pubsub import asubscribe
from jobarium_events.payloads import JobUpdatedV1
from tests.integrations.pubsub.conftest import PATIENCE, Pulling, job, until
from tests.strategies import BUNDLED


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

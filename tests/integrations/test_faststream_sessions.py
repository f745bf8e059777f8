"""What a service finds that was away on purpose, and what its own tests need no server for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from faststream import confluent, kafka, mqtt, nats, rabbit, redis
from nats.js.api import ConsumerConfig
from redis.asyncio import Redis

from jobarium_events import Event, Message
from tests.integrations.faststream_brokers import KINDS, Place, Recorded, job, producer, until
from tests.integrations.test_faststream import place_of
from tests.integrations.test_faststream_refusals import nowhere


@pytest.mark.parametrize("kind", ["rabbit", "nats", "redis", "mqtt"])
async def test_events_wait_for_a_consumer_that_was_stopped(kind):
    place = place_of(kind)
    sender = place.broker()
    transport = place.transport(sender)
    before = Recorded(place.name)
    try:
        await stopped_after(place, before, [])
        await transport.asend(job("job-1", 1))
        await transport.asend(job("job-1", 2))
        after = Recorded(place.name)
        await stopped_after(place, after, [1, 2])
        assert not before.arrived
    finally:
        await sender.stop()
        await place.remove()


async def stopped_after(place: Place, consumer: Recorded, versions: list[int], **options: Any) -> None:
    broker = place.broker("consumer")
    place.attach(broker, consumer, **options)
    await broker.start()
    try:
        await until(lambda: consumer.of("job-1") == versions)
    finally:
        await broker.stop()


@pytest.mark.parametrize("kind", ["rabbit", "nats", "redis", "mqtt"])
async def test_a_consumer_that_is_stopped_leaves_what_its_handler_failed_at(kind):
    place = place_of(kind)
    sender = place.broker()
    failing, next_one = Recorded(place.name), Recorded(place.name)
    failing.failures["job-1"] = 1_000_000
    message = job("job-1", 1)
    first, second = place.broker("consumer"), place.broker("consumer")
    place.attach(first, failing, redeliver_after=0.1 if kind == "nats" else 60)
    place.attach(second, next_one)
    try:
        await first.start()
        await place.transport(sender).asend(message)
        await until(lambda: failing.deliveries(message))
        await first.stop()
        await second.start()
        await until(lambda: next_one.of("job-1") == [1])
    finally:
        await second.stop()
        await sender.stop()
        await place.remove()


LONG = {"config": ConsumerConfig(filter_subjects=[], max_ack_pending=1, ack_wait=600)}


async def test_nats_is_given_back_what_a_consumer_that_is_stopped_has_just_been_given():
    place = place_of("nats")
    sender = place.broker()
    failing, next_one = Recorded(place.name), Recorded(place.name)
    failing.failures["job-1"] = 1_000_000
    try:
        for times in range(20):  # an event that is on its way at that moment is there in some of them
            broker = place.broker()
            place.attach(broker, failing, redeliver_after=0.02, **LONG)
            await broker.start()
            if not times:
                await place.transport(sender).asend(job("job-1", 1))
            before = len(failing.arrived)
            await until(lambda: len(failing.arrived) > before)  # noqa: B023 - it is awaited here
            await asyncio.sleep(times / 400)
            await broker.stop()
        await stopped_after(place, next_one, [1], **LONG)
    finally:
        await sender.stop()
        await place.remove()


async def test_nats_is_given_back_what_comes_as_a_consumer_stops():
    place = place_of("nats")
    first, sender = place.broker(), place.broker()
    stopping, next_one = Recorded(place.name), Recorded(place.name)
    subscriber = place.attach(first, stopping, **LONG)
    try:
        await first.start()
        await asyncio.sleep(0.2)  # it has asked for an event
        subscriber.running = False
        await place.transport(sender).asend(job("job-1", 1))
        await first.stop()
        await stopped_after(place, next_one, [1], **LONG)
        assert not stopping.arrived
    finally:
        await sender.stop()
        await place.remove()


async def test_nats_is_given_back_what_a_handler_does_not_finish():
    place = place_of("nats")
    first = nats.NatsBroker(place.url, logger=None, max_reconnect_attempts=-1, graceful_timeout=0.1)
    sender = place.broker()
    endless, next_one = Endless(place.name), Recorded(place.name)
    place.attach(first, endless, pull_sub=nats.PullSub(timeout=0.1), **LONG)
    try:
        await first.start()
        await place.transport(sender).asend(job("job-1", 1))
        await until(lambda: endless.arrived)
        await first.stop()
        await stopped_after(place, next_one, [1], **LONG)
    finally:
        await sender.stop()
        await place.remove()


class Endless(Recorded):
    async def _handle(self, event: Event[Any]) -> None:
        await asyncio.Event().wait()


async def test_redis_has_an_event_that_takes_long_handled_by_one_instance_alone():
    place = place_of("redis")
    consumer = Recorded(place.name)
    consumer.failures["job-1"] = 4
    message = job("job-1", 1)
    broker, sender = place.broker(), place.broker()
    place.attach(broker, consumer, redeliver_after=0.3)  # four times: longer than until another may take over
    try:
        await broker.start()
        await place.transport(sender).asend(message)
        await until(lambda: consumer.of("job-1"))
        assert len(consumer.deliveries(message)) == 5
        assert consumer.of("job-1") == [1]
    finally:
        await broker.stop()
        await sender.stop()
        await place.remove()


async def test_redis_has_nothing_left_of_a_rejected_event():
    place = place_of("redis")
    consumer = Recorded(place.name)
    broker, sender = place.broker(), place.broker()
    place.attach(broker, consumer)
    try:
        await broker.start()
        await place.transport(sender).asend(Message(b"{}", {}))
        await place.transport(sender).asend(job("job-1", 1))
        await until(lambda: consumer.of("job-1"))
    finally:
        await broker.stop()  # which waits for the acknowledgement
        await sender.stop()
    async with Redis.from_url(place.url) as client:
        assert (await client.xpending(place.destination, place.consumer))["pending"] == 0
    await place.remove()


async def test_nats_drops_what_a_relay_sends_twice_and_no_replay():
    place = place_of("nats")
    consumer = Recorded(place.name)
    broker, sender = place.broker(), place.broker()
    place.attach(broker, consumer)
    transport = place.transport(sender)
    message = job("job-1", 1)
    try:
        await broker.start()
        await transport.asend(message)
        await transport.asend(message)
        await transport.asend(producer().prepare_replay(message.body, message.attributes))
        await transport.asend(job("job-2", 1))
        await until(lambda: consumer.of("job-2"))
        assert [attributes.get("replay") for attributes in consumer.deliveries(message)] == [None, "true"]
    finally:
        await broker.stop()
        await sender.stop()
        await place.remove()


IN_MEMORY = {
    "kafka": kafka.TestKafkaBroker,
    "confluent": confluent.TestKafkaBroker,
    "rabbit": rabbit.TestRabbitBroker,
    "nats": nats.TestNatsBroker,
    "redis": redis.TestRedisBroker,
    "mqtt": mqtt.TestMQTTBroker,
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_can_be_tested_with_faststreams_own_test_brokers(kind):
    broker = nowhere(kind)
    place = Place(kind, "", "things")
    consumer = Recorded("things")
    place.attach(broker, consumer)
    message = job("job-1", 1)
    async with IN_MEMORY[kind](broker):
        match kind:
            case "rabbit":
                await broker.publish(message.body, routing_key="things", exchange=place.exchange)
            case "redis":
                await broker.publish(message.body, stream="things")
            case "nats":
                await broker.publish(message.body, "things", stream="things")
            case _:
                await broker.publish(message.body, "things")
    assert consumer.of("job-1")[:1] == [1]

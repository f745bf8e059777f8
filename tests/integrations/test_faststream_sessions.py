"""What a service finds that was away on purpose, and what its own tests need no server for."""

from __future__ import annotations

import pytest
from faststream import confluent, kafka, mqtt, nats, rabbit, redis

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


async def stopped_after(place: Place, consumer: Recorded, versions: list[int]) -> None:
    broker = place.broker("consumer")
    place.attach(broker, consumer)
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

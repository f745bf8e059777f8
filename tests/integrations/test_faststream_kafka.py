"""What is Kafka's alone: a commit covers whatever came before it, and keys choose the partition."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka import Consumer, TopicPartition

from jobarium_events import Message
from tests import servers
from tests.conftest import found, fresh_name
from tests.integrations.faststream_brokers import Place, Recorded, job, until


@pytest.mark.parametrize("kind", ["kafka", "confluent"])
async def test_an_event_that_is_to_come_again_is_not_committed_by_others(kind):
    place = Place(kind, found("kafka", servers.kafka_servers), fresh_name())
    consumer = Recorded(place.name)
    consumer.failures["failing"] = 1_000_000
    broker, sender = place.broker(), place.broker()
    await place.prepare(sender)
    place.attach(broker, consumer, redeliver_after=0.01)
    transport = place.transport(sender)
    others = [f"job-{number}" for number in range(12)]  # so many that more than one partition has some
    try:
        await transport.asend(job("failing", 1))
        for other in others:
            await transport.asend(job(other, 1))
        await broker.start()
        await until(lambda: consumer.failures["failing"] < 999_998)
        await until(lambda: any(consumer.of(other) for other in others))
        await asyncio.sleep(0.3)
    finally:
        await broker.stop()
        await sender.stop()
    waiting = await asyncio.to_thread(uncommitted, place, f"{place.name}-service")
    assert any(b'"job_id":"failing"' in body for body in waiting)


def uncommitted(place: Place, group: str) -> list[bytes]:
    """Return what the next instance of a group would be given."""
    client = Consumer({"bootstrap.servers": place.url, "group.id": group, "enable.auto.commit": False})
    try:
        partitions = client.list_topics(place.destination).topics[place.destination].partitions
        committed = client.committed([TopicPartition(place.destination, each) for each in partitions])
        left = {each.partition: client.get_watermark_offsets(each)[1] - max(each.offset, 0) for each in committed}
        client.assign([TopicPartition(each.topic, each.partition, max(each.offset, 0)) for each in committed])
        found = []
        while len(found) < sum(left.values()):
            record = client.poll(5)
            assert record is not None
            found.append(record.value())
        return found
    finally:
        client.close()


@pytest.mark.parametrize("kind", ["kafka", "confluent"])
async def test_the_ordering_key_is_the_records_key(kind):
    place = Place(kind, found("kafka", servers.kafka_servers), fresh_name())
    sender = place.broker()
    transport = place.transport(sender)
    keyless = job("other", 1)
    try:
        await transport.asend(job("job-é", 1))
        await transport.asend(Message(keyless.body, keyless.attributes))
    finally:
        await sender.stop()
    assert set(await asyncio.to_thread(keys, place)) == {"job-é".encode(), None}


def keys(place: Place) -> list[bytes | None]:
    client = Consumer({"bootstrap.servers": place.url, "group.id": place.name})
    try:
        partitions = client.list_topics(place.destination).topics[place.destination].partitions
        client.assign([TopicPartition(place.destination, each, 0) for each in partitions])
        records = [client.poll(10), client.poll(10)]
        return [record.key() for record in records if record is not None]
    finally:
        client.close()


@pytest.mark.parametrize("kind", ["kafka", "confluent"])
async def test_a_header_that_is_no_text_does_not_lose_the_event(kind):
    from confluent_kafka import Producer  # noqa: PLC0415 - as another system would send it

    place = Place(kind, found("kafka", servers.kafka_servers), fresh_name())
    message = job("job-1", 1)
    foreign = Producer({"bootstrap.servers": place.url})
    foreign.produce(place.destination, message.body, headers=[("digest", b"\xff\x00"), ("none", None)])
    await asyncio.to_thread(foreign.flush)
    consumer = Recorded(place.name)
    broker = place.broker()
    place.attach(broker, consumer)
    try:
        await broker.start()
        await until(lambda: consumer.of("job-1"))
    finally:
        await broker.stop()
    [attributes] = consumer.deliveries(message)
    assert attributes["digest"] == "\N{REPLACEMENT CHARACTER}\x00"

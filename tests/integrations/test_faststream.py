"""What holds over every broker: events arrive as they were sent, in order, and again until they are handled."""

from __future__ import annotations

import asyncio
import logging
import secrets
import subprocess
import sys
from typing import Any

import pytest
import pytest_asyncio

from jobarium_events import DeadLetter, Message
from tests import servers
from tests.conftest import found, fresh_name
from tests.integrations.faststream_brokers import (
    CATALOG,
    KINDS,
    PATIENCE,
    SERVERS,
    Place,
    Recorded,
    job,
    producer,
    until,
)
from tests.integrations.payloads import example

pytestmark = pytest.mark.asyncio(loop_scope="module")

URLS = {
    "kafka": servers.kafka_servers,
    "mqtt": servers.mqtt_url,
    "nats": servers.nats_url,
    "rabbitmq": servers.rabbitmq_url,
    "redis": servers.redis_url,
}


def place_of(kind: str) -> Place:
    server = SERVERS.get(kind, kind)
    return Place(kind, found(server, URLS[server]), fresh_name())


class Line:
    """A producer's transport and a consumer, with a broker between them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.consumer = Recorded(place.name)
        self.broker = place.broker("consumer")
        self.subscriber = place.attach(self.broker, self.consumer)
        self.sender = place.broker()
        self.transport = place.transport(self.sender)

    async def send(self, *messages: Message) -> None:
        for message in messages:
            await self.transport.asend(message)

    async def close(self) -> None:
        await self.broker.stop()
        await self.sender.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def line(request):
    """One line for all tests, as a group of Kafka's takes three seconds to gather; each test has jobs of its own."""
    place = place_of(request.param)
    line = Line(place)
    await place.prepare(line.sender)
    await line.broker.start()
    yield line
    await line.close()
    await place.remove()


def a_job() -> str:
    return f"job-{secrets.token_hex(4)}"


@pytest.mark.filterwarnings("ignore:billing.usage.updated v1 is deprecated:DeprecationWarning")
async def test_every_contract_arrives_byte_for_byte_with_its_attributes(line):
    fields = {"tenant_id": "Zürich 東京", "correlation_id": "c-1", "schema_ref": "urn:x"}
    messages = [
        producer(contract, declares={contract.event: contract.version}).prepare(
            contract.event, example(contract.schema), **fields
        )
        for contract in CATALOG
    ]
    await line.send(*messages)
    await until(lambda: all(line.consumer.deliveries(each) for each in messages))
    for message in messages:
        assert line.consumer.deliveries(message) == [message.attributes]


async def test_no_attribute_is_made_up(line):
    message = job(a_job(), 1)
    await line.send(message)
    await until(lambda: line.consumer.deliveries(message))
    assert line.consumer.deliveries(message) == [message.attributes]
    assert "correlation_id" not in message.attributes


async def test_events_of_one_key_are_handled_in_the_order_they_were_sent(line):
    jobs = [a_job() for _ in range(5)]

    async def publish(job_id: str) -> None:
        await line.send(*(job(job_id, version) for version in range(20)))

    await asyncio.gather(*map(publish, jobs))
    await until(lambda: all(len(line.consumer.of(each)) == 20 for each in jobs))
    assert [line.consumer.of(each) for each in jobs] == [list(range(20))] * 5


async def test_an_event_comes_again_until_its_handler_succeeds_and_nothing_overtakes_it(line):
    failing, other = a_job(), a_job()
    line.consumer.failures[failing] = 3
    messages = [job(failing, 1), job(failing, 2)]
    await line.send(*messages, job(other, 1))
    await until(lambda: len(line.consumer.of(failing)) == 2 and line.consumer.of(other))
    assert line.consumer.of(failing) == [1, 2]
    assert [len(line.consumer.deliveries(each)) for each in messages] == [4, 1]


async def test_a_rejected_event_is_logged_and_never_comes_again(line, caplog):
    job_id = a_job()
    spoilt = Message(b'{"event_name": "job.updated", "event_version": "v9"}' + job_id.encode(), {"event_id": job_id})
    with caplog.at_level(logging.ERROR, "jobarium_events"):
        await line.send(spoilt, job(job_id, 1))
        await until(lambda: line.consumer.of(job_id))
    await asyncio.sleep(0.8)  # longer than an event waits here before it comes again
    assert len(line.consumer.deliveries(spoilt)) == 1
    [record] = [each for each in caplog.records if each.name == "jobarium_events"]
    assert "malformed" in record.getMessage()
    assert "there are no dead letters" in record.getMessage()
    assert f"reject event {job_id}: " in record.getMessage()


async def test_a_replay_is_told_from_the_event(line):
    message = job(a_job(), 1)
    replay = producer().prepare_replay(message.body, message.attributes)
    await line.send(message, replay)

    def replays() -> list[bool]:
        event_id = message.attributes["event_id"]
        return [event.replay for event in line.consumer.handled if str(event.event_id) == event_id]

    await until(lambda: len(replays()) == 2)
    assert replays() == [False, True]


# Kafka waits for a group's members to gather and to be missed, so its clients do so at the same time.
TOGETHER = [("kafka", "confluent"), *((kind,) for kind in KINDS[2:])]


@pytest.mark.parametrize("kinds", TOGETHER, ids="-".join)
async def test_what_a_killed_consumer_held_and_what_came_meanwhile_is_delivered_to_the_next(kinds):
    await asyncio.gather(*(survives_a_kill(place_of(kind)) for kind in kinds))


@pytest.mark.parametrize("kinds", TOGETHER, ids="-".join)
async def test_an_event_whose_handler_fails_too_often_is_dead_lettered_and_those_behind_it_are_handled(kinds):
    await asyncio.gather(*(ends_in_the_dead_letters(place_of(kind)) for kind in kinds))


async def ends_in_the_dead_letters(place: Place) -> None:
    letters: list[DeadLetter] = []
    consumer = Recorded(place.name, dead_letters=letters.append, attempts=3)
    consumer.failures["job-1"] = 3  # a fourth attempt would succeed
    broker, sender = place.broker("consumer"), place.broker()
    place.attach(broker, consumer)
    messages = [job("job-1", version) for version in (1, 2, 3)]
    try:
        await place.prepare(sender)
        await broker.start()
        for message in messages:
            await place.transport(sender).asend(message)
        await until(lambda: consumer.of("job-1")[-1:] == [3])
        assert consumer.of("job-1") == [2, 3]
        assert [letter.raw for letter in letters] == [messages[0].body]
        assert len(consumer.deliveries(messages[0])) == 3
    finally:
        await broker.stop()
        await sender.stop()
        await place.remove()


async def survives_a_kill(place: Place) -> None:
    sender = place.broker()
    await place.prepare(sender)
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integrations.faststream_worker", place.kind, place.url, place.name),
        stdout=subprocess.PIPE,
    )
    transport = place.transport(sender)
    held, meanwhile = job("held", 1), job("meanwhile", 1)
    consumer = Recorded(place.name)
    broker = place.broker("consumer")
    place.attach(broker, consumer)
    try:
        await said(worker, "started")
        await transport.asend(held)
        await said(worker, "handling held")
        worker.kill()
        await worker.wait()
        await transport.asend(meanwhile)
        await broker.start()
        await until(lambda: consumer.of("held") and consumer.of("meanwhile"))
        assert len(consumer.deliveries(held)) == len(consumer.deliveries(meanwhile)) == 1
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
        await broker.stop()
        await sender.stop()
        await place.remove()


async def said(worker: Any, what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        async for line in worker.stdout:
            if line.decode().strip() == what:
                return
    raise AssertionError(f"the worker ended before it said {what!r}")

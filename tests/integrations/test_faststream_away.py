"""A broker whose server is away: a transport says so soon, for all that wait, and goes on once it is back."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest
from faststream import FastStream
from faststream.mqtt import MQTTBroker, MQTTRouter
from faststream.nats import NatsBroker
from zmqtt import ReconnectConfig

from jobarium_events.integrations.faststream import Undeliverable, Unreachable
from tests.conftest import fresh_name
from tests.integrations.faststream_brokers import KINDS, PATIENCE, Place, Recorded, job, until
from tests.integrations.test_faststream import place_of
from tests.integrations.test_faststream_refusals import nowhere, sent

SERVERS = {
    "kafka": "Kafka at 127.0.0.1:9",
    "confluent": "Kafka at 127.0.0.1:9",
    "rabbit": "RabbitMQ at amqp://127.0.0.1:9/",
    "nats": "NATS at nats://127.0.0.1:9",
    "redis": "Redis at redis://127.0.0.1:9",
    "mqtt": "the MQTT broker at mqtt://127.0.0.1:9",
}


# FastStream does not close the producer of aiokafka's that could not connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
async def test_every_message_is_told_of_the_server_that_does_not_answer(kind):
    messages = [job(f"job-{number}", 1) for number in range(200)]
    async with (
        asyncio.timeout(PATIENCE),  # less than if each had tried to connect for itself
        Place(kind, "", "things").transport(nowhere(kind), connect_timeout=1) as transport,
    ):
        errors = await asyncio.gather(*map(transport.asend, messages), return_exceptions=True)
    assert {type(error) for error in errors} == {Unreachable}
    assert {str(error).partition(": ")[0] for error in errors} == {"things"}
    assert all(f": no answer from {SERVERS[kind]}: " in str(error) for error in errors)


class Line:
    """A way to a server that can be cut, so that to its client the server is away."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> str:
        """Open it, and return its URL."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._to._replace(netloc=self._to.netloc.replace(f":{self._to.port}", f":{self._port}")).geturl()

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._writers += [writer, there[1]]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(reader, there[1]))
            group.create_task(self._pump(there[0], writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        except ConnectionError:
            pass  # it was cut
        writer.close()


@pytest.mark.parametrize("kind", ["rabbit", "nats", "redis", "mqtt"])
async def test_a_server_that_comes_back_is_sent_to_again_and_one_that_is_away_is_left(kind, caplog):
    place = place_of(kind)
    consumer, broker = Recorded(place.name), place.broker("consumer")
    place.attach(broker, consumer)
    line = Line(place.url)
    try:
        await broker.start()
        async with line as url:
            patience = {"timeout": 1} if kind == "nats" else {}
            transport = place.transport(Place(kind, url, place.name).broker(), connect_timeout=0.5, **patience)
            await transport.asend(job("job-1", 1))
        async with transport:
            for _ in range(2):
                with pytest.raises(Unreachable, match=f"^{place.name}: no answer from "):
                    await transport.asend(job("job-1", 2))
                await asyncio.sleep(0.2)  # so that the client has noticed it by itself
            async with line, asyncio.timeout(PATIENCE):
                while not await sent(transport, job("job-1", 3)):  # noqa: ASYNC110 - the client does not say when it is back
                    await asyncio.sleep(0.1)
        await until(lambda: consumer.of("job-1")[-1:] == [3])
        assert "did not end" not in caplog.text
    finally:
        await broker.stop()
        await place.remove()


async def test_nats_is_connected_to_anew_after_its_client_has_given_up(own_nats):
    broker = NatsBroker(own_nats.url, logger=None, max_reconnect_attempts=1, reconnect_time_wait=0.01)
    place = Place("nats", own_nats.url, fresh_name())
    consumer, other = Recorded(place.name), place.broker()
    place.attach(other, consumer)
    async with place.transport(broker, connect_timeout=1) as transport:
        await other.start()
        await transport.asend(job("job-1", 1))
        await other.stop()
        client = await broker.connect()
        own_nats.kill()
        await until(lambda: client.is_closed)
        with pytest.raises(Unreachable):
            await transport.asend(job("job-1", 2))
        own_nats.start()
        await transport.asend(job("job-1", 2))


async def test_a_transport_ends_while_its_nats_client_looks_for_the_server(own_nats):
    broker = NatsBroker(own_nats.url, logger=None)
    place = Place("nats", own_nats.url, fresh_name())
    async with place.transport(broker, connect_timeout=0.5, timeout=1) as transport:
        with pytest.raises(Undeliverable):
            await transport.asend(job("job-1", 1))
        own_nats.kill()
        with pytest.raises(Unreachable):
            await transport.asend(job("job-1", 1))


async def test_a_transport_stops_the_broker_that_it_has_connected_and_no_other(redis):
    place = Place("redis", redis.url, redis.name)
    for before, after in (("stop", "connect"), ("connect", "connect"), ("stop", "start")):
        broker = place.broker()
        await getattr(broker, before)()
        async with place.transport(broker) as transport:
            await transport.asend(job("job-1", 1))
            await getattr(broker, after)()
        assert (broker._connection is None) is ((before, after) == ("stop", "connect"))
        await broker.stop()


async def test_a_transport_leaves_a_broker_that_does_not_stop(redis, caplog):
    place = Place("redis", redis.url, redis.name)
    broker = place.broker()
    stop: Any = broker.stop
    broker.stop = asyncio.Event().wait
    with caplog.at_level(logging.WARNING, "jobarium_events"):
        async with place.transport(broker, connect_timeout=0.1) as transport:
            await transport.asend(job("job-1", 1))
    assert "Redis: it did not end within 0.1 s, and is left" in caplog.text
    await stop()


async def test_mqtt_is_connected_to_anew_after_its_client_has_given_up():
    place = place_of("mqtt")
    line = Line(place.url)
    async with line as url:
        broker = MQTTBroker(url, logger=None, reconnect=ReconnectConfig(max_attempts=1, initial_delay=0.01))
        transport = place.transport(broker, connect_timeout=1)
        await transport.asend(job("job-1", 1))
    async with transport:
        client = await broker.connect()
        await until(client._run_task.done)
        with pytest.raises(Unreachable):
            await transport.asend(job("job-1", 2))
        async with line:
            await transport.asend(job("job-1", 2))


async def test_a_nats_consumer_outlasts_more_attempts_than_a_client_makes_unless_told(own_nats):
    attempts = 0

    async def failed(_: Exception) -> None:
        nonlocal attempts
        attempts += 1

    options = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.01, "error_cb": failed}
    broker = NatsBroker(own_nats.url, logger=None, **options)
    place = Place("nats", own_nats.url, fresh_name())
    consumer = Recorded(place.name)
    place.attach(broker, consumer)
    await broker.start()
    try:
        own_nats.kill()
        await until(lambda: attempts > 70)
        own_nats.start()
        async with place.transport(place.broker()) as transport:
            await transport.asend(job("job-1", 1))
        await until(lambda: consumer.of("job-1") == [1])
    finally:
        await broker.stop()


async def test_an_mqtt_consumer_outlasts_more_attempts_than_a_client_makes_unless_told(caplog):
    place = place_of("mqtt")
    line = Line(place.url)
    consumer = Recorded(place.name)

    def attempts() -> int:
        return sum("retrying" in record.getMessage() for record in caplog.records)

    with caplog.at_level(logging.WARNING, "zmqtt"):
        async with line as url:
            broker = Place("mqtt", url, place.name).broker("consumer")
            place.attach(broker, consumer)
            await broker.start()
        try:
            await until(lambda: attempts() > 10)
            async with line, place.transport(place.broker()) as transport:
                await transport.asend(job("job-1", 1))
                await until(lambda: consumer.of("job-1") == [1])
        finally:
            await broker.stop()


async def test_a_service_ends_whose_nats_client_has_closed_for_good(own_nats, caplog):
    broker = NatsBroker(own_nats.url, logger=None, max_reconnect_attempts=-1)
    place = Place("nats", own_nats.url, fresh_name())
    place.attach(broker, Recorded(place.name))
    running = asyncio.create_task(FastStream(broker, logger=None).run())
    await until(lambda: broker.running)
    client = await broker.connect()
    await client.close()  # as it does itself where its credentials have expired
    await asyncio.wait((running,), timeout=PATIENCE)
    assert running.done()
    assert running.exception() is not None  # FastStream's, as it cannot unsubscribe
    assert "its client has given up, so the service ends" in caplog.text


async def test_a_service_ends_whose_mqtt_client_has_given_up(caplog):
    place = place_of("mqtt")
    router = MQTTRouter()  # whose broker `attach` does not see
    place.attach(router, Recorded(place.name))
    async with Line(place.url) as url:
        broker = MQTTBroker(url, logger=None, reconnect=ReconnectConfig(max_attempts=1, initial_delay=0.01))
        broker.include_router(router)
        running = asyncio.create_task(FastStream(broker, logger=None).run())
        await until(lambda: broker.running)
    await asyncio.wait((running,), timeout=PATIENCE)
    assert running.done()
    assert "its client has given up, so the service ends" in caplog.text


MOCK = """
import confluent_kafka, time
cluster = confluent_kafka.Producer({"test.mock.num.brokers": 1, "log_level": 3})
[server] = cluster.list_topics(timeout=10).brokers.values()
print(f"{server.host}:{server.port}", flush=True)
time.sleep(600)
"""


async def test_librdkafka_does_not_go_on_with_what_it_could_not_send(caplog):
    mock = await asyncio.create_subprocess_exec(sys.executable, "-c", MOCK, stdout=subprocess.PIPE)
    try:
        place = Place("confluent", (await mock.stdout.readline()).decode().strip(), fresh_name())
        async with place.transport(place.broker(), connect_timeout=1) as transport:
            await transport.asend(job("first", 0))
            mock.kill()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await transport.asend(job("job-1", 1))
    finally:
        if mock.returncode is None:
            mock.kill()
        await mock.wait()
    assert "did not end" not in caplog.text

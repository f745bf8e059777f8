"""What a broker will never take is refused; what may be sent again is another error."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import aiokafka.errors
import pytest
from confluent_kafka import KafkaError, KafkaException
from faststream.rabbit import Channel, RabbitBroker, RabbitExchange
from zmqtt import ConnAckProperties
from zmqtt.errors import MQTTPublishError

from jobarium_events import Catalog, Consumer, Message
from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream import FastStreamTransport, attach
from jobarium_events.integrations.faststream.dialects import dialect_of
from jobarium_events.transports import Refused
from tests.conftest import fresh_name
from tests.integrations.faststream_brokers import Place, Recorded, job, until
from tests.integrations.test_faststream import place_of

CONSUMER = Consumer(Catalog.bundled(), name="matching-service")


def larger(size: int) -> Message:
    message = job("job-1", 1)
    return Message(message.body + b" " * size, message.attributes)


async def refused(place: Place, message: Message, **options: Any) -> str:
    """Return why a broker refuses a message, after it has taken another."""
    sender = place.broker()
    transport = place.transport(sender, **options)
    try:
        with pytest.raises(Refused) as error:
            await transport.asend(message)
    finally:
        await sender.stop()
    return error.value.reason


@pytest.mark.parametrize("kind", ["kafka", "confluent"])
async def test_kafka_refuses_what_is_too_large(kind):
    reason = await refused(place_of(kind), larger(2_000_000))
    assert "arge" in reason


@pytest.mark.parametrize("kind", ["kafka", "confluent"])
def test_kafka_refuses_a_topic_that_there_is_not_and_no_timeout(kind):
    # librdkafka's mock has every topic, so what clients raise is made up here.
    if kind == "kafka":
        lasting: Exception = aiokafka.errors.UnknownTopicOrPartitionError()
        passing: Exception = aiokafka.errors.KafkaTimeoutError()
    else:
        lasting = KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC))
        passing = KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT))
    dialect = dialect_of(nowhere(kind))
    assert "nknown" in dialect.refusal(lasting)
    assert dialect.refusal(passing) is None


async def test_rabbitmq_refuses_what_no_queue_takes():
    place = place_of("rabbit")
    reason = await refused(place, job("job-1", 1), destination="nobody.asks")
    assert "no queue is bound" in reason
    assert "nobody.asks" in reason


async def test_rabbitmq_refuses_an_exchange_that_there_is_not():
    place = place_of("rabbit")
    exchange = RabbitExchange(f"{place.name}-none", declare=False)
    assert "no exchange" in await refused(place, job("job-1", 1), exchange=exchange)


@pytest.mark.parametrize("raises", [True, False])
async def test_rabbitmq_refuses_what_no_queue_takes_however_its_channel_says_so(raises):
    place = place_of("rabbit")
    broker = RabbitBroker(place.url, logger=None, default_channel=Channel(on_return_raises=raises))
    try:
        with pytest.raises(Refused, match="no queue is bound"):
            await place.transport(broker).asend(job("job-1", 1))
    finally:
        await broker.stop()


async def test_a_rabbitmq_channel_without_confirms_is_not_published_to_in_silence():
    place = place_of("rabbit")
    broker = RabbitBroker(place.url, logger=None, default_channel=Channel(publisher_confirms=False))
    try:
        with pytest.raises(DeclarationError, match="has no publisher confirms"):
            await place.transport(broker).asend(job("job-1", 1))
    finally:
        await broker.stop()


async def test_nats_refuses_a_subject_of_no_stream():
    place = place_of("nats")
    assert "no stream" in await refused(place, job("job-1", 1))


@pytest.mark.parametrize("size", [1_048_576, 1_048_300], ids=["body", "headers"])
async def test_nats_refuses_what_is_too_large_with_its_headers(size):
    place = place_of("nats")
    message = larger(size - len(job("job-1", 1).body))
    assert "the server takes 1048576" in await refused(place, message)


async def test_nats_refuses_what_the_stream_does_not_take(nats):
    from nats import connect  # noqa: PLC0415 - one of the extras
    from nats.js.api import StreamConfig  # noqa: PLC0415 - as above

    client = await connect(nats.url)
    place = Place("nats", nats.url, nats.name)
    await client.jetstream().add_stream(StreamConfig(nats.name, subjects=[nats.name], max_msg_size=1000))
    await client.close()
    assert "message size exceeds maximum allowed" in await refused(place, larger(1000))


async def test_redis_refuses_a_key_that_is_no_stream(redis):
    from redis.asyncio import Redis  # noqa: PLC0415 - one of the extras

    async with Redis.from_url(redis.url) as client:
        await client.set(redis.name, "text")
    assert "something else than a stream" in await refused(Place("redis", redis.url, redis.name), job("job-1", 1))


async def test_redis_refuses_a_header_that_fastream_cannot_write(redis):
    message = job("job-1", 1, correlation_id="c" * 70_000)
    assert "65,535" in await refused(Place("redis", redis.url, redis.name), message)


async def test_mqtt_refuses_a_topic_that_is_a_pattern():
    assert "#" in await refused(place_of("mqtt"), job("job-1", 1), destination="jobs/#")


async def test_mqtt_refuses_what_is_larger_than_the_broker_takes():
    # Mosquitto names no such limit, so the broker's greeting is made up here.
    class Greeted:
        connection_info = SimpleNamespace(properties=ConnAckProperties(maximum_packet_size=1000))

        async def connect(self) -> Greeted:
            return self

    with pytest.raises(Refused, match="and the broker takes 1000"):
        await dialect_of(nowhere("mqtt")).publish(Greeted(), "job.updated", larger(500), {})


def test_mqtt_tells_what_will_never_be_taken_from_what_may_be():
    dialect = dialect_of(nowhere("mqtt"))
    assert "Packet too large" in dialect.refusal(MQTTPublishError(0x95, "Packet too large", None))
    assert dialect.refusal(MQTTPublishError(0x97, "Quota exceeded", None)) is None
    assert dialect.refusal(ConnectionResetError()) is None


async def test_a_broker_that_is_away_refuses_nothing_and_takes_the_message_later(own_nats):
    place = Place("nats", own_nats.url, fresh_name())
    consumer = Recorded(place.name)
    broker, sender = place.broker(), place.broker()
    place.attach(broker, consumer)
    transport = place.transport(sender, timeout=1)
    first, second = job("job-1", 1), job("job-1", 2)
    try:
        await broker.start()
        await transport.asend(first)
        await until(lambda: consumer.of("job-1") == [1])
        own_nats.kill()
        with pytest.raises(Exception) as error:  # noqa: PT011 - which one is the client's
            await transport.asend(second)
        assert not isinstance(error.value, Refused | DeclarationError)
        own_nats.start()
        async with asyncio.timeout(20):
            while not await sent(transport, second):  # noqa: ASYNC110 - the client does not say when it is back
                await asyncio.sleep(0.1)
        await until(lambda: consumer.of("job-1")[-1:] == [2])
        assert consumer.of("job-1") in ([1, 2], [1, 1, 2])  # the first may have been killed before its ack
    finally:
        await broker.stop()
        await sender.stop()


async def sent(transport: FastStreamTransport, message: Message) -> bool:
    try:
        await transport.asend(message)
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - whatever the client raises until it is connected again
        return False
    return True


SCHEMES = {"mqtt": "mqtt", "nats": "nats", "rabbit": "amqp", "redis": "redis"}


def nowhere(kind: str) -> Any:
    scheme = f"{SCHEMES[kind]}://" if kind in SCHEMES else ""
    return Place(kind, f"{scheme}127.0.0.1:9", "x").broker()


@pytest.mark.parametrize("option", ["ack_policy", "batch", "codec", "decoder", "no_reply"])
def test_what_attach_sees_to_itself_is_not_taken(option):
    with pytest.raises(DeclarationError, match=f"{option}: attach itself sees to that"):
        attach(nowhere("rabbit"), CONSUMER, "job.updated", **{option: object()})


def test_only_a_consumer_is_attached_and_only_to_a_broker():
    with pytest.raises(DeclarationError, match="attach takes a Consumer"):
        attach(nowhere("rabbit"), print, "job.updated")
    with pytest.raises(DeclarationError, match=r"object is no broker of FastStream's for confluent, kafka, mqtt"):
        attach(object(), CONSUMER, "job.updated")
    with pytest.raises(DeclarationError, match="str is no broker"):
        FastStreamTransport("nats://127.0.0.1")


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        ("kafka", {"max_workers": 2}, "a commit would cover events that are not handled"),
        ("confluent", {"max_workers": 2}, "a commit would cover events that are not handled"),
        ("nats", {}, "name the JetStream stream that keeps the events"),
        ("nats", {"stream": "EVENTS", "pull_sub": False}, "no durable place"),
        ("redis", {"list": "job.updated"}, "lists and channels lose events"),
        ("mqtt", {"max_workers": 2}, "out of order"),
    ],
)
def test_a_subscription_that_would_lose_events_is_refused(kind, options, problem):
    with pytest.raises(DeclarationError, match=problem):
        attach(nowhere(kind), CONSUMER, "job.updated", **options)


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        ("nats", {}, "name the JetStream stream that is to confirm"),
        ("rabbit", {"mandatory": False}, "confirms what it has no queue for"),
        ("redis", {"list": "job.updated"}, "lists and channels would lose them"),
        ("mqtt", {"qos": 0}, "with qos 0 the broker confirms nothing"),
    ],
)
def test_a_transport_that_nothing_confirms_is_refused(kind, options, problem):
    with pytest.raises(DeclarationError, match=problem):
        FastStreamTransport(nowhere(kind), **options)


def test_a_broker_that_confirms_too_soon_is_refused():
    from faststream.confluent import KafkaBroker as ConfluentBroker  # noqa: PLC0415 - two of the same name
    from faststream.kafka import KafkaBroker  # noqa: PLC0415 - as above
    from faststream.mqtt import MQTTBroker  # noqa: PLC0415 - as above

    for broker in (KafkaBroker(), KafkaBroker(acks=1), ConfluentBroker(acks=1)):
        with pytest.raises(DeclarationError, match=r"KafkaBroker\(acks='all'\)"):
            FastStreamTransport(broker)
    FastStreamTransport(KafkaBroker(enable_idempotence=True))
    with pytest.raises(DeclarationError, match="has no headers"):
        FastStreamTransport(MQTTBroker(version="3.1.1"))


def test_a_broker_whose_codec_may_change_the_bytes_is_refused():
    from faststream._internal.parser import DefaultCodec  # noqa: PLC0415 - FastStream has no public one
    from faststream.nats import NatsBroker  # noqa: PLC0415 - one of the extras

    broker = NatsBroker(codec=DefaultCodec())
    with pytest.raises(DeclarationError, match="the broker has a codec"):
        attach(broker, CONSUMER, "job.updated", stream="EVENTS")
    with pytest.raises(DeclarationError, match="the broker has a codec"):
        FastStreamTransport(broker, stream="EVENTS")


def test_without_faststream_the_extras_are_named():
    code = "import sys; sys.modules['faststream'] = None; import jobarium_events.integrations.faststream"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (
        "faststream is missing: pip install 'jobarium-events[confluent,kafka,mqtt,nats,rabbit,redis]'" in ended.stderr
    )

"""What a broker will never take is refused; what may be sent again is another error."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from aio_pika.exceptions import ChannelPreconditionFailed
from faststream.mqtt import MQTTBroker, MQTTRouter
from faststream.rabbit import Channel, RabbitBroker
from zmqtt import ConnAckProperties, ReconnectConfig
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
    """Return why a broker will never take a message."""
    return (await failed(Refused, place, message, **options)).reason


async def failed(kind: type[Any], place: Place, message: Message, **options: Any) -> Any:
    async with place.transport(place.broker(), **options) as transport:
        with pytest.raises(kind) as error:
            await transport.asend(message)
    return error.value


@pytest.mark.parametrize("kind", ["kafka", "confluent"])
async def test_kafka_refuses_what_is_too_large(kind):
    reason = await refused(place_of(kind), larger(2_000_000))
    assert "arge" in reason


def test_rabbitmq_refuses_what_is_too_large():
    # A hundred megabytes and more, so what it says is made up here.
    too_large = ChannelPreconditionFailed("PRECONDITION_FAILED - message size 134217729 is larger than configured")
    assert "message size 134217729" in dialect_of(nowhere("rabbit")).refusal(too_large)


async def test_a_rabbitmq_channel_without_confirms_is_not_published_to_in_silence():
    place = place_of("rabbit")
    broker = RabbitBroker(place.url, logger=None, default_channel=Channel(publisher_confirms=False))
    try:
        with pytest.raises(DeclarationError, match="has no publisher confirms"):
            await place.transport(broker).asend(job("job-1", 1))
    finally:
        await broker.stop()


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
    denied = MQTTPublishError(0x87, "Not authorized", None)
    assert dialect.refusal(denied) is None
    assert "Not authorized" in dialect.obstacle(denied)


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
    return Place(kind, f"{scheme}127.0.0.1:9", "x").broker("consumer")


@pytest.mark.parametrize("option", ["ack_policy", "batch", "codec", "decoder", "no_reply"])
def test_what_attach_sees_to_itself_is_not_taken(option):
    with pytest.raises(DeclarationError, match=f"{option}: that is chosen here"):
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


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        ("rabbit", {"exchnge": "jobs"}, r"RabbitBroker\.publish has no option 'exchnge'; did you mean exchange\?"),
        ("mqtt", {"ttl": 5}, r"MQTTBroker\.publish has no option 'ttl'; there are qos, retain"),
        ("kafka", {"no_confirm": True}, "no_confirm: that is chosen here"),
        ("confluent", {"topic": "jobs"}, "topic: that is chosen here"),
        ("redis", {"message": b""}, "message: that is chosen here"),
        ("nats", {"stream": "EVENTS", "headers": {}}, "headers: that is chosen here"),
    ],
)
def test_a_transports_options_are_those_of_publish(kind, options, problem):
    with pytest.raises(DeclarationError, match=problem):
        FastStreamTransport(nowhere(kind), **options)


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        ("rabbit", {"chanel": 1}, r"subscriber has no option 'chanel'; did you mean channel\?"),
        ("rabbit", {"queue": "jobs"}, "queue: that is chosen here"),
        ("redis", {"grup": "jobs"}, r"has no option 'grup'; did you mean group\?"),
        ("nats", {"group": "jobs"}, "has no option 'group'"),
    ],
)
def test_options_of_attach_are_those_of_subscriber(kind, options, problem):
    with pytest.raises(DeclarationError, match=problem):
        attach(nowhere(kind), CONSUMER, "job.updated", **options)


@pytest.mark.parametrize("seconds", ["1s", None, -1, float("nan"), float("inf")])
def test_what_is_no_number_of_seconds_is_refused(seconds):
    with pytest.raises(DeclarationError, match=r"redeliver_after is a number of seconds, such as 1\.0, not "):
        attach(nowhere("rabbit"), CONSUMER, "job.updated", redeliver_after=seconds)


@pytest.mark.parametrize(
    "options", [{}, {"max_reconnect_attempts": 1_000_000}, {"max_reconnect_attempts": -1, "allow_reconnect": False}]
)
def test_a_nats_client_that_gives_up_is_not_attached_to(options):
    from faststream.nats import NatsBroker, NatsRouter  # noqa: PLC0415 - one of the extras

    with pytest.raises(DeclarationError, match=r"gives up on .*NatsBroker\(\.\.\., max_reconnect_attempts=-1\)"):
        attach(NatsBroker(**options), CONSUMER, "job.updated", stream="EVENTS")
    attach(NatsRouter(), CONSUMER, "job.updated", stream="EVENTS")


SESSION = {"client_id": "matching-service", "clean_session": False, "session_expiry_interval": 60}


@pytest.mark.parametrize("reconnect", [None, ReconnectConfig(enabled=False, max_attempts=None), ReconnectConfig()])
def test_an_mqtt_client_that_gives_up_is_not_attached_to(reconnect):
    with pytest.raises(DeclarationError, match=r"gives up on .*reconnect=zmqtt\.ReconnectConfig\(max_attempts=None\)"):
        attach(MQTTBroker(**SESSION, reconnect=reconnect), CONSUMER, "job.updated")


@pytest.mark.parametrize("lacking", SESSION)
def test_mqtt_without_a_session_that_is_kept_is_refused(lacking):
    options = {name: value for name, value in SESSION.items() if name != lacking}
    with pytest.raises(
        DeclarationError, match=r"would be lost: MQTTBroker\(\.\.\., client_id=.*session_expiry_interval="
    ):
        attach(MQTTBroker(**options), CONSUMER, "job.updated")


def test_mqtt_has_its_session_by_the_broker_that_a_router_is_given_to_and_by_that_of_an_earlier_protocol():
    attach(MQTTRouter(), CONSUMER, "job.updated")
    lasting = {"client_id": "matching-service", "clean_session": False, "reconnect": ReconnectConfig(max_attempts=None)}
    attach(MQTTBroker(version="3.1.1", **lasting), CONSUMER, "job.updated")


def test_a_broker_that_confirms_too_soon_is_refused():
    from faststream.confluent import KafkaBroker as ConfluentBroker  # noqa: PLC0415 - two of the same name
    from faststream.kafka import KafkaBroker  # noqa: PLC0415 - as above

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
    said = (
        "faststream is missing: pip install 'jobarium-events[confluent]', or in its place one of: kafka, mqtt, nats, "
    )
    assert f"{said}rabbit, redis" in ended.stderr

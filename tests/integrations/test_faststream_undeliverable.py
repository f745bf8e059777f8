"""What a broker lacks for a message is no fault of the message: it is sent again, and arrives once that is mended."""

from __future__ import annotations

from typing import Any

import aiokafka.errors
import pytest
from confluent_kafka import KafkaError, KafkaException
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange

from jobarium_events.integrations.faststream import Undeliverable
from jobarium_events.integrations.faststream.dialects import dialect_of
from tests.integrations.faststream_brokers import Place, Recorded, job, until
from tests.integrations.test_faststream import place_of
from tests.integrations.test_faststream_refusals import failed, nowhere


async def undelivered(place: Place, **options: Any) -> str:
    """Return what a broker lacks for a message."""
    error = await failed(Undeliverable, place, job("job-1", 1), **options)
    assert error.destination == options.get("destination", place.destination)
    return error.reason


@pytest.mark.parametrize("kind", ["kafka", "confluent"])
def test_a_topic_that_kafka_lacks_or_denies_is_no_fault_of_the_message_and_neither_is_a_timeout(kind):
    # librdkafka's mock has every topic and allows everything, so what clients raise is made up here.
    if kind == "kafka":
        lacking: list[Exception] = [
            aiokafka.errors.UnknownTopicOrPartitionError(),
            aiokafka.errors.TopicAuthorizationFailedError(),
        ]
        passing: Exception = aiokafka.errors.KafkaTimeoutError()
        lasting: Exception = aiokafka.errors.InvalidTopicError()
    else:
        codes = KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED
        lacking = [KafkaException(KafkaError(code)) for code in codes]
        passing = KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT))
        lasting = KafkaException(KafkaError(KafkaError.TOPIC_EXCEPTION))
    dialect = dialect_of(nowhere(kind))
    assert all(dialect.obstacle(error) and dialect.refusal(error) is None for error in lacking)
    assert dialect.refusal(passing) is dialect.obstacle(passing) is None
    assert "nvalid" in dialect.refusal(lasting)


async def test_rabbitmq_has_no_queue_for_a_routing_key_until_a_service_binds_one():
    place = place_of("rabbit")
    consumer, broker = Recorded(place.name), place.broker()
    place.attach(broker, consumer)
    async with place.transport(place.broker()) as transport:
        with pytest.raises(Undeliverable, match=f"^{place.name}: no queue is bound to '{place.name}-events'"):
            await transport.asend(job("job-1", 1))
        await broker.start()
        try:
            await transport.asend(job("job-1", 1))
            await until(lambda: consumer.of("job-1") == [1])
        finally:
            await broker.stop()
            await place.remove()


async def test_rabbitmq_has_no_such_exchange():
    place = place_of("rabbit")
    exchange = RabbitExchange(f"{place.name}-none", declare=False)
    assert "no exchange" in await undelivered(place, exchange=exchange)


async def test_rabbitmq_has_another_exchange_of_that_name():
    exchange = RabbitExchange("amq.topic", type=ExchangeType.DIRECT, durable=True)
    assert "amq.topic" in await undelivered(place_of("rabbit"), exchange=exchange)


@pytest.mark.parametrize("raises", [True, False])
async def test_rabbitmq_has_no_queue_however_its_channel_says_so(raises):
    place = place_of("rabbit")
    broker = RabbitBroker(place.url, logger=None, default_channel=Channel(on_return_raises=raises))
    try:
        with pytest.raises(Undeliverable, match="no queue is bound"):
            await place.transport(broker).asend(job("job-1", 1))
    finally:
        await broker.stop()


async def test_nats_has_no_stream_for_a_subject_until_one_is_made(nats):
    from nats import connect  # noqa: PLC0415 - one of the extras

    place = Place("nats", nats.url, nats.name)
    client = await connect(nats.url)
    async with place.transport(place.broker()) as transport:
        lacking = "no stream of the server's has this subject; make the stream, or start the consumer first"
        with pytest.raises(Undeliverable, match=f"^{nats.name}: {lacking}$"):
            await transport.asend(job("job-1", 1))
        await client.jetstream().add_stream(name=nats.name, subjects=[nats.name])
        await transport.asend(job("job-1", 1))
    assert (await client.jetstream().stream_info(nats.name)).state.messages == 1
    await client.close()


async def test_nats_has_the_subject_in_another_stream(nats):
    from nats import connect  # noqa: PLC0415 - one of the extras

    client = await connect(nats.url)
    await client.jetstream().add_stream(name=nats.name, subjects=[nats.name])
    await client.close()
    reason = await undelivered(Place("nats", nats.url, nats.name), stream="OTHER")
    assert "expected stream does not match" in reason


async def test_redis_has_something_else_than_a_stream(redis):
    from redis.asyncio import Redis  # noqa: PLC0415 - one of the extras

    async with Redis.from_url(redis.url) as client:
        await client.set(redis.name, "text")
    assert "something else than a stream" in await undelivered(Place("redis", redis.url, redis.name))


async def test_redis_does_not_let_a_user_add(redis):
    from redis.asyncio import Redis  # noqa: PLC0415 - one of the extras

    async with Redis.from_url(redis.url) as client:
        await client.acl_setuser(redis.name, enabled=True, nopass=True, categories=["+@connection"], keys=["*"])
        try:
            url = redis.url.replace("redis://", f"redis://{redis.name}:x@")
            assert "may not add" in await undelivered(Place("redis", url, redis.name))
        finally:
            await client.acl_deluser(redis.name)

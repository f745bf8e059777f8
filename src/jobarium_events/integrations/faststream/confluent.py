"""Kafka by confluent-kafka, which is librdkafka."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from faststream.confluent.helpers.client import AsyncConfluentConsumer
from faststream.message import AckStatus

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.topics import NOT_ALL_ACKS, Topics

__all__ = ["DIALECT"]

_REFUSALS = frozenset(
    {
        KafkaError.INVALID_RECORD,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.TOPIC_EXCEPTION,
    }
)
# A topic that was just made is unknown for a moment as well.
_OBSTACLES = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - so librdkafka names its own
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)
_PING = 4.0


class _Confluent(Topics):
    def refusal(self, error: Exception) -> str | None:
        return _told(error, _REFUSALS)

    def obstacle(self, error: Exception) -> str | None:
        return _told(error, _OBSTACLES)

    async def connect(self, broker: Any) -> None:
        if broker._connection is not None:  # noqa: SLF001 - no other place tells
            return
        await broker.connect()
        # librdkafka connects when it has something to send, and would wait for that long after.
        answers = False
        try:
            answers = await broker.ping(_PING)
        finally:
            if not answers:
                await broker.stop()
        if not answers:
            raise ConnectionError(f"no metadata within {_PING:g} s")

    async def stop(self, broker: Any) -> None:
        # It ends once it has sent what it has, which may take minutes where Kafka is away. That has failed already.
        if broker._connection is None or not len(broker.config.producer._producer.producer.producer):  # noqa: SLF001
            await broker.stop()

    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        if broker.config.connection_config.producer_config["acks"] not in ("all", -1):
            raise DeclarationError(NOT_ALL_ACKS)

    async def ack(self, message: Any) -> None:
        if not isinstance(message.consumer, AsyncConfluentConsumer):
            await message.ack()  # in the tests of a service
            return
        # FastStream would commit whatever was polled last of each partition. An event that was to come again is polled
        # already, and would be lost by the commit of another partition's.
        message.consumer.consumer.commit(message=message.raw_message, asynchronous=True)
        message.committed = AckStatus.ACKED

    async def reject(self, message: Any) -> None:
        await self.ack(message)

    @staticmethod
    async def parsed(record: Any, parse: Any) -> Any:
        headers = record.headers() or ()
        if any(isinstance(value, bytes) and value != value.decode(errors="replace").encode() for _, value in headers):
            record.set_headers([(name, (value or b"").decode(errors="replace")) for name, value in headers])
        return await parse(record)


def _told(error: Exception, codes: frozenset[int]) -> str | None:
    cause = error.args[0] if isinstance(error, KafkaException) else None
    return str(cause.str()) if isinstance(cause, KafkaError) and cause.code() in codes else None


DIALECT = _Confluent()

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
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - so librdkafka names its own
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)


class _Confluent(Topics):
    def refusal(self, error: Exception) -> str | None:
        cause = error.args[0] if isinstance(error, KafkaException) else None
        return str(cause.str()) if isinstance(cause, KafkaError) and cause.code() in _REFUSALS else None

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


DIALECT = _Confluent()

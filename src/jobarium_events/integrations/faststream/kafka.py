"""Kafka by aiokafka."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.topics import NOT_ALL_ACKS, Topics

__all__ = ["DIALECT"]

_REFUSALS = (InvalidTopicError, MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError)
# A topic that was just made is unknown for a moment as well.
_OBSTACLES = (TopicAuthorizationFailedError, UnknownTopicOrPartitionError)


class _Aiokafka(Topics):
    def refusal(self, error: Exception) -> str | None:
        return f"{type(error).__name__}, {error}" if isinstance(error, _REFUSALS) else None

    def obstacle(self, error: Exception) -> str | None:
        return f"{type(error).__name__}, {error}" if isinstance(error, _OBSTACLES) else None

    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        asked = broker._connection_kwargs  # noqa: SLF001 - no other place tells
        if asked.get("acks") not in ("all", -1) and asked.get("enable_idempotence") is not True:
            raise DeclarationError(NOT_ALL_ACKS)

    @staticmethod
    async def parsed(record: Any, parse: Any) -> Any:
        headers = tuple((name, (value or b"").decode(errors="replace").encode()) for name, value in record.headers)
        return await parse(record if headers == tuple(record.headers) else replace(record, headers=headers))


DIALECT = _Aiokafka()

"""Redis Streams. Lists and channels forget an event as it is read, so neither side takes them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from faststream.redis import StreamSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.dialects import ORDERING_KEY, Dialect, correlation_of, pause

if TYPE_CHECKING:
    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = ["DIALECT"]

_ABANDONED = 60_000
_POLL = 1_000


class _Redis(Dialect):
    server = "Redis"
    takes_back = False
    attaching = frozenset({"consumer", "group", "min_idle_time", "polling_interval"})
    away = (RedisConnectionError, RedisTimeoutError)

    def subscribers(self, broker: Any, consumer: Consumer, destination: Any, options: dict[str, Any]) -> Sequence[Any]:
        if not isinstance(destination, str) or {"channel", "list", "stream"} & options.keys():
            raise DeclarationError(
                "name a stream, attach(broker, consumer, 'job.updated'); lists and channels lose events"
            )
        instance = options.pop("consumer", socket.gethostname())
        name = {"group": options.pop("group", consumer.name), "consumer": instance}
        abandoned = options.pop("min_idle_time", _ABANDONED)
        # The one reads what is new, the other takes over what an instance that died has left unacknowledged.
        reader = StreamSub(destination, **name, polling_interval=options.pop("polling_interval", _POLL), max_records=1)
        heir = StreamSub(destination, **name, polling_interval=min(_POLL, abandoned), min_idle_time=abandoned)
        return [
            broker.subscriber(stream=reader, **options),
            broker.subscriber(stream=heir, **{**options, "include_in_schema": False}),
        ]

    async def publish(self, broker: Any, destination: str, message: Message, options: Mapping[str, Any]) -> None:
        attributes = {"correlation_id": correlation_of(message), **message.attributes}
        if message.ordering_key is not None:
            attributes[ORDERING_KEY] = message.ordering_key
        # As bytes: FastStream writes the length of a text in characters, and then its bytes, which may be more.
        headers = {_name(name): value.encode() for name, value in attributes.items()}
        await broker.publish(message.body, stream=destination, **{"headers": headers, **options})

    def show(self, broker: Any, destination: str, options: Mapping[str, Any], **shown: Any) -> None:
        broker.publisher(stream=destination, **shown)

    def refusal(self, error: Exception) -> str | None:
        if isinstance(error, struct.error):
            return "a header is longer than 65,535 bytes"
        return None

    def obstacle(self, error: Exception) -> str | None:
        if isinstance(error, NoPermissionError):
            return "the user may not add to it"
        if isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE"):
            return "its key holds something else than a stream"
        return None

    async def reject(self, message: Any) -> None:
        await message.ack()  # FastStream's reject would leave it pending, to be delivered again

    async def again(self, subscriber: Any, message: Any, delay: float) -> bool:
        await pause(subscriber, delay)
        if subscriber.running:  # so that nobody takes the event over
            stream, ids = message.raw_message["channel"], message.raw_message["message_ids"]
            await message.consumer.xclaim(stream, message.group, subscriber.stream_sub.consumer, 0, ids, justid=True)
        return bool(subscriber.running)

    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        if {"channel", "list", "stream"} & options.keys():
            raise DeclarationError("events go to streams, destination=...; lists and channels would lose them")


def _name(name: str) -> Any:
    return name if name.isascii() else name.encode()


DIALECT = _Redis()

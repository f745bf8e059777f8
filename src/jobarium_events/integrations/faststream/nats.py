"""NATS with JetStream. Core NATS keeps nothing, so neither side takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from faststream.nats import PullSub
from nats.errors import BadHeaderError, BadSubjectError, MaxPayloadError
from nats.js.api import ConsumerConfig
from nats.js.errors import BadRequestError, NoStreamResponseError, NotFoundError

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.dialects import (
    JSON,
    ORDERING_KEY,
    TIMEOUT,
    Dialect,
    correlation_of,
)
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = ["DIALECT"]

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class _Nats(Dialect):
    def subscribers(self, broker: Any, consumer: Consumer, destination: Any, options: dict[str, Any]) -> Sequence[Any]:
        if options.get("stream") is None:
            raise DeclarationError("name the JetStream stream that keeps the events: attach(..., stream='EVENTS')")
        if not options.get("pull_sub", True):
            raise DeclarationError("pull_sub: a push subscriber has no durable place that instances can share")
        chosen = {
            "durable": _NO_NAME.sub("_", f"{consumer.name}-{destination}"),
            # With one event at a time they are handled in order, also where one is given back.
            "pull_sub": PullSub(batch_size=1),
            "config": ConsumerConfig(filter_subjects=[], max_ack_pending=1),
            **options,
        }
        return [broker.subscriber(destination, **chosen)]

    async def publish(self, broker: Any, destination: str, message: Message, options: Mapping[str, Any]) -> None:
        client = await broker.connect()
        headers = {"content-type": JSON, "correlation_id": correlation_of(message), **message.attributes}
        if message.ordering_key is not None:
            headers[ORDERING_KEY] = message.ordering_key
        if "event_id" in headers and "replay" not in headers:
            headers["Nats-Msg-Id"] = headers["event_id"]  # so that the server drops what a relay sends twice
        size = len(message.body) + sum(len(f"{name}{value}".encode()) + 4 for name, value in headers.items()) + 64
        if size > client.max_payload:
            # The client looks at the body alone; a server that gets more closes the connection.
            raise Refused(f"{size} bytes with its headers, and the server takes {client.max_payload}")
        try:
            await broker.publish(message.body, destination, **{"headers": headers, "timeout": TIMEOUT, **options})
        except NoStreamResponseError:
            # Either no stream has this subject, or the stream's leader is away.
            with suppress(NotFoundError):
                await client.jetstream().find_stream_name_by_subject(destination)
                raise
            raise Refused(f"no stream of the server's has the subject {destination!r}") from None

    def show(self, broker: Any, destination: str, options: Mapping[str, Any], **shown: Any) -> None:
        broker.publisher(destination, **shown)  # with the stream, FastStream would declare it as well

    def refusal(self, error: Exception) -> str | None:
        if isinstance(error, BadHeaderError | BadRequestError | BadSubjectError | MaxPayloadError):
            return str(error)
        return None

    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        if not isinstance(options.get("stream"), str):
            raise DeclarationError("name the JetStream stream that is to confirm: FastStreamTransport(stream='EVENTS')")

    async def again(self, subscriber: Any, message: Any, delay: float) -> bool:
        await message.nack(delay=delay)
        return False


DIALECT = _Nats()

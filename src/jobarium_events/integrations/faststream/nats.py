"""NATS with JetStream. Core NATS keeps nothing, so neither side takes it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from faststream.nats import PullSub
from faststream.nats.subscriber.usecases import PullStreamSubscriber
from nats.errors import BadHeaderError, BadSubjectError, ConnectionClosedError, MaxPayloadError
from nats.js.api import ConsumerConfig
from nats.js.errors import BadRequestError, NoStreamResponseError, NotFoundError

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.dialects import (
    GLANCE,
    JSON,
    ORDERING_KEY,
    TIMEOUT,
    Dialect,
    correlation_of,
    end,
)
from jobarium_events.integrations.undeliverable import Undeliverable
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = ["DIALECT"]

# Seconds that a pull waits for an event, so that a stop has not to wait longer; and that it waits for another's.
_PULL, _LONGEST = 1.0, 5.0
# JetStream's codes for a message, and for headers, larger than a stream takes.
_TOO_LARGE = frozenset({10054, 10097})
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class _GivingBack(PullStreamSubscriber):
    """A subscriber that gives back, as it ends, what it has been given and will not handle.

    FastStream's own forgets it: NATS then waits for `ack_wait`, and keeps everything behind it waiting as well. And it
    asks a client that is closed for events again and again, while nothing else of the process runs.
    """

    __slots__ = ()

    async def _create_subscription(self) -> None:
        await super()._create_subscription()
        subscription: Any = self.subscription
        fetch = subscription.fetch

        async def fetch_or_end(*args: Any, **options: Any) -> Any:
            try:
                return await fetch(*args, **options)
            except ConnectionClosedError as error:
                if self.running:
                    end(self, error)
                raise

        subscription.fetch = fetch_or_end

    async def consume(self, msg: Any) -> Any:
        try:
            return await super().consume(msg)
        finally:
            if not self.running and not msg.is_acked:
                await msg.nak()  # also where the handler was cancelled, as it took too long to end

    async def stop(self) -> None:
        self.running = False
        if self.tasks:
            # An event may be on its way until the pull at hand has ended.
            await asyncio.wait(self.tasks, timeout=min(self.pull_sub.timeout or _LONGEST, _LONGEST))
        await super().stop()


class _Nats(Dialect):
    server = "NATS"

    def subscribers(self, broker: Any, consumer: Consumer, destination: Any, options: dict[str, Any]) -> Sequence[Any]:
        if options.get("stream") is None:
            raise DeclarationError("name the JetStream stream that keeps the events: attach(..., stream='EVENTS')")
        if not options.get("pull_sub", True):
            raise DeclarationError("pull_sub: a push subscriber has no durable place that instances can share")
        _check_reconnecting(broker)
        chosen = {
            "durable": _NO_NAME.sub("_", f"{consumer.name}-{destination}"),
            # With one event at a time they are handled in order, also where one is given back.
            "pull_sub": PullSub(batch_size=1, timeout=_PULL),
            "config": ConsumerConfig(filter_subjects=[], max_ack_pending=1),
            **options,
        }
        subscriber = broker.subscriber(destination, **chosen)
        if type(subscriber) is PullStreamSubscriber:
            subscriber.__class__ = _GivingBack
        return [subscriber]

    async def connect(self, broker: Any) -> None:
        while not (client := await broker.connect()).is_connected:
            if client.is_closed:
                broker._connection = None  # noqa: SLF001 - it has given up, and FastStream would keep it
            else:
                await asyncio.sleep(GLANCE)

    async def stop(self, broker: Any) -> None:
        client = broker._connection  # noqa: SLF001 - as above
        if client is not None and not client.is_connected:
            await client.close()  # FastStream would have it send what is left, which raises
            broker._connection = None  # noqa: SLF001 - as above
        await broker.stop()

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
            lacking = "no stream of the server's has this subject; make the stream, or start the consumer first"
            raise Undeliverable(destination, lacking) from None

    def show(self, broker: Any, destination: str, options: Mapping[str, Any], **shown: Any) -> None:
        broker.publisher(destination, **shown)  # with the stream, FastStream would declare it as well

    def refusal(self, error: Exception) -> str | None:
        if isinstance(error, BadHeaderError | BadSubjectError | MaxPayloadError):
            return str(error)
        return str(error) if isinstance(error, BadRequestError) and error.err_code in _TOO_LARGE else None

    def obstacle(self, error: Exception) -> str | None:
        return str(error) if isinstance(error, BadRequestError) else None

    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        if not isinstance(options.get("stream"), str):
            raise DeclarationError("name the JetStream stream that is to confirm: FastStreamTransport(stream='EVENTS')")

    async def again(self, subscriber: Any, message: Any, delay: float) -> bool:
        await message.nack(delay=delay)
        return False


def _check_reconnecting(broker: Any) -> None:
    """Raise if the broker's client gives up on a server that is away.

    Raises:
        DeclarationError: Saying how it would not.
    """
    asked = getattr(broker, "_connection_kwargs", None)
    if asked is not None and (asked["max_reconnect_attempts"] >= 0 or not asked["allow_reconnect"]):
        raise DeclarationError(
            "this broker's client gives up on a server that is away for long, and nothing would be consumed any more: "
            "NatsBroker(..., max_reconnect_attempts=-1)"
        )


DIALECT = _Nats()

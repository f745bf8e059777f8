"""RabbitMQ. Events go to one topic exchange, by their names; each consumer has queues of its own, bound to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aio_pika.exceptions import ChannelInvalidStateError, ChannelNotFoundEntity, ChannelPreconditionFailed, PublishError
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import ChannelAccessRefused
from faststream.rabbit import Channel, ExchangeType, RabbitExchange, RabbitQueue

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.dialects import (
    JSON,
    ORDERING_KEY,
    TIMEOUT,
    Dialect,
    correlation_of,
)
from jobarium_events.integrations.undeliverable import Undeliverable

if TYPE_CHECKING:
    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = ["DIALECT", "EVENTS"]

EVENTS = RabbitExchange("events", type=ExchangeType.TOPIC, durable=True)
"""The exchange where no other is named."""


class _Rabbit(Dialect):
    server = "RabbitMQ"
    away = (ConnectionError, TimeoutError, ChannelInvalidStateError)

    def subscribers(self, broker: Any, consumer: Consumer, destination: Any, options: dict[str, Any]) -> Sequence[Any]:
        if isinstance(destination, str):
            destination = RabbitQueue(f"{consumer.name}.{destination}", durable=True, routing_key=destination)
        # With one event at a time they are handled in order, also where one is given back.
        chosen = {"exchange": EVENTS, "channel": Channel(prefetch_count=1), **options}
        return [broker.subscriber(destination, **chosen)]

    async def publish(self, broker: Any, destination: str, message: Message, options: Mapping[str, Any]) -> None:
        headers = dict(message.attributes)
        if message.ordering_key is not None:
            headers[ORDERING_KEY] = message.ordering_key
        exchange = RabbitExchange.validate(options.get("exchange", EVENTS))
        if exchange.declare:
            await broker.declare_exchange(exchange)
        confirmed = await broker.publish(
            message.body,
            **{
                "routing_key": destination,
                "headers": headers,
                "correlation_id": correlation_of(message),
                "message_id": message.attributes.get("event_id"),
                "content_type": JSON,
                "persist": True,
                "timeout": TIMEOUT,
                **options,
                "exchange": exchange,
            },
        )
        if confirmed is None:
            raise DeclarationError("this broker has no publisher confirms; let its default_channel have them")
        if isinstance(confirmed, DeliveredMessage):
            raise Undeliverable(destination, f"no queue is bound to {exchange.name!r} by this routing key")

    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        if options.get("mandatory") is False:
            raise DeclarationError("without mandatory, RabbitMQ confirms what it has no queue for; leave it out")

    def show(self, broker: Any, destination: str, options: Mapping[str, Any], **shown: Any) -> None:
        broker.publisher(routing_key=destination, exchange=options.get("exchange", EVENTS), **shown)

    def refusal(self, error: Exception) -> str | None:
        too_large = isinstance(error, ChannelPreconditionFailed) and "message size" in str(error)
        return str(error) if too_large else None

    def obstacle(self, error: Exception) -> str | None:
        if isinstance(error, PublishError):
            return "no queue is bound to its exchange by this routing key"
        # Of the preconditions, an exchange that is there already, and another than is asked for.
        if isinstance(error, ChannelAccessRefused | ChannelNotFoundEntity | ChannelPreconditionFailed):
            return str(error)
        return None


DIALECT = _Rabbit()

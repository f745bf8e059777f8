"""MQTT 5, by sessions that the broker keeps while a consumer is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from faststream.mqtt.subscriber.usecase import MQTTDefaultSubscriber
from zmqtt import QoS
from zmqtt.errors import MQTTInvalidTopicError, MQTTPublishError, MQTTQoSExceededError

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.dialects import ORDERING_KEY, Dialect, correlation_of, pause
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = ["DIALECT"]

_TOPIC_NAME_INVALID = 0x90
_PACKET_TOO_LARGE = 0x95
_PAYLOAD_FORMAT_INVALID = 0x99
_REFUSALS = frozenset({_TOPIC_NAME_INVALID, _PACKET_TOO_LARGE, _PAYLOAD_FORMAT_INVALID})
_PROPERTIES = 256


class _KeptSubscriber(MQTTDefaultSubscriber):
    """A subscriber that ends without unsubscribing, so that the session goes on collecting its events."""

    __slots__ = ()

    async def _create_subscription(self) -> None:
        await super()._create_subscription()
        subscription: Any = self._subscription
        subscription.stop = subscription.detach


class _Mqtt(Dialect):
    takes_back = False

    def subscribers(self, broker: Any, consumer: Consumer, destination: Any, options: dict[str, Any]) -> Sequence[Any]:
        if options.get("max_workers", 1) != 1:
            raise DeclarationError(
                "max_workers: events would be handled out of order; start a process, with shared=..."
            )
        subscriber = broker.subscriber(destination, **{"qos": QoS.AT_LEAST_ONCE, **options})
        subscriber.__class__ = _KeptSubscriber
        return [subscriber]

    async def publish(self, broker: Any, destination: str, message: Message, options: Mapping[str, Any]) -> None:
        headers = dict(message.attributes)
        if message.ordering_key is not None:
            headers[ORDERING_KEY] = message.ordering_key
        client = await broker.connect()
        size = len(message.body) + sum(len(f"{name}{value}".encode()) + 5 for name, value in headers.items())
        granted = client.connection_info.properties
        most = granted.maximum_packet_size if granted is not None else None
        if most is not None and size + _PROPERTIES > most:
            # A broker that gets more closes the connection.
            raise Refused(f"{size} bytes with its headers, and the broker takes {most}")
        await broker.publish(
            message.body,
            destination,
            **{
                "headers": headers,
                "correlation_id": correlation_of(message),
                "qos": QoS.AT_LEAST_ONCE,
                **options,
            },
        )

    async def again(self, subscriber: Any, message: Any, delay: float) -> bool:
        await pause(subscriber, delay)
        return bool(subscriber.running)

    def show(self, broker: Any, destination: str, options: Mapping[str, Any], **shown: Any) -> None:
        broker.publisher(destination, **shown)

    def refusal(self, error: Exception) -> str | None:
        if isinstance(error, MQTTInvalidTopicError | MQTTQoSExceededError):
            return str(error)
        if isinstance(error, MQTTPublishError) and error.reason_code in _REFUSALS:
            return str(error)
        return None

    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        if broker.config.version != "5.0":
            raise DeclarationError("MQTT 3.1.1 has no headers; MQTTBroker(version='5.0')")
        if options.get("qos", QoS.AT_LEAST_ONCE) == QoS.AT_MOST_ONCE:
            raise DeclarationError("with qos 0 the broker confirms nothing; leave it out, or take 1 or 2")


DIALECT = _Mqtt()

"""MQTT 5, by sessions that the broker keeps while a consumer is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from faststream.mqtt.subscriber.usecase import MQTTDefaultSubscriber
from zmqtt import QoS, ReconnectConfig
from zmqtt.errors import (
    MQTTDisconnectedError,
    MQTTError,
    MQTTInvalidTopicError,
    MQTTPublishError,
    MQTTQoSExceededError,
)

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.dialects import ORDERING_KEY, Dialect, correlation_of, end, pause
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = ["DIALECT"]

_NOT_AUTHORIZED = 0x87
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

    async def _consume_loop(self) -> None:
        try:
            await super()._consume_loop()
        except (MQTTError, OSError) as error:
            end(self, error)


class _Mqtt(Dialect):
    server = "the MQTT broker"
    away = (ConnectionError, TimeoutError, MQTTDisconnectedError)
    takes_back = False

    def subscribers(self, broker: Any, consumer: Consumer, destination: Any, options: dict[str, Any]) -> Sequence[Any]:
        if options.get("max_workers", 1) != 1:
            raise DeclarationError(
                "max_workers: events would be handled out of order; start a process, with shared=..."
            )
        _check_connection(broker)
        subscriber = broker.subscriber(destination, **{"qos": QoS.AT_LEAST_ONCE, **options})
        subscriber.__class__ = _KeptSubscriber
        return [subscriber]

    async def connect(self, broker: Any) -> None:
        client = broker._connection  # noqa: SLF001 - no other place tells
        if client is not None and (client._run_task is None or client._run_task.done()):  # noqa: SLF001 - as above
            await client.disconnect()
            broker._connection = None  # noqa: SLF001 - it has given up, and FastStream would keep it
        await broker.connect()

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
        if isinstance(error, MQTTInvalidTopicError):
            return str(error)
        if isinstance(error, MQTTPublishError) and error.reason_code in _REFUSALS:
            return str(error)
        return None

    def obstacle(self, error: Exception) -> str | None:
        if isinstance(error, MQTTQoSExceededError):
            return str(error)
        if isinstance(error, MQTTPublishError) and error.reason_code == _NOT_AUTHORIZED:
            return str(error)
        return None

    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        if broker.config.version != "5.0":
            raise DeclarationError("MQTT 3.1.1 has no headers; MQTTBroker(version='5.0')")
        if options.get("qos", QoS.AT_LEAST_ONCE) == QoS.AT_MOST_ONCE:
            raise DeclarationError("with qos 0 the broker confirms nothing; leave it out, or take 1 or 2")


def _check_connection(broker: Any) -> None:
    """Raise if the server forgets the consumer as soon as it is away, or the consumer gives up on the server.

    Raises:
        DeclarationError: Saying how it would not.
    """
    session = getattr(broker, "_connection_kwargs", None)
    if session is None:
        return  # a router, which gets its broker later
    lasting = session["session_expiry_interval"] > 0 or broker.config.version != "5.0"
    if not session["client_id"] or session["clean_session"] or not lasting:
        raise DeclarationError(
            "this broker has no session that is kept, and events that come while the service is away would be lost: "
            "MQTTBroker(..., client_id='matching-service', clean_session=False, session_expiry_interval=7 * 24 * 3600)"
        )
    reconnecting = session["reconnect"] or ReconnectConfig()
    if not reconnecting.enabled or reconnecting.max_attempts is not None:
        raise DeclarationError(
            "this broker's client gives up on a server that is away for half a minute, and nothing would be consumed "
            "any more: MQTTBroker(..., reconnect=zmqtt.ReconnectConfig(max_attempts=None))"
        )


DIALECT = _Mqtt()

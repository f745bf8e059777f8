"""What differs between the brokers: how to subscribe, publish, take back and give up. Each has a dialect."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any

from jobarium_events.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = ["JSON", "ORDERING_KEY", "TIMEOUT", "Dialect", "attributes_of", "correlation_of", "dialect_of", "pause"]

JSON = "application/json"

ORDERING_KEY = "ordering_key"
"""The header that carries a message's ordering key where the broker has no place of its own for one."""

TIMEOUT = 30.0
"""How many seconds a broker has to confirm a message, where its client asks for a limit."""

_GLANCE = 0.1
_KINDS = frozenset({"confluent", "kafka", "mqtt", "nats", "rabbit", "redis"})


class Dialect(ABC):
    """How one kind of broker is subscribed to and published to.

    Attributes:
        takes_back: Whether the broker itself delivers an event again. If not, the event is handled again where it is,
            and stays unacknowledged meanwhile.
    """

    takes_back = True

    @abstractmethod
    def subscribers(self, broker: Any, consumer: Consumer, destination: Any, options: dict[str, Any]) -> Sequence[Any]:
        """Return FastStream's subscribers to a destination, of which the first is the one that is shown.

        Args:
            broker: The broker or router.
            consumer: Whose name the broker is to remember it by.
            destination: The topic, subject, queue or stream.
            options: For ``broker.subscriber``; they override what the dialect would choose.

        Raises:
            DeclarationError: If events could be lost this way.
        """

    @abstractmethod
    async def publish(self, broker: Any, destination: str, message: Message, options: Mapping[str, Any]) -> None:
        """Publish a message, and return once the broker has confirmed it.

        Raises:
            Refused: If the broker will never take it, as far as that shows without an error of the client's.
            Exception: Whatever the client raises; `refusal` tells one kind from the other.
        """

    @abstractmethod
    def refusal(self, error: Exception) -> str | None:
        """Return why a broker will never take the message that this was raised for, or None if it may yet."""

    @abstractmethod
    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        """Raise if the broker would not confirm what it is sent.

        Raises:
            DeclarationError: Saying how it would.
        """

    @abstractmethod
    def show(self, broker: Any, destination: str, options: Mapping[str, Any], **shown: Any) -> None:
        """Have FastStream's AsyncAPI page show that something is published to a destination."""

    async def ack(self, message: Any) -> None:
        """Have the broker know that an event is done with."""
        await message.ack()

    async def reject(self, message: Any) -> None:
        """Have the broker never deliver an event again."""
        await message.reject()

    async def again(self, subscriber: Any, message: Any, delay: float) -> bool:
        """Have an event come again after a delay.

        Returns:
            Whether it is to be handled again right here; otherwise the broker has it.
        """
        await pause(subscriber, delay)
        await message.nack()
        return False


async def pause(subscriber: Any, seconds: float) -> None:
    """Wait, but not beyond the end of the subscription: then another instance takes the event."""
    while seconds > 0 and subscriber.running:
        await asyncio.sleep(min(seconds, _GLANCE))
        seconds -= _GLANCE


def dialect_of(broker: Any) -> Dialect:
    """Return the dialect of a FastStream broker or router.

    Raises:
        DeclarationError: If it is none, or its bytes are not sure to arrive as they were sent.
    """
    for base in type(broker).__mro__:
        package, _, rest = base.__module__.partition(".")
        kind = rest.partition(".")[0]
        if package == "faststream" and kind in _KINDS:
            break
    else:
        raise DeclarationError(f"{type(broker).__name__} is no broker of FastStream's for {', '.join(sorted(_KINDS))}")
    if broker.config.broker_codec is not None:
        raise DeclarationError("the broker has a codec, which may change an event's bytes; use a broker without one")
    dialect: Dialect = import_module(f"{__package__}.{kind}").DIALECT
    return dialect


def correlation_of(message: Message) -> str:
    """Return a correlation id for FastStream, which would make one up; the event's own id where it has none."""
    return message.attributes.get("correlation_id") or message.attributes.get("event_id") or "none"


def attributes_of(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes that a message was sent with: its headers as text, but for those that the way added."""
    attributes = {
        name: value if isinstance(value, str) else _text(value)
        for name, value in headers.items()
        if name.lower() != "content-type" and not name.startswith("Nats-")
    }
    if attributes.get("correlation_id") in (attributes.get("event_id"), "none"):
        attributes.pop("correlation_id", None)  # see `correlation_of`
    attributes.pop(ORDERING_KEY, None)
    return attributes


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes | bytearray) else str(value)

"""What differs between the brokers: how to subscribe, publish, take back and give up. Each has a dialect."""

from __future__ import annotations

import asyncio
import inspect
import logging
from abc import ABC, abstractmethod
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from jobarium_events.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = [
    "GLANCE",
    "JSON",
    "ORDERING_KEY",
    "TIMEOUT",
    "Dialect",
    "attributes_of",
    "check_options",
    "correlation_of",
    "dialect_of",
    "end",
    "pause",
]

_log = logging.getLogger("jobarium_events")

JSON = "application/json"

ORDERING_KEY = "ordering_key"
"""The header that carries a message's ordering key where the broker has no place of its own for one."""

TIMEOUT = 30.0
"""How many seconds a broker has to confirm a message, where its client asks for a limit."""

GLANCE = 0.1
"""Seconds between two looks at what no event tells."""

_KINDS = frozenset({"confluent", "kafka", "mqtt", "nats", "rabbit", "redis"})


class Dialect(ABC):
    """How one kind of broker is subscribed to and published to.

    Attributes:
        server: What is connected to, as an error names it.
        takes_back: Whether the broker itself delivers an event again. If not, the event is handled again where it is,
            and stays unacknowledged meanwhile.
        attaching: The options of `attach` that ``broker.subscriber`` does not have.
        away: What the client raises where the server does not answer.
    """

    server: str
    takes_back = True
    attaching: frozenset[str] = frozenset()
    away: tuple[type[Exception], ...] = (ConnectionError, TimeoutError)

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
            Undeliverable: If it does not for now, as far as that shows so.
            Exception: Whatever the client raises; `refusal` and `obstacle` tell one kind from the other.
        """

    @abstractmethod
    def refusal(self, error: Exception) -> str | None:
        """Return what is wrong with the message that this was raised for, or None if the broker may yet take it."""

    @abstractmethod
    def obstacle(self, error: Exception) -> str | None:
        """Return what is to be mended at the broker for the message, or None if that is not what was raised."""

    @abstractmethod
    def check_publishing(self, broker: Any, options: Mapping[str, Any]) -> None:
        """Raise if the broker would not confirm what it is sent.

        Raises:
            DeclarationError: Saying how it would.
        """

    @abstractmethod
    def show(self, broker: Any, destination: str, options: Mapping[str, Any], **shown: Any) -> None:
        """Have FastStream's AsyncAPI page show that something is published to a destination."""

    async def connect(self, broker: Any) -> None:
        """Return once the broker is connected, also where its client lost the connection."""
        await broker.connect()

    async def stop(self, broker: Any) -> None:
        """Stop a broker, whether or not its server is there."""
        await broker.stop()

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
        await asyncio.sleep(min(seconds, GLANCE))
        seconds -= GLANCE


def end(subscriber: Any, error: Exception) -> None:
    """Say that a subscriber gets no more events, and have its service end, so that it is started again."""
    _log.critical("%s: its client has given up, so the service ends: %s", subscriber.specification.call_name, error)
    subscriber.running = False
    if app := subscriber._outer_config.fd_config.context.get("app"):  # noqa: SLF001 - as FastStream's own do
        app.exit()


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


def check_options(
    call: Callable[..., Any], options: Iterable[str], *, ours: Iterable[str], others: Iterable[str] = ()
) -> None:
    """Raise if an option is none of a function of FastStream's, or is not for a service to choose.

    Args:
        call: What the options are for.
        options: Their names.
        ours: Those that are chosen here, besides the function's first, which says what or where.
        others: Those that are taken besides the function's own.

    Raises:
        DeclarationError: Naming the option.
    """
    first, *rest = inspect.signature(call).parameters
    if taken := sorted({first, *ours} & {*options}):
        raise DeclarationError(f"{', '.join(taken)}: that is chosen here, as no event may be lost or changed")
    known = sorted({*rest, *others} - {*ours})
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise DeclarationError(f"{call.__qualname__} has no option {name!r}; {hint}")


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

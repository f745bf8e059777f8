"""For the tests of services: a transport within the process, and what a producer emitted."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from jobarium_events.errors import DeclarationError, Rejection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message, Outcome
    from jobarium_events.producer import Producer

__all__ = ["Delivery", "InMemoryTransport", "captured"]


class Delivery(NamedTuple):
    """One message that was delivered to one consumer.

    Attributes:
        message: The message.
        consumer: Name of the consumer.
        outcome: What became of it; None if the consumer raised.
        error: What the consumer raised, or None.
    """

    message: Message
    consumer: str
    outcome: Outcome | None
    error: Exception | None


class InMemoryTransport:
    """Carries messages from producers to consumers within one process, in order, as a broker would.

    Every subscribed consumer gets every message. A consumer that raises gets the message again, up to `attempts`
    times in all; a rejection is final and is not delivered again.

    Args:
        attempts: How often a message is delivered to a consumer that raises.
    """

    def __init__(self, *, attempts: int = 3) -> None:
        self.attempts = attempts
        self.sent: list[Message] = []
        self._consumers: list[Consumer] = []
        self._waiting: deque[Message] = deque()

    def send(self, message: Message) -> None:
        """Take a message; give this to a producer. It is delivered by `deliver`."""
        self.sent.append(message)
        self._waiting.append(message)

    async def asend(self, message: Message) -> None:
        """Take a message, as `send` does; for a producer that awaits."""
        self.send(message)

    def subscribe(self, *consumers: Consumer) -> None:
        """Have consumers get every message that is delivered from now on."""
        self._consumers.extend(consumers)

    def deliver(self) -> list[Delivery]:
        """Deliver every waiting message, those that handlers send meanwhile included.

        Returns:
            Each delivery with its outcome, in order.
        """
        deliveries: list[Delivery] = []
        while self._waiting:
            message = self._waiting.popleft()
            for consumer in self._consumers:
                deliveries.extend(self._delivered(message, consumer))
        return deliveries

    async def adeliver(self) -> list[Delivery]:
        """Deliver as `deliver` does, to handlers that may be async."""
        deliveries: list[Delivery] = []
        while self._waiting:
            message = self._waiting.popleft()
            for consumer in self._consumers:
                for attempt in range(self.attempts):
                    delivery = await _adelivered(message, consumer)
                    deliveries.append(delivery)
                    if _is_final(delivery, attempt, self.attempts):
                        break
        return deliveries

    def _delivered(self, message: Message, consumer: Consumer) -> Iterator[Delivery]:
        for attempt in range(self.attempts):
            try:
                delivery = Delivery(message, consumer.name, consumer.consume(message.body, message.attributes), None)
            except Exception as error:  # noqa: BLE001 - kept in the delivery, for the test to look at
                delivery = Delivery(message, consumer.name, None, error)
            yield delivery
            if _is_final(delivery, attempt, self.attempts):
                return


async def _adelivered(message: Message, consumer: Consumer) -> Delivery:
    try:
        return Delivery(message, consumer.name, await consumer.aconsume(message.body, message.attributes), None)
    except Exception as error:  # noqa: BLE001 - kept in the delivery, for the test to look at
        return Delivery(message, consumer.name, None, error)


def _is_final(delivery: Delivery, attempt: int, attempts: int) -> bool:
    return delivery.error is None or isinstance(delivery.error, Rejection | DeclarationError) or attempt + 1 == attempts


@contextmanager
def captured(*producers: Producer) -> Iterator[list[Message]]:
    """Collect what some producers emit instead of sending it; their own `send` is restored at the end.

    Example:
        >>> with captured(producer) as messages:
        ...     producer.emit(payload)
        >>> assert messages[0].attributes["event_name"] == "job.updated"
    """
    if not producers:
        raise DeclarationError("name the producers to capture: captured(producer)")
    messages: list[Message] = []
    before = [producer.send for producer in producers]
    for producer in producers:
        producer.send = messages.append
    try:
        yield messages
    finally:
        for producer, send in zip(producers, before, strict=True):
            producer.send = send

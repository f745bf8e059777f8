"""For the tests of services: a transport and an inbox within the process, and what a producer emitted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.envelope import Outcome
from jobarium_events.errors import DeclarationError, Rejection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message
    from jobarium_events.inboxes import Arrival
    from jobarium_events.producer import Producer

__all__ = ["Delivery", "InMemoryInbox", "InMemoryTransport", "captured"]

_PAUSE = 0.001


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


class InMemoryInbox:
    """Lets each event take effect once, as an inbox in a database does, for as long as the test lasts.

    It remembers an event once its handler has returned. What the handler did by then it cannot undo.

    Args:
        connection: What handlers find as `connection`, in place of a database's.

    Attributes:
        handled: What was handled, in order.
    """

    def __init__(self, connection: Any = None) -> None:
        self.connection = connection
        self.handled: list[Arrival] = []
        self._known: set[tuple[object, ...]] = set()
        self._highest: dict[tuple[str, str, str], int | str] = {}
        self._busy: set[tuple[object, ...]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def claim(self, arrival: Arrival) -> Iterator[Outcome | None]:
        """Remember the event if the block ends well; see `Inbox.claim`."""
        while not self._begun(arrival):
            time.sleep(_PAUSE)
        with self._within(arrival) as known:
            yield known

    @asynccontextmanager
    async def aclaim(self, arrival: Arrival) -> AsyncIterator[Outcome | None]:
        """As `claim`, for `Consumer.aconsume`."""
        while not self._begun(arrival):  # noqa: ASYNC110 - several loops and threads may share an inbox
            await asyncio.sleep(_PAUSE)
        with self._within(arrival) as known:
            yield known

    def _begun(self, arrival: Arrival) -> bool:
        """Begin, unless the event, or one of its aggregate, is being handled."""
        keys = _keys(arrival)
        with self._lock:
            if not self._busy.isdisjoint(keys):
                return False
            self._busy |= keys
            return True

    @contextmanager
    def _within(self, arrival: Arrival) -> Iterator[Outcome | None]:
        keys = _keys(arrival)
        aggregate = (arrival.consumer, arrival.event, str(arrival.aggregate))
        try:
            if not self._known.isdisjoint(keys):
                yield Outcome.DUPLICATE
            elif arrival.aggregate is not None and _is_higher(self._highest.get(aggregate), arrival.position):
                yield Outcome.STALE
            else:
                yield None
                self.handled.append(arrival)
                self._known |= {key for key in keys if key[0] != "aggregate"}
                if arrival.aggregate is not None and arrival.position is not None:
                    self._highest[aggregate] = arrival.position
        finally:
            with self._lock:
                self._busy -= keys


def _keys(arrival: Arrival) -> set[tuple[object, ...]]:
    keys: set[tuple[object, ...]] = {
        ("id", arrival.consumer, arrival.event_id),
        ("key", arrival.consumer, arrival.event, arrival.idempotency_key),
    }
    if arrival.aggregate is not None:
        keys.add(("aggregate", arrival.consumer, arrival.event, arrival.aggregate))
    return keys


def _is_higher(held: int | str | None, position: int | str | None) -> bool:
    if isinstance(held, int) and isinstance(position, int):
        return held > position
    return isinstance(held, str) and isinstance(position, str) and held > position


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

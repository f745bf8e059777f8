"""A transport over any broker of FastStream's: `asend` returns once the broker has confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from jobarium_events.contract import Lifecycle
from jobarium_events.envelope import Message
from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.describing import described
from jobarium_events.integrations.faststream.dialects import dialect_of
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from jobarium_events.contract import Contract
    from jobarium_events.producer import Producer

__all__ = ["FastStreamTransport"]


class FastStreamTransport:
    """Sends messages to a broker: a `Transport`, so ``Producer(send=transport.asend)``, or what a relay publishes by.

    Args:
        broker: A broker of FastStream's: Kafka (either client), RabbitMQ, NATS, Redis or MQTT. It is connected when
            the first message is sent, if it is not yet; stopping it is yours.
        destination: The topic, subject, routing key or stream: a name, or a function of the message. Without it, each
            event goes to the destination of its own name.
        options: For FastStream's ``broker.publish``, such as the ``stream`` of NATS or the ``exchange`` of RabbitMQ.

    Raises:
        DeclarationError: If the broker would not confirm what it is sent.
    """

    def __init__(
        self, broker: Any, *, destination: str | Callable[[Message], str] | None = None, **options: Any
    ) -> None:
        self.broker = broker
        self._destination = _by_name if destination is None else destination
        self._options = options
        self._dialect = dialect_of(broker)
        self._dialect.check_publishing(broker, options)
        self._connecting = asyncio.Lock()

    async def asend(self, message: Message) -> None:
        """Send a message, and return once the broker has confirmed it.

        Raises:
            Refused: If the broker will never take it: too large, no such destination, nobody it can be routed to.
            Exception: Whatever else the broker's client raises; the message may be sent again.
        """
        destination = self.destination(message)
        async with self._connecting:
            await self.broker.connect()
        try:
            await self._dialect.publish(self.broker, destination, message, self._options)
        except Exception as error:
            reason = self._dialect.refusal(error)
            if reason is None:
                raise
            raise Refused(f"{destination}: {reason}") from error

    def destination(self, message: Message) -> str:
        """Return where a message goes."""
        return self._destination(message) if callable(self._destination) else self._destination

    def describe(self, producer: Producer) -> None:
        """Show what a producer emits in FastStream's AsyncAPI page: the contracts that it owns, at their destinations.

        A destination that is a function is asked with the contract's name and version, and ``{job_id}`` for an ordering
        key.
        """
        at: dict[str, list[Contract]] = {}
        for contract in producer.catalog:
            if contract.owner == producer.name and contract.lifecycle in (Lifecycle.ACTIVE, Lifecycle.DEPRECATED):
                at.setdefault(self.destination(_example(contract)), []).append(contract)
        if not at:
            raise DeclarationError(f"producer {producer.name!r} owns no contract of its catalog that may be emitted")
        for destination, contracts in at.items():
            shown = {"schema": described(partial(list, contracts)), "description": f"Events of {producer.name}."}
            self._dialect.show(self.broker, destination, self._options, **shown)


def _by_name(message: Message) -> str:
    return message.attributes["event_name"]


def _example(contract: Contract) -> Message:
    names = {"event_name": contract.event, "event_version": contract.version, "producer": contract.owner}
    return Message(b"", names, f"{{{contract.ordering.per}}}" if contract.ordering else None)

"""A transport over any broker of FastStream's: `asend` returns once the broker has confirmed.

::

    JobariumEventsError
    ├── Undeliverable             something at the broker is to be mended; of `integrations`, as Pub/Sub raises it too
    └── Unreachable               the broker's server does not answer (a ConnectionError too)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from jobarium_events.contract import Lifecycle
from jobarium_events.envelope import Message
from jobarium_events.errors import DeclarationError, JobariumEventsError
from jobarium_events.integrations.faststream.describing import described
from jobarium_events.integrations.faststream.dialects import check_options, dialect_of
from jobarium_events.integrations.undeliverable import Undeliverable
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from jobarium_events.contract import Contract
    from jobarium_events.producer import Producer

__all__ = ["FastStreamTransport", "Unreachable"]

_log = logging.getLogger("jobarium_events")

# What says where a message goes, and what it carries; without a confirmation it may be lost.
_OURS = frozenset(
    {"correlation_id", "headers", "message", "no_confirm", "queue", "reply_to", "routing_key", "subject", "topic"}
)


class Unreachable(JobariumEventsError, ConnectionError):
    """The server of a broker does not answer; the message may be sent again.

    Attributes:
        destination: Where the message was to go.
        server: What kind of server it is.
        addresses: Where it was looked for, without user and password.
        reason: What its client says.
    """

    def __init__(self, destination: str, server: str, addresses: str, reason: str) -> None:
        self.destination = destination
        self.server = server
        self.addresses = addresses
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.destination}: no answer from {self.server} at {self.addresses}: {self.reason}"


class FastStreamTransport:
    """Sends messages to a broker: a `Transport`, so ``Producer(send=transport.asend)``, or what a relay publishes by.

    As an async context manager it stops the broker at the end, if it was the transport that connected it:
    ``async with FastStreamTransport(...) as transport``. The commands that take a transport do so.

    Args:
        broker: A broker of FastStream's: Kafka (either client), RabbitMQ, NATS, Redis or MQTT. It is connected when
            the first message is sent, if it is not yet.
        destination: The topic, subject, routing key or stream: a name, or a function of the message. Without it, each
            event goes to the destination of its own name.
        connect_timeout: How many seconds the connecting may take, and the stopping.
        options: For FastStream's ``broker.publish``, such as the ``stream`` of NATS or the ``exchange`` of RabbitMQ.

    Raises:
        DeclarationError: If the broker would not confirm what it is sent, or has no such option.
    """

    def __init__(
        self,
        broker: Any,
        *,
        destination: str | Callable[[Message], str] | None = None,
        connect_timeout: float = 5.0,
        **options: Any,
    ) -> None:
        self.broker = broker
        self._destination = _by_name if destination is None else destination
        self._connect_timeout = connect_timeout
        self._options = options
        self._dialect = dialect_of(broker)
        self._dialect.check_publishing(broker, options)
        check_options(broker.publish, options, ours=_OURS)
        self._connecting = asyncio.Lock()
        self._failures = 0
        self._reason = ""
        self._connects = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connects and not self.broker.running:
            self._connects = False
            try:
                async with asyncio.timeout(self._connect_timeout):
                    await self._dialect.stop(self.broker)
            except TimeoutError:
                _log.warning("%s: it did not end within %g s, and is left", self._dialect.server, self._connect_timeout)

    async def asend(self, message: Message) -> None:
        """Send a message, and return once the broker has confirmed it.

        Raises:
            Refused: If the broker will never take it: too large, or for a name that can be none of a destination.
            Undeliverable: If it does not take it for now: no such destination, nobody it can be routed to, not allowed.
            Unreachable: If its server does not answer.
            Exception: Whatever else the broker's client raises; the message may be sent again.
        """
        destination = self.destination(message)
        failures = self._failures
        async with self._connecting:
            # What waited while another message tried in vain does not try for itself: each would take as long.
            if failures != self._failures or not await self._connected():
                raise self._unreachable(destination, self._reason)
        try:
            await self._dialect.publish(self.broker, destination, message, self._options)
        except Exception as error:
            if (reason := self._dialect.refusal(error)) is not None:
                raise Refused(f"{destination}: {reason}") from error
            if (reason := self._dialect.obstacle(error)) is not None:
                raise Undeliverable(destination, reason) from error
            if isinstance(error, self._dialect.away):
                raise self._unreachable(destination, _told(error)) from error
            raise

    async def _connected(self) -> bool:
        self._connects = self._connects or self.broker._connection is None  # noqa: SLF001 - no other place tells
        try:
            async with asyncio.timeout(self._connect_timeout):
                await self._dialect.connect(self.broker)
        except TimeoutError:
            self._reason = f"no connection within {self._connect_timeout:g} s"
        except Exception as error:  # noqa: BLE001 - each client has its own
            self._reason = _told(error)
        else:
            return True
        self._failures += 1
        return False

    def _unreachable(self, destination: str, reason: str) -> Unreachable:
        return Unreachable(destination, self._dialect.server, ", ".join(self.broker.specification.url), reason)

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


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


def _by_name(message: Message) -> str:
    return message.attributes["event_name"]


def _example(contract: Contract) -> Message:
    names = {"event_name": contract.event, "event_version": contract.version, "producer": contract.owner}
    return Message(b"", names, f"{{{contract.ordering.per}}}" if contract.ordering else None)

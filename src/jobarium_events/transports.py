"""What carries messages to a broker: one method, and what it raises where the broker will never take a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jobarium_events.errors import JobariumEventsError

if TYPE_CHECKING:
    from jobarium_events.envelope import Message

__all__ = ["Refused", "Transport"]


class Transport(Protocol):
    """Carries messages to a broker.

    Its `asend` is a producer's `send`, for `aemit`, and what a relay publishes through.
    """

    async def asend(self, message: Message) -> None:
        """Hand a message to the broker, and return once the broker has confirmed that it keeps it.

        Messages whose `asend` runs at the same time may arrive in any order; one that begins after another has
        returned arrives after it.

        Raises:
            Refused: If the broker will never take this message, however often it is sent.
            Exception: Anything else, if sending it again may succeed.
        """


class Refused(JobariumEventsError):
    """A broker will never take this message: too large, no such topic, not allowed.

    Attributes:
        reason: Why, in the broker's words; never a value from the payload.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __str__(self) -> str:
        return f"the broker refused the message: {self.reason}"

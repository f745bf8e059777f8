"""What stands in a message's way at the broker, and is no fault of the message."""

from __future__ import annotations

from jobarium_events.errors import JobariumEventsError

__all__ = ["Undeliverable"]


class Undeliverable(JobariumEventsError):
    """A broker does not take a message before something there is mended; the message may then be sent again.

    There is no such topic, nothing is bound to the exchange, publishing is not allowed. A relay tries again, and logs
    this; what is wrong with a message itself is `Refused`.

    Attributes:
        destination: Where the message was to go.
        reason: What is to be mended.
    """

    def __init__(self, destination: str, reason: str) -> None:
        self.destination = destination
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.destination}: {self.reason}"

"""A rejected event, kept whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from jobarium_events.errors import Rejection, Violation

__all__ = ["DeadLetter"]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected event: its raw bytes and attributes, the reason, and where in it.

    Attributes:
        raw: The bytes exactly as they came.
        attributes: The message's attributes as they came.
        consumer: Name of the consumer that rejected it.
        rejected_at: When, in UTC.
        rejection: Why, as the error that would be raised without dead letters.
    """

    raw: bytes
    attributes: Mapping[str, str]
    consumer: str
    rejected_at: datetime
    rejection: Rejection

    @property
    def event(self) -> str | None:
        """The event's name, as far as it was readable."""
        return self.rejection.event

    @property
    def version(self) -> str | None:
        """The event's version, as far as it was readable."""
        return self.rejection.version

    @property
    def reason(self) -> str:
        """Stable and machine-readable, such as ``"invalid-payload"``."""
        return self.rejection.reason

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every violation with its JSON Pointer, worked out when first read."""
        return self.rejection.violations

    def __repr__(self) -> str:
        return f"<DeadLetter {self.rejection.contract}: {self.reason}>"

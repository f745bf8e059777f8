"""What a service can watch: one Protocol, one frozen details object for each emit and each consume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from jobarium_events.envelope import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["Consumed", "Emitted", "Hooks", "notify"]


class Emitted(msgspec.Struct, frozen=True):
    """One attempt to emit, or to prepare what somebody else will send, such as the relay of an outbox.

    Attributes:
        producer: Name of the producer.
        event: The event's name; None if it was refused before one was known.
        version: Its version; None if it was refused before one was settled.
        reason: None if it was sent or prepared, else the refusal's reason, or ``"error"`` if anything else raised.
        seconds: How long it took, sending included.
        prepared: Whether it was only to be prepared. It may never be sent: the transaction may be rolled back.
    """

    producer: str
    event: str | None
    version: str | None
    reason: str | None
    seconds: float
    prepared: bool = False


class Consumed(msgspec.Struct, frozen=True):
    """One event that was consumed.

    Attributes:
        consumer: Name of the consumer.
        event: The event's name as it was on the wire; None if it was unreadable.
        version: Its version as it was on the wire; None if it was unreadable.
        outcome: What became of it; None if it raised.
        reason: Why it was rejected or skipped, ``"error"`` if a handler raised, else None.
        seconds: How long it took, the handler included.
    """

    consumer: str
    event: str | None
    version: str | None
    outcome: Outcome | None
    reason: str | None
    seconds: float


class Hooks(Protocol):
    """What a producer or a consumer tells about each event. A hook that raises is logged and never fails an event."""

    def emitted(self, details: Emitted) -> None:
        """Called after each attempt to emit or to prepare."""

    def consumed(self, details: Consumed) -> None:
        """Called after each event consumed."""


def notify(hooks: Iterable[Hooks], details: Emitted | Consumed) -> None:
    """Tell every hook; one that raises is logged with its traceback, and the others still hear of it."""
    for hook in hooks:
        try:
            if isinstance(details, Emitted):
                hook.emitted(details)
            else:
                hook.consumed(details)
        except Exception:  # whatever a hook raises, the event must not fail for it
            import logging  # noqa: PLC0415 - costs a fifth of the start-up and is needed only here

            logging.getLogger("jobarium_events").exception("the hook %r failed", type(hook).__name__)

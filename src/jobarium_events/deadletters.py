"""A rejected event, kept whole: as it is when it is rejected, and as a store gives it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

import msgspec

from jobarium_events import errors
from jobarium_events.envelope import as_bytes
from jobarium_events.errors import JobariumEventsError, Malformed, Rejection, Violation

__all__ = [
    "REASONS",
    "BeingReplayed",
    "DeadLetter",
    "KeptLetter",
    "LetterFilter",
    "LetterKind",
    "NoLetter",
    "storable_fields",
]

# What a store keeps of one letter: an array of a million wrong items has a million violations.
_MOST_VIOLATIONS = 100
_LONGEST_NAME = 200


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

    @classmethod
    def of(cls, rejection: Rejection, raw: Any, attributes: Mapping[str, str] | None, consumer: str) -> Self:
        """Return the letter of an event that is rejected now."""
        return cls(
            raw=raw if type(raw) is bytes else as_bytes(raw),
            attributes=dict(attributes) if attributes else {},
            consumer=consumer,
            rejected_at=datetime.now(UTC),
            rejection=rejection,
        )

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


class KeptLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as a store gives it back.

    Attributes:
        id: Its number in the store; a later one is higher.
        raw: The bytes exactly as they came.
        attributes: The message's attributes as they came.
        consumer: Name of the consumer that rejected it.
        event: The event's name, as far as it was readable.
        version: The event's version, as far as it was readable.
        reason: Stable and machine-readable, such as ``"invalid-payload"``.
        problem: What was wrong, where neither the reason nor a violation says it.
        violations: The places where it broke its contract, the first hundred of them; never a payload's value.
        rejected_at: When it was rejected.
        replayed_at: When it was replayed last, or None.
    """

    id: int
    raw: bytes
    attributes: Mapping[str, str]
    consumer: str
    event: str | None
    version: str | None
    reason: str
    problem: str | None
    violations: tuple[Violation, ...]
    rejected_at: datetime
    replayed_at: datetime | None = None

    @property
    def rejection(self) -> Rejection:
        """Why it was rejected, as the error that the consumer had."""
        first = self.violations[0] if self.violations else None

        def explain() -> tuple[Violation, ...]:
            return self.violations

        kind = _KINDS.get(self.reason)
        if kind is None or kind is Malformed:
            return Malformed(self.problem or self.reason, self.event, self.version, first, explain=explain)
        return kind(self.event, self.version, first, problem=self.problem, explain=explain)

    def __repr__(self) -> str:
        return f"<KeptLetter {self.id}, {self.rejection.contract}: {self.reason}>"


_KINDS: Mapping[str, Callable[..., Rejection]] = {
    kind.reason: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, Rejection) and kind is not Rejection
}


REASONS = tuple(sorted(_KINDS))
"""Every reason for which this release rejects an event."""


class NoLetter(JobariumEventsError):
    """A letter is not in the store.

    Attributes:
        id: Its number.
    """

    def __init__(self, id: int) -> None:  # noqa: A002 - the column's name
        self.id = id

    def __str__(self) -> str:
        return f"there is no dead letter {self.id}"


class BeingReplayed(JobariumEventsError):
    """Another replay has a letter; once it has ended, `KeptLetter.replayed_at` says how.

    Attributes:
        id: Its number.
    """

    def __init__(self, id: int) -> None:  # noqa: A002 - the column's name
        self.id = id

    def __str__(self) -> str:
        return f"another replay has dead letter {self.id}; try again when it has ended"


class LetterKind(msgspec.Struct, frozen=True):
    """What some letters in a store have in common.

    Attributes:
        event: The event's name, as far as it was readable.
        version: The event's version, as far as it was readable.
        reason: Why they were rejected.
        consumer: Name of the consumer that rejected them.
        number: How many they are.
    """

    event: str | None
    version: str | None
    reason: str
    consumer: str
    number: int


class LetterFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the letters in a store are meant: those that fit all of what is given.

    Attributes:
        event: The event's name.
        version: The event's version.
        reason: Why they were rejected.
        consumer: Name of the consumer that rejected them.
        before: A moment, with an offset, before which they were rejected.
        since: A moment, with an offset, at or after which they were rejected.
        replayed: Whether they have been replayed.
    """

    event: str | None = None
    version: str | None = None
    reason: str | None = None
    consumer: str | None = None
    before: datetime | None = None
    since: datetime | None = None
    replayed: bool | None = None


def storable_fields(letter: DeadLetter) -> dict[str, Any]:
    """Return what a store keeps of a letter, attributes and violations as JSON.

    JSON escapes what a database may not hold in a text; names, which it looks for, are cut and escaped here.
    """
    violations = msgspec.to_builtins(letter.violations[:_MOST_VIOLATIONS])
    return {
        "raw": letter.raw,
        "attributes": json.dumps(dict(letter.attributes), default=str),
        "consumer": letter.consumer,
        "event": _name(letter.event),
        "version": _name(letter.version),
        "reason": letter.reason,
        "problem": letter.rejection.problem,
        "violations": json.dumps(violations),
        "rejected_at": letter.rejected_at,
    }


def _name(text: str | None) -> str | None:
    if text is None or (text.isprintable() and len(text) <= _LONGEST_NAME):
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:_LONGEST_NAME])

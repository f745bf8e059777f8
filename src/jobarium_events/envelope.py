"""The values on the wire: an event as it is read, a message as it is sent, and what became of an event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from typing import Optional as MaybeAbsent
else:

    class MaybeAbsent:
        """``MaybeAbsent[T]``: a ``T``, or None where the field is absent.

        To a type checker it is ``T | None``. At run time it is ``T`` alone, so that an absent field reads as None
        while an explicit ``null`` on the wire is still refused, as the schema says.
        """

        def __class_getitem__(cls, inner: object) -> object:
            return inner


__all__ = ["REPLAY", "Event", "MaybeAbsent", "Message", "Outcome", "as_bytes"]

REPLAY = "replay"
"""The message attribute that marks a replay; its value is then ``"true"``."""

P_co = TypeVar("P_co", covariant=True)


class Event(msgspec.Struct, Generic[P_co], frozen=True, kw_only=True, omit_defaults=True, eq=False):
    """One event: the envelope's fields around a payload.

    Attributes:
        event_name: Such as ``"job.updated"``.
        event_version: Such as ``"v1"``; after an upcast, the version of the payload as the handler sees it.
        event_id: The same for every delivery and replay of this event.
        occurred_at: When it happened, with an offset (producers stamp UTC).
        producer: Name of the service that emitted it.
        trace_id: The trace it belongs to.
        idempotency_key: The same for two events that say the same.
        tenant_id: None if absent.
        correlation_id: None if absent.
        schema_ref: None if absent.
        payload: The contract's payload class, or the view that the handler's annotation picks.
    """

    event_name: str
    event_version: str
    event_id: UUID
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    producer: str
    trace_id: str
    idempotency_key: str
    tenant_id: MaybeAbsent[str] = None
    correlation_id: MaybeAbsent[str] = None
    schema_ref: MaybeAbsent[str] = None
    payload: P_co

    replay: ClassVar[bool] = False
    """Whether this delivery is a replay. It is no field of the wire: the message's attributes say it."""

    def _fields(self) -> tuple[Any, ...]:
        return (*(getattr(self, name) for name in Event.__struct_fields__), self.replay)

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if isinstance(other, Event) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.event_id, self.replay))

    def __reduce__(self) -> tuple[Any, ...]:
        # The consumer decodes into a subclass per contract, which another process may not have made.
        fields = dict(zip(Event.__struct_fields__, self._fields(), strict=False))
        return _restored, (Replayed if self.replay else Event, fields)


class Replayed(Event[P_co], Generic[P_co], frozen=True, kw_only=True, omit_defaults=True, eq=False):
    """An event that was delivered as a replay."""

    replay: ClassVar[bool] = True


def _restored(kind: type[Event[Any]], fields: dict[str, Any]) -> Event[Any]:
    return kind(**fields)


class Message(msgspec.Struct, frozen=True):
    """What a transport sends.

    Attributes:
        body: The event as JSON in UTF-8, ``event_name`` and ``event_version`` first.
        attributes: The envelope's fields as text, for the broker's headers.
        ordering_key: Events with the same key are to be delivered in order; None where the contract has no ordering.
    """

    body: bytes
    attributes: Mapping[str, str]
    ordering_key: str | None = None


class Outcome(StrEnum):
    """What became of one event; exactly one of these comes of each."""

    HANDLED = "handled"
    """A handler took it."""
    SKIPPED = "skipped"
    """Nothing here consumes it, by intent."""
    DEAD_LETTERED = "dead-lettered"
    """It was rejected and handed to the dead letters."""
    DUPLICATE = "duplicate"
    """An inbox had it before."""
    STALE = "stale"
    """An inbox knows a newer one, by the contract's ordering."""


def as_bytes(raw: bytes | bytearray | memoryview | str) -> bytes:
    """Return an event as bytes, in whichever form it came."""
    return raw.encode(errors="surrogatepass") if isinstance(raw, str) else bytes(raw)

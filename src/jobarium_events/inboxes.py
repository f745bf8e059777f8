"""What a consumer asks of an inbox: that each event takes effect once, and that a stale one takes none.

An inbox opens a transaction, remembers the event in it, lets the handler work in it, and commits: so the event counts
as handled exactly if what the handler wrote is there. There is one for Postgres (`jobarium_events.postgres`), one for
SQLite (`jobarium_events.sqlite`) and one for tests (`jobarium_events.testing`); any other needs only what stands here.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

import msgspec

from jobarium_events.errors import DeclarationError, JobariumEventsError

if TYPE_CHECKING:
    from contextvars import ContextVar

    from jobarium_events.envelope import Outcome

__all__ = [
    "Arrival",
    "AsyncInbox",
    "Inbox",
    "NotCommitted",
    "aclaimed",
    "claimed",
    "fits",
    "handed",
    "sortable",
    "storable",
]

T = TypeVar("T")

_LONGEST = 500


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery of one event, as far as an inbox needs to know it.

    Attributes:
        consumer: Name of the consumer; each has its own memory.
        event: The event's name.
        version: Its version on the wire.
        event_id: The same for every delivery and replay of the event.
        idempotency_key: The same for two events that say the same.
        replay: Whether this delivery is a replay.
        aggregate: What the event is about, by the ordering of the contract that the handler takes; None if it has none.
        position: Where the event stands among those of its aggregate; None if there is no saying.
    """

    consumer: str
    event: str
    version: str
    event_id: UUID
    idempotency_key: str
    replay: bool = False
    aggregate: str | None = None
    position: int | str | None = None


class Inbox(Protocol):
    """Makes handling idempotent for `Consumer.consume`.

    A duplicate is an event whose id, or whose idempotency key under the same name, the same consumer has handled.
    A stale event is one whose position is lower than the highest that this consumer has handled for the same event
    name and aggregate; positions of which one is a number and the other a text are not compared.
    """

    def claim(self, arrival: Arrival) -> AbstractContextManager[Outcome | None]:
        """Open a transaction, in which the event is handled if this yields None.

        Otherwise it yields `Outcome.DUPLICATE` or `Outcome.STALE`, and the event is not to be handled. Where the same
        event is being handled elsewhere, this waits until it is known how that ended. The transaction is committed
        if the block ends well, and rolled back, claim and all, if it raises.
        """


class AsyncInbox(Protocol):
    """Makes handling idempotent for `Consumer.aconsume`."""

    def aclaim(self, arrival: Arrival) -> AbstractAsyncContextManager[Outcome | None]:
        """As `Inbox.claim`, without holding up the event loop."""


class NotCommitted(JobariumEventsError):
    """A handler returned, but claim and effects could not be committed as a whole, by what it did to the transaction.

    Attributes:
        event: The event's name.
        version: Its version on the wire.
        problem: What the handler did.
        counts: Whether the event counts as handled all the same, as the handler committed its claim: delivered again,
            it is a duplicate. Otherwise it is handled then.
    """

    def __init__(self, event: str, version: str, problem: str, *, counts: bool = False) -> None:
        self.event = event
        self.version = version
        self.problem = problem
        self.counts = counts

    def __str__(self) -> str:
        how = "counts as handled, but not as a whole" if self.counts else "was not handled"
        return f"{self.event} {self.version} {how}: {self.problem}"


def fits(inbox: object) -> bool:
    """Whether something can be an inbox at all."""
    return callable(getattr(inbox, "claim", None)) or callable(getattr(inbox, "aclaim", None))


def claimed(inbox: Any, arrival: Arrival) -> AbstractContextManager[Outcome | None]:
    """Claim an event for a handler that is called.

    Raises:
        DeclarationError: If the inbox is for handlers that are awaited.
    """
    if not hasattr(inbox, "claim"):
        raise DeclarationError(f"the inbox {type(inbox).__name__} has aclaim alone; use aconsume")
    claim: AbstractContextManager[Outcome | None] = inbox.claim(arrival)
    return claim


def aclaimed(inbox: Any, arrival: Arrival) -> AbstractAsyncContextManager[Outcome | None]:
    """Claim an event for a handler that may be awaited.

    Raises:
        DeclarationError: If the inbox is for handlers that are called. It would hold up the event loop, and wait
            without end for a transaction whose handler waits for that loop.
    """
    if not hasattr(inbox, "aclaim"):
        raise DeclarationError(f"the inbox {type(inbox).__name__} has no aclaim; use consume")
    claim: AbstractAsyncContextManager[Outcome | None] = inbox.aclaim(arrival)
    return claim


def handed(connection: ContextVar[T]) -> T:
    """Return the connection that an inbox has handed to the handler that is running.

    Raises:
        DeclarationError: If none is running.
    """
    try:
        return connection.get()
    except LookupError:
        raise DeclarationError("there is no transaction here: an inbox has a connection within a handler") from None


def sortable(moment: datetime) -> str:
    """Return a moment as text that sorts as moments do, in UTC.

    Raises:
        OverflowError: If there is no such year in UTC.
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def storable(text: str) -> str:
    """Return a text from an event as a database can hold it in a key: as it is, or its digest.

    Postgres has no text with a NUL in it, and no key of more than some 2,700 bytes.
    """
    if len(text) <= _LONGEST and "\0" not in text:
        return text
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"

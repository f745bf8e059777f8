"""The services: what each of them sends, and what it reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.contract import Contract, Lifecycle

if TYPE_CHECKING:
    from jobarium_events.site.shown import Shown

__all__ = ["LONG", "Service", "services_of"]

LONG = 200
"""With more events of all services than that, those of each one are folded."""


class Service(msgspec.Struct, frozen=True):
    """One service.

    Attributes:
        name: Its name.
        sends: The versions that it sends, by event.
        reads: The versions that it reads, by event.
        sent: The events that it sent before all of their versions were retired, with these.
        has_read: The events that it read before then.
        counted: Whether counters of it were given.
    """

    name: str
    sends: tuple[tuple[str, tuple[Contract, ...]], ...]
    reads: tuple[tuple[str, tuple[Contract, ...]], ...]
    sent: tuple[tuple[str, tuple[Contract, ...]], ...]
    has_read: tuple[tuple[str, tuple[Contract, ...]], ...]
    counted: bool

    @property
    def count(self) -> int:
        """How many events it has or had to do with."""
        return len(self.sends) + len(self.reads) + len(self.sent) + len(self.has_read)

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many events it sends, reads, and once did, each with the word for it; without what there is none of."""
        words = ("Sends", "Reads", "Once sent", "Once read")
        events = (self.sends, self.reads, self.sent, self.has_read)
        return tuple((word, len(each)) for word, each in zip(words, events, strict=True) if each)


def services_of(shown: Shown) -> Iterator[Service]:
    """Yield each service that sends or reads an event or once did, or has counted one, in the order of their names."""
    sends, reads, sent, has_read = _Events(), _Events(), _Events(), _Events()
    for event in sorted(shown.catalog.events):
        versions = shown.catalog.versions(event)
        used = tuple(each for each in versions if each.lifecycle is not Lifecycle.RETIRED)
        for contract in used or versions:
            (sends if used else sent)[contract.owner][event] = used or versions
            for consumer in contract.consumers:
                (reads if used else has_read)[consumer][event] = used or versions
    counted = {each.service for each in shown.counters}
    for name in sorted({*sends, *reads, *sent, *has_read, *counted}):
        yield Service(
            name=name,
            sends=sends.of(name),
            reads=reads.of(name),
            sent=sent.of(name),
            has_read=has_read.of(name),
            counted=name in counted,
        )


class _Events(defaultdict[str, dict[str, tuple[Contract, ...]]]):
    """The events of each service, with their versions."""

    def __init__(self) -> None:
        super().__init__(dict)

    def of(self, service: str) -> tuple[tuple[str, tuple[Contract, ...]], ...]:
        """Return those of one service."""
        return tuple(self.get(service, {}).items())

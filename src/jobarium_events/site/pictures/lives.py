"""Where each release stands in a timeline, and when each version changes its state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from jobarium_events.contract import Contract, Lifecycle
from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.site.pictures.texts import fitted, width_of

__all__ = ["BROAD", "NARROW", "Column", "Format", "Life", "Scale"]

_SIZE = 13.0
_NOW = "now"


class Format(msgspec.Struct, frozen=True):
    """How much room there is for the releases.

    Attributes:
        width: Of a picture that no column makes wider.
        least: How wide a column is at least.
        most: How wide a column is at most.
        pad: What is left free on both sides of a release's name.
        shown: How many releases so far have a column of their own.
        earlier: What stands above the column of those before them, with their number.
    """

    width: float
    least: float
    most: float
    pad: float
    shown: int
    earlier: str


BROAD = Format(width=1080.0, least=92.0, most=136.0, pad=8.0, shown=6, earlier="{} earlier")
NARROW = Format(width=328.0, least=52.0, most=136.0, pad=4.0, shown=3, earlier="{} past")
"""For a phone, on which four or five releases are in sight at once."""


class Column(msgspec.Struct, frozen=True):
    """A release, or those that are folded into one column.

    Attributes:
        x: Where it begins.
        width: How wide it is.
        label: Its name, as far as there is room.
        title: Its whole name.
        when: ``"past"``, ``"current"`` or ``"planned"``.
    """

    x: float
    width: float
    label: str
    title: str
    when: str


class Scale:
    """Where each release stands. Those of long ago share one column."""

    def __init__(self, left: float, releases: Sequence[str], planned: Sequence[str], room: Format = BROAD) -> None:
        self.every = (*releases, *planned)
        self.current = len(releases) - 1 if releases else None
        self.names = self.every or (_NOW,)
        self._left = left
        self._room = room
        self._folded = max(len(releases) - room.shown, 0)
        self._folded = self._folded if self._folded > 1 else 0  # one alone takes no less room
        # Wide enough for the names of the releases; the picture scrolls within its frame.
        needed = max(width_of(label, _SIZE) for label in self._labels()) + 2 * room.pad
        self._width = math.ceil(10 * min(max((room.width - left) / self.count, room.least, needed), room.most)) / 10

    @property
    def count(self) -> int:
        """How many columns there are."""
        return len(self.names) - self._folded + bool(self._folded)

    @property
    def end(self) -> float:
        """Where the last column ends."""
        return round(self._left + self.count * self._width, 1)

    def x(self, place: int) -> float:
        """Return where a release begins, by how many come before it; what comes after the last one ends it."""
        place = min(place, len(self.names))
        if place < self._folded:
            return round(self._left + self._width * place / self._folded, 1)
        return round(self._left + (place - self._folded + bool(self._folded)) * self._width, 1)

    def columns(self) -> Iterator[Column]:
        """Yield the columns."""
        labels = map(self._fitted, self._labels())
        if self._folded:
            title = f"{self.names[0]} to {self.names[self._folded - 1]}, {self._folded} releases"
            yield Column(self._left, self._width, next(labels), title, "past")
        for place, name in enumerate(self.names[self._folded :], self._folded):
            when = "past" if place < (self.current or 0) else "current" if place == (self.current or 0) else "planned"
            when = "planned" if self.current is None and self.every else when
            yield Column(self.x(place), self._width, next(labels), name, when)

    def _labels(self) -> Iterator[str]:
        if self._folded:
            yield self._room.earlier.format(self._folded)
        yield from self.names[self._folded :]

    def _fitted(self, label: str) -> str:
        return fitted(label, self._width - 2 * self._room.pad, _SIZE)

    def place(self, release: str | None) -> int | None:
        """Return how many releases come before one; None if it is not known."""
        return self.every.index(release) if release in self.every else None

    def is_planned(self, release: str | None) -> bool:
        """Whether a release is still to come."""
        place = self.place(release)
        return place is not None and (self.current is None or place > self.current)


class Life(msgspec.Struct, frozen=True):
    """When a version changes its state, each as how many releases come before; None if it does not.

    Attributes:
        contract: The version.
        introduced: When it becomes active; None while no release is named.
        deprecated: When it becomes deprecated.
        retired: When it is retired.
    """

    contract: Contract
    introduced: int | None
    deprecated: int | None
    retired: int | None

    @classmethod
    def of(cls, contract: Contract, scale: Scale) -> Life:
        """Return what the manifest says, put right where it names a release that the catalog does not have."""
        now, state = scale.current or 0, contract.lifecycle
        introduced, deprecated, retired = map(scale.place, (contract.introduced, contract.deprecated, contract.retired))
        if introduced is None and state is not Lifecycle.DRAFT:
            introduced = 0
        if deprecated is None and state in (Lifecycle.DEPRECATED, Lifecycle.RETIRED):
            deprecated = now
        if retired is None and state is Lifecycle.RETIRED:
            retired = now
        if deprecated is not None:
            deprecated = max(deprecated, introduced or 0)
        if retired is not None:
            retired = max(retired, deprecated or 0)
        return cls(contract, introduced, deprecated, retired)

    @property
    def earliest(self) -> int | None:
        """When it may be retired at the earliest; None if it is not to be deprecated, or retired already."""
        if self.deprecated is None or self.contract.lifecycle is Lifecycle.RETIRED:
            return None
        return self.deprecated + WINDOW

    def states(self, now: int, end: int) -> Iterator[tuple[Lifecycle, int, int]]:
        """Yield each state with when it begins and ends."""
        begins = [
            (Lifecycle.DRAFT, now if self.introduced is None or self.introduced > now else None),
            (Lifecycle.ACTIVE, self.introduced),
            (Lifecycle.DEPRECATED, self.deprecated),
            (Lifecycle.RETIRED, self.retired),
        ]
        known = [(state, begin) for state, begin in begins if begin is not None]
        for (state, begin), after in zip(known, [*(begin for _, begin in known[1:]), end], strict=True):
            if begin < after:
                yield state, begin, after

    def on_the_wire(self, place: int) -> bool:
        """Whether it may be emitted or consumed at a release."""
        begun = self.introduced is not None and self.introduced <= place
        return begun and (self.retired is None or place < self.retired)

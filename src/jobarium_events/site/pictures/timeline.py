"""The lifecycle timeline: the releases as columns, a row for each version, and in it a bar for each of its states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.contract import Lifecycle, version_number
from jobarium_events.site.pictures.lives import BROAD, NARROW, Column, Format, Life, Scale
from jobarium_events.site.pictures.texts import counted, fitted, folded, listed, width_of

if TYPE_CHECKING:
    from jobarium_events.contract import Contract

__all__ = ["MANY", "Bar", "Event", "Marker", "Row", "Timeline", "Told", "timeline"]

MANY = 24
"""In a catalog of more events than that, only those are drawn that have something to show."""

_LANE, _HEAD, _GAP, _PAD = 30.0, 44.0, 12.0, 8.0
_MARKER = 8.0  # how far a marker reaches to both sides
_OVER = 20.0  # what a name takes that stands above its rows
_INSET = 12.0  # of what stands in a bar: as wide as the marker that may begin it
_LABELS = 96.0, 256.0  # how wide the names on the left are, at least and at most
_SIZE, _SMALL = 13.0, 11.0


class Bar(msgspec.Struct, frozen=True):
    """A time in which a version is in one state, or in which several are on the wire.

    Attributes:
        x: Where it begins.
        width: How wide it is.
        look: ``"state-active"`` and so on, or ``"window"``.
        label: What stands in it; empty where there is no room.
        at: Where that begins.
        title: What is said of it.
    """

    x: float
    width: float
    look: str
    label: str
    at: float
    title: str


class Marker(msgspec.Struct, frozen=True):
    """The earliest release in which a version may be retired."""

    x: float
    title: str


class Row(msgspec.Struct, frozen=True):
    """One version of an event, or its dual-consume windows.

    Attributes:
        y: Where it begins.
        label: What stands before it.
        bars: Its states, in order.
        markers: When it may be retired, if that is drawn.
    """

    y: float
    label: str
    bars: tuple[Bar, ...]
    markers: tuple[Marker, ...] = ()


class Event(msgspec.Struct, frozen=True):
    """The rows of one event.

    Attributes:
        y: Where it begins.
        height: How high it is.
        name: Its whole name.
        lines: The name as it is written; nothing where it goes without saying.
        rows: Its versions, oldest first, and its dual-consume windows.
        bands: The windows, as they stand behind all of it.
    """

    y: float
    height: float
    name: str
    lines: tuple[tuple[float, str], ...]
    rows: tuple[Row, ...]
    bands: tuple[Bar, ...]


class Told(msgspec.Struct, frozen=True):
    """What the picture says of one version, in words.

    Attributes:
        event: The event's name.
        version: Such as ``"v1"``.
        state: Where it stands now.
        introduced: The release that introduces it, with a word on what is to come.
        deprecated: The one that deprecates it; empty if none.
        retired: The one that retires it; empty if none.
        earliest: The earliest release in which it may be retired; empty while it is not deprecated.
        dual: With which versions it is on the wire at once, and when.
    """

    event: str
    version: str
    state: str
    introduced: str
    deprecated: str
    retired: str
    earliest: str
    dual: str


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture.

    Attributes:
        width: Of all.
        height: Of all.
        left: Where the releases begin.
        title: What it shows.
        text: What is to be seen in it, in words.
        columns: The releases.
        now: Where the current release begins; None if there is none.
        events: The rows.
        told: All that it says, in words; one for each version that is drawn.
        left_out: The events that are not drawn, as they have one version and no move but its introduction.
        has_windows: Whether there is a dual-consume window in it.
        has_markers: Whether there is a marker of an earliest retirement in it.
        pad: What is left free before a release's name.
        is_own: Whether it stands on its event's own page, where the event's name goes without saying.
        narrow: The same for a phone: the names stand above their rows, and the releases closer together.
    """

    width: float
    height: float
    left: float
    title: str
    text: str
    columns: tuple[Column, ...]
    now: float | None
    events: tuple[Event, ...]
    told: tuple[Told, ...]
    left_out: tuple[str, ...] = ()
    has_windows: bool = False
    has_markers: bool = False
    pad: float = BROAD.pad
    is_own: bool = False
    narrow: Timeline | None = None


def timeline(
    contracts: Sequence[Contract],
    releases: Sequence[str],
    planned: Sequence[str],
    *,
    many: int = MANY,
    is_own: bool = False,
) -> Timeline:
    """Return the picture of some contracts: of one event, or of a whole catalog.

    Args:
        contracts: The contracts; their events are drawn in the order in which they come.
        releases: Names of the releases so far, in order; the last is the current one.
        planned: Names of the releases to come, in order.
        many: Of more events than so many, only those are drawn that have more than one version, or a move.
        is_own: Whether the contracts are those of one event, whose own page it is; its name is not written then.
    """
    events: dict[str, list[Contract]] = {}
    for contract in sorted(contracts, key=lambda each: version_number(each.version)):
        events.setdefault(contract.event, []).append(contract)
    ordered = {each.event: events[each.event] for each in contracts}
    drawn = {name: versions for name, versions in ordered.items() if len(ordered) <= many or _moves(versions)}
    left_out = tuple(name for name in ordered if name not in drawn)
    broad, narrow = (
        _Drawing(list(drawn.items()), releases, planned, room, is_own=is_own).whole(left_out)
        for room in (BROAD, NARROW)
    )
    return msgspec.structs.replace(broad, narrow=narrow)


def _moves(versions: Sequence[Contract]) -> bool:
    """Whether there is more to be seen of an event than that it is there."""
    return len(versions) > 1 or any(each.deprecated or each.lifecycle is not Lifecycle.ACTIVE for each in versions)


class _Drawing:
    """Puts the events below each other."""

    def __init__(
        self,
        events: Sequence[tuple[str, Sequence[Contract]]],
        releases: Sequence[str],
        planned: Sequence[str],
        room: Format,
        *,
        is_own: bool,
    ) -> None:
        self._events = events
        self._is_own = is_own
        self._format = room
        self._dual_label = "dual" if room is NARROW else "dual-consume"
        self._room = 0.0 if is_own or room is NARROW else self._room_for_names()
        rows = max((width_of(self._dual_label, _SMALL), *(self._label_width(each) for _, each in events)), default=0.0)
        self._left = round(self._room + rows + 2 * _PAD, 1)
        self._scale = Scale(self._left, releases, planned, room)
        self._y = _HEAD

    @staticmethod
    def _label_width(versions: Sequence[Contract]) -> float:
        return max(width_of(each.version, _SIZE) for each in versions)

    def _room_for_names(self) -> float:
        least, most = _LABELS
        widest = max((width_of(name, _SIZE) for name, _ in self._events), default=least)
        return min(max(widest, least), most) + 2 * _PAD

    def whole(self, left_out: tuple[str, ...]) -> Timeline:
        lives = {name: [Life.of(each, self._scale) for each in versions] for name, versions in self._events}
        events = tuple(self._event(name, each) for name, each in lives.items())
        told = tuple(self._told(life, each) for each in lives.values() for life in each)
        current = self._scale.current
        return Timeline(
            width=self._scale.end + _PAD,
            height=round(self._y, 1),
            left=self._left,
            title=f"Lifecycle of {self._events[0][0]}" if self._is_own else "Lifecycle of the events",
            text=" ".join(_sentence(each) for each in told) if self._is_own else self._in_short(events),
            columns=tuple(self._scale.columns()),
            now=None if current is None else self._scale.x(current),
            events=events,
            told=told,
            left_out=left_out,
            has_windows=any(each.bands for each in events),
            has_markers=any(row.markers for each in events for row in each.rows),
            pad=self._format.pad,
            is_own=self._is_own,
        )

    def _in_short(self, events: Sequence[Event]) -> str:
        """Return what a long picture shows; the table beside it has everything."""
        states = [life.lifecycle for _, versions in self._events for life in versions]
        counts = [f"{states.count(state)} {state}" for state in Lifecycle if state in states]
        dual = [each.name for each in events if each.bands]
        of = f"{counted(len(states), 'version')} of {counted(len(events), 'event')}"
        said = f"{of}: {listed(counts)}." if counts else "No version."
        return f"{said} Dual-consume windows: {listed(dual)}." if dual else said

    def _event(self, name: str, lives: Sequence[Life]) -> Event:
        begin = self._y
        lines = self._lines(name)
        if lines and self._format is NARROW:
            self._y += _OVER
        rows = [self._row(life) for life in lives]
        windows = tuple(self._windows(lives))
        if windows:
            rows.append(Row(self._next(), self._dual_label, windows))
        if len(lines) > 1:
            self._y = max(self._y, begin + _LANE + 15.0)
        height, self._y = self._y - begin, self._y + _GAP
        bands = tuple(msgspec.structs.replace(each, label="") for each in windows)
        first = begin + (15.0 if self._format is NARROW else 20.0)
        placed = tuple((first + 15.0 * place, line) for place, line in enumerate(lines))
        return Event(begin, height, name, placed, tuple(rows), bands)

    def _lines(self, name: str) -> tuple[str, ...]:
        """Return an event's name as it is written: beside its rows, or above them."""
        if self._is_own:
            return ()
        if self._format is NARROW:
            return (fitted(name, self._format.width - _PAD, _SIZE),)
        return folded(name, self._room - 2 * _PAD, _SIZE)

    def _next(self) -> float:
        y, self._y = self._y, self._y + _LANE
        return y

    def _bar(self, begin: int, end: int, look: str, label: str, title: str, *, markers: Sequence[Marker] = ()) -> Bar:
        x, after = self._scale.x(begin), self._scale.x(end)
        wide = width_of(label, _SMALL)
        # A label keeps clear of the marker in its row: it stands before it, or else behind it.
        places = [x + _INSET, *(round(each.x + _INSET, 1) for each in markers if each.x > x)]
        for at in places:
            hit = any(at < each.x + _MARKER and each.x - _MARKER < at + wide for each in markers)
            if not hit and at + wide <= after - _PAD:
                return Bar(x, round(after - x, 1), look, label, at, title)
        return Bar(x, round(after - x, 1), look, "", x, title)

    def _row(self, life: Life) -> Row:
        y, now, end = self._next(), self._scale.current or 0, len(self._scale.names)
        name = life.contract.version
        markers: tuple[Marker, ...] = ()
        if life.earliest is not None and life.earliest < end:
            title = f"{name} may be retired from {self._scale.every[life.earliest]} on"
            markers = (Marker(self._scale.x(life.earliest), title),)
        bars = tuple(
            self._bar(begin, after, f"state-{state}", state, self._said(name, state, begin, after), markers=markers)
            for state, begin, after in life.states(now, end)
        )
        return Row(y, name, bars, markers)

    def _said(self, name: str, state: str, begin: int, after: int) -> str:
        return f"{name} {state} {self._from_to(begin, after)}"

    def _from_to(self, begin: int, after: int) -> str:
        """Return a time as words: from which release on, and before which one it ends."""
        names = self._scale.names
        return f"from {names[begin]} on" if after >= len(names) else f"from {names[begin]} until {names[after]}"

    def _windows(self, lives: Sequence[Life]) -> Iterator[Bar]:
        """Yield the times in which the same versions, two at least, are on the wire."""
        for versions, begin, after in self._dual(lives):
            label, all_ = " + ".join(versions), "both" if len(versions) == _PAIR else "all"
            title = f"{listed(versions)} are {all_} on the wire {self._from_to(begin, after)}"
            yield self._bar(begin, after, "window", label, title)

    def _dual(self, lives: Sequence[Life]) -> Iterator[tuple[list[str], int, int]]:
        moves = {place for life in lives for place in (life.introduced, life.retired) if place is not None}
        ends = sorted({place for place in moves if place < len(self._scale.names)} | {len(self._scale.names)})
        for begin, after in pairwise(ends):
            versions = [life.contract.version for life in lives if life.on_the_wire(begin)]
            if len(versions) >= _PAIR:
                yield versions, begin, after

    def _told(self, life: Life, lives: Sequence[Life]) -> Told:
        contract = life.contract
        times = [
            f"with {listed([each for each in versions if each != contract.version])} {self._from_to(begin, after)}"
            for versions, begin, after in self._dual(lives)
            if contract.version in versions
        ]
        return Told(
            event=contract.event,
            version=contract.version,
            state=contract.lifecycle,
            introduced=self._named(contract.introduced) or "no release is named yet",
            deprecated=self._named(contract.deprecated),
            retired=self._named(contract.retired),
            earliest=self._earliest(life),
            dual="; ".join(times),
        )

    def _named(self, release: str | None) -> str:
        if release is None:
            return ""
        return f"{release} (planned)" if self._scale.is_planned(release) else release

    def _earliest(self, life: Life) -> str:
        if life.earliest is None:
            return ""
        every = self._scale.every
        if life.earliest < len(every):
            return every[life.earliest]
        after = life.earliest - len(every) + 1
        return f"the {_ORDINALS[after - 1]} release after {every[-1]}" if every else ""


_PAIR = 2
_ORDINALS = ("first", "second")  # what is deprecated in a known release may be retired no later than that


def _sentence(told: Told) -> str:
    """Return what is said of a version, for whoever does not see the picture."""
    parts = [f"{told.version} is {told.state}; introduced in {told.introduced}"]
    if told.introduced.startswith("no "):
        parts = [f"{told.version} is {told.state}; {told.introduced}"]
    if told.deprecated:
        parts.append(f"deprecated in {told.deprecated}")
    if told.retired:
        parts.append(f"retired in {told.retired}")
    elif told.earliest:
        parts.append(f"may be retired at the earliest in {told.earliest}")
    if told.dual:
        parts.append(f"on the wire {told.dual}")
    return f"{', '.join(parts)}."

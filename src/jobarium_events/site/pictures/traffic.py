"""How often each version was emitted and consumed, and by whom, as the counters of the services say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.evolution.evidence import moment, times
from jobarium_events.site.pictures.texts import folded, width_of

if TYPE_CHECKING:
    from jobarium_events.contract import Contract
    from jobarium_events.counters import Count, Counters

__all__ = ["Bar", "Lane", "Seen", "Tick", "Traffic", "Version", "traffic"]

_SIZE, _SMALL = 13.0, 11.0
_LABELS = 100.0, 220.0  # how wide the services' names are, at least and at most
_WORD, _SCALE, _PAD = 78.0, 480.0, 8.0
_LANE, _BAR, _HEAD, _GAP, _TITLE = 26.0, 14.0, 26.0, 10.0, 24.0
_LEAST = 2.0  # how wide a bar is at least, so that it is seen
_FAR = 100  # times, from which on the scale is a logarithmic one
_TICKS = 5


class Seen(msgspec.Struct, frozen=True):
    """What one service has seen of one version, all its files together.

    Attributes:
        event: The event's name.
        version: Such as ``"v1"``.
        service: The service's name.
        role: ``"owner"``, ``"consumer"``, or ``"unknown"`` if the catalog does not name it for this contract.
        emitted: How often the service has emitted it.
        consumed: How often it arrived there.
        since: Since when it is counted: the earliest of the files.
        until: Up to when: the latest.
        last: When it was last seen; None if never.
    """

    event: str
    version: str
    service: str
    role: str
    emitted: int
    consumed: int
    since: datetime
    until: datetime
    last: datetime | None

    @property
    def last_seen(self) -> str:
        """When it was last seen, in words."""
        return "never" if self.last is None else moment(self.last)

    @property
    def counted(self) -> str:
        """In which time it was counted, in words."""
        return f"{moment(self.since)} to {moment(self.until)}"


class Bar(msgspec.Struct, frozen=True):
    """How often, as a bar with its figure behind it."""

    x: float
    width: float
    look: str
    label: str
    title: str


class Lane(msgspec.Struct, frozen=True):
    """A row: a service, what it did, and how often."""

    y: float
    lines: tuple[str, ...]
    name: str
    word: str
    bar: Bar


class Version(msgspec.Struct, frozen=True):
    """The rows of one version.

    Attributes:
        y: Where it begins.
        label: Its event and version.
        lanes: What each service has seen.
        missing: The services that emit or consume it by the catalog, and of which no file counts it.
    """

    y: float
    label: str
    lanes: tuple[Lane, ...]
    missing: tuple[str, ...]


class Tick(msgspec.Struct, frozen=True):
    """A line on the scale, with its figure."""

    x: float
    label: str


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture.

    Attributes:
        width: Of all.
        height: Of all.
        left: Where the bars begin.
        word: Where the words stand that say what a service did.
        title: What it shows.
        text: What is to be seen in it, in words.
        scale: How to read the bars.
        ticks: The lines on the scale.
        versions: The rows.
        seen: The figures, for a table.
    """

    width: float
    height: float
    left: float
    word: float
    title: str
    text: str
    scale: str
    ticks: tuple[Tick, ...]
    versions: tuple[Version, ...]
    seen: tuple[Seen, ...]


def traffic(counters: Sequence[Counters], contracts: Sequence[Contract]) -> Traffic | None:
    """Return the picture of what was counted of some contracts; None if there are no counters at all.

    Args:
        counters: What stands in the files of the services; a service may have several, which are added up.
        contracts: The contracts.
    """
    return _Drawing(counters, contracts).whole() if counters else None


def _summed(counters: Sequence[Counters], contract: Contract) -> list[Seen]:
    """Return what each service has seen of a contract: its owner first, then those that the catalog names.

    Of one that the catalog does not name, nothing is told unless it has seen some.
    """
    found: dict[str, list[tuple[Count, datetime]]] = {}
    for each in counters:
        for count in each.counts:
            if (count.event, count.version) == (contract.event, contract.version):
                found.setdefault(each.service, []).append((count, each.until))
    named = [contract.owner, *(name for name in contract.consumers if name != contract.owner)]
    others = (name for name in found.keys() - set(named) if any(count.is_seen for count, _ in found[name]))
    services = [*(name for name in named if name in found), *sorted(others)]
    return [_sum(service, found[service], contract) for service in services]


def _sum(service: str, counts: Sequence[tuple[Count, datetime]], contract: Contract) -> Seen:
    is_consumer = service in contract.consumers
    return Seen(
        event=contract.event,
        version=contract.version,
        service=service,
        role="owner" if service == contract.owner else "consumer" if is_consumer else "unknown",
        emitted=sum(count.emitted for count, _ in counts),
        consumed=sum(count.consumed for count, _ in counts),
        since=min(count.since for count, _ in counts),
        until=max(until for _, until in counts),
        last=max((count.last for count, _ in counts if count.last is not None), default=None),
    )


class _Scale:
    """How long the bar of a number is."""

    def __init__(self, left: float, numbers: Sequence[int]) -> None:
        counted = [each for each in numbers if each]
        self._left = left
        self._most = max(counted, default=1)
        self.is_logarithmic = self._most > _FAR * min(counted, default=1)
        # One has a bar as well, so the scale begins a power below it.
        self._decades = math.log10(self._most) + 1

    def width(self, number: int) -> float:
        """Return it; zero has none."""
        if not number:
            return 0.0
        share = (math.log10(number) + 1) / self._decades if self.is_logarithmic else number / self._most
        return round(max(min(share, 1.0) * _SCALE, _LEAST), 1)

    @property
    def text(self) -> str:
        """How to read the bars."""
        if self.is_logarithmic:
            return "Logarithmic scale: at each line it is ten times as often as at the one before."
        return "Linear scale."

    def ticks(self) -> Iterator[Tick]:
        """Yield round numbers, few enough to be written beside each other."""
        if self.is_logarithmic:
            powers = range(len(str(self._most)))
            step = -(-len(powers) // (2 * _TICKS))
            numbers = [10**power for power in powers[::step]]
        else:
            pace = 10 ** (len(str(self._most)) - 1)
            paces = (pace * factor // 10 for factor in (1, 2, 5, 10, 20, 50))
            pace = next(each for each in paces if each and self._most / each <= _TICKS)
            numbers = list(range(0, self._most + 1, pace))
        for number in numbers:
            yield Tick(round(self._left + self.width(number), 1), _short(number))


class _Drawing:
    """Puts the versions below each other."""

    def __init__(self, counters: Sequence[Counters], contracts: Sequence[Contract]) -> None:
        self._seen = {contract: found for contract in contracts if (found := _summed(counters, contract))}
        every = [each for found in self._seen.values() for each in found]
        least, most = _LABELS
        widest = max((width_of(each.service, _SIZE) for each in every), default=0.0)
        self._room = min(max(widest, least), most)
        self._word = round(self._room + 2 * _PAD, 1)
        self._left = self._word + _WORD
        numbers = [number for each in every for number in (each.emitted, each.consumed)]
        self._scale = _Scale(self._left, numbers)
        self._figure = width_of(f"{max(numbers, default=0):,}", _SMALL) + 2 * _PAD
        self._y = _HEAD
        self._every = every

    def whole(self) -> Traffic:
        versions = tuple(self._version(contract, found) for contract, found in self._seen.items())
        events = {contract.event for contract in self._seen}
        return Traffic(
            width=round(self._left + _SCALE + self._figure, 1),
            height=round(self._y, 1),
            left=self._left,
            word=self._word,
            title=f"Traffic of {next(iter(events))}" if len(events) == 1 else "Traffic by version",
            text=self._text(),
            scale=self._scale.text,
            ticks=tuple(self._scale.ticks()),
            versions=versions,
            seen=tuple(self._every),
        )

    def _text(self) -> str:
        said = []
        for contract, found in self._seen.items():
            emitted, consumed = sum(each.emitted for each in found), sum(each.consumed for each in found)
            last = max((each.last for each in found if each.last is not None), default=None)
            seen = "never seen" if last is None else f"last seen {moment(last)}"
            said.append(f"{contract.name}: emitted {times(emitted)}, consumed {times(consumed)}, {seen}.")
        return " ".join(said) or "None of the counters that were given counts it."

    def _version(self, contract: Contract, found: Sequence[Seen]) -> Version:
        begin = self._y
        self._y += _TITLE
        lanes = tuple(lane for each in found for lane in self._lanes(each))
        self._y += _GAP
        known = {each.service for each in found}
        missing = [name for name in dict.fromkeys((contract.owner, *contract.consumers)) if name not in known]
        return Version(begin, contract.name, lanes, tuple(missing))

    def _lanes(self, seen: Seen) -> Iterator[Lane]:
        numbers: Mapping[str, int] = {"emitted": seen.emitted, "consumed": seen.consumed}
        usual = "emitted" if seen.role == "owner" else "consumed"
        for word, number in numbers.items():
            if not number and word != usual:
                continue
            lines = folded(seen.service, self._room, _SIZE)
            title = f"{seen.service} {word} {seen.event} {seen.version} {times(number)}, last seen: {seen.last_seen}"
            bar = Bar(self._left, self._scale.width(number), word, f"{number:,}", title)
            yield Lane(self._y, lines, seen.service, word, bar)
            self._y += _LANE if len(lines) == 1 else _LANE + 15.0


def _short(number: int) -> str:
    """Return a number as it is written on a scale."""
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size and number % (size // 10) == 0:
            return f"{number / size:g}{unit}"
    return str(number)

"""The picture of a rehearsal: where everything is in it, in its own units; the template draws it.

From the top: the steps, a lane for each lock, one for each probe that had to wait, and the latencies of the probes, on
a scale where each line is ten times the one below.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.rehearsal.wording import harm, in_time, mode_words

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.report import Rehearsal, Series

__all__ = ["NARROW", "WIDE", "Bar", "Format", "Lane", "Panel", "Tick", "Timeline", "timeline"]

_AXIS, _GAP, _HEAD, _PANEL = 34.0, 10.0, 20.0, 92.0
_LEAST = 2.5  # how wide a bar is at least, so that it is seen
_DECADES = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How a picture is laid out.

    Attributes:
        width: Of the whole picture.
        left: Where the times begin.
        right: How much is left free after them.
        lane: How high a lane is.
        label: Where in a lane its label stands.
        bar: Where in it its bars begin.
        head: Where the label of a panel stands, from its upper end on.
        ticks: How many times are written at most.
    """

    width: float
    left: float
    right: float
    lane: float
    label: float
    bar: float
    head: float
    ticks: int


WIDE = Format(width=1000.0, left=236.0, right=14.0, lane=22.0, label=14.0, bar=3.0, head=12.0, ticks=8)
"""With the labels beside what they name."""

NARROW = Format(width=340.0, left=52.0, right=8.0, lane=36.0, label=13.0, bar=17.0, head=-10.0, ticks=4)
"""With the labels above what they name, for a phone."""


class Tick(msgspec.Struct, frozen=True):
    """A mark on a scale, with its label."""

    at: float
    label: str


class Bar(msgspec.Struct, frozen=True):
    """A time span: from where, how wide, of which look, its label inside, and what is said of it."""

    x: float
    width: float
    look: str
    label: str
    title: str


class Lane(msgspec.Struct, frozen=True):
    """A row of bars, with its label in two parts."""

    y: float
    label: str
    detail: str
    bars: tuple[Bar, ...]


class Panel(msgspec.Struct, frozen=True):
    """The latencies of one kind of statement: the lines as paths, and the places of failures."""

    y: float
    height: float
    label: str
    ticks: tuple[Tick, ...]
    median: str
    high: str
    most: str
    failures: tuple[float, ...]


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture."""

    format: Format
    height: float
    right: float
    bottom: float
    ticks: tuple[Tick, ...]
    spans: tuple[Bar, ...]
    lanes: tuple[Lane, ...]
    panels: tuple[Panel, ...]


def timeline(rehearsal: Rehearsal, layout: Format = WIDE) -> Timeline:
    """Return the picture of a rehearsal."""
    return _Drawing(rehearsal, layout).whole()


class _Drawing:
    """Puts the parts below each other."""

    def __init__(self, rehearsal: Rehearsal, layout: Format) -> None:
        self._rehearsal = rehearsal
        self._format = layout
        self._right = layout.width - layout.right
        ends = [step.begin + step.seconds for step in rehearsal.steps]
        ends += [bucket.at + series.width for series in rehearsal.series for bucket in series.buckets]
        self._lasted = max([rehearsal.lasted, *ends, 0.001])
        self._y = _AXIS

    def whole(self) -> Timeline:
        steps = Lane(self._next(), "steps of up", "", tuple(self._steps()))
        locks = tuple(self._locks())
        blocked = tuple(self._blocked())
        panels = tuple(self._panels())
        return Timeline(
            format=self._format,
            height=round(self._y + _GAP, 1),
            right=self._right,
            bottom=round(self._y, 1),
            ticks=tuple(self._ticks()),
            spans=tuple(self._bar(step.begin, step.seconds, "span", "", "") for step in self._rehearsal.steps),
            lanes=(steps, *locks, *blocked),
            panels=panels,
        )

    def _next(self) -> float:
        y, self._y = self._y, self._y + self._format.lane
        return round(y, 1)

    def _x(self, at: float) -> float:
        share = min(max(at / self._lasted, 0.0), 1.0)
        return round(self._format.left + share * (self._right - self._format.left), 2)

    def _bar(self, at: float, seconds: float, look: str, label: str, title: str) -> Bar:
        begin, end = self._x(at), self._x(at + seconds)
        width = max(end - begin, _LEAST)
        return Bar(round(min(begin, self._right - width), 2), round(width, 2), look, label, title)

    def _ticks(self) -> Iterator[Tick]:
        """Yield round times, counted from the beginning of `up`."""
        began = self._rehearsal.began
        pace = 10 ** math.floor(math.log10(self._lasted / self._format.ticks))
        pace = next(pace * factor for factor in (1, 2, 5, 10) if self._lasted / (pace * factor) <= self._format.ticks)
        for place in range(math.ceil(-began / pace), math.floor((self._lasted - began) / pace) + 1):
            at = place * pace
            yield Tick(self._x(began + at), "0" if place == 0 else f"{'-' if at < 0 else '+'}{in_time(abs(at))}")

    def _steps(self) -> Iterator[Bar]:
        for number, step in enumerate(self._rehearsal.steps, 1):
            title = f"{number}: line {step.line}, {in_time(step.seconds)}: {step.text}"
            yield self._bar(step.begin, step.seconds, f"step-{number % 2}", str(number), title)

    def _locks(self) -> Iterator[Lane]:
        lanes: dict[tuple[str, int, str], list[Bar]] = {}
        for step in self._rehearsal.steps:
            for lock in step.locks:
                key = lock.table, -LockMode(lock.mode).strength, lock.mode
                name = f"{mode_words(lock.mode)} on {lock.table}, line {step.line}"
                bars = lanes.setdefault(key, [])
                if lock.waited:
                    title = f"{name}: waited {in_time(lock.waited)}"
                    bars.append(self._bar(lock.begin - lock.waited, lock.waited, "waited", "", title))
                title = f"{name}: held {in_time(lock.seconds)}"
                bars.append(self._bar(lock.begin, lock.end - lock.begin, f"harm-{harm(lock.mode)}", "", title))
        self._y += _GAP if lanes else 0
        for (table, _, mode), bars in sorted(lanes.items()):
            yield Lane(self._next(), table, mode_words(mode), tuple(bars))

    def _blocked(self) -> Iterator[Lane]:
        lanes: dict[str, list[Bar]] = {}
        for wait in self._rehearsal.blocked:
            title = f"{wait.probe} waited {in_time(wait.seconds)} for line {wait.line}"
            lanes.setdefault(wait.probe, []).append(self._bar(wait.begin, wait.seconds, "blocked", "", title))
        self._y += _GAP if lanes else 0
        for name, bars in sorted(lanes.items()):
            yield Lane(self._next(), name, "blocked", tuple(bars))

    def _panels(self) -> Iterator[Panel]:
        high = max((bucket.most for series in self._rehearsal.series for bucket in series.buckets), default=0.001)
        low = min((bucket.p50 for series in self._rehearsal.series for bucket in series.buckets), default=0.001)
        scale = _scale(low, high)
        for series in self._rehearsal.series:
            self._y += _GAP + _HEAD
            y, self._y = self._y, self._y + _PANEL
            yield self._panel(series, round(y, 1), scale)

    def _panel(self, series: Series, y: float, scale: Sequence[float]) -> Panel:
        def place(seconds: float) -> float:
            lowest, highest = math.log10(scale[0]), math.log10(scale[-1])
            share = (math.log10(max(seconds, scale[0])) - lowest) / (highest - lowest)
            return round(y + _PANEL * (1 - min(share, 1.0)), 2)

        middles = [self._x(bucket.at + series.width / 2) for bucket in series.buckets]

        def line(values: Sequence[float]) -> str:
            points = (f"{x} {place(value)}" for x, value in zip(middles, values, strict=True))
            return f"M{' L'.join(points)}" if middles else ""

        return Panel(
            y=y,
            height=_PANEL,
            label=_LABELS.get(series.name, series.name),
            ticks=tuple(Tick(place(each), in_time(each)) for each in scale),
            median=line([bucket.p50 for bucket in series.buckets]),
            high=line([bucket.p95 for bucket in series.buckets]),
            most=line([bucket.most for bucket in series.buckets]),
            failures=tuple(x for x, bucket in zip(middles, series.buckets, strict=True) if bucket.failed),
        )


_LABELS = {
    "both reads": "reads of both codes",
    "both writes": "writes of both codes",
    "new reads": "reads of the new code",
    "new writes": "writes of the new code",
    "old reads": "reads of the old code",
    "old writes": "writes of the old code",
}


def _scale(low: float, high: float) -> tuple[float, ...]:
    """Return the powers of ten around some values; two at least."""
    first = max((place for place, each in enumerate(_DECADES) if each <= low), default=0)
    last = min((place for place, each in enumerate(_DECADES) if each >= high), default=len(_DECADES) - 1)
    return _DECADES[min(first, len(_DECADES) - 2) : max(last, first + 1) + 1]

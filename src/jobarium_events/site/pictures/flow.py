"""The flow graph: who sends which events on the left, the events in the middle, who reads them on the right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.site.pictures.columns import HEAD, Column, Neighbours, crossings
from jobarium_events.site.pictures.reading import Read, read
from jobarium_events.site.pictures.texts import listed

if TYPE_CHECKING:
    from jobarium_events.contract import Contract

__all__ = ["MANY", "Edge", "Flow", "Node", "flow", "of_service"]

MANY = 40
"""More events or services below each other than that make a graph that nobody can read."""

_MARGIN = 6.0
_SERVICES, _EVENTS = (110.0, 220.0), (150.0, 270.0)  # how wide the nodes are, at least and at most
_GAPS = 64.0, 180.0  # between two columns, at least and at most: wide for a catalog, whose edges cross in it
_WIDTH = 1080.0  # of a graph that no gap makes wider
_SWEEPS = 12  # of ordering; it has settled long before


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A service or an event.

    Attributes:
        kind: ``"producer"``, ``"event"`` or ``"consumer"``.
        name: Its whole name.
        lines: The name as it is written.
        note: What stands below it: an event's versions; empty for a service.
        x: Its left end.
        y: Its upper end.
        width: How wide it is.
        height: How high it is.
        edges: The places of its edges among those of the graph.
        title: What is said of it.
    """

    kind: str
    name: str
    lines: tuple[str, ...]
    note: str
    x: float
    y: float
    width: float
    height: float
    edges: tuple[int, ...]
    title: str


class Edge(msgspec.Struct, frozen=True):
    """Who sends or reads what: a curve from left to right.

    Attributes:
        begin: The place of the node on its left end, in its column.
        end: The place of the node on its right end.
        side: ``"sends"`` or ``"reads"``.
        path: The curve.
    """

    begin: int
    end: int
    side: str
    path: str


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """The whole graph.

    Attributes:
        width: Of all.
        height: Of all.
        title: What it shows.
        text: What is to be seen in it, in words.
        heads: The columns' titles with where they stand.
        producers: Those that send, from the top down.
        events: The events.
        consumers: Those that read.
        edges: The curves.
        told: All that it says, in words; in the order of the contracts.
    """

    width: float
    height: float
    title: str
    text: str
    heads: tuple[tuple[float, str], ...]
    producers: tuple[Node, ...]
    events: tuple[Node, ...]
    consumers: tuple[Node, ...]
    edges: tuple[Edge, ...]
    told: tuple[Read, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, in the order in which one goes through them by keyboard."""
        return (*self.producers, *self.events, *self.consumers)

    @property
    def most(self) -> int:
        """How many nodes stand below each other where they are most."""
        return max(len(self.producers), len(self.events), len(self.consumers))

    @property
    def readers(self) -> tuple[tuple[str, int], ...]:
        """Who reads how many of the events now; who reads most comes first."""
        counts = Counter(name for each in self.told if not each.is_over for name in each.consumers)
        return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def of_service(contracts: Sequence[Contract], service: str) -> tuple[Contract, ...]:
    """Return the contracts that a service sends or reads."""
    return tuple(each for each in contracts if service in (each.owner, *each.consumers))


def flow(contracts: Sequence[Contract]) -> Flow:
    """Return the graph of some contracts: of one event, of one service, or of a whole catalog.

    The versions of an event are one node. The order of the nodes is such that few edges cross; the same contracts
    always give the same graph.

    Args:
        contracts: The contracts.
    """
    return _Drawing(read(contracts)).whole()


class _Drawing:
    """Orders the nodes, and puts them where they belong."""

    def __init__(self, told: tuple[Read, ...]) -> None:
        self._told = told
        notes = {each.event: each.notes for each in told}
        self._left = Column("producer", list(dict.fromkeys(_each(told, "producers"))), _SERVICES, {})
        self._middle = Column("event", [each.event for each in told], _EVENTS, notes)
        self._right = Column("consumer", list(dict.fromkeys(_each(told, "consumers"))), _SERVICES, {})
        self._sends = self._links(self._left, "producers")
        self._reads = [(event, service) for service, event in self._links(self._right, "consumers")]

    def _links(self, column: Column, side: str) -> list[tuple[int, int]]:
        places = {name: place for place, name in enumerate(column.names)}
        return [(places[name], event) for event, each in enumerate(self._told) for name in getattr(each, side)]

    def whole(self) -> Flow:
        self._order()
        room = max(column.height for column in (self._left, self._middle, self._right))
        self._place(room)
        gap = self._gap()
        starts = [_MARGIN]
        for column in (self._left, self._middle):
            starts.append(round(starts[-1] + column.width + gap, 1))
        edges = (*self._curves(starts[0], gap), *self._curves(starts[1], gap, reads=True))
        nodes = [tuple(self._nodes(number, start)) for number, start in enumerate(starts)]
        return Flow(
            width=round(starts[-1] + self._right.width + _MARGIN, 1),
            height=round(HEAD + room + _MARGIN, 1),
            title=self._title(),
            text=self._text(),
            heads=tuple(zip(starts, ("sent by", "events", "read by"), strict=True)),
            producers=nodes[0],
            events=nodes[1],
            consumers=nodes[2],
            edges=edges,
            told=self._told,
        )

    def _title(self) -> str:
        if len(self._told) == 1:
            verbs = "sent and who read" if self._told[0].is_over else "sends and who reads"
            return f"Who {verbs} {self._told[0].event}"
        owners = self._left.names
        return f"What {owners[0]} sends, and who reads it" if len(owners) == 1 else "Flow of the events"

    def _gap(self) -> float:
        least, most = _GAPS
        if len(self._told) == 1:
            return least
        taken = self._left.width + self._middle.width + self._right.width + 2 * _MARGIN
        return round(min(max((_WIDTH - taken) / 2, least), most), 1)

    def _text(self) -> str:
        if len(self._told) == 1:
            (event,) = self._told
            readers = listed(event.consumers) if event.consumers else "nobody that is known"
            if event.is_over:
                return f"{listed(event.producers)} sent {event.event}, and {readers} read it, until it was retired."
            reads = "read" if len(event.consumers) > 1 else "reads"
            return f"{listed(event.producers)} sends {event.event}; {readers} {reads} it."
        sent, read = len(self._left.names), len(self._right.names)
        return f"{sent} services send {len(self._told)} events, and {read} services read them; the table has them all."

    def _around(self) -> tuple[list[tuple[Column, Neighbours]], ...]:
        """Return for each column the columns beside it, with the neighbours of its nodes."""
        return (
            [(self._middle, _by(self._sends))],
            [(self._left, _by(_turned(self._sends))), (self._right, _by(self._reads))],
            [(self._middle, _by(_turned(self._reads)))],
        )

    def _order(self) -> None:
        """Order each column by its neighbours again and again, and keep the order with the fewest crossings."""
        left, middle, right = self._around()
        columns = (self._left, self._middle, self._right)
        best, fewest = [list(column.order) for column in columns], self._crossings()
        for sweep in range(_SWEEPS):
            # From the producers to the consumers, and back: what is ordered last fits best.
            steps = [(self._left, left), (self._middle, middle[sweep % 2 :][:1] or middle), (self._right, right)]
            for column, others in steps if sweep % 2 == 0 else reversed(steps):
                column.sort(others)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(column.order) for column in columns], crossings
        for column, order in zip(columns, best, strict=True):
            column.order = order

    def _crossings(self) -> int:
        return crossings(self._left, self._middle, self._sends) + crossings(self._middle, self._right, self._reads)

    def _place(self, room: float) -> None:
        left, middle, right = self._around()
        for column in (self._left, self._middle, self._right):
            column.stack(room)
        for column, others in ((self._middle, middle), (self._left, left), (self._right, right)):
            column.settle(others, room)

    def _nodes(self, number: int, x: float) -> Iterator[Node]:
        column = (self._left, self._middle, self._right)[number]
        edges: dict[int, list[int]] = {}
        ends = {0: (0, None), 1: (1, 0), 2: (None, 1)}[number]
        for at, links, first in ((ends[0], self._sends, 0), (ends[1], self._reads, len(self._sends))):
            for place, link in enumerate(links if at is not None else (), first):
                edges.setdefault(link[at or 0], []).append(place)
        for node in column.order:
            yield Node(
                kind=column.kind,
                name=column.names[node],
                lines=column.lines[node],
                note=column.notes[node],
                x=x,
                y=column.tops[node],
                width=column.width,
                height=column.heights[node],
                edges=tuple(edges.get(node, ())),
                title=self._said(column, node),
            )

    def _said(self, column: Column, node: int) -> str:
        name = column.names[node]
        if column is self._middle:
            return f"{name}: {self._told[node].versions}"
        side, verbs = ("producers", ("sends", "sent")) if column is self._left else ("consumers", ("reads", "read"))
        said = []
        for verb, is_over in zip(verbs, (False, True), strict=True):
            events = [each.event for each in self._told if name in getattr(each, side) and each.is_over is is_over]
            said += [f"{verb} {listed(events)}"] if events else []
        return f"{name} {', and once '.join(said)}"

    def _curves(self, start: float, gap: float, *, reads: bool = False) -> Iterator[Edge]:
        left, right = (self._middle, self._right) if reads else (self._left, self._middle)
        begin_x = round(start + left.width, 1)
        end_x, bend = round(begin_x + gap, 1), round(gap / 2, 1)
        for begin, end in self._reads if reads else self._sends:
            begin_y, end_y = round(left.middle(begin), 1), round(right.middle(end), 1)
            path = f"M{begin_x} {begin_y}C{begin_x + bend} {begin_y} {end_x - bend} {end_y} {end_x} {end_y}"
            yield Edge(begin, end, "reads" if reads else "sends", path)


def _each(told: Sequence[Read], side: str) -> Iterator[str]:
    for each in told:
        yield from getattr(each, side)


def _by(links: Sequence[tuple[int, int]]) -> Neighbours:
    found: dict[int, list[int]] = {}
    for begin, end in links:
        found.setdefault(begin, []).append(end)
    return found


def _turned(links: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(end, begin) for begin, end in links]

"""A column of the flow graph: in which order its nodes stand, and where."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence

from jobarium_events.site.pictures.texts import fitted, folded, width_of

__all__ = ["HEAD", "PAD", "SMALL", "Column", "Neighbours", "crossings"]

HEAD = 30.0
"""What stands above the nodes."""
PAD = 9.0
"""Between a node's edge and what is written in it."""
SMALL = 11.0
"""The size of a note."""

_SIZE, _LINE, _SPACE = 13.0, 16.0, 10.0

Neighbours = Mapping[int, Sequence[int]]
"""By a node's number in its column, the numbers of the nodes beside it in another column."""


class Column:
    """The nodes of one column, in the order in which they are drawn."""

    def __init__(
        self, kind: str, names: Sequence[str], widths: tuple[float, float], notes: Mapping[str, Sequence[str]]
    ) -> None:
        self.kind = kind
        self.names = names
        noted = [notes.get(name, ("",)) for name in names]
        least, most = widths
        widest = max((width_of(name, _SIZE) for name in names), default=0.0)
        longest = max((width_of(each[0], SMALL) for each in noted), default=0.0)
        self.width = min(math.ceil(max(least, widest + 2 * PAD, longest + 2 * PAD)), most)
        self.lines = [folded(name, self.width - 2 * PAD, _SIZE) for name in names]
        self.notes = [_first_fitting(each, self.width - 2 * PAD) for each in noted]
        self.heights = [
            _LINE * (len(lines) + bool(note)) + 12.0 for lines, note in zip(self.lines, self.notes, strict=True)
        ]
        self.order = list(range(len(names)))
        self.tops = [0.0] * len(names)

    @property
    def height(self) -> float:
        """How high all nodes are, with the space between them."""
        return sum(self.heights) + _SPACE * max(len(self.heights) - 1, 0)

    @property
    def ranks(self) -> dict[int, int]:
        """The place of each node from the top."""
        return {node: rank for rank, node in enumerate(self.order)}

    def middle(self, node: int) -> float:
        """Return where the middle of a node stands."""
        return self.tops[node] + self.heights[node] / 2

    def sort(self, others: Sequence[tuple[Column, Neighbours]]) -> None:
        """Bring the nodes into the order of their neighbours; those without any stay where they are."""
        ranks = self.ranks
        wanted: dict[int, float] = {}
        for node in self.order:
            near = []
            for other, neighbours in others:
                theirs = other.ranks
                near += [theirs[each] / max(len(theirs) - 1, 1) for each in neighbours.get(node, ())]
            wanted[node] = sum(near) / len(near) if near else ranks[node] / max(len(ranks) - 1, 1)
        self.order.sort(key=lambda node: (wanted[node], ranks[node]))

    def stack(self, room: float) -> None:
        """Put the nodes below each other, in the middle of the room."""
        y = HEAD + (room - self.height) / 2
        for node in self.order:
            self.tops[node] = y
            y += self.heights[node] + _SPACE

    def settle(self, others: Sequence[tuple[Column, Neighbours]], room: float) -> None:
        """Put each node beside its neighbours, as far as the others leave room for it."""
        wanted = {}
        for node in self.order:
            near = [other.middle(each) for other, neighbours in others for each in neighbours.get(node, ())]
            middle = sum(near) / len(near) if near else self.middle(node)
            wanted[node] = middle - self.heights[node] / 2
        y = HEAD
        for node in self.order:
            self.tops[node] = max(wanted[node], y)
            y = self.tops[node] + self.heights[node] + _SPACE
        end = HEAD + room
        for node in reversed(self.order):
            self.tops[node] = round(min(self.tops[node], end - self.heights[node]), 1)
            end = self.tops[node] - _SPACE


def _first_fitting(notes: Sequence[str], room: float) -> str:
    return next((note for note in notes if width_of(note, SMALL) <= room), fitted(notes[-1], room, SMALL))


def crossings(left: Column, right: Column, links: Sequence[tuple[int, int]]) -> int:
    """Return how many edges cross between two columns: the pairs whose ends are in another order than they begin."""
    begins, ends = left.ranks, right.ranks
    found, passed = 0, list[int]()
    for _, end in sorted((begins[begin], ends[end]) for begin, end in links):
        found += len(passed) - bisect_right(passed, end)
        insort(passed, end)
    return found

"""Two texts side by side, line by line, with the words marked that were changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

import msgspec

__all__ = ["Cell", "Part", "Row", "Run", "rows_of", "runs_of"]

_AROUND = 3  # unchanged lines that stay in sight beside a change
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_ALIKE = 0.4  # of two lines' words; lines that have less in common are two lines, and not one that was changed
_MANY = 400  # pairs of lines in one block that are compared word by word
_LARGE = 4_000_000  # pairs of lines from which on a rough comparison has to do


class Part(msgspec.Struct, frozen=True):
    """A piece of a line, and whether it was changed."""

    text: str
    changed: bool = False


class Cell(msgspec.Struct, frozen=True):
    """A line of one side."""

    number: int
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(part.text for part in self.parts)


class Row(msgspec.Struct, frozen=True):
    """A line of each side; None where a side has none.

    Attributes:
        kind: ``"same"``, ``"changed"``, ``"removed"`` or ``"added"``.
        old: The line of the old version.
        new: The line of the new one.
    """

    kind: str
    old: Cell | None
    new: Cell | None


class Run(msgspec.Struct, frozen=True):
    """Some rows below each other.

    Attributes:
        rows: The rows.
        is_folded: Whether they are unchanged and far from every change.
    """

    rows: tuple[Row, ...]
    is_folded: bool


def rows_of(old: Sequence[str], new: Sequence[str]) -> tuple[Row, ...]:
    """Return the lines of two texts beside each other.

    Args:
        old: The lines of the old one.
        new: The lines of the new one.
    """
    return tuple(_rows(old, new))


def _rows(old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    matcher = SequenceMatcher(None, old, new, autojunk=len(old) * len(new) > _LARGE)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            for here, there in zip(range(first, last), range(start, end), strict=True):
                line = (Part(old[here]),)
                yield Row("same", Cell(here + 1, line), Cell(there + 1, line))
            continue
        for was, now in _pairs(old[first:last], new[start:end]):
            yield _row(old, None if was is None else first + was, new, None if now is None else start + now)


def _row(old: Sequence[str], was: int | None, new: Sequence[str], now: int | None) -> Row:
    match was, now:
        case int(), int():
            before, after = _words(old[was], new[now])
            return Row("changed", Cell(was + 1, before), Cell(now + 1, after))
        case int(), _:
            return Row("removed", Cell(was + 1, (Part(old[was], changed=True),)), None)
        case _:
            place = now or 0
            return Row("added", None, Cell(place + 1, (Part(new[place], changed=True),)))


def _pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """Yield which lines of a block were changed into which, in order; those that are alike most, over all."""
    if len(old) * len(new) > _MANY:
        yield from zip_longest(range(len(old)), range(len(new)))
        return
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    alike = [[_alike(before, after) for after in new] for before in old]
    for here in reversed(range(len(old))):
        for there in reversed(range(len(new))):
            paired = alike[here][there] + best[here + 1][there + 1] if alike[here][there] > _ALIKE else 0.0
            best[here][there] = max(paired, best[here + 1][there], best[here][there + 1])
    here = there = 0
    while here < len(old) or there < len(new):
        ends = here == len(old), there == len(new)
        if not any(ends) and _is_pair(best, alike, here, there):
            yield here, there
            here, there = here + 1, there + 1
        elif not ends[0] and (ends[1] or best[here][there] == best[here + 1][there]):
            yield here, None
            here += 1
        else:
            yield None, there
            there += 1


def _is_pair(best: Sequence[Sequence[float]], alike: Sequence[Sequence[float]], here: int, there: int) -> bool:
    share = alike[here][there]
    return share > _ALIKE and best[here][there] == share + best[here + 1][there + 1]


def _alike(old: str, new: str) -> float:
    """Return how much of two lines is the same, from 0 to 1."""
    before, after = (_WORDS.findall(line.strip()) for line in (old, new))
    return SequenceMatcher(None, before, after, autojunk=False).ratio()


def _words(old: str, new: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return two lines in pieces, with those marked that are not in the other."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    gone, come = [], []
    found = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for place, (tag, first, last, start, end) in enumerate(found):
        was, now = "".join(before[first:last]), "".join(after[start:end])
        # A space between two words that were changed is no word that was not.
        changed = tag != "equal" or (was.isspace() and 0 < place < len(found) - 1)
        gone.append(Part(was, changed))
        come.append(Part(now, changed))
    return _joined(gone), _joined(come)


def _joined(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return pieces without empty ones, and with those in one that are marked alike."""
    filled = groupby((part for part in parts if part.text), key=lambda part: part.changed)
    return tuple(Part("".join(part.text for part in group), changed) for changed, group in filled)


def runs_of(rows: Sequence[Row]) -> Iterator[Run]:
    """Yield the rows in runs, of which those are folded that are far from every change.

    Args:
        rows: The rows.
    """
    places = [place for place, row in enumerate(rows) if row.kind != "same"]
    seen = {near for place in places for near in range(place - _AROUND, place + _AROUND + 1)}
    for folds, group in groupby(enumerate(rows), key=lambda each: each[0] not in seen):
        run = tuple(row for _, row in group)
        # What is no longer than the line that would stand in its place is shown.
        yield Run(run, folds and len(run) > 1)

"""How much room a text takes in a picture, and how it is written where there is less.

Nobody knows which font a page is shown in, so the widths are those of a wide one: what fits by them fits in others.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate

__all__ = ["counted", "fitted", "folded", "listed", "width_of"]

_SMALL = 11.0
_NARROW = frozenset("ijlI|.,:;'`!")
_SLIM = frozenset('frt-()[]{}/\\" ')
_BROAD = frozenset("mwMWQOGD@%&+=<>~#")
_ELLIPSIS = "…"
# Behind these a name may go on in the next line.
_JOINTS = re.compile(r"(?<=[._\-/: ])")


def width_of(text: str, size: float = _SMALL) -> float:
    """Return how wide a text is at the most.

    Args:
        text: The text.
        size: Of its font, in the units of the picture.
    """
    return sum(map(_share, text)) * size


def _share(char: str) -> float:
    """Return how wide a character is, as a part of the font's size."""
    if char in _NARROW:
        return 0.34
    if char in _SLIM:
        return 0.41
    if char in _BROAD or unicodedata.east_asian_width(char) in "WF":
        return 1.0
    return 0.75 if char.isupper() or not char.isascii() else 0.63


def fitted(text: str, room: float, size: float = _SMALL) -> str:
    """Return a text that takes no more room than there is: its beginning and its end, which tell names apart.

    Args:
        text: The text.
        room: How wide it may be.
        size: Of its font.
    """
    if width_of(text, size) <= room:
        return text
    room -= width_of(_ELLIPSIS, size)
    head = _within(text, room / 2, size)
    tail = _within(text[::-1], room - width_of(text[:head], size), size)
    return f"{text[:head]}{_ELLIPSIS}{text[len(text) - tail :]}"


def _within(text: str, room: float, size: float) -> int:
    """Return how many characters of a text's beginning have room."""
    return sum(width <= room for width in accumulate(_share(char) * size for char in text))


def folded(text: str, room: float, size: float = _SMALL) -> tuple[str, ...]:
    """Return a text in one line, or in two if one has no room for it, broken at a joint of the name where it can be.

    Args:
        text: The text.
        room: How wide a line may be.
        size: Of its font.
    """
    if width_of(text, size) <= room:
        return (text,)
    first = ""
    for part in _JOINTS.split(text):
        if width_of((first + part).rstrip(), size) > room:
            break
        first += part
    first = first or text[: max(_within(text, room, size), 1)]
    return first.rstrip(), fitted(text[len(first) :], room, size)


def counted(number: int, word: str) -> str:
    """Return so many of something: ``"1 event"``, ``"2 events"``."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Return some names in a sentence: ``"v1, v2 and v3"``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last

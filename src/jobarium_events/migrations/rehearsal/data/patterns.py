"""Texts that match a simple regular expression, as SQL that makes them from a number.

Simple are characters, classes, groups, alternatives and repetitions; what looks around, or back, is not.
"""

from __future__ import annotations

import re
import string
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from jobarium_events.migrations.rehearsal.data.quoting import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["is_simple", "matching"]

MOST = 2**62
"""No index of a value is larger."""

_CLASSES = {
    "d": string.digits,
    "w": string.ascii_lowercase + string.digits + "_",
    "s": " ",
    "alpha": string.ascii_lowercase,
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "digit": string.digits,
    "alnum": string.ascii_lowercase + string.digits,
    "xdigit": string.digits + "abcdef",
    "space": " ",
}
_ANY = string.ascii_lowercase + string.digits
_VISIBLE = string.ascii_letters + string.digits + string.punctuation
_TIMES = re.compile(r"[*+?]|\{(\d+)(,?)(\d*)\}")
_SPREADS = (6, 9, 12, 4, 3, 2, 1, 0, *range(13, 65))


class _NotSimple(Exception):
    """There is something in the expression that this module does not know."""


class _Chars(NamedTuple):
    among: str


class _Sequence(NamedTuple):
    parts: tuple[_Tree, ...]


class _Choice(NamedTuple):
    parts: tuple[_Tree, ...]


class _Repeated(NamedTuple):
    part: _Tree
    least: int
    most: int | None


_Tree = _Chars | _Sequence | _Choice | _Repeated
_ANYTHING = _Repeated(_Chars(_ANY), 0, None)


class _Pattern(NamedTuple):
    """What a regular expression matches, and whether that is at the begin and at the end of a text."""

    tree: _Tree
    begins: bool
    ends: bool


def is_simple(pattern: str) -> bool:
    """Whether texts can be made that match a regular expression."""
    try:
        _Parser(pattern).read()
    except _NotSimple:
        return False
    return True


def matching(patterns: Sequence[str], least: int, most: int | None, case: str | None = None) -> tuple[str, int] | None:
    """Return SQL that makes texts, with ``{i}`` for a number from 0 on, and how many different ones there are.

    Args:
        patterns: The regular expressions. If there are several, the texts match them all where each says of another
            place of a text; else not for certain.
        least: How long a text has to be.
        most: How long it may be.
        case: ``lower`` or ``upper`` if its letters have to be.

    Returns:
        None if an expression is not simple, or has no text that long or of that case.
    """
    try:
        tree = _cased(_joined_up([_Parser(pattern).read() for pattern in patterns]), case)
    except _NotSimple:
        return None
    for spread in _SPREADS:
        flat = _repeated(tree, spread)
        if all(least <= length and (most is None or length <= most) for length in _lengths(flat)):
            return _sql(flat, "{i}"), min(_size(flat), MOST)
    return None


def _joined_up(patterns: Sequence[_Pattern]) -> _Tree:
    """Return what matches all patterns that leave room for the others; or the one that leaves none."""
    whole = [each.tree for each in patterns if each.begins and each.ends]
    if whole:
        return whole[0]
    begin = max((each.tree for each in patterns if each.begins), key=_shortest, default=None)
    end = max((each.tree for each in patterns if each.ends), key=_shortest, default=None)
    within = [part for each in patterns if not (each.begins or each.ends) for part in (_ANYTHING, each.tree)]
    return _Sequence((*([begin] if begin else []), *within, _ANYTHING, *([end] if end else [])))


def _shortest(tree: _Tree) -> int:
    return min(_lengths(_repeated(tree, 0)))


def _cased(tree: _Tree, case: str | None) -> _Tree:
    """Return what has no letters but those of a case."""
    match tree:
        case _ if case is None:
            return tree
        case _Chars(among):
            every = among + getattr(among, case)() if among == _ANY else among
            kept = "".join(each for each in dict.fromkeys(every) if getattr(each, case)() == each)
            if not kept:
                raise _NotSimple
            return _Chars(kept)
        case _Choice(parts):
            return _Choice(tuple(_cased(part, case) for part in parts if _has(part, case)))
        case _Sequence(parts):
            return _Sequence(tuple(_cased(part, case) for part in parts))
        case _Repeated(part, least, most):
            return _Repeated(_cased(part, case), least, most)


def _has(tree: _Tree, case: str) -> bool:
    try:
        _cased(tree, case)
    except _NotSimple:
        return False
    return True


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._begins = False
        self._ends = False

    def read(self) -> _Pattern:
        tree = self._choice()
        if self._at < len(self._pattern):
            raise _NotSimple
        return _Pattern(tree, self._begins, self._ends)

    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        taken = self._next()
        if not taken:
            raise _NotSimple
        self._at += 1
        return taken

    def _choice(self) -> _Tree:
        parts = [self._sequence()]
        while self._next() == "|":
            self._take()
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else _Choice(tuple(parts))

    def _sequence(self) -> _Tree:
        parts: list[_Tree] = []
        while self._next() not in ("", "|", ")"):
            if (
                (self._next() == "^" and not parts)
                or self._pattern[self._at :] == "$"
                or self._pattern[self._at : self._at + 2] in ("$)", "$|")
            ):
                is_begin = self._take() == "^"
                self._begins, self._ends = self._begins or is_begin, self._ends or not is_begin
            else:
                parts.append(self._times(self._one()))
        return _Sequence(tuple(parts))

    def _one(self) -> _Tree:
        match self._take():
            case "(":
                if self._next() == "?" and self._pattern[self._at : self._at + 2] != "?:":
                    raise _NotSimple
                self._at += 2 if self._next() == "?" else 0
                inner = self._choice()
                if self._take() != ")":
                    raise _NotSimple
                return inner
            case "[":
                return _Chars(self._class())
            case ".":
                return _Chars(_ANY)
            case "\\":
                return _Chars(self._escaped())
            case "^" | "$" | "*" | "+" | "?":
                raise _NotSimple
            case character:
                return _Chars(character)

    def _escaped(self) -> str:
        escaped = self._take()
        if escaped in ("d", "w", "s"):
            return _CLASSES[escaped]
        if escaped.isalnum():
            raise _NotSimple
        return escaped

    def _class(self) -> str:
        negated = self._next() == "^"
        if negated:
            self._take()
        among = ""
        while self._next() != "]" or not among:
            if self._pattern.startswith("[:", self._at):
                end = self._pattern.find(":]", self._at)
                name = self._pattern[self._at + 2 : end] if end > 0 else ""
                if name not in _CLASSES:
                    raise _NotSimple
                among += _CLASSES[name]
                self._at = end + 2
                continue
            first = self._take()
            if first == "\\":
                among += self._escaped()
            elif self._next() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", ""):
                self._take()
                among += "".join(map(chr, range(ord(first), min(ord(self._take()), ord(first) + 500) + 1)))
            else:
                among += first
        self._take()
        if negated:
            among = "".join(each for each in _VISIBLE if each not in among)
        if not among:
            raise _NotSimple
        return "".join(dict.fromkeys(among))

    def _times(self, part: _Tree) -> _Tree:
        match = _TIMES.match(self._pattern, self._at)
        if match is None:
            return part
        self._at = match.end()
        if self._next() in ("?", "+", "*"):  # less greedy, or possessive: the same texts, or not known
            raise _NotSimple
        least = {"*": 0, "+": 1, "?": 0}.get(match[0], int(match[1] or 0))
        if match[0] in ("*", "+") or (match[2] and not match[3]):
            return _Repeated(part, least, None)
        return _Repeated(part, least, 1 if match[0] == "?" else int(match[3] or match[1]))


def _repeated(tree: _Tree, spread: int) -> _Tree:
    """Return the tree with a count chosen for each repetition."""
    match tree:
        case _Repeated(part, least, most):
            count = max(least, spread if most is None else min(most, spread))
            return _Sequence((_repeated(part, spread),) * count)
        case _Sequence(parts):
            return _Sequence(tuple(_repeated(part, spread) for part in parts))
        case _Choice(parts):
            return _Choice(tuple(_repeated(part, spread) for part in parts))
        case _:
            return tree


def _lengths(tree: _Tree) -> set[int]:
    match tree:
        case _Sequence(parts):
            lengths = {0}
            for part in parts:
                lengths = {length + more for length in lengths for more in _lengths(part)}
            return lengths
        case _Choice(parts):
            return {length for part in parts for length in _lengths(part)}
        case _:
            return {1}


def _size(tree: _Tree) -> int:
    match tree:
        case _Chars(among):
            return len(among)
        case _Choice(parts):
            return len(parts) * min(map(_size, parts))
        case _Sequence(parts):
            return prod(map(_size, parts))
        case _:
            raise AssertionError(tree)


def _sql(tree: _Tree, index: str) -> str:
    match tree:
        case _Chars(among):
            many = f"substr({text(among)}, 1 + (({index}) % {len(among)})::int, 1)"
            return text(among) if len(among) == 1 else many
        case _Choice(parts):
            inner = f"({index}) / {len(parts)}"
            cases = " ".join(f"when {place} then {_sql(part, inner)}" for place, part in enumerate(parts))
            return f"(case ({index}) % {len(parts)} {cases} end)"
        case _Sequence(parts):
            return " || ".join(_joined(parts, index)) or "''"
        case _:
            raise AssertionError(tree)


def _joined(parts: tuple[_Tree, ...], index: str) -> Iterator[str]:
    stride = 1
    for part in parts:
        yield _sql(part, f"({index}) / {stride}" if stride > 1 else index)
        stride = min(stride * _size(part), MOST)

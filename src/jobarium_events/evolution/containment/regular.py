"""ECMA 262 patterns as finite automata."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from jobarium_events.errors import SchemaError
from jobarium_events.validation.patterns import Scanner, translate

__all__ = ["ANY", "Automaton", "Characters", "Ranges", "Requirement", "requirements"]

Ranges = tuple[tuple[int, int], ...]

ANY: Ranges = ((0, 0xD7FF), (0xE000, 0x10FFFF))
"""Every code point but the halves of surrogate pairs, which no JSON text in UTF-8 can hold."""

_LINE_ENDS = (0x0A, 0x0D, 0x2028, 0x2029)
_MOST_STATES = 4_000


class Characters:
    """A set of characters. Two are equal only if they are one object, which makes them quick to look up."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges


class Requirement(NamedTuple):
    """A text must be, or must not be, accepted by an automaton."""

    automaton: Automaton
    holds: bool


class Unsupported(Exception):
    """The pattern is not a regular expression in the strict sense, or too large. It never leaves this module."""


class _Chars(NamedTuple):
    ranges: Ranges


class _Sequence(NamedTuple):
    parts: tuple[_Tree, ...]


class _Choice(NamedTuple):
    branches: tuple[_Tree, ...]


class _Repeated(NamedTuple):
    tree: _Tree
    least: int
    most: int | None


class _Edge(NamedTuple):
    at_start: bool


class _Look(NamedTuple):
    tree: _Tree
    holds: bool


_Tree = _Chars | _Sequence | _Choice | _Repeated | _Edge | _Look


@lru_cache(maxsize=256)
def requirements(pattern: str) -> tuple[Requirement, ...] | None:
    """Return what a text must fulfil to match a pattern; None if automata cannot say it.

    Look-aheads can be said where a pattern begins with them, as in ``^(?!admin)[a-z]+$``; back references, word
    boundaries and look-behinds cannot.
    """
    try:
        translate(pattern)  # refuses what is no pattern
        tree = _Parser(pattern).tree()
        return tuple(_required(tree))
    except (SchemaError, Unsupported):
        return None


def _required(tree: _Tree) -> list[Requirement]:
    parts = tree.parts if isinstance(tree, _Sequence) else (tree,)
    if parts and isinstance(parts[0], _Edge) and parts[0].at_start:
        ahead = [part for part in parts if isinstance(part, _Look)]
        if tuple(ahead) == parts[1 : 1 + len(ahead)]:
            rest = _Sequence((parts[0], *parts[1 + len(ahead) :]))
            looks = [Requirement(Automaton(_Sequence((parts[0], look.tree))), look.holds) for look in ahead]
            return [*looks, Requirement(Automaton(rest), holds=True)]
    return [Requirement(Automaton(tree), holds=True)]


class _Parser(Scanner):
    """Reads a pattern that is known to be valid."""

    def tree(self) -> _Tree:
        return self._choice()

    def _choice(self) -> _Tree:
        branches = [self._sequence()]
        while self.pattern.startswith("|", self.position):
            self.position += 1
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _Choice(tuple(branches))

    def _sequence(self) -> _Tree:
        parts: list[_Tree] = []
        while self.position < len(self.pattern) and self.pattern[self.position] not in "|)":
            token = self.token()
            if token.lastgroup == "quantifier":
                parts.append(_Repeated(parts.pop(), *_times(token[0])))
            else:
                parts.append(self._one(token))
        return parts[0] if len(parts) == 1 else _Sequence(tuple(parts))

    def _one(self, token: re.Match[str]) -> _Tree:
        match token.lastgroup, token[0]:
            case "open", "(?=" | "(?!" as text:
                return _Look(self._group(), text == "(?=")
            case "open", text if not text.startswith("(?<") or token["group"]:
                return self._group()
            case "plain", "^" | "$" as text:
                return _Edge(text == "^")
            case "plain", ".":
                return _Chars(_negated([(code, code) for code in _LINE_ENDS]))
            case "plain", "[":
                negated, members = self.members()
                return _Chars(_negated(members) if negated else _sorted(members))
            case "set", _:
                return _Chars(_sorted(self.set(token)))
            case (("boundary" | "named" | "back" | "open"), _):
                raise Unsupported
            case _:
                return _Chars(((self.code_point(token),) * 2,))

    def _group(self) -> _Tree:
        inner = self._choice()
        self.position += 1  # the closing parenthesis
        return inner


def _times(quantifier: str) -> tuple[int, int | None]:
    match quantifier.rstrip("?") or "?":
        case "*":
            return 0, None
        case "+":
            return 1, None
        case "?":
            return 0, 1
        case counted:
            least, comma, most = counted[1:-1].partition(",")
            return int(least), (int(most) if most else None) if comma else int(least)


def _sorted(ranges: list[tuple[int, int]]) -> Ranges:
    """Return ranges in order, joined where they touch, and without halves of surrogate pairs."""
    return _negated(list(_negated(ranges)))


def _negated(ranges: list[tuple[int, int]]) -> Ranges:
    left: list[tuple[int, int]] = []
    for first, last in ANY:
        start = first
        for low, high in sorted(ranges):
            if high < start or low > last:
                continue
            if low > start:
                left.append((start, low - 1))
            start = high + 1
        if start <= last:
            left.append((start, last))
    return tuple(left)


@lru_cache(maxsize=1024)
def _characters(ranges: Ranges) -> Characters:
    return Characters(ranges)


class Automaton:
    """A nondeterministic finite automaton that accepts each text in which a pattern matches somewhere.

    A set of its states stands for all that it can be in after some characters. The sets are made while a search
    meets them, so that nothing is ever built that no search needs.

    Attributes:
        alphabet: The sets of characters that its steps ask for.
        start: The set of states that it starts in.
        accepts_nothing: Whether it accepts the empty text.
    """

    def __init__(self, tree: _Tree) -> None:
        self._steps: list[list[tuple[Characters, int]]] = []
        self._free: list[list[tuple[str, int]]] = []
        first, self._end = self._state(), self._state()
        anything = _characters(ANY)
        self._steps[first].append((anything, first))  # a match may start anywhere,
        self._steps[self._end].append((anything, self._end))  # and be followed by anything
        self._build(tree, first, self._end)
        states = range(len(self._steps))
        self._closures = [self._closure(state, "") for state in states]
        self._last = frozenset(state for state in states if self._end in self._closure(state, "$"))
        self.start = self._trimmed(self._closure(first, "^"))
        self.accepts_nothing = self._end in self._closure(first, "^$")
        self.alphabet = frozenset(characters for steps in self._steps for characters, _ in steps)

    def accepts(self, states: frozenset[int]) -> bool:
        """Whether a text of at least one character that led to these states is accepted."""
        return not self._last.isdisjoint(states)

    def is_sure(self, states: frozenset[int]) -> bool:
        """Whether a text that led to these states is accepted whatever follows."""
        return self._end in states

    def next(self, states: frozenset[int], inside: frozenset[Characters]) -> frozenset[int]:
        """Return the states after one more character, which is in the sets `inside` of the alphabet."""
        after: set[int] = set()
        for state in states:
            for characters, target in self._steps[state]:
                if target not in after and characters in inside:
                    after |= self._closures[target]
        return self._trimmed(frozenset(after))

    def _trimmed(self, states: frozenset[int]) -> frozenset[int]:
        """Return one set for all in which the match is found, whatever follows."""
        return frozenset((self._end,)) if self._end in states else states

    def _state(self) -> int:
        if len(self._steps) >= _MOST_STATES:
            raise Unsupported
        self._steps.append([])
        self._free.append([])
        return len(self._steps) - 1

    def _build(self, tree: _Tree, start: int, end: int) -> None:
        """Add what leads from one state to another exactly through the texts of a tree."""
        match tree:
            case _Chars(ranges):
                self._steps[start].append((_characters(ranges), end))
            case _Edge(at_start):
                self._free[start].append(("^" if at_start else "$", end))
            case _Sequence(parts):
                for part in parts:
                    after = self._state()
                    self._build(part, start, after)
                    start = after
                self._free[start].append(("", end))
            case _Choice(branches):
                for branch in branches:
                    self._build(branch, start, end)
            case _Repeated(inner, least, most):
                self._build_repeated(inner, least, most, start, end)
            case _Look():
                raise Unsupported

    def _build_repeated(self, inner: _Tree, least: int, most: int | None, start: int, end: int) -> None:
        for _ in range(least):
            after = self._state()
            self._build(inner, start, after)
            start = after
        if most is None:
            loop = self._state()
            self._free[start].append(("", loop))
            self._build(inner, loop, loop)
            start = loop
        else:
            for _ in range(most - least):
                self._free[start].append(("", end))
                after = self._state()
                self._build(inner, start, after)
                start = after
        self._free[start].append(("", end))

    def _closure(self, state: int, edges: str) -> frozenset[int]:
        """Return what can be reached without a character, through those of ``^`` and ``$`` that hold here."""
        found = {state}
        waiting = [state]
        while waiting:
            for condition, target in self._free[waiting.pop()]:
                if target not in found and condition in edges:
                    found.add(target)
                    waiting.append(target)
        return frozenset(found)

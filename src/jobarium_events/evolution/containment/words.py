"""Texts that satisfy several automata at once, and lengths: the shortest first.

Nothing is determinised, complemented or intersected beforehand. The search walks the product of the automata's sets of
states from its start, so it meets only what it needs, and a limit can stop it anywhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from jobarium_events.evolution.containment.regular import ANY, Characters, Ranges, Requirement

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.found import Spend

__all__ = ["words"]

_MOST_KEPT = 500
"""So many states of a product are kept for later searches."""
# The T and the Z of a time stand before t and z, which are as good, but unusual.
_PREFERRED = [*map(ord, "abcdefghijklmnopqrsuvwxy0123456789TZtz"), *range(0x41, 0x5B), *range(0x20, 0x7F)]
_LONGEST = 1_000_000
"""Longer texts are not built."""


class _Letters(NamedTuple):
    """Characters that no automaton tells apart.

    Attributes:
        inside: The sets of the alphabet that they are in.
        ranges: Where they are.
        first: The one that is best to read.
    """

    inside: frozenset[Characters]
    ranges: Ranges
    first: str


class _State(NamedTuple):
    """Where every automaton is, and how many characters there were, as far as that matters."""

    sets: tuple[frozenset[int], ...]
    length: int


def words(
    required: Sequence[Requirement],
    least: int,
    most: int | None,
    count: int,
    *,
    without: frozenset[str],
    spend: Spend,
) -> tuple[list[str], bool]:
    """Return texts that satisfy all requirements, and whether there are no others.

    Args:
        required: What each text must satisfy.
        least: Its least length, in code points.
        most: Its greatest length, if there is one.
        count: How many texts are wanted.
        without: Texts that are not wanted.
        spend: Called for each step; may raise to end the search.
    """
    if not required:
        return _unconstrained(least, most, count, without)
    search = _Search(required, least, most, spend)
    first = search.shortest()
    if first is None:
        return [], True
    if first not in without and count == 1:
        return [first], False
    found = [word for word in search.several(count + len(without)) if word not in without]
    return found[:count], len(found) < count


def _unconstrained(least: int, most: int | None, count: int, without: frozenset[str]) -> tuple[list[str], bool]:
    """Return texts of which only the lengths are limited; a last character alone makes enough of them."""
    found: list[str] = []
    length = least
    while len(found) < count and (most is None or length <= most):
        if length > _LONGEST:
            return found, False
        start = chr(_PREFERRED[0]) * (length - 1)
        of_length = (start + letter for letter in _characters(ANY, count + len(without))) if length else ("",)
        found += islice((word for word in of_length if word not in without), count - len(found))
        length += 1
    return found, len(found) < count


class _Search:
    def __init__(self, required: Sequence[Requirement], least: int, most: int | None, spend: Spend) -> None:
        self.product = _product(tuple(required), least)
        self.start = self.product.start
        self.least = least
        self.most = most
        self.spend = spend
        self.known: dict[_State, list[tuple[_Letters, _State]]] = {}

    def shortest(self) -> str | None:
        """Return the shortest text, if there is any."""
        if self.most is not None and self.most < self.least:
            return None
        before: dict[_State, tuple[_State, str] | None] = {self.start: None}
        layer = [self.start]
        length = 0
        while layer:
            for state in layer:
                if self.product.accepts(state):
                    return _spelt(before, state)
            if length == self.most:
                return None
            length += 1
            following = []
            for state in layer:
                for letters, after in self._after(state):
                    if after not in before:
                        before[after] = state, letters.first
                        following.append(after)
            layer = following
        return None

    def several(self, count: int) -> list[str]:
        """Return so many texts, or all that there are."""
        distance = self._distances()
        found: list[str] = []
        layer = [(self.start, "")]
        length = 0
        while layer:
            found += [word for state, word in layer if self.product.accepts(state)]
            if len(found) >= count:
                break
            length += 1
            following = []
            for state, word in layer:
                for letters, after in self._after(state):
                    if after in distance and (self.most is None or length + distance[after] <= self.most):
                        following += [(after, word + letter) for letter in _characters(letters.ranges, count)]
            # Each leads to a text of its own, so that no more are needed; the nearest lead there soonest.
            layer = sorted(following, key=lambda step: distance[step[0]])[:count]
        return found[:count]

    def _distances(self) -> dict[_State, int]:
        """Return how many characters each state is away from a text, for those that lead to one."""
        sources: dict[_State, list[_State]] = {self.start: []}
        waiting = [self.start]
        while waiting:
            state = waiting.pop()
            for _, after in self._after(state):
                if after not in sources:
                    sources[after] = []
                    waiting.append(after)
                sources[after].append(state)
        layer = [state for state in sources if self.product.accepts(state)]
        distance = dict.fromkeys(layer, 0)
        while layer:
            following = []
            for state in layer:
                for source in sources[state]:
                    if source not in distance:
                        distance[source] = distance[state] + 1
                        following.append(source)
            layer = following
        return distance

    def _after(self, state: _State) -> list[tuple[_Letters, _State]]:
        steps = self.known.get(state)
        if steps is None:
            # As many steps where an earlier search has been here: no answer depends on what was asked before.
            self.spend(len(self.product.letters) * (1 + sum(map(len, state.sets)) // 32))
            steps = self.known[state] = self.product.after(state)
        return steps


class _Product:
    """Several automata that walk together, as far as searches have walked them."""

    def __init__(self, required: tuple[Requirement, ...], least: int) -> None:
        self.automata = [each.automaton for each in required]
        self.wanted = [each.holds for each in required]
        self.least = least
        self.letters = _letters(frozenset().union(*(each.alphabet for each in self.automata)))
        self.start = _State(tuple(each.start for each in self.automata), 0)
        self._known: dict[_State, list[tuple[_Letters, _State]]] = {}

    def accepts(self, state: _State) -> bool:
        """Whether a text that led to a state satisfies all requirements."""
        if state.length < self.least:
            return False
        if state.length == 0:
            return all(each.accepts_nothing is wanted for each, wanted in zip(self.automata, self.wanted, strict=True))
        return all(
            each.accepts(states) is wanted
            for each, states, wanted in zip(self.automata, state.sets, self.wanted, strict=True)
        )

    def after(self, state: _State) -> list[tuple[_Letters, _State]]:
        """Return where one more character leads to, without what leads nowhere."""
        steps = self._known.get(state)
        if steps is None:
            steps = self._steps(state)
            if len(self._known) < _MOST_KEPT:
                self._known[state] = steps
        return steps

    def _steps(self, state: _State) -> list[tuple[_Letters, _State]]:
        length = min(state.length + 1, max(self.least, 1))
        reached: dict[tuple[frozenset[int], ...], _Letters] = {}
        for letters in self.letters:
            sets = tuple(
                each.next(states, letters.inside) for each, states in zip(self.automata, state.sets, strict=True)
            )
            if self._may_lead_on(sets):
                same = reached.get(sets)
                reached[sets] = letters if same is None else same._replace(ranges=same.ranges + letters.ranges)
        return [(letters, _State(sets, length)) for sets, letters in reached.items()]

    def _may_lead_on(self, sets: tuple[frozenset[int], ...]) -> bool:
        return all(
            bool(states) if wanted else not each.is_sure(states)
            for each, states, wanted in zip(self.automata, sets, self.wanted, strict=True)
        )


@lru_cache(maxsize=64)
def _product(required: tuple[Requirement, ...], least: int) -> _Product:
    return _Product(required, least)


def _spelt(before: dict[_State, tuple[_State, str] | None], state: _State) -> str:
    letters = []
    while (step := before[state]) is not None:
        state, letter = step
        letters.append(letter)
    return "".join(reversed(letters))


@lru_cache(maxsize=256)
def _letters(alphabet: frozenset[Characters]) -> tuple[_Letters, ...]:
    """Return the characters in groups that every set of the alphabet contains as a whole or not at all."""
    every = (ANY, *(each.ranges for each in alphabet))
    cuts = {first for ranges in every for first, _ in ranges}
    cuts.update(last + 1 for ranges in every for _, last in ranges)
    groups: dict[frozenset[Characters], list[tuple[int, int]]] = {}
    for first, after in pairwise(sorted(cuts)):
        if not any(low <= first <= high for low, high in ANY):
            continue
        inside = frozenset(each for each in alphabet if _contains(each.ranges, first))
        groups.setdefault(inside, []).append((first, after - 1))
    letters = [_Letters(inside, tuple(ranges), _characters(tuple(ranges), 1)[0]) for inside, ranges in groups.items()]
    return tuple(sorted(letters, key=lambda each: _rank(each.first)))


def _contains(ranges: Ranges, code: int) -> bool:
    place = bisect_right(ranges, (code, 0x110000)) - 1
    return place >= 0 and ranges[place][0] <= code <= ranges[place][1]


@lru_cache(maxsize=1024)
def _characters(ranges: Ranges, count: int) -> tuple[str, ...]:
    """Return so many characters, or all that there are, those first that a person can read."""
    readable = dict.fromkeys(code for code in _PREFERRED if any(first <= code <= last for first, last in ranges))
    others = (code for first, last in ranges for code in range(first, last + 1) if code not in readable)
    return tuple(map(chr, islice(chain(readable, others), count)))


def _rank(character: str) -> int:
    code = ord(character)
    return _PREFERRED.index(code) if code in _PREFERRED else len(_PREFERRED) + code

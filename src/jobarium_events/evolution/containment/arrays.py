"""Arrays that satisfy what is said of their length, their items, and of items being equal or not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.evolution.containment.atoms import Atom, Item, Items, Literal, Longest, Shortest, Times, Unique
from jobarium_events.evolution.containment.found import Found, Goal
from jobarium_events.evolution.containment.values import different, distinct, identity

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.nodes import Node
    from jobarium_events.evolution.containment.solver import Solver

__all__ = ["arrays"]

_LONGEST = 1_000
"""Longer arrays are not built,"""
_LONGEST_PLAIN = 100_000
"""except where their items have nothing to do with each other."""
_FEW = 8
"""Where several arrays of no more items are wanted, every one of them can be found."""


def arrays(solver: Solver, atoms: tuple[Atom, ...], count: int) -> Found:
    """Return arrays that satisfy all atoms, short ones first."""
    return _Arrays(solver, atoms, count).found()


class _Need(NamedTuple):
    """Some item from `start` up to `stop` has to satisfy a literal.

    Attributes:
        group: Needs of one group are for different items.
    """

    start: int
    stop: int | None
    literal: Literal
    group: int


class _Arrays:
    def __init__(self, solver: Solver, atoms: tuple[Atom, ...], count: int) -> None:
        self.solver = solver
        self.count = count
        self.least = 0
        self.most: int | None = None
        self.every: list[Items] = []
        self.needs: list[_Need] = []
        self.limits: list[tuple[Node, int]] = []
        self.unique = self.repeated = self.never = False
        for atom in atoms:
            self._take(atom)
        # From here on, all places are alike.
        ranges = [*((each.start, each.stop) for each in self.every), *((each.start, each.stop) for each in self.needs)]
        self.edge = max((place for start, stop in ranges for place in (start, stop or 0)), default=0)
        self.complete = True

    def _take(self, atom: Atom) -> None:
        match atom:
            case Shortest(length):
                self.least = max(self.least, length)
            case Longest(length):
                self.most = length if self.most is None else min(self.most, length)
            case Items():
                self.every.append(atom)
            case Item(start, stop, literal):
                self.needs.append(_Need(start, stop, literal, len(self.needs)))
            case Times(node, number, True):
                group = len(self.needs)
                self.needs += [_Need(0, None, Literal(node, holds=True), group)] * number
            case Times(node, number, False) if number <= 0:
                self.never |= number < 0
                self.every.append(Items(0, None, Literal(node, holds=False)))
            case Times(node, number, False):
                self.limits.append((node, number))
            case Unique(holds):
                self.unique |= holds
                self.repeated |= not holds
            case _:  # it is not looked into
                pass

    def found(self) -> Found:
        if self.never or (self.unique and self.repeated):
            return Found((), complete=True)
        self._end_where_no_item_can_be()
        if self.count > 1:
            if self.most is not None and self.most <= _FEW:
                self.edge = max(self.edge, self.most)  # tell all places apart, to find every array
            self.complete &= self.most is not None and self.most <= self.edge
        values: dict[Any, list[Any]] = {}
        for value in self._arrays():
            values.setdefault(identity(value), value)
            if len(values) == self.count:
                return Found(tuple(values.values()), complete=False)
        return Found(tuple(values.values()), self.complete)

    def _end_where_no_item_can_be(self) -> None:
        for place in range(self.edge + 1 if self.most is None else min(self.edge + 1, self.most)):
            if self.solver.solve(self._said_of(place)).nothing:
                self.most = place
                return

    def _said_of(self, place: int) -> Goal:
        return frozenset(
            each.literal for each in self.every if each.start <= place and (each.stop is None or place < each.stop)
        )

    def _arrays(self) -> Iterator[list[Any]]:
        for chosen in self._assigned({}, 0):
            shortest = max(self.least, max(chosen, default=-1) + 1)
            for length in self._lengths(shortest):
                for goals in self._limited(self._goals(length, chosen), self.limits):
                    if self.repeated:
                        # Where only the last item is too many, a shorter array has been tried.
                        yield from self._repeated(goals, every=self.count > 1 or length == shortest)
                    elif self.unique:
                        yield from self._different(goals)
                    else:
                        yield from self._filled(goals)

    def _lengths(self, shortest: int) -> Iterator[int]:
        """Yield the lengths to try: if there is an array of more items, then one of a length that is yielded.

        Where several are wanted, there are as many of the lengths that are yielded.
        """
        longest = shortest
        if self.repeated:
            longest = max(shortest, self.edge) + 2  # the places of two equal items where all places are alike
        if self.count > 1:
            longest += self.count
        if self.most is not None:
            longest = min(longest, self.most)
        plain = self.count == 1 and not (self.unique or self.repeated or self.limits)
        for length in range(shortest, longest + 1):
            if length > (_LONGEST_PLAIN if plain else _LONGEST):
                self._give_up("an array of very many items")
                return
            yield length

    def _goals(self, length: int, chosen: dict[int, Goal]) -> list[Goal]:
        """Return what is wanted at each place."""
        apart = min(length, max(self.edge, max(chosen, default=-1) + 1))
        goals = [self._said_of(place) | chosen.get(place, frozenset()) for place in range(apart)]
        return goals + [self._said_of(self.edge)] * (length - apart)

    def _give_up(self, what: str) -> None:
        self.complete = False
        self.solver.unclear.add(what)

    def _assigned(
        self, chosen: dict[int, Goal], done: int, groups: frozenset[tuple[int, int]] = frozenset()
    ) -> Iterator[dict[int, Goal]]:
        """Yield the ways to give every need a place, as what is needed at each place."""
        if done == len(self.needs):
            yield chosen
            return
        need = self.needs[done]
        for place in self._places(need, chosen):
            if (need.group, place) in groups:
                continue
            self.solver.spend()
            wanted = chosen.get(place, frozenset()) | {need.literal}
            if self._can_be(self._said_of(place) | wanted):
                yield from self._assigned({**chosen, place: wanted}, done + 1, groups | {(need.group, place)})

    def _places(self, need: _Need, chosen: dict[int, Goal]) -> Iterator[int]:
        # Beyond the edge, the next free place stands for all that are free.
        free = max(self.edge, max(chosen, default=-1) + 1)
        stop = free + 1 if need.stop is None else min(need.stop, free + 1)
        return iter(range(need.start, stop if self.most is None else min(stop, self.most)))

    def _can_be(self, goal: Goal) -> bool:
        found = self.solver.solve(goal)
        self.complete &= bool(found.values) or found.complete
        return bool(found.values)

    def _limited(self, goals: list[Goal], limits: list[tuple[Node, int]]) -> Iterator[list[Goal]]:
        """Yield the ways to deny all but so many items what only so many may satisfy."""
        if not limits:
            yield goals
            return
        (node, number), *others = limits
        for free in combinations(range(len(goals)), min(number, len(goals))):
            self.solver.spend(1 + len(goals) // 16)
            denied = [
                goal if place in free else goal | {Literal(node, holds=False)} for place, goal in enumerate(goals)
            ]
            yield from self._limited(denied, others)

    def _repeated(self, goals: list[Goal], *, every: bool) -> Iterator[list[Any]]:
        """Yield arrays in which two items are equal: the last and another, or any two."""
        last = len(goals) - 1
        for one, other in combinations(range(len(goals)), 2) if every else ((place, last) for place in range(last)):
            self.solver.spend()
            rest = [goal for place, goal in enumerate(goals) if place not in (one, other)]
            for value in self._values(goals[one] | goals[other], self.count):
                for items in self._filled(rest):
                    items.insert(one, value)
                    items.insert(other, value)
                    yield items

    def _different(self, goals: list[Goal]) -> Iterator[list[Any]]:
        """Yield arrays of different items that satisfy a goal each."""
        # The other items may take away all but one of so many values.
        choices = [self._values(goal, len(goals) + self.count - 1) for goal in goals]
        self.solver.spend(1 + sum(map(len, choices)) // 64)
        chosen = distinct(choices)
        if chosen is None:
            return
        yield chosen
        if self.count > 1:
            yield from different(choices, self.solver.spend)

    def _filled(self, goals: list[Goal]) -> Iterator[list[Any]]:
        """Yield arrays whose items satisfy a goal each."""
        for items in product(*(self._values(goal, self.count) for goal in goals)):
            self.solver.spend(1 + len(goals) // 64)
            yield list(items)

    def _values(self, goal: Goal, count: int) -> tuple[Any, ...]:
        found = self.solver.solve(goal, count)
        self.complete &= found.complete or len(found.values) == count
        return found.values

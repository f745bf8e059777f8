"""Objects that satisfy what is said of their size, their members and the members' names.

Names that the schemas mention are each looked at by themselves. All other names fall into classes by the patterns that
they match; one name of a class is as good as another, as long as there are enough.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.evolution.containment.atoms import (
    Atom,
    Literal,
    Longest,
    Matching,
    Member,
    Members,
    Name,
    Named,
    Names,
    Others,
    Selector,
    Shortest,
)
from jobarium_events.evolution.containment.found import Found, Goal
from jobarium_events.evolution.containment.values import distinct, identity
from jobarium_events.validation.patterns import translate

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.solver import Solver

__all__ = ["objects"]

_LARGEST = 1_000
"""Larger objects are not built."""
_MOST_OPTIONAL = 6
"""With no more optional members than these, all choices of them are tried where every object is wanted."""


def objects(solver: Solver, atoms: tuple[Atom, ...], count: int) -> Found:
    """Return objects that satisfy all atoms, small ones first."""
    return _Objects(solver, atoms, count).found()


class _Class(NamedTuple):
    """The names that no schema mentions, by which patterns they match."""

    matched: frozenset[str]


class _Need(NamedTuple):
    """Some member has to satisfy a literal; its name is selected, and fails some schemas."""

    selector: Selector
    value: frozenset[Literal]
    name: frozenset[Literal]


class _Slot(NamedTuple):
    """A member that the object is to have."""

    place: str | _Class
    value: frozenset[Literal]
    name: frozenset[Literal]


_ANY_NAME = Others(frozenset(), frozenset())


class _Objects:
    def __init__(self, solver: Solver, atoms: tuple[Atom, ...], count: int) -> None:
        self.solver = solver
        self.count = count
        self.least = 0
        self.most: int | None = None
        self.every: list[Members] = []
        self.needs: list[_Need] = []
        self.names_said: frozenset[Literal] = frozenset()
        self.complete = True
        self._names_known: dict[str | _Class, Goal] = {}
        self.plain = solver.nodes.plain
        for atom in atoms:
            self._take(atom)
        selectors = [*(each.selector for each in self.every), *(each.selector for each in self.needs)]
        self.names = frozenset(name for each in selectors for name in _names(each))
        self.patterns = sorted({pattern for each in selectors for pattern in _patterns(each)})
        # What can stand in one place only comes first.
        self.needs.sort(key=lambda need: not isinstance(need.selector, Named))

    def _take(self, atom: Atom) -> None:
        match atom:
            case Shortest(length):
                self.least = max(self.least, length)
            case Longest(length):
                self.most = length if self.most is None else min(self.most, length)
            case Members():
                self.every.append(atom)
            case Member(selector, literal):
                self.needs.append(_Need(selector, frozenset((literal,)), frozenset()))
            case Names(node):
                self.names_said |= {Literal(node, holds=True)}
            case Name(node):
                self.needs.append(_Need(_ANY_NAME, frozenset(), frozenset((Literal(node, holds=False),))))
            case _:  # it is not looked into
                pass

    def found(self) -> Found:
        values: dict[Any, dict[str, Any]] = {}
        if self.most is None or self.least <= self.most:
            for value in self._objects():
                values.setdefault(identity(value), value)
                if len(values) == self.count:
                    return Found(tuple(values.values()), complete=False)
        return Found(tuple(values.values()), self.complete)

    # ---- what is said of a member

    def _said_of(self, place: str | _Class) -> Goal:
        """Return what is said of the value of a member with that name, or with a name of that class."""
        return frozenset(each.literal for each in self.every if _selects(each.selector, place))

    def _said_of_name(self, place: str | _Class) -> Goal:
        said = self._names_known.get(place)
        if said is None:
            self.solver.spend(1 + len(self.patterns) // 4)
            said = self._names_known[place] = self._name(place)
        return said

    def _name(self, place: str | _Class) -> Goal:
        if isinstance(place, str):
            return self.names_said | {Literal(self.plain({"enum": [place]}), holds=True)}
        text = Literal(self.plain({"type": "string"}), holds=True)
        known = Literal(self.plain({"enum": sorted(self.names)}), holds=False)
        matches = (Literal(self.plain({"pattern": pattern}), pattern in place.matched) for pattern in self.patterns)
        return self.names_said | {text, *((known,) if self.names else ()), *matches}

    def _can_be(self, slot: _Slot) -> bool:
        return self._has(self._said_of_name(slot.place) | slot.name) and self._has(
            self._said_of(slot.place) | slot.value
        )

    def _has(self, goal: Goal) -> bool:
        found = self.solver.solve(goal)
        self.complete &= bool(found.values) or found.complete
        return bool(found.values)

    def _classes(self, need: _Need | None = None) -> Iterator[_Class]:
        """Yield the classes that have any name; where something is needed of a member, those where it may stand."""
        selected = _patterns(need.selector) if need is not None else frozenset()
        order = sorted(self.patterns, key=lambda pattern: pattern not in selected)
        yield from self._split(order, 0, frozenset(), need)

    def _split(self, order: list[str], decided: int, matched: frozenset[str], need: _Need | None) -> Iterator[_Class]:
        self.solver.spend()
        name = {
            Literal(self.plain({"type": "string"}), holds=True),
            *(Literal(self.plain({"pattern": each}), each in matched) for each in order[:decided]),
        }
        if not self._has(self.names_said | name | (need.name if need else frozenset())):
            return
        if decided == len(order):
            yield _Class(matched)
            return
        pattern = order[decided]
        if need is None or need.selector != Matching(pattern):
            yield from self._split(order, decided + 1, matched, need)
        if need is not None and isinstance(need.selector, Others) and pattern in need.selector.patterns:
            return
        matched |= {pattern}
        said = {
            each.literal
            for each in self.every
            if isinstance(each.selector, Matching) and each.selector.pattern in matched
        }
        if need is None or self._has(need.value.union(said)):
            yield from self._split(order, decided + 1, matched, need)

    # ---- objects

    def _objects(self) -> Iterator[dict[str, Any]]:
        for slots in self._assigned((), 0):
            if self.most is not None and len(slots) > self.most:
                continue
            for larger in self._enlarged(slots):
                yield from self._built(larger)

    def _assigned(self, slots: tuple[_Slot, ...], done: int) -> Iterator[tuple[_Slot, ...]]:
        """Yield the ways to give every need a member."""
        if done == len(self.needs):
            yield slots
            return
        need = self.needs[done]
        for i, slot in enumerate(slots):
            if _selects(need.selector, slot.place):
                self.solver.spend()
                shared = slot._replace(value=slot.value | need.value, name=slot.name | need.name)
                if self._can_be(shared):
                    yield from self._assigned((*slots[:i], shared, *slots[i + 1 :]), done + 1)
        taken = {slot.place for slot in slots}
        for place in self._places(need):
            if place not in taken or not isinstance(place, str):
                self.solver.spend()
                slot = _Slot(place, need.value, need.name)
                if self._can_be(slot):
                    yield from self._assigned((*slots, slot), done + 1)

    def _places(self, need: _Need) -> Iterator[str | _Class]:
        if isinstance(need.selector, Named):
            yield need.selector.name
            return
        yield from (name for name in sorted(self.names) if _selects(need.selector, name))
        yield from self._classes(need)

    def _enlarged(self, slots: tuple[_Slot, ...]) -> Iterator[tuple[_Slot, ...]]:
        """Yield the object with as many more members as it needs; where several are wanted, with more than that."""
        missing = max(self.least - len(slots), 0)
        if not missing and self.count == 1:
            yield slots
            return
        if self.least > _LARGEST:
            self._give_up("an object of very many members")
            return
        taken = {slot.place for slot in slots}
        free = [_Slot(name, frozenset(), frozenset()) for name in sorted(self.names - taken)]
        named = [slot for slot in free if self._can_be(slot)]
        if self.count == 1:
            filled = self._filled((*slots, *named[:missing]), self._unnamed(), self.least)
            if filled is not None:
                yield filled
            return
        unnamed = list(self._unnamed())
        if len(named) > _MOST_OPTIONAL or unnamed:
            self.complete = False
            named = named[:_MOST_OPTIONAL]
        for size in range(len(named) + 1):
            for chosen in combinations(named, size):
                yield from self._extended((*slots, *chosen), unnamed)

    def _unnamed(self) -> Iterator[_Slot]:
        """Yield a member for each class of names that may have one."""
        for each in self._classes():
            slot = _Slot(each, frozenset(), frozenset())
            if self._can_be(slot):
                yield slot

    def _extended(self, slots: tuple[_Slot, ...], unnamed: list[_Slot]) -> Iterator[tuple[_Slot, ...]]:
        """Yield the object with members of other names, more and more of them."""
        least = max(self.least, len(slots))
        for size in range(least, least + (self.count if unnamed else 1)):
            if self.most is not None and size > self.most:
                return
            filled = self._filled(slots, unnamed, size)
            if filled is None:
                return
            yield filled

    def _filled(self, slots: tuple[_Slot, ...], unnamed: Iterable[_Slot], size: int) -> tuple[_Slot, ...] | None:
        """Return the object with members of other names until it has its size; None if there are not enough names."""
        if len(slots) < size:
            for each in unnamed:
                slots = (*slots, *[each] * self._room(slots, each, size - len(slots)))
                if len(slots) >= size:
                    break
        return slots if len(slots) >= size else None

    def _room(self, slots: tuple[_Slot, ...], more: _Slot, most: int) -> int:
        """Return how many times, at most, a slot may be added before there are not enough names."""
        enough, tried = 0, 1
        while enough < most and self._named((*slots, *[more] * min(tried, most))) is not None:
            enough, tried = min(tried, most), 2 * tried
        between = range(enough + 1, min(tried, most + 1))
        return enough + bisect_left(between, 1, key=lambda times: self._named((*slots, *[more] * times)) is None)

    def _named(self, slots: tuple[_Slot, ...]) -> list[str] | None:
        """Return a name for every member, no two alike; None if there are not enough names."""
        choices = []
        count = max(len(slots), self.least)
        for slot in slots:
            found = self.solver.solve(self._said_of_name(slot.place) | slot.name, count)
            self.complete &= found.complete or len(found.values) == count
            choices.append([name for name in found.values if isinstance(name, str)])
        self.solver.spend(1 + len(slots) // 4 + sum(map(len, choices)) // 16)
        return distinct(choices)

    def _built(self, slots: tuple[_Slot, ...]) -> Iterator[dict[str, Any]]:
        names = self._named(slots)
        if names is None:
            return
        choices = []
        for slot in slots:
            found = self.solver.solve(self._said_of(slot.place) | slot.value, self.count)
            self.complete &= found.complete or len(found.values) == self.count
            choices.append(found.values)
        for values in product(*choices):
            self.solver.spend(1 + len(names) // 16)
            yield dict(zip(names, values, strict=True))

    def _give_up(self, what: str) -> None:
        self.complete = False
        self.solver.unclear.add(what)


def _names(selector: Selector) -> frozenset[str]:
    match selector:
        case Named(name):
            return frozenset((name,))
        case Others(names):
            return names
        case _:
            return frozenset()


def _patterns(selector: Selector) -> frozenset[str]:
    match selector:
        case Matching(pattern):
            return frozenset((pattern,))
        case Others(_, patterns):
            return patterns
        case _:
            return frozenset()


def _selects(selector: Selector, place: str | _Class) -> bool:
    match selector:
        case Named(name):
            return name == place
        case Matching(pattern):
            return _matches(pattern, place)
        case Others(names, patterns):
            return place not in names and not any(_matches(pattern, place) for pattern in patterns)


def _matches(pattern: str, place: str | _Class) -> bool:
    if isinstance(place, _Class):
        return pattern in place.matched
    return re.search(translate(pattern), place) is not None

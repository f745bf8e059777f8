"""Searches for values that satisfy some schemas and do not satisfy others, or shows that there are none.

A goal is a set of literals; a value is wanted that satisfies them all. For each JSON type the literals are taken apart
into atoms, alternative by alternative, as in an analytic tableau; what the atoms say of items and members becomes
goals of their own. A value of least depth never holds another value of the same goal, so a goal that is met again
inside itself has none there: recursive schemas come to an end.

Wherever something is not looked into, it is left out, which can only admit more values. So "there is none" is a proof,
while a value that is found has still to be tried on the schemas.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.evolution.containment.arrays import arrays
from jobarium_events.evolution.containment.atoms import Among, Atom, Opaque
from jobarium_events.evolution.containment.expanding import Expansion
from jobarium_events.evolution.containment.formulas import TYPES, Formulas
from jobarium_events.evolution.containment.found import Found, Goal
from jobarium_events.evolution.containment.numbers import numbers
from jobarium_events.evolution.containment.objects import objects
from jobarium_events.evolution.containment.outlines import Outlines
from jobarium_events.evolution.containment.strings import strings
from jobarium_events.evolution.containment.values import identity

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.nodes import Nodes

__all__ = ["Exhausted", "Solver"]


class Exhausted(Exception):
    """The search took more steps, or more time, than it was given."""


class Solver:
    """One search.

    Args:
        nodes: Of the schemas.
        steps: How many steps it may take.
        deadline: When it has to end, by `time.monotonic`.
        wide: See `strings`.

    Attributes:
        nodes: Of the schemas.
        formulas: What the schemas say of values of each JSON type.
        outlines: Of the schemas.
        unclear: What was not looked into, for a message.
    """

    def __init__(self, nodes: Nodes, *, steps: int, deadline: float, wide: bool = True) -> None:
        self.nodes = nodes
        self.formulas = {kind: Formulas(kind, self.spend) for kind in TYPES}
        self.outlines = Outlines(self.spend)
        self.unclear: set[str] = set()
        self._left = steps
        self._spends = 0
        self._deadline = deadline
        self._wide = wide
        self._goals: dict[Goal, tuple[int, Found]] = {}
        self._leaves: dict[tuple[str, frozenset[Atom], int], Found] = {}
        self._underway: dict[Goal, tuple[int, int]] = {}
        self._leaned_on = _NONE  # depth of the outermost goal underway that a result now depends on

    def spend(self, steps: int = 1) -> None:
        """Take some steps.

        Raises:
            Exhausted: If there are none left, or no time.
        """
        self._left -= steps
        self._spends += 1
        if self._left < 0 or (self._spends % 64 == 0 and time.monotonic() > self._deadline):
            raise Exhausted

    def solve(self, goal: Goal, count: int = 1) -> Found:
        """Return values for a goal."""
        known = self._goals.get(goal)
        if known is not None and (known[0] >= count or known[1].complete):
            return Found(known[1].values[:count], known[1].complete and len(known[1].values) <= count)
        if goal in self._underway:
            depth, wanted = self._underway[goal]
            self._leaned_on = min(self._leaned_on, depth)
            if wanted > 1:
                self.unclear.add("a list of different items that contain lists of their own kind")
            return Found((), complete=wanted == 1)
        if count > 1 and (one := self.solve(goal)).nothing:
            return one
        self.spend()
        depth = len(self._underway)
        self._underway[goal] = depth, count
        found, leaned_on = self._leaning(lambda: self._search(goal, count))
        del self._underway[goal]
        if leaned_on >= depth or len(found.values) == count:
            self._goals[goal] = count, found
        self._leaned_on = min(self._leaned_on, leaned_on if leaned_on < depth else _NONE)
        return found

    def leaf(self, kind: str, atoms: tuple[Atom, ...], count: int = 1) -> Found:
        """Return values of one JSON type for atoms about it."""
        key = (kind, frozenset(atoms), count)
        known = self._leaves.get(key)
        if known is None:
            self.spend()
            known, leaned_on = self._leaning(lambda: self._leaf(kind, atoms, count))
            if leaned_on == _NONE or len(known.values) == count:
                self._leaves[key] = known
            self._leaned_on = min(self._leaned_on, leaned_on)
        return known

    def _leaning(self, search: Callable[[], Found]) -> tuple[Found, int]:
        """Return what a search finds, and the depth of the outermost goal underway that it depends on."""
        outside, self._leaned_on = self._leaned_on, _NONE
        found = search()
        leaned_on, self._leaned_on = self._leaned_on, outside
        return found, leaned_on

    def _search(self, goal: Goal, count: int) -> Found:
        values: dict[Any, Any] = {}
        complete = True
        for kind in TYPES:
            for atoms in Expansion(self, kind).leaves(goal):
                found = self.leaf(kind, atoms, count)
                complete &= found.complete or len(found.values) == count
                for value in found.values:
                    values.setdefault(identity(value), value)
                if len(values) >= count:
                    return Found(tuple(values.values())[:count], complete=False)
        return Found(tuple(values.values()), complete)

    def _leaf(self, kind: str, atoms: tuple[Atom, ...], count: int) -> Found:
        self.unclear.update(atom.keyword for atom in atoms if isinstance(atom, Opaque))
        match kind:
            case "null":
                return Found((None,), complete=True)
            case "boolean":
                return _first(_booleans(atoms), count)
            case "number":
                found, complete = numbers(atoms, count, self.spend)
                return Found(tuple(found), complete)
            case "string":
                texts, complete, opaque = strings(atoms, count, self.spend, wide=self._wide)
                self.unclear |= opaque
                return Found(tuple(texts), complete)
            case "array":
                return arrays(self, atoms, count)
            case _:
                return objects(self, atoms, count)


_NONE = 1 << 30


def _booleans(atoms: tuple[Atom, ...]) -> Iterator[bool]:
    for value in (False, True):
        if all((value in atom.values) is atom.holds for atom in atoms if isinstance(atom, Among)):
            yield value


def _first(values: Iterator[Any], count: int) -> Found:
    every = tuple(values)
    return Found(every[:count], complete=len(every) <= count)

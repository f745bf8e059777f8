"""What is settled on one way through the alternatives of a goal, and which alternatives are still open."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.evolution.containment.atoms import (
    AllOf,
    Among,
    AnyOf,
    Atom,
    Formula,
    Literal,
    Longest,
    Member,
    Members,
    Named,
    Others,
    denied,
)

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.formulas import Formulas
    from jobarium_events.evolution.containment.nodes import Node
    from jobarium_events.evolution.containment.outlines import Outlines

__all__ = ["Context", "State"]

_ATOM = 6
"""To look at an atom takes so many times as long as to look at what is known of a schema."""
_DEEP = 4
"""So many schemas that refer to each other are looked into to settle one."""


class Context(NamedTuple):
    """What all states of one search share.

    Attributes:
        formulas: What the schemas say of values of the type that is searched.
        outlines: Of the schemas.
    """

    formulas: Formulas
    outlines: Outlines


class State:
    """What is settled so far, and which alternatives are still open.

    Attributes:
        atoms: That hold.
        literals: Whether the value satisfies a schema, where that is known.
        open: Of each of these, one alternative has to hold.
        looked: How much was looked at to settle formulas; whoever counts steps takes it away.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.atoms: dict[Atom, None] = {}
        self.literals: dict[Node, bool] = {}
        self.open: list[AnyOf] = []
        self.looked = 0
        self._known: dict[Formula, bool] = {}  # the atoms, and what denies them
        self._undecided: set[Node] = set()  # what shows nothing, until there is another atom
        self._said: dict[str, tuple[Literal, ...]] = {}  # of a member, if it is there
        self._there: dict[str, tuple[Literal, ...]] = {}  # of a member that is there
        self._others: tuple[tuple[frozenset[str], Literal], ...] = ()
        self._listed: frozenset[Any] | None = None
        self._excluded: frozenset[Any] = frozenset()
        self._most: int | None = None

    def copy(self) -> State:
        """Return a state that can go on by itself."""
        copy = State(self.context)
        copy.atoms = dict(self.atoms)
        copy.literals = dict(self.literals)
        copy.open = list(self.open)
        copy._known = dict(self._known)
        copy._undecided = set(self._undecided)
        copy._said = dict(self._said)
        copy._there = dict(self._there)
        copy._others = self._others
        copy._listed = self._listed
        copy._excluded = self._excluded
        copy._most = self._most
        return copy

    def add(self, atom: Atom) -> None:
        """Take in an atom."""
        self.atoms[atom] = None
        self._known[denied(atom)] = False
        self._known[atom] = True
        self._undecided.clear()
        match atom:
            case Members(Named(name), literal):
                self._said[name] = (*self._said.get(name, ()), literal)
            case Member(Named(name), literal):
                self._there[name] = (*self._there.get(name, ()), literal)
            case Members(Others(names, patterns), literal) if not patterns:
                self._others += ((names, literal),)
            case Among(values, True):
                self._listed = values if self._listed is None else self._listed & values
            case Among(values, False):
                self._excluded |= values
            case Longest(length):
                self._most = length if self._most is None else min(self._most, length)
            case _:
                pass

    def settled(self, part: Formula, depth: int = 0) -> bool | None:
        """Whether a formula is true, or false, by what stands here already; None if neither shows."""
        self.looked += 1
        # Nothing is done as often as this; class patterns take twice as long.
        if isinstance(part, Literal):
            known = self.literals.get(part.node)
            if known is None:
                known = self._derived(part.node, depth)
            return None if known is None else known is part.holds
        if isinstance(part, AllOf):
            return self._combined(part.parts, depth, decisive=False)
        if isinstance(part, AnyOf):
            return self._combined(part.parts, depth, decisive=True)
        self.looked += _ATOM
        known = self._known.get(part)
        return self._atom(part) if known is None else known

    def _combined(self, parts: tuple[Formula, ...], depth: int, *, decisive: bool) -> bool | None:
        """Whether one of several is as one is enough for, or all are otherwise."""
        undecided = False
        for each in parts:
            settled = self.settled(each, depth)
            if settled is decisive:
                return decisive
            if settled is None:
                undecided = True
        return None if undecided else not decisive

    def _derived(self, node: Node, depth: int) -> bool | None:
        """Whether a value satisfies a schema of which nothing is known but what the atoms say."""
        if depth >= _DEEP or node in self._undecided:
            return None
        known = self.settled(self.context.formulas.of(Literal(node, holds=True)), depth + 1)
        if known is not None:
            self.literals[node] = known  # it follows; there is nothing to add
        elif depth == 0:
            self._undecided.add(node)
        return known

    def _atom(self, atom: Atom) -> bool | None:
        """Whether an atom is true, or false, by others that speak of the same."""
        match atom:
            case Members(Named(name), literal):
                return self._settled(literal, self._said_of(name), self._there.get(name, ()))
            case Member(Named(name), literal):
                return self._settled(literal, self._there.get(name, ()), self._said_of(name), is_there=True)
            case Among(values, holds):
                within = self._within(values)
                return None if within is None else within is holds
            case _:
                return None

    def _said_of(self, name: str) -> tuple[Literal, ...]:
        said = self._said.get(name, ())
        for names, literal in self._others:
            if name not in names:
                said = (*said, literal)
        return said

    def _settled(
        self, literal: Literal, alike: tuple[Literal, ...], apart: tuple[Literal, ...], *, is_there: bool = False
    ) -> bool | None:
        """Whether something is so of a member: of every one of its name, or of one that has to be there.

        Args:
            literal: What is in question.
            alike: What is known of such members in just this way.
            apart: What is known of them in the other.
            is_there: Whether it is in question that one is there, too.
        """
        self.looked += len(alike) + len(apart)
        outlines = self.context.outlines
        if any(outlines.implies(each, literal) for each in alike):
            return True
        if any(outlines.excludes(each, literal) for each in apart):
            return False
        if is_there and not alike:
            return None
        # If a member of the name is there, all that is known holds of it.
        if is_there and any(outlines.implies(each, literal) for each in apart):
            return True
        if apart and any(outlines.excludes(each, literal) for each in alike):
            return False
        return None

    def _within(self, values: frozenset[Any]) -> bool | None:
        """Whether the value is among some."""
        if self._listed is not None and self._listed - self._excluded <= values:
            return True
        possible = (values if self._listed is None else values & self._listed) - self._excluded
        return None if possible else False

    def is_too_large(self) -> bool:
        """Whether the open alternatives need more members than an object may have here."""
        if self._most is None:
            return False
        taken = set(self._there)
        count = len(taken)
        for each in self.open:
            # Where no other alternatives name the same members, those that are needed add up.
            needed = [frozenset(self._needed(part)) for part in each.parts]
            self.looked += len(needed)
            if all(needed) and not any(names & taken for names in needed):
                count += min(map(len, needed))
                taken.update(chain.from_iterable(needed))
        return count > self._most

    def _needed(self, part: Formula) -> Iterator[str]:
        match part:
            case Member(Named(name)):
                yield name
            case Literal(node, True):
                yield from self.context.outlines.outline(node).required
            case AllOf(parts):
                for each in parts:
                    yield from self._needed(each)
            case _:
                pass

"""Takes a goal apart, for one JSON type, into the alternatives that its formulas leave: each a set of atoms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from jobarium_events.evolution.containment.atoms import AllOf, AnyOf, Atom, Formula, Literal, denied
from jobarium_events.evolution.containment.formulas import formula

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.nodes import Node
    from jobarium_events.evolution.containment.solver import Solver

__all__ = ["Expansion"]


class _State:
    """What is settled so far, and which alternatives are still open."""

    def __init__(self) -> None:
        self.atoms: dict[Atom, None] = {}
        self.literals: dict[Node, bool] = {}
        self.open: list[AnyOf] = []

    def copy(self, *, without: AnyOf | None = None) -> _State:
        copy = _State()
        copy.atoms = dict(self.atoms)
        copy.literals = dict(self.literals)
        copy.open = [each for each in self.open if each is not without]
        return copy

    def settled(self, part: Formula) -> bool | None:
        """Whether a formula is true, or false, by what stands here already; None if neither shows."""
        match part:
            case Literal(node, holds):
                known = self.literals.get(node)
                return None if known is None else known is holds
            case AllOf(parts):
                settled = [self.settled(each) for each in parts]
                return False if False in settled else None if None in settled else True
            case AnyOf(parts):
                settled = [self.settled(each) for each in parts]
                return True if True in settled else None if None in settled else False
            case _:
                if part in self.atoms:
                    return True
                return False if denied(part) in self.atoms else None


class Expansion:
    """The expansion of goals for one JSON type."""

    def __init__(self, solver: Solver, kind: str) -> None:
        self.solver = solver
        self.kind = kind

    def leaves(self, goal: Iterable[Literal]) -> Iterator[tuple[Atom, ...]]:
        """Yield sets of atoms; a value of the type satisfies the goal exactly if it satisfies one of the sets."""
        return self._leaves(_State(), [*sorted(goal, key=_order, reverse=True)])

    def _leaves(self, state: _State, pending: list[Formula]) -> Iterator[tuple[Atom, ...]]:
        if not self._settle(state, pending):
            return
        if not state.open:
            yield tuple(state.atoms)
            return
        if len(state.open) > 1:
            if self._is_impossible(state):
                return
            if not self._look_ahead(state):
                return
            if not state.open:
                yield tuple(state.atoms)
                return
        choice = min(state.open, key=lambda each: len(each.parts))
        for part in choice.parts:
            self.solver.spend(1 + sum(len(each.parts) for each in state.open) // 64)
            yield from self._leaves(state.copy(without=choice), [part])

    def _settle(self, state: _State, pending: list[Formula]) -> bool:
        """Take in formulas, and all that follows from them without a choice; False if they contradict each other."""
        while pending:
            if not (self._take_in(state, pending) and self._narrow(state, pending)):
                return False
        return True

    def _narrow(self, state: _State, pending: list[Formula]) -> bool:
        """Drop the alternatives that cannot be taken any more; the last that is left of several is pending."""
        still_open = []
        for each in state.open:
            settled = [state.settled(part) for part in each.parts]
            if True in settled:
                continue
            left = tuple(part for part, known in zip(each.parts, settled, strict=True) if known is None)
            if not left:
                return False
            if len(left) > 1:
                still_open.append(replace(each, parts=left))
            else:
                pending.append(left[0])
        state.open = still_open
        return True

    def _take_in(self, state: _State, pending: list[Formula]) -> bool:
        while pending:
            part = pending.pop()
            settled = state.settled(part)
            if settled is False:
                return False
            if settled:
                continue
            match part:
                case Literal(node, holds):
                    state.literals[node] = holds
                    pending.append(formula(part, self.kind))
                case AllOf(parts):
                    pending.extend(reversed(parts))
                case AnyOf():
                    state.open.append(part)
                case _:
                    state.atoms[part] = None
        return True

    def _is_impossible(self, state: _State) -> bool:
        """Whether no value satisfies even what is settled."""
        return self.solver.leaf(self.kind, tuple(state.atoms)).nothing

    def _look_ahead(self, state: _State) -> bool:
        """Drop the alternatives that what is settled leaves no room for; False if no way out of one is left."""
        ruled_out: dict[Node, bool] = {}

        def impossible(node: Node) -> bool:
            if node not in ruled_out:
                alone = state.copy()
                alone.open = []
                alone.literals.pop(node, None)  # it may be there, denied
                leaves = self._leaves(alone, [Literal(node, holds=True)])
                ruled_out[node] = all(self.solver.leaf(self.kind, atoms).nothing for atoms in leaves)
            return ruled_out[node]

        state.open = [each for each in state.open if each.denies is None or not impossible(each.denies.node)]
        for each in state.open:
            for part in _literals(each):
                if part.node not in state.literals and impossible(part.node):
                    state.literals[part.node] = False  # so it is; there is nothing to add
        pending: list[Formula] = []
        return self._narrow(state, pending) and self._settle(state, pending)


def _literals(part: Formula) -> Iterator[Literal]:
    match part:
        case Literal():
            yield part
        case AllOf(parts) | AnyOf(parts):
            for each in parts:
                yield from _literals(each)
        case _:
            pass


def _order(literal: Literal) -> tuple[int, bool]:
    return literal.node.number, literal.holds

"""Takes a goal apart, for one JSON type, into the alternatives that its formulas leave: each a set of atoms.

What follows without a choice is taken in first, and an alternative that what is settled refutes is no choice. Of what
is left, each kind of a union is taken in turn; what must not hold comes last, when most of it is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from jobarium_events.evolution.containment.atoms import AllOf, AnyOf, Atom, Formula, Literal
from jobarium_events.evolution.containment.states import Context, State

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.nodes import Node
    from jobarium_events.evolution.containment.solver import Solver

__all__ = ["Expansion"]

_LOOKED_AT = 20
"""So much is looked at in a step, to settle formulas."""


class Expansion:
    """The expansion of goals for one JSON type."""

    def __init__(self, solver: Solver, kind: str) -> None:
        self.solver = solver
        self.kind = kind
        self.context = Context(solver.formulas[kind], solver.outlines)

    def leaves(self, goal: Iterable[Literal]) -> Iterator[tuple[Atom, ...]]:
        """Yield sets of atoms; a value of the type satisfies the goal exactly if it satisfies one of the sets."""
        literals = frozenset(goal)
        if len({literal.node for literal in literals}) < len(literals):
            return iter(())  # a schema is to hold and to fail
        return self._leaves(State(self.context), [*sorted(literals, key=_order, reverse=True)])

    def _leaves(self, state: State, pending: list[Formula]) -> Iterator[tuple[Atom, ...]]:
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
        # What is taken of a union refutes most of what its kinds deny, so that denials come last.
        choice = min(state.open, key=lambda each: (each.denies is not None, len(each.parts)))
        state.open.remove(choice)
        for part in choice.parts:
            self.solver.spend(1 + (len(state.atoms) + len(state.literals) + len(state.open)) // 64)
            yield from self._leaves(state.copy(), [part])

    def _settle(self, state: State, pending: list[Formula]) -> bool:
        """Take in formulas, and all that follows from them without a choice; False if they contradict each other."""
        while pending:
            if not (self._take_in(state, pending) and self._narrow(state, pending)):
                return False
        return True

    def _narrow(self, state: State, pending: list[Formula]) -> bool:
        """Drop the alternatives that cannot be taken any more; the last that is left of several is pending."""
        still_open = []
        for each in state.open:
            left = self._left(state, each)
            if left is None:
                continue
            if not left:
                return False
            if len(left) > 1:
                still_open.append(replace(each, parts=left))
            else:
                pending.append(left[0])
        state.open = still_open
        self._pay_for(state)
        return True

    def _left(self, state: State, choice: AnyOf) -> tuple[Formula, ...] | None:
        """Return the alternatives that can still be taken; None if one holds already."""
        left = []
        for part in choice.parts:
            settled = state.settled(part)
            if settled:
                return None
            if settled is None:
                left.append(part)
        return tuple(left)

    def _pay_for(self, state: State) -> None:
        """Take the steps that it cost to look at formulas."""
        steps, state.looked = divmod(state.looked, _LOOKED_AT)
        if steps:
            self.solver.spend(steps)

    def _take_in(self, state: State, pending: list[Formula]) -> bool:
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
                    pending.append(self.context.formulas.of(part))
                case AllOf(parts):
                    pending.extend(reversed(parts))
                case AnyOf():
                    state.open.append(part)
                case _:
                    state.add(part)
        return True

    def _is_impossible(self, state: State) -> bool:
        """Whether no value satisfies even what is settled."""
        too_large = state.is_too_large()
        self._pay_for(state)
        return too_large or self.solver.leaf(self.kind, tuple(state.atoms)).nothing

    def _look_ahead(self, state: State) -> bool:
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

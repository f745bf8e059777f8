"""What atoms and formulas say of a value, told by looking at the value; and searches, as the tests start them."""

import re
import time

from jobarium_events.evolution.containment.atoms import (
    AllOf,
    Among,
    AnyOf,
    AtLeast,
    AtMost,
    Formatted,
    Item,
    Items,
    Literal,
    Longest,
    Matching,
    Member,
    Members,
    Multiple,
    Name,
    Named,
    Names,
    Others,
    Patterned,
    Shortest,
    Times,
    Unique,
)
from jobarium_events.evolution.containment.formulas import formula, fraction, type_of
from jobarium_events.evolution.containment.nodes import Nodes
from jobarium_events.evolution.containment.solver import Solver
from jobarium_events.evolution.containment.values import identity
from jobarium_events.validation.formats import CHECKS
from jobarium_events.validation.patterns import translate


class NotSaid(Exception):
    """It is left open what a keyword says."""


def holds(said, value):  # noqa: C901, PLR0912 - one line for each kind
    """Whether a formula about values of this one's type holds of it."""
    match said:
        case AllOf(parts):
            return all(holds(part, value) for part in parts)
        case AnyOf(parts):
            return any(holds(part, value) for part in parts)
        case Literal():
            return holds(formula(said, type_of(value)), value)
        case Among(values, sign):
            return (value in values if isinstance(value, bool | str) else fraction(value) in values) is sign
        case AtLeast(bound, strict):
            return fraction(value) > bound if strict else fraction(value) >= bound
        case AtMost(bound, strict):
            return fraction(value) < bound if strict else fraction(value) <= bound
        case Multiple(of, sign):
            return ((fraction(value) / of).denominator == 1) is sign
        case Shortest(length):
            return len(value) >= length
        case Longest(length):
            return len(value) <= length
        case Patterned(pattern, sign):
            return bool(re.search(translate(pattern), value)) is sign
        case Formatted(name, sign):
            return CHECKS[name](value) is sign
        case Items(start, stop, literal):
            return all(holds(literal, item) for item in value[start:stop])
        case Item(start, stop, literal):
            return any(holds(literal, item) for item in value[start:stop])
        case Times(node, number, least):
            times = sum(holds(Literal(node, holds=True), item) for item in value)
            return times >= number if least else times <= number
        case Unique(sign):
            return (len(set(map(identity, value))) == len(value)) is sign
        case Members(selector, literal):
            return all(holds(literal, item) for name, item in value.items() if selected(selector, name))
        case Member(selector, literal):
            return any(holds(literal, item) for name, item in value.items() if selected(selector, name))
        case Names(node):
            return all(holds(Literal(node, holds=True), name) for name in value)
        case Name(node):
            return any(holds(Literal(node, holds=False), name) for name in value)
        case _:
            raise NotSaid(said)


def selected(selector, name):
    match selector:
        case Named(only):
            return name == only
        case Matching(pattern):
            return bool(re.search(translate(pattern), name))
        case Others(names, patterns):
            return name not in names and not any(re.search(translate(pattern), name) for pattern in patterns)


class Steps:
    """Counts steps, and stops the search after so many."""

    def __init__(self, limit=1_000_000):
        self.taken = 0
        self.limit = limit

    def __call__(self, steps):
        self.taken += steps
        if self.taken > self.limit:
            raise TimeoutError(self.taken)


def solver(*, steps=200_000, wide=True):
    return Solver(Nodes(formats=True), steps=steps, deadline=time.monotonic() + 30, wide=wide)


def solved(schema, *others, count=1, fails=()):
    """Solve the goal to satisfy some schemas, and to fail others."""
    search = solver()
    goal = [Literal(search.nodes.root(each), holds=True) for each in (schema, *others)]
    goal += [Literal(search.nodes.root(each), holds=False) for each in fails]
    return search.solve(frozenset(goal), count)

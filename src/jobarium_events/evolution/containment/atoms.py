"""What a keyword says of a value of one JSON type, taken apart as far as it goes.

A formula is an atom, a `Literal`, or `AllOf` or `AnyOf` of formulas. A literal says that the value satisfies a whole
schema, or that it does not. Atoms say something of one JSON type only, and each has an atom or formula that denies it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
from msgspec.structs import replace

from jobarium_events.evolution.containment.nodes import Node

__all__ = [
    "ALWAYS",
    "NEVER",
    "AllOf",
    "Among",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "Atom",
    "Formatted",
    "Formula",
    "Item",
    "Items",
    "Literal",
    "Longest",
    "Matching",
    "Member",
    "Members",
    "Multiple",
    "Name",
    "Named",
    "Names",
    "Opaque",
    "Others",
    "Patterned",
    "Selector",
    "Shortest",
    "Times",
    "Unique",
    "denied",
    "opposite",
    "present",
]


class Literal(msgspec.Struct, frozen=True):
    """The value satisfies a schema, or does not."""

    node: Node
    holds: bool


class Among(msgspec.Struct, frozen=True):
    """A string, number or boolean is one of some, or none of them. Numbers are fractions."""

    values: frozenset[Any]
    holds: bool


class AtLeast(msgspec.Struct, frozen=True):
    """A number is at least, or more than, a bound."""

    bound: Fraction
    strict: bool


class AtMost(msgspec.Struct, frozen=True):
    """A number is at most, or less than, a bound."""

    bound: Fraction
    strict: bool


class Multiple(msgspec.Struct, frozen=True):
    """A number is a multiple of another, or is not."""

    of: Fraction
    holds: bool


class Shortest(msgspec.Struct, frozen=True):
    """A string, array or object has at least this many characters, items or members."""

    length: int


class Longest(msgspec.Struct, frozen=True):
    """A string, array or object has at most this many characters, items or members; below 0: none has."""

    length: int


class Patterned(msgspec.Struct, frozen=True):
    """A string matches an ECMA 262 pattern somewhere, or does not."""

    pattern: str
    holds: bool


class Formatted(msgspec.Struct, frozen=True):
    """A string is in a format, or is not."""

    format: str
    holds: bool


class Items(msgspec.Struct, frozen=True):
    """Every item of an array from `start` up to `stop` satisfies a literal."""

    start: int
    stop: int | None
    literal: Literal


class Item(msgspec.Struct, frozen=True):
    """Some item of an array from `start` up to `stop` satisfies a literal."""

    start: int
    stop: int | None
    literal: Literal


class Times(msgspec.Struct, frozen=True):
    """At least, or at most, so many items of an array satisfy a schema."""

    node: Node
    number: int
    least: bool


class Unique(msgspec.Struct, frozen=True):
    """No two items of an array are equal, or some are."""

    holds: bool


class Named(msgspec.Struct, frozen=True):
    """Selects the member of that name."""

    name: str


class Matching(msgspec.Struct, frozen=True):
    """Selects the members whose names match a pattern."""

    pattern: str


class Others(msgspec.Struct, frozen=True):
    """Selects the members that have none of some names and match none of some patterns."""

    names: frozenset[str]
    patterns: frozenset[str]


Selector = Named | Matching | Others


class Members(msgspec.Struct, frozen=True):
    """Every selected member of an object satisfies a literal."""

    selector: Selector
    literal: Literal


class Member(msgspec.Struct, frozen=True):
    """Some selected member of an object satisfies a literal."""

    selector: Selector
    literal: Literal


class Names(msgspec.Struct, frozen=True):
    """The name of every member of an object satisfies a schema."""

    node: Node


class Name(msgspec.Struct, frozen=True):
    """The name of some member of an object does not satisfy a schema."""

    node: Node


class Opaque(msgspec.Struct, frozen=True):
    """A keyword of a schema that is not looked into; all that is known is that it cannot both hold and not."""

    keyword: str
    node: Node
    holds: bool


class AllOf(msgspec.Struct, frozen=True):
    """All of some formulas hold."""

    parts: tuple[Formula, ...]


class AnyOf(msgspec.Struct, frozen=True):
    """At least one of some formulas holds.

    Attributes:
        parts: The formulas.
        denies: A literal that this formula denies, where there is one.
    """

    parts: tuple[Formula, ...]
    denies: Literal | None = None


Atom = (
    Among | AtLeast | AtMost | Multiple | Shortest | Longest | Patterned | Formatted
    | Items | Item | Times | Unique | Members | Member | Names | Name | Opaque
)  # fmt: skip
Formula = Atom | Literal | AllOf | AnyOf

ALWAYS: Formula = AllOf(())
NEVER: Formula = AnyOf(())


def denied(formula: Formula) -> Formula:  # noqa: C901, PLR0912 - one line for each kind
    """Return the formula that holds exactly where this one does not."""
    match formula:
        case AllOf(parts):
            return AnyOf(tuple(map(denied, parts)))
        case AnyOf(parts):
            return AllOf(tuple(map(denied, parts)))
        case AtLeast(bound, strict):
            return AtMost(bound, not strict)
        case AtMost(bound, strict):
            return AtLeast(bound, not strict)
        case Shortest(length):
            return Longest(length - 1)
        case Longest(length):
            return Shortest(length + 1)
        case Items(start, stop, literal):
            return Item(start, stop, opposite(literal))
        case Item(start, stop, literal):
            return Items(start, stop, opposite(literal))
        case Times(node, number, least):
            return Times(node, number - 1 if least else number + 1, not least)
        case Members(selector, literal):
            return Member(selector, opposite(literal))
        case Member(selector, literal):
            return Members(selector, opposite(literal))
        case Names(node):
            return Name(node)
        case Name(node):
            return Names(node)
        case _:  # what carries its own sign
            return replace(formula, holds=not formula.holds)


def present(node: Node, name: str) -> Formula:
    """Return the atom that an object has a member of that name; `node` is any, to make another from."""
    return Member(Named(name), Literal(node.plain(schema=True), holds=True))


def opposite(literal: Literal) -> Literal:
    """Return the literal that holds exactly where this one does not."""
    return Literal(literal.node, not literal.holds)

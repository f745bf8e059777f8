"""The places of a schema as a reader sees them: what is said of one value, wherever in the schema it is said.

A field may be described in ``properties``, in a part of an ``allOf``, and behind a ``$ref``. A `Place` holds all of
these parts, so that a field is the same field wherever in the schema it is described.

A JSON Pointer into a schema changes when a description moves behind a ``$ref`` or into an ``allOf``; the path of a
field in an event does not. ``/address/zip`` is the field ``zip`` of the field ``address``, and ``/lines/items/price``
is that of each item of the list ``lines``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import unquote

import msgspec

from jobarium_events.validation.dialects import DRAFT_7, Schema, children, dialect_of
from jobarium_events.validation.references import lookup

__all__ = [
    "IN_PLACE",
    "NOT_SAID",
    "SHELVES",
    "Named",
    "Part",
    "Place",
    "inner_places",
    "is_deprecated",
    "keyword_of",
    "named_places",
    "place_at",
    "place_of",
]

SHELVES = ("/$defs/", "/definitions/")
"""How a step begins that leads to what is kept for references."""
IN_PLACE = frozenset("anyOf oneOf if then else dependencies dependentSchemas".split())
"""The keywords by which one more place speaks of a value, if only of some of its values."""
NOT_SAID = frozenset("not contains propertyNames".split())
"""The keywords whose subschemas say nothing of a value, or not of which one."""

_NAMED = "/properties/"


class Part(msgspec.Struct, frozen=True):
    """One subschema among those that speak of a value.

    Attributes:
        pointer: JSON Pointer to it.
        says: What it asserts and annotates by itself: without the ``$ref`` and ``allOf`` that lead to other parts, and
            without what a ``$ref`` beside it puts out of force. False where nothing is valid.
    """

    pointer: str
    says: Mapping[str, Any] | bool


class Place(msgspec.Struct, frozen=True):
    """Everything that a schema says of one value.

    Attributes:
        root: The schema.
        parts: The parts, the outermost first.
        partial: Whether other places speak of the same value too, as they do beside a branch of ``anyOf``.
    """

    root: Schema
    parts: tuple[Part, ...]
    partial: bool = False

    @property
    def pointer(self) -> str:
        """JSON Pointer to the outermost part."""
        return self.parts[0].pointer

    @property
    def pointers(self) -> tuple[str, ...]:
        """JSON Pointers to all parts, by which a place is known."""
        return tuple(part.pointer for part in self.parts)

    def values(self, keyword: str) -> Iterator[tuple[str, Any]]:
        """Yield what each part says for a keyword, with the JSON Pointer to it."""
        for part in self.parts:
            if isinstance(part.says, Mapping) and keyword in part.says:
                yield f"{part.pointer}/{keyword}", part.says[keyword]

    def listed(self) -> list[Any]:
        """Return the values that any part lists, closed or extensible."""
        lists = [values for keyword in ("enum", "x-extensible-enum") for _, values in self.values(keyword)]
        return [*chain.from_iterable(lists), *(value for _, value in self.values("const"))]


def place_of(root: Schema) -> Place:
    """Return the place of the whole value."""
    return place_at(root, ("", root))


def place_at(root: Schema, *at: tuple[str, Schema], partial: bool = False) -> Place:
    """Return the place that some subschemas of `root`, given with their JSON Pointers, speak of together."""
    parts: dict[str, Part] = {}
    stands_alone = dialect_of(root) == DRAFT_7
    waiting = list(reversed(at))
    while waiting:
        pointer, schema = waiting.pop()
        if pointer in parts:
            continue
        if not isinstance(schema, Mapping):
            parts[pointer] = Part(pointer, {} if schema else False)
            continue
        reference = schema.get("$ref")
        onward: list[tuple[str, Schema]] = []
        says = {key: value for key, value in schema.items() if key != "allOf"}
        if isinstance(reference, str) and (reference == "#" or reference.startswith("#/")):
            onward.append((unquote(reference[1:]), lookup(root, reference)))
            del says["$ref"]
        if onward and stands_alone:
            says = {}
        else:
            onward += [(f"{pointer}/allOf/{i}", inner) for i, inner in enumerate(schema.get("allOf", ()))]
        parts[pointer] = Part(pointer, says)
        waiting += reversed(onward)
    return Place(root, tuple(parts.values()), partial)


def inner_places(place: Place) -> dict[str, Place]:
    """Return the places within a place, by the step that leads there, such as ``/properties/name`` or ``/items``."""
    found: dict[str, list[tuple[str, Schema]]] = {}
    for part in place.parts:
        for step, inner in children(part.says):
            if not step.startswith(SHELVES):
                found.setdefault(step, []).append((part.pointer + step, inner))
    return {
        step: place_at(place.root, *at, partial=place.partial or keyword_of(step) in IN_PLACE | NOT_SAID)
        for step, at in found.items()
    }


def keyword_of(step: str) -> str:
    """Return the keyword that a step leads through: ``"properties"`` for ``/properties/name``."""
    return step.split("/", 2)[1]


class Named(msgspec.Struct, frozen=True):
    """One place that speaks of a named field.

    Attributes:
        steps: The steps that lead from the event to the field, such as ``("/properties/lines", "/items", ...)``.
        place: The place.
        around: What is said of the object that has the field, apart from the branch that this place may stand in.
    """

    steps: tuple[str, ...]
    place: Place
    around: Place

    @property
    def path(self) -> str:
        """Where the field stands in an event, such as ``/lines/items/price``."""
        return "".join(step.removeprefix("/properties") for step in self.steps)

    @property
    def name(self) -> str:
        """The field's own name."""
        return self.steps[-1].removeprefix(_NAMED).replace("~1", "/").replace("~0", "~")


def named_places(root: Schema) -> Iterator[Named]:
    """Yield each place that speaks of a named field, at any depth. A recursive schema is followed once around."""
    whole = place_of(root)
    return _named((), whole, whole, frozenset())


def _named(steps: tuple[str, ...], place: Place, around: Place, above: frozenset[tuple[str, ...]]) -> Iterator[Named]:
    above |= {place.pointers}
    for step, inner in inner_places(place).items():
        keyword = keyword_of(step)
        if keyword in NOT_SAID or inner.pointers in above or step == "/if":
            continue
        if keyword in IN_PLACE:
            yield from _named(steps, inner, around, above)
            continue
        there = (*steps, step)
        if step.startswith(_NAMED):
            yield Named(there, inner, around)
        yield from _named(there, inner, inner, above)


def is_deprecated(places: Sequence[Place]) -> bool:
    """Whether the places that speak of a field mark it ``"deprecated": true``.

    Where branches alone speak of it, all of them mark it; otherwise that is for the others to do.
    """
    outer = [place for place in places if not place.partial]
    marked = (any(mark is True for _, mark in place.values("deprecated")) for place in outer or places)
    return any(marked) if outer else all(marked)

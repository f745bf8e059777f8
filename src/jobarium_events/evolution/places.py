"""The places of a schema as a reader sees them: what is said of one value, wherever in the schema it is said.

A field may be described in ``properties``, in a part of an ``allOf``, and behind a ``$ref``. A `Place` holds all of
these parts, so that two schemas can be held beside each other field by field, even if one of them was reordered into
definitions. `pairs` walks two schemas so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any
from urllib.parse import unquote

import msgspec

from jobarium_events.evolution.branches import paired
from jobarium_events.validation.dialects import DRAFT_7, Schema, children, dialect_of
from jobarium_events.validation.references import lookup

__all__ = [
    "IN_PLACE",
    "NOT_SAID",
    "Part",
    "Place",
    "inner_places",
    "left_over",
    "matched",
    "pairs",
    "place_at",
    "place_of",
]

_SHELVES = ("/$defs/", "/definitions/")
_BRANCHES = ("/anyOf/", "/oneOf/")

IN_PLACE = frozenset("anyOf oneOf if then else dependencies dependentSchemas".split())
"""The keywords by which one more place speaks of a value, if only of some of its values."""
NOT_SAID = frozenset("not contains propertyNames".split())
"""The keywords whose subschemas say nothing of a value, or not of which one."""


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
            if not step.startswith(_SHELVES):
                found.setdefault(step, []).append((part.pointer + step, inner))
    return {
        step: place_at(place.root, *at, partial=place.partial or step.split("/", 2)[1] in IN_PLACE | NOT_SAID)
        for step, at in found.items()
    }


def left_over(place: Place, paired: Iterable[Place]) -> Iterator[tuple[str, str, Schema, Mapping[str, Any]]]:
    """Yield each subschema within a place that is a part of none of some inner places.

    It is yielded with its JSON Pointer, the step that leads to it, itself, and all that is said around it.
    """
    met = {pointer for each in paired for pointer in each.pointers}
    for part in place.parts:
        if isinstance(part.says, Mapping):
            for step, inner in children(part.says):
                if not step.startswith(_SHELVES) and part.pointer + step not in met:
                    yield part.pointer + step, step, inner, part.says


def pairs(old: Place, new: Place) -> Iterator[tuple[Place, Place]]:
    """Yield each place that two schemas both have, the outermost first, and each pair once."""
    seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    waiting = [(old, new)]
    while waiting:
        one, other = waiting.pop()
        if (key := (one.pointers, other.pointers)) in seen:
            continue
        seen.add(key)
        yield one, other
        waiting += reversed(list(matched(inner_places(one), inner_places(other))))


def matched(old: Mapping[str, Place], new: Mapping[str, Place]) -> Iterator[tuple[Place, Place]]:
    """Pair the inner places of two places: by their step, and branches by what they say."""
    for step, place in old.items():
        if step in new and not step.startswith(_BRANCHES):
            yield place, new[step]
    for branches in _BRANCHES:
        left, right = ({step: side[step] for step in side if step.startswith(branches)} for side in (old, new))
        for step, other in paired(left, right):
            yield left[step], right[other]

"""The places of a schema as a reader sees them: what is said of one value, wherever in the schema it is said.

A field may be described in ``properties``, in a part of an ``allOf``, and behind a ``$ref``. A `Place` holds all of
these parts, so that two schemas can be held beside each other field by field, even if one of them was reordered into
definitions.
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
    "alternatives",
    "inner_places",
    "left_over",
    "matched",
    "partners",
    "place_at",
    "place_of",
]

_SHELVES = ("/$defs/", "/definitions/")
_BRANCHES = ("/anyOf/", "/oneOf/")
_CONSEQUENCES = ("/then", "/else")

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
        step: place_at(place.root, *at, partial=place.partial or _keyword(step) in IN_PLACE | NOT_SAID)
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


def matched(old: Mapping[str, Place], new: Mapping[str, Place]) -> Iterator[tuple[Place, Place]]:
    """Pair the inner places of two places: by their step, and branches by what they say."""
    for step, place in old.items():
        if step in new and not step.startswith(_BRANCHES):
            yield place, new[step]
    for branches in _BRANCHES:
        left, right = ({step: side[step] for step in side if step.startswith(branches)} for side in (old, new))
        for step, other in paired(left, right):
            yield left[step], right[other]


def alternatives(place: Place) -> Iterator[Place]:
    """Yield each branch, condition and consequence by itself, and those within them: what is said of some values."""
    seen: set[tuple[str, ...]] = set()
    waiting = [place]
    while waiting:
        inner = [here for _, here in _in_place(waiting.pop()) if here.pointers not in seen]
        yield from inner
        seen.update(here.pointers for here in inner)
        waiting += inner


def partners(old: Place, new: Place) -> Iterator[tuple[Place, Place]]:
    """Pair the inner places of two places: by their step, and those that speak of some values by what they say.

    Unlike in `matched`, the branches and conditions of each part of an ``allOf`` are places of their own.
    """
    had, has = (
        {step: each for step, each in inner_places(side).items() if _keyword(step) not in IN_PLACE}
        for side in (old, new)
    )
    yield from ((place, has[step]) for step, place in had.items() if step in has)
    before, after = _groups(old), _groups(new)
    for kind, left in before.items():
        right = after.get(kind, {})
        # What stands first tells it from others of its kind: of a condition and its consequences, the condition.
        heads = ({at: next(iter(each.values())) for at, each in side.items()} for side in (left, right))
        for one, other in paired(*heads):
            yield from ((place, right[other][step]) for step, place in left[one].items() if step in right[other])


def _groups(place: Place) -> dict[str, dict[str, dict[str, Place]]]:
    """Return what speaks of some values: by kind and by JSON Pointer, each by step."""
    found: dict[str, dict[str, dict[str, Place]]] = {}
    for step, here in sorted(_in_place(place), key=lambda each: each[0] != "/if"):
        keyword = _keyword(step)
        owner = here.pointer.removesuffix(step)
        if step in _CONSEQUENCES and owner in found.get("if", {}):
            found["if"][owner][step] = here
        elif keyword == "if":
            found.setdefault(keyword, {})[owner] = {step: here}
        else:
            kind = keyword if step.startswith(_BRANCHES) else step
            found.setdefault(kind, {})[here.pointer] = {"": here}
    return found


def _in_place(place: Place) -> Iterator[tuple[str, Place]]:
    """Yield each branch, condition and consequence of each part, with the step that leads there."""
    for part in place.parts:
        for step, inner in children(part.says):
            if _keyword(step) in IN_PLACE:
                yield step, place_at(place.root, (part.pointer + step, inner), partial=True)


def _keyword(step: str) -> str:
    return step.split("/", 2)[1]

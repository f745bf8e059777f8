"""Which place of one schema is which of another, so that two can be held beside each other field by field.

They are paired even where one of the schemas was reordered into definitions, or its branches have another order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jobarium_events.evolution.branches import paired
from jobarium_events.validation.dialects import Schema, children
from jobarium_events.validation.places import IN_PLACE, SHELVES, Place, inner_places, keyword_of, place_at

__all__ = ["alternatives", "left_over", "matched", "partners"]

_BRANCHES = ("/anyOf/", "/oneOf/")
_CONSEQUENCES = ("/then", "/else")


def left_over(place: Place, paired: Iterable[Place]) -> Iterator[tuple[str, str, Schema, Mapping[str, Any]]]:
    """Yield each subschema within a place that is a part of none of some inner places.

    It is yielded with its JSON Pointer, the step that leads to it, itself, and all that is said around it.
    """
    met = {pointer for each in paired for pointer in each.pointers}
    for part in place.parts:
        if isinstance(part.says, Mapping):
            for step, inner in children(part.says):
                if not step.startswith(SHELVES) and part.pointer + step not in met:
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
        {step: each for step, each in inner_places(side).items() if keyword_of(step) not in IN_PLACE}
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
        keyword = keyword_of(step)
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
            if keyword_of(step) in IN_PLACE:
                yield step, place_at(place.root, (part.pointer + step, inner), partial=True)

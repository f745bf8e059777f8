"""What a place in a payload is called, and where a recursive schema comes to it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from jobarium_events.fields.kinds import json_of
from jobarium_events.fields.rows import Repeat
from jobarium_events.validation.dialects import children
from jobarium_events.validation.places import IN_PLACE, NOT_SAID, Place, inner_places, keyword_of, place_of

if TYPE_CHECKING:
    from jobarium_events.validation.dialects import Schema

__all__ = ["Steps", "name_of", "repeats_of"]

Steps = tuple[str, ...]
"""The steps from the payload to a place in it."""

_ITEMS = frozenset("additionalItems unevaluatedItems".split())
_PLACED = frozenset("items prefixItems".split())
_SIGNS = frozenset(".[]*")


def name_of(steps: Steps) -> str:
    """Return the name of a place, after the names around it."""
    name = ""
    for step in steps:
        keyword, _, rest = step[1:].partition("/")
        inner = rest.replace("~1", "/").replace("~0", "~")
        if keyword == "properties":
            name += f".{_quoted(inner)}"
        elif keyword in _PLACED and inner:
            name += f"[{inner}]"
        elif keyword in _PLACED | _ITEMS:
            name += "[]"
        elif keyword == "patternProperties":
            name += f"./{inner}/"
        else:
            name += ".*"
    return name.removeprefix(".")


def _quoted(name: str) -> str:
    """Return a field's own name; in quotes where it would read as several names, or as none."""
    is_plain = name and not name.startswith(("/", '"')) and _SIGNS.isdisjoint(name)
    return name if is_plain else json_of(name)


def repeats_of(schema: Schema) -> dict[Steps, tuple[Repeat, ...]]:
    """Return where a recursive schema is not followed any further, by the steps to the field around that."""
    found: dict[Steps, dict[Repeat, None]] = {}
    waiting: list[tuple[Steps, Steps, Place, dict[tuple[str, ...], Steps]]] = []
    if _refers(schema):
        waiting.append(((), (), place_of(schema), {}))
    while waiting:
        steps, field, place, above = waiting.pop()
        above = {place.pointers: steps, **above}
        for step, inner in inner_places(place).items():
            keyword = keyword_of(step)
            if keyword in NOT_SAID or step == "/if":
                continue
            there = steps if keyword in IN_PLACE else (*steps, step)
            like = above.get(inner.pointers)
            if like is None:
                waiting.append((there, there if keyword == "properties" else field, inner, above))
            elif like != there:
                found.setdefault(field, {})[Repeat(name_of(there), name_of(like))] = None
    return {field: tuple(sorted(repeats, key=lambda each: each.name)) for field, repeats in found.items()}


def _refers(schema: Schema) -> bool:
    """Whether there is a reference in a schema; without one it cannot come to a place again."""
    return isinstance(schema, Mapping) and ("$ref" in schema or any(_refers(inner) for _, inner in children(schema)))

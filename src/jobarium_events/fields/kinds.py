"""The types of a value, in words, and the values that are listed for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from jobarium_events.fields.rows import ListedValue
from jobarium_events.validation.places import Place, inner_places, place_at

__all__ = [
    "BRANCHES", "bases", "branches", "but_null", "is_null", "json_of", "kinds", "listed", "map_values", "positions",
    "type_of",
]  # fmt: skip

BRANCHES = ("anyOf", "oneOf")
"""The keywords by which a value is one of several."""

_KINDS = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_UNKNOWN = frozenset(("any", "one of several"))
_EVERY = frozenset("string boolean number array object null".split())

Pointers = frozenset[tuple[str, ...]]


def type_of(places: Sequence[Place]) -> str:
    """Return the type of a value, or several of them."""
    return _either([each for place in places for each in kinds(place, frozenset())])


def kinds(place: Place, above: Pointers) -> list[str]:
    """Return the types of a value, each in words; those of the places above it are being told already."""
    if any(part.says is False for part in place.parts):
        return ["none"]
    types = next((types for _, types in place.values("type")), None)
    if types is not None:
        words = {"array": _array, "object": _object}
        return [
            words[each](place, above | {place.pointers}) if each in words else each
            for each in ([types] if isinstance(types, str) else types)
        ]
    values, is_closed = _listed_by(place)
    if values and is_closed:
        return list(dict.fromkeys("null" if value is None else _KINDS[type(value)] for value in values))
    above |= {place.pointers}
    for keyword in BRANCHES:
        found_branches = branches(place, keyword)
        if any(each.pointers in above for each in found_branches):
            return ["one of several"]
        found = list(dict.fromkeys(each for branch in found_branches for each in kinds(branch, above)))
        if found:
            return ["one of several"] if _UNKNOWN.intersection(found) else found
    return ["any"]


def bases(place: Place, above: Pointers = frozenset()) -> frozenset[str]:
    """Return the JSON types that a value may have, whatever is in it; an integer is a number."""
    if any(part.says is False for part in place.parts):
        return frozenset()
    types = next((types for _, types in place.values("type")), None)
    values, is_closed = _listed_by(place)
    if types is None and values and is_closed:
        types = ["null" if value is None else _KINDS[type(value)] for value in values]
    if types is not None:
        words = [types] if isinstance(types, str) else types
        return frozenset("number" if each == "integer" else each for each in words)
    above |= {place.pointers}
    for keyword in BRANCHES:
        inner = branches(place, keyword)
        if inner:
            known = [_EVERY if each.pointers in above else bases(each, above) for each in inner]
            return frozenset(chain.from_iterable(known))
    return _EVERY


def is_null(place: Place) -> bool:
    """Whether a value is null, and nothing else."""
    return bases(place) == frozenset(("null",))


def branches(place: Place, keyword: str) -> list[Place]:
    """Return the places that are said by a keyword to be one of several."""
    return [
        place_at(place.root, (f"{pointer}/{i}", branch))
        for pointer, found in place.values(keyword)
        for i, branch in enumerate(found)
    ]


def but_null(place: Place) -> Place:
    """Return a place with what it says, in branches, of all values but null: as the only other branch does."""
    parts = {part.pointer: part for part in place.parts}
    waiting = [place]
    while waiting:
        here = waiting.pop()
        for keyword in BRANCHES:
            others = [each for each in branches(here, keyword) if not is_null(each)]
            if len(others) == 1:
                new = tuple(part for part in others[0].parts if part.pointer not in parts)
                parts |= {part.pointer: part for part in new}
                waiting.append(Place(place.root, new))
    return Place(place.root, tuple(parts.values()), place.partial)


def positions(place: Place) -> tuple[dict[int, Place], Place | None]:
    """Return the items of a list that have a place of their own, by that, and all the others; None if nothing is said.

    Drafts differ in which keywords say that.
    """
    inner = inner_places(place)
    for keyword, others in (("prefixItems", "/items"), ("items", "/additionalItems")):
        found = {int(step.rpartition("/")[2]): inner[step] for step in inner if step.startswith(f"/{keyword}/")}
        if found:
            return dict(sorted(found.items())), inner.get(others)
    return {}, inner.get("/items")


def map_values(place: Place) -> Place | None:
    """Return the values of a map, which is an object that names none of its fields; None if it is none."""
    inner = inner_places(place)
    if any(step.startswith(("/properties/", "/patternProperties/")) for step in inner):
        return None
    values = inner.get("/additionalProperties")
    return None if values is None or any(part.says is False for part in values.parts) else values


def _either(types: Sequence[str]) -> str:
    return " or ".join(sorted(dict.fromkeys(types), key=lambda each: each == "null"))


def _array(place: Place, above: Pointers) -> str:
    placed, others = positions(place)
    if any(each.pointers in above for each in (*placed.values(), *(() if others is None else (others,)))):
        return "array"
    every = ["any"] if others is None else kinds(others, above)
    if not placed:
        return f"array of {_one(every)}"
    words = [_either(kinds(each, above)) for each in placed.values()]
    words.append("no more" if every == ["none"] else f"then {_either(every)}")
    return f"array of ({', '.join(words)})"


def _object(place: Place, above: Pointers) -> str:
    values = map_values(place)
    if values is None or values.pointers in above:
        return "object"
    words = _one(kinds(values, above))
    return "object" if words == "any" else f"map of {words}"


def _one(types: Sequence[str]) -> str:
    words = _either(types)
    return words if len(types) == 1 else f"({words})"


def listed(places: Sequence[Place]) -> tuple[tuple[ListedValue, ...], bool]:
    """Return the values that are listed with their meanings, and whether there can be no others."""
    known: dict[str, ListedValue] = {}
    every_closed = True
    for place in places:
        values, closed = _listed_by(place)
        every_closed &= closed
        said: dict[str, Any] = {}
        for _, meanings in place.values("x-enum-meanings"):
            said = {**meanings, **said} if isinstance(meanings, Mapping) else said
        for value in values:
            name = json_of(value)
            meaning = said.get(value if isinstance(value, str) else name)
            meaning = meaning if isinstance(meaning, str) else None
            if name not in known or known[name].meaning is None:
                known[name] = ListedValue(value, meaning)
    return tuple(known.values()), every_closed


def _listed_by(place: Place) -> tuple[list[Any], bool]:
    lists = [(values, True) for _, values in place.values("enum")]
    lists += [([value], True) for _, value in place.values("const")]
    lists += [(values, False) for _, values in place.values("x-extensible-enum") if isinstance(values, list)]
    return lists[0] if lists else ([], False)


def json_of(value: Any) -> str:
    """Return a value as JSON, the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

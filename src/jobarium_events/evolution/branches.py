"""Which branch of an old ``oneOf`` or ``anyOf`` is which of a new one: their order says nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from jobarium_events.validation.dialects import ASSERTING, Schema, rebuilt

if TYPE_CHECKING:
    from jobarium_events.validation.places import Place

__all__ = ["paired"]

_UNORDERED = ("enum", "x-extensible-enum", "required", "type", "allOf", "anyOf", "oneOf")
_STRUCTURE = ASSERTING | {"x-extensible-enum"}


def paired(old: Mapping[str, Place], new: Mapping[str, Place]) -> Iterator[tuple[str, str]]:
    """Yield the steps of the branches that belong together, in the order of the old ones.

    Branches that say the same are the same, first those that also mean the same. Of the rest, those belong together
    that are told apart by the same values, then those that have the most fields in common, then those at one place.
    """
    left = {step: _Branch(place) for step, place in old.items()}
    right = {step: _Branch(place) for step, place in new.items()}
    found: dict[str, str] = {}
    for attribute in ("says", "structure"):
        for step in [step for step in left if step not in found]:
            said = getattr(left[step], attribute)
            same = next((other for other, each in right.items() if getattr(each, attribute) == said), None)
            if same is not None:
                found[step] = same
                del right[same]
    rest = [step for step in left if step not in found]
    places = {step: i for i, step in enumerate(old)} | {step: i for i, step in enumerate(new)}
    # The sort is stable: of equals, the first of both go together.
    close = sorted(
        ((step, other) for step in rest for other in right),
        key=lambda pair: (left[pair[0]].likeness(right[pair[1]]), -abs(places[pair[0]] - places[pair[1]])),
        reverse=True,
    )
    for step, other in close:
        if step not in found and other in right:
            found[step] = other
            del right[other]
    yield from ((step, found[step]) for step in left if step in found)


class _Branch:
    """What one branch says, in the forms by which it is compared."""

    def __init__(self, place: Place) -> None:
        self.place = place

    @cached_property
    def says(self) -> list[str]:
        """All that it says, word for word."""
        return [json.dumps(part.says, sort_keys=True) for part in self.place.parts if part.says != {}]

    @cached_property
    def structure(self) -> list[str]:
        """What decides which values are valid, in whatever order it is said."""
        parts = (_canonical(part.says) for part in self.place.parts)
        return sorted(json.dumps(part, sort_keys=True) for part in parts if part != {})

    @cached_property
    def types(self) -> frozenset[str]:
        said = (types for _, types in self.place.values("type"))
        return frozenset(each for types in said for each in ([types] if isinstance(types, str) else types))

    @cached_property
    def fields(self) -> frozenset[str]:
        return frozenset(name for _, fields in self.place.values("properties") for name in fields)

    @cached_property
    def values(self) -> dict[str, frozenset[str]]:
        """The values listed for each field, and under no name those of the branch itself."""
        found = {"": frozenset(map(json.dumps, self.place.listed()))}
        for _, fields in self.place.values("properties"):
            for name, field in fields.items():
                if isinstance(field, Mapping) and ("const" in field or "enum" in field):
                    listed = [field["const"]] if "const" in field else field["enum"]
                    found[f"/{name}"] = frozenset(map(json.dumps, listed))
        return {name: listed for name, listed in found.items() if listed}

    def likeness(self, other: _Branch) -> tuple[int, int, int]:
        """Return how much speaks for it that the other is the same branch."""
        # A list of one value tells branches apart; a longer one may stand in all of them.
        values = 0
        for name in self.values.keys() & other.values.keys():
            mine, others = self.values[name], other.values[name]
            weight = 2 if min(len(mine), len(others)) == 1 else 1
            values += weight if mine & others else -weight
        fields = 2 * len(self.fields & other.fields) - len(self.fields ^ other.fields)
        return values, int(bool(self.types & other.types)), fields


def _canonical(schema: Schema) -> Any:
    """Return what a schema asserts, the same for any order in which it is written."""
    if not isinstance(schema, Mapping):
        return schema
    kept = {keyword: value for keyword, value in schema.items() if keyword in _STRUCTURE}
    if "const" in kept and "enum" not in kept:
        kept["enum"] = [kept.pop("const")]
    copy: dict[str, Any] = {**cast("dict[str, Any]", rebuilt(kept, lambda inner, _: _canonical(inner)))}
    for keyword in _UNORDERED:
        if isinstance(copy.get(keyword), list):
            copy[keyword] = sorted(copy[keyword], key=lambda each: json.dumps(each, sort_keys=True))
    return copy

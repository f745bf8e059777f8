"""What a schema says of one member of an object or one item of a list: by its name or place, or with many others.

``properties`` names a field, ``patternProperties`` covers it with others, and ``additionalProperties`` covers what is
left; ``items`` and its like do the same for a list. A field that is named in one schema may be covered in another one,
and is still the same field. `pairs` walks two schemas with that in mind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum, StrEnum
from functools import lru_cache
from itertools import chain, combinations
from typing import Any

import msgspec

from jobarium_events.evolution.places import alternatives, partners
from jobarium_events.validation.dialects import children, escape
from jobarium_events.validation.patterns import translate
from jobarium_events.validation.places import Place, place_at

__all__ = ["Member", "Rank", "Standing", "items", "keys", "member", "pairs"]

Key = str | int
"""The name of a field or the index of an item."""


class Rank(IntEnum):
    """How closely a schema speaks of a member."""

    REST = 0
    """As of all that nothing else speaks of."""
    PATTERN = 1
    """As of all whose names match a pattern."""
    NAMED = 2
    """By its own name or index."""


class Standing(StrEnum):
    """How closely two schemas speak of one value."""

    SAME = "same"
    """Both of that value."""
    OLD_GENERAL = "old-general"
    """The old one of that value and of others, at least as generally as the new one."""
    NEW_GENERAL = "new-general"
    """The new one of that value and of others, and the old one more closely."""


class Member(msgspec.Struct, frozen=True):
    """All that a place says of one member.

    Attributes:
        place: The member's place.
        rank: How closely it is spoken of, where it is most closely.
    """

    place: Place
    rank: Rank


def member(place: Place, key: Key, only: Iterable[str] | None = None) -> Member | None:
    """Return what a place says of a member, without its branches; None if it says nothing of it, or forbids it.

    Args:
        place: The place of the object or list.
        key: The member's name or index.
        only: JSON Pointers of the subschemas to heed; by default all.
    """
    found: list[tuple[str, Any, Rank]] = []
    for part in place.parts:
        if isinstance(part.says, Mapping):
            inner = dict(children(part.says))
            found += [(part.pointer + step, inner[step], rank) for step, rank in _covering(part.says, key)]
    if not found:
        found = _unevaluated(place, key)
    if only is not None:
        found = [each for each in found if each[0] in only]
    if not found or any(inner is False for _, inner, _ in found):
        return None
    at = [(pointer, inner) for pointer, inner, _ in found]
    return Member(place_at(place.root, *at, partial=place.partial), max(rank for _, _, rank in found))


def _covering(says: Mapping[str, Any], key: Key) -> Iterator[tuple[str, Rank]]:
    """Yield the steps to the subschemas that apply to a member."""
    if isinstance(key, str):
        yield from _covering_field(says, key)
        return
    items = says.get("items")
    keyword, first = ("items", items) if isinstance(items, list) else ("prefixItems", says.get("prefixItems", ()))
    rest = "additionalItems" if isinstance(items, list) else "items"
    if key < len(first):
        yield f"/{keyword}/{key}", Rank.NAMED
    elif rest in says:
        yield f"/{rest}", Rank.REST


def _covering_field(says: Mapping[str, Any], name: str) -> Iterator[tuple[str, Rank]]:
    named = name in says.get("properties", ())
    matching = [each for each in says.get("patternProperties", ()) if re.search(translate(each), name)]
    if named:
        yield f"/properties/{escape(name)}", Rank.NAMED
    yield from ((f"/patternProperties/{escape(each)}", Rank.PATTERN) for each in matching)
    if not named and not matching and "additionalProperties" in says:
        yield "/additionalProperties", Rank.REST


def _unevaluated(place: Place, key: Key) -> list[tuple[str, Any, Rank]]:
    """Return what is said of a member of which nothing else is said, not in a branch either."""
    keyword = "unevaluatedProperties" if isinstance(key, str) else "unevaluatedItems"
    said = [(pointer, inner, Rank.REST) for pointer, inner in place.values(keyword)]
    return [] if said and any(member(each, key) for each in alternatives(place)) else said


def items(place: Place) -> Iterator[Member]:
    """Yield what a place says of each item of a list, and of all that come after."""
    found = (member(place, key) for key in keys([place]) if isinstance(key, int))
    yield from (each for each in found if each is not None)


def keys(places: Iterable[Place]) -> list[Key]:
    """Return the members that tell some places of one value apart.

    They are the names and indexes that any of them mentions, the first index after these, and of the other names some
    that stand for all: where a pattern is not in all of the places, one name for each way in which patterns overlap.
    """
    every = [part.says for place in places for part in place.parts if isinstance(part.says, Mapping)]
    of_each = [{pattern for _, said in place.values("patternProperties") for pattern in said} for place in places]
    patterns = set().union(*of_each)
    named = dict.fromkeys(chain.from_iterable(says.get("properties", ()) for says in every))
    found: list[Key] = [*named]
    if any(each != patterns for each in of_each):
        changed = frozenset(each for each in patterns if not all(each in some for some in of_each))
        found += _samples(tuple(sorted(patterns)), changed, frozenset(named))
    elif not patterns:
        found.append("_" * (1 + max(map(len, named), default=0)))
    first = [len(says[keyword]) for says in every for keyword in ("items", "prefixItems") if _lists(says, keyword)]
    return [*found, *range(max(first, default=0) + 1)]


def _lists(says: Mapping[str, Any], keyword: str) -> bool:
    return isinstance(says.get(keyword), list)


@lru_cache(maxsize=256)
def _samples(patterns: tuple[str, ...], changed: frozenset[str], named: frozenset[str]) -> tuple[str, ...]:
    """Return names that are not mentioned: one of no pattern, and one of each changed pattern, alone and with another.

    A name that cannot be found within the bounds of the proof is left out.
    """
    from jobarium_events.evolution.containment import is_subset  # noqa: PLC0415 - the provers are slow to import

    mentioned = {"enum": sorted(named)} if named else False
    wanted = [((), patterns), *(((each,), tuple({*patterns} - {each})) for each in patterns if each in changed)]
    wanted += [(two, ()) for two in combinations(patterns, 2) if not changed.isdisjoint(two)]
    found = []
    for matched, others in wanted:
        such = {"type": "string", "allOf": [True, *({"pattern": each} for each in matched)]}
        answer = is_subset(such, {"anyOf": [mentioned, *({"pattern": each} for each in others)]})
        if isinstance(answer.witness, str):
            found.append(answer.witness)
    return tuple(found)


def pairs(old: Place, new: Place, *, restructured: bool) -> Iterator[tuple[Place, Place, Standing]]:
    """Yield each place that two schemas both have, the outermost first, and each pair once.

    Args:
        old: The place of the whole value in one schema.
        new: The same in the other.
        restructured: Whether the schemas differ in more than texts, so that a member may be covered otherwise.
    """
    seen: set[tuple[tuple[str, ...], tuple[str, ...], Standing]] = set()
    waiting = [(old, new, Standing.SAME)]
    while waiting:
        one, other, standing = waiting.pop()
        if (key := (one.pointers, other.pointers, standing)) in seen:
            continue
        seen.add(key)
        yield one, other, standing
        onward = [(was, now, standing) for was, now in partners(one, other)]
        if restructured:
            onward += _members(one, other, standing)
        waiting += reversed(onward)


def _members(one: Place, other: Place, standing: Standing) -> Iterator[tuple[Place, Place, Standing]]:
    for key in keys([one, other]):
        was, now = member(one, key), member(other, key)
        if was is not None and now is not None:
            own = _standing(was.rank, now.rank)
            yield was.place, now.place, standing if own is Standing.SAME else own


def _standing(old: Rank, new: Rank) -> Standing:
    if old is new is Rank.NAMED:
        return Standing.SAME
    return Standing.OLD_GENERAL if old <= new else Standing.NEW_GENERAL

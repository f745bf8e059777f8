"""What a contract means, apart from what it accepts: digests of both, and where a meaning has changed.

A schema says two things. Its structure decides which payloads are valid. Its meanings tell people what the fields are:
a description, a unit, what each value of an enum stands for. A meaning can change while every payload stays valid, so
each is kept by a digest of its own, to be compared with the one that was published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, cast

import msgspec
import orjson

from jobarium_events.evolution.members import Member, Rank, Standing, items, keys, member, pairs
from jobarium_events.evolution.places import alternatives, left_over, partners
from jobarium_events.evolution.published import Published
from jobarium_events.validation.dialects import ASSERTING, Schema, escape, rebuilt
from jobarium_events.validation.places import IN_PLACE, Place, place_at, place_of
from jobarium_events.validation.references import walk

if TYPE_CHECKING:
    from jobarium_events.contract import Contract

__all__ = ["MEANINGS", "MeaningChange", "meaning_changes", "meaning_of", "publish", "structure"]

MEANINGS = ("title", "description", "format", "default", "x-unit", "x-enum-meanings")
"""The keywords that say what a field means."""

_BY_VALUE = "x-enum-meanings"
# Besides what asserts: what references are resolved by, and what the closed form turns into an assertion.
_STRUCTURE = ASSERTING | frozenset(
    "$schema $id $anchor $dynamicAnchor $dynamicRef $recursiveAnchor $recursiveRef $defs definitions "
    "x-extensible-enum".split()
)

_WORDS = ("title", "description", _BY_VALUE)

_Meanings = Mapping[str, Mapping[str, str]]
"""By JSON Pointer and keyword, the digest of what is said."""


class MeaningChange(msgspec.Struct, frozen=True):
    """One meaning that is not what it was.

    Attributes:
        pointer: JSON Pointer to the subschema that says it; ``""`` is the payload itself.
        keyword: Which of `MEANINGS`; for ``x-enum-meanings`` with the value, as in ``x-enum-meanings/active_jobs``.
        old: Digest of what it was, or None if it has appeared.
        new: Digest of what it is, or None if it has vanished.
    """

    pointer: str
    keyword: str
    old: str | None
    new: str | None

    @property
    def place(self) -> str:
        """JSON Pointer to the meaning: that of the subschema, and the keyword."""
        return f"{self.pointer}/{self.keyword}"

    @property
    def is_in_words(self) -> bool:
        """Whether it can be said in other words; a unit, a format or a default is said exactly, in one way only."""
        return self.new is not None and self.keyword.partition("/")[0] in _WORDS


def structure(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with only what decides which payloads are valid."""
    return cast("dict[str, Any]", _structure(schema))


def _structure(schema: Schema) -> Schema:
    if not isinstance(schema, Mapping):
        return schema
    kept = {keyword: value for keyword, value in schema.items() if keyword in _STRUCTURE}
    return rebuilt(kept, lambda inner, _: _structure(inner))


def publish(contract: Contract, *, deprecated: Mapping[str, int] = {}) -> Published:
    """Return a contract with the digests by which it is known when it has been published.

    Args:
        contract: The contract.
        deprecated: By its path, for each field that is marked deprecated, in how many releases it has been so.
    """
    schema = orjson.loads(contract.schema_json)
    ordering = contract.ordering and (contract.ordering.per, contract.ordering.by)
    return Published(
        contract=contract,
        structure=_digest((_structure(schema), contract.key.text, ordering)),
        meanings={pointer: said for pointer, inner in walk(schema) if (said := dict(_said(inner)))},
        deprecated=deprecated,
    )


def _said(schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield the digest of each meaning that a subschema states."""
    if not isinstance(schema, Mapping):
        return
    for keyword in MEANINGS:
        if keyword in schema:
            value = schema[keyword]
            if keyword == _BY_VALUE and isinstance(value, Mapping):
                yield from ((f"{keyword}/{escape(name)}", _digest(meaning)) for name, meaning in value.items())
            else:
                yield keyword, _digest(value)


def _digest(value: object) -> str:
    return blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def meaning_changes(old: Published, new: Published) -> tuple[MeaningChange, ...]:
    """Return the meanings that differ, of all that both contracts describe.

    What a new field means is no change, and a field that is gone is a matter of structure. A place is compared with
    the place of the same field, so a description may move to where a ``$ref`` points. A field that one contract names
    and the other covers with all of its kind, as ``additionalProperties`` does, is one that both have; so is an item.
    A subschema that only one of the contracts has, as a branch of ``anyOf`` or a ``then``, counts where it speaks of a
    field that both have.
    """
    restructured = old.structure != new.structure
    if old.meanings == new.meanings and not restructured:
        return ()
    found: dict[tuple[str, str], MeaningChange] = {}
    walk_both = pairs(place_of(old.contract.schema), place_of(new.contract.schema), restructured=restructured)
    for before, after, standing in walk_both:
        if not _tells(before, old.meanings, after, new.meanings, standing):
            continue
        for change in _changes(before, old.meanings, after, new.meanings):
            found.setdefault((change.pointer, change.keyword), change)
        if restructured:
            for change in _without_partner(before, old.meanings, after, new.meanings):
                found.setdefault((change.pointer, change.keyword), change)
    return tuple(found[key] for key in sorted(found))


def _tells(before: Place, old: _Meanings, after: Place, new: _Meanings, standing: Standing) -> bool:
    """Whether two places tell if a value means something else, by how closely each of them speaks of it.

    What says nothing of a whole kind leaves it open what one of them means.
    """
    if standing is Standing.SAME:
        return True
    return _states(before, old) and (standing is Standing.OLD_GENERAL or _states(after, new))


def _states(place: Place, meanings: _Meanings) -> bool:
    return any(meanings.get(pointer) for pointer in place.pointers)


def _changes(before: Place, old: _Meanings, after: Place, new: _Meanings) -> Iterator[MeaningChange]:
    keywords = (keyword for meanings, place in ((old, before), (new, after)) for keyword in _keywords(meanings, place))
    for keyword in dict.fromkeys(keywords):
        was, now = _stated(old, before, keyword), _stated(new, after, keyword)
        if set(was.values()) == set(now.values()):
            continue
        if not (was and now) and _follows_its_value(keyword, before, after, gone=not now):
            continue
        for pointer in was.keys() & now.keys():
            if was[pointer] != now[pointer]:
                yield MeaningChange(pointer, keyword, was[pointer], now[pointer])
        gone = [(place, digest) for place, digest in was.items() if place not in now and digest not in now.values()]
        come = [(place, digest) for place, digest in now.items() if place not in was and digest not in was.values()]
        for lost, gained in zip_longest(gone, come, fillvalue=("", None)):
            yield MeaningChange(gained[0] if gained[1] else lost[0], keyword, lost[1], gained[1])


def _keywords(meanings: _Meanings, place: Place) -> Iterator[str]:
    for pointer in place.pointers:
        yield from meanings.get(pointer, ())


def _stated(meanings: _Meanings, place: Place, keyword: str) -> dict[str, str]:
    """Return the digests of a meaning by the JSON Pointer of the part that states it."""
    return {pointer: meanings[pointer][keyword] for pointer in place.pointers if keyword in meanings.get(pointer, ())}


def _follows_its_value(keyword: str, before: Place, after: Place, *, gone: bool) -> bool:
    """Whether the meaning of an enum's value has only come or gone together with the value."""
    if not keyword.startswith(f"{_BY_VALUE}/"):
        return False
    was, now = _lists(before, keyword), _lists(after, keyword)
    return was and not now if gone else not was


def _lists(place: Place, keyword: str) -> bool:
    """Whether a place lists the value whose meaning is kept under a keyword."""
    return keyword in map(meaning_of, place.listed())


def meaning_of(value: object) -> str:
    """Return the keyword under which the meaning of an enum's value is kept."""
    name = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return f"{_BY_VALUE}/{escape(name)}"


def _without_partner(before: Place, old: _Meanings, after: Place, new: _Meanings) -> Iterator[MeaningChange]:
    """Yield the meanings that are said within one of two places, in a subschema that has no partner in the other."""
    both = list(partners(before, after))
    for pointer, keyword, digest in _unsaid(after, new, [has for _, has in both], before, old):
        yield MeaningChange(pointer, keyword, None, digest)
    for pointer, keyword, digest in _unsaid(before, old, [had for had, _ in both], after, new):
        yield MeaningChange(pointer, keyword, digest, None)


def _unsaid(
    place: Place, meanings: _Meanings, paired: Iterable[Place], other: Place, others: _Meanings
) -> Iterator[tuple[str, str, str]]:
    """Yield what a place says in subschemas without a partner, of fields that another contract has and says not."""
    alone = list(left_over(place, paired))
    if not alone:
        return
    from jobarium_events.evolution.reaching import reached  # noqa: PLC0415 - the provers are slow to import

    known = [Member(each, Rank.NAMED) for each in (other, *alternatives(other))]
    for pointer, step, inner, says in alone:
        keyword = step.split("/", 2)[1]
        if keyword in IN_PLACE:
            of, spoken_of = [other], known
        elif keyword == "contains":
            spoken_of = [item for each in known for item in items(each.place)]
            of = [item.place for item in spoken_of]
        else:
            continue
        branch = place_at(place.root, (pointer, inner))
        found = list(_said_within(Member(branch, Rank.NAMED), meanings, spoken_of, others))
        if found and any(reached(branch, says, step, each) for each in of):
            yield from found
    if len(known) > 1:
        yield from _members_unsaid(place, meanings, {pointer for pointer, *_ in alone}, known, others)


def _members_unsaid(
    place: Place, meanings: _Meanings, alone: set[str], known: Sequence[Member], others: _Meanings
) -> Iterator[tuple[str, str, str]]:
    """Yield what is said of members in subschemas without a partner; only of those that a branch speaks of too.

    The members that stand beside each other without a branch are places of their own.
    """
    for key in keys([place, *(each.place for each in known)]):
        here = member(place, key, alone)
        if here is not None and any(member(each.place, key) for each in known[1:]):
            yield from _said_within(here, meanings, _members(known, key), others)


def _said_within(
    start: Member, meanings: _Meanings, known: Sequence[Member], others: _Meanings
) -> Iterator[tuple[str, str, str]]:
    """Yield what is said of a value and all within it, as far as it is known to others, and not said there."""
    seen = set()
    waiting = [(start, list(known), frozenset[tuple[str, ...]]())]
    while waiting:
        each, known, above = waiting.pop()
        key = (each.place.pointers, each.rank, frozenset((other.place.pointers, other.rank) for other in known))
        # A recursive schema is followed once around.
        if not known or key in seen or each.place.pointers in above:
            continue
        seen.add(key)
        above |= {each.place.pointers}
        # What says nothing of a whole kind leaves it open what one of them means.
        close = [other.place for other in known if other.rank >= each.rank or _states(other.place, others)]
        for place in (each.place, *alternatives(each.place)):
            yield from _said_only_in(place, meanings, close, others)
            for at in place.values("contains"):
                some = Member(place_at(place.root, at), Rank.NAMED)
                waiting.append((some, [item for other in known for item in items(other.place)], above))
            names = keys([place, *(other.place for other in known)])
            inner = ((member(place, name), name) for name in names)
            waiting += [(each, _members(known, name), above) for each, name in inner if each is not None]


def _members(places: Iterable[Member], key: str | int) -> list[Member]:
    """Return what some places say of a member, and what branches say of it."""
    found = [each for place in places if (each := member(place.place, key)) is not None]
    found += [Member(branch, each.rank) for each in found for branch in alternatives(each.place)]
    return list({(each.place.pointers, each.rank): each for each in found}.values())


def _said_only_in(
    place: Place, meanings: _Meanings, known: Sequence[Place], others: _Meanings
) -> Iterator[tuple[str, str, str]]:
    for keyword in dict.fromkeys(_keywords(meanings, place)) if known else ():
        if keyword.startswith(f"{_BY_VALUE}/") and not any(_lists(each, keyword) for each in known):
            continue
        elsewhere = {digest for each in known for digest in _stated(others, each, keyword).values()}
        for pointer, digest in _stated(meanings, place, keyword).items():
            if digest not in elsewhere:
                yield pointer, keyword, digest

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

from jobarium_events.evolution.fields import onward, spoken
from jobarium_events.evolution.places import Place, inner_places, left_over, matched, pairs, place_at, place_of
from jobarium_events.evolution.published import Published
from jobarium_events.validation.dialects import ASSERTING, Schema, escape, rebuilt
from jobarium_events.validation.references import walk

if TYPE_CHECKING:
    from jobarium_events.contract import Contract

__all__ = ["MEANINGS", "MeaningChange", "meaning_changes", "publish", "structure"]

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
        deprecated: By JSON Pointer, for each field that is marked deprecated, in how many releases it has been so.
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
    the place of the same field, so a description may move to where a ``$ref`` points. A subschema that only one of the
    contracts has, as a branch of ``anyOf`` or a ``then``, counts where it speaks of a field that both have.
    """
    if old.meanings == new.meanings and old.structure == new.structure:
        return ()
    found: dict[tuple[str, str], MeaningChange] = {}
    for before, after in pairs(place_of(old.contract.schema), place_of(new.contract.schema)):
        for change in _changes(before, old.meanings, after, new.meanings):
            found.setdefault((change.pointer, change.keyword), change)
        if old.structure != new.structure:
            for change in _without_partner(before, old.meanings, after, new.meanings):
                found.setdefault((change.pointer, change.keyword), change)
    return tuple(found[key] for key in sorted(found))


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
    return keyword in {f"{_BY_VALUE}/{escape(value)}" for value in place.listed() if isinstance(value, str | int)}


def _without_partner(before: Place, old: _Meanings, after: Place, new: _Meanings) -> Iterator[MeaningChange]:
    """Yield the meanings that are said within one of two places, in a subschema that has no partner in the other."""
    partners = list(matched(inner_places(before), inner_places(after)))
    for pointer, keyword, digest in _unsaid(after, new, [has for _, has in partners], before, old):
        yield MeaningChange(pointer, keyword, None, digest)
    for pointer, keyword, digest in _unsaid(before, old, [had for had, _ in partners], after, new):
        yield MeaningChange(pointer, keyword, digest, None)


def _unsaid(
    place: Place, meanings: _Meanings, paired: Iterable[Place], other: Place, others: _Meanings
) -> Iterator[tuple[str, str, str]]:
    """Yield what a place says in subschemas without a partner, of fields that another contract has and says not."""
    alone = list(left_over(place, paired))
    if not alone:
        return
    from jobarium_events.evolution.reaching import reached  # noqa: PLC0415 - the provers are slow to import

    known: dict[str, list[Place]] = {}
    for path, each in spoken(other):
        known.setdefault(path, []).append(each)
    for pointer, step, inner, says in alone:
        start = onward("", step)
        if start is None:
            continue
        branch = place_at(place.root, (pointer, inner))
        found = [
            said
            for path, each in spoken(branch, start)
            if path in known
            for said in _said_only_in(each, meanings, known[path], others)
        ]
        if found and (start or reached(branch, says, step, other)):
            yield from found


def _said_only_in(
    place: Place, meanings: _Meanings, known: Sequence[Place], others: _Meanings
) -> Iterator[tuple[str, str, str]]:
    for keyword in dict.fromkeys(_keywords(meanings, place)):
        if keyword.startswith(f"{_BY_VALUE}/") and not any(_lists(each, keyword) for each in known):
            continue
        elsewhere = {digest for each in known for digest in _stated(others, each, keyword).values()}
        for pointer, digest in _stated(meanings, place, keyword).items():
            if digest not in elsewhere:
                yield pointer, keyword, digest

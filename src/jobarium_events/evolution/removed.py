"""Fields and values that a released contract once had: they are not free for another meaning.

Events that hold such a field may still be stored, and may be replayed. A field of its name with another type, or with
another meaning, would read them wrongly, although each release by itself was compatible with the one before it. So the
lock keeps what a field was after it is gone.

The same holds for a value that a field no longer lists, in ``enum``, ``const`` or ``x-extensible-enum``: the lock keeps
what ``x-enum-meanings`` said of it. Saying nothing counts as saying something else, as it does for a value that stays:
a value of which nothing was said comes back without a meaning first, and is given one in a later release.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import orjson

from jobarium_events.catalog.loading import schema_path
from jobarium_events.evolution.fields import fields
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.meanings import meaning_of, structure
from jobarium_events.evolution.verdicts import Reader
from jobarium_events.validation.dialects import children
from jobarium_events.validation.places import NOT_SAID, inner_places, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobarium_events.evolution.published import Published
    from jobarium_events.validation.dialects import Schema
    from jobarium_events.validation.places import Place

__all__ = ["Removal", "Removals", "removals", "returned"]

# What stands within a field and lists no value of it: fields of their own, and what only tests or excludes a value.
_LISTS_NOTHING = NOT_SAID | {"properties", "if"}


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that a contract had, or a value that it listed.

    Attributes:
        digest: Of a field, the digest of its structure and its meanings when it went; of a value, that of its meanings.
        since: The first release without it.
    """

    digest: str
    since: str


class Removals(msgspec.Struct, frozen=True):
    """All that a contract has lost.

    Attributes:
        fields: By their paths, the fields.
        values: By the path of their field, and by their JSON text, the values that it no longer lists.
    """

    fields: Mapping[str, Removal] = {}
    values: Mapping[str, Mapping[str, Removal]] = {}


def removals(old: Published, new: Published, before: Removals, release: str) -> Removals:
    """Return what a contract has lost by now.

    Args:
        old: The contract as it was released.
        new: As it is released now.
        before: What it had lost before.
        release: The release.
    """
    gone = _lost(_fields(old), _fields(new), before.fields, release)
    had, has = _values(old), _values(new)
    values = {
        # What a field listed that is gone as a whole is part of what it was.
        path: _lost({} if path in gone else had.get(path, {}), has.get(path, {}), before.values.get(path, {}), release)
        for path in {**had, **before.values}
    }
    return Removals(gone, {path: lost for path, lost in values.items() if lost})


def _lost(
    had: Mapping[str, str], has: Mapping[str, str], before: Mapping[str, Removal], release: str
) -> dict[str, Removal]:
    gone = {name: Removal(digest, release) for name, digest in had.items()}
    return {name: each for name, each in {**gone, **before}.items() if name not in has}


def returned(contract: Published, removed: Removals) -> Iterator[Finding]:
    """Yield the fields that have come back as something else than they were, and those of which a value has."""
    has, lists = _fields(contract), _values(contract)
    for path, field in removed.fields.items():
        if has.get(path, field.digest) != field.digest:
            yield _returned(
                "field-returned",
                contract,
                path,
                f"was removed in {field.since}, and is back as something else; "
                f"events that were stored before then still hold what it was",
                "choose another name, or bring it back exactly as it was",
            )
    for path, values in removed.values.items():
        for value, kept in values.items():
            if lists.get(path, {}).get(value, kept.digest) != kept.digest:
                yield _returned(
                    "value-returned",
                    contract,
                    path,
                    f"lists {value} again, which was removed in {kept.since}, and does not say of it what was said "
                    f"then; events that were stored before then still hold it as it was meant",
                    "choose another value, or say of it in x-enum-meanings exactly what was said then, if anything was",
                )


def _returned(rule: str, contract: Published, path: str, text: str, advice: str) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.ERROR,
        contract=contract.contract.name,
        file=schema_path(contract.contract.event, contract.contract.version),
        pointer=_places(contract)[path][0].pointer,
        text=f"{path.rpartition('/')[2] or 'the payload'} {text}",
        advice=advice,
        reader=Reader.NEW,
    )


def _fields(published: Published) -> dict[str, str]:
    """Return the digest of each field by its path: of all that decides its values, and of what they mean."""
    return {
        path: _digest([_content(place, published.meanings, frozenset()) for place in places])
        for path, places in fields(published.contract.schema).items()
    }


def _places(published: Published) -> dict[str, tuple[Place, ...]]:
    """Return the fields by their paths, and by ``""`` the payload itself."""
    schema = published.contract.schema
    return {"": (place_of(schema),), **fields(schema)}


def _values(published: Published) -> dict[str, dict[str, str]]:
    """Return what each value is said to mean, as a digest, by the path of the field that lists it and by its text."""
    listed = {path: _listed(places, published.meanings) for path, places in _places(published).items()}
    return {path: values for path, values in listed.items() if values}


def _listed(places: Iterable[Place], meanings: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    every = [each for place in places for each in _listing(place, frozenset())]
    said: dict[str, set[str]] = {}
    for pointer in (pointer for place in every for pointer in place.pointers):
        for keyword, digest in meanings.get(pointer, {}).items():
            said.setdefault(keyword, set()).add(digest)
    listed: dict[str, str] = {}
    for value in (value for place in every for value in place.listed()):
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        listed[text] = _digest(sorted(said.get(meaning_of(value), ())))
    return listed


def _listing(place: Place, above: frozenset[tuple[str, ...]]) -> Iterator[Place]:
    """Yield the places that may list the values of a field: its own, and those within it that are no fields."""
    if place.pointers in above:
        return
    yield place
    for step, inner in inner_places(place).items():
        if step.split("/", 2)[1] not in _LISTS_NOTHING:
            yield from _listing(inner, above | {place.pointers})


def _content(place: Place, meanings: Mapping[str, Mapping[str, str]], above: frozenset[tuple[str, ...]]) -> object:
    """Return what is said of a field, without where in the schema it is said."""
    if place.pointers in above:
        return "as above"
    own = [_own(part.says) for part in place.parts]
    said = {keyword: digest for part in place.parts for keyword, digest in meanings.get(part.pointer, {}).items()}
    above |= {place.pointers}
    inner = {step: _content(each, meanings, above) for step, each in inner_places(place).items()}
    return [each for each in own if each], said, inner


def _own(says: Schema) -> Schema:
    """Return what a subschema says by itself of which values are valid."""
    if not isinstance(says, Mapping):
        return says
    onward = {step.split("/", 2)[1] for step, _ in children(says)}
    return {keyword: value for keyword, value in structure(says).items() if keyword not in onward}


def _digest(content: object) -> str:
    return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()

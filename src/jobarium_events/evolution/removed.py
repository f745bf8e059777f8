"""Fields that a released contract once had: their names are not free for another meaning.

Events that hold such a field may still be stored, and may be replayed. A field of its name with another type, or with
another meaning, would read them wrongly, although each release by itself was compatible with the one before it. So the
lock keeps what a field was after it is gone.
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
from jobarium_events.evolution.meanings import structure
from jobarium_events.evolution.places import inner_places
from jobarium_events.evolution.verdicts import Reader
from jobarium_events.validation.dialects import children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.evolution.places import Place
    from jobarium_events.evolution.published import Published
    from jobarium_events.validation.dialects import Schema

__all__ = ["RemovedField", "removed_fields", "returned_fields"]


class RemovedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that a contract had.

    Attributes:
        digest: Digest of its structure and its meanings when it went.
        since: The first release without it.
    """

    digest: str
    since: str


def removed_fields(
    old: Published, new: Published, before: Mapping[str, RemovedField], release: str
) -> dict[str, RemovedField]:
    """Return the fields that a contract has lost by now, by their paths.

    Args:
        old: The contract as it was released.
        new: As it is released now.
        before: The fields that it had lost before.
        release: The release.
    """
    had, has = _fields(old), _fields(new)
    gone = {path: RemovedField(digest, release) for path, digest in had.items() if path not in has}
    return {path: each for path, each in {**gone, **before}.items() if path not in has}


def returned_fields(contract: Published, removed: Mapping[str, RemovedField]) -> Iterator[Finding]:
    """Yield the fields that have come back as something else than they were."""
    has = _fields(contract)
    places = fields(contract.contract.schema)
    for path, field in removed.items():
        if path in has and has[path] != field.digest:
            name = path.rsplit("/", 1)[1]
            yield Finding(
                rule="field-returned",
                severity=Severity.ERROR,
                contract=contract.contract.name,
                file=schema_path(contract.contract.event, contract.contract.version),
                pointer=places[path][0].pointer,
                text=f"{name} was removed in {field.since}, and is back as something else; "
                f"events that were stored before then still hold what it was",
                advice="choose another name, or bring it back exactly as it was",
                reader=Reader.NEW,
            )


def _fields(published: Published) -> dict[str, str]:
    """Return the digest of each field by its path: of all that decides its values, and of what they mean."""
    return {
        path: _digest([_content(place, published.meanings, frozenset()) for place in places])
        for path, places in fields(published.contract.schema).items()
    }


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

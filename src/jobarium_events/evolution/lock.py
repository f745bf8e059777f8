"""The lock, ``catalog.lock``: all that has been released, kept so that a later change can be held against it.

It stands beside the manifest and is written by commands only: `release` freezes, `reword` and `retire` add what
somebody has answered for. Its lines are sorted, one fact each, so that a diff of it can be reviewed. A digest over the
whole finds an edit by hand; it is no protection against somebody who wants to deceive.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from jobarium_events.catalog.loading import contract_from
from jobarium_events.catalog.manifest import EventEntry, Manifest, VersionEntry
from jobarium_events.contract import Ordering
from jobarium_events.evolution.fields import fields
from jobarium_events.evolution.meanings import publish
from jobarium_events.evolution.published import Baseline, Form, Published
from jobarium_events.evolution.refusals import LockError
from jobarium_events.evolution.removed import Removal, Removals

if TYPE_CHECKING:
    from jobarium_events.evolution.meanings import MeaningChange

__all__ = ["LOCK_FILE", "Lock", "LockedDecision", "Retirement", "Rewording", "lock_bytes", "parse_lock", "read_lock"]

LOCK_FILE = "catalog.lock"

_FORMAT = 1
_ABOUT = "What has been released. Written by jobarium-events release, reword and retire; not to be edited by hand."

Key = tuple[str, str]
"""Event and version."""


class Rewording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A meaning that was put in other words, and still is the same: somebody has answered for that.

    Attributes:
        event: The event's name.
        version: Such as ``"v1"``.
        pointer: JSON Pointer to the subschema; ``""`` is the payload itself.
        keyword: What was reworded, such as ``"description"``.
        old: Digest of what it said, or None if it said nothing.
        new: Digest of what it says, or None if it says nothing.
        after: The release after which that was accepted; the next one freezes the new words.
        who: Who has answered for it.
        when: The day, such as ``"2026-10-05"``.
        why: Why the meaning is still the same.
    """

    event: str
    version: str
    pointer: str
    keyword: str
    old: str | None
    new: str | None
    after: str
    who: str
    when: str
    why: str


class Retirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a version may be retired.

    Attributes:
        event: The event's name.
        version: Such as ``"v1"``.
        release: The release that retires it.
        when: The day on which that was shown.
        unseen: By service, the time in which it has neither emitted nor consumed the version, as ISO 8601 writes it:
            ``"2026-10-01T00:00:00Z/2026-10-15T00:00:00Z"``.
        decision: The decision that waives this, if one does.
    """

    event: str
    version: str
    release: str
    when: str
    unseen: Mapping[str, str] = {}
    decision: str | None = None


class LockedDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A decision as it stood at the last release.

    Attributes:
        status: Such as ``"accepted"``.
        digest: Digest of all that it says, apart from what may still change of it.
        since: The first release that had it as accepted, where that is known.
    """

    status: str
    digest: str
    since: str | None = None


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """All that has been released.

    Attributes:
        releases: Names of the releases, in order.
        planned: Names of the releases that were planned at the last one.
        contracts: By event and version, those that have been released; of a schema, the structure only.
        frozen: By event and version, the release that last changed anything of the contract.
        since: By event and version, the first release that had its structure, where that is not the same.
        forms: By event and version, the other structures that it had before, the oldest first.
        deprecated: By event and version, and by its path, since which release a field is ``"deprecated": true``.
        added: By event and version, and by its path, since which release a field is there that the contract did not
            have when it was first released. One that was gone and is back is there since it is back.
        removed: By event and version, the fields and values that a contract has lost.
        rewordings: What was put in other words since, or at any time before.
        retirements: Why each retired version might be retired.
        decisions: By id.
    """

    releases: tuple[str, ...]
    planned: tuple[str, ...]
    contracts: Mapping[Key, Published]
    frozen: Mapping[Key, str]
    since: Mapping[Key, str] = {}
    forms: Mapping[Key, tuple[Form, ...]] = {}
    deprecated: Mapping[Key, Mapping[str, str]] = {}
    added: Mapping[Key, Mapping[str, str]] = {}
    removed: Mapping[Key, Removals] = {}
    rewordings: tuple[Rewording, ...] = ()
    retirements: tuple[Retirement, ...] = ()
    decisions: Mapping[str, LockedDecision] = {}

    def baseline(self) -> Baseline:
        """Return what a change is held against: what was released, in the words that were accepted since."""
        contracts = dict(self.contracts)
        for each in self.rewordings:
            published = contracts.get((each.event, each.version))
            if published is not None and each.after == self.releases[-1]:
                contracts[each.event, each.version] = _reworded(published, each)
        return Baseline(name="lock", releases=self.releases, planned=self.planned, contracts=contracts)

    def accepts(self, event: str, version: str, change: MeaningChange) -> bool:
        """Whether people have answered for all that leads from the old words of a meaning to its new ones."""
        said = {change.old}
        for each in self.rewordings:
            place = (each.event, each.version, each.pointer, each.keyword)
            if place == (event, version, change.pointer, change.keyword) and each.old in said:
                said.add(each.new)
        return change.old != change.new and change.new in said

    def structured_since(self, event: str, version: str) -> str:
        """Return the first release that had a contract's present structure, as far as that is known."""
        return self.since.get((event, version), self.frozen[event, version])

    def fields_since(self, event: str, version: str) -> dict[str, str | None]:
        """Return since which release each field of a contract is there, by its path in an event.

        Fields that no release has yet are not among them, and neither is any of a contract that none has. The value is
        None where the contract does not say which release introduced it.
        """
        published = self.contracts.get((event, version))
        if published is None:
            return {}
        contract, added = published.contract, self.added.get((event, version), {})
        return {path: added.get(path, contract.introduced) for path in fields(contract.schema)}

    def has_spent(self, decision: str) -> bool:
        """Whether a decision was accepted at the last release already: the meanings that it changed are frozen."""
        return decision in self.decisions and self.decisions[decision].status == "accepted"

    def retirement(self, event: str, version: str) -> Retirement | None:
        """Return why a version may be retired, or None if nobody has shown that it may."""
        found = [each for each in self.retirements if (each.event, each.version) == (event, version)]
        return found[-1] if found else None


def _reworded(published: Published, rewording: Rewording) -> Published:
    said = dict(published.meanings.get(rewording.pointer, {}))
    if said.get(rewording.keyword) != rewording.old:
        return published  # the words stood elsewhere in the schema
    if rewording.new is None:
        said.pop(rewording.keyword, None)
    else:
        said[rewording.keyword] = rewording.new
    return msgspec.structs.replace(published, meanings={**published.meanings, rewording.pointer: said})


class _Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One contract as the file has it."""

    owner: str
    consumers: tuple[str, ...]
    key: str
    structure: str
    schema: dict[str, Any]
    meanings: dict[str, dict[str, str]]
    frozen: str
    since: str | None = None
    earlier_forms: tuple[Form, ...] = ()
    ordering: Ordering | None = None
    introduced: str | None = None
    deprecated: str | None = None
    retired: str | None = None
    decision: str | None = None
    deprecated_fields: dict[str, str] = {}
    added_fields: dict[str, str] = {}
    removed_fields: dict[str, Removal] = {}
    removed_values: dict[str, dict[str, Removal]] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content, apart from its format and its digest."""

    about: str
    releases: tuple[str, ...]
    planned: tuple[str, ...]
    events: dict[str, dict[str, _Version]]
    rewordings: tuple[Rewording, ...]
    retirements: tuple[Retirement, ...]
    decisions: dict[str, LockedDecision]


def lock_bytes(lock: Lock) -> bytes:
    """Return the content of a lock's file."""
    events: dict[str, dict[str, _Version]] = {}
    for (event, version), published in lock.contracts.items():
        contract = published.contract
        removed = lock.removed.get((event, version), Removals())
        events.setdefault(event, {})[version] = _Version(
            owner=contract.owner,
            consumers=contract.consumers,
            key=contract.key.text,
            ordering=contract.ordering,
            structure=published.structure,
            schema=contract.schema,
            meanings={pointer: dict(said) for pointer, said in published.meanings.items()},
            frozen=lock.frozen[event, version],
            since=lock.since.get((event, version)),
            earlier_forms=lock.forms.get((event, version), ()),
            introduced=contract.introduced,
            deprecated=contract.deprecated,
            retired=contract.retired,
            decision=contract.decision,
            deprecated_fields=dict(lock.deprecated.get((event, version), {})),
            added_fields=dict(lock.added.get((event, version), {})),
            removed_fields=dict(removed.fields),
            removed_values={path: dict(values) for path, values in removed.values.items()},
        )
    file = _File(
        about=_ABOUT,
        releases=lock.releases,
        planned=lock.planned,
        events=events,
        rewordings=lock.rewordings,
        retirements=lock.retirements,
        decisions=dict(lock.decisions),
    )
    document = {"format": _FORMAT, **msgspec.to_builtins(file)}
    document["digest"] = _digest(document)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def read_lock(folder: Path) -> Lock | None:
    """Read the lock of a catalog's folder; None if it has none.

    Raises:
        LockError: If it is broken, was edited by hand, or has a format that this version does not know.
    """
    path = folder / LOCK_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return parse_lock(content, path)


def parse_lock(content: bytes, path: Path) -> Lock:
    """Return the lock that a file's content is; `path` is what errors call it.

    Raises:
        LockError: If it is broken, was edited by hand, or has a format that this version does not know.
    """
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise LockError(str(path), f"is no valid JSON ({error})", _way_out(path)) from None
    if not isinstance(document, dict) or "format" not in document:
        raise LockError(str(path), "is no lock of a catalog", _way_out(path))
    if document["format"] != _FORMAT:
        known = f"this version of jobarium-events reads format {_FORMAT}"
        raise LockError(str(path), f"has the format {document['format']!r}; {known}", "install the one that wrote it")
    stated = document.pop("digest", None)
    if stated != _digest(document):
        raise LockError(str(path), "was edited by hand: its content does not fit its digest", _way_out(path))
    del document["format"]
    try:
        file = msgspec.convert(document, _File)
    except msgspec.ValidationError as error:
        raise LockError(str(path), f"is not as it should be: {error}", _way_out(path)) from None
    lock = _lock(file)
    for (event, version), published in lock.contracts.items():
        stated = [(published.structure, published.contract)]
        stated += [(form.structure, form.of(published.contract)) for form in lock.forms.get((event, version), ())]
        for structure, contract in stated:
            if structure != publish(contract).structure:
                problem = f"was edited by hand: the structure of {event} {version} does not fit its schema"
                raise LockError(str(path), problem, _way_out(path))
    return lock


def _way_out(path: Path) -> str:
    return (
        f"restore it with `git checkout -- {path}`; where two branches were merged, take the lock of one of them "
        "and run the other one's command again"
    )


def _digest(document: Mapping[str, Any]) -> str:
    # Over the content and not over the bytes, so that line ends may be what git makes of them.
    return blake2b(orjson.dumps(document, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _lock(file: _File) -> Lock:
    age = {release: len(file.releases) - place for place, release in enumerate(file.releases)}
    contracts: dict[Key, Published] = {}
    for event, versions in file.events.items():
        for version, kept in versions.items():
            entry = VersionEntry(kept.key, kept.ordering, kept.introduced, kept.deprecated, kept.retired, kept.decision)
            declared = EventEntry(kept.owner, kept.consumers, {version: entry})
            manifest = Manifest(file.releases, file.planned, {event: declared})
            contracts[event, version] = Published(
                contract=contract_from(manifest, event, version, kept.schema),
                structure=kept.structure,
                meanings=kept.meanings,
                deprecated={path: age.get(release, 0) for path, release in kept.deprecated_fields.items()},
            )
    every = [((event, version), kept) for event, versions in file.events.items() for version, kept in versions.items()]
    return Lock(
        releases=file.releases,
        planned=file.planned,
        contracts=contracts,
        frozen={key: kept.frozen for key, kept in every},
        since={key: kept.since for key, kept in every if kept.since is not None},
        forms={key: kept.earlier_forms for key, kept in every if kept.earlier_forms},
        deprecated={key: kept.deprecated_fields for key, kept in every if kept.deprecated_fields},
        added={key: kept.added_fields for key, kept in every if kept.added_fields},
        removed={
            key: Removals(kept.removed_fields, kept.removed_values)
            for key, kept in every
            if kept.removed_fields or kept.removed_values
        },
        rewordings=file.rewordings,
        retirements=file.retirements,
        decisions=file.decisions,
    )

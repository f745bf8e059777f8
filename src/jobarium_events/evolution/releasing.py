"""A release: everything is checked, frozen in the lock, and the release is appended to the manifest."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import orjson

from jobarium_events.catalog.loading import contract_from
from jobarium_events.catalog.manifest import MANIFEST, Manifest
from jobarium_events.contract import Lifecycle
from jobarium_events.evolution.checking import check
from jobarium_events.evolution.decision import Status
from jobarium_events.evolution.editing import ManifestEdit
from jobarium_events.evolution.fields import deprecated_fields, fields
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.history import NOT_FROZEN, outdated_evidence
from jobarium_events.evolution.lock import Lock, LockedDecision, lock_bytes
from jobarium_events.evolution.meanings import publish, structure
from jobarium_events.evolution.published import Form, Published
from jobarium_events.evolution.refusals import EditError, Refused
from jobarium_events.evolution.removed import Removals, removals
from jobarium_events.evolution.state import State
from jobarium_events.writing import write_files

if TYPE_CHECKING:
    from jobarium_events.evolution.decision import Decision

__all__ = ["Released", "freeze", "release"]

Key = tuple[str, str]
"""Event and version."""

_MENDED = (NOT_FROZEN, "no-baseline")  # rules that speak of what a release is about to mend


class Released(msgspec.Struct, frozen=True):
    """What a release has frozen.

    Attributes:
        name: The release.
        contracts: How many contracts have been released, all releases together.
        changed: Those that are new or changed since the release before, such as ``"job.updated v1"``.
        findings: What the check has to say that does not stand against the release.
        written: The files that were written.
    """

    name: str
    contracts: int
    changed: tuple[str, ...]
    findings: tuple[Finding, ...]
    written: tuple[Path, ...]


def release(folder: Path, name: str, *, today: datetime.date | None = None) -> Released:
    """Release what a folder holds: check it, freeze it in the lock and append the release to the manifest.

    A folder that has no lock yet gets its first one, for a new release or for the one that is current already.

    Args:
        folder: The catalog's folder.
        name: The release's name, such as ``"2026.4"``.
        today: The day; by default today.

    Raises:
        CatalogError: If the contracts have mistakes.
        LockError: If the lock cannot be used.
        EditError: If there is no way to release it under this name.
        Refused: If the check finds something that may not ship.
    """
    today = today or datetime.datetime.now(tz=datetime.UTC).date()
    state = State.of(folder, today=today)
    edit = ManifestEdit(folder)
    appended = _is_to_append(state, name)
    if appended:
        edit.release(name)
    manifest = edit.manifest
    what = f"release {name}"
    found = [each for each in check(folder).findings if each.rule not in _MENDED]
    errors = [each for each in found if each.severity is Severity.ERROR]
    errors += outdated_evidence(manifest, state.lock, state.decisions, name, today=today)
    if errors:
        raise Refused(f"{what}{_unplanned(state, name)}", errors)
    lock = freeze(state, manifest, name)
    state.agree(what, manifest, state.lock)
    # The manifest first: if it ends there, the same command goes on with the lock.
    files = {edit.path: edit.text.encode()} if appended else {}
    files[state.lock_path] = lock_bytes(lock)
    write_files(files)
    return Released(
        name=name,
        contracts=len(lock.contracts),
        changed=tuple(" ".join(key) for key, last in lock.frozen.items() if last == name),
        findings=tuple(found),
        written=tuple(files),
    )


def _is_to_append(state: State, name: str) -> bool:
    """Whether the manifest does not have a release yet that may come next."""
    releases, planned = state.manifest.releases, state.manifest.planned
    if name in releases:
        unfrozen = state.lock is None or state.lock.releases == releases[:-1]
        if name != releases[-1] or not unfrozen:
            raise EditError(f"{name} has been released already; the current release is {releases[-1]}")
        return False
    if not name or not name.isprintable() or name != name.strip():
        raise EditError(f"{name!r} is no name of a release; write for example 2026.4")
    if name in planned[1:]:
        raise EditError(f"{planned[0]} is to be released before {name}; or take it out of `planned` in {MANIFEST}")
    return True


def _unplanned(state: State, name: str) -> str:
    """Return that a release is not planned, where others are: its name may be what is wrong."""
    planned = state.manifest.planned
    if not planned or name in (*planned, *state.manifest.releases):
        return ""
    return f", which is not planned (the next that is planned is {planned[0]}),"


def freeze(state: State, manifest: Manifest, release: str) -> Lock:
    """Return the lock of a release; nothing is written.

    Args:
        state: The folder.
        manifest: Its manifest, to which the release has been appended.
        release: The release.
    """
    before = state.lock or Lock(releases=(), planned=(), contracts={}, frozen={})
    contracts: dict[Key, Published] = {}
    deprecated: dict[Key, Mapping[str, str]] = {}
    added: dict[Key, Mapping[str, str]] = {}
    removed: dict[Key, Removals] = {}
    frozen: dict[Key, str] = {}
    structured: dict[Key, str] = {}
    forms: dict[Key, tuple[Form, ...]] = {}
    for key, current in state.contracts.items():
        contract = contract_from(manifest, *key, current.schema)
        if contract.lifecycle is Lifecycle.DRAFT:
            continue
        since = before.deprecated.get(key, {})
        now = {path: since.get(path, release) for path in deprecated_fields(current.schema)}
        if now:
            deprecated[key] = now
        slim = msgspec.structs.replace(contract, schema_json=orjson.dumps(structure(current.schema)))
        contracts[key] = msgspec.structs.replace(publish(contract), contract=slim)
        if key in before.contracts:
            lost = before.removed.get(key, Removals())
            removed[key] = removals(before.contracts[key], contracts[key], lost, release)
            added[key] = _added(before, key, contracts[key], release)
            structured[key], forms[key] = _forms(before, key, contracts[key], release)
        same = key in before.contracts and before.contracts[key].facts == contracts[key].facts
        frozen[key] = before.frozen[key] if same else release
    decisions = {
        id_: LockedDecision(decision.status, decision.digest, _accepted_since(before, decision, release))
        for id_, decision in state.decisions.items()
        if decision.status is not Status.PROPOSED
    }
    return Lock(
        releases=manifest.releases,
        planned=manifest.planned,
        contracts=contracts,
        frozen=frozen,
        since={key: first for key, first in structured.items() if first != frozen[key]},
        forms={key: kept for key, kept in forms.items() if kept},
        deprecated=deprecated,
        added={key: paths for key, paths in added.items() if paths},
        removed=removed,
        rewordings=before.rewordings,
        retirements=before.retirements,
        decisions=decisions,
    )


def _added(before: Lock, key: Key, now: Published, release: str) -> dict[str, str]:
    """Return since when each field is there that the contract did not have at first, or not all the time since."""
    had, since = fields(before.contracts[key].contract.schema), before.added.get(key, {})
    return {path: since.get(path, release) for path in fields(now.contract.schema) if path in since or path not in had}


def _forms(before: Lock, key: Key, now: Published, release: str) -> tuple[str, tuple[Form, ...]]:
    """Return since when a contract is as it is now, and its other forms before; one that is back is no other."""
    was, first = before.contracts[key], before.structured_since(*key)
    every = before.forms.get(key, ())
    if was.structure == now.structure:
        return first, every
    left = Form(first, before.releases[-1], was.structure, was.contract.schema)
    known = {form.structure: form.first for form in every}
    return known.get(now.structure, release), (*(form for form in every if form.structure != now.structure), left)


def _accepted_since(before: Lock, decision: Decision, release: str) -> str | None:
    if before.has_spent(decision.id) or not decision.is_accepted:
        known = before.decisions.get(decision.id)
        return known.since if known else None
    return release

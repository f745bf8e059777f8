"""The moves of a version that somebody asks for: `deprecate` and `retire`."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import msgspec

from jobarium_events.evolution.editing import ManifestEdit
from jobarium_events.evolution.evidence import UNSEEN, unseen_by
from jobarium_events.evolution.lock import Lock, Retirement, lock_bytes
from jobarium_events.evolution.refusals import EditError
from jobarium_events.evolution.state import State
from jobarium_events.writing import write_files

__all__ = ["deprecate", "retire"]


def deprecate(folder: Path, event: str, version: str, release: str, *, today: datetime.date | None = None) -> Path:
    """Bind the deprecation of a version to a planned release.

    Args:
        folder: The catalog's folder.
        event: The event's name.
        version: Such as ``"v1"``.
        release: The release that deprecates it.
        today: The day; by default today.

    Returns:
        The file that was written.

    Raises:
        CatalogError: If the contracts have mistakes, or would have.
        EditError: If there is no such version or no such release to come.
        Refused: If it would break a rule of the lifecycle.
    """
    state = State.of(folder, today=today or datetime.datetime.now(tz=datetime.UTC).date())
    state.contract(event, version)
    state.planned(release)
    edit = ManifestEdit(folder)
    edit.move(event, version, "deprecated", release)
    state.agree(f"to deprecate {event} {version} in {release}", edit.manifest, state.lock)
    write_files({edit.path: edit.text.encode()})
    return edit.path


def retire(
    folder: Path,
    event: str,
    version: str,
    release: str,
    *,
    evidence: Sequence[Path] = (),
    decision: str | None = None,
    unseen: datetime.timedelta = UNSEEN,
    now: datetime.datetime | None = None,
) -> tuple[Path, ...]:
    """Bind the retirement of a version to a planned release, and take the evidence that it may be retired.

    Without evidence or a decision the retirement is planned only: the release itself will ask for them.

    Args:
        folder: The catalog's folder.
        event: The event's name.
        version: Such as ``"v1"``.
        release: The release that retires it.
        evidence: Files of counters of every service that emits or consumes the event.
        decision: Id of the decision that waives the evidence.
        unseen: For how long the version has to be unseen.
        now: The moment; by default now.

    Returns:
        The files that were written.

    Raises:
        CatalogError: If the contracts have mistakes, or would have.
        LockError: If the lock cannot be used.
        CountersError: If a file is no file of counters.
        EvidenceError: If the counters do not show that the version is no longer seen.
        EditError: If there is no such version, release or decision.
        Refused: If it would break a rule of the lifecycle.
    """
    now = now or datetime.datetime.now(tz=datetime.UTC)
    state = State.of(folder, today=now.date())
    contract = state.contract(event, version)
    state.planned(release)
    edit = ManifestEdit(folder)
    edit.move(event, version, "retired", release)
    unseen_in = {}
    if decision is not None:
        _see_that_it_waives(state, decision, event, version)
    elif evidence:
        _see_that_it_is_next(state, release)
        frozen = state.lock.contracts.get((event, version)) if state.lock else None
        released = frozen.contract if frozen else None
        unseen_in = unseen_by(contract, evidence, now=now, unseen=unseen, released=released)
    lock = state.lock
    if lock is not None and (evidence or decision):
        shown = Retirement(
            event=event,
            version=version,
            release=release,
            when=now.date().isoformat(),
            unseen=unseen_in,
            decision=decision,
        )
        lock = _with(lock, shown)
    state.agree(f"to retire {event} {version} in {release}", edit.manifest, lock)
    files = {edit.path: edit.text.encode()}
    if lock is not None and lock is not state.lock:
        files[state.lock_path] = lock_bytes(lock)
    write_files(files)
    return tuple(files)


def _see_that_it_waives(state: State, decision: str, event: str, version: str) -> None:
    found = state.decisions.get(decision)
    if found is None:
        raise EditError(f"{decision} is not in the log, or has mistakes; `jobarium-events decisions` lists the log")
    if not found.is_accepted:
        raise EditError(f"{decision} is {found.status}; only an accepted decision waives evidence")
    if not found.waives_evidence(event, version):
        raise EditError(
            f"{decision} does not waive the evidence for {event} {version}; it would need a table [[allows]] with "
            f'event = "{event}", version = "{version}" and retirement = true'
        )


def _see_that_it_is_next(state: State, release: str) -> None:
    if state.lock is None:
        raise EditError(f"there is no {state.lock_path} to keep the evidence; `jobarium-events release` writes it")
    if release != state.manifest.planned[0]:
        raise EditError(
            f"evidence is taken right before a release, and the next one is {state.manifest.planned[0]}; plan the "
            f"retirement in {release} without evidence, and give it then"
        )


def _with(lock: Lock, retirement: Retirement) -> Lock:
    others = [each for each in lock.retirements if (each.event, each.version) != (retirement.event, retirement.version)]
    return msgspec.structs.replace(lock, retirements=(*others, retirement))

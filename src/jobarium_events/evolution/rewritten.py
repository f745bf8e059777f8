"""A lock is only added to: what it says of the past is held against the lock of an older state.

A lock that was deleted and made anew would have frozen whatever stands in the schemas on that day, and would have
forgotten what was removed, decided and shown before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.evolution.decision import Status
from jobarium_events.evolution.decisions import MOVES
from jobarium_events.evolution.fields import fields
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.lock import LOCK_FILE
from jobarium_events.evolution.removed import Removals, removals
from jobarium_events.validation.dialects import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jobarium_events.evolution.lock import Lock, LockedDecision, Retirement, Rewording
    from jobarium_events.evolution.published import Baseline
    from jobarium_events.evolution.removed import Removal

__all__ = ["rewritten"]

Key = tuple[str, str]
"""Event and version."""


def rewritten(baseline: Baseline | None, lock: Lock | None) -> Iterator[Finding]:
    """Yield where a lock has forgotten what the lock of a baseline knows, or says otherwise.

    Args:
        baseline: What the folder is held against.
        lock: The folder's lock.
    """
    before = baseline.lock if baseline else None
    if baseline is None or before is None:
        return
    if lock is None:
        yield _finding("", "", f"{LOCK_FILE} is gone, and {baseline.name} has one")
        return
    if lock.releases[: len(before.releases)] != before.releases:
        return  # the manifest cannot agree with both, and is found for that
    for key in before.contracts:
        yield from _contract(before, lock, key, baseline.name)
    for id_, decision in before.decisions.items():
        if not _follows(decision, lock.decisions.get(id_)):
            yield _finding("", f"/decisions/{id_}", f"it does not have {id_} as that of {baseline.name} has it")
    released = [each for each in before.retirements if each.release in before.releases]
    yield from _lacking("retirements", released, lock.retirements, baseline.name)
    yield from _lacking("rewordings", before.rewordings, lock.rewordings, baseline.name)


def _lacking(
    what: str, had: Sequence[Rewording | Retirement], has: Sequence[Rewording | Retirement], name: str
) -> Iterator[Finding]:
    for each in had:
        if each not in has:
            contract = f"{each.event} {each.version}"
            text = f"of {contract} it lacks one of the {what} that are in that of {name}"
            yield _finding(contract, f"/{what}", text)


def _contract(before: Lock, lock: Lock, key: Key, name: str) -> Iterator[Finding]:
    contract, pointer = " ".join(key), f"/events/{escape(key[0])}/{key[1]}"
    if key not in lock.contracts:
        yield _finding(contract, pointer, f"{contract} is not in it any more, and is in that of {name}")
    elif otherwise := [*_frozen(before, lock, key), *_forgotten(before, lock, key)]:
        text = f"of {contract} it does not say what that of {name} says: {', '.join(otherwise)}"
        yield _finding(contract, pointer, text)


def _finding(contract: str, pointer: str, text: str) -> Finding:
    return Finding(
        rule="lock-rewritten",
        severity=Severity.ERROR,
        contract=contract,
        file=LOCK_FILE,
        pointer=pointer,
        text=text,
        advice="restore the lock; commands only add to it, and none makes one anew where there has been one",
    )


def _frozen(before: Lock, lock: Lock, key: Key) -> Iterator[str]:
    """Yield what is not as it was frozen, though no later release has frozen the contract."""
    if lock.frozen[key] not in before.releases:
        return
    if lock.frozen[key] != before.frozen[key]:
        yield "frozen"
    now = lock.contracts[key].facts
    yield from (name for name, fact in before.contracts[key].facts.items() if now[name] != fact)


def _forgotten(before: Lock, lock: Lock, key: Key) -> Iterator[str]:
    """Yield what has been lost of a contract's past, whatever became of it since."""
    had, has = _forms(before, key), _forms(lock, key)
    yield from (f"its form since {first}" for structure, first in had.items() if has.get(structure) != first)
    marked = before.deprecated.get(key, {}).values()
    if any(since in before.releases and since not in marked for since in lock.deprecated.get(key, {}).values()):
        yield "deprecated_fields"
    if not _knows_added(before, lock, key):
        yield "added_fields"
    old, new = before.contracts[key], lock.contracts[key]
    known, kept = before.removed.get(key, Removals()), lock.removed.get(key, Removals())
    lost = known if old.facts == new.facts else removals(old, new, known, lock.frozen[key])
    if not _keeps(known.fields, lost.fields, kept.fields):
        yield "removed_fields"
    if not all(
        _keeps(known.values.get(path, {}), gone, kept.values.get(path, {})) for path, gone in lost.values.items()
    ):
        yield "removed_values"


def _knows_added(before: Lock, lock: Lock, key: Key) -> bool:
    """Whether each field is still said to be there since the same release, or to have come back in a later one."""
    had, has = before.added.get(key, {}), lock.added.get(key, {})
    otherwise = {path for path in had.keys() | has.keys() if had.get(path) != has.get(path)}
    if any(has[path] in before.releases for path in otherwise & has.keys()):
        return False
    gone = otherwise - has.keys()
    return not gone or gone.isdisjoint(fields(lock.contracts[key].contract.schema))


def _forms(lock: Lock, key: Key) -> dict[str, str]:
    """Return since when a contract has had each of its structures, also the present one."""
    forms = {form.structure: form.first for form in lock.forms.get(key, ())}
    return {**forms, lock.contracts[key].structure: lock.structured_since(*key)}


def _keeps(known: Mapping[str, Removal], lost: Mapping[str, Removal], kept: Mapping[str, Removal]) -> bool:
    """Whether all that was lost is kept, and what was known of it before is unchanged."""
    return all(name in kept and (name not in known or kept[name].digest == known[name].digest) for name in lost)


def _follows(before: LockedDecision, now: LockedDecision | None) -> bool:
    return now is not None and now.digest == before.digest and now.status in MOVES[Status(before.status)]

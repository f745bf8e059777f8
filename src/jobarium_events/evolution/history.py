"""What has been published stays as it was: releases, contracts, and every move that somebody has planned by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import orjson

from jobarium_events.catalog.loading import schema_path
from jobarium_events.contract import Contract, Lifecycle
from jobarium_events.evolution.evidence import FRESH
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.meanings import structure
from jobarium_events.evolution.moves import MOVES, Releases, finding

if TYPE_CHECKING:
    from jobarium_events.catalog.manifest import Manifest, VersionEntry
    from jobarium_events.evolution.decision import Decision
    from jobarium_events.evolution.lock import Lock, Retirement
    from jobarium_events.evolution.published import Baseline

__all__ = ["NOT_FROZEN", "history_findings", "outdated_evidence"]

NOT_FROZEN = "release-not-frozen"
"""The rule that a release in the manifest is in the lock as well."""

_WITHOUT_EVIDENCE = "retirement-without-evidence"

Key = tuple[str, str]
"""Event and version."""


def history_findings(
    manifest: Manifest,
    contracts: Mapping[Key, Contract],
    baseline: Baseline | None,
    decisions: Mapping[str, Decision],
    lock: Lock | None,
) -> Iterator[Finding]:
    """Yield what a manifest says otherwise than what has been published; the parameters are `lifecycle_findings`'."""
    if lock is not None:
        yield from _releases("catalog.lock", Releases(lock.releases, lock.planned), manifest)
        yield from _not_frozen(lock, manifest)
    if baseline is None:
        return
    if lock is None or lock.releases != baseline.releases:
        yield from _releases(baseline.name, Releases(baseline.releases, baseline.planned), manifest)
    yield from _History(manifest, baseline, decisions, lock).findings(contracts)


def _releases(name: str, before: Releases, manifest: Manifest) -> Iterator[Finding]:
    now = Releases.of(manifest)
    if now.past[: len(before.past)] != before.past:
        yield finding(
            "releases-rewritten",
            ("releases",),
            f"the releases in {name} are {', '.join(before.past)}, and those here do not begin with them",
            "a release is history: restore them, and append new ones with `jobarium-events release NAME`",
        )
        return
    kept = [release for release in before.planned if release in now.every]
    if kept != [release for release in now.every if release in kept]:
        yield finding(
            "planned-reordered",
            ("planned",),
            f"the planned releases in {name} come in the order {', '.join(kept)}, and here in another one",
            "keep their order: moves are bound to them, and would come earlier",
        )


def _not_frozen(lock: Lock, manifest: Manifest) -> Iterator[Finding]:
    count = len(lock.releases)
    if manifest.releases[:count] == lock.releases and len(manifest.releases) > count:
        names = ", ".join(manifest.releases[count:])
        yield finding(
            NOT_FROZEN,
            ("releases",),
            f"the lock knows nothing of {names}: what was released then is not frozen",
            "`jobarium-events release NAME` appends a release and freezes it; run it, or take the name out",
        )


class _History:
    """What has been published, with what there is now."""

    def __init__(
        self, manifest: Manifest, baseline: Baseline, decisions: Mapping[str, Decision], lock: Lock | None
    ) -> None:
        self.manifest = manifest
        self.decisions = decisions.values()
        self.lock = lock
        self.before = Releases(baseline.releases, baseline.planned)
        self.now = Releases.of(manifest)
        self.published = {
            key: each.contract
            for key, each in baseline.contracts.items()
            if each.contract.lifecycle is not Lifecycle.DRAFT
        }

    def findings(self, contracts: Mapping[Key, Contract]) -> Iterator[Finding]:
        """Yield everything that is otherwise than it was, and may not be."""
        yield from self._gone(contracts)
        yield from self._owners()
        for event, declared in self.manifest.events.items():
            for version, entry in declared.versions.items():
                old = self.published.get((event, version))
                for what in MOVES:
                    was, release = (getattr(each, what) if each else None for each in (old, entry))
                    if release != was:
                        yield from self._moved((event, version), what, was, release)
                if old is None or old.lifecycle is not Lifecycle.RETIRED:
                    yield from self._retired((event, version), entry)

    def _gone(self, contracts: Mapping[Key, Contract]) -> Iterator[Finding]:
        gone = [contract for key, contract in self.published.items() if key not in contracts]
        new = [contract for key, contract in contracts.items() if key not in self.published] if gone else []
        names = {_accepted(contract): contract.name for contract in new}
        for contract in gone:
            now = names.get(_accepted(contract))
            if now is None:
                rule, what = "contract-deleted", "is deleted"
                advice = "restore its schema and its table; a version that is not used any more is retired"
            else:
                rule, what = "contract-renamed", f"is renamed to {now}"
                advice = "restore it; another name is another event, which may be introduced beside it"
            yield Finding(
                rule=rule,
                severity=Severity.ERROR,
                contract=contract.name,
                file=schema_path(contract.event, contract.version),
                text=f"{contract.name} has been released, and {what}",
                advice=advice,
            )

    def _owners(self) -> Iterator[Finding]:
        for event, owner in {event: contract.owner for (event, _), contract in self.published.items()}.items():
            declared = self.manifest.events.get(event)
            if declared is None or declared.owner == owner:
                continue
            text = (
                f"{event} has the owner {declared.owner} and had {owner}: consumers with the catalog of the last "
                f"release reject what {declared.owner} emits"
            )
            # The last word holds: what was decided before it has been done, or is not to be done any more.
            deciding = [each for each in self.decisions if each.new_owner(event)]
            last = max(deciding, key=lambda each: (len(each.id), each.id), default=None)
            allowed = last is not None and last.new_owner(event) == declared.owner
            advice = "deploy the consumers first"
            if last is not None:
                named = last.new_owner(event)
                text += f"; {last.id} allows it" if allowed else f"; {last.id} names {named} as the owner"
            if not allowed:
                advice = f'have it decided, with [[allows]] event = "{event}" and owner = "{declared.owner}"; {advice}'
            severity = Severity.NOTE if allowed else Severity.ERROR
            yield finding("owner-changed", ("event", event, "owner"), text, advice, severity=severity)

    def _moved(self, key: Key, what: str, was: str | None, release: str | None) -> Iterator[Finding]:
        """Yield what is wrong with one move, that was bound to one release and is bound to another."""
        past = self.before.past
        if was in past:
            if release in past:
                rule, text = "history-rewritten", f"was {what} in {was}, and here in {release}"
            else:
                when = f"is to be {what} in {release}" if release else f"is not {what} any more"
                rule, text = "lifecycle-reversed", f"was {what} in {was}, and {when}"
            advice = f'restore {what} = "{was}"; a lifecycle only goes forward'
        elif release in past:
            rule, text = "move-backdated", f"is {what} in {release}, which was released without that"
            advice = "bind it to a release that is to come"
        elif was is not None and release is not None and self._is_earlier(release, was):
            rule, text = "release-moved-earlier", f"was to be {what} in {was}, and is in {release} already"
            advice = f"keep {was} or a later one: others have planned by it"
        elif was is not None and release is None and (deciding := self._replacing(key)):
            rule, text = (
                "timeline-not-followed",
                f"was to be {what} in {was}, as {deciding.id} says, and is not any more",
            )
            advice = f"bind it to {was} or a later release, or have another decision supersede {deciding.id}"
        else:
            return
        contract = " ".join(key)
        yield finding(rule, ("event", *key, what), f"{contract} {text}", advice, contract=contract)

    def _replacing(self, key: Key) -> Decision | None:
        """Return the decision by which a version goes, if the version that takes its place has been released."""
        event, version = key
        released = [each for name, each in self.published if name == event]
        deciding = (each for each in self.decisions if each.timeline_of(event, version))
        return next((each for each in deciding if any(each.introduces(event, newer) for newer in released)), None)

    def _is_earlier(self, release: str, was: str) -> bool:
        """Whether a release comes before the one that had been named, or before what has taken that one's place."""
        following = self.before.every[self.before.place(was) or 0 :]
        at = next((each for each in following if each in self.now.every), None)
        return (self.now.apart(at, release) or 0) < 0

    def _retired(self, key: Key, entry: VersionEntry) -> Iterator[Finding]:
        """Yield that a version has been retired though nobody has shown that it may."""
        if entry.retired not in self.now.past or any(each.waives_evidence(*key) for each in self.decisions):
            return
        if self.lock is not None:
            frozen = self.lock.contracts.get(key)
            shown = self.lock.retirement(*key)
            if frozen and frozen.contract.lifecycle is Lifecycle.RETIRED:
                return
            # Where a decision was to waive it, that one has to stand by it until the release.
            if shown and shown.decision is None and shown.release == entry.retired:
                return
        contract = " ".join(key)
        yield finding(
            _WITHOUT_EVIDENCE,
            ("event", *key, "retired"),
            f"{contract} is retired in {entry.retired}, and nobody has shown that it is no longer seen",
            f"`jobarium-events retire {contract} --in {entry.retired} --evidence FILE` takes the evidence; or have a "
            "decision waive it",
            contract=contract,
        )


def outdated_evidence(
    manifest: Manifest, lock: Lock | None, decisions: Mapping[str, Decision], release: str, *, today: date
) -> Iterator[Finding]:
    """Yield each version that a release retires and whose evidence has become too old to show anything.

    Args:
        manifest: The manifest of the folder.
        lock: The folder's lock, which has the evidence.
        decisions: The decision log, by id; where one waives the evidence, its age does not matter.
        release: The release that is made.
        today: The day.
    """
    for shown in lock.retirements if lock else ():
        declared = manifest.events.get(shown.event)
        entry = declared.versions.get(shown.version) if declared else None
        if entry is None or not entry.retired == shown.release == release:
            continue
        end = _end(shown)
        waived = any(each.waives_evidence(shown.event, shown.version) for each in decisions.values())
        if today - end > FRESH and not waived:
            contract = f"{shown.event} {shown.version}"
            yield finding(
                _WITHOUT_EVIDENCE,
                ("event", shown.event, shown.version, "retired"),
                f"{contract} is retired in {release}, and the evidence that it is no longer seen ends on {end}, "
                f"{(today - end).days} days ago",
                f"take new counters: `jobarium-events retire {contract} --in {release} --evidence FILE`",
                contract=contract,
            )


def _end(shown: Retirement) -> date:
    """Return the day up to which evidence reaches: where services differ, that of the one that ends first."""
    ends = [datetime.fromisoformat(time.rpartition("/")[2]).date() for time in shown.unseen.values()]
    return min(ends, default=date.fromisoformat(shown.when))


def _accepted(contract: Contract) -> bytes:
    """Return what decides which payloads a contract accepts, to be compared."""
    return orjson.dumps(structure(contract.schema), option=orjson.OPT_SORT_KEYS)

"""The rules of the lifecycle: when a version may come, and when another may go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jobarium_events.contract import Lifecycle, version_number
from jobarium_events.evolution.decision import Decision, Status
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.history import history_findings
from jobarium_events.evolution.moves import Releases, finding

if TYPE_CHECKING:
    from jobarium_events.catalog.manifest import Manifest, VersionEntry
    from jobarium_events.contract import Contract
    from jobarium_events.evolution.lock import Lock
    from jobarium_events.evolution.published import Baseline

__all__ = ["WINDOW", "lifecycle_findings"]

WINDOW = 2
"""In how many releases at least a deprecated version is still consumed."""

Key = tuple[str, str]
"""Event and version."""


def lifecycle_findings(
    manifest: Manifest,
    contracts: Mapping[Key, Contract],
    baseline: Baseline | None,
    decisions: Mapping[str, Decision],
    lock: Lock | None = None,
) -> list[Finding]:
    """Find what speaks against a manifest: in itself, and against what has been published.

    Args:
        manifest: The manifest of the folder.
        contracts: The folder's contracts, by event and version.
        baseline: What has been published, or None if there is nothing to hold it against.
        decisions: The decision log, by id.
        lock: The folder's lock, which has the evidence for retirements.
    """
    now = _Now(manifest, baseline, decisions)
    findings: list[Finding] = []
    for event in manifest.events:
        for version in sorted(manifest.events[event].versions, key=version_number):
            findings += now.window(event, version)
            findings += now.successor(event, version)
            findings += now.decision(event, version)
    findings += history_findings(manifest, contracts, baseline, decisions, lock)
    return findings


class _Now:
    """The rules that hold of the manifest as it is."""

    def __init__(self, manifest: Manifest, baseline: Baseline | None, decisions: Mapping[str, Decision]) -> None:
        self.events = manifest.events
        self.releases = Releases.of(manifest)
        self.published = {
            key: each.contract
            for key, each in (baseline.contracts if baseline else {}).items()
            if each.contract.lifecycle is not Lifecycle.DRAFT
        }
        self.has_baseline = baseline is not None
        self.decisions = decisions

    def window(self, event: str, version: str) -> Iterator[Finding]:
        """Dual-consume lasts long enough for everybody to follow."""
        entry = self.events[event].versions[version]
        if self._was_retired(event, version):
            return
        lasts = self.releases.apart(entry.deprecated, entry.retired)
        if lasts is not None and lasts < WINDOW:
            earliest = self.releases.every[self._place(entry.deprecated) + WINDOW :][:1]
            yield finding(
                "dual-consume-too-short",
                ("event", event, version, "retired"),
                f"{event} {version} is deprecated in {entry.deprecated} and retired in {entry.retired}: dual-consume "
                f"lasts {lasts} release, and has to last {WINDOW}",
                f"retire it in {earliest[0]} or later" if earliest else "plan another release, and retire it in that",
                contract=f"{event} {version}",
            )

    def successor(self, event: str, version: str) -> Iterator[Finding]:
        """A version is deprecated when there is another to move to."""
        entry = self.events[event].versions[version]
        if entry.deprecated is None or self._was_retired(event, version):
            return
        at = self._place(entry.deprecated)
        number = version_number(version)
        versions = self.events[event].versions
        if any(self._is_active(each, at) for newer, each in versions.items() if version_number(newer) > number):
            return
        yield finding(
            "successor-missing",
            ("event", event, version, "deprecated"),
            f"{event} {version} is deprecated in {entry.deprecated}, and no newer version is active then",
            f"introduce a newer version by {entry.deprecated}, or deprecate this one later",
            contract=f"{event} {version}",
        )

    def decision(self, event: str, version: str) -> Iterator[Finding]:
        """A new version of a published event has been decided, and those that it replaces are on their way out."""
        entry = self.events[event].versions[version]
        older = self._published_before(event, version)
        before = self.published.get((event, version))
        if not older or (before is not None and before.decision is None):
            return
        # Before a release is named, it is still being worked on.
        severity = Severity.WARNING if entry.introduced is None else Severity.ERROR
        problem = self._undecided(event, version, entry, released=before is not None)
        if problem:
            yield finding(
                problem[0],
                ("event", event, version, "decision"),
                f"{event} {version} is a new version of a published event, and {problem[1]}",
                problem[2],
                contract=f"{event} {version}",
                severity=severity,
            )
        elif entry.introduced is not None and before is None:
            decision = self.decisions[entry.decision or ""]
            for each in older:
                if self.events[event].versions[each].retired not in self.releases.past:
                    yield from self._leaving(event, each, decision, version)

    def _undecided(
        self, event: str, version: str, entry: VersionEntry, *, released: bool
    ) -> tuple[str, str, str] | None:
        """Return the rule that a version's decision breaks, what is wrong and what to do; None if it breaks none."""
        if entry.decision is None:
            advice = 'write one with `jobarium-events decisions new`, and name it: decision = "DEC-..."'
            return "decision-missing", "names no decision", advice
        decision = self.decisions.get(entry.decision)
        if decision is None:
            advice = "write it, or name the one that allows this version"
            return "decision-missing", f"names {entry.decision}, which is not in the log or has mistakes", advice
        if not decision.introduces(event, version):
            advice = f'add to it [[allows]] with event = "{event}" and version = "{version}", or name another decision'
            return "decision-not-for-it", f"names {decision.id}, which does not speak of it", advice
        if decision.is_accepted or (released and decision.status is Status.SUPERSEDED):
            return None
        return (
            "decision-not-accepted",
            f"{decision.id} is {decision.status}",
            'have it accepted, and set its status = "accepted"',
        )

    def _leaving(self, event: str, version: str, decision: Decision, newer: str) -> Iterator[Finding]:
        """Yield where it was not decided when a version leaves, and where it does not leave as it was decided."""
        entry = self.events[event].versions[version]
        # What is on its way out already has its timeline in the decision on a version in between.
        deciding = next(
            (each for each in (decision, *self.decisions.values()) if each.timeline_of(event, version)), decision
        )
        agreed = deciding.timeline_of(event, version)
        if agreed is None and any(each.event == event for each in decision.timeline):
            yield Finding(
                rule="timeline-missing",
                severity=Severity.ERROR,
                contract=f"{event} {version}",
                file=decision.file,
                pointer="timeline",
                text=f"{decision.id} lets {newer} take the place of {event} {version}, and does not say when that goes",
                advice=f'add a table [[timeline]]: event = "{event}", version = "{version}", deprecated and retired',
            )
        moves = [("deprecated", entry.deprecated, agreed.deprecated if agreed else None)]
        if agreed:
            moves.append(("retired", entry.retired, agreed.retired))
        for what, release, at in moves:
            if release is None:
                command = "deprecate" if what == "deprecated" else "retire"
                text = f"{newer} takes the place of {event} {version}, which is bound to no release that has it {what}"
                advice = f"`jobarium-events {command} {event} {version} --in {at or 'RELEASE'}` binds it"
            elif (self.releases.apart(at, release) or 0) < 0:
                text = f"{event} {version} is {what} in {release}, and {deciding.id} says {at}"
                advice = f"have it {what} in {at} or later"
            else:
                continue
            place = ("event", event, version, what)
            yield finding("timeline-not-followed", place, text, advice, contract=f"{event} {version}")

    def _was_retired(self, event: str, version: str) -> bool:
        before = self.published.get((event, version))
        return before is not None and before.lifecycle is Lifecycle.RETIRED

    def _place(self, release: str | None) -> int:
        return self.releases.place(release) or 0

    def _is_active(self, entry: VersionEntry, at: int) -> bool:
        introduced, deprecated = self.releases.place(entry.introduced), self.releases.place(entry.deprecated)
        return introduced is not None and introduced <= at and (deprecated is None or deprecated > at)

    def _published_before(self, event: str, version: str) -> list[str]:
        """Return the older versions that have been released."""
        older = [each for each in self.events[event].versions if version_number(each) < version_number(version)]
        if self.has_baseline:
            return [each for each in older if (event, each) in self.published]
        return [each for each in older if self.events[event].versions[each].introduced in self.releases.past]

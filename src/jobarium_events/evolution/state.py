"""A catalog's folder as the commands find it, and what speaks against a manifest of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

import msgspec

from jobarium_events.catalog import Catalog
from jobarium_events.catalog.manifest import MANIFEST, Manifest, read
from jobarium_events.contract import Contract
from jobarium_events.evolution.decision import Decision
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.history import NOT_FROZEN
from jobarium_events.evolution.lifecycle import lifecycle_findings
from jobarium_events.evolution.lock import LOCK_FILE, Lock, read_lock
from jobarium_events.evolution.refusals import EditError, Refused

__all__ = ["State"]

Key = tuple[str, str]
"""Event and version."""


class State(msgspec.Struct, frozen=True):
    """A catalog's folder.

    Attributes:
        folder: Where it stands.
        manifest: Its manifest.
        contracts: By event and version.
        lock: Its lock, or None if nothing has been frozen.
        decisions: Its decisions, by id.
    """

    folder: Path
    manifest: Manifest
    contracts: Mapping[Key, Contract]
    lock: Lock | None
    decisions: Mapping[str, Decision]

    @classmethod
    def of(cls, folder: Path, *, today: datetime.date) -> State:
        """Read a folder.

        Raises:
            CatalogError: If its contracts have mistakes.
            LockError: If its lock cannot be used.
        """
        catalog = Catalog.load(folder)
        lock = read_lock(folder)
        decisions, _ = read_decisions(folder, lock=lock, known=catalog.entries.keys(), today=today)
        contracts = {(each.event, each.version): each for each in catalog}
        return cls(folder, read(folder)[0], contracts, lock, decisions)

    @property
    def lock_path(self) -> Path:
        """Where its lock stands."""
        return self.folder / LOCK_FILE

    def contract(self, event: str, version: str) -> Contract:
        """Return a contract.

        Raises:
            EditError: If there is none such.
        """
        contract = self.contracts.get((event, version))
        if contract is None:
            versions = [each for name, each in self.contracts if name == event]
            events = dict.fromkeys(name for name, _ in self.contracts)
            known = f"the versions of {event} are {', '.join(versions)}" if versions else f"it has {', '.join(events)}"
            raise EditError(f"{self.folder} has no {event} {version}; {known}")
        return contract

    def planned(self, release: str) -> None:
        """See that a release is to come.

        Raises:
            EditError: If it is not planned.
        """
        if release not in self.manifest.planned:
            what = "has been released" if release in self.manifest.releases else "is not planned"
            listed = ", ".join(self.manifest.planned) or "none"
            raise EditError(
                f"{release} {what}; the releases to come are {listed} (`planned` in {self.folder / MANIFEST})"
            )

    def agree(self, what: str, manifest: Manifest, lock: Lock | None) -> None:
        """See that a manifest breaks no rule of the lifecycle that the present one does not break.

        Args:
            what: What is asked for, in words.
            manifest: The manifest as it would be.
            lock: The lock as it would be.

        Raises:
            Refused: With the findings that are new.
        """
        before = self._errors(self.manifest, self.lock)
        new = [each for each in self._errors(manifest, lock) if each not in before]
        if new:
            raise Refused(what, new)

    def _errors(self, manifest: Manifest, lock: Lock | None) -> list[Finding]:
        baseline = lock.baseline() if lock else None
        found = lifecycle_findings(manifest, self.contracts, baseline, self.decisions, lock)
        # A release is not frozen while it is being made; everything else that speaks against it counts.
        return [each for each in found if each.severity is Severity.ERROR and each.rule != NOT_FROZEN]

"""The moves of a lifecycle: where they stand in the manifest, and which release comes before which."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jobarium_events.catalog.manifest import MANIFEST, Manifest, quoted
from jobarium_events.evolution.findings import Finding, Severity

__all__ = ["MOVES", "Releases", "finding"]

MOVES = ("introduced", "deprecated", "retired")
"""The moves of a version, in their order; each is a key of the manifest."""


class Releases(msgspec.Struct, frozen=True):
    """The releases that there were and that are to come, in order.

    Attributes:
        past: Those that there were.
        planned: Those that are to come.
    """

    past: tuple[str, ...]
    planned: tuple[str, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> Releases:
        """Return the releases of a manifest."""
        return cls(manifest.releases, manifest.planned)

    @property
    def every(self) -> tuple[str, ...]:
        """All of them."""
        return self.past + self.planned

    def place(self, release: str | None) -> int | None:
        """Return how many releases come before one; None if it is not known."""
        return self.every.index(release) if release in self.every else None

    def apart(self, early: str | None, late: str | None) -> int | None:
        """Return how many releases one comes after another; None if one of them is not known."""
        first, last = self.place(early), self.place(late)
        return None if first is None or last is None else last - first


def finding(
    rule: str,
    place: Sequence[str],
    text: str,
    advice: str,
    *,
    contract: str = "",
    severity: Severity = Severity.ERROR,
) -> Finding:
    """Return a finding in the manifest.

    Args:
        rule: Id of the rule.
        place: The keys that lead there, such as ``("event", "job.updated", "v1", "retired")``.
        text: What is wrong.
        advice: What to do instead.
        contract: Event and version, if it concerns one.
        severity: How much it weighs.
    """
    return Finding(
        rule=rule,
        severity=severity,
        contract=contract,
        file=MANIFEST,
        pointer=".".join(map(quoted, place)),
        text=text,
        advice=advice,
    )

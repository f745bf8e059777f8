"""The report of a check, as a value: what was held against what, and all that was found."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.evolution.findings import Finding, Severity

if TYPE_CHECKING:
    # Reports are never decoded, and printing one needs none of the provers that a comparison brings along.
    from jobarium_events.evolution.comparing import Comparison  # noqa: TC004

__all__ = ["Mode", "Report"]


class Mode(StrEnum):
    """What a registry of schemas would ask, of the schemas as written, about each version that has changed."""

    BACKWARD = "backward"
    """Whether the new schema reads what was written with the old one."""
    FORWARD = "forward"
    """Whether the old schema reads what is written with the new one."""
    FULL = "full"
    """Both."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found.

    Attributes:
        folder: The folder that was checked, as it was given.
        against: Name of the baseline that it was held against; empty where there was none.
        mode: The question of a registry, if only that was asked; otherwise empty.
        findings: In the order of contracts, files, places and rules.
        comparisons: One for each contract that differs from the baseline, and for each new version.
        contracts: How many contracts the folder has.
        unchanged: How many of them are in the baseline with the same digests.
    """

    folder: str
    against: str = ""
    mode: str = ""
    findings: tuple[Finding, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    contracts: int = 0
    unchanged: int = 0

    @property
    def ok(self) -> bool:
        """Whether the folder may ship as it is: there is no finding of severity error."""
        return self.count(Severity.ERROR) == 0

    def count(self, severity: Severity) -> int:
        """Return how many findings weigh so much."""
        return sum(finding.severity is severity for finding in self.findings)

"""What a check found: one value for each finding, whatever rule it comes from and however it is printed."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from jobarium_events.evolution.verdicts import Containment, Reader

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The change may not ship as it is."""
    WARNING = "warning"
    """Somebody should look, but nothing breaks."""
    NOTE = "note"
    """Worth knowing: a change that is compatible."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a check found.

    Attributes:
        rule: Stable id of the rule, such as ``"field-removed"`` or ``"decision-missing"``.
        severity: How much it weighs.
        contract: Event and version, ``"job.updated v1"``; empty where it concerns no contract.
        file: Path of the file to look at, relative to the folder.
        pointer: JSON Pointer into the schema, or a key of the manifest; empty for the whole file.
        text: What is wrong, in one sentence.
        advice: What to do instead, in one sentence; may be empty.
        reader: Whom it breaks, where that is known.
        proof: The containment that failed, with its witness, where there is one.
        explanation: What each side says of the witness, as pairs of a side and its verdict.
    """

    rule: str
    severity: Severity
    contract: str = ""
    file: str = ""
    pointer: str = ""
    text: str
    advice: str = ""
    reader: Reader | None = None
    proof: Containment | None = None
    explanation: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON, without what it lacks."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return {key: value for key, value in document.items() if value not in ("", None, ())}

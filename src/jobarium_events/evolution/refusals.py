"""What the commands of evolution refuse, as errors.

::

    JobariumEventsError
    ├── LockError        the lock is broken, was edited by hand, or cannot be read by this version of the library
    ├── EvidenceError    counters that do not show that a version is no longer seen
    ├── EditError        what was asked for cannot be written: there is no such event, version or release
    └── Refused          what was asked for would break the rules; the findings say which
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.errors import JobariumEventsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobarium_events.evolution.findings import Finding

__all__ = ["EditError", "EvidenceError", "LockError", "Refused"]


class LockError(JobariumEventsError):
    """A lock that cannot be used.

    Attributes:
        path: Where it stands.
        problem: What is wrong with it.
        way_out: What to do about it, where the lock is a file that can be mended.
    """

    def __init__(self, path: str, problem: str, way_out: str) -> None:
        self.path = path
        self.problem = problem
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.path} {self.problem}; {self.way_out}"


class EvidenceError(JobariumEventsError):
    """Evidence that does not show that a version is no longer seen.

    Attributes:
        contract: Event and version.
        problems: What it does not show, and why.
    """

    def __init__(self, contract: str, problems: Iterable[str]) -> None:
        self.contract = contract
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        return f"there is no evidence that {self.contract} is no longer seen:{lines}"


class EditError(JobariumEventsError):
    """Something was asked for that cannot be written; nothing was.

    Attributes:
        problem: What is wrong, and the way out.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class Refused(JobariumEventsError):
    """Something was asked for that would break the rules; nothing was written.

    Attributes:
        what: What was asked for, such as ``"release 2026.4"``.
        findings: What speaks against it.
    """

    def __init__(self, what: str, findings: Iterable[Finding]) -> None:
        self.what = what
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return f"{self.what} is refused:{''.join(map(_line, self.findings))}"


def _line(finding: Finding) -> str:
    place = " at ".join(filter(None, (finding.file, finding.pointer)))
    advice = finding.advice and f"{'' if finding.text.endswith('.') else ';'} {finding.advice}"
    return f"\n  - {place}: {finding.text}{advice} [{finding.rule}]"

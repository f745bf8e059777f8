"""What lint found: a value for each finding, for each statement, and for the whole."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from jobarium_events.migrations.lint.locking.locks import Lock

__all__ = ["Finding", "LintedStatement", "Report", "Severity"]


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """It may not run as it is."""
    WARNING = "warning"
    """Somebody should look, but it may run."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that lint found.

    Attributes:
        rule: Id of the rule, such as ``"index-not-concurrent"``; the page of rules explains it.
        severity: How much it weighs.
        file: Path of the file, as it was given or found.
        line: Counted from 1; 0 for the whole file.
        text: What is wrong and how to mend it.
        safe: The SQL to write instead; empty where there is none.
        versions: The major versions of Postgres on which it is so; empty if on all that were asked for.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    text: str
    safe: str = ""
    versions: tuple[int, ...] = ()

    @property
    def sentence(self) -> str:
        """What is wrong, and on which versions if not on all."""
        if not self.versions:
            return self.text
        first, last = self.versions[0], self.versions[-1]
        return f"{self.text} (on Postgres {first if first == last else f'{first} to {last}'})"


class LintedStatement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What lint says of one statement; of several versions of Postgres the worst.

    Attributes:
        file: Path of its file.
        line: Of its first word.
        kind: What it does, in a word: ``"add-column"``, ``"create-index"``, ``"update"``, ...
        section: The section of the file that it is in; empty if the file has none.
        locks: The strongest lock that it takes on each table.
        rewrite: Whether a table is written anew.
        scan: Whether a table is read whole under such a lock.
        findings: What is wrong with it.
    """

    file: str
    line: int
    kind: str
    section: str = ""
    locks: tuple[Lock, ...] = ()
    rewrite: bool = False
    scan: bool = False
    findings: tuple[Finding, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What lint found in some files.

    Attributes:
        files: How many files there were.
        versions: The major versions of Postgres for which they were judged.
        statements: Every statement, in the order of files and lines.
        others: What is wrong with a file and with no statement of it.
    """

    files: int = 0
    versions: tuple[int, ...] = ()
    statements: tuple[LintedStatement, ...] = ()
    others: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of files and lines."""
        found = [finding for statement in self.statements for finding in statement.findings]
        return tuple(sorted((*self.others, *found), key=lambda each: (each.file, each.line)))

    @property
    def ok(self) -> bool:
        """Whether the files may run as they are: there is no finding of severity error."""
        return self.count(Severity.ERROR) == 0

    def count(self, severity: Severity) -> int:
        """Return how many findings weigh so much."""
        return sum(finding.severity is severity for finding in self.findings)

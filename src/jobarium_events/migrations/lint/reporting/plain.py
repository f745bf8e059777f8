"""A report as JSON: each statement, what it does, and the rules it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.annotations import json_text
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.reporting.wording import file_shown

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.findings import Finding, LintedStatement, Report

__all__ = ["as_json"]


def as_json(report: Report) -> str:
    """Return the whole report."""
    document = {
        "ok": report.ok,
        "files": report.files,
        "versions": report.versions,
        "counts": {severity.value: report.count(severity) for severity in Severity},
        "statements": [_statement(each) for each in report.statements],
        "others": [{"file": file_shown(each.file), "line": each.line, **_rule(each)} for each in report.others],
    }
    return json_text(document, indent=2) + "\n"


def _statement(linted: LintedStatement) -> dict[str, Any]:
    return {
        "file": file_shown(linted.file),
        "line": linted.line,
        "section": linted.section,
        "kind": linted.kind,
        "locks": [{"table": lock.table, "mode": lock.mode.value} for lock in linted.locks],
        "rewrite": linted.rewrite,
        "scan": linted.scan,
        "rules": [_rule(finding) for finding in linted.findings],
    }


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "text": finding.text,
        "safe": finding.safe,
        "versions": finding.versions,
    }

"""A report as SARIF 2.1.0, which code scanning of GitHub, GitLab and others reads."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jobarium_events.evolution.reporting.locations import Location, located
from jobarium_events.evolution.reporting.rules import RULES
from jobarium_events.evolution.reporting.wording import json_text, printable, sentences

if TYPE_CHECKING:
    from jobarium_events.evolution.findings import Finding
    from jobarium_events.evolution.reports import Report

__all__ = ["as_sarif"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_sarif(report: Report) -> str:
    """Return a SARIF log of one run."""
    rules = sorted({finding.rule for finding in report.findings})
    driver = {"name": "jobarium-events", "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, location, rules.index(finding.rule)) for finding, location in located(report)],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(log, indent=2) + "\n"


def _rule(rule: str) -> dict[str, Any]:
    return {"id": rule, "shortDescription": {"text": RULES[rule]}}


def _result(finding: Finding, location: Location, rule: int) -> dict[str, Any]:
    artifact = {"uri": quote(location.path)}
    if not location.path.startswith("/"):
        artifact["uriBaseId"] = "%SRCROOT%"
    physical: dict[str, Any] = {"artifactLocation": artifact}
    if location.line:
        physical["region"] = {"startLine": location.line}
    place: dict[str, Any] = {"physicalLocation": physical}
    if finding.contract:
        place["logicalLocations"] = [{"fullyQualifiedName": f"{finding.contract} {finding.pointer}".rstrip()}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": finding.severity.value,
        "message": {"text": printable(sentences(finding), keep="\n")},
        "locations": [place],
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
        "properties": finding.as_json(),
    }


def _fingerprint(finding: Finding) -> str:
    """Return what a finding is known by from run to run, wherever its line moves."""
    known_by = (finding.rule, finding.contract, finding.file, finding.pointer, finding.reader or "")
    return blake2b("\0".join(known_by).encode(), digest_size=16).hexdigest()

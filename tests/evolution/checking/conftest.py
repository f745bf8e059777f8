"""A catalog of one contract as it was released and as it is to be checked, and what the check says of the two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobarium_events.evolution.findings import Finding, Severity
from tests.folders import TEXT, schema, table, write

if TYPE_CHECKING:
    from jobarium_events.evolution.checking import Report

KEY = ("thing.made", "v1")
V1 = 'key = "k:{id}"\nintroduced = "1"'
PAYLOAD = schema({"id": TEXT, "score": {"type": "integer", "description": "From 0 to 100."}}, kind={"enum": ["a", "b"]})
DECISION = """\
+++
id = "DEC-0001"
title = "A change"
date = 2026-01-05
status = "{status}"
owner = "maker"
review = 2999-01-01

[[allows]]
event = "thing.made"
version = "{version}"
{allowed}

[[timeline]]
event = "thing.made"
version = "v1"
deprecated = "5"
retired = "7"
+++

## Context
Text.
## Decision
Text.
## Alternatives
Text.
## Why
Text.
## Consequences
Text.
## Migration plan
Text.
"""


def folder(path: Path, payload: Mapping[str, Any] = PAYLOAD, lines: str = V1, **versions: tuple[Any, str]) -> Path:
    """A catalog of thing.made: v1, and the other versions that are given with their schemas and lines."""
    every = {"v1": (payload, lines), **versions}
    manifest = table("thing.made", {version: lines for version, (_, lines) in every.items()})
    manifest = manifest.replace('planned = ["5"]', 'planned = ["5", "6", "7"]')
    return write(path, manifest, {f"thing.made/{version}.json": each for version, (each, _) in every.items()})


def decided(path: Path, allowed: str, *, version: str = "v1", status: str = "accepted") -> None:
    """Write a decision."""
    (path / "decisions").mkdir(exist_ok=True)
    text = DECISION.format(status=status, version=version, allowed=allowed)
    (path / "decisions" / "DEC-0001.md").write_text(text, encoding="utf-8")


def changed(**properties: Any) -> dict[str, Any]:
    """The payload with some of its fields said otherwise."""
    return {**PAYLOAD, "properties": {**PAYLOAD["properties"], **properties}}


TURNED = changed(score={"type": "integer", "description": "From 0 to 1."})


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """What was released."""
    return folder(tmp_path / "old")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """Where what is checked is to stand."""
    return tmp_path / "new"


def rules(report: Report, severity: Severity = Severity.ERROR) -> list[str]:
    """The rules of a report's findings that weigh so much."""
    return [finding.rule for finding in report.findings if finding.severity is severity]


def the(report: Report, rule: str) -> Finding:
    """The one finding of a rule."""
    (finding,) = [each for each in report.findings if each.rule == rule]
    return finding

"""The examples that a schema gives of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobarium_events.catalog.loading import load_folder
from jobarium_events.evolution.checking import check
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.examples import example
from tests.folders import TEXT, schema, table, write

RULE = "example-refused"
GOOD = {"id": "1", "score": 5}
FIELDS = {"id": TEXT, "score": {"type": "integer", "maximum": 100}}


def folder(at: Path, **given: Any) -> Path:
    """Write a catalog of one draft, whose schema gives examples."""
    payload = {**schema(FIELDS), **given}
    return write(at, table("thing.made", {"v1": 'key = "k:{id}"'}), {"thing.made/v1.json": payload})


def refused(at: Path) -> list[Finding]:
    return [each for each in check(at).findings if each.rule == RULE]


@pytest.mark.parametrize("given", [{}, {"examples": [GOOD]}, {"example": GOOD}, {"examples": []}])
def test_examples_that_hold_are_no_finding(tmp_path: Path, given: Any) -> None:
    assert check(folder(tmp_path, **given)).findings == ()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"score": 5}, "/id: is required"),
        ({"id": "1", "score": 4711}, "/score: breaks maximum 100"),
        ({"id": "1", "extra": "hush"}, "/extra: is not a field of the contract"),
        ("hush", "the document: must be of type object"),
    ],
)
def test_an_example_that_the_schema_refuses_is_told_without_its_values(
    tmp_path: Path, value: Any, problem: str
) -> None:
    at = folder(tmp_path, examples=[GOOD, value], example=value)
    found = refused(at)
    assert [each.pointer for each in found] == ["/example", "/examples/1"]
    assert {each.text for each in found} == {f"an example that the schema gives is refused by it: {problem}"}
    assert {(each.severity, each.contract, each.file) for each in found} == {
        (Severity.WARNING, "thing.made v1", "thing.made/v1.json")
    }
    assert check(at).ok
    assert "hush" not in json.dumps([each.as_json() for each in found])
    assert "4711" not in json.dumps([each.as_json() for each in found])


def test_the_first_that_holds_is_shown(tmp_path: Path) -> None:
    _, (entry,) = load_folder(folder(tmp_path, examples=[{"score": 5}, GOOD], example={"id": "2"}))
    assert example(entry) == GOOD

"""A new version is held against the one before it, and where it breaks with that, the break is decided."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from jobarium_events.evolution.checking import check
from jobarium_events.evolution.findings import Severity
from tests.evolution.checking.conftest import PAYLOAD, TURNED, V1, changed, decided, folder, rules, the
from tests.folders import TEXT, schema

NARROWED = changed(score={"type": "integer", "description": "From 0 to 1.", "maximum": 1})
BOUND, UNBOUND = 'key = "k:{id}"\ndecision = "DEC-0001"\nintroduced = "5"', 'key = "k:{id}"\ndecision = "DEC-0001"'
LEAVING = f'{V1}\ndeprecated = "5"\nretired = "7"'


@pytest.mark.parametrize(("lines", "severity"), [(BOUND, Severity.ERROR), (UNBOUND, Severity.WARNING)])
@pytest.mark.parametrize("baseline", [True, False])
def test_what_breaks_with_the_version_before_has_to_be_decided(
    old: Path, new: Path, lines: str, severity: Severity, baseline: bool
) -> None:
    folder(new, lines=LEAVING if lines is BOUND else V1, v2=(NARROWED, lines))
    decided(new, 'breaking = ["/properties/kind"]', version="v2")
    report = check(new, against=str(old) if baseline else None)
    finding = the(report, "breaking-undecided")
    assert finding.severity is severity
    assert (finding.contract, finding.pointer) == ("thing.made v2", "/properties/score/maximum")
    assert finding.text.startswith("breaks with thing.made v1, and no accepted decision allows that: ")
    decided(new, 'breaking = ["/properties/score/maximum"]', version="v2")
    assert rules(check(new, against=str(old) if baseline else None)) == []
    assert "breaking-undecided" not in rules(check(new, against=str(old)), Severity.WARNING)


def test_what_a_new_version_means_is_up_to_it(old: Path, new: Path) -> None:
    folder(new, lines=LEAVING, v2=(TURNED, BOUND))
    decided(new, "breaking = []", version="v2")
    (finding,) = check(new, against=str(old)).findings
    assert (finding.rule, finding.severity, finding.contract) == ("meaning-changed", Severity.NOTE, "thing.made v2")
    assert finding.text == "compared with thing.made v1, score may mean something else: description has changed."
    assert not finding.advice


def test_a_field_that_a_new_version_has_no_more_is_a_note(old: Path, new: Path) -> None:
    less = schema({"id": TEXT, "score": {"type": "integer", "description": "From 0 to 100."}})
    folder(new, lines=LEAVING, v2=(less, BOUND))
    decided(new, "breaking = []", version="v2")
    findings = check(new, against=str(old)).findings
    assert {(each.rule, each.severity) for each in findings} == {("field-removed", Severity.NOTE)}


def test_the_advice_on_a_key_can_be_pasted_into_a_decision(old: Path, new: Path) -> None:
    folder(new, lines=LEAVING, v2=(PAYLOAD, BOUND.replace("k:{id}", "other:{id}")))
    decided(new, "breaking = []", version="v2")
    finding = the(check(new, against=str(old)), "breaking-undecided")
    line = finding.advice.partition(": ")[2].removesuffix(" for thing.made v2")
    assert line == """breaking = ['event."thing.made".v2.key']"""
    assert tomllib.loads(line) == {"breaking": [finding.pointer]}
    decided(new, line, version="v2")
    assert rules(check(new, against=str(old))) == []


def test_a_new_version_follows_the_newest_that_may_be_on_the_wire(tmp_path: Path, new: Path) -> None:
    retired = 'key = "k:{id}"\nintroduced = "1"\ndeprecated = "2"\nretired = "4"'
    versions = {"v2": (NARROWED, 'key = "k:{id}"\nintroduced = "2"'), "v10": (PAYLOAD, retired)}
    old = folder(tmp_path / "before", **versions)
    folder(new, **versions, v11=(NARROWED, UNBOUND))
    report = check(new, against=str(old))
    assert [(each.old, each.new) for each in report.comparisons] == [("thing.made v2", "thing.made v11")]


def test_a_version_that_was_published_before_needs_no_decision_again(tmp_path: Path, new: Path) -> None:
    versions = {"v2": (NARROWED, 'key = "k:{id}"\nintroduced = "2"')}
    old = folder(tmp_path / "before", **versions)
    report = check(folder(new, **versions), against=str(old))
    assert (report.comparisons, report.unchanged) == ((), 2)

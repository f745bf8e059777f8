"""The check: what may ship, what may not, and what a decision changes about that."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobarium_events import Catalog
from jobarium_events.evolution import checking
from jobarium_events.evolution.baselines import BaselineError
from jobarium_events.evolution.checking import Mode, Report, check
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.lock import Lock, Rewording, lock_bytes, read_lock
from jobarium_events.evolution.meanings import meaning_changes, publish
from jobarium_events.evolution.refusals import LockError
from jobarium_events.evolution.releasing import release
from jobarium_events.evolution.verdicts import Reader, Verdict
from tests.evolution.conftest import Git, committed
from tests.folders import TEXT, WHOLE, schema, table, write
from tests.test_documentation import read

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


# -- nothing changed -----------------------------------------------------------------------------------------------


def test_what_is_unchanged_is_compared_by_its_digest_alone(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "compare", None)
    report = check(folder(new), against=str(old))
    assert (report.ok, report.contracts, report.unchanged) == (True, 1, 1)
    assert (report.findings, report.comparisons) == ((), ())
    assert (report.folder, report.against) == (str(new), str(old))


def test_how_a_file_is_laid_out_is_no_change(old: Path, new: Path) -> None:
    folder(new)
    text = json.dumps(dict(reversed(PAYLOAD.items())), indent=7)
    (new / "thing.made" / "v1.json").write_text(text, encoding="utf-8")
    report = check(new, against=str(old))
    assert (report.unchanged, report.findings) == (1, ())


def test_without_a_baseline_the_report_says_so(new: Path) -> None:
    report = check(str(folder(new)))
    assert (report.ok, report.against) == (True, "")
    assert rules(report, Severity.WARNING) == ["no-baseline"]


def test_drafts_need_no_baseline(new: Path) -> None:
    assert check(folder(new, lines='key = "k:{id}"')).findings == ()


def test_an_empty_baseline_is_said_to_be(git: Git, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    committed(git, root, {"README": b""}, tag="v0")
    report = check(folder(root / "schemas"), against="git:v0")
    assert rules(report, Severity.WARNING) == ["baseline-empty"]
    assert report.against == "git:v0"
    assert "git:v0 has no catalog, so every contract counts as new" in [each.text for each in report.findings]


def test_a_catalog_before_its_first_release_is_said_to_be(git: Git, tmp_path: Path) -> None:
    schemas = folder(tmp_path / "repo" / "schemas", lines='key = "k:{id}"')
    manifest = schemas / "catalog.toml"
    manifest.write_text(re.sub(r"releases = .*", "releases = []", manifest.read_text()))
    committed(git, tmp_path / "repo", {}, tag="t0")
    report = check(folder(schemas), against="git:t0")
    (found,) = [each for each in report.findings if each.rule == "baseline-empty"]
    assert found.text == "git:t0 has a catalog of which nothing had been released yet, so every contract counts as new"
    assert found.advice == "this is right for the first release only"


# -- in CI ---------------------------------------------------------------------------------------------------------


def test_a_branch_that_is_merely_behind_passes_as_the_page_checks_it(git: Git, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    schemas = folder(root / "schemas")
    committed(git, root, {})
    git("branch", "feature")
    manifest = (schemas / "catalog.toml").read_text()
    after = re.sub(r'releases = \[(.*)\]\nplanned = \["5"(?:, )?', r'releases = [\1, "5"]\nplanned = [', manifest)
    assert after != manifest
    committed(git, root, {"schemas/catalog.toml": after.encode()})
    git("checkout", "--quiet", "feature")
    git("fetch", "--quiet", ".", "main")
    assert not check(schemas, against="git:FETCH_HEAD").ok
    shown = re.search(r'--against "git:\$\((git .+?)\)"', read("docs/ci.md"))
    assert shown
    assert check(schemas, against=f"git:{git(*shown[1].split()[1:])}").ok


def test_a_report_is_handed_on_when_a_step_before_it_has_failed() -> None:
    steps = re.findall(
        r"^ {6}- .+(?:\n {8}.+)*", read("docs/ci.md").split("For a comment")[1].split("## ")[0], re.MULTILINE
    )
    assert len(steps) == 3
    assert all("\n        if: always()" in step for step in steps[1:])


# -- bad input -----------------------------------------------------------------------------------------------------


def test_the_mistakes_of_a_folder_are_findings(old: Path, new: Path) -> None:
    folder(new)
    (new / "thing.made" / "v1.json").write_text("{")
    (new / "stray.json").write_text("{}")
    report = check(new, against=str(old))
    assert rules(report) == ["catalog-mistake", "catalog-mistake"]
    assert [finding.file for finding in report.findings] == ["stray.json", "thing.made/v1.json"]


def test_a_baseline_that_cannot_be_used_is_an_error(new: Path) -> None:
    with pytest.raises(BaselineError, match="is no folder"):
        check(folder(new), against="no-such-folder")


def test_a_lock_that_was_edited_is_an_error_whatever_it_is_held_against(old: Path, new: Path) -> None:
    (folder(new) / "catalog.lock").write_text('{"format": 1, "digest": ""}')
    for against in (None, "lock", str(old)):
        with pytest.raises(LockError, match="was edited by hand"):
            check(new, against=against)


# -- inside a version ----------------------------------------------------------------------------------------------


def test_an_optional_field_may_be_added(old: Path, new: Path) -> None:
    report = check(folder(new, changed(note=TEXT)), against=str(old))
    assert report.ok
    assert rules(report, Severity.NOTE) == ["field-added-optional"]
    assert report.unchanged == 0


def test_a_break_is_an_error_with_its_reader_and_witness(old: Path, new: Path) -> None:
    report = check(folder(new, changed(kind={"enum": ["a", "b", "c"]})), against=str(old))
    finding = the(report, "enum-widened")
    assert (finding.severity, finding.reader) == (Severity.ERROR, Reader.OLD)
    assert (finding.file, finding.pointer) == ("thing.made/v1.json", "/properties/kind/enum")
    assert finding.proof is not None
    assert finding.proof.witness["kind"] == "c"


def test_no_decision_lets_a_version_break(old: Path, new: Path) -> None:
    folder(new, changed(kind={"enum": ["a", "b", "c"]}))
    decided(new, 'breaking = ["/properties/kind/enum"]')
    assert rules(check(new, against=str(old))) == ["enum-widened"]


def test_drafts_may_change_freely(tmp_path: Path, new: Path) -> None:
    old = folder(tmp_path / "drafts", lines='key = "k:{id}"')
    report = check(folder(new, schema({"id": WHOLE}), lines='key = "x:{id}"'), against=str(old))
    assert (report.findings, report.comparisons) == ((), ())


def test_a_contract_that_is_gone_is_found(old: Path, new: Path) -> None:
    manifest = table("other.made", {"v1": 'key = "k:{id}"'})
    report = check(write(new, manifest, {"other.made/v1.json": schema({"id": WHOLE})}), against=str(old))
    assert rules(report) == ["contract-deleted"]


# -- meanings ------------------------------------------------------------------------------------------------------

TURNED = changed(score={"type": "integer", "description": "From 0 to 1."})


@pytest.mark.parametrize("status", [None, "proposed", "accepted"])
def test_a_meaning_changes_only_by_an_accepted_decision(old: Path, new: Path, status: str | None) -> None:
    folder(new, TURNED)
    if status:
        decided(new, 'meanings = ["/properties/score"]', status=status)
    report = check(new, against=str(old))
    finding = the(report, "meaning-changed")
    if status == "accepted":
        assert (report.ok, finding.severity) == (True, Severity.NOTE)
        assert finding.text.endswith("as DEC-0001 allows")
    else:
        assert (report.ok, finding.severity) == (False, Severity.ERROR)


def test_a_decision_that_names_another_field_allows_nothing(old: Path, new: Path) -> None:
    folder(new, TURNED)
    decided(new, 'meanings = ["/properties/kind"]')
    assert rules(check(new, against=str(old))) == ["meaning-changed"]


def locked(path: Path, before: Path, *rewordings: Rewording, releases: tuple[str, ...] = ()) -> None:
    """Write a lock of what was released before."""
    catalog = Catalog.load(before)
    releases = releases or catalog.releases
    lock = Lock(
        releases=releases,
        planned=("5", "6", "7"),
        contracts={KEY: publish(catalog.contract(*KEY))},
        frozen={KEY: releases[-1]},
        rewordings=rewordings,
    )
    (path / "catalog.lock").write_bytes(lock_bytes(lock))


def reworded(before: Path, after: Path) -> Rewording:
    """What was put in other words between two folders."""
    (change,) = meaning_changes(*(publish(Catalog.load(each).contract(*KEY)) for each in (before, after)))
    return Rewording(
        event=KEY[0],
        version=KEY[1],
        pointer=change.pointer,
        keyword=change.keyword,
        old=change.old,
        new=change.new,
        after=Catalog.load(before).releases[-1],
        who="ana",
        when="2026-01-05",
        why="said better",
    )


def test_a_rewording_that_somebody_answered_for_is_no_change(old: Path, new: Path) -> None:
    folder(new, TURNED)
    locked(new, old)
    assert rules(check(new)) == ["meaning-changed"]
    locked(new, old, reworded(old, new))
    report = check(new)
    assert (report.against, report.findings, report.unchanged) == ("lock", (), 1)
    finding = the(check(new, against=str(old)), "meaning-changed")
    assert finding.severity is Severity.NOTE
    assert finding.text == "score means the same in other words: description reworded by ana"


def test_everybody_who_answered_for_the_words_on_the_way_is_named(old: Path, new: Path, tmp_path: Path) -> None:
    between = folder(tmp_path / "between", changed(score={"type": "integer", "description": "Zero to one."}))
    folder(new, TURNED)
    second = msgspec.structs.replace(reworded(between, new), who="ben")
    locked(new, old, reworded(old, between), second)
    finding = the(check(new, against=str(old)), "meaning-changed")
    assert finding.text.endswith("description reworded by ana and ben")


def test_what_was_released_with_another_meaning_is_not_said_to_be_reworded(old: Path, new: Path) -> None:
    folder(new, TURNED)
    locked(new, new, releases=("1", "2", "3", "4", "5"))
    finding = the(check(new, against=str(old)), "meaning-changed")
    assert finding.text == "score may mean something else: description has changed, as the lock allows"


def test_what_the_lock_says_is_accepted_only_of_a_release_after_the_baseline(old: Path, new: Path) -> None:
    folder(new, TURNED)
    locked(new, new)
    assert rules(check(new, against=str(old))) == ["meaning-changed"]


PERCENT = {"type": "number", "description": "From 0 to 100.", "x-unit": "percent"}
FRACTION = {"type": "number", "description": "From 0 to 1.", "x-unit": "fraction"}


def referring(score: str, rate: str) -> dict[str, Any]:
    """A payload whose fields are described in definitions."""
    definitions = {"percent": PERCENT, "fraction": FRACTION}
    properties = {name: {"$ref": f"#/definitions/{to}"} for name, to in {"score": score, "rate": rate}.items()}
    return {**schema({"id": TEXT}, **properties), "definitions": definitions}


@pytest.mark.parametrize(
    ("score", "rate", "told"),
    [
        ("fraction", "fraction", ["in score, fraction may mean something else"]),
        (
            "fraction",
            "percent",
            ["in rate, score, fraction may mean something else", "in rate, score, percent may mean something else"],
        ),
    ],
    ids=["one moves", "two are swapped"],
)
def test_a_field_that_refers_to_another_released_definition_means_something_else(
    old: Path, new: Path, score: str, rate: str, told: list[str]
) -> None:
    folder(old, referring("percent", "fraction"))
    folder(new, referring(score, rate))
    locked(new, old)
    for against in (None, str(old)):
        report = check(new, against=against)
        assert set(rules(report)) == {"meaning-changed"}
        texts = [each.text.partition(":")[0] for each in report.findings]
        assert texts == told
    locked(new, new, releases=("1", "2", "3", "4", "5"))
    assert not rules(check(new, against=str(old)), Severity.WARNING)
    found = [each for each in check(new, against=str(old)).findings if each.rule == "meaning-changed"]
    assert {each.severity for each in found} == {Severity.NOTE}


def test_a_meaning_that_is_gone_is_held_against_what_was_frozen_later(old: Path, new: Path, tmp_path: Path) -> None:
    bare = changed(score={"type": "integer"})
    folder(new, bare)
    locked(new, old, releases=("1", "2", "3", "4", "5"))
    assert "meaning-changed" in rules(check(new, against=str(old)))
    locked(new, folder(tmp_path / "bare", bare), releases=("1", "2", "3", "4", "5"))
    assert "meaning-changed" not in rules(check(new, against=str(old)))


def test_a_decision_that_was_spent_is_named(old: Path, new: Path) -> None:
    folder(new)
    decided(new, 'meanings = ["/properties/score"]')
    release(new, "4")
    folder(new, TURNED)
    finding = the(check(new), "meaning-changed")
    assert finding.severity is Severity.ERROR
    assert finding.text.endswith("description has changed; DEC-0001 named it, and was spent in 4.")
    assert finding.advice.startswith("A decision is good for one release. ")
    lock = read_lock(new)
    assert lock is not None
    unknown = {"DEC-0001": msgspec.structs.replace(lock.decisions["DEC-0001"], since=None)}
    (new / "catalog.lock").write_bytes(lock_bytes(msgspec.structs.replace(lock, decisions=unknown)))
    assert the(check(new), "meaning-changed").text.endswith("was spent in an earlier release.")


def test_an_accepted_rewording_covers_no_other_words(old: Path, new: Path) -> None:
    folder(new, TURNED)
    locked(new, old, reworded(old, new))
    folder(new, changed(score={"type": "integer", "description": "From 0 to 10."}))
    for against in (None, str(old)):
        assert rules(check(new, against=against)) == ["meaning-changed"]


def test_a_score_that_turns_by_its_description_alone_is_caught(tmp_path: Path) -> None:
    bundled = Path(__file__).parents[2] / "schemas"
    folder = shutil.copytree(bundled, tmp_path / "schemas")
    path = folder / "qa.authenticity.assessed" / "v1.json"
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    document["properties"]["authenticity_score"]["description"] = "From 0 to 1."
    path.write_text(json.dumps(document), encoding="utf-8")
    report = check(folder, against=str(bundled))
    finding = the(report, "meaning-changed")
    assert not report.ok
    assert (finding.contract, finding.pointer) == ("qa.authenticity.assessed v1", "/properties/authenticity_score")


# -- between versions ----------------------------------------------------------------------------------------------

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


# -- as a registry would judge -------------------------------------------------------------------------------------


def test_both_views_are_kept_where_they_differ(old: Path, new: Path) -> None:
    report = check(folder(new, changed(note=TEXT)), against=str(old))
    (comparison,) = report.comparisons
    assert (comparison.compatible, comparison.differs) == (True, True)
    assert comparison.plain_backward.verdict is Verdict.NOT_CONTAINED


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        (Mode.BACKWARD, ["backward-incompatible"]),
        (Mode.FORWARD, []),
        (Mode.FULL, ["backward-incompatible"]),
    ],
)
def test_a_mode_gives_what_a_registry_would_say_and_nothing_else(
    old: Path, new: Path, mode: Mode, found: list[str]
) -> None:
    report = check(folder(new, changed(note=TEXT, score={"type": "integer"})), against=str(old), mode=mode)
    assert rules(report) == found
    assert (report.mode, report.ok) == (mode, not found)
    for finding in report.findings:
        assert finding.proof is not None
        assert "note" in finding.proof.witness
        assert finding.explanation[0] == ("the old schema", "accepts")
        assert finding.explanation[1][1].startswith("/note: ")


# -- the report ----------------------------------------------------------------------------------------------------


def test_the_order_of_findings_does_not_depend_on_that_of_the_files(old: Path, new: Path) -> None:
    payload = changed(kind={"enum": ["a", "b", "c"]}, note=TEXT, score={"type": "integer", "minimum": 3})
    first = check(folder(new, payload), against=str(old))
    turned = {**payload, "properties": dict(reversed(payload["properties"].items()))}
    second = check(folder(new, turned), against=str(old))
    assert [(each.rule, each.pointer) for each in first.findings] == [
        (each.rule, each.pointer) for each in second.findings
    ]
    assert len(first.findings) > 3


def test_a_report_may_ship_if_nothing_in_it_is_an_error() -> None:
    finding = Finding(rule="x", severity=Severity.WARNING, text="t")
    report = Report(folder="f", findings=(finding, msgspec.structs.replace(finding, severity=Severity.NOTE)))
    assert (report.ok, report.count(Severity.WARNING), report.count(Severity.ERROR)) == (True, 1, 0)
    assert not Report(folder="f", findings=(msgspec.structs.replace(finding, severity=Severity.ERROR),)).ok

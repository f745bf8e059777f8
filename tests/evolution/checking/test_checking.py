"""The check: what may ship, and what may not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from jobarium_events.evolution import checking
from jobarium_events.evolution.baselines import BaselineError
from jobarium_events.evolution.checking import Mode, Report, check
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.refusals import LockError
from jobarium_events.evolution.verdicts import Reader, Verdict
from tests.evolution.checking.conftest import PAYLOAD, changed, decided, folder, rules, the
from tests.evolution.conftest import Git, committed
from tests.folders import TEXT, WHOLE, schema, table, write
from tests.test_documentation import read

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

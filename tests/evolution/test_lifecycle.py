"""The rules of the lifecycle, and that what has been published stays as it was."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Catalog
from jobarium_events.catalog import SCHEMAS
from jobarium_events.catalog.manifest import read
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.lifecycle import WINDOW, lifecycle_findings
from jobarium_events.evolution.lock import Retirement, read_lock
from jobarium_events.evolution.releasing import freeze
from jobarium_events.evolution.state import State
from tests.evolution.logs import (
    OLD,
    RELEASES,
    TODAY,
    V1_LEAVING,
    V1_LINES,
    V2,
    V2_LINES,
    catalog,
    decision,
    rules,
)
from tests.folders import TEXT, schema, table, write
from tests.strategies import examples

LATER = 'releases = ["1", "2", "3", "4"]\nplanned = ["5", "6", "7"]\n'


def found(folder, lock=None, baseline=None):
    manifest, problems = read(folder)
    assert problems == []
    contracts = {(each.event, each.version): each for each in Catalog.load(folder)}
    decisions, _ = read_decisions(folder, today=TODAY)
    baseline = lock.baseline() if lock and baseline is None else baseline
    return lifecycle_findings(manifest, contracts, baseline, decisions, lock)


def locked(tmp_path, versions=None, **options):
    """The lock of a folder with thing.made v1, or with the versions that are given."""
    return frozen(catalog(tmp_path / "before", {"v1": V1_LINES} if versions is None else versions, **options))


def frozen(folder):
    manifest, _ = read(folder)
    return freeze(State.of(folder, today=TODAY), manifest, manifest.releases[-1])


def after(tmp_path, versions=None, before=None, **options):
    """What is found in a folder that has become of one with thing.made v1, which was released."""
    lock = locked(tmp_path) if before is None else before
    return found(catalog(tmp_path / "after", versions, **options), lock)


def test_the_bundled_catalog_follows_the_rules():
    assert found(SCHEMAS, read_lock(SCHEMAS)) == []


def test_a_new_version_that_was_decided_may_come(tmp_path):
    assert after(tmp_path) == []


def test_a_draft_of_a_new_event_needs_nothing(tmp_path):
    assert found(catalog(tmp_path, {"v1": 'key = "k:{id}"', "v2": 'key = "k:{id}"'})) == []


# ---------------------------------------------------------------- new versions


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (None, "decision-missing"),
        (decision({"title": None}), "decision-missing"),
        (decision({"status": '"proposed"'}), "decision-not-accepted"),
        (decision({"status": '"rejected"'}), "decision-not-accepted"),
        (decision(tables=V2.replace("v2", "v3")), "decision-not-for-it"),
        (decision(tables=V2.replace("breaking", "meanings")), "decision-not-for-it"),
    ],
    ids=["gone", "broken", "proposed", "rejected", "for another version", "for a meaning"],
)
@pytest.mark.parametrize("has_lock", [True, False])
def test_a_new_version_of_a_published_event_needs_an_accepted_decision(tmp_path, text, rule, has_lock):
    lock = locked(tmp_path) if has_lock else None
    folder = catalog(tmp_path / "after")
    path = folder / "decisions" / "DEC-0001.md"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    (finding,) = found(folder, lock)
    assert (finding.rule, finding.severity) == (rule, Severity.ERROR)
    assert (finding.file, finding.pointer) == ("catalog.toml", 'event."thing.made".v2.decision')
    assert finding.contract == "thing.made v2"


def test_a_new_version_has_to_name_its_decision(tmp_path):
    lines = V2_LINES.replace('decision = "DEC-0001"', "")
    assert rules(after(tmp_path, {"v1": V1_LEAVING, "v2": lines})) == ["decision-missing"]


def test_before_a_release_is_named_this_is_a_warning(tmp_path):
    (finding,) = after(tmp_path, {"v1": V1_LINES, "v2": 'key = "k:{id}"'})
    assert (finding.rule, finding.severity) == ("decision-missing", Severity.WARNING)


def test_a_decision_may_be_superseded_once_the_version_is_released(tmp_path):
    folder = catalog(tmp_path, releases=LATER)
    lock = frozen(folder)
    text = decision({"status": '"superseded"', "superseded_by": '"DEC-0002"'})
    (folder / "decisions" / "DEC-0001.md").write_text(text)
    (folder / "decisions" / "DEC-0002.md").write_text(decision({"id": '"DEC-0002"'}))
    assert found(folder, lock) == []
    assert rules(found(folder)) == ["decision-not-accepted"]


@pytest.mark.parametrize(
    ("lines", "pointer"),
    [
        (V1_LINES, "deprecated"),
        (f'{V1_LINES}\ndeprecated = "4"', "retired"),
        (V1_LEAVING.replace('"4"', '"5"').replace('"6"', '"7"'), None),
    ],
    ids=["stays", "is never retired", "goes later"],
)
def test_the_older_version_leaves_as_it_was_decided(tmp_path, lines, pointer):
    findings = after(tmp_path, {"v1": lines, "v2": V2_LINES})
    assert {each.rule for each in findings} <= {"timeline-not-followed"}
    assert (pointer in {each.pointer.rpartition(".")[2] for each in findings}) is bool(pointer)


def test_it_does_not_leave_earlier(tmp_path):
    tables = V2.replace('deprecated = "4"', 'deprecated = "5"').replace('retired = "6"', 'retired = "7"')
    lock = locked(tmp_path)
    folder = catalog(tmp_path / "after")
    (folder / "decisions" / "DEC-0001.md").write_text(decision(tables=tables))
    assert rules(found(folder, lock)) == ["timeline-not-followed"] * 2


# ---------------------------------------------------------------- dual-consume and successors


@given(deprecated=st.integers(2, 9), retired=st.integers(3, 10))
@examples(30)
def test_dual_consume_lasts_long_enough(tmp_path_factory, deprecated, retired):
    if retired <= deprecated:
        return
    names = ", ".join(f'"{number}"' for number in range(1, 11))
    lines = f'{V1_LINES}\ndeprecated = "{deprecated}"\nretired = "{retired}"'
    newer = 'key = "k:{id}"\nintroduced = "2"\ndecision = "DEC-0001"'
    folder = catalog(
        tmp_path_factory.mktemp("c"), {"v1": lines, "v2": newer}, releases=f"releases = []\nplanned = [{names}]\n"
    )
    findings = found(folder)
    assert rules(findings) == ([] if retired - deprecated >= WINDOW else ["dual-consume-too-short"])


def test_the_advice_names_the_release_in_which_it_may_be_retired(tmp_path):
    versions = {"v1": V1_LEAVING.replace('"6"', '"5"'), "v2": V2_LINES}
    finding = next(each for each in after(tmp_path, versions) if each.rule == "dual-consume-too-short")
    assert finding.advice == "retire it in 6 or later"


def test_where_no_such_release_is_planned_the_advice_is_to_plan_one(tmp_path):
    versions = {"v1": V1_LEAVING.replace('"6"', '"5"'), "v2": V2_LINES}
    releases = 'releases = ["1", "2", "3"]\nplanned = ["4", "5"]\n'
    finding = next(each for each in found(catalog(tmp_path, versions, releases=releases)) if "dual" in each.rule)
    assert "plan another release" in finding.advice


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({"v2": V2_LINES}, []),
        ({}, ["successor-missing"]),
        ({"v2": V2_LINES.replace('"4"', '"5"')}, ["successor-missing"]),
        ({"v2": V2_LINES.replace('introduced = "4"', "")}, ["successor-missing"]),
    ],
    ids=["at the same time", "never", "too late", "a draft"],
)
def test_a_deprecated_version_needs_an_active_successor(tmp_path, lines, expected):
    assert rules(after(tmp_path, {"v1": V1_LEAVING, **lines})) == expected


def test_a_successor_that_is_deprecated_itself_is_none(tmp_path):
    versions = {"v1": V1_LEAVING.replace('"4"', '"5"').replace('"6"', '"7"'), "v2": f'{V2_LINES}\ndeprecated = "5"'}
    assert rules(found(catalog(tmp_path, versions))).count("successor-missing") == 2


# ---------------------------------------------------------------- what has been published


def test_releases_only_grow_at_their_end(tmp_path):
    assert rules(after(tmp_path, {"v1": V1_LINES}, releases='releases = ["1", "3"]\nplanned = []\n')) == [
        "releases-rewritten"
    ]
    findings = after(tmp_path, {"v1": V1_LINES}, releases=LATER)
    assert rules(findings) == ["release-not-frozen"]
    assert "4" in findings[0].text


def test_planned_releases_keep_their_order(tmp_path):
    releases = 'releases = ["1", "2", "3"]\nplanned = ["5", "4"]\n'
    assert rules(after(tmp_path, {"v1": V1_LINES}, releases=releases)) == ["planned-reordered"]
    grown = 'releases = ["1", "2", "3"]\nplanned = ["4", "4.1", "6"]\n'
    assert after(tmp_path, {"v1": V1_LINES}, releases=grown) == []


def test_releases_are_held_against_the_lock_and_another_baseline(tmp_path):
    lock = locked(tmp_path)
    other = msgspec.structs.replace(lock.baseline(), name="git:old", releases=("0",))
    findings = found(catalog(tmp_path / "after", {"v1": V1_LINES}), lock, other)
    assert [each.text.partition(" are ")[0] for each in findings if each.rule == "releases-rewritten"] == [
        "the releases in git:old"
    ]


def test_a_released_contract_is_not_deleted(tmp_path):
    lock = locked(tmp_path)
    folder = write(
        tmp_path / "after",
        table("other.made", {"v1": 'key = "k:{n}"'}, releases=RELEASES),
        {"other.made/v1.json": schema({"n": TEXT})},
    )
    (finding,) = found(folder, lock)
    assert (finding.rule, finding.file, finding.contract) == ("contract-deleted", "thing.made/v1.json", "thing.made v1")


def test_nor_renamed(tmp_path):
    lock = locked(tmp_path)
    described = {**OLD, "description": "In other words."}
    folder = write(
        tmp_path / "after",
        table("other.made", {"v1": 'key = "o:{id}"'}, releases=RELEASES),
        {"other.made/v1.json": described},
    )
    (finding,) = found(folder, lock)
    assert finding.rule == "contract-renamed"
    assert "renamed to other.made v1" in finding.text


def test_a_retired_contract_is_kept_as_well(tmp_path):
    lines = {"v1": f'{V1_LINES}\ndeprecated = "1.5"\nretired = "3"', "v2": V2_LINES.replace('"4"', '"1.5"')}
    releases = 'releases = ["1", "1.5", "2", "3"]\nplanned = ["4", "5", "6"]\n'
    lock = locked(tmp_path, lines, releases=releases)
    folder = catalog(tmp_path / "after", {"v2": lines["v2"]}, releases=releases)
    assert rules(found(folder, lock)) == ["contract-deleted"]


def test_a_draft_may_be_deleted(tmp_path):
    lock = locked(tmp_path, {"v1": V1_LINES, "v2": V2_LINES.replace('introduced = "4"', "")})
    assert after(tmp_path, {"v1": V1_LINES}, lock) == []


@pytest.mark.parametrize(
    ("was", "now", "rule"),
    [
        ("", 'deprecated = "3"', "move-backdated"),
        ('deprecated = "3"', "", "lifecycle-reversed"),
        ('deprecated = "3"', 'deprecated = "4"', "lifecycle-reversed"),
        ('deprecated = "3"', 'deprecated = "2"', "history-rewritten"),
        ('deprecated = "5"', 'deprecated = "4"', "release-moved-earlier"),
        ('deprecated = "5"', 'deprecated = "3"', "move-backdated"),
        ('deprecated = "5"', 'deprecated = "6"', None),
        ('deprecated = "5"', "", None),
        ('deprecated = "5"\nretired = "7"', 'deprecated = "4"\nretired = "7"', "release-moved-earlier"),
        ('deprecated = "4"\nretired = "7"', 'deprecated = "4"\nretired = "6"', "release-moved-earlier"),
        ('deprecated = "4"\nretired = "6"', 'deprecated = "4"\nretired = "7"', None),
    ],
)
def test_a_move_is_not_taken_back_nor_made_earlier(tmp_path, was, now, rule):
    newer = V2_LINES.replace('"4"', '"2"')
    lock = locked(tmp_path, {"v1": f"{V1_LINES}\n{was}", "v2": newer})
    findings = after(tmp_path, {"v1": f"{V1_LINES}\n{now}", "v2": newer}, lock)
    assert rules(findings) == ([rule] if rule else [])
    assert all(each.pointer.startswith('event."thing.made".v1.') for each in findings)


def test_a_release_is_not_rewritten_into_an_earlier_one(tmp_path):
    assert rules(after(tmp_path, {"v1": V1_LINES.replace('"1"', '"2"')})) == ["history-rewritten"]
    assert rules(after(tmp_path, {"v1": V1_LINES.replace('introduced = "1"', "")})) == ["lifecycle-reversed"]


def test_a_new_contract_is_not_introduced_in_the_past(tmp_path):
    newer = V2_LINES.replace('"4"', '"3"')
    findings = after(tmp_path, {"v1": V1_LEAVING, "v2": newer})
    assert "move-backdated" in rules(findings)


def test_a_release_that_is_called_off_brings_nothing_forward(tmp_path):
    newer = V2_LINES.replace('"4"', '"2"')
    lock = locked(tmp_path, {"v1": f'{V1_LINES}\ndeprecated = "5"', "v2": newer})
    releases = 'releases = ["1", "2", "3"]\nplanned = ["4", "6", "7"]\n'

    def moved_to(name):
        versions = {"v1": f'{V1_LINES}\ndeprecated = "{name}"', "v2": newer}
        return rules(after(tmp_path, versions, lock, releases=releases))

    assert moved_to("6") == []
    assert moved_to("4") == ["release-moved-earlier"]


@given(data=st.data())
@examples(50)
def test_what_was_planned_may_always_come_later_and_never_earlier(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("c")
    newer = V2_LINES.replace('"4"', '"2"')
    was, now = data.draw(st.integers(4, 7)), data.draw(st.integers(4, 7))
    lock = locked(folder, {"v1": f'{V1_LINES}\ndeprecated = "{was}"', "v2": newer})
    findings = after(folder, {"v1": f'{V1_LINES}\ndeprecated = "{now}"', "v2": newer}, lock)
    assert rules(findings) == (["release-moved-earlier"] if now < was else [])


def test_another_owner_has_to_be_decided(tmp_path):
    (finding,) = after(tmp_path, {"v1": V1_LINES}, owner="other")
    assert (finding.rule, finding.pointer) == ("owner-changed", 'event."thing.made".owner')
    lock = locked(tmp_path)
    folder = catalog(tmp_path / "after", {"v1": V1_LINES}, owner="other")
    (folder / "decisions").mkdir(exist_ok=True)
    tables = '[[allows]]\nevent = "thing.made"\nversion = "v1"\nowner = true\n'
    (folder / "decisions" / "DEC-0001.md").write_text(decision(tables=tables))
    assert found(folder, lock) == []


# ---------------------------------------------------------------- retirements


RETIRING = {"v1": f'{V1_LINES}\ndeprecated = "2"\nretired = "4"', "v2": V2_LINES.replace('"4"', '"2"')}


def retired(tmp_path, lock, tables=""):
    folder = catalog(tmp_path / "after", RETIRING, releases=LATER)
    if tables:
        (folder / "decisions" / "DEC-0001.md").write_text(decision(tables=V2 + tables))
    return rules([each for each in found(folder, lock) if each.rule != "release-not-frozen"])


def test_a_planned_retirement_needs_no_evidence_yet(tmp_path):
    assert after(tmp_path, RETIRING, locked(tmp_path, RETIRING)) == []


def test_a_retirement_needs_evidence(tmp_path):
    assert retired(tmp_path, locked(tmp_path, RETIRING)) == ["retirement-without-evidence"]


@pytest.mark.parametrize(("release_name", "expected"), [("4", []), ("5", ["retirement-without-evidence"])])
def test_the_evidence_is_in_the_lock(tmp_path, release_name, expected):
    shown = Retirement(event="thing.made", version="v1", release=release_name, when="2026-10-05")
    lock = msgspec.structs.replace(locked(tmp_path, RETIRING), retirements=(shown,))
    assert retired(tmp_path, lock) == expected


def test_a_decision_may_waive_it(tmp_path):
    waiver = '[[allows]]\nevent = "thing.made"\nversion = "v1"\nretirement = true\n'
    assert retired(tmp_path, locked(tmp_path, RETIRING), waiver) == []


def test_a_retirement_that_was_released_is_not_asked_for_again(tmp_path):
    lock = locked(tmp_path, RETIRING, releases=LATER)
    baseline = locked(tmp_path / "old", RETIRING).baseline()
    assert found(catalog(tmp_path / "after", RETIRING, releases=LATER), lock, baseline) == []


def test_what_was_retired_too_early_before_there_were_rules_is_left_alone(tmp_path):
    lines = {**RETIRING, "v1": f'{V1_LINES}\ndeprecated = "3"\nretired = "4"'}
    folder = catalog(tmp_path, lines, releases=LATER)
    assert "dual-consume-too-short" in rules(found(folder))
    assert found(folder, frozen(folder)) == []

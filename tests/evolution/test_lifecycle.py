"""The rules of the lifecycle: when a version may come, and when another may go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Catalog
from jobarium_events.catalog import SCHEMAS
from jobarium_events.catalog.manifest import read
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.lifecycle import WINDOW, lifecycle_findings
from jobarium_events.evolution.lock import read_lock
from jobarium_events.evolution.releasing import freeze
from jobarium_events.evolution.state import State
from tests.evolution.logs import TODAY, V1_LEAVING, V1_LINES, V2, V2_LINES, catalog, decision, rules
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


V3 = """
[[allows]]
event = "thing.made"
version = "v3"
"""
GOES = """
[[timeline]]
event = "thing.made"
version = "{}"
deprecated = "{}"
retired = "{}"
"""
V1_GOES, V2_GOES = GOES.format("v1", "4", "6"), GOES.format("v2", "5", "7")
V2_LEAVING = f'{V2_LINES}\ndeprecated = "5"'


@pytest.mark.parametrize(
    ("timelines", "lines", "expected"),
    [
        (V2_GOES, f'{V2_LEAVING}\nretired = "7"', []),
        (V1_GOES, V2_LEAVING, ["timeline-missing"]),
        (V1_GOES, f'{V2_LEAVING}\nretired = "7"', ["timeline-missing"]),
        (V2_GOES, V2_LEAVING, ["timeline-not-followed"]),
    ],
    ids=["it has one", "that of another", "though it goes", "it is never retired"],
)
def test_every_older_version_has_its_timeline(tmp_path, timelines, lines, expected):
    lock = locked(tmp_path, {"v1": V1_LEAVING, "v2": V2_LINES}, releases=LATER)
    newest = 'key = "k:{id}"\nintroduced = "5"\ndecision = "DEC-0002"'
    folder = catalog(tmp_path / "after", {"v1": V1_LEAVING, "v2": lines, "v3": newest}, releases=LATER)
    (folder / "decisions" / "DEC-0002.md").write_text(decision({"id": '"DEC-0002"'}, V3 + timelines))
    findings = found(folder, lock)
    assert rules(findings) == expected
    assert {each.contract for each in findings} <= {"thing.made v2"}
    if expected == ["timeline-missing"]:
        (finding,) = findings
        assert (finding.file, finding.severity) == ("decisions/DEC-0002.md", Severity.ERROR)
        assert finding.text == "DEC-0002 lets v3 take the place of thing.made v2, and does not say when that goes"


def test_one_that_a_superseded_decision_let_go_needs_another_timeline(tmp_path):
    lock = locked(tmp_path, {"v1": V1_LEAVING, "v2": V2_LINES}, releases=LATER)
    newest = 'key = "k:{id}"\nintroduced = "5"\ndecision = "DEC-0002"'
    lines = f'{V2_LEAVING}\nretired = "7"'
    folder = catalog(tmp_path / "after", {"v1": V1_LEAVING, "v2": lines, "v3": newest}, releases=LATER)
    log = folder / "decisions"
    (log / "DEC-0001.md").write_text(decision({"status": '"superseded"', "superseded_by": '"DEC-0002"'}))
    (log / "DEC-0002.md").write_text(decision({"id": '"DEC-0002"'}, V3 + V2_GOES))
    (finding,) = found(folder, lock)
    assert (finding.rule, finding.contract) == ("timeline-missing", "thing.made v1")
    (log / "DEC-0002.md").write_text(decision({"id": '"DEC-0002"'}, V3 + V2_GOES + V1_GOES))
    assert found(folder, lock) == []


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

"""What has been published stays as it was: contracts, releases, owners, moves and their dates."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.lock import Retirement
from tests.evolution.logs import OLD, RELEASES, V1_LEAVING, V1_LINES, V2, V2_LINES, catalog, decision, rules
from tests.evolution.test_lifecycle import LATER, after, found, frozen, locked
from tests.folders import TEXT, schema, table, write
from tests.strategies import examples


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
        ('deprecated = "5"', "", "timeline-not-followed"),
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


def test_a_date_that_was_decided_is_not_dropped(tmp_path):
    lock = locked(tmp_path, releases=LATER, versions={"v1": V1_LEAVING, "v2": V2_LINES})
    folder = catalog(tmp_path / "after", {"v1": f'{V1_LINES}\ndeprecated = "4"', "v2": V2_LINES}, releases=LATER)
    (finding,) = found(folder, lock)
    assert (finding.rule, finding.pointer) == ("timeline-not-followed", 'event."thing.made".v1.retired')
    assert finding.text == "thing.made v1 was to be retired in 6, as DEC-0001 says, and is not any more"
    text = decision({"status": '"superseded"', "superseded_by": '"DEC-0002"'})
    (folder / "decisions" / "DEC-0001.md").write_text(text)
    (folder / "decisions" / "DEC-0002.md").write_text(decision({"id": '"DEC-0002"'}, ""))
    assert found(folder, lock) == []


def test_a_plan_whose_new_version_never_came_may_be_called_off(tmp_path):
    lock = locked(tmp_path, {"v1": V1_LEAVING, "v2": V2_LINES})
    draft = V2_LINES.replace('introduced = "4"', "")
    assert after(tmp_path, {"v1": V1_LINES, "v2": draft}, lock) == []


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
    (folder / "decisions" / "DEC-0001.md").write_text(decision(tables=owned_by("other")))
    (note,) = found(folder, lock)
    assert (note.rule, note.severity, note.pointer) == ("owner-changed", Severity.NOTE, finding.pointer)
    assert note.text.endswith("reject what other emits; DEC-0001 allows it")


def owned_by(name):
    return f'[[allows]]\nevent = "thing.made"\nversion = "v1"\nowner = "{name}"\n'


@pytest.mark.parametrize(
    ("entries", "allowing", "told"),
    [
        ({"DEC-0001": "heir"}, False, "; DEC-0001 names heir as the owner"),
        ({"DEC-0001": "evil", "DEC-0002": "heir"}, False, "; DEC-0002 names heir as the owner"),
        ({"DEC-0001": "heir", "DEC-0002": "evil"}, True, "; DEC-0002 allows it"),
        ({"DEC-9999": "heir", "DEC-10000": "evil"}, True, "; DEC-10000 allows it"),
    ],
)
def test_a_decision_on_one_owner_lets_no_other_one_in(tmp_path, entries, allowing, told):
    lock = locked(tmp_path)
    folder = catalog(tmp_path / "after", {"v1": V1_LINES}, owner="evil")
    (folder / "decisions").mkdir(exist_ok=True)
    for id_, name in entries.items():
        (folder / "decisions" / f"{id_}.md").write_text(decision({"id": f'"{id_}"'}, owned_by(name)))
    (finding,) = found(folder, lock)
    assert finding.severity is (Severity.NOTE if allowing else Severity.ERROR)
    assert finding.text.endswith(told)
    assert ('owner = "evil"' in finding.advice) is not allowing


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

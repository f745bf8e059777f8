"""Moves of the lifecycle that somebody asks for."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from jobarium_events.evolution.evidence import UNSEEN
from jobarium_events.evolution.lock import read_lock
from jobarium_events.evolution.moving import deprecate, retire
from jobarium_events.evolution.refusals import EditError, EvidenceError, Refused
from jobarium_events.evolution.releasing import release
from tests.evolution.logs import TODAY, V1_LINES, V2_LINES, catalog, decision, rules

NOW = datetime(2026, 10, 5, 9, tzinfo=UTC)
ACTIVE = V2_LINES.replace('"4"', '"3"')


@pytest.fixture
def folder(tmp_path):
    """A folder with v1 and v2 active, of which v1 is to be deprecated in 4 and retired in 6."""
    folder = catalog(tmp_path / "schemas", {"v1": f'{V1_LINES}\ndeprecated = "4"\nretired = "6"', "v2": ACTIVE})
    release(folder, "3", today=TODAY)
    return catalog(folder, {"v1": V1_LINES, "v2": ACTIVE})


@pytest.fixture
def last(folder):
    """The same folder, when 6 is the next release."""
    catalog(folder, {"v1": f'{V1_LINES}\ndeprecated = "4"\nretired = "6"', "v2": ACTIVE})
    release(folder, "4", today=TODAY)
    release(folder, "5", today=TODAY)
    return folder


def manifest(folder):
    return (folder / "catalog.toml").read_text()


def counters(folder, service, consumed=0):
    moments = {"since": (NOW - timedelta(days=30)).isoformat()}
    if consumed:
        moments["last"] = (NOW - timedelta(days=1)).isoformat()
    count = {"event": "thing.made", "version": "v1", "emitted": 0, "consumed": consumed, **moments}
    path = folder.parent / f"{service}.json"
    path.write_text(json.dumps({"format": 1, "service": service, "until": NOW.isoformat(), "counts": [count]}))
    return path


def unchanged(folder, error, told, act):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(error, match=told) as caught:
        act()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return caught.value


def test_a_version_is_deprecated_in_a_planned_release(folder):
    assert deprecate(folder, "thing.made", "v1", "4", today=TODAY) == folder / "catalog.toml"
    assert 'introduced = "1"\ndeprecated = "4"\n' in manifest(folder)


def test_one_without_a_successor_is_not(folder):
    error = unchanged(folder, Refused, "is refused", lambda: deprecate(folder, "thing.made", "v2", "4", today=TODAY))
    assert rules(error.findings) == ["successor-missing"]
    assert str(error).startswith("to deprecate thing.made v2 in 4 is refused:")


def test_nor_in_an_earlier_release_than_was_planned(folder):
    deprecate(folder, "thing.made", "v1", "5", today=TODAY)
    error = unchanged(folder, Refused, "is refused", lambda: retire(folder, "thing.made", "v1", "6", now=NOW))
    assert rules(error.findings) == ["dual-consume-too-short"]


@pytest.mark.parametrize(
    ("event", "version", "release_name", "told"),
    [
        ("thing.lost", "v1", "4", "has no thing.lost v1; it has thing.made"),
        ("thing.made", "v3", "4", "the versions of thing.made are v1, v2"),
        ("thing.made", "v1", "2", "2 has been released; the releases to come are 4, 5, 6, 7"),
        ("thing.made", "v1", "9", "9 is not planned"),
    ],
)
def test_what_there_is_not_is_not_moved(folder, event, version, release_name, told):
    unchanged(folder, EditError, told, lambda: deprecate(folder, event, version, release_name, today=TODAY))
    unchanged(folder, EditError, told, lambda: retire(folder, event, version, release_name, now=NOW))


def test_a_rule_that_is_broken_elsewhere_is_no_obstacle(folder):
    (folder / "decisions" / "DEC-0001.md").write_text(decision({"status": '"proposed"'}))
    assert deprecate(folder, "thing.made", "v1", "4", today=TODAY)


def test_a_retirement_is_planned_without_evidence(folder):
    deprecate(folder, "thing.made", "v1", "4", today=TODAY)
    assert retire(folder, "thing.made", "v1", "6", now=NOW) == (folder / "catalog.toml",)
    assert 'retired = "6"' in manifest(folder)
    assert read_lock(folder).retirements == ()


def test_evidence_is_kept_in_the_lock(last):
    files = [counters(last, "maker"), counters(last, "taker")]
    written = retire(last, "thing.made", "v1", "6", evidence=files, now=NOW)
    assert [path.name for path in written] == ["catalog.toml", "catalog.lock"]
    shown = read_lock(last).retirement("thing.made", "v1")
    assert (shown.release, shown.when, shown.decision) == ("6", "2026-10-05", None)
    assert shown.unseen == dict.fromkeys(("maker", "taker"), "2026-09-05T09:00:00Z/2026-10-05T09:00:00Z")
    release(last, "6", today=TODAY)
    assert read_lock(last).contracts["thing.made", "v1"].contract.lifecycle == "retired"


@pytest.mark.parametrize(("days", "is_fresh"), [(7, True), (8, False), (300, False)])
def test_evidence_is_at_most_a_week_old_at_the_release(last, days, is_fresh):
    files = [counters(last, "maker"), counters(last, "taker")]
    retire(last, "thing.made", "v1", "6", evidence=files, now=NOW)
    today = TODAY + timedelta(days=days)
    act = lambda: release(last, "6", today=today)  # noqa: E731
    if is_fresh:
        assert act().name == "6"
        return
    told = f"the evidence that it is no longer seen ends on 2026-10-05, {days} days ago"
    error = unchanged(last, Refused, told, act)
    assert rules(error.findings) == ["retirement-without-evidence"]
    assert error.findings[0].pointer == 'event."thing.made".v1.retired'
    assert error.findings[0].advice.startswith("take new counters: `jobarium-events retire thing.made v1 --in 6")


def test_its_age_is_that_of_the_counters_and_not_that_of_the_command(last):
    files = [counters(last, "maker"), counters(last, "taker")]
    retire(last, "thing.made", "v1", "6", evidence=files, now=NOW + timedelta(days=6))
    unchanged(last, Refused, "8 days ago", lambda: release(last, "6", today=TODAY + timedelta(days=8)))


def test_where_a_decision_waives_it_its_age_does_not_matter(last):
    files = [counters(last, "maker"), counters(last, "taker")]
    retire(last, "thing.made", "v1", "6", evidence=files, now=NOW)
    (last / "decisions" / "DEC-0002.md").write_text(decision({"id": '"DEC-0002"'}, WAIVER))
    assert release(last, "6", today=TODAY + timedelta(days=60)).name == "6"


def test_newer_evidence_takes_the_place_of_older(last):
    files = [counters(last, "maker"), counters(last, "taker")]
    retire(last, "thing.made", "v1", "6", evidence=files, now=NOW)
    retire(last, "thing.made", "v1", "6", evidence=files, now=NOW + timedelta(days=1))
    assert [each.when for each in read_lock(last).retirements] == ["2026-10-06"]


def test_a_version_that_is_still_seen_is_not_retired(last):
    files = [counters(last, "maker"), counters(last, "taker", consumed=3)]
    act = lambda: retire(last, "thing.made", "v1", "6", evidence=files, now=NOW)  # noqa: E731
    unchanged(last, EvidenceError, "got it 3 times", act)


def test_for_how_long_it_has_to_be_unseen_is_a_choice(last):
    files = [counters(last, "maker"), counters(last, "taker", consumed=3)]
    assert timedelta(days=1) < UNSEEN
    assert retire(last, "thing.made", "v1", "6", evidence=files, unseen=timedelta(days=1), now=NOW)


def test_a_consumer_that_left_the_manifest_since_the_last_release_has_to_give_evidence(last):
    (last / "catalog.toml").write_text(manifest(last).replace('consumers = ["taker"]', "consumers = []"))
    act = lambda: retire(last, "thing.made", "v1", "6", evidence=[counters(last, "maker")], now=NOW)  # noqa: E731
    (problem,) = unchanged(last, EvidenceError, "no longer seen", act).problems
    assert problem.startswith("taker has no counters of it")


def test_evidence_is_taken_right_before_the_release(folder):
    deprecate(folder, "thing.made", "v1", "4", today=TODAY)
    files = [counters(folder, "maker"), counters(folder, "taker")]
    act = lambda: retire(folder, "thing.made", "v1", "6", evidence=files, now=NOW)  # noqa: E731
    unchanged(folder, EditError, "the next one is 4", act)


def test_evidence_needs_a_lock(last):
    (last / "catalog.lock").unlink()
    act = lambda: retire(last, "thing.made", "v1", "6", evidence=[counters(last, "maker")], now=NOW)  # noqa: E731
    unchanged(last, EditError, "to keep the evidence", act)


WAIVER = '\n[[allows]]\nevent = "thing.made"\nversion = "v1"\nretirement = true\n'


@pytest.mark.parametrize("has_lock", [True, False])
def test_a_decision_waives_it(last, has_lock):
    text = decision({"id": '"DEC-0002"'}, WAIVER)
    (last / "decisions" / "DEC-0002.md").write_text(text)
    if not has_lock:
        (last / "catalog.lock").unlink()
    written = retire(last, "thing.made", "v1", "6", decision="DEC-0002", now=NOW)
    assert len(written) == (2 if has_lock else 1)
    if has_lock:
        assert read_lock(last).retirement("thing.made", "v1").decision == "DEC-0002"
        release(last, "6", today=TODAY)


def test_one_that_is_rejected_before_the_release_waives_nothing(last):
    path = last / "decisions" / "DEC-0002.md"
    path.write_text(decision({"id": '"DEC-0002"'}, WAIVER))
    retire(last, "thing.made", "v1", "6", decision="DEC-0002", now=NOW)
    path.write_text(decision({"id": '"DEC-0002"', "status": '"rejected"'}, WAIVER))
    error = unchanged(last, Refused, "nobody has shown", lambda: release(last, "6", today=TODAY))
    assert rules(error.findings) == ["retirement-without-evidence"]


@pytest.mark.parametrize(
    ("id_", "changes", "tables", "told"),
    [
        ("DEC-0009", {}, WAIVER, "DEC-0009 is not in the log"),
        ("DEC-0002", {"status": '"proposed"'}, WAIVER, "only an accepted decision"),
        ("DEC-0002", {}, WAIVER.replace("v1", "v2"), "does not waive the evidence for thing.made v1"),
    ],
)
def test_one_that_does_not_say_so_does_not(last, id_, changes, tables, told):
    (last / "decisions" / "DEC-0002.md").write_text(decision({"id": '"DEC-0002"', **changes}, tables))
    unchanged(last, EditError, told, lambda: retire(last, "thing.made", "v1", "6", decision=id_, now=NOW))

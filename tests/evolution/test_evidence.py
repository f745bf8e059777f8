"""Counters show that a version is no longer seen, or what they do not show is told."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest

from jobarium_events import Catalog
from jobarium_events.counters import CountersError, VersionCounters
from jobarium_events.evolution.evidence import UNSEEN, unseen_by
from jobarium_events.evolution.refusals import EvidenceError

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
BILLING = Catalog.bundled().contract("billing.usage.updated", "v1")
SERVICES = ("billing-service", "analytics-service")


def moment(days_ago):
    return (NOW - timedelta(days=days_ago)).isoformat()


def counters(tmp_path, service, *, since=30, until=0, last=None, consumed=0, emitted=0, version="v1", name=None):
    """A file of counters; its moments are given in days before now."""
    count = {"event": BILLING.event, "version": version, "since": moment(since), "emitted": emitted}
    count["consumed"] = consumed
    if last is not None:
        count["last"] = moment(last)
    path = tmp_path / f"{name or service}.json"
    path.write_text(json.dumps({"format": 1, "service": service, "until": moment(until), "counts": [count]}))
    return path


def shown(*files, unseen=UNSEEN):
    return unseen_by(BILLING, files, now=NOW, unseen=unseen)


def refused(*files):
    with pytest.raises(EvidenceError) as caught:
        shown(*files)
    assert caught.value.contract == "billing.usage.updated v1"
    return caught.value.problems


@pytest.fixture
def others(tmp_path):
    return [counters(tmp_path, "analytics-service")]


def test_a_version_that_nobody_sees_may_be_retired(tmp_path):
    files = [counters(tmp_path, service) for service in SERVICES]
    assert shown(*files) == dict.fromkeys(sorted(SERVICES), "2026-10-21T08:00:00Z/2026-11-20T08:00:00Z")


def test_it_may_have_been_seen_before(tmp_path, others):
    file = counters(tmp_path, "billing-service", last=14, consumed=7)
    assert shown(file, *others)["billing-service"] == "2026-11-06T08:00:00Z/2026-11-20T08:00:00Z"


def test_one_that_is_still_seen_may_not_and_the_count_is_told(tmp_path, others):
    (problem,) = refused(counters(tmp_path, "billing-service", last=13, consumed=12, emitted=1), *others)
    assert problem == (
        "billing-service has emitted it once and got it 12 times, the last time at 2026-11-07 08:00 UTC: it has to be "
        "unseen for 14 days"
    )


def test_a_file_that_is_given_twice_counts_once(tmp_path, others):
    file = counters(tmp_path, "billing-service", last=13, consumed=12, emitted=1)
    (tmp_path / "link.json").symlink_to(file)
    once = refused(file, *others)
    assert "emitted it once and got it 12 times" in once[0]
    assert refused(file, file, tmp_path / "link.json", *others) == once


def test_how_long_it_has_to_be_unseen_can_be_said(tmp_path, others):
    file = counters(tmp_path, "billing-service", last=2, consumed=1)
    assert shown(file, *others, unseen=timedelta(days=2))
    with pytest.raises(EvidenceError, match="unseen for 3 days"):
        shown(file, *others, unseen=timedelta(days=3))


def test_a_window_that_is_too_short_is_told(tmp_path, others):
    (problem,) = refused(counters(tmp_path, "billing-service", since=3), *others)
    assert problem.startswith("billing-service has counted from 2026-11-17 08:00 UTC to 2026-11-20 08:00 UTC only")


def test_old_counters_are_told(tmp_path, others):
    (problem,) = refused(counters(tmp_path, "billing-service", since=60, until=8), *others)
    assert "8 days ago: take new ones" in problem


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ({"until": -2}, "the clock: they end at 2026-11-22T08:00:00Z; set the clock right"),
        ({"since": 3, "until": 5}, "themselves: they end at 2026-11-15T08:00:00Z, and speak of 2026-11-17T08:00:00Z"),
        (
            {"last": 1, "until": 3, "consumed": 1},
            "themselves: they end at 2026-11-17T08:00:00Z, and speak of 2026-11-19T08:00:00Z",
        ),
        ({"emitted": 5}, "themselves: it was seen 5 times, and `last` says nothing; take new ones"),
        ({"last": 20}, "themselves: it was never seen, and `last` says 2026-10-31T08:00:00Z; take new ones"),
        (
            {"since": 20, "last": 30, "consumed": 1},
            "themselves: it was last seen at 2026-10-21T08:00:00Z, and is counted since 2026-10-31T08:00:00Z",
        ),
    ],
)
def test_counters_that_cannot_be_are_told(tmp_path, others, says, told):
    (problem,) = refused(counters(tmp_path, "billing-service", **says), *others)
    assert problem.startswith(f"the counters of billing-service contradict {told}")


def test_one_process_that_cannot_be_spoils_the_others(tmp_path, others):
    flawed = counters(tmp_path, "billing-service", name="one", since=30, until=2, emitted=5)
    (problem,) = refused(flawed, counters(tmp_path, "billing-service"), *others)
    assert "contradict themselves" in problem


def test_a_file_that_goes_on_after_a_gap_shows_nothing_of_the_time_before(tmp_path, monkeypatch):
    files = [counters(tmp_path, service, since=21, until=20) for service in SERVICES]
    monkeypatch.setattr("jobarium_events.counters.datetime", SimpleNamespace(now=NOW.astimezone))
    for service, file in zip(SERVICES, files, strict=True):
        VersionCounters(service, [BILLING]).write(file)
    said = "2026-11-20 08:00 UTC"
    assert list(refused(*files)) == [
        f"{service} has counted from {said} to {said} only: it has to be unseen for 14 days" for service in SERVICES
    ]


def test_every_service_that_sees_the_event_has_to_give_its_counters(tmp_path):
    (problem,) = refused(counters(tmp_path, "billing-service"))
    assert problem.startswith("analytics-service has no counters of it")
    assert len(refused()) == 2


def test_counters_of_another_version_are_none(tmp_path, others):
    (problem,) = refused(counters(tmp_path, "billing-service", version="v2"), *others)
    assert problem.startswith("billing-service has no counters of it")


def test_a_consumer_that_nobody_knew_counts_as_well(tmp_path):
    files = [counters(tmp_path, service) for service in SERVICES]
    (problem,) = refused(*files, counters(tmp_path, "unknown-service", last=1, consumed=3))
    assert problem.startswith("unknown-service has emitted it 0 times and got it 3 times")


def test_the_processes_of_a_service_count_together(tmp_path, others):
    one = counters(tmp_path, "billing-service", name="one", since=40, until=3)
    other = counters(tmp_path, "billing-service", name="other", since=5)
    assert shown(one, other, *others)["billing-service"] == "2026-10-11T08:00:00Z/2026-11-20T08:00:00Z"
    last = counters(tmp_path, "billing-service", name="one", since=40, until=3, last=21, consumed=1)
    assert shown(other, last, *others)["billing-service"].startswith("2026-10-30")
    seen = counters(tmp_path, "billing-service", name="other", since=5, last=2, consumed=4)
    assert "got it 5 times" in refused(last, seen, *others)[0]


def test_nobody_counting_for_a_time_is_told(tmp_path, others):
    one = counters(tmp_path, "billing-service", name="one", since=30, until=29)
    other = counters(tmp_path, "billing-service", name="other", since=1 / 24)
    (problem,) = refused(one, other, *others)
    assert problem == (
        "billing-service has not counted from 2026-10-22 08:00 UTC to 2026-11-20 07:00 UTC: it has to be unseen for 14 "
        "days without a gap; give the files of all its processes, or wait"
    )


def test_a_third_process_may_fill_the_gap(tmp_path, others):
    times = {"one": (30, 29), "short": (2, 1), "long": (29, 0.5), "other": (1, 0)}
    files = [
        counters(tmp_path, "billing-service", name=name, since=since, until=until)
        for name, (since, until) in times.items()
    ]
    assert shown(*files, *others)["billing-service"] == "2026-10-21T08:00:00Z/2026-11-20T08:00:00Z"


@pytest.mark.parametrize(("minutes", "since"), [(60, "2026-10-21"), (61, "2026-11-05")])
def test_what_is_recorded_has_no_gap_but_that_of_a_restart(tmp_path, others, minutes, since):
    one = counters(tmp_path, "billing-service", name="one", since=30, until=15 + minutes / 60 / 24)
    other = counters(tmp_path, "billing-service", name="other", since=15)
    assert shown(one, other, *others)["billing-service"] == f"{since}T08:00:00Z/2026-11-20T08:00:00Z"


def test_a_consumer_of_the_last_release_has_to_give_its_counters(tmp_path, others):
    without = msgspec.structs.replace(BILLING, consumers=())
    files = [counters(tmp_path, "billing-service")]
    assert unseen_by(without, files, now=NOW)
    with pytest.raises(EvidenceError) as caught:
        unseen_by(without, files, now=NOW, released=BILLING)
    (problem,) = caught.value.problems
    assert problem.startswith("analytics-service has no counters of it")
    assert problem.endswith("(it is in the catalog of the last release)")
    assert unseen_by(without, files + others, now=NOW, released=BILLING)


def test_every_problem_is_told_at_once(tmp_path):
    problems = refused(*(counters(tmp_path, service, last=1, consumed=1) for service in SERVICES))
    assert len(problems) == 2


def test_something_else_is_no_evidence(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    with pytest.raises(CountersError, match="is no file of counters"):
        shown(path)

"""How often a service has seen each version."""

import json
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from jobarium_events import Catalog, Consumer, Producer
from jobarium_events.counters import PAUSE, CountersError, VersionCounters, read_counters
from jobarium_events.observing import Consumed, Emitted
from jobarium_events.payloads import JobUpdatedV1

CATALOG = Catalog.bundled()
WATCHED = [CATALOG.contract("job.updated", "v1"), CATALOG.contract("billing.usage.updated", "v1")]


def consumed(event="job.updated", version="v1"):
    return Consumed("taker", event, version, None, None, 0.1)


def count(path, event="job.updated"):
    return next(each for each in read_counters(path).counts if each.event == event)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "counters.json"


def test_producer_and_consumer_are_counted(path):
    counters = VersionCounters("job-service", CATALOG)
    sent = []
    producer = Producer(CATALOG, name="job-service", send=sent.append, hooks=[counters])
    consumer = Consumer(CATALOG, name="job-service", hooks=[counters])
    consumer.on(JobUpdatedV1)(lambda _: None)
    for version in (1, 2):
        payload = JobUpdatedV1(job_id="j", job_version=version, status="active", updated_at=datetime.now(UTC))
        producer.emit(payload)
    consumer.consume(sent[0].body)
    counters.write(path)
    assert (count(path).emitted, count(path).consumed) == (2, 1)
    assert read_counters(path).service == "job-service"
    assert {(each.event, each.version) for each in read_counters(path).counts} == set(CATALOG.entries)


def test_what_was_never_seen_is_counted_as_zero(path):
    VersionCounters("taker", WATCHED).write(path)
    assert [(each.emitted, each.consumed, each.last) for each in read_counters(path).counts] == [(0, 0, None)] * 2


@pytest.mark.parametrize(("reason", "emitted"), [(None, 1), ("error", 1), ("invalid-payload", 0), ("retired", 0)])
def test_what_was_refused_was_not_emitted_and_what_failed_on_the_way_may_have_been(path, reason, emitted):
    counters = VersionCounters("maker", WATCHED)
    counters.emitted(Emitted("maker", "job.updated", "v1", reason, 0.1))
    counters.write(path)
    assert count(path).emitted == emitted
    assert (count(path).last is None) is (emitted == 0)


@pytest.mark.parametrize("details", [consumed("job.lost"), consumed(version="v9"), consumed(None, None)])
def test_what_is_not_watched_is_not_counted(path, details):
    counters = VersionCounters("taker", WATCHED)
    counters.consumed(details)
    counters.write(path)
    assert sum(each.consumed for each in read_counters(path).counts) == 0


def test_a_file_goes_on_from_one_process_to_the_next(path):
    first = VersionCounters("taker", WATCHED)
    first.consumed(consumed())
    first.write(path)
    before = count(path)
    first.write(path)
    assert count(path) == before
    second = VersionCounters("taker", WATCHED)
    second.write(path)
    assert count(path) == before
    second.consumed(consumed())
    second.write(path)
    assert count(path).consumed == 2
    assert count(path).since == before.since
    assert count(path).last > before.last


def test_what_is_watched_later_is_counted_since_then(path):
    VersionCounters("taker", WATCHED[:1]).write(path)
    VersionCounters("taker", WATCHED).write(path)
    assert count(path).since < count(path, "billing.usage.updated").since


def test_what_is_not_watched_any_more_is_not_said_to_be_unseen(path):
    VersionCounters("taker", WATCHED).write(path)
    VersionCounters("taker", WATCHED[1:]).write(path)
    assert [each.event for each in read_counters(path).counts] == ["billing.usage.updated"]


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.moment = datetime(2026, 11, 20, 8, tzinfo=UTC)

    def now(self, zone):
        return self.moment.astimezone(zone)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("jobarium_events.counters.datetime", clock)
    return clock


@pytest.mark.parametrize(("pause", "goes_on"), [(PAUSE, True), (PAUSE * 1.01, False), (timedelta(days=21), False)])
def test_after_a_gap_counting_begins_anew(path, clock, pause, goes_on):
    first = VersionCounters("taker", WATCHED)
    clock.moment += timedelta(hours=1)
    first.consumed(consumed())
    first.write(path)
    before = count(path)
    clock.moment += pause
    second = VersionCounters("taker", WATCHED)
    began = clock.moment
    clock.moment += timedelta(days=1)
    second.write(path)
    now = count(path)
    assert (now.since, now.last, now.consumed) == ((before.since, before.last, 1) if goes_on else (began, None, 0))
    assert read_counters(path).until == clock.moment


def test_a_process_that_writes_seldom_leaves_no_gap(path, clock):
    counters = VersionCounters("taker", WATCHED)
    began = clock.moment
    for _ in range(3):
        clock.moment += PAUSE * 10
        counters.write(path)
    assert (count(path).since, read_counters(path).until) == (began, clock.moment)


def test_an_older_file_that_is_put_back_leaves_one(path, clock):
    counters = VersionCounters("taker", WATCHED)
    counters.write(path)
    older = path.read_bytes()
    clock.moment += PAUSE * 10
    written = clock.moment
    counters.write(path)
    path.write_bytes(older)
    clock.moment += PAUSE * 10
    counters.write(path)
    assert count(path).since == written


def test_a_clock_that_is_set_back_makes_no_counters_that_cannot_be(path, clock):
    counters = VersionCounters("taker", WATCHED)
    began = clock.moment
    clock.moment -= timedelta(minutes=5)
    counters.consumed(consumed())
    clock.moment += timedelta(hours=1)
    counters.write(path)
    assert (count(path).since, count(path).last) == (began, began)


def test_threads_lose_no_count(path):
    counters = VersionCounters("taker", WATCHED)
    threads = [Thread(target=lambda: [counters.consumed(consumed()) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    counters.write(path)
    for thread in threads:
        thread.join()
    counters.write(path)
    assert count(path).consumed == 2000


def test_a_file_of_another_service_is_left_alone(path):
    VersionCounters("taker", WATCHED).write(path)
    before = path.read_bytes()
    with pytest.raises(CountersError, match="holds the counters of taker; give other its own"):
        VersionCounters("other", WATCHED).write(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda file: "{", "is no file of counters"),
        (lambda file: "[]", "is no file of counters"),
        (lambda file: b"\xff", "is no file of counters"),
        (lambda file: file | {"format": 2}, "has the format 2"),
        (lambda file: {"service": "taker"}, "until"),
        (lambda file: file | {"until": "2026-10-05T00:00:00"}, "until"),
        (lambda file: file | {"counts": [{**file["counts"][0], "consumed": -1}]}, "consumed"),
        (lambda file: file | {"windows": 1}, "windows"),
    ],
)
def test_a_file_of_something_else_is_refused(path, change, told):
    VersionCounters("taker", WATCHED).write(path)
    changed = change(json.loads(path.read_text()))
    content = changed if isinstance(changed, str | bytes) else json.dumps(changed)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(CountersError, match=told) as caught:
        read_counters(path)
    assert str(caught.value).startswith(str(path))

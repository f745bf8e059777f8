"""What a relay logs comes now and then, not again and again."""

from __future__ import annotations

import orjson
import psycopg
import pytest

from jobarium_events.postgres import reporting
from jobarium_events.postgres.publishing import Row, Settled
from jobarium_events.postgres.reporting import Outage, Reporter
from tests.postgres.events import Kept, job


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands; its one item is the time."""
    now = [1_000.0]
    monkeypatch.setattr(reporting, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def said(caplog):
    """Returns what was logged since it was asked the last time."""

    def said():
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return messages

    return said


def test_an_outage_is_told_now_and_then_and_so_is_its_end(clock, said):
    outage = Outage()
    outage.is_over()
    assert said() == []
    for _ in range(25):
        outage.goes_on(psycopg.OperationalError("no route\n\tto host"))
        clock[0] += 1
    assert said() == ["the relay's database cannot be used, and is tried again: no route to host"] * 3
    outage.is_over()
    outage.is_over()
    assert said() == ["the relay has its database again, after 25 s"]


def test_an_outage_that_was_not_told_has_no_end_either(clock, said):
    outage = Outage()
    for _ in range(5):
        outage.goes_on(psycopg.OperationalError("it flaps"))
        outage.is_over()
    assert [each.partition(":")[0] for each in said()] == [
        "the relay's database cannot be used, and is tried again",
        "the relay has its database again, after 0 s",
    ]


def failed(*errors):
    return Settled([], [], [], [(row(number), error) for number, error in enumerate(errors)])


def row(number):
    message = job(number, 1)
    return Row(number, f"j-{number}", f'"j-{number}"', message.body, orjson.dumps(message.attributes).decode(), False)


def test_each_kind_of_failure_is_told_now_and_then(clock, said):
    reporter = Reporter(Kept())
    reporter.settled(failed(ConnectionError("away"), ConnectionError("away"), KeyError("j-7")))
    both, other = said()
    assert both.startswith("2 events are not published and tried again (such as job.updated v1, event id ")
    assert both.endswith(", by Kept): ConnectionError: away")
    assert other.startswith("1 event is not published and tried again (job.updated v1, event id ")
    assert "by Kept): KeyError (what it says is logged at DEBUG" in other
    clock[0] += 9
    reporter.settled(failed(ConnectionError("away"), TimeoutError("late")))
    (new,) = said()
    assert new.endswith("TimeoutError: late")
    clock[0] += 1
    reporter.settled(failed(ConnectionError("away")))
    assert len(said()) == 1


def test_each_reason_of_a_refusal_is_told(said):
    refused = [(row(1), "too large"), (row(2), "no such topic"), (row(3), "too large")]
    Reporter(Kept()).settled(Settled([], refused, [], []))
    first, second = said()
    assert first.startswith("2 events are refused by the broker for good and set aside (such as job.updated v1")
    assert ": too large; " in first
    assert second.startswith("1 event is refused by the broker for good and set aside (job.updated v1")
    assert ": no such topic; " in second

"""An event whose handler goes on failing ends in the dead letters, if the consumer says after how many attempts."""

from __future__ import annotations

import asyncio
import pickle
import threading

import pytest
from pydantic import BaseModel

from jobarium_events import Consumed, Consumer, DeadLetter, Event, Outcome
from jobarium_events import attempts as attempts_module
from jobarium_events.errors import DeclarationError, HandlerFailed, ViewError
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.sqlite import SqliteDeadLetters
from jobarium_events.testing import InMemoryInbox
from tests.inboxes import CATALOG, job

WAYS = pytest.mark.parametrize("way", [Consumer.consume, Consumer.aconsume])
SECRET = "what the payload says"


class Service:
    """A consumer whose handler fails as often as a test plans, by the event's job."""

    def __init__(self, **options):
        self.letters: list[DeadLetter] = []
        self.seen: list[Consumed] = []
        self.handled: list[str] = []
        self.failures: dict[str, int] = {}
        self.consumer = Consumer(
            CATALOG, name="taker", **{"dead_letters": self.letters.append, "hooks": [self], **options}
        )
        self.consumer.on(JobUpdatedV1)(self.take)

    def take(self, event: Event[JobUpdatedV1]) -> None:
        job_id = event.payload.job_id
        if self.failures.get(job_id, 0) > 0:
            self.failures[job_id] -= 1
            raise ConnectionError(SECRET)
        self.handled.append(job_id)

    def emitted(self, details):
        raise AssertionError

    def consumed(self, details):
        self.seen.append(details)

    def deliver(self, way, message):
        """Deliver an event until it is acknowledged, and return how often that was and its outcome."""
        for number in range(1, 100):
            try:
                outcome = way(self.consumer, message.body, message.attributes)
                return number, asyncio.run(outcome) if way is Consumer.aconsume else outcome
            except ConnectionError:
                continue
        raise AssertionError


@WAYS
@pytest.mark.parametrize("inbox", [None, InMemoryInbox])
def test_the_last_failure_is_a_dead_letter(way, inbox):
    service = Service(attempts=3, inbox=inbox and inbox())
    service.failures["j-7"] = 100
    message = job(1, "j-7")
    assert service.deliver(way, message) == (3, Outcome.DEAD_LETTERED)
    [letter] = service.letters
    assert (letter.raw, letter.attributes, letter.reason) == (message.body, message.attributes, "handler-failed")
    assert str(letter.rejection) == (
        "job.updated v1 was rejected, handler-failed: its handler failed 3 times, the last time with ConnectionError"
    )
    assert isinstance(letter.rejection.__cause__, ConnectionError)
    assert [each.reason for each in service.seen] == ["error", "error", "handler-failed"]
    assert service.seen[-1].outcome is Outcome.DEAD_LETTERED
    service.failures.clear()
    assert service.deliver(way, message) == (1, Outcome.HANDLED)  # its replay, once the handler is mended


@WAYS
def test_a_success_begins_the_count_anew_and_events_are_counted_each_for_itself(way):
    service = Service(attempts=3)
    for _ in range(2):
        service.failures.update({"j-1": 2, "j-2": 2})
        assert service.deliver(way, job(1, "j-1")) == (3, Outcome.HANDLED)
        assert service.deliver(way, job(1, "j-2")) == (3, Outcome.HANDLED)
    assert service.letters == []


def test_one_attempt_is_the_first():
    service = Service(attempts=1)
    service.failures["j-7"] = 1
    assert service.deliver(Consumer.consume, job(1, "j-7")) == (1, Outcome.DEAD_LETTERED)
    assert "failed once" in str(service.letters[0].rejection)


@WAYS
def test_without_attempts_there_is_no_end_of_them(way):
    service = Service()
    service.failures["j-7"] = 50
    assert service.deliver(way, job(1, "j-7")) == (51, Outcome.HANDLED)


@WAYS
def test_a_dead_letter_that_cannot_be_kept_loses_no_event(way):
    def full(_: DeadLetter) -> None:
        raise OSError("the disk is full")

    service = Service(attempts=1, dead_letters=full)
    service.failures["j-7"] = 1
    with pytest.raises(OSError, match="the disk is full"):
        service.deliver(way, job(1, "j-7"))
    assert service.deliver(way, job(1, "j-7")) == (1, Outcome.HANDLED)


def test_a_mistake_of_the_service_is_raised_and_not_counted():
    letters: list[DeadLetter] = []
    consumer = Consumer(CATALOG, name="taker", dead_letters=letters.append, attempts=1)

    @consumer.on(JobUpdatedV1)
    async def take(event: Event[JobUpdatedV1]) -> None: ...

    with pytest.raises(DeclarationError, match="use aconsume"):
        consumer.consume(job(1).body)
    assert letters == []


class Narrow(BaseModel):
    """A view that refuses what the contract accepts."""

    job_id: int


@WAYS
def test_a_view_that_refuses_an_event_is_not_asked_again(way):
    letters: list[DeadLetter] = []
    options = {"dead_letters": letters.append}
    for attempts in (None, 5):
        consumer = Consumer(CATALOG, name="taker", attempts=attempts, **options)

        @consumer.on("job.updated", "v1")
        def take(event: Event[Narrow]) -> None: ...

        def deliver(consumer=consumer):
            outcome = way(consumer, job(1, SECRET).body)
            return asyncio.run(outcome) if way is Consumer.aconsume else outcome

        if attempts is None:
            with pytest.raises(ViewError):
                deliver()
            assert letters == []
        else:
            assert deliver() is Outcome.DEAD_LETTERED
    [letter] = letters
    assert letter.reason == "handler-failed"
    assert "Narrow refuses an event" in str(letter.rejection)
    assert SECRET not in str(letter.rejection)


def test_a_kept_letter_says_it_as_it_was_said(tmp_path):
    letters = SqliteDeadLetters(str(tmp_path / "letters.db"))
    service = Service(attempts=2, dead_letters=letters)
    service.failures["j-7"] = 2
    service.deliver(Consumer.consume, job(1, "j-7"))
    [kept] = letters.list()
    assert kept.rejection == HandlerFailed(
        "job.updated", "v1", problem="its handler failed 2 times, the last time with ConnectionError"
    )
    assert pickle.loads(pickle.dumps(kept.rejection)) == kept.rejection
    letters.close()


def test_so_many_failing_events_are_remembered_and_no_more(monkeypatch):
    monkeypatch.setattr(attempts_module, "_MOST_EVENTS", 10)
    service = Service(attempts=2)
    messages = [job(1, f"j-{number}") for number in range(20)]
    service.failures = dict.fromkeys((f"j-{number}" for number in range(20)), 2)
    for message in messages:
        with pytest.raises(ConnectionError):
            service.consumer.consume(message.body)
    outcomes = []
    for message in reversed(messages):
        try:
            outcomes.append(service.consumer.consume(message.body))
        except ConnectionError:
            outcomes.append("forgotten")
    assert outcomes == [Outcome.DEAD_LETTERED] * 10 + ["forgotten"] * 10


def test_threads_share_the_count():
    service = Service(attempts=100)
    service.failures["j-7"] = 10_000
    message, raised = job(1, "j-7"), []

    def fail() -> None:
        for _ in range(33):
            try:
                service.consumer.consume(message.body)
            except ConnectionError:
                raised.append(1)

    threads = [threading.Thread(target=fail) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(raised) == 99
    assert service.consumer.consume(message.body) is Outcome.DEAD_LETTERED


@pytest.mark.parametrize("attempts", [0, -1, True, 1.5, "3"])
def test_attempts_are_a_number(attempts):
    with pytest.raises(DeclarationError, match="whole number"):
        Consumer(CATALOG, name="taker", dead_letters=print, attempts=attempts)


def test_attempts_need_dead_letters():
    with pytest.raises(DeclarationError, match="attempts need dead_letters"):
        Consumer(CATALOG, name="taker", attempts=3)

"""What every inbox does, whichever it is: each effect at most once, none lost, stale events left out."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jobarium_events import Consumed, Consumer, Message, Outcome
from jobarium_events.errors import DeclarationError
from jobarium_events.inboxes import storable
from jobarium_events.testing import InMemoryInbox
from tests.inboxes import CATALOG, KINDS, Face, Trouble, face, invite, job
from tests.strategies import examples

HANDLED, DUPLICATE, STALE = Outcome.HANDLED, Outcome.DUPLICATE, Outcome.STALE


@pytest.fixture(params=KINDS)
def inbox(request, tmp_path):
    database = request.getfixturevalue("postgres") if request.param.startswith("postgres") else None
    with face(request.param, path=str(tmp_path / "inbox.db"), database=database) as found:
        yield found


def ids(*messages: Message) -> list[str]:
    return [message.attributes["event_id"] for message in messages]


def raising() -> None:
    raise Trouble


class TestOnce:
    def test_the_second_delivery_is_a_duplicate(self, inbox: Face):
        message = invite(1)
        assert [inbox.deliver(message) for _ in range(3)] == [HANDLED, DUPLICATE, DUPLICATE]
        assert inbox.effects() == ids(message)

    def test_a_replay_is_a_duplicate_too(self, inbox: Face):
        message = invite(1)
        assert [inbox.deliver(message), inbox.deliver(message, replay=True)] == [HANDLED, DUPLICATE]

    def test_a_replay_of_what_was_never_handled_is_handled(self, inbox: Face):
        message = invite(1)
        assert [inbox.deliver(message, replay=True) for _ in range(2)] == [HANDLED, DUPLICATE]

    def test_another_event_that_says_the_same_is_a_duplicate(self, inbox: Face):
        one, other = invite(1), invite(1)
        assert one.attributes["event_id"] != other.attributes["event_id"]
        assert [inbox.deliver(one), inbox.deliver(other)] == [HANDLED, DUPLICATE]
        assert inbox.effects() == ids(one)

    def test_each_consumer_handles_an_event_for_itself(self, inbox: Face):
        message = job(1)
        other = f"{inbox.consumer}-too"
        assert [inbox.deliver(message), inbox.deliver(message, consumer=other)] == [HANDLED, HANDLED]
        assert inbox.effects() == inbox.effects(other) == ids(message)

    def test_an_event_whose_handler_raised_is_handled_when_it_comes_again(self, inbox: Face):
        message = job(1)
        inbox.before = raising
        for _ in range(3):
            with pytest.raises(Trouble):
                inbox.deliver(message)
        inbox.before = lambda: None
        assert inbox.deliver(message) is HANDLED
        assert inbox.effects() == ids(message)

    def test_keys_and_aggregates_of_any_length_and_letter_can_be_held(self, inbox: Face):
        odd = ["", "x" * 10_000, "x" * 9_999 + "y", "a\0b", "a\1b", "ключ", "'\"%s{}:name"]
        messages = [job(1, aggregate) for aggregate in odd]
        assert [inbox.deliver(message) for message in messages] == [HANDLED] * len(odd)
        assert [inbox.deliver(message) for message in messages] == [DUPLICATE] * len(odd)


class TestOrder:
    def test_an_older_event_is_stale_and_stays_so(self, inbox: Face):
        old, new = job(7), job(8)
        assert [inbox.deliver(each) for each in (new, old, old)] == [HANDLED, STALE, STALE]
        assert inbox.effects() == ids(new)

    def test_an_older_event_that_was_handled_is_a_duplicate_and_not_stale(self, inbox: Face):
        old, new = job(7), job(8)
        assert [inbox.deliver(each) for each in (old, new, old)] == [HANDLED, HANDLED, DUPLICATE]

    def test_aggregates_do_not_concern_each_other(self, inbox: Face):
        assert [inbox.deliver(job(9, "a")), inbox.deliver(job(1, "b"))] == [HANDLED, HANDLED]

    def test_consumers_do_not_concern_each_other(self, inbox: Face):
        assert [inbox.deliver(job(9)), inbox.deliver(job(1), consumer=f"{inbox.consumer}-too")] == [HANDLED, HANDLED]

    def test_an_event_that_failed_makes_no_other_stale(self, inbox: Face):
        old, new = job(7), job(8)
        inbox.before = raising
        with pytest.raises(Trouble):
            inbox.deliver(new)
        inbox.before = lambda: None
        assert [inbox.deliver(old), inbox.deliver(new)] == [HANDLED, HANDLED]

    def test_numbers_compare_as_numbers(self, inbox: Face):
        for low, high in pairwise([-(2**63), -1, 0, 9, 10, 2**53, 2**53 + 1, 2**63 - 1]):
            inbox.fresh()
            assert [inbox.deliver(job(high)), inbox.deliver(job(low))] == [HANDLED, STALE]

    def test_numbers_that_no_column_holds_are_never_stale(self, inbox: Face):
        assert [inbox.deliver(job(2**64 - 1)), inbox.deliver(job(2**63))] == [HANDLED, HANDLED]


class Deliveries(RuleBasedStateMachine):
    """Any sequence of deliveries to one inbox, beside a model of what is to come of each."""

    inbox: Face

    def __init__(self) -> None:
        super().__init__()
        self.inbox.fresh()
        self.sent: list[tuple[Message, int | None, str]] = []
        self.handled: list[str] = []
        self.keys: set[str] = set()
        self.highest: dict[str, int] = {}

    @rule(aggregate=st.sampled_from("ab"), position=st.integers(0, 5), replay=st.booleans(), fails=st.booleans())
    def new(self, aggregate: str, position: int, *, replay: bool, fails: bool) -> None:
        self.sent.append((job(position, aggregate), position, aggregate))
        self._deliver(len(self.sent) - 1, replay=replay, fails=fails)

    @rule(number=st.integers(0, 3), replay=st.booleans(), fails=st.booleans())
    def new_without_order(self, number: int, *, replay: bool, fails: bool) -> None:
        self.sent.append((invite(number), None, ""))
        self._deliver(len(self.sent) - 1, replay=replay, fails=fails)

    @rule(place=st.integers(0, 50), replay=st.booleans(), fails=st.booleans())
    def again(self, place: int, *, replay: bool, fails: bool) -> None:
        if self.sent:
            self._deliver(place % len(self.sent), replay=replay, fails=fails)

    @invariant()
    def each_effect_is_there_once(self) -> None:
        assert self.inbox.effects() == self.handled

    def teardown(self) -> None:
        # Whatever failed is delivered again, as a broker would: in the end nothing is owed.
        for place in range(len(self.sent)):
            self._deliver(place, replay=False, fails=False)
        assert self.inbox.effects() == self.handled
        assert len(set(self.handled)) == len(self.handled)

    def _deliver(self, place: int, *, replay: bool, fails: bool) -> None:
        message, position, aggregate = self.sent[place]
        event_id, key = message.attributes["event_id"], message.attributes["idempotency_key"]
        self.inbox.before = raising if fails else lambda: None
        if event_id in self.handled or key in self.keys:
            expected: Any = DUPLICATE
        elif position is not None and position < self.highest.get(aggregate, position):
            expected = STALE
        elif fails:
            with pytest.raises(Trouble):
                self.inbox.deliver(message, replay=replay)
            return
        else:
            expected = HANDLED
            self.handled.append(event_id)
            self.keys.add(key)
            if position is not None:
                self.highest[aggregate] = position
        assert self.inbox.deliver(message, replay=replay) is expected


def test_any_sequence_of_deliveries_ends_as_the_model_says(inbox: Face):
    machine = type("Deliveries", (Deliveries,), {"inbox": inbox})
    run_state_machine_as_test(machine, settings=settings(examples(20), stateful_step_count=25))


class TestAtOnce:
    def test_one_of_two_handles_an_event_and_the_other_sees_a_duplicate(self, inbox: Face):
        messages = [job(number, f"j-{number}") for number in range(10)]
        outcomes = self._deliver_at_once(inbox, [message for message in messages for _ in range(3)])
        assert sorted(outcomes) == [DUPLICATE] * 20 + [HANDLED] * 10
        assert sorted(inbox.effects()) == sorted(ids(*messages))

    def test_the_events_of_one_aggregate_never_go_back(self, inbox: Face):
        messages = [job(number) for number in range(12)]
        places = dict(zip(ids(*messages), range(12), strict=True))
        outcomes = self._deliver_at_once(inbox, messages)
        assert set(outcomes) <= {HANDLED, STALE}
        taken = [places[each] for each in inbox.effects()]
        assert taken == sorted(taken)
        assert taken[-1] == 11

    @staticmethod
    def _deliver_at_once(inbox: Face, messages: list[Message]) -> list[Outcome]:
        if inbox.is_async:
            consumer = inbox.made()

            async def all_of_them() -> list[Outcome]:
                return await asyncio.gather(*(consumer.aconsume(message.body) for message in messages))

            return inbox.run(all_of_them())
        with ThreadPoolExecutor(4) as threads:
            return list(threads.map(inbox.deliver, messages))

    @pytest.mark.parametrize("inbox", [kind for kind in KINDS if "async" not in kind], indirect=True)
    def test_the_second_waits_and_handles_what_the_first_could_not(self, inbox: Face):
        message, began, goes_on, first = job(1), threading.Event(), threading.Event(), [True]

        def hold() -> None:
            if first and first.pop():
                began.set()
                goes_on.wait(10)
                raise Trouble

        inbox.before = hold
        with ThreadPoolExecutor(2) as threads:
            one = threads.submit(inbox.deliver, message)
            assert began.wait(10)
            other = threads.submit(inbox.deliver, message)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.2)
            goes_on.set()
            assert isinstance(one.exception(10), Trouble)
            assert other.result(10) is HANDLED
        assert inbox.effects() == ids(message)

    @pytest.mark.parametrize("inbox", [kind for kind in KINDS if "async" in kind], indirect=True)
    def test_a_waiting_task_holds_up_no_other_and_may_be_cancelled(self, inbox: Face):
        message, first = job(1), [True]

        async def play() -> list[Any]:
            began, goes_on = asyncio.Event(), asyncio.Event()

            async def hold() -> None:
                if first and first.pop():
                    began.set()
                    await goes_on.wait()
                    raise Trouble

            inbox.before = hold
            consumer = inbox.made()
            tasks = [asyncio.create_task(consumer.aconsume(message.body)) for _ in range(3)]
            await asyncio.wait_for(began.wait(), 10)
            await asyncio.sleep(0.2)
            assert not any(task.done() for task in tasks)
            tasks[1].cancel()  # of a task that waits
            await asyncio.sleep(0.05)
            goes_on.set()
            return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

        one, cancelled, other = inbox.run(play())
        assert isinstance(one, Trouble)
        assert isinstance(cancelled, asyncio.CancelledError)
        assert other is HANDLED
        assert inbox.effects() == ids(message)

    @pytest.mark.parametrize("inbox", [kind for kind in KINDS if "async" in kind], indirect=True)
    def test_an_event_whose_task_was_cancelled_is_handled_when_it_comes_again(self, inbox: Face):
        message = job(1)

        async def play() -> None:
            began = asyncio.Event()

            async def hold() -> None:
                began.set()
                await asyncio.sleep(10)

            inbox.before = hold
            task = asyncio.create_task(inbox.made().aconsume(message.body))
            await asyncio.wait_for(began.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        inbox.run(play())
        inbox.before = lambda: None
        assert inbox.deliver(message) is HANDLED
        assert inbox.effects() == ids(message)


class TestConsumer:
    """What a consumer does with an inbox, whichever that is."""

    def test_outcomes_reach_the_hooks(self):
        told: list[Consumed] = []

        class Hooks:
            def emitted(self, details: Any) -> None:
                raise AssertionError

            def consumed(self, details: Consumed) -> None:
                told.append(details)

        consumer = Consumer(CATALOG, name="taker", inbox=InMemoryInbox(), hooks=[Hooks()])
        consumer.on("job.updated", "v1")(lambda _: None)
        old, new = job(1), job(2)
        for message in (new, new, old):
            consumer.consume(message.body)
        assert [(each.outcome, each.reason) for each in told] == [(HANDLED, None), (DUPLICATE, None), (STALE, None)]
        assert {(each.event, each.version) for each in told} == {("job.updated", "v1")}

    def test_what_is_rejected_or_skipped_is_not_claimed(self):
        inbox, letters = InMemoryInbox(), []
        consumer = Consumer(CATALOG, name="taker", inbox=inbox, dead_letters=letters.append, strict=False)
        consumer.on("job.updated", "v1")(lambda _: None)
        good = job(1).body
        assert consumer.consume(invite(1).body) is Outcome.SKIPPED
        assert consumer.consume(good.replace(b'"active"', b'"asleep"')) is Outcome.DEAD_LETTERED
        assert consumer.consume(b"{") is Outcome.DEAD_LETTERED
        assert inbox.handled == []
        assert consumer.consume(good) is HANDLED
        assert len(letters) == 2

    def test_an_inbox_must_be_one(self):
        with pytest.raises(DeclarationError, match="must have claim or aclaim"):
            Consumer(CATALOG, name="taker", inbox=object())  # type: ignore[arg-type]

    async def test_an_inbox_of_one_way_says_so(self):
        class Called:
            claim = InMemoryInbox().claim

        class Awaited:
            aclaim = InMemoryInbox().aclaim

        called, awaited = Consumer(CATALOG, name="a", inbox=Called()), Consumer(CATALOG, name="a", inbox=Awaited())
        for consumer in (called, awaited):
            consumer.on("job.updated", "v1")(lambda _: None)
        with pytest.raises(DeclarationError, match="Called has no aclaim; use consume"):
            await called.aconsume(job(1).body)
        with pytest.raises(DeclarationError, match="Awaited has aclaim alone; use aconsume"):
            awaited.consume(job(1).body)
        assert called.consume(job(1).body) is HANDLED
        assert await awaited.aconsume(job(1).body) is HANDLED

    def test_an_async_handler_is_not_taken_for_handled(self):
        inbox = InMemoryInbox()
        consumer = Consumer(CATALOG, name="taker", inbox=inbox)

        @consumer.on("job.updated", "v1")
        async def take(_: Any) -> None: ...

        with pytest.raises(DeclarationError, match="use aconsume"):
            consumer.consume(job(1).body)
        assert inbox.handled == []

    def test_what_is_claimed_tells_of_the_delivery(self):
        inbox = InMemoryInbox()
        consumer = Consumer(CATALOG, name="taker", inbox=inbox)
        consumer.on("job.updated", "v1")(lambda _: None)
        message = job(3, "j-9")
        consumer.consume(message.body, {"replay": "true"})
        [arrival] = inbox.handled
        assert (arrival.consumer, arrival.event, arrival.version) == ("taker", "job.updated", "v1")
        assert str(arrival.event_id) == message.attributes["event_id"]
        assert arrival.idempotency_key == message.attributes["idempotency_key"]
        assert (arrival.aggregate, arrival.position, arrival.replay) == ("j-9", 3, True)


def test_a_text_is_storable_as_it_is_or_as_its_digest():
    assert storable("a:1") == "a:1"
    long = [storable("x" * 1000 + end) for end in "ab"]
    assert len(set(long)) == 2
    assert all(each.startswith("sha256:") and len(each) == 71 for each in long)
    assert storable("a\0").startswith("sha256:")

"""The relay publishes what waits, in order within each aggregate, and marks it once it is confirmed."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from jobarium_events.errors import DeclarationError
from jobarium_events.postgres import Batch, Relay, lanes, publishing
from jobarium_events.postgres.publishing import Publisher
from tests.postgres.events import JOBS, WHEN, Kept, add, in_order, job, keys, outbox_in, packet, rows
from tests.postgres.relays import WAITING, relay_of, running, until

EVENT_ID = "0190b0a0-0000-7000-8000-000000000001"


async def test_what_was_added_is_what_is_sent(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    messages = [job(1, 1), packet(1)]
    add(postgres, outbox, *messages)
    batch = await relay_of(postgres, outbox, kept).drain()
    assert (batch.published, batch.refused, batch.held, batch.failed) == (2, 0, 0, 0)
    assert sorted(kept.sent, key=lambda m: m.body) == sorted(messages, key=lambda m: m.body)
    assert rows(postgres, WAITING) == [(0,)]


@pytest.mark.parametrize("job_id", ["j" * 501, EVENT_ID, "", "j\0"])
async def test_an_ordering_key_is_sent_as_it_was_added(postgres, job_id):
    payload = {"job_id": job_id, "job_version": 1, "status": "active", "updated_at": WHEN}
    message = JOBS.prepare("job.updated", payload, event_id=EVENT_ID)
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, message)
    await relay_of(postgres, outbox, kept).drain()
    assert kept.sent == [message]


@pytest.mark.parametrize(("most", "batches"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (100, [5])])
async def test_a_batch_has_an_end_in_bytes(postgres, monkeypatch, most, batches):
    outbox, messages, done = outbox_in(postgres), [packet(number) for number in range(5)], []
    monkeypatch.setattr(lanes, "_MOST_BYTES", (most - 1) * len(messages[0].body) + 1)
    add(postgres, outbox, *messages)
    await relay_of(postgres, outbox, Kept(), lanes=1, told=lambda batch: done.append(batch.published)).drain()
    assert done == batches


async def test_nothing_is_sent_twice(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    add(postgres, outbox, job(1, 1))
    await relay_of(postgres, outbox, kept).drain()
    batch = await relay_of(postgres, outbox, kept).drain()
    assert batch == Batch(seconds=batch.seconds)
    assert len(kept.sent) == 1


@pytest.mark.parametrize("batch", [1, 7, 500])
async def test_in_order_within_an_aggregate_and_side_by_side_otherwise(postgres, batch):
    outbox, kept = outbox_in(postgres), Kept(seconds=0.001)
    messages = [job(number % 9, number) for number in range(120)]
    add(postgres, outbox, *messages)
    await relay_of(postgres, outbox, kept, batch=batch, lanes=1).drain()
    assert len(kept.sent) == 120
    assert in_order(kept.sent)
    assert kept.most_at_once <= min(batch, 9)
    assert batch == 1 or kept.most_at_once > 1


async def test_it_is_told_of_what_is_committed(postgres):
    outbox, kept = outbox_in(postgres), Kept()
    async with running(relay_of(postgres, outbox, kept, poll=60)):
        await asyncio.sleep(0.3)
        add(postgres, outbox, job(1, 1))
        await until(lambda: kept.sent, 5)


async def test_it_looks_by_itself_where_it_is_not_told(postgres):
    outbox, kept = outbox_in(postgres, notify=False), Kept()
    async with running(relay_of(postgres, outbox, kept, poll=0.05)):
        await asyncio.sleep(0.2)
        add(postgres, outbox, job(1, 1))
        await until(lambda: kept.sent, 5)


async def test_a_failing_aggregate_keeps_its_order_and_is_in_nobodys_way(postgres, caplog):
    outbox = outbox_in(postgres)
    attempts = []

    def fails(message):
        if message.ordering_key == "j-1":
            attempts.append(message)
        return message.ordering_key == "j-1" and len(attempts) <= 3

    kept = Kept(fails=fails)
    add(postgres, outbox, *(job(aggregate, version) for version in range(5) for aggregate in range(40)))
    async with running(relay_of(postgres, outbox, kept, poll=60, batch=20)):
        await until(lambda: len(kept.sent) == 200)
    first = [message.ordering_key for message in kept.sent].index("j-1")
    assert first >= 190  # it was tried again after the others were through
    assert in_order(kept.sent)
    assert keys(attempts[:4]) == ["job.updated:j-1:0"] * 4
    (failed,) = {message.attributes["event_id"] for message in attempts[:3]}
    assert f"1 event is not published and tried again (job.updated v1, event id {failed}, by Kept)" in caplog.text
    assert "ConnectionError: the broker is away" in caplog.text


def test_rests_grow_and_have_an_end():
    publisher = Publisher(Kept(), 1, asyncio.Event())
    longest = []
    for _ in range(30):
        publisher._rest("a")
        longest.append(publisher._rests["a"].until - time.monotonic())
    assert longest[0] <= 0.2
    assert 10 < longest[-1] <= 30


async def test_a_broker_that_is_away_is_not_asked_for_every_aggregate(postgres, monkeypatch):
    monkeypatch.setattr(publishing, "_MOST_RESTING", 20)
    monkeypatch.setattr(publishing, "_FIRST_REST", 10)
    outbox, away = outbox_in(postgres), [True]
    asked = []
    kept = Kept(fails=lambda message: asked.append(message) or away[0])
    add(postgres, outbox, *(job(number, 1) for number in range(100)))
    relay = relay_of(postgres, outbox, kept, batch=10, poll=0.05, lanes=1)
    async with running(relay):
        await asyncio.sleep(0.5)
        assert 20 <= len(asked) < 40
        away[0] = False
        relay._lanes[0]._publisher._rests.popitem()  # the first of them to have rested enough finds the broker back
        await until(lambda: len(kept.sent) == 100, 5)


async def test_a_message_that_is_not_confirmed_in_time_is_tried_again(postgres, caplog, monkeypatch):
    monkeypatch.setattr(publishing, "_UNUSUAL", 0.01)
    outbox = outbox_in(postgres)
    calls = []

    class Hanging(Kept):
        async def asend(self, message):
            calls.append(message)
            await (asyncio.sleep(60) if len(calls) == 1 else super().asend(message))

    kept = Hanging()
    add(postgres, outbox, job(1, 1))
    async with running(relay_of(postgres, outbox, kept, timeout=0.05)):
        await until(lambda: kept.sent)
    assert len(calls) == 2
    assert "1 event awaits the broker's confirmation for 0 s now (job.updated v1" in caplog.text
    assert "TimeoutError: no confirmation within 0.05 s" in caplog.text


async def test_a_transport_that_cancels_itself_has_failed(postgres, caplog):
    class Cancelled(Kept):
        async def asend(self, message):
            raise asyncio.CancelledError

    outbox = outbox_in(postgres)
    add(postgres, outbox, job(1, 1))
    batch = await asyncio.wait_for(relay_of(postgres, outbox, Cancelled()).drain(), 60)
    assert (batch.published, batch.failed) == (0, 1)
    assert "by Cancelled): ConnectionAbortedError: the transport was cancelled within" in caplog.text


async def test_a_long_batch_is_cut_short_and_goes_on(postgres, monkeypatch):
    monkeypatch.setattr(publishing, "_LONGEST_BATCH", 0.05)
    outbox, kept, batches = outbox_in(postgres), Kept(seconds=0.02), []
    add(postgres, outbox, *(job(1, version) for version in range(20)))
    await relay_of(postgres, outbox, kept, told=batches.append).drain()
    assert len(batches) > 2
    assert keys(kept.sent) == [f"job.updated:j-1:{version}" for version in range(20)]


async def test_several_relays_share_the_work(postgres):
    outbox, kept = outbox_in(postgres), Kept(seconds=0.001)
    add(postgres, outbox, *(job(number % 100, number) for number in range(2_000)))
    counts = [0, 0, 0]

    def count(place):
        return lambda batch: counts.__setitem__(place, counts[place] + batch.published)

    relays = [relay_of(postgres, outbox, kept, batch=50, lanes=1, told=count(place)) for place in range(3)]
    for _ in range(3):  # one may end while another has what is left
        await asyncio.gather(*(relay.drain() for relay in relays))
    assert sum(counts) == len(kept.sent) == len(set(keys(kept.sent))) == 2_000
    assert min(counts) > 0
    assert in_order(kept.sent)


def test_declared_wrongly():
    with pytest.raises(DeclarationError, match="an async `asend`, not function"):
        Relay("", lambda message: None)
    with pytest.raises(DeclarationError, match="at least one event"):
        Relay("", Kept(), batch=0)
    with pytest.raises(DeclarationError, match="at least one lane"):
        Relay("", Kept(), lanes=0)
    with pytest.raises(DeclarationError, match=r"write postgresql://$"):
        Relay("postgresql+psycopg://postgres:secret@localhost/x", Kept())


def test_a_transport_that_is_not_async_is_refused_before_it_sends():
    class Sync:
        def asend(self, message):
            raise AssertionError

    with pytest.raises(DeclarationError, match="a relay needs a transport whose `asend` is declared `async def`"):
        Relay("", Sync())


async def test_a_refusal_is_logged_with_its_reason(postgres, caplog):
    outbox = outbox_in(postgres)
    refused = [job(number, 1) for number in (1, 2)]
    add(postgres, outbox, *refused)
    await relay_of(postgres, outbox, Kept(refuses=lambda _: True)).drain()
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(
        "2 events are refused by the broker for good and set aside (such as job.updated v1, event id"
    )
    assert any(message.attributes["event_id"] in said for message in refused)
    assert "no such topic; `jobarium-events outbox status` lists" in said


async def test_what_a_transport_raises_is_logged_without_its_text(postgres, caplog):
    class Leaking(Kept):
        async def asend(self, message):
            raise ValueError(f"bad value {message.body!r}")

    outbox = outbox_in(postgres)
    add(postgres, outbox, job(1, 1))
    with caplog.at_level(logging.DEBUG, "jobarium_events"):
        await relay_of(postgres, outbox, Leaking()).drain()
    warned, detailed = caplog.records
    assert warned.levelno == logging.WARNING
    assert "by Leaking): ValueError (what it says is logged at DEBUG" in warned.getMessage()
    assert "bad value" not in warned.getMessage()
    assert (detailed.levelno, "bad value" in str(detailed.exc_info[1])) == (logging.DEBUG, True)


@pytest.mark.parametrize("always", [False, True])
async def test_draining_counts_as_failed_what_it_leaves(postgres, monkeypatch, always):
    if not always:
        monkeypatch.setattr(publishing, "_FIRST_REST", 0)
    outbox, attempts, kept = outbox_in(postgres), [], Kept()
    kept.fails = lambda message: message.ordering_key == "j-1" and (always or attempts.append(1) or len(attempts) < 3)
    add(postgres, outbox, job(1, 1), job(2, 1))
    batch = await relay_of(postgres, outbox, kept, lanes=1).drain()
    assert (batch.published, batch.failed) == ((1, 1) if always else (2, 0))

"""A relay that is to stop ends soon, and leaves in the outbox what it does not know to be published."""

from __future__ import annotations

import asyncio

import pytest

from jobarium_events.postgres import publishing
from tests.postgres.events import Kept, add, job, outbox_in, rows
from tests.postgres.relays import WAITING, relay_of, until


async def test_stopping_finishes_the_batch(postgres):
    outbox, kept = outbox_in(postgres), Kept(seconds=0.3)
    add(postgres, outbox, *(job(number, 1) for number in range(5)))
    relay = relay_of(postgres, outbox, kept)
    task = asyncio.create_task(relay.run())
    await until(lambda: kept.running)
    relay.stop()
    await asyncio.wait_for(task, 5)
    assert len(kept.sent) == 5
    assert rows(postgres, WAITING) == [(0,)]


class Deaf(Kept):
    """Never hears of one aggregate's events."""

    async def asend(self, message):
        await (asyncio.sleep(3_600) if message.ordering_key == "j-1" else super().asend(message))


@pytest.mark.parametrize("how", ["run", "drain"])
async def test_stopping_gives_up_what_the_broker_does_not_confirm(postgres, monkeypatch, caplog, how):
    monkeypatch.setattr(publishing, "_GRACE", 0.2)
    outbox, deaf = outbox_in(postgres), Deaf(seconds=0.1)
    add(postgres, outbox, job(1, 1), job(2, 1))
    relay = relay_of(postgres, outbox, deaf)
    task = asyncio.create_task(getattr(relay, how)())
    await until(lambda: deaf.running)
    relay.stop()
    await asyncio.wait_for(task, 10)
    assert rows(postgres, "select aggregate from outbox_event where published_at is null") == [("j-1",)]
    assert "1 event is not confirmed within the 0.2 s that a relay has to stop (job.updated v1" in caplog.text


async def test_stopping_does_not_wait_for_events(postgres):
    relay = relay_of(postgres, outbox_in(postgres), Kept(), poll=60)
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(0.2)
    relay.stop()
    await asyncio.wait_for(task, 2)
    assert task.done()


async def test_being_cancelled_marks_nothing_that_is_not_sure(postgres):
    outbox, kept = outbox_in(postgres), Kept(seconds=30)
    add(postgres, outbox, job(1, 1))
    task = asyncio.create_task(relay_of(postgres, outbox, kept).run())
    await until(lambda: kept.running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rows(postgres, WAITING) == [(1,)]


@pytest.mark.parametrize("how", ["run", "drain"])
async def test_stopping_sends_no_more_of_a_batch(postgres, how):
    outbox, kept = outbox_in(postgres), Kept(seconds=0.3)
    add(postgres, outbox, *(job(1, version) for version in range(100)))
    relay = relay_of(postgres, outbox, kept)
    task = asyncio.create_task(getattr(relay, how)())
    await until(lambda: kept.running)
    relay.stop()
    await asyncio.wait_for(task, 60)
    assert len(kept.sent) == 1
    assert rows(postgres, WAITING) == [(99,)]

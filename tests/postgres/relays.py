"""Relays in the tests: one that runs for a while, and waiting for what it does."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

from jobarium_events.postgres import Relay

WAITING = "select count(*) from outbox_event where published_at is null and not held"


def relay_of(database, outbox, transport, **options) -> Relay:
    return Relay(database.url, transport, outbox=outbox, **options)


@asynccontextmanager
async def running(relay):
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        relay.stop()
        await asyncio.wait_for(task, 60)


async def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it takes too long"
        await asyncio.sleep(0.01)

"""The two processes between an outbox and an effect, each of which may be killed: a relay's transport, and a consumer.

``jobarium-events outbox relay --to tests.delivery_worker:opened`` is the one, ``python -m tests.delivery_worker
SETTINGS`` the other. Between them is NATS; both use the library as a service would.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faststream import FastStream
from faststream.nats import JStream, NatsBroker
from nats.js.api import ConsumerConfig
from psycopg_pool import AsyncConnectionPool

from jobarium_events import Consumer, Event, Message
from jobarium_events.integrations.faststream import FastStreamTransport, attach
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.postgres import AsyncPostgresDeadLetters, PostgresInbox
from tests.inboxes import CATALOG

if TYPE_CHECKING:
    from jobarium_events.observing import Consumed, Emitted

ATTEMPTS = 8


def broker_at(url: str) -> NatsBroker:
    """Return a broker that connects again for ever, and soon."""
    return NatsBroker(url, logger=None, max_reconnect_attempts=-1, reconnect_time_wait=0.05)


class Slow:
    """A transport whose confirmations come late."""

    def __init__(self, transport: FastStreamTransport) -> None:
        self._transport = transport
        self._pause = float(os.environ["PAUSE"])

    async def asend(self, message: Message) -> None:
        """Send a message."""
        await self._transport.asend(message)
        await asyncio.sleep(self._pause)


@asynccontextmanager
async def opened() -> AsyncIterator[Slow]:
    """Open the relay's transport."""
    stream = os.environ["TO"]
    async with FastStreamTransport(broker_at(os.environ["NATS"]), destination=stream, stream=stream) as transport:
        yield Slow(transport)


class Plans:
    """What is to happen at each attempt at an event; counted in files, as nothing else outlives a kill."""

    def __init__(self, folder: Path, plans: dict[str, list[str]]) -> None:
        self._folder, self._plans = folder, plans
        self._step = ""

    def next(self, key: str) -> None:
        """Have happen what is planned for this attempt."""
        with (self._folder / key.replace(":", "-")).open("a") as counted:
            counted.write(".")
            attempt = counted.tell() - 1
        plan = self._plans.get(key, [])
        self._step = plan[attempt] if attempt < len(plan) else ""
        if self._step == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._step == "raises":
            raise ValueError

    def consumed(self, details: Consumed) -> None:
        """Called by the consumer once the transaction has ended, and before the broker is told."""
        if self._step == "killed late":
            os.kill(os.getpid(), signal.SIGKILL)

    def emitted(self, details: Emitted) -> None:
        """Called by nobody here."""


async def main(settings: dict[str, Any]) -> None:
    """Consume until SIGTERM."""
    stream, schema = settings["stream"], settings["schema"]
    plans = Plans(Path(settings["folder"]), settings["plans"])
    async with AsyncConnectionPool(settings["database"], min_size=1, max_size=2, open=False) as pool:
        inbox = PostgresInbox(pool, schema=schema)
        letters = AsyncPostgresDeadLetters(pool, schema=schema)
        consumer = Consumer(CATALOG, name="taker", inbox=inbox, dead_letters=letters, attempts=ATTEMPTS, hooks=[plans])

        @consumer.on(JobUpdatedV1)
        async def take(event: Event[JobUpdatedV1]) -> None:
            values = (event.idempotency_key, event.payload.job_id, event.payload.job_version)
            insert = f"insert into {schema}.effect (key, aggregate, position) values (%s, %s, %s)"
            await inbox.connection.execute(insert, values)
            plans.next(event.idempotency_key)

        broker = broker_at(settings["nats"])
        attach(
            broker,
            consumer,
            stream,
            stream=JStream(stream, declare=False),
            redeliver_after=0.05,
            config=ConsumerConfig(filter_subjects=[], max_ack_pending=1, ack_wait=settings["ack_wait"]),
        )
        await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))

"""A service that writes events, relays in processes of their own that can be killed, and what came of it all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import nats
import psycopg

from jobarium_events import Message
from tests.postgres.events import job, rows

if TYPE_CHECKING:
    from jobarium_events.postgres import Outbox

PATIENCE = 120.0
# The relay's side: one stream, no deduplication by the broker, and sending as often as it takes.
TRANSPORT = """
import os
from contextlib import asynccontextmanager

import nats


class Stream:
    def __init__(self, client):
        self.streams = client.jetstream()

    async def asend(self, message):
        headers = {**message.attributes, "ordering": message.ordering_key or ""}
        await self.streams.publish(os.environ["TO"], message.body, headers=headers, timeout=2)


@asynccontextmanager
async def opened():
    async def ignore(error):
        pass

    client = await nats.connect(
        os.environ["NATS"], max_reconnect_attempts=-1, reconnect_time_wait=0.05, error_cb=ignore
    )
    yield Stream(client)
    await client.close()
"""


class Size(NamedTuple):
    """How much a test does: small in CI, and as large as promised where JOBARIUM_FAULTS=full."""

    events: int
    aggregates: int
    kills: int


SIZE = Size(20_000, 500, 50) if os.environ.get("JOBARIUM_FAULTS") == "full" else Size(1_500, 50, 5)


class Service:
    """Adds events in many small transactions, of which some are rolled back; the block ends when all are there.

    As in a service that has jobs, an event's version is that of a row which the transaction locks.
    """

    def __init__(self, database: Any, outbox: Outbox, size: Size, seed: int) -> None:
        self._database, self._outbox, self._size = database, outbox, size
        with psycopg.connect(database.url) as connection:
            connection.execute(f"create table {database.schema}.jobs (id int primary key, version int not null)")
            connection.execute(
                f"insert into {database.schema}.jobs select n, 0 from generate_series(0, %s) as n",
                [size.aggregates - 1],
            )
        self._threads = [
            threading.Thread(target=self._write, args=(random.Random(seed + number), size.events // 2))
            for number in range(2)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    def _write(self, chance: random.Random, events: int) -> None:
        written = 0
        while written < events:
            chosen = sorted(chance.sample(range(self._size.aggregates), min(10, events - written)))
            is_kept = chance.random() > 0.1
            try:
                with psycopg.connect(self._database.url) as connection:
                    for number in chosen:
                        (version,) = connection.execute(
                            f"update {self._database.schema}.jobs set version = version + 1 where id = %s"
                            " returning version",
                            [number],
                        ).fetchone()
                        self._outbox.add(connection, job(number, version))
                    if not is_kept:
                        connection.rollback()
            except psycopg.OperationalError:  # Postgres is restarting: a service would try again, too
                time.sleep(0.1)
            else:
                written += len(chosen) if is_kept else 0


class Relays:
    """Relays as processes, started by the command that a service would start them by; none outlives the block."""

    def __init__(self, folder: Path, database: Any, nats_url: str, stream: str, *, batch: int = 100) -> None:
        (folder / "to_stream.py").write_text(TRANSPORT)
        self._folder = folder
        self._command = [
            *(sys.executable, "-m", "jobarium_events.cli", "outbox", "relay", "--to", "to_stream:opened"),
            *("--database", database.url, "--schema", database.schema, "--batch", str(batch), "--poll", "0.1"),
        ]
        path = os.pathsep.join(sys.path)
        self._environment = {**os.environ, "PYTHONPATH": path, "NATS": nats_url, "TO": stream}
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self.running:
            self.kill(0)

    def start(self, number: int = 1) -> None:
        for _ in range(number):
            process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            self.running.append(process)

    def kill(self, place: int) -> None:
        process = self.running.pop(place)
        process.kill()
        process.communicate()

    def stop(self) -> list[int]:
        """End them as an orchestrator does, and return their exit codes."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        ended, self.running = self.running, []
        for process in ended:
            process.communicate(timeout=60)
        return [process.returncode for process in ended]


def await_drained(database: Any) -> None:
    """Return once nothing waits."""
    end = time.monotonic() + PATIENCE
    while rows(database, "select 1 from outbox_event where published_at is null limit 1"):
        assert time.monotonic() < end, "the backlog does not shrink"
        time.sleep(0.1)


def await_published(database: Any, number: int) -> None:
    """Return once so many events are published."""
    end = time.monotonic() + PATIENCE
    while rows(database, "select count(*) from outbox_event where published_at is not null")[0][0] < number:
        assert time.monotonic() < end, "nothing is published"
        time.sleep(0.005)


async def make_stream(url: str, name: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(name=name, subjects=[name])
    await client.close()


async def all_of(url: str, name: str) -> list[Message]:
    """Return what is in a stream, duplicates and all."""
    client = await nats.connect(url)
    streams = client.jetstream()
    found: list[Message] = []
    last = (await streams.stream_info(name)).state.messages
    subscription = await streams.pull_subscribe(name, stream=name)
    while len(found) < last:
        for each in await subscription.fetch(500, timeout=10):
            headers = dict(each.headers or {})
            found.append(Message(each.data, headers, headers.pop("ordering") or None))
            await each.ack()
    await client.close()
    return found

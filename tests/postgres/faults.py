"""A service that writes events, relays in processes of their own that can be killed, and what came of it all."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import nats
import psycopg

from jobarium_events import Message
from tests.postgres.events import job, keys, rows

if TYPE_CHECKING:
    from jobarium_events.postgres import Outbox

PATIENCE = 120.0
WAITING = "select 1 from outbox_event where published_at is null limit 1"
# The relay's side: one stream, no deduplication by the broker, and sending as often as it takes.
TRANSPORT = """
import asyncio
import os
from contextlib import asynccontextmanager

import nats


class Stream:
    def __init__(self, client):
        self.streams = client.jetstream()

    async def asend(self, message):
        headers = {**message.attributes, "ordering_key": message.ordering_key or ""}
        await self.streams.publish(os.environ["TO"], message.body, headers=headers, timeout=2)
        await asyncio.sleep(float(os.environ["PAUSE"]))


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
    """How much a test does: small in CI, and as large as promised in `make faults`."""

    events: int
    aggregates: int
    kills: int


IS_FULL = os.environ.get("JOBARIUM_FAULTS") == "full"
SIZE = Size(20_000, 500, 50) if IS_FULL else Size(1_500, 50, 5)


class Service:
    """Adds events in many small transactions, of which some are rolled back; the block ends when all are there.

    As in a service that has jobs, an event's version is that of a row which the transaction locks. Once all are there
    it goes on slowly for as long as the block lasts, so that there is always something to be disturbed.

    Args:
        database: Where it works.
        outbox: What it adds to.
        size: How many events it adds at least, and over how many aggregates.
        seed: What its choices follow from.
        pause: Seconds between two transactions of one thread, of which there are two.
    """

    def __init__(self, database: Any, outbox: Outbox, size: Size, seed: int, *, pause: float = 0) -> None:
        self._database, self._outbox, self._size, self._pause = database, outbox, size, pause
        self._share = size.events // 2
        self._left = threading.Event()
        with psycopg.connect(database.url) as connection:
            connection.execute(f"create table {database.schema}.jobs (id int primary key, version int not null)")
            connection.execute(
                f"insert into {database.schema}.jobs select n, 0 from generate_series(0, %s) as n",
                [size.aggregates - 1],
            )
        self._threads = [
            threading.Thread(target=self._write, args=(random.Random(seed + number),)) for number in range(2)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._share = 0  # the test has failed
        self._left.set()
        for thread in self._threads:
            thread.join()

    def _write(self, chance: random.Random) -> None:
        written = 0
        while written < self._share or not self._left.is_set():
            chosen = sorted(chance.sample(range(self._size.aggregates), min(10, max(self._share - written, 1))))
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
            self._left.wait(self._pause if written < self._share else 0.1)


class Relays:
    """Relays as processes, started by the command that a service would start them by; none outlives the block.

    Args:
        folder: Where they work, and write their log.
        database: Where the outbox is.
        nats_url: Where they publish.
        stream: The stream that they publish to.
        to: Their transport, if not the one above; it gets the rest by the environment, as that does.
        batch: How many events they take at once.
        pause: Seconds for which the transport keeps back each confirmation: for so long an event is sent, not marked.
    """

    def __init__(
        self,
        folder: Path,
        database: Any,
        nats_url: str,
        stream: str,
        *,
        to: str = "to_stream:opened",
        batch: int = 100,
        pause: float = 0,
    ) -> None:
        (folder / "to_stream.py").write_text(TRANSPORT)
        self._folder, self._database = folder, database
        self._command = [
            *(sys.executable, "-m", "jobarium_events.cli", "outbox", "relay", "--to", to),
            *("--database", database.url, "--schema", database.schema, "--batch", str(batch), "--poll", "0.1"),
        ]
        told = {"PYTHONPATH": os.pathsep.join(sys.path), "NATS": nats_url, "TO": stream, "PAUSE": str(pause)}
        self._environment = {**os.environ, **told}
        self.running: list[subprocess.Popen[bytes]] = []
        self._names: dict[int, str] = {}
        self._started = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    def start(self, number: int = 1) -> None:
        self._started = str(rows(self._database, "select clock_timestamp()")[0][0])
        for _ in range(number):
            name = f"relay-{secrets.token_hex(8)}"  # by which Postgres tells its sessions
            with (self._folder / "relay.log").open("ab") as log:
                process = subprocess.Popen(
                    self._command,
                    cwd=self._folder,
                    env={**self._environment, "PGAPPNAME": name},
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                )
            self._names[process.pid] = name
            self.running.append(process)

    def kill_at_work(self, chance: random.Random) -> None:
        """Kill the one that runs at a random moment, after it has marked something and before all is; start another.

        A kill that came too late is none, and there is another.
        """
        end = time.monotonic() + PATIENCE
        is_at_work = False
        while not is_at_work:
            marked = f"select 1 from outbox_event where published_at > '{self._started}' limit 1"
            await_that(lambda marked=marked: self._runs(0) and rows(self._database, marked), "it marks nothing", 0.005)
            time.sleep(chance.random() * 0.1)
            self.kill(0)
            is_at_work = bool(rows(self._database, WAITING))
            self.start()
            assert is_at_work or time.monotonic() < end, "no kill comes before everything is published"

    def await_batch(self, place: int) -> None:
        """Return as soon as one has a batch at hand."""
        name = self._names[self.running[place].pid]
        sent = f"select 1 from pg_stat_activity where application_name = '{name}' and state = 'idle in transaction'"
        await_that(lambda: self._runs(place) and rows(self._database, sent), "it takes no batch", 0.002)

    def kill(self, place: int) -> None:
        """Kill one, and return once Postgres knows: what it has marked by now is all that it marks."""
        process = self.running[place]
        process.kill()
        process.wait()
        del self.running[place]
        left = f"select 1 from pg_stat_activity where application_name = '{self._names[process.pid]}'"
        await_that(lambda: not rows(self._database, left), "a killed relay's session does not end", 0.005)

    def _runs(self, place: int) -> bool:
        assert self.running[place].poll() is None, (self._folder / "relay.log").read_text()[-5000:]
        return True

    def stop(self) -> list[int]:
        """End them as an orchestrator does, and return their exit codes."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(PATIENCE) for process in self.running]
        self.running = []
        return codes


def await_that(is_so: Callable[[], object], otherwise: str, seconds: float = 0.05) -> None:
    """Return once something is so."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, otherwise
        time.sleep(seconds)


def await_drained(database: Any) -> None:
    """Return once nothing waits."""
    await_that(lambda: not rows(database, WAITING), "the backlog does not shrink", 0.1)


def await_published(database: Any, number: int) -> None:
    """Return once so many events are published."""
    published = "select count(*) from outbox_event where published_at is not null"
    await_that(lambda: rows(database, published)[0][0] >= number, "nothing is published", 0.005)


async def make_stream(url: str, name: str, **options: Any) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(name=name, subjects=[name], **options)
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
            found.append(Message(each.data, headers, headers.pop("ordering_key", None) or None))
            await each.ack()
    await client.close()
    return found


async def is_consumed(url: str, name: str) -> bool:
    """Whether all of a stream has been acknowledged by its consumers."""
    client = await nats.connect(url)
    consumers = await client.jetstream().consumers_info(name)
    await client.close()
    return all(each.num_pending == each.num_ack_pending == 0 for each in consumers)


async def until_sent_twice(url: str, stream: str, again: Callable[[], object]) -> None:
    """Disturb it again and again until it was between sending and marking, as is seen by what is sent twice."""
    end = time.monotonic() + PATIENCE
    while not sent_twice(await all_of(url, stream)):
        assert time.monotonic() < end, "nothing comes between sending and marking"
        again()


def sent_twice(messages: Iterable[Message]) -> int:
    """Return how many messages are there again."""
    found = keys(messages)
    return len(found) - len(set(found))

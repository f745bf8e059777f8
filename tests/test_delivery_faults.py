"""From a row in an outbox to an effect at a consumer, while everything on the way is killed and crashes.

A relay publishes to NATS JetStream, from which a service consumes with its inbox in Postgres. `make faults` runs this
with 20,000 events over 500 aggregates, 50 kills of the relay and 50 of the service. What goes wrong follows from the
seed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from jobarium_events.postgres import PostgresDeadLetters, PostgresInbox
from tests.conftest import Database
from tests.postgres.events import in_order, outbox_in, rows

pytest.importorskip("faststream")
pytest.importorskip("nats")

from tests.delivery_worker import ATTEMPTS
from tests.postgres.faults import (
    IS_FULL,
    PATIENCE,
    Relays,
    Service,
    Size,
    all_of,
    await_drained,
    await_that,
    is_consumed,
    make_stream,
    sent_twice,
    until_sent_twice,
)

ROOT = Path(__file__).parents[1]
SIZE, CRASHES = (Size(20_000, 500, 50), 5) if IS_FULL else (Size(300, 20, 3), 1)
KEYS = "select idempotency_key from outbox_event"
EFFECTS = "select key, aggregate, position from effect order by number"

log = logging.getLogger(__name__)


class Taker:
    """The consuming service: one process, and another wherever it was killed; none outlives the block."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self._folder = folder
        self._settings = folder / "settings.json"
        self._settings.write_text(json.dumps(settings))
        self.killed = 0

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        with (self._folder / "taker.log").open("ab") as log_file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.delivery_worker", str(self._settings)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=log_file,
                stderr=log_file,
            )

    def keep_up(self) -> None:
        """Start it again if it was killed."""
        code = self._process.poll()
        if code is not None:
            assert code == -signal.SIGKILL, (self._folder / "taker.log").read_text()[-5000:]
            self.killed += 1
            self._start()

    def stop(self) -> int:
        """End it as an orchestrator does, and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)


def place_in(url: str) -> Database:
    """Make every table but the outbox."""
    with psycopg.connect(url) as connection:
        connection.execute("create schema faults")
        connection.execute("set search_path = faults")
        connection.execute("create table effect (number bigserial, key text, aggregate text, position int)")
        connection.execute(PostgresInbox(lambda: connection, schema="faults").tables)
        connection.execute(PostgresDeadLetters(lambda: connection, schema="faults").tables)
    return Database(url, "faults")


def plans_of(chance: random.Random) -> tuple[dict[str, list[str]], str, str]:
    """Return what is to happen at which events' attempts, the event that is poison, and the one that fails at first."""
    known = [
        f"job.updated:j-{aggregate}:{version}"
        for aggregate in range(SIZE.aggregates)
        for version in range(1, SIZE.events // SIZE.aggregates // 2)
    ]
    poison, failing, *unlucky = chance.sample(known, 2 + SIZE.kills)
    plans = {key: [chance.choice(["killed", "killed late"])] for key in unlucky}
    return {**plans, poison: ["raises"] * 1000, failing: ["raises"] * 3}, poison, failing


@pytest.mark.parametrize("seed", [30])
async def test_each_event_takes_effect_once_whatever_is_killed_on_its_way(own_postgres, own_nats, tmp_path, seed):
    chance = random.Random(seed)
    database, url = place_in(own_postgres.url), own_nats.url
    outbox = outbox_in(database)
    await make_stream(url, "faults", duplicate_window=0.1)  # so that the inbox has to know what is sent twice
    plans, poison, failing = plans_of(chance)
    settings = {"nats": url, "stream": "faults", "database": database.url, "schema": "faults", "plans": plans}
    (tmp_path / "attempts").mkdir()
    settings |= {"folder": str(tmp_path / "attempts"), "ack_wait": 1}

    def took_effect(number: int) -> bool:
        taker.keep_up()
        return rows(database, "select count(*) from effect")[0][0] >= number

    def break_broker() -> None:
        own_nats.kill()
        time.sleep(0.5)
        own_nats.start()

    relays = Relays(tmp_path, database, url, "faults", to="tests.delivery_worker:opened", batch=10, pause=0.05)
    faults = [lambda: relays.kill_at_work(chance)] * SIZE.kills + [break_broker, own_postgres.crash] * CRASHES
    marks = sorted(chance.sample(range(1, SIZE.events // 2), len(faults)))
    with relays, Taker(tmp_path, settings) as taker:
        with Service(database, outbox, SIZE, seed, pause=0.02 if IS_FULL else 0.1):
            relays.start()
            for fault, mark in zip(chance.sample(faults, len(faults)), marks, strict=True):
                await_that(lambda mark=mark: took_effect(mark), "nothing more takes effect")
                fault()
            await until_sent_twice(url, "faults", lambda: relays.kill_at_work(chance))  # the inbox is to have work
            await_that(lambda: took_effect(SIZE.events // 2) and taker.killed >= SIZE.kills, "no more is killed")
        await_drained(database)
        added = {key for (key,) in rows(database, KEYS)}
        end = time.monotonic() + PATIENCE
        while not await is_consumed(url, "faults"):
            assert time.monotonic() < end, f"some of {len(added)} events are not acknowledged"
            taker.keep_up()
            await asyncio.sleep(0.1)
        assert relays.stop() == [0]
        assert taker.stop() == 0
        assert taker.killed == SIZE.kills

    effects = rows(database, EFFECTS)
    assert Counter(key for key, _, _ in effects) == Counter(added - {poison})
    by_aggregate = defaultdict(list)
    for _, aggregate, position in effects:
        by_aggregate[aggregate].append(position)
    assert all(positions == sorted(positions) for positions in by_aggregate.values())
    letters = rows(database, "select convert_from(raw, 'utf8')::json->>'idempotency_key', reason from dead_letter")
    assert set(letters) == {(poison, "handler-failed")}
    attempts = {key: (tmp_path / "attempts" / key.replace(":", "-")).stat().st_size for key in (poison, failing)}
    assert attempts[poison] >= ATTEMPTS
    assert attempts[failing] >= 4
    messages = await all_of(url, "faults")
    assert in_order(messages)
    log.info(
        "%d events, of which %d were sent twice; relay and service killed %d times each, NATS and Postgres %d times",
        *(len(added), sent_twice(messages), SIZE.kills, CRASHES),
    )

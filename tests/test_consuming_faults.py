"""Consumers that are killed, fail and meet poison: nothing is lost, and nothing takes effect twice.

`make faults` runs these with 20,000 events over 500 aggregates and 50 kills. What goes wrong, and when, follows from
the seed.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from jobarium_events import Message
from jobarium_events.postgres import PostgresDeadLetters, PostgresInbox
from jobarium_events.sqlite import SqliteDeadLetters
from tests.conftest import Database
from tests.consuming_worker import ATTEMPTS
from tests.dead import broken
from tests.inboxes import job

ROOT = Path(__file__).parents[1]
EVENTS, AGGREGATES, KILLS = (20_000, 500, 50) if os.environ.get("JOBARIUM_FAULTS") == "full" else (120, 10, 3)
EFFECTS = "select event_id, aggregate, position from effect order by number"


class Place(NamedTuple):
    """Where the workers work."""

    told: str
    letters: Any
    kind: str
    connect: Any

    def effects(self) -> list[tuple[str, str, int]]:
        """Return what took effect, in order."""
        with closing(self.connect()) as connection:
            return [tuple(row) for row in connection.execute(EFFECTS).fetchall()]


COLUMNS = "event_id text, aggregate text, position integer"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    if request.param == "postgres":
        yield place_in(request.getfixturevalue("postgres"), tmp_path / "place")
        return
    path = str(tmp_path / "service.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"create table effect (number integer primary key autoincrement, {COLUMNS})")
    (tmp_path / "place").write_text(path)
    letters = SqliteDeadLetters(path)
    yield Place(str(tmp_path / "place"), letters, "sqlite", lambda: sqlite3.connect(path))
    letters.close()


def place_in(database: Database, told: Path) -> Place:
    """Return a place in Postgres, with its tables made."""
    options = {"conninfo": database.url, "options": f"-c search_path={database.schema}"}
    told.write_text(json.dumps(options))

    def connect() -> Any:
        return psycopg.connect(**options)

    letters = PostgresDeadLetters(connect)
    with connect() as connection:
        connection.execute(f"create table effect (number bigserial, {COLUMNS})")
        connection.execute(PostgresInbox(connect).tables)
        connection.execute(letters.tables)
    return Place(str(told), letters, "postgres", connect)


class Broker:
    """Delivers events in order to a worker until each is acknowledged, as a broker with redelivery does.

    Args:
        place: Where the worker works.
        plans: What is to happen in the handler at each attempt, by event; nothing where it says no more.
        crash: Crashes the database: while a handler is "inside", and before a delivery that is "crashed".
    """

    def __init__(self, place: Place, plans: dict[str, list[str]], crash: Callable[[], object] = lambda: None) -> None:
        self._place = place
        self._crash = crash
        self._plans = {event_id: list(plan) for event_id, plan in plans.items()}
        self.outcomes: Counter[str] = Counter()
        self.killed = 0

    def deliver(self, messages: list[Message]) -> None:
        """Deliver events, each until it is acknowledged."""
        with ExitStack() as stack:
            worker = stack.enter_context(self._started())
            for message in messages:
                event_id = message.attributes["event_id"]
                plan = self._plans.get(event_id, [])
                told = ""
                while told in ("", "raised"):
                    step = plan.pop(0) if plan else ""
                    if step == "crashed":
                        self._crash()
                    told = self._asked(worker, json.dumps([message.body.decode(), step]))
                    if told == "inside":
                        self._crash()
                        told = self._asked(worker, "go on")
                    if not told:
                        assert worker.wait(60) == -signal.SIGKILL
                        self.killed += 1
                        worker = stack.enter_context(self._started())
                    else:
                        self.outcomes[told] += 1
            worker.stdin.close()
            assert worker.wait(60) == 0

    def _asked(self, worker: Any, line: str) -> str:
        worker.stdin.write(f"{line}\n")
        worker.stdin.flush()
        told: str = worker.stdout.readline().strip()
        return told

    def _started(self) -> Any:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.consuming_worker", self._place.told],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def events(chance: random.Random) -> list[Message]:
    """Return events of many aggregates, in order within each."""
    positions: Counter[str] = Counter()
    found = []
    for _ in range(EVENTS):
        aggregate = f"j-{chance.randrange(AGGREGATES)}"
        positions[aggregate] += 1
        found.append(job(positions[aggregate], aggregate))
    return found


def assert_each_once_in_order(place: Place, messages: list[Message]) -> None:
    effects = place.effects()
    assert Counter(event_id for event_id, _, _ in effects) == Counter(m.attributes["event_id"] for m in messages)
    by_aggregate = defaultdict(list)
    for _, aggregate, position in effects:
        by_aggregate[aggregate].append(position)
    assert all(positions == sorted(positions) for positions in by_aggregate.values())


@pytest.mark.parametrize("seed", [1])
def test_a_consumer_that_is_killed_in_its_handler(place: Place, seed: int):
    chance = random.Random(seed)
    messages = events(chance)
    unlucky = chance.sample([message.attributes["event_id"] for message in messages], KILLS)
    plans = {event_id: [chance.choice(["killed", "killed late"])] for event_id in unlucky}
    broker = Broker(place, plans)
    broker.deliver(messages)
    assert broker.killed == KILLS
    late = [plan for plan in plans.values() if plan == ["killed late"]]
    assert broker.outcomes == {"handled": EVENTS - len(late), "duplicate": len(late)}
    assert_each_once_in_order(place, messages)


@pytest.mark.parametrize("seed", [5])
def test_a_consumer_whose_postgres_crashes(own_postgres, tmp_path: Path, seed: int):
    with psycopg.connect(own_postgres.url) as connection:
        connection.execute("create schema faults")
    place = place_in(Database(own_postgres.url, "faults"), tmp_path / "place")
    chance = random.Random(seed)
    messages = events(chance)
    unlucky = chance.sample([message.attributes["event_id"] for message in messages], KILLS)
    plans = {event_id: [chance.choice(["inside", "crashed"])] for event_id in unlucky}
    broker = Broker(place, plans, own_postgres.crash)
    broker.deliver(messages)
    assert broker.outcomes["handled"] == EVENTS
    assert broker.outcomes["raised"] >= list(plans.values()).count(["inside"]) > 0
    assert set(broker.outcomes) == {"handled", "raised"}
    assert_each_once_in_order(place, messages)


@pytest.mark.parametrize("seed", [2])
def test_two_that_get_the_same_events_are_killed_and_fail(place: Place, seed: int):
    chance = random.Random(seed)
    messages = events(chance)
    ids = [message.attributes["event_id"] for message in messages]
    brokers = [Broker(place, {each: ["killed"] for each in chance.sample(ids, KILLS)}) for _ in range(2)]
    failures: list[BaseException] = []

    def deliver(broker: Broker) -> None:
        try:
            broker.deliver(messages)
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=deliver, args=(broker,)) for broker in brokers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(broker.outcomes["handled"] for broker in brokers) == EVENTS
    assert sum(broker.outcomes["duplicate"] for broker in brokers) == EVENTS
    assert_each_once_in_order(place, messages)


@pytest.mark.parametrize("seed", [3])
def test_a_handler_that_fails_three_times_and_then_succeeds(place: Place, seed: int):
    chance = random.Random(seed)
    messages = events(chance)
    plans = {message.attributes["event_id"]: ["raises"] * 3 for message in chance.sample(messages, EVENTS // 10)}
    broker = Broker(place, plans)
    broker.deliver(messages)
    assert broker.outcomes == {"handled": EVENTS, "raised": 3 * (EVENTS // 10)}
    assert_each_once_in_order(place, messages)


@pytest.mark.parametrize("seed", [4])
def test_poison_among_good_events(place: Place, seed: int):
    chance = random.Random(seed)
    messages = events(chance)
    poison, invalid = chance.sample(messages, 2)
    bad = Message(broken(invalid.body, job_version="x"), invalid.attributes)
    sent = [bad if message is invalid else message for message in messages]
    broker = Broker(place, {poison.attributes["event_id"]: ["raises"] * ATTEMPTS})
    broker.deliver(sent)
    assert broker.outcomes == {"handled": EVENTS - 2, "raised": ATTEMPTS - 1, "dead-lettered": 2}
    assert {letter.raw: letter.reason for letter in place.letters.list()} == {
        poison.body: "handler-failed",
        bad.body: "invalid-payload",
    }
    assert_each_once_in_order(place, [message for message in messages if message not in (poison, invalid)])

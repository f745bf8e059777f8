"""A store of dead letters as commands meet it, and a service whose transports they send through."""

from __future__ import annotations

import json
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from jobarium_events import Consumer, DeadLetter
from jobarium_events.errors import UnknownVersion
from jobarium_events.postgres import PostgresDeadLetters
from jobarium_events.sqlite import SqliteDeadLetters
from tests.dead import broken
from tests.inboxes import CATALOG, invite, job

SENTINEL = "sentinel-2298"

TRANSPORT = """
import asyncio, contextlib, json, os, sys
from pathlib import Path
from jobarium_events.transports import Refused

SENT = Path(__file__).with_name("sent.jsonl")

class Transport:
    def __init__(self, limit=1000):
        self.limit = limit

    async def asend(self, message):
        if self.limit == 0:
            raise ConnectionError("the broker is gone")
        self.limit -= 1
        with SENT.open("a") as file:
            file.write(json.dumps([message.body.decode(), dict(message.attributes), message.ordering_key]) + "\\n")

class Refusing:
    async def asend(self, message):
        raise Refused("too large")

transport = Transport()
refusing = Refusing()

def failing():
    return Transport(1)

async def made():
    return Transport()

@contextlib.asynccontextmanager
async def managed():
    yield Transport()
    SENT.with_name("closed").touch()

class Silent:
    async def asend(self, message):
        await asyncio.sleep(3600)

class Starting:
    async def asend(self, message):
        SENT.with_name("started").touch()
        await asyncio.sleep(3600)

class Telling:
    async def asend(self, message):
        raise ValueError("bad value " + message.body.decode())

silent, starting, telling = Silent(), Starting(), Telling()

@contextlib.asynccontextmanager
async def meeting():
    SENT.with_name(f"{os.getpid()}.met").touch()
    while len(list(SENT.parent.glob("*.met"))) < 2:
        await asyncio.sleep(0.01)
    yield Transport()

@contextlib.asynccontextmanager
async def unopened():
    await asyncio.sleep(3600)
    yield

@contextlib.asynccontextmanager
async def unclosed():
    yield Transport()
    await asyncio.sleep(3600)

def raising():
    raise ValueError("no settings")

nothing = 7
"""


class Place(NamedTuple):
    """A store as the command line and the tests know it."""

    url: str
    store: Any
    more: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """What names it to a command."""
        return ("--store", self.url, *self.more)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    if request.param == "sqlite":
        store = SqliteDeadLetters(tmp_path / "letters.db")
        yield Place(f"sqlite:///{tmp_path / 'letters.db'}", store)
        store.close()
        return
    database = request.getfixturevalue("postgres")
    store = PostgresDeadLetters(lambda: psycopg.connect(database.url), schema=database.schema)
    with psycopg.connect(database.url) as connection:
        connection.execute(store.tables)
    yield Place(database.url, store, ("--table", f"{database.schema}.dead_letter"))


@pytest.fixture
def kept(place: Place) -> Place:
    """A store with three letters: 1 a payload that is no good, 2 no event, 3 of an event that was unknown then."""
    consumer = Consumer(CATALOG, name="matching-service", dead_letters=place.store)
    consumer.on("job.updated", "v1")(print)
    attributes = {**job(1).attributes, "idempotency_key": f"job.updated:{SENTINEL}:1", "x-own": SENTINEL}
    consumer.consume(broken(job(1).body, status=SENTINEL, job_version="x"), attributes)
    consumer.consume(b'{"torn": "' + SENTINEL.encode())
    place.store(unknown(invite(1).body))
    return place


def unknown(raw: bytes, *, consumer: str = "analytics-service", days: int = 3) -> DeadLetter:
    moment = datetime.now(UTC) - timedelta(days=days)
    rejection = UnknownVersion("invite.expired", "v1")
    return DeadLetter(raw=raw, attributes={}, consumer=consumer, rejected_at=moment, rejection=rejection)


@pytest.fixture
def transport(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `sending` in the current folder; what its transports sent is in the file that is returned."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "sending.py").write_text(textwrap.dedent(TRANSPORT), encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.delitem(sys.modules, "sending", raising=False)
    return folder / "sent.jsonl"


def sent(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

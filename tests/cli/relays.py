"""A service with transports of all kinds, an outbox for it, and relays as processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

PATIENCE = 60.0

TRANSPORT = """
import asyncio
import time
from pathlib import Path

from jobarium_events.transports import Refused

SENT = Path(__file__).with_name("sent")


class File:
    def __init__(self, seconds=0.0):
        self.seconds = seconds

    async def asend(self, message):
        SENT.with_name("begun").touch()
        await asyncio.sleep(self.seconds)
        if message.ordering_key == "j-13":
            raise Refused("it is unlucky")
        with SENT.open("a") as to:
            to.write(message.attributes["idempotency_key"] + "\\n")


transport = File()
nothing = 5


def slow():
    return File(0.5)


class Sync:
    def asend(self, message):
        raise AssertionError


class Away:
    async def asend(self, message):
        raise ConnectionError("the broker is away")


def begun():
    Path(__file__).with_name("begun").touch()


async def opens_for_ever():
    begun()
    await asyncio.sleep(3_600)


def makes_for_ever():
    begun()
    time.sleep(3_600)


def makes_for_ever_in_a_text():
    exec("makes_for_ever()")


class Deaf:
    async def asend(self, message):
        begun()
        await asyncio.sleep(3_600)


sync, away, deaf = Sync(), Away(), Deaf()
"""


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("jobarium_events.postgres.publishing._FIRST_REST", 10)  # what fails is tried once
    (tmp_path / "billing.py").write_text(TRANSPORT)
    yield tmp_path
    sys.modules.pop("billing", None)


@pytest.fixture
def where(postgres, monkeypatch):
    """The options that name the test's own outbox, whose table is made."""
    from tests.postgres.events import outbox_in  # noqa: PLC0415 - the extra may be missing

    outbox_in(postgres)
    monkeypatch.setenv("DATABASE_URL", postgres.url)
    return ["--schema", postgres.schema]


def sent(service):
    return (service / "sent").read_text().split() if (service / "sent").exists() else []


@pytest.fixture
def outbox(postgres):
    from jobarium_events.postgres import Outbox  # noqa: PLC0415 - the extra may be missing

    return Outbox(schema=postgres.schema)


def started(target, *arguments):
    """A relay as a process of its own."""
    command = [sys.executable, "-m", "jobarium_events.cli", "outbox", "relay", "--to", target, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)


def until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)

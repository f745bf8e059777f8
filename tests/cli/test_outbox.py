"""`outbox` publishes, tells how an outbox stands, and looks after it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from tests.cli.conftest import process
from tests.postgres.events import add, job, outbox_in, packet, rows

PATIENCE = 60.0

TRANSPORT = """
import asyncio
from pathlib import Path

from jobarium_events.transports import Refused

SENT = Path(__file__).with_name("sent")


class File:
    def __init__(self, seconds=0.0):
        self.seconds = seconds

    async def asend(self, message):
        await asyncio.sleep(self.seconds)
        if message.ordering_key == "j-13":
            raise Refused("it is unlucky")
        with SENT.open("a") as to:
            to.write(message.attributes["idempotency_key"] + "\\n")


transport = File()
nothing = 5


def slow():
    return File(0.5)
"""


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "billing.py").write_text(TRANSPORT)
    yield tmp_path
    sys.modules.pop("billing", None)


@pytest.fixture
def where(postgres, monkeypatch):
    """The options that name the test's own outbox, whose table is made."""
    outbox_in(postgres)
    monkeypatch.setenv("DATABASE_URL", postgres.url)
    return ["--schema", postgres.schema]


def sent(service):
    return (service / "sent").read_text().split() if (service / "sent").exists() else []


@pytest.fixture
def outbox(postgres):
    from jobarium_events.postgres import Outbox  # noqa: PLC0415 - after the server is found

    return Outbox(schema=postgres.schema)


def test_relay_once(run, service, where, postgres, outbox):
    add(postgres, outbox, job(1, 1), job(1, 2))
    ended = run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    assert (ended.code, sent(service)) == (0, ["job.updated:j-1:1", "job.updated:j-1:2"])
    assert ended.out.startswith("2 published  ")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_relay_finishes_its_batch_at_a_signal(service, where, postgres, outbox, sign):
    add(postgres, outbox, *(packet(number) for number in range(3)))
    command = [sys.executable, "-m", "jobarium_events.cli", "outbox", "relay", "--to", "billing:slow", *where]
    relay = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    until(lambda: locks(postgres))
    relay.send_signal(sign)
    out, _ = relay.communicate(timeout=PATIENCE)
    assert (relay.returncode, len(sent(service))) == (0, 3)
    assert out.decode().startswith("3 published")
    assert rows(postgres, "select count(*) from outbox_event where published_at is null") == [(0,)]


def locks(postgres):
    """Whether a relay is at a batch."""
    with psycopg.connect(postgres.url) as connection:
        return connection.execute(
            "select 1 from pg_locks join pg_class on classid = pg_class.oid and locktype = 'advisory'"
            " where relnamespace::regnamespace::text = %s",
            [postgres.schema],
        ).fetchall()


def until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


def test_relay_has_a_live_line_in_a_terminal(service, where, postgres, outbox):
    add(postgres, outbox, job(1, 1), job(13, 1), job(13, 2))
    near, far = pty.openpty()
    command = [sys.executable, "-m", "jobarium_events.cli", "outbox", "relay", "--to", "billing:transport", *where]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    relay = subprocess.Popen(command, stdout=far, stderr=far, env=environment)
    os.close(far)
    shown = b""
    end = time.monotonic() + PATIENCE
    while b"1 held" not in shown:
        assert time.monotonic() < end, shown
        shown += os.read(near, 4096)
    relay.terminate()
    assert relay.wait(timeout=PATIENCE) == 0
    os.close(near)
    assert b"1 published" in shown
    assert b"1 set aside" in shown


def test_status_for_people_and_machines(run, service, where, postgres, outbox):
    add(postgres, outbox, job(1, 1), job(13, 1), job(13, 2))
    run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    add(postgres, outbox, job(2, 1))
    shown = run("outbox", "status", *where)
    assert shown.code == 1
    assert "waiting      1 event, the oldest for 0." in shown.out
    assert "published    1 event in the last minute" in shown.out
    assert "set aside    1 event, and 1 held behind" in shown.out
    assert "it is unlucky" in shown.out
    told = json.loads(run("outbox", "status", "--json", *where).out)
    (event,) = told.pop("events")
    assert (told["waiting"], told["held"], told["set_aside"], told["published_last_minute"]) == (1, 2, 1, 1)
    assert (event["aggregate"], event["behind"], event["reason"]) == ("j-13", 1, "it is unlucky")


def test_status_of_an_outbox_that_is_well(run, where):
    ended = run("outbox", "status", *where)
    assert (ended.code, ended.out.splitlines()[0]) == (0, "waiting      0 events")


def test_requeue_and_drop(run, service, where, postgres, outbox):
    add(postgres, outbox, job(13, 1), job(13, 2))
    run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    ended = run("outbox", "requeue", "--all", *where)
    assert (ended.code, ended.out) == (0, "1 event requeued\n")
    run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    (event,) = json.loads(run("outbox", "status", "--json", *where).out)["events"]
    ended = run("outbox", "drop", event["event_id"], *where)
    assert (ended.code, ended.out) == (0, "1 event dropped\n")
    ended = run("outbox", "drop", event["event_id"], *where)
    assert (ended.code, ended.out) == (1, f"0 events dropped\n{event['event_id']} is not set aside\n")
    assert rows(postgres, "select count(*) from outbox_event where not held") == [(1,)]


@pytest.mark.parametrize("command", ["requeue", "drop"])
def test_what_is_released_is_named(run, where, command):
    assert run("outbox", command, *where).code == 2
    assert run("outbox", command, "--all", "01999d1e-7f31-7c8a-9f6e-3f6f0d3c2b1a", *where).code == 2


def test_prune(run, service, where, postgres, outbox):
    add(postgres, outbox, job(1, 1), job(1, 2))
    run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    assert run("outbox", "prune", "--older-than", "1d", *where).out == "0 events deleted\n"
    assert run("outbox", "prune", "--older-than", "0s", *where).out == "2 events deleted\n"
    assert "write a number and s, m, h, d or w" in run("outbox", "prune", "--older-than", "soon", *where).err


@pytest.mark.parametrize("form", ["new", "expand"])
def test_tables_are_printed_as_sql(run, form):
    ended = run("outbox", "tables", "--schema", "billing", *(["--expand"] if form == "expand" else []))
    begin = "create table if not exists" if form == "new" else "alter table"
    assert ended.out.startswith(f'{begin} "billing"."outbox_event"')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["relay", "--to", "billing:nothing"], "billing:nothing is no transport"),
        (["relay", "--to", "billing"], "'billing' names no transport"),
        (["relay", "--to", "billing:transport", "--table", "none"], "there is no outbox in"),
        (["status", "--table", "none"], "the database cannot be used: relation"),
        (["status", "--database", "postgresql://127.0.0.1:1/"], "the database cannot be used: connection"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(run, service, where, arguments, said):
    ended = run("outbox", *arguments, *where)
    assert ended.code == 2
    assert said in ended.err


def test_without_the_extra_it_is_named(tmp_path, where):
    (tmp_path / "psycopg.py").write_text("raise ModuleNotFoundError('No module named psycopg', name='psycopg')")
    ended = process("outbox", "tables", PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert ended.returncode == 2
    assert b"pip install 'jobarium-events[postgres]'" in ended.stderr

"""`outbox relay` publishes until it is told to end, or once, and says how it goes."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.cli.relays import PATIENCE, TRANSPORT, sent, started, until
from tests.postgres.events import add, job, packet, rows


def test_relay_once(run, service, where, postgres, outbox):
    add(postgres, outbox, job(1, 1), job(1, 2))
    ended = run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    assert (ended.code, sent(service)) == (0, ["job.updated:j-1:1", "job.updated:j-1:2"])
    assert ended.out.startswith("2 published  ")
    assert ended.out.endswith("/s  0 waiting\n")


@pytest.mark.parametrize(
    ("transport", "left"),
    [("away", "1 waiting  1 failed attempts"), ("transport", "0 waiting  1 set aside"), ("transport", "0 waiting")],
)
def test_relay_once_tells_by_its_exit_code_that_something_is_left(
    run, service, where, *, postgres, outbox, transport, left
):
    add(postgres, outbox, job(13, 1))
    if left == "0 waiting":  # what is set aside was so before
        run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    ended = run("outbox", "relay", "--to", f"billing:{transport}", "--once", *where)
    assert (ended.code, ended.out) == (1, f"0 published  0/s  {left}\n")


def test_relay_takes_its_lanes_and_its_patience(run, service, where, *, postgres, outbox, caplog):
    (service / "billing.py").write_text(TRANSPORT.replace("    begun()\n        await", "    await"))
    add(postgres, outbox, job(1, 1))
    ended = run(
        "outbox", "relay", "--to", "billing:deaf", "--once", "--lanes", "1", "--timeout", "0.05", "--poll", "1", *where
    )
    assert (ended.code, ended.out) == (1, "0 published  0/s  1 waiting  1 failed attempts\n")
    assert "no confirmation within 0.05 s" in caplog.text
    assert run("outbox", "relay", "--to", "billing:deaf", "--lanes", "0", *where).code == 2


def test_relay_once_ends_at_a_signal_while_it_connects(service):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"postgresql://postgres@127.0.0.1:{mute.getsockname()[1]}/x?connect_timeout={PATIENCE:.0f}"
        relay = started("billing:transport", "--once", "--database", url)
        connection, _ = mute.accept()
        with connection:
            connection.recv(1)
            relay.terminate()
            out, _ = relay.communicate(timeout=PATIENCE / 2)
    assert (relay.returncode, out) == (1, b"0 published  0/s\n")


def test_relay_tells_of_a_long_backlog_that_there_is_more(run, service, where, *, postgres, outbox, monkeypatch):
    monkeypatch.setattr("jobarium_events.cli.progress._MOST", 2)
    add(postgres, outbox, *(packet(number) for number in range(3)))
    ended = run("outbox", "relay", "--to", "billing:away", "--once", *where)
    assert ended.out == "0 published  0/s  2+ waiting  3 failed attempts\n"


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "target",
    [
        "importing:transport",
        "billing:opens_for_ever",
        "billing:makes_for_ever",
        "billing:makes_for_ever_in_a_text",  # as dataclasses and others make their methods
    ],
)
def test_relay_ends_at_a_signal_before_it_has_begun(service, where, target, sign):
    (service / "importing.py").write_text("import billing\nbilling.makes_for_ever()\n")
    relay = started(target, *where)
    until((service / "begun").exists)
    relay.send_signal(sign)
    out, _ = relay.communicate(timeout=PATIENCE)
    assert (relay.returncode, out) == (0, b"")


def test_relay_once_that_is_ended_has_not_done_what_it_was_to_do(service, where):
    relay = started("billing:opens_for_ever", "--once", *where)
    until((service / "begun").exists)
    relay.terminate()
    relay.communicate(timeout=PATIENCE)
    assert relay.returncode == 1


def test_relay_ends_where_the_broker_does_not_answer(service, where, postgres, outbox):
    add(postgres, outbox, job(1, 1))
    relay = started("billing:deaf", *where)
    until((service / "begun").exists)
    relay.terminate()
    out, _ = relay.communicate(timeout=PATIENCE)
    said, line = out.decode().splitlines()
    assert (relay.returncode, line) == (0, "0 published  0/s")
    assert said.startswith("1 event is not confirmed within the 5 s that a relay has to stop")


def test_relay_says_which_database_it_cannot_reach_and_what_it_refuses(service, where, postgres, outbox):
    add(postgres, outbox, job(13, 1))
    relay = started("billing:transport", "--once", *where)
    out, _ = relay.communicate(timeout=PATIENCE)
    assert b"1 event is refused by the broker for good and set aside (job.updated v1, event id" in out
    relay = started("billing:transport", "--database", "postgresql://127.0.0.1:1/x")
    assert b"the relay's database cannot be used, and is tried again: connection failed" in relay.stdout.readline()
    relay.terminate()
    out, _ = relay.communicate(timeout=PATIENCE)
    assert (relay.returncode, out) == (0, b"0 published  0/s\n")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_relay_finishes_its_batch_at_a_signal(service, where, postgres, outbox, sign):
    add(postgres, outbox, *(packet(number) for number in range(3)))
    command = [sys.executable, "-m", "jobarium_events.cli", "outbox", "relay", "--to", "billing:slow", *where]
    relay = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    until((service / "begun").exists)
    relay.send_signal(sign)
    out, _ = relay.communicate(timeout=PATIENCE)
    assert (relay.returncode, len(sent(service))) == (0, 3)
    assert out.decode().startswith("3 published")
    assert rows(postgres, "select count(*) from outbox_event where published_at is null") == [(0,)]


def test_relay_has_a_live_line_in_a_terminal(service, where, postgres, outbox):
    add(postgres, outbox, job(1, 1), job(13, 1), job(13, 2))
    near, far = pty.openpty()
    command = [sys.executable, "-m", "jobarium_events.cli", "outbox", "relay", "--to", "billing:transport", *where]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    relay = subprocess.Popen(command, stdout=far, stderr=far, env=environment)
    os.close(far)
    shown = b""
    end = time.monotonic() + PATIENCE
    while b"1 held" not in shown or b" waiting" not in shown:
        assert time.monotonic() < end, shown
        shown += os.read(near, 4096)
    relay.terminate()
    assert relay.wait(timeout=PATIENCE) == 0
    os.close(near)
    assert b"1 published" in shown
    assert b"1 set aside" in shown

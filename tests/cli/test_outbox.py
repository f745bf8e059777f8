"""`outbox` publishes, tells how an outbox stands, and looks after it."""

from __future__ import annotations

import json
import os
import sys

import psycopg
import pytest

from tests.cli.conftest import process, said
from tests.postgres.events import add, job, packet, rows
from tests.postgres.test_outbox import FIRST_FORM


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
    assert (told["waiting"], told["held"], told["set_aside"], told["published_last_minute"]) == (1, 1, 1, 1)
    assert (event["event"], event["behind"], event["reason"]) == ("job.updated", 1, "it is unlucky")


def test_status_shows_parts_of_payloads_only_if_asked(run, service, where, postgres, outbox):
    add(postgres, outbox, job(13, 1))
    run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    for more in ([], ["--json"]):
        assert "j-13" not in run("outbox", "status", *more, *where).out
        assert run("outbox", "status", "--payload", *more, *where).out.count("job.updated:j-13:1") == 1
    (event,) = json.loads(run("outbox", "status", "--payload", "--json", *where).out)["events"]
    assert (event["aggregate"], event["idempotency_key"]) == ("j-13", "job.updated:j-13:1")


def test_what_is_held_behind_nothing_is_told_and_released(run, service, where, postgres, outbox):
    add(postgres, outbox, job(13, 1), job(13, 2))
    run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"delete from {outbox.table} where refused_at is not null")
    ended = run("outbox", "status", *where)
    assert (ended.code, ended.out.splitlines()[2]) == (1, "set aside    0 events, and 1 held behind")
    assert run("outbox", "requeue", "--all", *where).out == "0 events requeued\n"
    assert run("outbox", "status", *where).code == 0


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
    ended = run("outbox", "drop", event["event_id"], "--yes", *where)
    assert (ended.code, ended.out) == (0, "1 event dropped\n")
    ended = run("outbox", "drop", event["event_id"], "--yes", *where)
    assert (ended.code, ended.out) == (1, f"0 events dropped\n{event['event_id']} is not set aside\n")
    assert rows(postgres, "select count(*) from outbox_event where not held") == [(1,)]


@pytest.mark.parametrize("command", ["requeue", "drop"])
def test_what_is_released_is_named(run, where, command):
    ended = run("outbox", command, *where)
    assert ended.code == 2
    assert "or give --all" in ended.err
    assert "not both" not in ended.err
    ended = run("outbox", command, "--all", "01999d1e-7f31-7c8a-9f6e-3f6f0d3c2b1a", *where)
    assert ended.code == 2
    assert "not both" in ended.err


@pytest.mark.parametrize("command", ["requeue", "drop"])
def test_what_is_no_id_is_told_where_ids_are_listed(run, where, command):
    ended = run("outbox", command, "abc", *where, columns=200)
    assert ended.code == 2
    assert "'abc' is no event id; give one as `outbox status` lists it" in said(ended.err)
    assert "UUID" not in ended.err


def test_drop_asks_first(run, service, where, *, postgres, outbox, monkeypatch):
    ended = run("outbox", "drop", "--all", *where)
    assert (ended.code, ended.out) == (0, "0 events dropped\n")
    add(postgres, outbox, job(13, 1), packet(1))
    run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    ended = run("outbox", "drop", "--all", *where)
    assert ended.code == 2
    assert "this deletes 1 event; give --yes" in ended.err
    monkeypatch.setattr("jobarium_events.cli.databases._can_ask", lambda: True)
    assert run("outbox", "drop", "--all", *where, stdin=b"n\n").code == 1
    assert rows(postgres, "select count(*) from outbox_event where held") == [(1,)]
    ended = run("outbox", "drop", "--all", *where, stdin=b"y\n")
    assert "Delete 1 event? It is lost" in ended.err
    assert ended.out.endswith("1 event dropped\n")
    assert rows(postgres, "select count(*) from outbox_event where held") == [(0,)]


def test_prune(run, service, where, postgres, outbox):
    add(postgres, outbox, job(1, 1), job(1, 2))
    run("outbox", "relay", "--to", "billing:transport", "--once", *where)
    assert run("outbox", "prune", "--older-than", "1d", *where).out == "0 events deleted\n"
    assert run("outbox", "prune", "--older-than", "0s", *where).out == "2 events deleted\n"
    assert "write a number and s, m, h, d or w" in run("outbox", "prune", "--older-than", "soon", *where).err
    for long in ("99999999999d", "999999d", "9" * 5_000 + "d"):
        assert run("outbox", "prune", "--older-than", long, *where).code == 2
    assert run("outbox", "prune", "--older-than", "700000d", *where).code == 0


@pytest.mark.parametrize("form", ["new", "expand"])
def test_tables_are_printed_as_sql(run, form):
    ended = run("outbox", "tables", "--schema", "billing", *(["--expand"] if form == "expand" else []))
    begin = "create table if not exists" if form == "new" else "alter table"
    assert ended.out.startswith(f'{begin} "billing"."outbox_event"')


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["relay", "--to", "billing:nothing"], "--to billing:nothing needs a transport with an async `asend`, not int"),
        (["relay", "--to", "billing:sync"], "`asend` is declared `async def`; that of Sync is not"),
        (
            ["relay", "--to", "nats://u:p@127.0.0.1"],
            'transport = FastStreamTransport(NatsBroker(...), stream="EVENTS")',
        ),
        (["relay", "--to", "amqps://u:p@127.0.0.1"], "from faststream.rabbit import RabbitBroker"),
        (["relay", "--to", "http://127.0.0.1"], "and no URL: package.module:name"),
        (["relay", "--to", "billing"], "'billing' names no transport"),
        (["relay", "--to", "json:loads"], "json:loads makes no transport: it must take no parameters\n"),
        (["relay", "--to", "billing:transport", "--table", "none"], "--table none` prints"),
        (["status", "--table", "none"], "--table none` prints"),
        (["status", "--database", "postgresql://127.0.0.1:1/"], "the database cannot be used: connection"),
        (["status", "--database", "postgresql+psycopg://u:p@h/x"], "write postgresql://"),
        (["relay", "--to", "billing:transport", "--database", "mysql://u:p@h/x"], "write postgresql://"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(run, service, where, arguments, problem):
    ended = run("outbox", *arguments, *where)
    assert ended.code == 2
    assert problem in ended.err
    assert "u:p" not in ended.err


@pytest.mark.parametrize("command", [["relay", "--to", "billing:transport"], ["status"], ["tables"]])
def test_a_schema_is_no_part_of_a_tables_name(run, service, where, command):
    ended = run("outbox", *command, "--table", "public.outbox_event", columns=200)
    assert ended.code == 2
    assert "--schema public --table outbox_event" in " ".join(ended.err.split())


@pytest.mark.parametrize("columns", ["a int", "id uuid, published_at timestamptz, note text"])
def test_a_table_that_is_no_outbox_is_not_to_be_expanded(run, service, where, postgres, columns):
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"create table {postgres.schema}.other ({columns})")
    prune = ["prune", "--older-than", "1d"]
    for command in (["relay", "--to", "billing:transport"], ["status"], ["drop", "--all"], ["requeue", "--all"], prune):
        ended = run("outbox", *command, "--table", "other", *where)
        assert ended.code == 2
        assert ended.err.endswith("does not exist, so it is no outbox; name another by --table, in code by table=\n")


def test_a_table_of_the_first_form_is_said_with_what_expands_it(run, service, where, postgres):
    with psycopg.connect(postgres.url) as connection:
        connection.execute(FIRST_FORM.replace("outbox_event", "first").format(postgres.schema))
    prune = ["prune", "--older-than", "1d"]
    for command in (["relay", "--to", "billing:transport"], ["status"], ["drop", "--all"], prune):
        ended = run("outbox", *command, "--table", "first", *where)
        assert ended.code == 2
        assert f"`jobarium-events outbox tables --schema {postgres.schema} --table first --expand` prints" in ended.err


def test_without_the_extra_it_is_named(tmp_path, where):
    (tmp_path / "psycopg.py").write_text("raise ModuleNotFoundError('No module named psycopg', name='psycopg')")
    ended = process("outbox", "tables", PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert ended.returncode == 2
    assert b"pip install 'jobarium-events[postgres]'" in ended.stderr


@pytest.mark.parametrize("place", ["in the module", "in its function"])
@pytest.mark.parametrize(
    ("kind", "broker", "client"),
    [
        ("confluent", "KafkaBroker", "confluent_kafka"),
        ("kafka", "KafkaBroker", "aiokafka"),
        ("mqtt", "MQTTBroker", "zmqtt"),
        ("nats", "NatsBroker", "nats"),
        ("rabbit", "RabbitBroker", "aio_pika"),
        ("redis", "RedisBroker", "redis"),
    ],
)
def test_without_a_brokers_client_its_extra_is_named(tmp_path, where, kind, broker, client, place):  # noqa: PLR0917
    """FastStream's own error names FastStream's extra, in several lines."""
    needed = f"from faststream.{kind} import {broker}"
    text = f"{needed}\n" if place == "in the module" else f"def transport():\n    {needed}\n"
    (tmp_path / "relaying.py").write_text(text)
    # Nothing is found of what a process has as None among its modules.
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{client!r}] = None\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    ended = process("outbox", "relay", "--to", "relaying:transport", "--once", *where, PYTHONPATH=path)
    assert ended.returncode == 2
    assert ended.stderr.decode() == f"Error: {client} is missing: pip install 'jobarium-events[{kind}]'\n"

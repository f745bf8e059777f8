"""`site serve`, as a process: it shows the site, builds it anew, says what is wrong, and ends at a signal."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo as conninfo

from jobarium_events.cli import serving as command
from jobarium_events.extras import MissingExtra
from jobarium_events.site.serving import Live, Server
from tests import servers
from tests.cli.conftest import said
from tests.conftest import found
from tests.folders import TEXT, schema, table, write
from tests.migrations.written import SETTINGS, folder_of
from tests.migrations.written import write as write_migration

PATIENCE = 60.0
V1 = 'key = "k:{id}"\nintroduced = "1"'


class Serving:
    """The command, as a process."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "jobarium_events.cli", "site", "serve", *map(str, arguments)]
        environment = {**os.environ, "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self.lines: list[str] = []
        self._told = threading.Condition()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self.url = self.said("  (Ctrl-C ends)").partition(" ")[0]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._told:
                self.lines.append(line.rstrip("\n"))
                self._told.notify_all()

    def said(self, text: str) -> str:
        """Wait for a line with a text; return it, and forget those before it."""
        found: list[int] = []

        def is_said() -> bool:
            found[:] = [number for number, line in enumerate(self.lines) if text in line][:1]
            return bool(found)

        with self._told:
            assert self._told.wait_for(is_said, PATIENCE), f"it did not say {text!r}, but {self.lines}"
            line = self.lines[found[0]]
            del self.lines[: found[0] + 1]
            return line

    def page(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as response:
            text: str = response.read().decode()
            return text

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.page("-/state"))
        return found

    def end(self, number: int = signal.SIGINT) -> int:
        start = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        assert time.monotonic() - start < PATIENCE / 4
        self._reading.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


Start = Callable[..., Serving]


@pytest.fixture
def serving() -> Iterator[Start]:
    started: list[Serving] = []

    def start(*arguments: object) -> Serving:
        started.append(Serving(*arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end(signal.SIGKILL)


def described(folder: Path, text: str) -> None:
    """Write the one schema of a catalog, with a description."""
    content = {**schema({"id": TEXT}), "description": text}
    (folder / "thing.made" / "v1.json").write_text(json.dumps(content))


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    folder = write(tmp_path / "schemas", table("thing.made", {"v1": V1}), {"thing.made/v1.json": schema({"id": TEXT})})
    described(folder, "A thing was made.")
    return folder


def test_a_site_is_shown_built_anew_broken_mended_and_ended(serving, schemas):
    before = sorted(schemas.rglob("*"))
    serve = serving(schemas, "--port", "0")
    serve.said("built: ")
    page = "events/thing.made.html"
    assert "A thing was made." in serve.page(page)
    assert "thing.made" in serve.page("")
    first = serve.state()
    assert first["problem"] is None

    described(schemas, "Something else was made.")
    serve.said("built: ")
    assert "Something else was made." in serve.page(page)
    second = serve.state()
    assert second["build"] != first["build"]  # which is what makes an open page reload

    (schemas / "thing.made" / "v1.json").write_text("{")
    assert "Error: " in serve.said("Error: ")
    serve.said("thing.made/v1.json")
    assert "Something else was made." in serve.page(page)
    broken = serve.state()
    assert broken["build"] == second["build"]
    assert "thing.made/v1.json" in broken["problem"]

    described(schemas, "It is whole again.")
    serve.said("built: ")
    assert "It is whole again." in serve.page(page)
    assert serve.state()["problem"] is None

    assert serve.end() == 0
    assert serve.lines == []
    assert sorted(schemas.rglob("*")) == before  # nothing is written


def test_where_the_first_site_cannot_be_built_it_is_once_it_can(serving, schemas):
    (schemas / "thing.made" / "v1.json").write_text("{")
    serve = serving(schemas, "--port", "0")
    serve.said("Error: ")
    with pytest.raises(urllib.error.HTTPError) as caught:
        serve.page("")
    with caught.value as response:
        assert response.status == 503
        assert "thing.made/v1.json" in response.read().decode()
    described(schemas, "Now it can.")
    serve.said("built: ")
    assert "Now it can." in serve.page("events/thing.made.html")
    assert serve.end(signal.SIGTERM) == 0


def test_counters_are_watched_too(serving, schemas, tmp_path):
    counters = tmp_path / "maker.json"
    document = {"format": 1, "service": "maker", "until": "2026-11-20T08:00:00Z", "counts": []}
    counters.write_text(json.dumps(document))
    serve = serving(schemas, "--evidence", counters, "--port", "0")
    serve.said("built: ")
    counters.write_text("no counters")
    serve.said(f"Error: {counters}")
    counters.write_text(json.dumps(document))
    serve.said("built: ")
    assert serve.end() == 0


def test_a_database_that_is_away_is_said_and_asked_again(serving, tmp_path):
    folder = folder_of(tmp_path / "migrations", SETTINGS)
    up = "create table job (id bigint primary key);"
    write_migration(folder, "0001_job", {"containment": None}, up=up, down="drop table job;")
    server = found("postgres", servers.postgres_url)
    name = f"jobarium_test_{secrets.token_hex(5)}"
    database = f"development={conninfo(server, dbname=name)}"
    serve = serving("--migrations", folder, "--database", database, "--port", "0")
    serve.said("Error: the database of development cannot be asked")
    serve.said("built: ")
    page = "migrations/0001_job.html"
    assert "0001_job" in serve.page(page)
    before = serve.state()
    assert "the database of development" in before["problem"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        try:
            serve.said("built: ")
            after = serve.state()
            assert after["problem"] is None
            assert after["build"] != before["build"]
            assert "development" in serve.page(page)
            assert serve.end() == 0
        finally:
            connection.execute(f"drop database {name} with (force)".encode())


def test_what_is_as_it_was_is_not_shown_anew():
    live = Live()
    building = command._Building(lambda _: {"index.html": b"<head></head>"}, ())
    command._show(live, building)
    before = live.answer("/-/state").content
    command._show(live, building)
    assert live.answer("/-/state").content == before


def test_the_bundled_catalog_is_shown_too(serving):
    serve = serving("--port", "0", "--title", "Events & more")
    serve.said("built: ")
    page = serve.page("events/job.updated.html")
    assert "job.updated" in page
    assert "Events &amp; more</title>" in page
    assert serve.end() == 0


def test_a_port_that_is_taken_is_said(run, schemas):
    with Server(Live(), port=0) as server:
        port = server.url.rstrip("/").rpartition(":")[2]
        ended = run("site", "serve", schemas, "--port", port)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"Error: port {port} of 127.0.0.1 is taken; name another one by --port, or leave it out for a free one\n"
    )


def test_a_folder_that_is_not_there_is_said(run, tmp_path):
    assert run("site", "serve", tmp_path / "nothing").code == 2


def test_what_cannot_be_mended_meanwhile_ends_the_command(run, schemas, monkeypatch):
    missing = MissingExtra("migrations", "postgast")

    def lacking(*_, **__):
        raise missing

    monkeypatch.setattr("jobarium_events.site.shown.read_shown", lacking)
    ended = run("site", "serve", schemas, "--port", "0")
    assert (ended.code, ended.err) == (2, f"Error: {missing}\n")


def test_whatever_a_build_raises_the_pages_stay(monkeypatch, capsys):
    def broken(_):
        raise TypeError("secret")

    live = Live()
    live.built({"index.html": b"<h1>before</h1>"})
    command._show(live, command._Building(broken, ()))
    assert b"before" in live.answer("/").content
    problem = json.loads(live.answer("/-/state").content)["problem"]
    assert re.fullmatch(
        "the site could not be built: TypeError in test_serving.py, line [0-9]+; this is a mistake of jobarium-events",
        problem,
    )
    assert " ".join(capsys.readouterr().err.split()) == f"Error: {problem}"
    command._show(live, command._Building(lambda _: {"index.html": b"<h1>after</h1>"}, ()))
    assert b"after" in live.answer("/").content


def test_databases_without_migrations_are_said(run, schemas):
    ended = run("site", "serve", schemas, "--database", "staging=postgresql://u:secret@db/x", "--port", "0")
    assert (ended.code, ended.out) == (2, "")
    assert "give --migrations" in said(ended.err)
    assert "secret" not in ended.err

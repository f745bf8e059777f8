"""`db backfill` as an operator runs it, and `db dual-write`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import psycopg
import pytest

from jobarium_events.cli.db import backfilling as commands
from jobarium_events.migrations import Migrations
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.record.record import Direction, Event, Record, entries
from tests.cli.conftest import said
from tests.migrations.conftest import database  # noqa: F401 - a fixture
from tests.migrations.patience import awaited
from tests.migrations.tallies import counts, execute, jobs, rows, written


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "migrations.toml").write_text('releases = ["2026.12"]\n[environments.development]\ngates = false\n')
    written(made, batch_rows=50, batch_time="10ms")
    return made


def begin(database, folder):  # noqa: F811
    """Record that the migration was begun, as `db apply` does once its gates are open."""
    with psycopg.connect(database, autocommit=True) as connection:
        record = Record("development", "ada")
        record.install(connection)
        record.write(connection, Event.BEGAN, Migrations.load(folder)["0001"], direction=Direction.UP, round_=1)


@pytest.fixture
def db(run, database, folder):  # noqa: F811 - the fixture
    """Runs a command of `db backfill` on the one migration."""
    jobs(database, 1_000)
    begin(database, folder)
    options = {"run": ("--environment", "development", "--operator", "ada")}

    def command(name, *more):
        where = ("--database", database, "--migrations", folder)
        return run("db", "backfill", name, "0001", *where, *options.get(name, ()), *more)

    return command


def test_from_the_beginning_to_the_end(db, database):  # noqa: F811
    before = db("status")
    assert (before.code, before.out) == (1, "0001_fill  not begun\n")
    done = db("run")
    assert done.code == 0, done.err
    assert "0001_fill  complete  100.0%  1,000 rows visited, 1,000 changed" in done.out
    assert counts(database) == {1: 1_000}
    after = db("status")
    assert (after.code, "complete" in after.out) == (0, True)
    assert db("run").code == 0
    assert counts(database) == {1: 1_000}
    with psycopg.connect(database) as connection:
        assert [each.event for each in entries(connection)].count(Event.BACKFILLED) == 1


def test_status_for_machines_has_no_key(db):
    assert json.loads(db("status", "--json").out) == {"migration": "0001_fill", "stands": "not begun"}
    db("run")
    found = json.loads(db("status", "--json").out)
    assert (found["stands"], found["share"], found["eta"], found["passed"]) == ("complete", 1.0, 0.0, 1_000)
    assert "last_key" not in found


def test_pause_and_resume(db, database):  # noqa: F811
    assert db("resume").code == 1
    paused = db("pause")
    assert paused.code == 0
    assert "paused" in paused.out
    ended = db("run")
    assert ended.code == 1
    assert "`db backfill resume 0001_fill` first, then `db backfill run 0001_fill` goes on" in ended.out
    assert db("status").code == 1
    assert counts(database) == {0: 1_000}
    resumed = db("resume")
    assert (resumed.code, "`db backfill run 0001_fill` goes on" in resumed.out) == (0, True)
    assert db("run").code == 0
    assert counts(database) == {1: 1_000}


@pytest.mark.parametrize("is_begun", [False, True])
def test_it_has_to_be_applied_up_to_its_backfill(run, database, folder, is_begun):  # noqa: F811
    path = folder / "0001_fill.sql"
    text = path.read_text().replace("-- name: backfill", "-- name: up\nselect 1;\n\n-- name: backfill")
    path.write_text(text.replace('"migrate"', '"expand"'))
    jobs(database, 10)
    if is_begun:
        begin(database, folder)
    where = ("--database", database, "--migrations", folder, "--environment", "development")
    found = run("db", "backfill", "run", "0001", *where)
    assert found.code == 1
    assert "it is not applied up to its backfill; `db apply 0001_fill` does that" in found.err
    assert counts(database) == {0: 10}


def test_another_environments_database_is_refused(run, database, folder):  # noqa: F811
    jobs(database, 10)
    with psycopg.connect(database, autocommit=True) as connection:
        Record("production", "ada").install(connection)
    where = ("--database", database, "--migrations", folder, "--environment", "development")
    found = run("db", "backfill", "run", "0001", *where)
    assert (found.code, "production" in found.err) == (1, True)
    assert counts(database) == {0: 10}


def test_an_environment_that_is_not_there(run, database, folder):  # noqa: F811
    where = ("--database", database, "--migrations", folder, "--environment", "devlopment")
    found = run("db", "backfill", "run", "0001", *where)
    assert found.code == 2
    assert "no environment 'devlopment'" in said(found.err)


def test_what_is_refused_or_fails_is_told_without_a_traceback(db, database, folder):  # noqa: F811
    execute(database, "alter table job drop constraint job_pkey")
    refused = db("run")
    assert (refused.code, "has no unique index" in refused.err) == (1, True)
    execute(database, "alter table job add primary key (id)")
    written(folder, statement="update job set n = n / 0 where id between $1 and $2")
    failed = db("run")
    assert failed.code == 1
    assert "the next run goes on after the last batch" in failed.err


def test_a_database_out_of_reach(run, folder):
    where = ("--database", "postgresql://nobody@127.0.0.1:1/none", "--migrations", folder)
    for name in ("status", "pause", "resume"):
        assert run("db", "backfill", name, "0001", *where).code == 2
    assert run("db", "backfill", "run", "0001", *where, "--environment", "development").code == 2


def test_a_migration_without_a_backfill(run, database, tmp_path):  # noqa: F811
    migration = written(tmp_path)
    text = migration.path.read_text()
    head = text[: text.index("-- [backfill]")] + "-- ///\n\n-- name: up\nselect 1;\n\n"
    migration.path.write_text(head + text[text.index("-- name: verify") :])
    (tmp_path / "migrations.toml").write_text('releases = ["2026.12"]')
    found = run("db", "backfill", "status", "0001", "--database", database, "--migrations", tmp_path)
    assert (found.code, "has no section backfill" in found.err) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_batch(database, folder, number):  # noqa: F811
    jobs(database, 5_000)
    begin(database, folder)
    written(folder, batch_rows=50, batch_time="5ms", share=0.05)
    command = [
        *(sys.executable, "-m", "jobarium_events.cli", "db", "backfill", "run", "0001", "--database", database),
        *("--migrations", str(folder), "--environment", "development"),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        migration = Migrations.load(folder)["0001"]
        with psycopg.connect(database, autocommit=True) as connection:
            awaited(lambda: (found := backfilling.progress(connection, migration)) and found.batches, "idle")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, err) == (1, b"")
    assert b"nothing is lost: `db backfill run 0001_fill` goes on from here" in out
    assert rows(database, "select sum(n) from job") == rows(
        database, "select sum(passed) from jobarium_migrations.backfill"
    )


def test_a_line_now_and_then(db, monkeypatch):
    monkeypatch.setattr(commands, "_PRINT_EVERY", 0.0)
    plain = db("run")
    lines = plain.out.splitlines()
    assert len(lines) > 1
    assert all("rows visited" in line for line in lines)
    assert "running" in lines[0]


def test_a_bar_in_a_terminal(db, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    found = db("run")
    assert found.code == 0
    assert "━" in found.out
    assert "complete" in found.out


def test_dual_write_prints_sections(run, folder):
    options = ("--table", "job", "--old", "status", "--new", "state", "--to-new", "upper(status)")
    made = run("db", "dual-write", *options, "--to-old", "lower(state)", "--key", "id", "--migrations", folder)
    assert made.code == 0
    names = [line for line in made.out.splitlines() if line.startswith("-- name: ")]
    assert names == [f"-- name: {name}" for name in ("up", "down", "verify", "backfill", "verify")]
    wrong = run("db", "dual-write", *options, "--to-old", "lower(other)", "--migrations", folder)
    assert (wrong.code, "made of 'other'" in wrong.err) == (2, True)
    uneven = run("db", "dual-write", *options, "--old", "b", "--migrations", folder)
    assert (uneven.code, "as often as each other" in said(uneven.err)) == (2, True)
    for option in ("--to-old", "--old-default", "--new-default"):
        uneven = run("db", "dual-write", *options, option, "'a'", option, "'b'", "--migrations", folder)
        assert (uneven.code, f"give {option} as often as --old" in said(uneven.err)) == (2, True)


def test_dual_write_of_columns_with_defaults(run, folder, database):  # noqa: F811
    options = ("--table", "job", "--old", "status", "--new", "state", "--to-new", "upper(status)")
    defaults = ("--to-old", "lower(state)", "--old-default", "'open'", "--new-default", "null")
    made = run("db", "dual-write", *options, *defaults, "--migrations", folder)
    execute(database, "create table job (id int primary key, status text default 'open', state text)")
    for statement in parse(made.out.split("-- name: down")[0]):
        execute(database, statement.text) if statement.kind != "transaction_stmt" else None
    execute(database, "insert into job (id, state) values (1, 'CLOSED')")
    assert rows(database, "select status, state from job") == [("closed", "CLOSED")]


def test_what_dual_write_prints_are_two_migrations(run, folder, database):  # noqa: F811
    """Each is verified as it is printed, with a row from before."""
    options = ("--table", "job", "--old", "status", "--new", "state", "--to-new", "upper(status)", "--as-text")
    made = run("db", "dual-write", *options, "--key", "id", "--migrations", folder)
    assert made.code == 0
    expand, fill = made.out.split("-- The next one")
    text = (folder / "0001_fill.sql").read_text().split("-- name: ")[0]
    bare = "".join(
        line for line in text.splitlines(keepends=True) if line[:6] not in {"-- [ba", "-- tab", "-- key", "-- sha"}
    )
    bare = "".join(line for line in bare.splitlines(keepends=True) if not line.startswith("-- batch"))
    execute(database, "create table job (id int primary key, status text)")
    execute(database, "insert into job values (1, 'a')")
    add = "-- name: up\nalter table job add column state text;\n"
    drop = "alter table job drop column state;\n\n-- name: verify"
    expand = expand.replace("-- name: up\n", add).replace("-- name: verify", drop)
    (folder / "0002_state.sql").write_text(
        bare.replace("0001_fill", "0002_state").replace('"migrate"', '"expand"') + expand
    )
    (folder / "0003_state.sql").write_text(text.replace("0001_fill", "0003_state") + "-- The next one" + fill)
    (folder / "0001_fill.sql").unlink()
    where = ("--database", database, "--migrations", folder, "--environment", "development", "--operator", "ada")
    assert run("db", "apply", "0002", *where).code == 0
    execute(database, "insert into job values (2, 'b')")
    assert rows(database, "select state from job order by id") == [(None,), ("B",)]
    ended = run("db", "apply", "0003", *where)
    assert ended.code == 0, ended.err
    assert rows(database, "select state from job order by id") == [("A",), ("B",)]


def test_a_lock_is_waited_for_in_one_line(db, database, monkeypatch, caplog):  # noqa: F811
    waits = "select 1 from jobarium_migrations.backfill where waits_for <> ''"
    with psycopg.connect(database) as other:
        other.execute("update job set n = n where id = 500")

        def let_go():
            awaited(lambda: rows(database, "select to_regclass('jobarium_migrations.backfill')") != [(None,)], "idle")
            awaited(lambda: rows(database, waits), "it does not say that it waits")
            other.commit()

        thread = threading.Thread(target=let_go)
        thread.start()
        ended = db("run")
        thread.join()
    assert (ended.code, ended.err) == (0, "")
    assert "waits for rows that another session has locked" in ended.out
    assert not caplog.records

"""A backfill as an operator runs it, by `db apply`, and looks at it, by `db backfill`; and `db dual-write`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import psycopg
import pytest

from jobarium_events.cli.db import showing
from jobarium_events.migrations import Migrations
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.record.record import Event, Record, entries
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


@pytest.fixture
def where(database, folder):  # noqa: F811 - the fixture
    """The options that name the database."""
    return "--database", database, "--migrations", folder, "--environment", "development", "--operator", "ada"


@pytest.fixture
def db(run, database, where):  # noqa: F811 - the fixture
    """Applies the one migration, or runs a command of `db backfill` on it."""
    jobs(database, 1_000)

    def command(name, *more):
        return run("db", *(["apply"] if name == "apply" else ["backfill", name]), "0001", *where, *more)

    return command


def test_from_the_beginning_to_the_end(db, database):  # noqa: F811
    before = db("status")
    assert (before.code, before.out) == (1, "0001_fill  not begun\n")
    done = db("apply")
    assert done.code == 0, done.err
    assert "0001_fill  backfill  100.0%  1,000 rows visited, 1,000 changed" in done.out
    assert counts(database) == {1: 1_000}
    after = db("status")
    assert (after.code, "complete" in after.out) == (0, True)
    assert db("apply").code == 0
    assert counts(database) == {1: 1_000}
    with psycopg.connect(database) as connection:
        assert [each.event for each in entries(connection)].count(Event.BACKFILLED) == 1


def test_one_whose_file_was_changed_since_is_not_told_to_be_unbegun(db, folder):
    db("apply")
    path = folder / "0001_fill.sql"
    path.write_text(path.read_text() + "\n-- changed\n")
    for name in ("status", "resume"):
        refused = db(name)
        assert (refused.code, refused.out) == (1, "")
        assert "the backfill of 0001_fill cannot run: its file has changed since it began; put back" in refused.err


def test_status_for_machines_has_no_key(db):
    assert json.loads(db("status", "--json").out) == {"migration": "0001_fill", "stands": "not begun"}
    db("apply")
    found = json.loads(db("status", "--json").out)
    assert (found["stands"], found["share"], found["eta"], found["passed"]) == ("complete", 1.0, 0.0, 1_000)
    assert "last_key" not in found


def test_pause_and_resume(db, database):  # noqa: F811
    assert db("resume").code == 1
    paused = db("pause")
    assert paused.code == 0
    assert "paused" in paused.out
    ended = db("apply")
    assert ended.code == 1
    assert "its backfill is paused; `db backfill resume 0001_fill`, and then `db apply 0001`, goes on" in ended.out
    assert db("status").code == 1
    assert counts(database) == {0: 1_000}
    resumed = db("resume")
    assert (resumed.code, "`db apply 0001_fill` goes on" in resumed.out) == (0, True)
    assert db("apply").code == 0
    assert counts(database) == {1: 1_000}


def test_it_is_run_by_nothing_that_passes_the_gates_by(run, where, folder):
    (folder / "migrations.toml").write_text('releases = ["2026.12"]\n')
    ended = run("db", "backfill", "run", "0001", *where)
    assert (ended.code, "No such command 'run'" in said(ended.err)) == (2, True)


def test_it_goes_on_only_through_the_gates(run, db, database, where, folder):  # noqa: F811
    """One whose file was changed is refused, and one that was paused stays so, whatever its file says by then."""
    db("pause")
    path = folder / "0001_fill.sql"
    path.write_text(path.read_text() + "\n-- changed\n")
    assert "0001_fill  not done: its backfill is paused" in db("apply").out
    assert counts(database) == {0: 1_000}
    db("resume")
    written(folder, statement="update job set n = 1 / (id - 500) where id between $1 and $2", batch_rows=50)
    failed = db("apply").err
    line = next(at for at, each in enumerate((folder / "0001_fill.sql").read_text().splitlines(), 1) if "1 / (" in each)
    assert f"0001_fill, line {line}: the backfill failed: division by zero" in failed
    assert "(22012); what is done stays, and the next run goes on after the last batch: mend the rows" in failed
    status = run("db", "status", *where)
    assert f"0001_fill, line {line}: the backfill failed: division by zero" in status.out
    written(folder, batch_rows=50)
    changed = db("apply")
    assert (changed.code, "ran with the hash" in changed.err) == (1, True)


def test_a_check_before_is_asked_again_until_it_returns_what_it_must(db, database, folder):  # noqa: F811
    path = folder / "0001_fill.sql"
    path.write_text(
        path.read_text()
        + "\n-- no job is left\n-- returns: 0\n-- when: before\nselect count(*) from job where id > 500;\n"
    )
    for _ in range(2):
        refused = db("apply")
        assert (refused.code, "is not verified before up:" in refused.err) == (1, True)
        assert counts(database) == {0: 1_000}
    execute(database, "delete from job where id > 500")
    assert db("apply").code == 0
    assert counts(database) == {1: 500}


@pytest.mark.parametrize("name", ["pause", "resume", "status"])
def test_another_environments_database_is_refused(db, database, name):  # noqa: F811
    with psycopg.connect(database, autocommit=True) as connection:
        Record("production", "ada").install(connection)
    found = db(name)
    assert (found.code, "production" in found.err) == (1, True)
    assert rows(database, "select to_regclass('jobarium_migrations.backfill')") == [(None,)]


@pytest.mark.parametrize("name", ["pause", "resume", "status"])
def test_an_environment_that_is_not_there(run, database, folder, name):  # noqa: F811
    where = ("--database", database, "--migrations", folder, "--environment", "devlopment")
    found = run("db", "backfill", name, "0001", *where)
    assert (found.code, "no environment 'devlopment'" in found.err) == (2, True)


def test_what_is_refused_or_fails_is_told_without_a_traceback(db, database, folder):  # noqa: F811
    execute(database, "alter table job drop constraint job_pkey")
    refused = db("apply")
    assert (refused.code, "has no unique index" in refused.err) == (1, True)
    execute(database, "alter table job add primary key (id)")
    written(folder, statement="update job set n = n / 0 where id between $1 and $2")
    failed = db("apply")
    assert failed.code == 1
    assert "the next run goes on after the last batch" in failed.err


def test_a_database_out_of_reach(run, folder):
    where = ("--database", "postgresql://nobody@127.0.0.1:1/none", "--migrations", folder)
    for name in ("status", "pause", "resume"):
        assert run("db", "backfill", name, "0001", *where, "--environment", "development").code == 2


def test_a_migration_without_a_backfill(run, database, tmp_path):  # noqa: F811
    migration = written(tmp_path)
    text = migration.path.read_text()
    head = text[: text.index("-- [backfill]")] + "-- ///\n\n-- name: up\nselect 1;\n\n"
    migration.path.write_text(head + text[text.index("-- name: verify") :])
    (tmp_path / "migrations.toml").write_text('releases = ["2026.12"]')
    where = ("--database", database, "--migrations", tmp_path, "--environment", "development")
    found = run("db", "backfill", "status", "0001", *where)
    assert (found.code, "has no section backfill" in found.err) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_batch(database, folder, number):  # noqa: F811
    jobs(database, 5_000)
    written(folder, batch_rows=50, batch_time="5ms", share=0.05)
    command = [
        *(sys.executable, "-m", "jobarium_events.cli", "db", "apply", "0001", "--database", database),
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
    assert (process.returncode, err.count(b"\n")) == (1, 1)
    assert b"ends after this step, or this batch; `db apply 0001` goes on from there" in err
    assert b"0001_fill  not done: stopped; nothing is lost, and `db apply 0001` goes on from here" in out
    assert rows(database, "select sum(n) from job") == rows(
        database, "select sum(passed) from jobarium_migrations.backfill"
    )


def test_a_line_now_and_then(db, monkeypatch):
    monkeypatch.setattr(showing, "_PRINT_EVERY", 0.0)
    *lines, last = db("apply").out.splitlines()
    assert (len(lines) > 1, last) == (True, "0001_fill  applied")
    assert all("rows visited" in line for line in lines)
    assert "/s  " in lines[0]
    assert lines[0].endswith(" left")


def test_a_bar_in_a_terminal(db, folder, monkeypatch):
    written(folder, batch_rows=50, share=0.05)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    found = db("apply")
    assert found.code == 0
    assert "━" in found.out
    assert "0001_fill  applied" in found.out


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
        ended = db("apply")
        thread.join()
    assert (ended.code, ended.err) == (0, "")
    assert "waits for rows that another session has locked" in ended.out
    assert not caplog.records

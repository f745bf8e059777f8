"""`db plan`, `apply`, `status`, `history`, `rollback`, `approve`, `checklist` and `deployed`, as operators use them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import psycopg
import pytest

from tests.cli.conftest import said
from tests.migrations.patience import PATIENCE, awaited


def test_from_the_plan_to_the_history(run, team, of_team):
    team.adds("0001_source", "source")
    team.file(
        "0002_fill",
        {"category": "migrate", "backfill": {"table": "job", "key": ["id"]}},
        up=None,
        down=None,
        backfill="update job set source = 'form' where id between $1 and $2 and source is null;",
        verify="-- returns: 0\nselect count(*) from job where source is null;",
    )
    planned = run("db", "plan", *of_team())
    assert planned.code == 0
    assert "0001_source  expand, low risk, expected to take 1s\n" in planned.out
    assert "alter table job add column source text  (ACCESS EXCLUSIVE on job)\n" in planned.out
    assert "  then its backfill, in batches\n" in planned.out
    assert planned.out.endswith("2 migrations, expected to take 2s\n")
    applied = run("db", "apply", *of_team())
    assert (applied.code, applied.err) == (0, "")
    assert "0001_source  up 2 of 2, line 14  done\n" in applied.out
    assert "0002_fill  backfill  100.0%  10 rows visited, 10 changed  " in applied.out
    assert applied.out.endswith("0001_source  applied\n0002_fill  applied\n")
    assert run("db", "apply", *of_team()).out == "nothing to apply\n"
    assert run("db", "plan", *of_team()).out == "nothing to apply\n"
    status = run("db", "status", *of_team())
    assert (status.code, [line.split()[:2] for line in status.out.splitlines()[2:]]) == (
        0,
        [["0001_source", "applied"], ["0002_fill", "applied"]],
    )
    history = run("db", "history", *of_team())
    assert "development  olga      not asked  done    0001_source up steps 1-2; 0002_fill up" in history.out
    (told,) = json.loads(run("db", "history", *of_team(), "--json").out)
    assert (told["environment"], told["operator"], told["result"]) == ("development", "olga", "done")
    assert told["start"] < told["end"]
    assert [each["migration"] for each in told["range"]] == ["0001_source", "0002_fill"]


def test_a_changed_file_is_not_nothing_to_apply(run, team, of_team):
    path = team.adds("0001_source", "source")
    run("db", "apply", *of_team())
    path.write_text(path.read_text() + "\n")
    planned = run("db", "plan", *of_team())
    assert (planned.code, "bring back the file that ran" in planned.out) == (1, True)
    assert "nothing to apply" not in planned.out


def test_a_missing_folder_and_another_environment_are_told_with_the_way_out(run, team, of_team, tmp_path):
    missing = ("--database", team.database, "--migrations", tmp_path / "none", "--environment", "development")
    for command in (("plan",), ("backfill", "status", "0001"), ("rehearse", "0001")):
        options = missing if command[0] != "rehearse" else missing[2:4]
        ended = run("db", *command, *options)
        assert (ended.code, "or begin one by `db new`" in ended.err) == (2, True), ended.err
    team.adds("0001_source", "source")
    run("db", "apply", *of_team())
    other = run("db", "status", *of_team("production"))
    adopts = "`db adopt --environment production --from development --because TEXT`"
    places = [other.err.find(each) for each in ("give the URL", adopts, "say `--environment development`")]
    assert (other.code, places) == (1, sorted(places))
    assert places[0] > 0


def test_a_plan_for_a_machine(run, team, of_team):
    team.adds("0001_source", "source")
    ended = run("db", "plan", "0001", *of_team("production"), "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["ok"], told["estimated_runtime"]) == (1, False, "1s")
    (planned,) = told["migrations"]
    assert planned["steps"][1]["locks"] == [{"table": "job", "mode": "AccessExclusiveLock"}]
    assert {gate["name"]: gate["passed"] for gate in planned["gates"]}["review"] is False


def test_what_is_refused_ends_with_1_and_what_is_misused_with_2(run, team, of_team):
    team.adds("0001_source", "source")
    closed = run("db", "apply", "0001", *of_team("production"))
    assert closed.code == 1
    assert "0001_source may not be applied:" in closed.err
    assert "`db approve 0001_source --role cto --by NAME`" in closed.err
    for arguments, code, problem in (
        (("apply", "0009", *of_team()), 2, "there is no migration '0009'"),
        (("status", *of_team("staging")), 2, "no environment 'staging'; it has production, development"),
        (("deployed", "2030.1", *of_team()), 2, "there is no release '2030.1'"),
        (("rollback", "0001", *of_team()), 1, "nothing of it is in this database"),
        (("apply", *of_team(), "--wait", "soon"), 2, "'soon' is not a number and ms, s, m or h, as in 30s"),
        (
            ("approve", "0001", *of_team(), "--role", "boss", "--by", "ada"),
            2,
            "'boss' is no role; there are cto",
        ),
        (("approve", "0001", *of_team(), "--role", "cto", "--by", "mallory"), 1, "mallory is not listed as cto"),
        (("approve", "0001", *of_team(), "--role", "ceo", "--by", "grace", "--window", "x"), 2, "write two moments"),
    ):
        ended = run("db", *arguments)
        assert (ended.code, problem in said(ended.err)) == (code, True), ended.err
    gone = list(of_team())
    gone[1] = "postgresql://127.0.0.1:1/none"
    ended = run("db", "status", *gone)
    assert (ended.code, "the database cannot be used" in ended.err) == (2, True)


def test_approvals_the_checklist_and_the_gates_that_hold_back(run, team, of_team):
    team.adds("0001_source", "source")
    team.adds("0002_place", "place")
    before = run("db", "checklist", "0001", *of_team("production"))
    assert (before.code, "[ ] Migration reviewed by CTO: not reviewed" in before.out) == (1, True)
    team.rehearse("0001_source")
    approved = run("db", "approve", "0001", *of_team("production"), "--role", "cto", "--by", "ada")
    assert approved.out.startswith("0001_source  reviewed by ada as cto, its hash ")
    ended = run("db", "apply", *of_team("production"))
    assert (
        ended.code,
        "0002_place  not applied, as a gate is closed:\n  [ ] rehearsal: not rehearsed" in ended.out,
    ) == (1, True)
    after = run("db", "checklist", "0001", *of_team("production"))
    assert (after.code, after.out.count("[x]")) == (0, 7)
    items = json.loads(run("db", "checklist", "0001", *of_team("production"), "--json").out)
    assert [item["name"] for item in items] == [
        "Migration reviewed by CTO",
        "Rollback or containment documented",
        "Alert thresholds for database errors prepared",
        "Post-deploy verification queries executed",
        "Decision log entry added for breaking changes",
        "Rehearsed with realistic volumes",
        "Approved by CEO, with its window, if of high risk",
    ]


def test_releases_and_the_way_back(run, team, of_team):
    team.adds("0001_source", "source", {"release": "2026.11"})
    early = run("db", "deployed", "2026.11", *of_team())
    assert (early.code, "0001_source is not applied, and this release may read what it adds" in early.out) == (1, True)
    run("db", "apply", *of_team())
    assert run("db", "deployed", "2026.11", *of_team()).out == "2026.11 is deployed\n"
    back = run("db", "rollback", "0001", *of_team(), "--app-runs", "2026.10")
    assert back.code == 0
    assert (
        "1. the app is rolled back to 2026.10\n2. `down` has run, and is verified\n0001_source  rolled back\n"
        in back.out
    )
    assert team.columns() == ["id", "status"]


def test_what_is_applied_is_verified_again(run, team, of_team):
    team.adds("0001_source", "source")
    assert run("db", "verify", *of_team()).out == "nothing is applied\n"
    early = run("db", "verify", "0001", *of_team())
    assert (early.code, "0001_source is pending here" in early.err) == (1, True)
    run("db", "apply", *of_team())
    asked = run("db", "verify", *of_team())
    assert (asked.code, asked.out) == (0, "0001_source  the column is there  ok\n")
    team.query("update job set source = 'Secret' where id = 1")
    wrong = run("db", "verify", "0001", *of_team())
    assert wrong.code == 1
    assert wrong.out == "0001_source  the column is there  not: line 23: must return 0, and returned 1\n"
    (told,) = json.loads(run("db", "verify", *of_team(), "--json").out)
    assert (told["migration"], told["checks"][0]["ok"]) == ("0001_source", False)
    up = "alter table job drop column source;"
    verify = "-- returns: 10\nselect count(*) from job;"
    team.file("0002_gone", {"category": "contract", "containment": "none"}, up=up, down=None, verify=verify)
    run("db", "apply", *of_team())
    outdated = "0002_gone has removed something of what it is about; `db verify 0001_source` asks all the same"
    assert f"0001_source  not asked: {outdated}\n" in run("db", "verify", *of_team()).out


def test_the_way_back_says_what_to_tell_of_the_app_and_why(run, team, of_team):
    team.adds("0001_source", "source", {"release": "2026.10"})
    team.review("0001_source")
    run("db", "apply", *of_team("production"))
    why = "code of 2026.10 or later counts on what this migration did, and"
    ways = "roll the app back first, and say what it runs then: `--app-runs 2026.09` or `--app-runs none` if no app"
    for given, problem in (
        ((), "the record does not say which release is deployed"),
        (("--app-runs", "2026.11"), "2026.11 is such code"),
        (("--app-runs", "nothing"), "there is no release 'nothing'"),
    ):
        refused = run("db", "rollback", "0001", *of_team("production"), *given)
        assert (refused.code, f"{why} {problem}; {ways}" in refused.err) == (1, True), refused.err
    described = said(run("db", "rollback", "--help").out)
    assert "one before the migration's own" in described
    assert "The word none if no app uses this database." in described
    assert run("db", "rollback", "0001", *of_team("production"), "--app-runs", "none").code == 0


def test_what_has_no_way_back_is_contained(run, team, of_team):
    team.adds("0001_source", "source", {"containment": "Leave the column, nobody reads it."}, down=None)
    run("db", "apply", *of_team())
    back = run("db", "rollback", "0001", *of_team())
    assert (back.code, back.out) == (1, "0001_source has no way back; contain it: Leave the column, nobody reads it.\n")


def test_what_failed_is_shown_without_a_value_of_a_row(run, team, of_team):
    team.adds("0001_source", "source", up="alter table job alter column status type int using status::int;")
    failed = run("db", "apply", *of_team())
    assert (failed.code, "0001_source, line 13: invalid text representation" in failed.err) == (1, True)
    status = run("db", "status", *of_team())
    assert (status.code, "begun" in status.out, "invalid text representation" in status.out) == (1, True, True)
    assert "; nobody is at it: `db apply 0001_source` goes on\n" in status.out
    plan = run("db", "plan", *of_team())
    assert "begun\n  stopped: 0001_source, line 13" in plan.out
    for ended in (failed, status, plan, run("db", "history", *of_team())):
        assert "Secret" not in ended.out + ended.err


@pytest.fixture
def started(team, of_team):
    """Starts a command as a process of its own, and returns it once the server is at a query."""
    processes = []

    def start(query, *arguments):
        command = [sys.executable, "-m", "jobarium_events.cli", "db", *arguments, *map(str, of_team())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        awaited(lambda: at(team, query), "it does not run")
        return process

    yield start
    for each in processes:
        each.kill()
        each.communicate()


def at(team, query):
    """Whether a session is at a query."""
    running = (
        "select 1 from pg_stat_activity where datname = current_database() and query like %s and state = 'active'"
        " and pid <> pg_backend_pid()"
    )
    return bool(team.query(running, f"%{query}%"))


def test_a_signal_ends_it_after_the_step_and_it_goes_on(team, started):
    team.adds("0001_source", "source", up="select pg_sleep(1);\nalter table job add column source text;")
    process = started("pg_sleep(1", "apply")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "ends after this step" in err) == (1, True)
    assert "0001_source  not done: stopped; nothing is lost, and `db apply` goes on from here" in out
    assert team.target().status()[0].steps_done == 1
    assert team.target().apply().done == ("0001_source",)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_breaks_it_off_and_says_so(team, started, number):
    up = "begin;\ncreate table half (id int);\nselect pg_sleep(100);\ncommit;"
    path = team.adds("0001_source", "source", up=up, verify="-- returns: 10\nselect count(*) from job;")
    process = started("pg_sleep(100)", "apply")
    process.send_signal(number)
    assert "ends after this step" in process.stderr.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert err.startswith("broken off, and what was under way is undone;")
    assert "`db apply` goes on from there" in err
    assert "Traceback" not in err
    assert (at(team, "pg_sleep(100)"), team.query("select to_regclass('half')")) == (False, [(None,)])
    (run,) = team.target().history()
    assert (run.result, run.problem) == ("failed", "broken off by a signal")
    path.write_text(path.read_text().replace("pg_sleep(100)", "pg_sleep(0)"))
    assert team.target().apply().done == ("0001_source",)


def test_an_index_that_was_broken_off_is_dropped_and_built_by_the_next_run(team, started):
    up = "create index concurrently job_status on job (status);"
    team.adds("0001_source", "source", up=up, verify="-- returns: 10\nselect count(*) from job;")
    invalid = "select indexrelid::regclass::text from pg_index where not indisvalid"
    with psycopg.connect(team.database) as writer:
        writer.execute("update job set status = status")
        process = started("create index concurrently", "apply")
        awaited(lambda: team.query(invalid), "it is not being built")
        process.send_signal(signal.SIGINT)
        assert "ends after this step" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        assert "an index that is half built is dropped by the next run" in err
        assert team.query(invalid) == [("job_status",)]
    assert team.target().apply().done == ("0001_source",)
    assert team.query(invalid) == []


def test_a_signal_ends_the_wait_for_a_lock(team, started):
    settings = team.folder / "migrations.toml"
    settings.write_text(settings.read_text().replace("attempts = 3", "attempts = 1000"))
    team.adds("0001_source", "source")
    with psycopg.connect(team.database) as reader:
        reader.execute("select count(*) from job")
        process = started("alter table job", "apply")
        awaited(lambda: "again: canceling statement due to lock timeout" in process.stdout.readline(), "no retry")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "0001_source  not done: stopped" in out) == (1, True)
    assert "stamina" not in err
    (standing,) = team.target().status()
    assert standing.problem == "0001_source, line 14: was to stop while it waited for a lock, and is undone"
    assert team.target().apply().done == ("0001_source",)


def test_what_ends_before_its_backfill_is_complete_says_how_far_it_came_and_why(run, team, of_team):
    team.file(
        "0001_fill",
        {"category": "migrate", "backfill": {"table": "job", "key": ["id"]}},
        up=None,
        down=None,
        backfill="update job set status = 'form' where id between $1 and $2;",
        verify="-- returns: 10\nselect count(*) from job;",
    )
    run("db", "backfill", "pause", "0001", *of_team())
    ended = run("db", "apply", *of_team())
    assert (ended.code, ended.out) == (
        1,
        "0001_fill  not done: its backfill is paused; `db backfill resume 0001_fill`, and then `db apply`, goes on\n",
    )


def test_an_entry_that_cannot_be_read_is_told(run, team, of_team):
    team.adds("0001_source", "source")
    run("db", "deployed", "2026.10", *of_team())
    team.query(
        "insert into jobarium_migrations.record (event, operator, environment) values ('later', 'o', 'development')"
    )
    for command in ("status", "history", "plan", "apply"):
        ended = run("db", command, *of_team())
        assert (ended.code, "of jobarium_migrations.record cannot be read" in ended.err) == (1, True)


def test_what_comes_out_of_order_is_told(run, team, of_team):
    team.adds("0002_place", "place")
    run("db", "apply", *of_team())
    team.adds("0001_source", "source")
    note = "0002_place comes after it and is applied already"
    assert f"note: {note}" in run("db", "plan", *of_team()).out
    status = run("db", "status", *of_team())
    assert (status.code, note in status.out) == (0, True)
    run("db", "apply", *of_team())
    assert note not in run("db", "status", *of_team()).out


def test_why_there_are_no_gates_is_in_the_history(run, team, of_team):
    team.adds("0001_source", "source")
    team.review("0001_source")
    run("db", "apply", *of_team("production"))
    path = team.folder / "migrations.toml"
    path.write_text(path.read_text().replace("[environments.production]", "[environments.production]\ngates = false"))
    team.adds("0002_place", "place")
    refused = run("db", "apply", *of_team("production"))
    assert (refused.code, "--without-gates REASON" in refused.err) == (1, True)
    assert run("db", "apply", *of_team("production"), "--without-gates", "the disk is full").code == 0
    history = run("db", "history", *of_team("production")).out
    assert "no gates: the disk is full" in history
    assert "not asked" in history

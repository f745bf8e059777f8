"""Whatever is killed, lost, blocked or full: nothing is lost, no step runs twice, and no half-state goes unreported.

`make faults` kills it 50 times.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from jobarium_events.migrations.applying.refusals import Held
from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.record.states import Stage
from jobarium_events.migrations.running.failures import StepFailed
from tests.migrations.patience import PATIENCE, awaited
from tests.migrations.team import counting

KILLS = 50 if os.environ.get("JOBARIUM_FAULTS") == "full" else 6
SEED = int(os.environ.get("SEED", "7"))

# Each step says in a table that it ran, so that one which ran twice is seen; the pauses give a kill something to hit.
STEPS = 8
RAN = "select count(*), count(distinct (migration, step)) from ran"
INVALID = "select indexrelid::regclass::text from pg_index where not indisvalid"


def stepping(team):
    """Write migrations whose every step counts its runs, some of them in no transaction, and a backfill."""
    with psycopg.connect(team.database) as connection:
        connection.execute("create table ran (migration text, step int)")
        connection.execute("insert into job select n, 'Secret ' || n from generate_series(11, 400) as n")
        connection.execute("create table filled (id int not null)")
    for number in range(1, 4):
        up = "".join(
            f"begin;\ninsert into ran values ('m{number}', {step});\nselect pg_sleep(0.02);\n"
            f"create table t{number}_{step} (id int);\ncommit;\n"
            f"create index concurrently i{number}_{step} on job (status, id);\n"
            for step in range(1, STEPS // 2 + 1)
        )
        numbers = range(1, STEPS // 2 + 1)
        down = "".join(f"drop table t{number}_{step};\ndrop index i{number}_{step};\n" for step in numbers)
        team.file(
            f"000{number}_m{number}",
            {
                "category": Category.MIGRATE,
                "backfill": {"table": "job", "key": ["id"], "batch_rows": 20, "batch_time": "10ms", "share": 1.0},
            },
            up=up,
            down=down,
            backfill=f"insert into filled select id + {number * 1000} from job where id between $1 and $2;",
            verify=f"-- returns: {STEPS // 2}\nselect count(*) from ran where migration = 'm{number}';",
        )


class Applier:
    """`db apply` as a process of its own."""

    def __init__(self, team):
        self.team = team
        self.command = [
            *(sys.executable, "-m", "jobarium_events.cli", "db", "apply", "--environment", "development"),
            *("--database", team.database, "--migrations", str(team.folder), "--operator", "olga", "--wait", "60s"),
        ]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def end(self):
        out, _ = self.process.communicate(timeout=PATIENCE * 3)
        assert self.process.returncode == 0, out


def entries(team):
    if team.query("select to_regclass('jobarium_migrations.record')") == [(None,)]:
        return 0
    return team.query("select count(*) from jobarium_migrations.record")[0][0]


def work_done(team):
    """How much is recorded, batches of the backfill included."""
    if team.query("select to_regclass('jobarium_migrations.backfill')") == [(None,)]:
        return entries(team)
    return entries(team) + team.query("select coalesce(sum(batches), 0)::int from jobarium_migrations.backfill")[0][0]


def test_killed_at_random_it_goes_on_and_does_nothing_twice(team):
    stepping(team)
    chance = random.Random(SEED)
    applier = Applier(team)
    hits = 0
    for _ in range(KILLS):
        before = work_done(team)
        applier.start()
        # A kill before it has begun would hit nothing; after it, anything between two commits.
        awaited(
            lambda before=before: work_done(team) > before or applier.process.poll() is not None,
            "it does nothing",
            0.005,
        )
        time.sleep(chance.random() * 0.15)
        is_running = applier.process.poll() is None
        applier.kill()
        hits += is_running
        reported(team)
        if all(each.stage is Stage.APPLIED for each in team.target().status()):
            rolled_back(team)
    applier.start()
    applier.end()
    assert hits >= KILLS // 2
    assert {each.stage for each in team.target().status()} == {Stage.APPLIED}
    assert team.query(RAN) == [(STEPS * 3 // 2, STEPS * 3 // 2)]
    assert team.query("select count(*), count(distinct id) from filled") == [(1200, 1200)]
    assert team.query(INVALID) == []
    assert team.query("select count(*) from pg_class where relname ~ '^[it][123]_[1-4]$'") == [(STEPS * 3,)]
    runs = team.target().history()
    assert runs[-1].result == "done"
    assert sum(run.result == "no end" for run in runs) >= 1


def reported(team):
    """Check what the record says against what is there, once the killed session has ended."""
    ended = "select 1 from pg_stat_activity where datname = current_database() and application_name like 'jobarium%'"
    awaited(lambda: not team.query(ended), "the session of a killed process does not end")
    for number, standing in enumerate(sorted(team.target().status(), key=lambda each: each.id), 1):
        there = team.query("select count(*) from ran where migration = %s", f"m{number}")[0][0]
        valid = "select count(*) from pg_index where indisvalid and indexrelid::regclass::text ~ %s"
        built = team.query(valid, f"^i{number}_")[0][0]
        # A step in no transaction may have ended without anybody knowing; the next run finds out.
        assert standing.steps_done in (there + built, there + built - 1)
        assert (standing.stage is Stage.PENDING) <= (there + built == 0)
        if standing.stage is Stage.APPLIED:
            filled = f"select count(*) from filled where id between {number * 1000} and {number * 1000 + 999}"
            assert team.query(filled) == [(400,)]


def rolled_back(team):
    """Go all the way back, so that there is something to kill again."""
    for id_ in ("0003", "0002", "0001"):
        team.target().rollback(id_)
    team.query("truncate ran, filled")


def test_a_long_reader_blocks_and_nothing_is_left(team):
    team.adds("0001_source", "source")
    news = []
    with psycopg.connect(team.database) as reader:
        reader.execute("select count(*) from job")
        with pytest.raises(StepFailed, match=r"line 14: .*lock timeout, 3 times.* \(55P03\); something holds"):
            team.target().apply(watch=news.append)
        assert [bool(each.problem) for each in news if each.number == 2] == [False, True, True]
        assert team.columns() == ["id", "status"]
        waiting = (
            "select count(*) from pg_locks where not granted"
            " and database = (select oid from pg_database where datname = current_database())"
        )
        assert team.query(waiting) == [(0,)]
    (run,) = team.target().history()
    assert (run.result, "lock timeout" in run.problem) == ("failed", True)
    assert team.target().apply().done == ("0001_source",)


def test_who_holds_the_lock_is_told_without_what_they_run(team):
    settings = team.folder / "migrations.toml"  # three times a second are enough for a look, on a busy machine too
    settings.write_text(settings.read_text().replace('lock_timeout = "200ms"', 'lock_timeout = "1s"'))
    team.adds("0001_source", "source")
    with psycopg.connect(team.database, application_name="report") as reader:
        reader.execute("select count(*), 'Secret' from job")
        who = rf"session {reader.info.backend_pid} \(report, idle in transaction, its transaction open since \d"
        with pytest.raises(StepFailed, match=rf"3 times; it waited for {who}[^)]*\) \(55P03\); ") as refused:
            team.target().apply()
    assert "Secret" not in str(refused.value)
    assert re.search(who, team.target().history()[0].problem)


@pytest.mark.parametrize("before", ["", "begin;\ncreate table half (id int);\n"])
def test_a_lost_connection_is_of_unknown_outcome_and_the_record_knows(team, before):
    up = f"{before}insert into job select 99, 'once' from pg_sleep(60);\n{'commit;' if before else ''}"
    path = team.adds("0001_source", "source", up=up, verify="-- returns: 1\nselect count(*) from job where id = 99;")
    failures = []

    def apply():
        try:
            team.target().apply()
        except StepFailed as failed:
            failures.append(failed)

    applier = threading.Thread(target=apply)
    applier.start()
    sleeping = (
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
        " and query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()"
    )
    awaited(lambda: team.query(sleeping), "it does not run")
    applier.join(PATIENCE)
    (failed,) = failures
    assert failed.is_unknown
    assert "the next run reads it from the record" in str(failed)
    (standing,) = team.target().status()
    assert (standing.stage, standing.steps_done) == (Stage.APPLYING, 0)
    (run,) = team.target().history()
    assert (run.result, run.problem) == ("failed", str(failed))
    assert team.query("select to_regclass('half')") == [(None,)]
    path.write_text(path.read_text().replace("pg_sleep(60)", "pg_sleep(0)"))
    assert team.target().apply().done == ("0001_source",)


def test_a_connection_that_is_lost_within_a_block_is_said_to_be(team):
    team.adds("0001_source", "source", up="do $$ begin perform pg_terminate_backend(pg_backend_pid()); end $$;")
    with pytest.raises(StepFailed, match=r"line \d+: the connection was lost") as failed:
        team.target().apply()
    assert failed.value.is_unknown


def test_a_connection_lost_after_the_commit_runs_nothing_twice(team):
    """The server committed the step, and the applier never heard of it."""
    team.adds("0001_source", "source", verify="-- returns: 0\nselect count(source) from job;")
    target = team.target()

    def lose(news):
        if news.number == 2 and news.is_done:
            team.query(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and application_name like 'jobarium%'"
            )

    with pytest.raises(psycopg.OperationalError):
        target.apply(watch=lose)
    assert team.target().status()[0].steps_done == 2
    assert team.target().apply().done == ("0001_source",)
    assert team.query("select count(*) from jobarium_migrations.record where event = 'step-done'") == [(2,)]


@pytest.mark.parametrize(
    "full",
    [
        "do $$ begin raise exception 'disk full of Secret' using errcode = '53100'; end $$",
        (
            "set temp_file_limit = 0;\nset work_mem = '64kB';\n"
            "create table sorted as select n from generate_series(1, 200000) as n order by n desc"
        ),
    ],
)
def test_a_full_disk_undoes_the_step_and_is_said(team, full):
    sets, _, last = full.rpartition(";\n")
    up = f"{sets + ';' if sets else ''}\nbegin;\ncreate table half (id int);\n{last};\ncommit;"
    team.adds("0001_source", "source", up=up)
    with pytest.raises(StepFailed) as failed:
        team.target().apply()
    assert failed.value.sqlstate in ("53100", "53400")
    assert team.query("select to_regclass('half')") == [(None,)]
    (standing,) = team.target().status()
    assert (standing.stage, standing.problem) == (Stage.APPLYING, str(failed.value))


def test_two_appliers_at_once_apply_each_step_once(team):
    stepping(team)
    outcomes = []
    start = threading.Barrier(3)

    def apply():
        target = team.target()
        start.wait()
        try:
            outcomes.append(target.apply(wait=PATIENCE))
        except Held as held:
            outcomes.append(held)

    threads = [threading.Thread(target=apply) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 2)
    assert sorted(len(each.done) for each in outcomes) == [0, 0, 3]
    assert team.query(RAN) == [(STEPS * 3 // 2, STEPS * 3 // 2)]
    assert team.query("select count(*), count(distinct id) from filled") == [(1200, 1200)]


def test_a_killed_applier_keeps_others_out_until_its_statement_has_ended(team):
    team.adds("0001_source", "source", up="select pg_sleep(30);")
    applier = Applier(team)
    applier.start()
    running = (
        "select 1 from pg_stat_activity where datname = current_database()"
        " and query = 'select pg_sleep(30)' and state = 'active'"
    )
    awaited(lambda: team.query(running), "it does not run")
    applier.kill()
    looking = threading.Event()
    looking.set()  # it begins no step
    try:
        team.target().apply(stop=looking)
    except Held as held:
        assert "jobarium-events db, olga" in str(held)  # noqa: PT017 - it may also have ended by now
    else:
        assert not team.query(running)
    awaited(lambda: not team.query(running), "the statement of a killed applier does not end")
    team.adds("0001_source", "source")
    assert team.target().apply(wait=PATIENCE).done == ("0001_source",)


TERMINATE = (
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
    " and application_name like 'jobarium%'"
)
LOCK = "select pg_try_advisory_lock(hashtextextended('jobarium_migrations.apply', 0))"


def test_all_sessions_that_are_lost_in_a_backfill_are_opened_anew(team):
    """The one that holds the lock as well, which has nothing to do meanwhile."""
    counting(team)
    lost = []

    def lose(found):
        if found.batches == 2 and not lost:
            lost.extend(team.query(TERMINATE))

    assert team.target().apply(watch=lose).done == ("0001_fill",)
    assert len(lost) == 2
    assert team.query("select count(*), count(distinct id) from met") == [(10, 10)]
    (run,) = team.target().history()
    assert (run.result, team.target().status()[0].stage) == ("done", Stage.APPLIED)


def lost_to(other, team):
    """Return what ends the applier's sessions during its backfill, and has another one take the lock."""

    def lose(found):
        if found.batches == 2 and other.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
            team.query(TERMINATE)
            awaited(lambda: other.execute(LOCK).fetchone() == (True,), "the lock is not let go")

    return lose


def test_the_lock_is_taken_again_while_the_backfill_goes_on(team, monkeypatch):
    monkeypatch.setattr("jobarium_events.migrations.applying.applying._ASKED_EVERY", 0.0)
    counting(team)
    free = {}

    def lose(found):
        if found.batches == 2 and not free:
            team.query(TERMINATE)
        free[found.batches] = team.query(LOCK) == [(True,)]  # and let go again at once, as the session ends

    team.target().apply(watch=lose)
    assert [is_free for batches, is_free in free.items() if batches > 2] == [False]


def test_who_has_lost_the_lock_for_good_fills_no_further(team, monkeypatch):
    monkeypatch.setattr("jobarium_events.migrations.applying.applying._ASKED_EVERY", 0.0)
    monkeypatch.setattr("jobarium_events.migrations.applying.sessions._LOST_PATIENCE", 0.0)
    counting(team)
    another = psycopg.connect(team.database, autocommit=True, application_name="another")
    with another, pytest.raises(Held, match="by another"):
        team.target().apply(watch=lost_to(another, team))
    assert team.query("select count(*) < 10 from met") == [(True,)]
    (run,) = team.target().history()
    assert (run.result, "by another" in run.problem) == ("failed", True)
    assert team.target().apply().done == ("0001_fill",)
    assert team.query("select count(*), count(distinct id) from met") == [(10, 10)]


def test_who_has_the_lock_since_it_was_lost_keeps_it(team, monkeypatch):
    monkeypatch.setattr("jobarium_events.migrations.applying.sessions._LOST_PATIENCE", 0.0)
    counting(team)
    another = psycopg.connect(team.database, autocommit=True, application_name="another")
    with another, pytest.raises(Held, match="by another"):
        team.target().apply(watch=lost_to(another, team))
    assert team.target().status()[0].left_by == "db apply 0001_fill"
    assert team.target().apply().done == ("0001_fill",)


def test_what_was_rolled_back_while_the_session_was_lost_is_not_recorded_as_applied(team):
    counting(team)

    def lose(found):
        if found.is_complete:
            team.query(TERMINATE)
            team.query(
                "insert into jobarium_migrations.record (event, operator, environment, migration, direction, round)"
                " values ('done', 'another', 'development', '0001_fill', 'down', 1)"
            )

    with pytest.raises(Held, match="somebody else, who began while the connection was lost"):
        team.target().apply(watch=lose)
    assert team.target().status()[0].stage is Stage.PENDING

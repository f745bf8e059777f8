"""One database: applied in order, recorded, and gone on with where it failed."""

from __future__ import annotations

import threading

import psycopg
import pytest

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations import UnknownMigration
from jobarium_events.migrations.applying.refusals import Closed, Held
from jobarium_events.migrations.applying.sessions import applying, opener
from jobarium_events.migrations.backfills.checkpoints import Progress
from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.record import record
from jobarium_events.migrations.record.record import Direction, Event, OtherEnvironment
from jobarium_events.migrations.record.states import Stage
from jobarium_events.migrations.running.failures import StepFailed
from tests.migrations.patience import awaited
from tests.migrations.team import filled, stages


def test_migrations_are_applied_in_their_order_once(each_team):
    team = each_team
    team.adds("0001_source", "source")
    filled(team)
    team.adds("0003_place", "place")
    news = []
    applied = team.target().apply(watch=news.append)
    assert applied.done == ("0001_source", "0002_fill", "0003_place")
    assert team.columns() == ["id", "status", "source", "place"]
    assert team.query("select distinct source from job") == [("form",)]
    assert set(stages(team.target()).values()) == {Stage.APPLIED}
    assert team.target().apply().done == ()
    steps = [
        (each.migration, each.number, each.count) for each in news if not isinstance(each, Progress) and each.is_done
    ]
    assert steps == [("0001_source", 1, 2), ("0001_source", 2, 2), ("0003_place", 1, 2), ("0003_place", 2, 2)]
    assert any(isinstance(each, Progress) and each.is_complete for each in news)


def test_up_to_one(team):
    for number, name in enumerate(("a", "b", "c"), 1):
        team.adds(f"000{number}_{name}", name)
    assert team.target().apply("0002").done == ("0001_a", "0002_b")
    assert team.columns() == ["id", "status", "a", "b"]
    with pytest.raises(UnknownMigration):
        team.target().apply("0009")


def test_the_plan_says_what_would_run_and_runs_nothing(team):
    team.adds(
        "0001_source", "source", up="create index concurrently job_status on job (status);\ndrop table if exists x;"
    )
    filled(team)
    plan = team.target("production").plan()
    first, second = plan.migrations
    assert [(step.line, step.in_transaction, step.is_done) for step in first.steps] == [
        (13, False, False),
        (14, True, False),
    ]
    assert first.steps[0].locks[0].table == "job"
    assert (second.has_backfill, second.steps, second.category) == (True, (), Category.MIGRATE)
    assert {gate.name for gate in first.gates if not gate.passed} >= {"review", "rehearsal", "lint"}
    assert str(plan.estimated_runtime) == "2s"
    assert not plan.ok
    assert team.query("select to_regnamespace('jobarium_migrations')") == [(None,)]


def test_a_failed_migration_goes_on_where_it_failed(team):
    team.adds(
        "0001_source",
        "source",
        up="set search_path = own;\ncreate table a (id int);\ncreate table b as select id from c;\n"
        "create table d (id int);",
        verify="-- returns: 2\nselect count(*) from own.b;",
    )
    team.query("create schema own")
    with pytest.raises(StepFailed) as failed:
        team.target().apply()
    assert (failed.value.migration, failed.value.line) == ("0001_source", 15)
    assert team.target().status()[0].steps_done == 2
    assert [step.is_done for step in team.target().plan().migrations[0].steps] == [True, True, False, False]
    team.query("create table own.c as select n as id from generate_series(1, 2) as n")
    assert team.target().apply().done == ("0001_source",)
    # The search path is that of a session, so it was set again.
    assert team.query("select to_regclass('own.d') is not null, to_regclass('public.d') is null") == [(True, True)]


def test_the_environment_is_noted_and_another_one_is_refused(team):
    team.adds("0001_source", "source")
    team.target().apply()
    for use in (lambda target: target.apply(), lambda target: target.plan(), lambda target: target.deployed("2026.10")):
        with pytest.raises(OtherEnvironment, match=r"is the environment 'development', not 'production'"):
            use(team.target("production"))
    with pytest.raises(DeclarationError, match="no environment 'staging'; it has"):
        team.target("staging")


def test_what_is_refused_notes_no_environment(team):
    team.adds("0001_source", "source")
    with pytest.raises(Closed):
        team.target("production").apply("0001")
    assert team.target().apply().done == ("0001_source",)


def test_one_applier_at_a_time_and_who_it_is(team):
    team.adds("0001_source", "source", up="select pg_sleep(0.5);\nalter table job add column source text;")
    team.target().deployed("2026.10")
    first = threading.Thread(target=team.target(operator="ada").apply)
    first.start()
    running = (
        "select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep(0%'"
        " and pid <> pg_backend_pid()"
    )
    awaited(lambda: team.query(running), "it does not run")
    with pytest.raises(Held, match=r"applied to this database by jobarium-events db, ada \(session \d+, since "):
        team.target().apply()
    assert team.target().apply(wait=60).done == ()
    first.join(60)
    assert [run.operator for run in team.target().history()] == ["ada"]


def test_the_next_applier_need_not_wait_until_the_server_notices_that_a_session_ended(team, monkeypatch):
    """A server that has much to do may notice it late: here it does not notice at all."""
    left: list[psycopg.Connection] = []

    def closed(connection: psycopg.Connection) -> None:
        left.append(connection)

    monkeypatch.setattr(psycopg.Connection, "close", closed)
    connect = opener(team.database, "ada")
    with applying(connect) as session, pytest.raises(psycopg.Error), session.connection.transaction():
        session.connection.execute("select 1 / 0")
    with applying(connect) as session:
        assert not session.connection.closed
    monkeypatch.undo()
    assert len(left) == 2
    for connection in left:
        connection.close()


def test_the_history_says_who_did_what_and_how_it_ended(team):
    team.adds("0001_source", "source")
    team.adds("0002_bad", "bad", up="alter table nothing add column bad text;")
    with pytest.raises(StepFailed):
        team.target(operator="ada").apply()
    team.adds("0002_bad", "good")
    team.target(operator="olga").apply()
    failed, done = team.target().history()
    assert (failed.kind, failed.environment, failed.operator, failed.result) == (
        "apply",
        "development",
        "ada",
        "failed",
    )
    assert "0002_bad, line 13" in failed.problem
    assert [str(part) for part in failed.range] == ["0001_source up steps 1-2", "0002_bad up, not done"]
    assert (done.operator, done.result, done.wanted) == ("olga", "done", ("0002_bad",))
    assert [str(part) for part in done.range] == ["0002_bad up steps 1-2"]
    assert failed.start < failed.end < done.start < done.end


def test_a_release_is_deployed_after_what_it_reads(team):
    team.adds("0001_source", "source", {"release": "2026.11"})
    target = team.target()
    assert target.deployed("2026.10").missing == ()
    assert target.deployed("2026.11").missing == ("0001_source",)
    target.apply()
    found = target.deployed("2026.12")
    assert (found.missing, found.back_from) == ((), None)
    assert target.deployed("2026.11").back_from == "2026.12"
    assert target.deployed("2026.11").back_from is None
    with pytest.raises(DeclarationError, match=r"there is no release '2030\.1'"):
        target.deployed("2030.1")


def test_all_gates_first_where_one_is_named_and_what_may_be_where_none_is(team):
    team.adds("0001_source", "source")
    team.adds("0002_place", "place")
    team.review("0001_source")
    target = team.target("production")
    with pytest.raises(Closed, match=r"0002_place may not be applied:\n(.*\n)*  - review: not reviewed"):
        target.apply("0002")
    assert team.columns() == ["id", "status"]
    applied = target.apply()
    assert (applied.done, applied.held) == (("0001_source",), "0002_place")
    assert {gate.name for gate in applied.gates} == {"review", "rehearsal"}
    assert target.history()[-1].result == "held"
    with pytest.raises(Closed):
        target.apply()


def test_a_step_that_no_transaction_may_hold_is_recorded_around_it(team):
    team.adds(
        "0001_source",
        "source",
        up="create index concurrently job_status on job (status);",
        down="drop index job_status;",
        verify="-- returns: 10\nselect count(*) from job;",
    )
    team.target().apply()
    events = team.query("select event from jobarium_migrations.record where step is not null order by entry")
    assert events == [("step-began",), ("step-done",)]
    assert team.query("select direction from jobarium_migrations.record where event = 'done'") == [(Direction.UP,)]


def test_a_database_out_of_reach_is_told(team):
    team.adds("0001_source", "source")
    target = type(team.target())(
        "postgresql://127.0.0.1:1/none", team.target().migrations, environment="development", operator="olga"
    )
    with pytest.raises(psycopg.OperationalError):
        target.status()


SETTINGS = (
    "set search_path = own",
    "select set_config('search_path', 'own', false)",
    "begin; set search_path = own; create table of_it (id int); commit",
)


@pytest.mark.parametrize("text", SETTINGS)
def test_what_one_migration_sets_ends_with_it(team, text):
    team.query("create schema own")
    team.adds("0001_source", "source", up=f"{text};\nalter table public.job add column source text;",
              verify="-- returns: 10\nselect count(*) from public.job;")  # fmt: skip
    team.adds("0002_place", "place", up="alter table job add column place text;\ncreate table here (id int);")
    assert len(team.target().apply().done) == 2
    assert team.query("select to_regclass('public.here') is not null, to_regclass('own.here')") == [(True, None)]


@pytest.mark.parametrize("text", SETTINGS)
def test_a_migration_that_is_gone_on_with_runs_under_what_it_has_set(team, text):
    team.query("create schema own")
    up = f"{text};\ncreate table own.later as select * from missing;\ncreate table here (id int);"
    verify = "-- the path is still that\n-- returns: \"own\"\nselect current_setting('search_path');"
    team.adds("0001_source", "source", up=up, verify=verify)
    with pytest.raises(StepFailed):
        team.target().apply()
    team.query("create table own.missing (id int)")
    assert team.target().apply().done == ("0001_source",)
    assert team.query("select to_regclass('own.here') is not null, to_regclass('public.here')") == [(True, None)]


def test_a_session_that_is_discarded_would_give_up_its_lock(team):
    team.adds("0001_source", "source", up="discard all;")
    with pytest.raises(StepFailed, match="gives up the session's locks"):
        team.target().apply()


def test_only_what_is_new_in_the_record_is_read_in_a_run(team, monkeypatch):
    for number in range(1, 6):
        team.adds(f"000{number}_c{number}", f"c{number}")
    team.target().apply()
    for number in range(6, 9):
        team.adds(f"000{number}_c{number}", f"c{number}")
    read = []
    real = record._entry
    monkeypatch.setattr(record, "_entry", lambda row: (read.append(row[0]), real(row))[1])
    team.target().apply()
    assert len(read) == len(set(read)) > 0


def test_an_entry_that_was_committed_late_is_read_all_the_same(team):
    team.adds("0001_source", "source")
    target = team.target()
    target.deployed("2026.09")
    with target._working(0, lambda _: None, None) as job, psycopg.connect(team.database) as late:
        target._record.write(late, Event.DEPLOYED, release="2026.10")
        target.deployed("2026.11")
        assert [each.detail.get("release") for each in job.look(frozenset()).entries[1:]] == ["2026.09", "2026.11"]
        late.commit()
        found = [each.detail.get("release") for each in job.look(frozenset()).entries[1:]]
        assert found == ["2026.09", "2026.10", "2026.11"]

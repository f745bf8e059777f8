"""One database: applied in order, recorded, gone on with, and refused where something is not as it was."""

from __future__ import annotations

import sys
import threading
from datetime import datetime

import psycopg
import pytest

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations import Role, UnknownMigration
from jobarium_events.migrations.applying.approving import ApprovalRefused
from jobarium_events.migrations.applying.refusals import Closed, FileChanged, Held, NotApplied
from jobarium_events.migrations.backfills.checkpoints import Progress
from jobarium_events.migrations.backfills.refusals import BackfillRefused
from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.record import record
from jobarium_events.migrations.record.record import Direction, Event, OtherEnvironment
from jobarium_events.migrations.record.states import Stage
from jobarium_events.migrations.running.failures import NotVerified, StepFailed
from tests.migrations.patience import PATIENCE, awaited
from tests.migrations.team import around

BACKFILL = {"category": "migrate", "backfill": {"table": "job", "key": ["id"], "batch_rows": 3, "share": 1.0}}


def filled(team, id_="0002_fill", **header):
    """Write a migration that fills the column that the first one adds."""
    return team.file(
        id_,
        {**BACKFILL, "depends_on": ["0001_source"], **header},
        up=None,
        down=None,
        backfill="update job set source = 'form' where id between $1 and $2 and source is null;",
        verify="-- every job has a source\n-- returns: 0\nselect count(*) from job where source is null;",
    )


def stages(target):
    return {each.id: each.stage for each in target.status()}


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


def test_a_changed_file_is_refused_naming_both_hashes(team):
    team.adds("0001_source", "source")
    target = team.target()
    before = target.migrations["0001"].hash
    target.apply()
    path = team.adds("0001_source", "place")
    team.adds("0002_other", "other")
    target = team.target()
    now = target.migrations["0001"].hash
    with pytest.raises(FileChanged, match=f"{before}.*{now}.*bring back the file") as refused:
        target.apply()
    assert (refused.value.ran, refused.value.now) == (before, now)
    assert target.plan().problems == (str(refused.value),)
    assert "was changed after it ran" in target.status()[0].problem
    path.unlink()
    target = team.target()
    with pytest.raises(FileChanged, match="its file is gone; bring back the file"):
        target.apply()
    assert next((each.id, each.problem) for each in target.status()) == (
        "0001_source",
        "its file is gone; bring it back",
    )
    assert team.columns() == ["id", "status", "source"]


def test_a_file_may_change_as_long_as_nothing_of_it_ran(team):
    team.adds("0001_source", "source", up="alter table nothing add column source text;")
    with pytest.raises(StepFailed, match=r"0001_source, line 13: .*nothing.*does not exist"):
        team.target().apply()
    (standing,) = team.target().status()
    assert (standing.stage, standing.steps_done) == (Stage.APPLYING, 0)
    assert "does not exist" in standing.problem
    team.adds("0001_source", "source")
    assert team.target().apply().done == ("0001_source",)


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


def test_what_is_not_verified_before_is_not_run(team):
    team.adds("0001_source", "source", verify="-- no jobs\n-- returns: 0\n-- when: before\nselect count(*) from job;")
    with pytest.raises(
        NotVerified, match=r"0001_source is not verified before up:\n  - no jobs: line .*must return 0, and"
    ):
        team.target().apply()
    assert team.columns() == ["id", "status"]
    assert team.target().status()[0].problem


def test_what_is_not_verified_after_is_not_applied_and_asked_again(team):
    team.adds("0001_source", "source", verify="-- no jobs\n-- returns: 0\nselect count(*) from job;")
    with pytest.raises(NotVerified, match="after up"):
        team.target().apply()
    assert team.target().history()[-1].result == "failed"
    assert stages(team.target()) == {"0001_source": Stage.APPLYING}
    item = next(each for each in team.target().checklist("0001") if "verification" in each.name)
    assert (item.done, "must return 0, and returned 10" in item.text) == (False, True)
    team.query("delete from job")
    assert team.target().apply().done == ("0001_source",)
    assert next(each for each in team.target().checklist("0001") if "verification" in each.name).done


def verification(team, id_="0001"):
    """The line of the checklist on it."""
    return next(each for each in team.target().checklist(id_) if "verification" in each.name)


def test_what_is_applied_is_verified_again_once_its_release_is_deployed(team):
    team.adds("0001_source", "source", verify="-- ten jobs\n-- returns: 10\nselect count(*) from job;")
    with pytest.raises(NotApplied, match=r"0001_source is pending here, and .* `db apply 0001_source`"):
        team.target().verify("0001")
    assert team.target().verify() == ()
    team.target().apply()
    before = verification(team)
    assert (before.done, before.text.endswith("; 2026.10 is not recorded as deployed yet")) == (True, True)
    team.target().deployed("2026.10")
    due = verification(team)
    assert (due.done, due.text.endswith("ask them again: `db verify 0001_source`")) == (False, True)
    (asked,) = team.target().verify()
    assert (asked.migration, asked.ok, [check.name for check in asked.checks]) == ("0001_source", True, ["ten jobs"])
    done = verification(team)
    assert (done.done, done.text.endswith(", since 2026.10 is deployed")) == (True, True)
    team.query("delete from job where id = 1")
    (asked,) = team.target().verify("0001")
    assert (asked.ok, "must return 10, and returned 9" in asked.checks[0].problem) == (False, True)
    assert (verification(team).done, stages(team.target())) == (False, {"0001_source": Stage.APPLIED})
    assert "must return 10" in team.target().status()[0].problem
    team.query("insert into job values (1, 'back')")
    assert team.target().verify()[0].ok
    assert team.target().status()[0].problem is None


def test_what_a_later_one_has_removed_is_not_asked_for_unless_it_is_named(team):
    team.adds("0001_source", "source")
    up = "alter table job drop column source;"
    team.file(
        "0002_gone",
        {"category": "contract", "containment": "none"},
        up=up,
        down=None,
        verify="-- returns: 10\nselect count(*) from job;",
    )
    team.target().apply()
    first, last = team.target().verify()
    assert (first.outdated_by, first.checks, first.ok) == ("0002_gone", (), True)
    assert (last.outdated_by, last.ok) == (None, True)
    assert not team.target().verify("0001")[0].ok


def test_what_is_verified_again_is_what_ran(team):
    path = team.adds("0001_source", "source")
    team.target().apply()
    path.write_text(path.read_text() + "\n")
    with pytest.raises(FileChanged):
        team.target().verify()


def test_a_running_backfill_is_paused_whatever_its_file_says_by_then(team):
    team.adds("0001_source", "source")
    filled(team)
    stop = threading.Event()
    team.target().apply(watch=lambda news: isinstance(news, Progress) and news.batches == 1 and stop.set(), stop=stop)
    before = team.target()
    filled(team, owner="other")
    assert team.target().migrations["0002"].hash != before.migrations["0002"].hash
    team.target().pause("0002")
    assert before.progress("0002").is_paused
    assert before.apply().is_paused
    team.target().resume("0002")
    assert before.apply().done == ("0002_fill",)


def test_a_paused_or_stopped_backfill_is_gone_on_with(team):
    team.adds("0001_source", "source")
    filled(team)
    stop = threading.Event()

    def watch(news):
        if isinstance(news, Progress) and news.batches == 1:
            stop.set()

    applied = team.target().apply(watch=watch, stop=stop)
    assert (applied.done, applied.stopped) == (("0001_source",), "0002_fill")
    assert team.target().history()[-1].result == "stopped"
    assert team.query("select count(*) from job where source is null")[0][0] > 0
    assert team.target().apply().done == ("0002_fill",)
    assert team.query("select count(*) from job where source is null") == [(0,)]


def test_a_backfill_is_looked_at_paused_and_resumed(team):
    team.adds("0001_source", "source")
    filled(team)
    target = team.target()
    assert target.progress("0002") is None
    with pytest.raises(BackfillRefused):
        target.pause("0001")
    assert target.pause("0002").is_paused
    assert target.apply().stopped == "0002_fill"
    assert target.progress("0002").rows == 0
    assert not target.resume("0002").is_paused
    assert target.apply().done == ("0002_fill",)
    assert target.progress("0002").is_complete
    assert team.query("select count(*) from job where source is null") == [(0,)]


def test_a_run_that_is_to_stop_begins_no_step(team):
    team.adds("0001_source", "source")
    stop = threading.Event()
    stop.set()
    applied = team.target().apply(stop=stop)
    assert (applied.stopped, applied.is_paused) == ("0001_source", False)
    assert team.columns() == ["id", "status"]
    assert stages(team.target()) == {"0001_source": Stage.PENDING}


def test_a_run_that_is_to_stop_waits_for_no_other(team):
    team.adds("0001_source", "source")
    stop = threading.Event()
    target = team.target()
    with target._working(0, lambda _: None, None):
        threading.Timer(0.5, stop.set).start()
        with pytest.raises(Held):
            target.apply(wait=PATIENCE, stop=stop)
        assert stop.is_set()


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


def test_only_the_clock_of_the_server_counts(team, monkeypatch):
    """A client whose clock is wrong by years neither opens a window nor writes a time."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            raise AssertionError("the clock of the client is read")

    ours = [module for name, module in sys.modules.items() if name.startswith("jobarium_events.migrations.applying")]
    for module in (module for module in ours if getattr(module, "datetime", None) is datetime):
        monkeypatch.setattr(module, "datetime", Wrong)
    monkeypatch.setattr("time.time", lambda: 0.0)
    team.adds("0001_source", "source", {"risk": "high"})
    team.review("0001_source")
    (now,) = team.query("select clock_timestamp()")[0]
    target = team.target("production")
    target.approve("0001", role=Role.CEO, by="grace", window=around(now, -3, -2))
    with pytest.raises(Closed, match="by the server's clock; wait for the window"):
        target.apply("0001")
    target.approve("0001", role=Role.CEO, by="grace", window=around(now))
    assert target.apply("0001").done == ("0001_source",)


def test_who_may_approve(team):
    team.adds("0001_source", "source", {"risk": "high"})
    target = team.target("production")
    (now,) = team.query("select clock_timestamp()")[0]
    for role, by, window, problem in (
        (Role.CTO, "mallory", None, r"mallory is not listed as cto; \[roles\] in migrations.toml lists ada, both"),
        (Role.CEO, "ada", around(now), "ada is not listed as ceo"),
        (Role.CEO, "grace", None, "an approval needs its window"),
        (Role.CTO, "ada", around(now), "a review has no window"),
    ):
        with pytest.raises(ApprovalRefused, match=problem):
            target.approve("0001", role=role, by=by, window=window)
    given = target.approve("0001", role=Role.CTO, by="both")
    assert (given.by, given.hash, given.role, given.window) == ("both", target.migrations["0001"].hash, Role.CTO, None)
    with pytest.raises(ApprovalRefused, match="both has signed this file in the other role; somebody else has to"):
        target.approve("0001", role=Role.CEO, by="both", window=around(now))


def test_a_release_is_deployed_after_what_it_reads(team):
    team.adds("0001_source", "source", {"release": "2026.11"})
    target = team.target()
    assert target.deployed("2026.10") == ()
    assert target.deployed("2026.11") == ("0001_source",)
    target.apply()
    assert target.deployed("2026.12") == ()
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


def test_a_half_run_backfill_whose_file_is_gone_is_listed(team):
    path = filled(team, "0001_fill", depends_on=[])
    team.query("alter table job add column source text")
    stop = threading.Event()
    team.target().apply(stop=stop, watch=lambda _: stop.set())
    path.unlink()
    (standing,) = team.target().status()
    assert (standing.id, standing.problem) == ("0001_fill", "its file is gone; bring it back")
    with pytest.raises(FileChanged, match="its file is gone"):
        team.target().apply()


def test_what_has_not_run_of_a_half_done_migration_may_change(team):
    first = "create table a (id int);\n"
    team.adds("0001_source", "source", up=f"{first}create table b as select * from missing;")
    team.adds("0002_place", "place")
    with pytest.raises(StepFailed):
        team.target().apply()
    team.adds("0001_source", "source", up="create table a (id bigint);\nalter table job add column source text;")
    with pytest.raises(FileChanged, match="only steps that have not run may change"):
        team.target().apply()
    team.adds("0001_source", "source", up=f"{first}alter table job add column source text;")
    assert team.target().plan().problems == ()
    assert team.target().apply().done == ("0001_source", "0002_place")
    team.adds("0001_source", "source", up=f"{first}alter table job add column source varchar;")
    with pytest.raises(FileChanged, match="put what is to change in a new migration"):
        team.target().apply()


def test_a_changed_half_is_reviewed_anew(team):
    up = "set lock_timeout = '2s';\nalter table missing add column source text;"
    team.adds("0001_source", "source", {"containment": "none"}, up=up, down=None)
    team.review("0001_source")
    with pytest.raises(StepFailed):
        team.target("production").apply()
    team.adds("0001_source", "source")
    with pytest.raises(Closed, match="ada reviewed it before the file changed"):
        team.target("production").apply("0001")


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

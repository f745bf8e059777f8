"""The way back, in the policy's order: the app first, then the backfill, the flag, and `down`."""

from __future__ import annotations

import threading

import pytest
from openfeature import api
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from jobarium_events.migrations.applying.refusals import Closed, FileChanged, RollbackRefused
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.backfills.checkpoints import Progress
from jobarium_events.migrations.backfills.refusals import BackfillFailed
from jobarium_events.migrations.record.record import Event
from jobarium_events.migrations.record.states import Stage
from jobarium_events.migrations.running.failures import NotVerified, StepFailed

FILL = "update job set source = 'form' where id between $1 and $2 and source is null;"


def whole(team, header=None, **sections):
    """Write one with everything."""
    values = {
        "feature_flag": "job-source",
        "release": "2026.11",
        "backfill": {"table": "job", "key": ["id"], "batch_rows": 2, "share": 1.0},
        **(header or {}),
    }
    verify = (
        "-- all jobs are there\n-- returns: 10\n-- when: always\nselect count(*) from job;\n"
        "-- each has a source\n-- returns: 0\nselect count(*) from job where source is null;"
    )
    return team.adds("0001_source", "source", values, **{"backfill": FILL, "verify": verify, **sections})


@pytest.fixture
def applied(team):
    """A team that has applied it, with the flag on."""
    whole(team)
    team.flags(job_source=True)
    team.review("0001_source")
    team.target("production").apply()
    return team


def test_in_the_order_of_the_policy(applied):
    target = applied.target("production")
    target.deployed("2026.10")
    target.deployed("2026.11")
    with pytest.raises(
        RollbackRefused,
        match=r"2026.11 is deployed, .*; roll the app back first, .*: `--app-runs 2026.10` or .* uses this database$",
    ):
        target.rollback("0001")
    with pytest.raises(
        RollbackRefused, match=r"code of 2026.11 or later counts on .*, and 2026.12 is such code; roll the app back"
    ):
        target.rollback("0001", app_runs="2026.12")
    assert (applied.columns(), len(target.history())) == (["id", "status", "source"], 1)
    back = target.rollback("0001", app_runs="2026.10")
    assert [said.partition(" in /")[0] for said in back.done] == [
        "the app is rolled back to 2026.10",
        "the flag 'job-source' is turned off",
        "`down` has run, and is verified",
    ]
    assert applied.columns() == ["id", "status"]
    assert (applied.folder / "flags.toml").read_text() == "job-source = false  # a flag\n"
    events = applied.query(
        "select event, direction from jobarium_migrations.record where run = %s order by entry",
        target.history()[-1].number,
    )
    assert events == [
        ("deployed", None),
        ("flag-off", None),
        ("began", "down"),
        ("step-done", "down"),
        ("step-done", "down"),
        ("verified", "down"),
        ("done", "down"),
        ("run-ended", None),
    ]
    assert (target.history()[-1].kind, str(target.history()[-1].range[0])) == ("rollback", "0001_source down steps 1-2")
    assert target.status()[0].stage is Stage.PENDING


def test_the_record_may_say_that_the_app_is_back(applied):
    target = applied.target("production")
    with pytest.raises(RollbackRefused, match="the record does not say which release is deployed"):
        target.rollback("0001")
    target.deployed("2026.10")
    assert target.rollback("0001").done[0].startswith("the flag")
    with pytest.raises(RollbackRefused, match="nothing of it is in this database"):
        target.rollback("0001")


def test_who_may_not_go_back_yet_is_told_how_to_keep_a_backfill_from_going_on(team):
    whole(team, backfill="update job set source = 'form' || 1 / (id - 5) where id between $1 and $2;")
    team.review("0001_source")
    with pytest.raises(BackfillFailed, match="division by zero"):
        team.target("production").apply()
    with pytest.raises(RollbackRefused, match=r"`db backfill pause 0001_source` only keeps it from going on$"):
        team.target("production").rollback("0001")


def test_no_app_at_all(applied):
    assert applied.target("production").rollback("0001", app_runs="none").done[0] == "no app uses the database"


def test_it_can_be_applied_again_with_its_backfill(applied):
    target = applied.target("production")
    target.rollback("0001", app_runs="none")
    with pytest.raises(Closed, match=r"review: ada reviewed it before it was rolled back at .*; have it reviewed anew"):
        target.apply()
    applied.review("0001_source")
    assert target.apply().done == ("0001_source",)
    assert applied.query("select count(*) from job where source = 'form'") == [(10,)]
    target.rollback("0001", app_runs="none")
    assert [run.kind for run in target.history()] == ["apply", "rollback", "apply", "rollback"]


def test_what_a_later_one_needs_stays(team):
    team.adds("0001_source", "source")
    team.adds("0002_place", "place", {"depends_on": ["0001_source"]})
    team.adds("0003_more", "more", {"depends_on": ["0002_place"]})
    team.target().apply("0002")
    with pytest.raises(RollbackRefused, match="roll back first what depends on it: 0002_place"):
        team.target().rollback("0001")
    team.target().rollback("0002")
    assert team.target().rollback("0001").done[-1] == "`down` has run, and is verified"
    assert team.columns() == ["id", "status"]


def test_a_changed_file_is_no_way_back(team):
    team.adds("0001_source", "source")
    team.target().apply()
    team.adds("0001_source", "place")
    with pytest.raises(FileChanged):
        team.target().rollback("0001")


def test_where_there_is_no_way_back_the_harm_is_contained(team):
    whole(team, {"containment": "Nobody reads it; leave it."}, down=None)
    team.flags(job_source=True)
    stop = threading.Event()
    team.target().apply(
        stop=stop, watch=lambda news: stop.set() if isinstance(news, Progress) and news.batches else None
    )
    back = team.target().rollback("0001")
    assert (back.containment, back.done[0]) == ("Nobody reads it; leave it.", "the backfill is paused")
    assert "turned off" in back.done[1]
    assert team.columns() == ["id", "status", "source"]
    assert team.target().history()[-1].result == "contained"
    assert team.target().apply().stopped == "0001_source"


def test_a_running_backfill_is_paused_and_its_applier_ends(team):
    whole(
        team,
        {"backfill": {"table": "job", "key": ["id"], "batch_rows": 1, "share": 0.01, "batch_time": "50ms"}},
        backfill=FILL.replace("'form'", "'form' || pg_sleep(0.02)"),
    )
    team.flags(job_source=True)
    target = team.target()
    began, ended = threading.Event(), []
    applier = threading.Thread(
        target=lambda: ended.append(
            target.apply(watch=lambda news: began.set() if isinstance(news, Progress) and news.batches else None)
        )
    )
    applier.start()
    assert began.wait(60)
    back = team.target().rollback("0001")
    applier.join(60)
    assert (back.done[0], back.done[-1]) == ("the backfill is paused", "`down` has run, and is verified")
    assert ended[0].stopped == "0001_source"
    assert team.columns() == ["id", "status"]


def test_another_provider_has_to_say_that_the_flag_is_off(team):
    whole(team)
    team.flags(job_source=True)
    values = {"on": True, "off": False}
    team.target().apply()
    for variant, problem in (("on", "the flag 'job-source' is on; turn it off where it is kept"), ("off", None)):
        api.set_provider_and_wait(InMemoryProvider({"job-source": InMemoryFlag(variant, values)}), "teams")
        target = team.target(flags=api.get_client("teams"))
        if problem:
            with pytest.raises(RollbackRefused, match=problem):
                target.rollback("0001")
            assert team.columns() == ["id", "status", "source"]
        else:
            assert target.rollback("0001").done[0] == "the flag 'job-source' is off"
    assert "true" in (team.folder / "flags.toml").read_text()


def test_a_flag_that_nobody_knows_is_not_off(applied):
    (applied.folder / "flags.toml").unlink()
    with pytest.raises(RollbackRefused, match="whether its flag is off is not known: there is no file"):
        applied.target("production").rollback("0001", app_runs="none")
    assert applied.columns() == ["id", "status", "source"]


@pytest.mark.parametrize("text", ["job-source = \n", "other = true\n", 'job-source = "on"\n'])
def test_where_nobody_asks_for_gates_a_flag_that_is_not_known_is_not_recorded_as_off(team, text):
    whole(team)
    team.flags(job_source=True)
    team.target().apply()
    (team.folder / "flags.toml").write_text(text)
    found = team.target().rollback("0001")
    assert found.done[0].startswith("whether the flag 'job-source' is off is not known: ")
    assert team.query("select count(*) from jobarium_migrations.record where event = 'flag-off'") == [(0,)]


def test_a_contract_leaves_its_flag_on_as_what_comes_back_is_empty(team):
    team.file(
        "0001_status",
        {"category": "contract", "feature_flag": "job-source"},
        up="alter table job drop column status;",
        down="alter table job add column status text;",
        verify="-- returns: 10\nselect count(*) from job;",
    )
    team.flags(job_source=True)
    team.target().apply()
    assert "stays on, as what comes back is empty" in team.target().rollback("0001").done[0]
    assert "true" in (team.folder / "flags.toml").read_text()


def test_a_way_back_that_failed_is_gone_on_with_and_nothing_is_applied_meanwhile(team):
    team.adds(
        "0001_source", "source", down="create table a (id int);\ndrop table b;\nalter table job drop column source;"
    )
    team.target().apply()
    with pytest.raises(StepFailed, match=r"0001_source, line \d+: table \"b\" does not exist"):
        team.target().rollback("0001")
    assert team.target().status()[0].stage is Stage.ROLLING_BACK
    (planned,) = team.target().plan().migrations
    assert "its way back was begun; finish it: `db rollback 0001_source`" in planned.gates[0].text
    team.query("create table b (id int)")
    assert team.target().rollback("0001").done[-1] == "`down` has run, and is verified"
    assert (team.columns(), team.target().status()[0].stage) == (["id", "status"], Stage.PENDING)


def test_what_is_not_verified_after_down_is_not_rolled_back_yet(team):
    whole(team, {"feature_flag": None}, down="alter table job drop column source;\ndelete from job where id = 1;")
    team.target().apply()
    with pytest.raises(NotVerified, match="is not verified after down"):
        team.target().rollback("0001")
    assert team.target().status()[0].stage is Stage.ROLLING_BACK
    team.query("insert into job values (1, 'again')")
    team.target().rollback("0001")
    assert team.target().status()[0].stage is Stage.PENDING


def test_a_step_of_unknown_end_going_up_is_no_excuse_going_down(team):
    """What is accepted as done is what the same way has begun: an index that is to be dropped has to be there."""
    team.adds("0001_source", "source", down="drop index concurrently job_missing;")
    target = team.target()
    target.apply()
    with target._working(0, lambda _: None, None) as job:
        migration = target.migrations["0001"]
        job.record.write(job.connection, Event.STEP_BEGAN, migration, direction="up", round_=1, step=1)
    with pytest.raises(StepFailed, match='index "job_missing" does not exist'):
        target.rollback("0001")


def test_a_paused_backfill_can_be_resumed(team):
    whole(team)
    team.flags(job_source=True)
    target = team.target()
    with target._connect() as connection:
        backfilling.pause(connection, target.migrations["0001"])
    assert target.apply().stopped == "0001_source"
    with target._connect() as connection:
        backfilling.resume(connection, target.migrations["0001"])
    assert target.apply().done == ("0001_source",)
    assert team.query("select count(*) from job where source = 'form'") == [(10,)]


def test_what_ran_later_on_the_same_table_goes_first(team):
    team.adds("0001_source", "source")
    team.file(
        "0002_index",
        up="create index concurrently job_source on job (source);",
        down="drop index concurrently job_source;",
        verify="-- returns: 10\nselect count(*) from job;",
    )
    team.file(
        "0003_other",
        up="create table other (id int);",
        down="drop table other;",
        verify="-- returns: true\nselect true;",
    )
    target = team.target()
    target.apply()
    with pytest.raises(RollbackRefused, match="0002_index ran after it and is about job as well; roll that back first"):
        target.rollback("0001")
    team.adds("0004_place", "place", verify="-- returns: 10\nselect count(*) from job;")
    target = team.target()
    target.apply()
    several = "0004_place, 0002_index ran after it and are about job as well; roll those back first"
    with pytest.raises(RollbackRefused, match=several):
        target.rollback("0001")
    target.rollback("0004")
    target.rollback("0002")
    target.rollback("0001")
    assert team.columns() == ["id", "status"]
    assert [each.stage for each in target.status()] == [Stage.PENDING, Stage.PENDING, Stage.APPLIED, Stage.PENDING]


def test_half_of_a_migration_can_be_gone_back_once_down_allows_for_it(team):
    up = "create table a (id int);\ncreate table b as select * from missing;\ncreate table c (id int);"
    team.adds("0001_source", "source", up=up, down="drop table c;\ndrop table b;\ndrop table a;")
    with pytest.raises(StepFailed, match="change only what has not run, or go back by `db rollback`"):
        team.target().apply()
    with pytest.raises(StepFailed, match="`down` may meet what was never made: write `if exists` there"):
        team.target().rollback("0001")
    down = "drop table if exists c;\ndrop table if exists b;\ndrop table if exists a;"
    team.adds("0001_source", "source", up=up, down=down, verify="-- returns: 10\nselect count(*) from job;")
    assert team.target().rollback("0001").done[-1] == "`down` has run, and is verified"
    assert team.query("select to_regclass('a')") == [(None,)]
    assert team.target().status()[0].stage is Stage.PENDING


def test_a_backfill_alone_that_is_half_done_is_gone_back_by_beginning_anew(team):
    def fills(value):
        team.file(
            "0001_fill",
            {"category": "migrate", "backfill": {"table": "job", "key": ["id"], "batch_rows": 2, "share": 1.0}},
            up=None,
            down=None,
            backfill=f"update job set status = '{value}' where id between $1 and $2 and status <> '{value}';",
            verify=f"-- returns: 0\nselect count(*) from job where status <> '{value}';",
        )

    fills("form")
    stop = threading.Event()
    team.target().apply(stop=stop, watch=lambda _: stop.set())
    fills("other")
    with pytest.raises(FileChanged, match="bring back what has run"):
        team.target().apply()
    with pytest.raises(FileChanged):
        team.target().rollback("0001")
    (standing,) = team.target().status()
    assert (standing.stage, "its file was changed" in standing.problem) == (Stage.APPLYING, True)
    assert team.target().plan().problems
    fills("form")
    assert team.target().rollback("0001").done[-1] == "the backfill begins anew; what it wrote stays"
    fills("other")
    assert team.target().apply().done == ("0001_fill",)
    assert team.query("select distinct status from job") == [("other",)]

"""A file whose steps ran stays as it was; what has not run of it may change, and is reviewed anew."""

from __future__ import annotations

import threading

import pytest

from jobarium_events.migrations.applying.refusals import Closed, FileChanged
from jobarium_events.migrations.record.states import Stage
from jobarium_events.migrations.running.failures import StepFailed
from tests.migrations.team import filled


def test_a_changed_file_is_refused_naming_both_hashes(team):
    team.adds("0001_source", "source")
    target = team.target()
    before = target.migrations["0001"].hash
    target.apply()
    path = team.adds("0001_source", "place")
    team.adds("0002_other", "other")
    target = team.target()
    now = target.migrations["0001"].hash
    with pytest.raises(FileChanged, match=f"{before[:12]}, .*{now[:12]} .*bring back the file") as refused:
        target.apply()
    assert (refused.value.ran, refused.value.now) == (before, now)
    assert target.plan().problems == (str(refused.value),)
    assert (
        target.status()[0].problem == f"its file was changed after it ran: {before[:12]} ran, and it is {now[:12]} now"
    )
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


def test_what_ran_of_a_half_done_one_may_change_once_it_is_rolled_back(team):
    first, failing = "create table a (id int);\n", "create table b as select * from missing;"
    changed = "create table a (id bigint);\n"
    team.adds("0001_source", "source", up=first + failing, down="drop table if exists a;")
    with pytest.raises(StepFailed):
        team.target().apply()
    team.adds("0001_source", "source", up=changed + failing, down="drop table if exists a;")
    with pytest.raises(FileChanged, match=r"or all once `db rollback 0001_source` has undone those that ran$"):
        team.target().apply()
    team.adds("0001_source", "source", {"containment": "drop it by hand"}, up=changed + failing, down=None)
    with pytest.raises(FileChanged, match=r"only steps that have not run may change$"):
        team.target().apply()
    verify = "-- returns: 10\nselect count(*) from job;"
    team.adds("0001_source", "source", up=first + failing, down="drop table if exists a;", verify=verify)
    team.target().rollback("0001", app_runs="none")
    team.adds("0001_source", "source", up=changed, down="drop table if exists a;", verify=verify)
    assert team.target().apply().done == ("0001_source",)


def test_a_changed_half_is_reviewed_anew(team):
    up = "set lock_timeout = '2s';\nalter table missing add column source text;"
    team.adds("0001_source", "source", {"containment": "leave the column"}, up=up, down=None)
    team.review("0001_source")
    with pytest.raises(StepFailed):
        team.target("production").apply()
    team.adds("0001_source", "source")
    with pytest.raises(Closed, match="ada reviewed it before the file changed"):
        team.target("production").apply("0001")

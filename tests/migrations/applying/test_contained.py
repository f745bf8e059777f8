"""A backfill has no way back but to be contained; once it is, what it filled can go back."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.applying.refusals import RollbackRefused
from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.record.states import Stage


def filled(team, header=None, id_="0002_filled", needs="0001_source"):
    """Write one that only fills the column."""
    values = {
        "category": Category.MIGRATE,
        "depends_on": [needs],
        "containment": "Nobody reads it; leave what is filled.",
        "backfill": {"table": "job", "key": ["id"], "batch_rows": 4, "share": 1.0},
        **(header or {}),
    }
    team.file(
        id_,
        values,
        up=None,
        down=None,
        backfill="update job set source = 'form' where id between $1 and $2 and source is null;",
        verify="-- returns: 0\nselect count(*) from job where source is null;",
    )


@pytest.fixture
def expanded(team):
    """A team that has added a column and filled it."""
    team.adds("0001_source", "source", verify="-- returns: 10\nselect count(*) from job;")
    filled(team, {"feature_flag": "job-source"})
    team.flags(job_source=True)
    team.target().apply()
    return team


def stages(team):
    return [each.stage for each in team.target().status()]


def test_all_the_way_back_and_there_again(expanded):
    target = expanded.target()
    with pytest.raises(RollbackRefused, match=r"depends on it: 0002_filled; `db rollback` contains 0002_filled, which"):
        target.rollback("0001")
    back = target.rollback("0002")
    assert (back.containment, back.frees) == ("Nobody reads it; leave what is filled.", ("0001_source",))
    assert stages(expanded) == [Stage.APPLIED, Stage.APPLIED]
    assert expanded.target().status()[1].note == "contained: there is no way back, and what it did stays"
    assert target.rollback("0001").done == (
        "`down` has run, and is verified",
        "0002_filled, which is contained, has to be applied anew after it",
    )
    assert expanded.columns() == ["id", "status"]
    assert stages(expanded) == [Stage.PENDING, Stage.PENDING]
    assert [str(part) for run in target.history()[1:] for part in run.range] == [
        "0002_filled contained",
        "0001_source down steps 1-2",
        "0002_filled contained",
    ]
    # What was filled is gone with the column, so the backfill may not count as complete.
    assert target.apply().done == ("0001_source", "0002_filled")
    assert expanded.query("select count(*) from job where source = 'form'") == [(10,)]
    with pytest.raises(RollbackRefused, match="depends on it: 0002_filled"):
        target.rollback("0001")


def test_it_is_contained_only_while_its_flag_is_off(expanded):
    target = expanded.target()
    target.rollback("0002")
    expanded.flags(job_source=True)
    with pytest.raises(RollbackRefused, match="depends on it: 0002_filled"):
        expanded.target().rollback("0001")
    target.rollback("0002")
    assert expanded.target().rollback("0001").done[0] == "`down` has run, and is verified"


def test_what_depends_on_the_backfill_goes_first(expanded):
    expanded.adds("0003_more", "more", {"depends_on": ["0002_filled"]})
    target = expanded.target()
    target.apply()
    with pytest.raises(RollbackRefused, match="depends on it: 0003_more, 0002_filled"):
        target.rollback("0001")
    with pytest.raises(RollbackRefused, match="depends on it: 0003_more"):
        target.rollback("0002")
    target.rollback("0003")
    target.rollback("0002")
    target.rollback("0001")
    assert expanded.columns() == ["id", "status"]


def test_what_is_contained_and_did_more_than_fill_stays_in_the_way(team):
    team.adds("0001_source", "source", verify="-- returns: 10\nselect count(*) from job;")
    team.adds("0002_place", "place", {"depends_on": ["0001_source"], "containment": "Leave the column."}, down=None)
    target = team.target()
    target.apply()
    assert target.rollback("0002").frees == ()
    with pytest.raises(RollbackRefused, match="0002_place has no way back, so undo it by a new migration"):
        target.rollback("0001")
    assert team.columns() == ["id", "status", "source", "place"]


def test_one_that_names_no_dependence_is_passed_over_as_well(team):
    """It is about the same table, and ran later."""
    team.adds("0001_source", "source", verify="-- returns: 10\nselect count(*) from job;")
    filled(team, {"depends_on": []})
    target = team.target()
    target.apply()
    with pytest.raises(RollbackRefused, match=r"0002_filled ran after it .*; `db rollback` contains 0002_filled"):
        target.rollback("0001")
    target.rollback("0002")
    target.rollback("0001")
    assert stages(team) == [Stage.PENDING, Stage.PENDING]

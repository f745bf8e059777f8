"""A run that is to stop, and a backfill that is paused: both end between two steps, and are gone on with."""

from __future__ import annotations

import threading

import pytest

from jobarium_events.migrations.applying.refusals import Held
from jobarium_events.migrations.backfills.checkpoints import Progress
from jobarium_events.migrations.backfills.refusals import BackfillRefused
from jobarium_events.migrations.record.states import Stage
from tests.migrations.patience import PATIENCE
from tests.migrations.team import filled, stages


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

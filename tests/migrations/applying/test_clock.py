"""Times and windows are by the server's clock, whatever that of the client says."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from jobarium_events.migrations import ApprovalRefused, Role
from jobarium_events.migrations.applying.refusals import Closed
from tests.migrations.patience import PATIENCE
from tests.migrations.team import around, counting


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
    with pytest.raises(ApprovalRefused, match="by the server's clock; give one that ends later"):
        target.approve("0001", role=Role.CEO, by="grace", window=around(now, -3, -2))
    target.approve("0001", role=Role.CEO, by="grace", window=around(now, 2, 3))
    with pytest.raises(Closed, match="by the server's clock; wait for the window"):
        target.apply("0001")
    target.approve("0001", role=Role.CEO, by="grace", window=around(now))
    assert target.apply("0001").done == ("0001_source",)


SKEWED = """
import datetime, importlib, pkgutil, sys, time
import msgspec
import jobarium_events
days = int(sys.argv.pop(1))
off, true = datetime.timedelta(days=days), time.time

class Moment(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) + off
    utcnow = today = now

class Day(datetime.date):
    @classmethod
    def today(cls):
        return datetime.date.today() + off

from jobarium_events.cli.app import app
for name in ("evolution", "migrations", "cli.db"):
    package = importlib.import_module(f"jobarium_events.{name}")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)
from jobarium_events.migrations import Progress, Rehearsal
for struct in (Progress, Rehearsal):
    msgspec.json.Decoder(struct)  # reads the types of its fields, which are the true ones
put = 0
for module in [each for name, each in sys.modules.items() if name.startswith("jobarium_events.")]:
    for name, skewed in {"datetime": Moment, "date": Day}.items():
        if isinstance(getattr(module, name, None), type):
            setattr(module, name, skewed)
            put += 1
assert put > 10
time.time = lambda: true() + off.total_seconds()
app()
"""
TIMES = """select count(*), count(*) filter (where at between now() - interval '10 min' and now()) from (
    select at from jobarium_migrations.record
    union all select unnest(array[started_at, last_batch_at, finished_at]) from jobarium_migrations.backfill
) as times"""


@pytest.mark.parametrize("days", [-3650, 3650])
def test_a_clock_that_is_wrong_by_years_changes_nothing(team, days):
    """Of the process that applies, whatever module of it would read it: windows and times are the server's."""
    counting(team)
    path = team.folder / "0001_fill.sql"
    path.write_text(path.read_text().replace('risk = "low"', 'risk = "high"\n-- containment = "Nobody reads it yet."'))
    team.review("0001_fill")
    (now,) = team.query("select clock_timestamp()")[0]
    command = [
        *(sys.executable, "-c", SKEWED, str(days), "db", "apply", "0001", "--environment", "production"),
        *("--database", team.database, "--migrations", str(team.folder), "--operator", "olga"),
    ]

    def apply():
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)

    team.approved("0001_fill", around(now + timedelta(days=days)))
    refused = apply()
    assert (refused.returncode, "by the server's clock; wait for the window" in refused.stderr) == (1, True), refused
    team.target("production").approve("0001_fill", role=Role.CEO, by="grace", window=around(now))
    done = apply()
    assert (done.returncode, done.stdout.endswith("0001_fill  applied\n")) == (0, True), done
    assert team.query("select count(*), count(distinct id) from met") == [(10, 10)]
    every, right = team.query(TIMES)[0]
    assert every == right > 8

"""A review and an approval: who may sign, of which text of the file, where and when."""

from __future__ import annotations

import re

import msgspec
import pytest

from jobarium_events.migrations import Role
from jobarium_events.migrations.applying.approving import ApprovalRefused, Window
from jobarium_events.migrations.record.record import Event
from tests.migrations.team import around, gates


def test_a_review_is_of_one_text_of_the_file(team):
    team.adds("0001_source", "source")
    assert (
        gates(team, "0001")["review"].text
        == "not reviewed in the role cto: `db approve 0001_source --role cto --by NAME`"
    )
    team.target("production").approve("0001", role=Role.CTO, by="ada")
    assert gates(team, "0001")["review"].text.startswith("reviewed by ada at ")
    team.adds("0001_source", "source2")
    changed = gates(team, "0001")["review"]
    assert (changed.passed, "ada reviewed it before the file changed" in changed.text) == (False, True)


def test_an_approval_is_for_high_risk_for_its_window_and_for_one_text(team):
    team.adds("0001_source", "source")
    assert "approval" not in gates(team, "0001")
    team.adds("0001_source", "source", {"risk": "high"})
    assert gates(team, "0001")["approval"].text.startswith(
        "of high risk, and not approved in the role ceo: `db approve"
    )
    (now,) = team.query("select clock_timestamp()")[0]
    approve = team.target("production").approve
    approve("0001", role=Role.CEO, by="grace", window=around(now, 1, 2))
    early = gates(team, "0001")["approval"]
    assert (early.passed, "wait for the window, or have another approved" in early.text) == (False, True)
    approve("0001", role=Role.CEO, by="grace", window=around(now))
    assert gates(team, "0001")["approval"].passed
    team.adds("0001_source", "source2", {"risk": "high"})
    changed = gates(team, "0001")["approval"]
    assert (changed.passed, "grace approved it before the file changed" in changed.text) == (False, True)


def test_who_has_approved_still_has_the_role(team):
    team.adds("0001_source", "source", {"risk": "high"})
    (now,) = team.query("select clock_timestamp()")[0]
    target = team.target("production")
    target.approve("0001", role=Role.CTO, by="ada")
    target.approve("0001", role=Role.CEO, by="grace", window=around(now))
    assert all(gates(team, "0001")[name].passed for name in ("review", "approval"))
    settings = team.folder / "migrations.toml"
    settings.write_text(settings.read_text().replace('["ada", "both"]', '["joan"]').replace('["grace", "both"]', "[]"))
    found = gates(team, "0001")
    review, approval = found["review"], found["approval"]
    assert (review.passed, approval.passed) == (False, False)
    assert review.text.startswith(
        "ada reviewed it, and is not listed as cto in the [roles] of migrations.toml any more; have it"
    )
    assert approval.text.startswith("grace approved it, and is not listed as ceo in")
    items = team.target("production").checklist("0001")
    assert {item.name.split()[0] for item in items if not item.done} >= {"Migration", "Approved"}


def test_an_approval_is_for_one_environment(team):
    team.adds("0001_source", "source", {"risk": "high"})
    target = team.target("production")
    migration = target.migrations["0001"]
    with target._working(0, lambda _: None, None) as job:
        job.record.install(job.connection)
        other = msgspec.structs.replace(job.record, environment="staging")
        window = str(around(team.query("select clock_timestamp()")[0][0]))
        other.write(job.connection, Event.APPROVED, migration, role=Role.CTO, by="ada")
        other.write(job.connection, Event.APPROVED, migration, role=Role.CEO, by="grace", window=window)
    found = gates(team, "0001")
    assert (found["review"].passed, found["approval"].passed) == (False, False)
    assert "ada reviewed it for the environment 'staging', and this is 'production'" in found["review"].text
    assert "grace approved it for the environment 'staging'" in found["approval"].text


def test_a_window_is_for_beginning_and_a_backfill_may_go_on_after_it(team):
    team.file(
        "0001_source",
        {"risk": "high", "category": "expand", "backfill": {"table": "job", "key": ["id"]}},
        up="set lock_timeout = '2s';\nalter table job add column source text;",
        down="alter table job drop column source;",
        backfill="update job set source = 'form' where id between $1 and $2 and source is null;",
        verify="-- returns: 0\nselect count(*) from job where source is null;",
    )
    team.review("0001_source")
    (now,) = team.query("select clock_timestamp()")[0]
    target = team.target("production")
    team.approved("0001", around(now, -2, -1))
    assert not gates(team, "0001")["approval"].passed
    migration = target.migrations["0001"]
    with target._working(0, lambda _: None, None) as job:
        for step in (1, 2):
            job.record.write(job.connection, Event.STEP_DONE, migration, direction="up", round_=1, step=step)
    assert "and begun then" in gates(team, "0001")["approval"].text


def fills(team, header=None, **sections):
    """Write one that fills the column that is there."""
    own = {"category": "migrate", "backfill": {"table": "job", "key": ["id"], "batch_rows": 2, "share": 1.0}}
    fill = "update job set status = 'form' where id between $1 and $2 and status <> 'form';"
    verify = "-- returns: 0\nselect count(*) from job where status <> 'form';"
    return team.file(
        "0001_fill",
        {**own, **(header or {})},
        **{"up": None, "down": None, "backfill": fill, "verify": verify, **sections},
    )


@pytest.mark.parametrize("is_backfill", [False, True])
def test_containment_of_high_risk_is_approved(team, is_backfill):
    own = {"risk": "high", "containment": "turn the flag off, and leave the column"}
    id_ = "0001_fill" if is_backfill else "0001_source"
    if is_backfill:
        fills(team, own)
    else:
        team.adds(id_, "source", own, down=None)
    team.rehearse(id_)
    found = gates(team, "0001")["rollback"]
    assert (found.passed, "have its containment approved: `db approve" in found.text) == (False, True)
    (now,) = team.query("select clock_timestamp()")[0]
    team.target("production").approve("0001", role=Role.CEO, by="grace", window=around(now, 1, 2))
    found = gates(team, "0001")["rollback"]
    assert (found.passed, found.text) == (True, "no way back, and its containment is approved by grace")


def test_a_backfill_alone_may_go_on_after_its_window(team):
    fills(team, {"risk": "high", "containment": "pause the backfill; what it filled does no harm"})
    team.review("0001_fill")
    (now,) = team.query("select clock_timestamp()")[0]
    target = team.target("production")
    team.approved("0001", around(now, -2, -1))
    assert not gates(team, "0001")["approval"].passed
    with target._working(0, lambda _: None, None) as job:
        migration = target.migrations["0001"]
        place = {"direction": "up", "round_": 1}
        job.record.write(job.connection, Event.BEGAN, migration, **place)
        job.record.write(job.connection, Event.BACKFILL_BEGAN, migration, **place, text="")
    assert "and begun then" in gates(team, "0001")["approval"].text
    assert target.apply().done == ("0001_fill",)


def test_a_window_is_recorded_to_the_second_and_one_that_cannot_be_read_is_told(team):
    team.adds("0001_source", "source", {"risk": "high"})
    target = team.target("production")
    for text in ("2099-11-23T06:00:10Z/2099-11-23T06:00:50Z", "2099-11-23T06:00:10.5Z/2099-11-23T06:00:10.75Z"):
        window = Window.read(text)
        assert target.approve("0001", role=Role.CEO, by="grace", window=window).window == window
        assert gates(team, "0001")["approval"].passed is False
    with target._working(0, lambda _: None, None) as job:
        said = {"role": "ceo", "by": "grace", "window": "some day"}
        job.record.write(job.connection, Event.APPROVED, target.migrations["0001"], **said)
    team.adds("0001_source", "source", {"risk": "high", "owner": "other"})
    with target._working(0, lambda _: None, None) as job:
        job.record.write(job.connection, Event.APPROVED, team.target("production").migrations["0001"], **said)
    assert "for a window that cannot be read" in gates(team, "0001")["approval"].text


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


def test_a_window_that_is_over_is_refused(team):
    team.adds("0001_source", "source", {"risk": "high"})
    target = team.target("production")
    (now,) = team.query("select date_trunc('hour', clock_timestamp())")[0]
    over = around(now, -2, -1)
    problem = (
        rf"its window {re.escape(str(over))} is over, as it is {now:%Y-%m-%dT%H}.* by the server's clock; give one"
    )
    with pytest.raises(ApprovalRefused, match=problem):
        target.approve("0001", role=Role.CEO, by="grace", window=over)
    assert not team.query("select to_regclass('jobarium_migrations.record')")[0][0]
    target.approve("0001", role=Role.CEO, by="grace", window=around(now, -2, 2))
    assert gates(team, "0001")["approval"].passed

"""Each gate: closed with its way out, and open once that was gone."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations import Role
from jobarium_events.migrations.applying import linting
from jobarium_events.migrations.applying.approving import Window
from jobarium_events.migrations.applying.gates import gates as gates_of
from jobarium_events.migrations.applying.outofuse import out_of_use
from jobarium_events.migrations.applying.refusals import Closed
from jobarium_events.migrations.record.record import Entry, Event, RecordUnreadable
from tests.migrations.team import around
from tests.strategies import many

RELEASES = ("2026.09", "2026.10", "2026.11", "2026.12", "2027.01")


def gates(team, id_, environment="production"):
    """The gates of a migration by name; of several by one name the first that is closed."""
    found = {}
    for planned in team.target(environment).plan().migrations:
        if planned.id.startswith(id_):
            for gate in planned.gates:
                if gate.name not in found or found[gate.name].passed:
                    found[gate.name] = gate
    return found


def removes(team, header=None):
    """Write one that removes a column."""
    values = {"category": "contract", "containment": "bring it back from the backup", **(header or {})}
    up = "set lock_timeout = '2s';\nalter table job drop column status;"
    return team.file("0001_status", values, up=up, down=None, verify="-- returns: 10\nselect count(*) from job;")


def test_a_developer_is_asked_for_nothing_but_the_order(team):
    team.adds("0001_source", "source")
    team.adds("0002_place", "place", {"depends_on": ["0001_source"]})
    assert set(gates(team, "0002", "development")) == {"order"}


def test_lint(team):
    team.adds("0001_source", "source", up="create index job_status on job (status);")
    assert "db lint" in gates(team, "0001")["lint"].text
    assert not gates(team, "0001")["lint"].passed
    team.adds("0001_source", "source")
    assert gates(team, "0001")["lint"].passed


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
    target.approve("0001", role=Role.CEO, by="grace", window=around(now, -2, -1))
    assert not gates(team, "0001")["approval"].passed
    migration = target.migrations["0001"]
    with target._working(0, lambda _: None, None) as job:
        for step in (1, 2):
            job.record.write(job.connection, Event.STEP_DONE, migration, direction="up", round_=1, step=step)
    assert "and begun then" in gates(team, "0001")["approval"].text


def test_rollback_and_alerts(team):
    team.adds("0001_source", "source", {"alerts": []})
    found = gates(team, "0001")
    assert "decision" not in found
    assert (found["rollback"].passed, found["rollback"].text) == (True, "a rollback plan, and a section down")
    assert (found["alerts"].passed, "write them as `alerts`" in found["alerts"].text) == (False, True)
    team.adds("0001_source", "source", {"containment": "it is never read"}, down=None)
    found = gates(team, "0001")
    assert (found["rollback"].text, found["alerts"].text) == ("a rollback plan, and its containment", "1 given")


def test_a_rehearsal_is_green_and_of_one_text_of_the_file(team):
    team.adds("0001_source", "source")
    assert gates(team, "0001")["rehearsal"].text == "not rehearsed: `db rehearse 0001_source`"
    team.rehearse("0001_source", "a lock was held for 4 s")
    assert "is not green: a lock was held for 4 s; mend it" in gates(team, "0001")["rehearsal"].text
    team.rehearse("0001_source")
    assert gates(team, "0001")["rehearsal"].text == "green on Postgres 15.20 at 2026-10-05T09:30+00:00"
    path = team.folder / "rehearsals" / "0001_source.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "problems": [], "seconds": 0.1}))
    assert "is not as a rehearsal wrote it" in gates(team, "0001")["rehearsal"].text
    team.rehearse("0001_source")
    team.adds("0001_source", "source2")
    assert "rehearsed before the file changed" in gates(team, "0001")["rehearsal"].text


def test_a_rehearsal_is_of_the_files_before_it_as_well(team):
    first = team.adds("0001_source", "source")
    team.adds("0002_place", "place")
    team.rehearse("0002_place")
    assert gates(team, "0002")["rehearsal"].passed
    team.adds("0001_source", "source2")
    changed = gates(team, "0002")["rehearsal"]
    assert (changed.passed, changed.text) == (
        False,
        "rehearsed on another schema, as 0001_source was changed since; rehearse it anew: `db rehearse 0002_place`",
    )
    first.unlink()
    assert "0001_source was there then, and is gone" in gates(team, "0002")["rehearsal"].text
    team.rehearse("0002_place")
    assert gates(team, "0002")["rehearsal"].passed
    team.adds("0001_source", "source")
    assert "0001_source was not there yet" in gates(team, "0002")["rehearsal"].text


def test_what_breaks_needs_an_accepted_decision(team):
    removes(team)
    assert "it removes job.status, and its header names no decision" in gates(team, "0001")["decision"].text
    removes(team, {"decision": "DEC-0001"})
    assert "the decision log has no DEC-0001" in gates(team, "0001")["decision"].text
    team.decide("proposed")
    found = gates(team, "0001")["decision"]
    assert (found.passed, found.text.startswith("DEC-0001 is proposed; it is needed as accepted")) == (False, True)
    team.decide()
    found = gates(team, "0001")["decision"]
    assert (found.passed, found.text) == (True, "DEC-0001 is accepted")


def alone(team, id_):
    """The gates of a migration as if none came before it in the same run."""
    target = team.target()
    with target._looking() as connection:
        return gates_of(target._situation(connection), target.migrations[id_])


def test_what_it_depends_on_comes_before(team):
    team.adds("0001_source", "source")
    team.adds("0002_place", "place", {"depends_on": ["0001_source"]})
    assert gates(team, "0002", "development")["order"].text == "this plan applies 0001_source before it"
    (gate,) = alone(team, "0002")
    assert (gate.passed, gate.text) == (False, "it depends on 0001_source, not applied here; apply that first")
    team.target().apply("0001")
    (gate,) = alone(team, "0002")
    assert gate.passed


def test_a_backfill_is_complete_before(team):
    team.adds("0001_source", "source")
    team.file(
        "0002_fill",
        {"category": "migrate", "backfill": {"table": "job", "key": ["id"]}},
        up=None,
        down=None,
        backfill="update job set source = 'form' where id between $1 and $2 and source is null;",
        verify="-- returns: 10\nselect count(*) from job;",
    )
    team.adds("0003_last", "last", {"completes": ["0002_fill"]})
    ahead = gates(team, "0003", "development")["backfills"]
    assert (ahead.passed, ahead.text) == (True, "complete once this plan has run its own backfill of 0002_fill")
    team.target().apply("0001")
    (gate,) = alone(team, "0003")
    assert (gate.passed, gate.text) == (False, "the backfill of 0002_fill is not complete; apply it")
    team.target().apply("0002")
    (gate,) = alone(team, "0003")
    assert (gate.passed, gate.text) == (True, "complete: 0002_fill")


def test_what_is_removed_is_out_of_use_for_two_releases_as_deployed_here(team):
    removes(team)
    assert "job.status is removed, and the header's `out_of_use` does not say" in gates(team, "0001")["out of use"].text
    removes(team, {"out_of_use": {"job.status": "2026.10"}})
    for release, problem in (
        (None, "neither that nor a later release is deployed here"),
        ("2026.10", "2 releases have to be deployed after it, and there is none"),
        ("2026.11", "2 releases have to be deployed after it, and there is 2026.11"),
        ("2026.12", None),
    ):
        if release:
            team.target("production").deployed(release)
        found = gates(team, "0001")["out of use"]
        assert (found.passed, problem is None or problem in found.text) == (problem is None, True)


@many
@given(st.lists(st.sampled_from(RELEASES), max_size=12), st.sampled_from(RELEASES))
def test_out_of_use_is_counted_since_the_last_rollback_of_the_app(deployed, since):
    entries = [
        Entry(number=number, at=None, event=Event.DEPLOYED, operator="o", environment="e", detail={"release": release})
        for number, release in enumerate(deployed, 1)
    ]
    older = [number for number, release in enumerate(deployed) if release < since]
    after = deployed[older[-1] + 1 :] if older else deployed
    assert (out_of_use(entries, RELEASES, since) is None) == (len(set(after)) >= 3)


@pytest.mark.parametrize(
    ("flags", "passed", "text"),
    [
        (None, False, "there is no file"),
        ({"other": True}, False, "has no flag 'job-status'; write `job-status = false` into it"),
        ({"job_status": False}, False, "the flag 'job-status' is off"),
        ({"job_status": True}, True, "the flag 'job-status' is on"),
    ],
)
def test_the_new_path_is_on_before_the_old_one_goes(team, flags, passed, text):
    removes(team, {"feature_flag": "job-status"})
    if flags is not None:
        team.flags(**flags)
    found = gates(team, "0001")["flag"]
    assert (found.passed, text in found.text) == (passed, True)


def test_a_removal_without_a_flag_is_refused(team):
    removes(team)
    assert "its header names no `feature_flag`" in gates(team, "0001")["flag"].text


def test_nothing_runs_while_a_gate_is_closed(team):
    removes(team)
    with pytest.raises(Closed) as closed:
        team.target("production").apply("0001")
    names = [gate.name for gate in closed.value.gates]
    assert set(names) >= {"rehearsal", "review", "decision", "out of use", "flag"}
    assert team.columns() == ["id", "status"]
    assert team.target("production").history() == ()


@pytest.mark.parametrize("category", ["expand", "migrate", "contract"])
@pytest.mark.parametrize(
    ("up", "closed"),
    [
        ("alter table public.job drop column status;", {"decision", "out of use", "flag"}),
        ("drop view reader;", {"decision", "out of use", "flag"}),
        ("drop materialized view kept;", {"decision", "out of use", "flag"}),
        ("alter table parted detach partition part;", {"decision", "out of use", "flag"}),
        ("drop schema old cascade;", {"decision", "removal"}),
        ("drop type state cascade;", {"decision", "removal"}),
        ("drop owned by current_user;", {"decision", "removal"}),
    ],
)
def test_what_is_removed_passes_its_gates_whatever_the_file_calls_itself(team, category, up, closed):
    own = {"category": category, "containment": "the backup"}
    team.file("0001_gone", own, up=up, down=None)
    found = {name for name, gate in gates(team, "0001").items() if not gate.passed}
    assert found & {"decision", "removal", "out of use", "flag"} == closed


def test_what_is_out_of_use_as_a_table_is_so_with_its_columns(team):
    removes(team, {"out_of_use": {"public.job": "2026.10"}})
    for release in ("2026.10", "2026.11", "2026.12"):
        team.target("production").deployed(release)
    assert gates(team, "0001")["out of use"].passed


def fills(team, header=None, **sections):
    own = {"category": "migrate", "backfill": {"table": "job", "key": ["id"], "batch_rows": 2, "share": 1.0}}
    fill = "update job set status = 'form' where id between $1 and $2 and status <> 'form';"
    verify = "-- returns: 0\nselect count(*) from job where status <> 'form';"
    return team.file(
        "0001_fill",
        {**own, **(header or {})},
        **{"up": None, "down": None, "backfill": fill, "verify": verify, **sections},
    )


def test_a_backfill_alone_may_go_on_after_its_window(team):
    fills(team, {"risk": "high"})
    team.review("0001_fill")
    (now,) = team.query("select clock_timestamp()")[0]
    target = team.target("production")
    target.approve("0001", role=Role.CEO, by="grace", window=around(now, -2, -1))
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
    for text in ("2026-11-23T06:00:10Z/2026-11-23T06:00:50Z", "2026-11-23T06:00:10.5Z/2026-11-23T06:00:10.75Z"):
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


def test_an_entry_of_the_record_that_means_nothing_is_told(team):
    team.adds("0001_source", "source")
    target = team.target("production")
    target.deployed("2026.10")
    team.query(
        "insert into jobarium_migrations.record (event, operator, environment) values ('later', 'o', 'production')"
    )
    with pytest.raises(RecordUnreadable, match=r"entry \d+ of jobarium_migrations.record cannot be read: its event is"):
        target.status()
    with pytest.raises(RecordUnreadable, match="use the release of jobarium-events that wrote it"):
        target.apply()


@pytest.mark.parametrize(("rows", "passed"), [(100, True), (101, False)])
def test_a_rehearsal_has_about_as_many_rows_as_there_are(team, rows, passed):
    team.adds("0001_source", "source")
    team.rehearse("0001_source")  # with ten
    team.query("insert into job select n, 'Secret' from generate_series(11, %s) as n", rows)
    team.query("analyze job")
    found = gates(team, "0001")["rehearsal"]
    assert found.passed is passed
    if not passed:
        assert "rehearsed with 10 rows of job, and there are about 101 here; rehearse it with as many" in found.text


def test_rows_are_counted_where_the_search_path_leads(team):
    team.adds("0001_source", "source")
    team.rehearse("0001_source")  # with ten rows of job
    (name,) = team.query("select current_database()")[0]
    team.query("create schema app")
    team.query("alter table job set schema app")
    team.query("insert into app.job select n, 'Secret' from generate_series(11, 50000) as n")
    team.query("analyze app.job")
    assert gates(team, "0001")["rehearsal"].passed, "no name leads there"
    team.query(f'alter database "{name}" set search_path = app')
    found = gates(team, "0001")["rehearsal"]
    assert "rehearsed with 10 rows of app.job, and there are about 50,000 here" in found.text
    team.rehearse("0001_source", rows={"app.job": 5_000})
    assert gates(team, "0001")["rehearsal"].passed


def test_a_rehearsal_on_another_version_says_so(team):
    team.adds("0001_source", "source")
    team.rehearse("0001_source")
    target = team.target("production")
    with target._looking() as connection:
        situation = msgspec.structs.replace(target._situation(connection), server=16)
    text = next(gate for gate in gates_of(situation, target.migrations["0001"]) if gate.name == "rehearsal").text
    assert text.endswith(", and this is Postgres 16: locks and runtimes may differ")


def test_gates_that_were_asked_for_once_are_not_dropped_without_a_word(team):
    team.adds("0001_source", "source")
    team.review("0001_source")
    team.target("production").apply()
    path = team.folder / "migrations.toml"
    path.write_text(path.read_text().replace("[environments.production]", "[environments.production]\ngates = false"))
    team.adds("0002_place", "place")
    with pytest.raises(Closed, match=r"says `gates = false` now; put that back, or say why: --without-gates REASON"):
        team.target("production").apply("0002")
    assert team.target("production").apply("0002", without_gates="the disk is full").done == ("0002_place",)
    first, second = team.target("production").history()
    assert (first.gates, first.reason, second.gates, second.reason) == (True, None, False, "the disk is full")
    assert first.range[0].gates["review"].startswith("reviewed by ada")
    assert set(second.range[0].gates) == set()


def test_the_files_are_linted_once_a_run(team, monkeypatch):
    for number in range(1, 6):
        team.adds(f"000{number}_c{number}", f"c{number}")
        team.review(f"000{number}_c{number}")
    calls = []
    for name in ("lint_migration", "lint_migrations"):
        real = getattr(linting, name)
        monkeypatch.setattr(linting, name, lambda *of, name=name, real=real: (calls.append(name), real(*of))[1])
    assert len(team.target("production").apply().done) == 5
    assert calls == ["lint_migration", "lint_migrations"]

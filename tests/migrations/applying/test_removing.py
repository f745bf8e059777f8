"""What is removed is out of use for two releases before it, and the new path is on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.applying.outofuse import out_of_use
from jobarium_events.migrations.record.record import Entry, Event
from tests.migrations.team import gates, removes
from tests.strategies import many

RELEASES = ("2026.09", "2026.10", "2026.11", "2026.12", "2027.01")


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


def test_the_releases_after_it_are_named_in_whichever_order_they_were_deployed():
    entries = [
        Entry(number=number, at=None, event=Event.DEPLOYED, operator="o", environment="e", detail={"release": release})
        for number, release in enumerate(("2026.12", "2026.11"), 1)
    ]
    assert "have to be deployed after it, and there is 2026.12;" in out_of_use(entries, RELEASES, "2026.11")


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

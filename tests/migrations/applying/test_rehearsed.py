"""A rehearsal counts while it is green: of these files, with as many rows, and back again where the risk is high."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from jobarium_events.migrations.applying.gates import gates as gates_of
from tests.migrations.team import gates


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


def test_the_way_back_of_high_risk_is_rehearsed(team):
    team.adds("0001_source", "source", {"risk": "high"})
    closed = "of high risk, and its way back was not rehearsed to its end: `db rehearse 0001_source`"
    assert gates(team, "0001")["rollback"].text == closed
    team.rehearse("0001_source", is_back=False)
    assert (gates(team, "0001")["rollback"].passed, gates(team, "0001")["rehearsal"].passed) == (False, True)
    team.rehearse("0001_source", "down does not put back the data")
    assert not gates(team, "0001")["rollback"].passed
    team.rehearse("0001_source")
    found = gates(team, "0001")["rollback"]
    assert (found.passed, found.text) == (True, "a rollback plan, and a section down that was rehearsed")
    team.adds("0001_source", "source2", {"risk": "high"})
    assert not gates(team, "0001")["rollback"].passed, "that was another file"


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


def test_rows_that_no_statistics_know_of_are_told_by_the_size(team):
    team.adds("0001_source", "source")
    team.rehearse("0001_source")  # with ten
    team.query("alter table job set (autovacuum_enabled = false)")
    team.query("insert into job select n, 'Secret' from generate_series(11, 50000) as n")
    found = gates(team, "0001")["rehearsal"]
    said = re.search(r"rehearsed with 10 rows of job, and there are about ([\d,]+) here", found.text)
    assert said is not None, found.text
    assert 20_000 < int(said[1].replace(",", "")) < 100_000
    team.rehearse("0001_source", rows={"job": 10_000})
    assert gates(team, "0001")["rehearsal"].passed


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

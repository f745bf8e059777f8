"""Each gate: closed with its way out, and open once that was gone; nothing runs while one is closed."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.applying import linting
from jobarium_events.migrations.applying.gates import gates as gates_of
from jobarium_events.migrations.applying.refusals import Closed
from jobarium_events.migrations.record.record import RecordUnreadable
from tests.migrations.team import gates, removes


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


def test_rollback_and_alerts(team):
    team.adds("0001_source", "source", {"alerts": []})
    found = gates(team, "0001")
    assert "decision" not in found
    assert (found["rollback"].passed, found["rollback"].text) == (True, "a rollback plan, and a section down")
    assert (found["alerts"].passed, "write them as `alerts`" in found["alerts"].text) == (False, True)
    team.adds("0001_source", "source", {"containment": "it is never read"}, down=None)
    found = gates(team, "0001")
    assert (found["rollback"].text, found["alerts"].text) == ("a rollback plan, and its containment", "1 given")


@pytest.mark.parametrize("risk", ["low", "high"])
def test_containment_is_more_than_a_word(team, risk):
    for plan in ("nothing", "no harm"):
        team.adds("0001_source", "source", {"risk": risk, "containment": plan}, down=None)
        team.rehearse("0001_source")
        found = gates(team, "0001")["rollback"]
        assert (found.passed, f"{plan!r} does not say what limits the harm" in found.text) == (False, True)


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


def test_nothing_runs_while_a_gate_is_closed(team):
    removes(team)
    with pytest.raises(Closed) as closed:
        team.target("production").apply("0001")
    names = [gate.name for gate in closed.value.gates]
    assert set(names) >= {"rehearsal", "review", "decision", "out of use", "flag"}
    assert team.columns() == ["id", "status"]
    assert team.target("production").history() == ()


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

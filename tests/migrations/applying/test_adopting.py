"""A database that was restored from another environment's: it gets its own name, and the old one grants nothing."""

from __future__ import annotations

import pytest

from jobarium_events.migrations import Role
from jobarium_events.migrations.applying.refusals import Closed, Held
from jobarium_events.migrations.applying.sessions import applying
from jobarium_events.migrations.record.record import NotAdopted, OtherEnvironment
from jobarium_events.migrations.record.states import Stage

WHY = "restored from last night"


@pytest.fixture
def restored(team):
    """A team whose staging is production as it was."""
    settings = team.folder / "migrations.toml"
    settings.write_text(settings.read_text() + "\n[environments.staging]\n")
    team.adds("0001_source", "source")
    team.adds("0002_place", "place")
    team.review("0001_source")
    team.target("production").apply("0001")
    team.review("0002_place")
    team.target("production").deployed("2026.11")
    return team


def closed(team, environment):
    (planned,) = team.target(environment).plan("0002").migrations
    return {gate.name: gate.text for gate in planned.gates if not gate.passed}


def test_where_migrations_stand_stays_and_what_was_granted_does_not(restored):
    staging = restored.target("staging")
    with pytest.raises(OtherEnvironment, match="`db adopt --environment staging --from production --because TEXT`"):
        staging.status()
    staging.adopt("production", because=WHY)
    assert [each.stage for each in staging.status()] == [Stage.APPLIED, Stage.PENDING]
    assert "for the environment 'production', and this is 'staging'" in closed(restored, "staging")["review"]
    with pytest.raises(Closed):
        staging.apply("0002")
    staging.approve("0002", role=Role.CTO, by="ada")
    assert staging.apply("0002").done == ("0002_place",)
    with pytest.raises(OtherEnvironment, match="is the environment 'staging', not 'production'"):
        restored.target("production").status()
    adopted = staging.history()[1]
    assert (adopted.kind, adopted.was, adopted.environment, adopted.reason) == (
        "environment",
        "production",
        "staging",
        WHY,
    )


def test_to_adopt_it_back_revives_nothing(restored):
    restored.target("staging").adopt("production", because=WHY)
    production = restored.target("production")
    production.adopt("staging", because="it was production after all")
    assert (
        "ada reviewed it before the database was made the environment 'staging' at"
        in (closed(restored, "production")["review"])
    )
    assert production.deployed("2026.10").back_from is None
    production.approve("0002", role=Role.CTO, by="ada")
    assert production.apply("0002").done == ("0002_place",)


def test_a_deployment_elsewhere_puts_nothing_out_of_use(restored):
    restored.decide()
    restored.flags(job_source=True)
    for release in ("2026.12", "2027.01"):
        restored.target("production").deployed(release)
    restored.file(
        "0003_status",
        {
            "category": "contract",
            "feature_flag": "job-source",
            "decision": "DEC-0001",
            "out_of_use": {"job.status": "2026.11"},
        },
        up="set lock_timeout = '2s';\nalter table job drop column status;",
        down="alter table job add column status text;",
        verify="-- returns: 10\nselect count(*) from job;",
    )
    last = restored.target("production").plan("0003").migrations[-1]
    assert [gate.passed for gate in last.gates if gate.name == "out of use"] == [True]
    restored.target("staging").adopt("production", because=WHY)
    last = restored.target("staging").plan("0003").migrations[-1]
    (text,) = [gate.text for gate in last.gates if gate.name == "out of use"]
    assert "neither that nor a later release is deployed here" in text


def test_what_is_not_so_is_refused_and_recorded_nowhere(restored):
    before = restored.query("select count(*) from jobarium_migrations.record")
    for environment, was, because, problem in (
        ("staging", "development", WHY, "it is the environment 'production', not 'development'"),
        ("production", "production", WHY, "it is the environment 'production' already"),
        ("staging", "production", " ", "it is not said why; say it by `--because TEXT`"),
    ):
        with pytest.raises(NotAdopted, match=problem):
            restored.target(environment).adopt(was, because=because)
    staging = restored.target("staging")
    with applying(staging._connect), pytest.raises(Held):
        staging.adopt("production", because=WHY)
    assert restored.query("select count(*) from jobarium_migrations.record") == before


def test_a_database_of_no_environment_is_not_adopted(team):
    with pytest.raises(NotAdopted, match="of no environment yet; its first use notes which"):
        team.target("production").adopt("development", because=WHY)


def test_gates_that_had_to_be_passed_are_not_shaken_off_by_another_name(restored):
    """Else production could be named development for one migration, and production again."""
    restored.target("development").adopt("production", because=WHY)
    with pytest.raises(Closed, match="--without-gates REASON"):
        restored.target("development").apply()
    assert restored.target("development").apply(without_gates=WHY).done == ("0002_place",)

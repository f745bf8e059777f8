"""What a rehearsal begins from: a baseline or a dump, the migrations before, and as many rows as are asked for."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from jobarium_events.migrations import MigrationError, Migrations, UnknownMigration
from jobarium_events.migrations.record.record import Direction, Event, Record
from jobarium_events.migrations.rehearsal.building import Volumes, build
from jobarium_events.migrations.rehearsal.data.statistics import Statistics, TableStatistics
from jobarium_events.migrations.rehearsal.refusals import DumpError, FillError
from jobarium_events.migrations.running.failures import StepFailed
from tests.migrations.rehearsal.trials import ENVIRONMENT, ROWS, Trials

OF_JOB = {"backfill": {"table": "job", "key": ["id"], "batch_rows": 100, "share": 1.0}}
BACKFILL = "update job set source = status where id between $1 and $2 and source is null;"


@pytest.fixture
def trials(tmp_path: Path, database: str) -> Trials:
    return Trials(tmp_path / "migrations", database)


def test_what_comes_before_is_applied_with_its_backfill(trials: Trials) -> None:
    trials.write("0001_first", OF_JOB, up="alter table job add column source text;", backfill=BACKFILL)
    trials.write(
        "0002_second",
        up="alter table job add column more text;",
        down="alter table job drop column more;",
        verify="-- when: before\n-- returns: true\nselect count(*) > 0 from job where source is null or source <> ''"
        ";\n-- returns: 0\nselect count(more) from job;",
    )
    found = trials.rehearse("0002")

    assert found.problems == ()
    assert found.id == "0002_second"


def test_one_before_it_that_fails_is_named(trials: Trials) -> None:
    trials.write("0001_first", up="alter table nothing add column source text;")
    trials.write("0002_second")

    with pytest.raises(StepFailed, match="0001_first, line "):
        trials.rehearse("0002")


def test_a_dump_takes_the_place_of_the_baseline_and_is_not_filled(trials: Trials, tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(
        "create table job (id int primary key, status text);\n"
        "insert into job select n, 'open' from generate_series(1, 40) n;\n",
        encoding="utf-8",
    )
    trials.write("0001_it")
    found = trials.rehearse("0001", dump=dump, rows=None)

    assert found.problems == ()
    assert found.rows == {"job": 40}


def test_what_the_record_of_a_dump_says_is_applied_is_not_applied_again(trials: Trials, database: str) -> None:
    trials.write("0001_first", up="alter table nothing add column source text;")
    migrations = Migrations.load(trials.folder)
    with psycopg.connect(database, autocommit=True) as connection:
        record = Record("production", "ada")
        record.install(connection)
        for event in (Event.BEGAN, Event.DONE):
            record.write(connection, event, migrations["0001"], direction=Direction.UP, round_=1)

    def connect() -> psycopg.Connection[object]:
        return psycopg.connect(database, autocommit=True)

    def built() -> None:
        volumes = Volumes(rows={}, statistics=None, default=0, seed=0, generators={})
        build(
            connect,
            database,
            earlier=migrations.ordered,
            migration=migrations["0001"],
            volumes=volumes,
            environment=ENVIRONMENT,
            tell=lambda _: None,
        )

    built()

    with connect() as connection:
        query = "select count(*) from pg_namespace where nspname = 'jobarium_migrations'"
        assert connection.execute(query).fetchone() == (0,)
    with pytest.raises(StepFailed):
        built()


def test_statistics_say_how_many_rows_there_are(trials: Trials) -> None:
    statistics = Statistics(tables={"public.job": TableStatistics(rows=300), "other.table": TableStatistics(rows=7)})
    trials.write("0001_it")
    found = trials.rehearse("0001", rows={"person": 50}, statistics=statistics, default_rows=20)

    assert found.rows == {"job": 300, "person": 50, "log": 20}


def test_mistakes_are_told_before_anything_is_done(trials: Trials, tmp_path: Path) -> None:
    trials.write("0001_it")
    with pytest.raises(UnknownMigration):
        trials.rehearse("0002")
    problem = "persn cannot be filled: there is no such table; there are person, "
    with pytest.raises(FillError, match=problem):
        trials.rehearse("0001", rows={"persn": 1})
    with pytest.raises(DumpError, match=r"missing\.sql: cannot be read"):
        trials.rehearse("0001", dump=tmp_path / "missing.sql")
    (trials.folder / "rehearsal.toml").write_text("[rows]\njob = -1\n", encoding="utf-8")
    with pytest.raises(MigrationError, match=r"rehearsal\.toml:2: asks for -1 rows"):
        trials.rehearse("0001")
    assert ROWS["job"] == 400

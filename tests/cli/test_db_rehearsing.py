"""`db rehearse` tries a migration out, prints what was found, and writes it beside the migration."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from jobarium_events.migrations.rehearsal.data.statistics import Statistics, TableStatistics
from jobarium_events.migrations.rehearsal.report import read_rehearsal
from tests import servers
from tests.cli.conftest import Run, process, said
from tests.conftest import found
from tests.migrations.conftest import fresh_database
from tests.migrations.rehearsal.trials import Trials
from tests.migrations.waiting import until


@pytest.fixture
def database() -> Iterator[str]:
    yield from fresh_database(found("postgres", servers.postgres_url))


@pytest.fixture
def trials(tmp_path: Path, database: str) -> Trials:
    trials = Trials(tmp_path / "migrations", database)
    trials.write("0001_job_source")
    return trials


def arguments(trials: Trials, *more: object) -> tuple[object, ...]:
    options = ("--migrations", trials.folder, "--url", trials.url, "--default-rows", "100", "--calm", "0.1")
    return ("db", "rehearse", "0001", *options, *more)


def test_a_green_rehearsal_is_printed_and_written(run: Run, trials: Trials, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    ended = run(*arguments(trials, "--rows", "job=300", "--html", page))

    assert ended.code == 0, ended.out + ended.err
    assert ended.out.startswith("green  0001_job_source on Postgres 1")
    assert "with 500 rows: " in ended.out
    assert "alter table job add column source text" in ended.out
    assert "ACCESS EXCLUSIVE on job" in ended.out
    assert "insert into job" in ended.out
    assert "schema as before, data as before" in ended.out
    kept = read_rehearsal(trials.folder, "0001_job_source")
    assert kept is not None
    assert kept.green
    assert str(trials.folder / "rehearsals" / "0001_job_source.json") in ended.out
    assert "<svg" in page.read_text(encoding="utf-8")


def test_a_red_one_says_what_is_wrong_and_is_written_too(run: Run, trials: Trials) -> None:
    trials.write("0001_job_source", {"category": "migrate"})
    (trials.folder / "migrations.toml").write_text(
        (trials.folder / "migrations.toml").read_text(encoding="utf-8")
        + '[environments.production]\nlock_timeout = "30s"\n',
        encoding="utf-8",
    )
    ended = run(*arguments(trials, "--json", "--environment", "production"))

    assert ended.code == 1, ended.err
    document = json.loads(ended.out)
    assert document["green"] is False
    assert any("which is not for a migration of category migrate" in each for each in document["problems"])
    kept = read_rehearsal(trials.folder, "0001_job_source")
    assert kept is not None
    assert document == kept.as_json()


def test_the_report_fits_a_narrow_terminal(run: Run, trials: Trials) -> None:
    trials.write("0001_job_source", {"category": "migrate"})
    ended = run(*arguments(trials), columns=60)

    assert ended.code == 1
    assert "What is wrong" in ended.out


def test_volumes_come_from_statistics(run: Run, trials: Trials, tmp_path: Path) -> None:
    file = tmp_path / "statistics.json"
    file.write_bytes(Statistics(tables={"public.job": TableStatistics(rows=4000)}).encoded())
    ended = run(*arguments(trials, "--statistics", file, "--scale", "0.1", "--json"))

    assert json.loads(ended.out)["rows"] == {"job": 400, "log": 100, "person": 100}


def test_volumes_come_from_a_database_that_is_looked_at(run: Run, trials: Trials) -> None:
    with psycopg.connect(trials.url, autocommit=True) as connection:
        connection.execute("create table job (id int); insert into job select generate_series(1, 600)")
        connection.execute("analyze job")
    ended = run(*arguments(trials, "--like", trials.url, "--scale", "0.5", "--json"))

    assert json.loads(ended.out)["rows"]["job"] == 300


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--rows", "job"), "'job' is no table and number of rows"),
        (("--rows", "=7"), "'=7' is no table and number of rows"),
        (("--rows", "job=many"), "'job=many' is no table and number of rows"),
        (("--scale", "0"), "more than 0"),
        (("--default-rows", "0"), "--default-rows"),
        (("--like", "x", "--statistics", "y"), "give --like or --statistics, not both"),
        (("--like", "postgresql://127.0.0.1:1/none"), "the database cannot be used: --like: "),
        (("--rows", "nothing=1"), "nothing cannot be filled: there is no such table; there are "),
        (("--dump", "missing.sql"), "missing.sql: cannot be read"),
        (("--statistics", "missing.json"), "missing.json: No such file"),
        (("--url", "postgresql://127.0.0.1:1/none"), "no database can be made for the rehearsal: connection failed"),
        (("--url", "postgresql://127.0.0.1:1/none"), "TCP/IP connections? Check --url, or JOBARIUM_REHEARSAL_URL"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, trials: Trials, options: tuple[str, ...], problem: str) -> None:
    ended = run(*arguments(trials, *options))

    assert ended.code == 2
    assert problem in said(ended.err)
    assert not (trials.folder / "rehearsals").exists()


def test_an_environment_has_to_be_known_where_there_are_any(run: Run, trials: Trials) -> None:
    assert run(*arguments(trials, "--environment", "moon")).code == 0
    settings = trials.folder / "migrations.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "[environments.earth]\n", encoding="utf-8")
    ended = run(*arguments(trials, "--environment", "moon"))

    assert ended.code == 2
    assert "migrations.toml has no environment 'moon'; it has earth" in said(ended.err)


def test_statistics_that_are_none_are_told(run: Run, trials: Trials, tmp_path: Path) -> None:
    file = tmp_path / "statistics.json"
    file.write_text("{", encoding="utf-8")
    ended = run(*arguments(trials, "--statistics", file))

    assert ended.code == 2
    assert "has no statistics" in said(ended.err)


def test_an_unknown_migration_is_told(run: Run, trials: Trials) -> None:
    ended = run("db", "rehearse", "0007", "--migrations", trials.folder, "--url", trials.url)

    assert ended.code == 2
    assert "there is no migration '0007'" in ended.err


def test_a_postgres_is_started_where_none_is_given(trials: Trials) -> None:
    options = ("--migrations", trials.folder, "--default-rows", "50", "--calm", "0.1")
    ended = process("db", "rehearse", "0001", *options)

    assert ended.returncode == 0, ended.stderr.decode()
    assert b"on Postgres 18" in ended.stdout
    assert ended.stderr == b""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_given", [True, False])
def test_a_signal_ends_it_and_nothing_is_left(
    trials: Trials,
    own_postgres: servers.OwnPostgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sign: signal.Signals,
    *,
    is_given: bool,
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    more = ("--url", own_postgres.url) if is_given else ()
    command = ("db", "rehearse", "0001", "--migrations", str(trials.folder), "--calm", "3600", *more)
    rehearsal = subprocess.Popen(
        [sys.executable, "-m", "jobarium_events.cli", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )

    def left() -> list[object]:
        return databases(own_postgres.url) if is_given else list((tmp_path / "tmp").glob("jobarium-rehearsal-*"))

    until(lambda: bool(left()))
    rehearsal.send_signal(sign)
    out, _ = rehearsal.communicate(timeout=60)

    assert rehearsal.returncode == 130, out
    assert out.decode() == "interrupted; the scratch database is gone, and no report was written\n"
    assert left() == []


def databases(url: str) -> list[object]:
    with psycopg.connect(url) as connection:
        query = "select datname from pg_database where datname like 'jobarium_rehearsal_%'"
        return [name for (name,) in connection.execute(query)]

"""What the Postgres is like that is rehearsed on: whom it knows, and of which version it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from jobarium_events.migrations import Migrations
from jobarium_events.migrations.rehearsal import rehearsing
from jobarium_events.migrations.rehearsal.data.scratch import scratch
from jobarium_events.migrations.rehearsal.refusals import ScratchError
from jobarium_events.migrations.rehearsal.rehearsing import rehearse
from tests.conftest import fresh_name
from tests.migrations.rehearsal.trials import ENVIRONMENT, Trials

ROLE = "clerk_whom_nobody_has"
JOB = "create table job (id bigserial primary key, title text not null, origin text);\n"
CHECK = "-- the column is there\n-- returns: 0\nselect count(source) from job where source = 'x' || id;"


@pytest.fixture
def trials(tmp_path: Path, database: str) -> Trials:
    return Trials(tmp_path / "migrations", database)


def test_roles_that_are_named_are_made_on_a_server_of_its_own(trials: Trials) -> None:
    (trials.folder / "baseline.sql").write_text(JOB, encoding="utf-8")
    trials.write("0001_it", up="alter table job add source text; grant select on job to clerk;")
    found = rehearse(Migrations.load(trials.folder), "0001", default_rows=200, calm=0.1, environment=ENVIRONMENT)

    assert not [each for each in found.problems if "up fails" in each]
    assert "The role clerk was made for the rehearsal." in found.notes


def test_a_role_that_a_block_makes_on_a_server_of_its_own_is_made_once(trials: Trials) -> None:
    """What is run to look ahead has made it before, and roles belong to the whole server."""
    (trials.folder / "baseline.sql").write_text(JOB, encoding="utf-8")
    trials.write(
        "0001_it",
        up="do $$ begin create role clerk; end $$;\ngrant select on job to clerk;\nalter table job add source text;",
        down="alter table job drop source;\ndrop owned by clerk;\ndrop role clerk;",
        verify="-- returns: 1\nselect count(*) from pg_roles where rolname = 'clerk';",
    )
    found = rehearse(Migrations.load(trials.folder), "0001", default_rows=200, calm=0.1, environment=ENVIRONMENT)

    assert not [each for each in found.problems if "fails" in each]
    assert not [each for each in found.notes if "clerk was made" in each]


@pytest.mark.parametrize(
    "up",
    [
        f"alter table job add column source text;\ngrant select on job to {ROLE};",
        f"alter table job add column source text;\ngrant {ROLE} to current_user;",
        f"alter table job add column source text;\nalter table job owner to {ROLE};",
    ],
)
def test_roles_that_a_given_server_lacks_are_named_before_anything_is_done(trials: Trials, up: str) -> None:
    """They belong to the whole server, so none is made there."""
    (trials.folder / "baseline.sql").write_text(JOB, encoding="utf-8")
    path = trials.write("0001_it", up=up)
    trials.write("0002_next", up="alter table job add column more text;")
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if ROLE in text)
    for id_ in ("0001", "0002"):
        with pytest.raises(ScratchError) as caught:
            trials.rehearse(id_, rows={"job": 200})
        assert str(caught.value) == (
            f"the Postgres to rehearse on lacks the role {ROLE}, which line {line} of 0001_it.sql names; make it there "
            "with create role, as roles belong to the whole server, or rehearse without a URL, on a Postgres that is "
            "started with it"
        )
    with psycopg.connect(trials.url, autocommit=True) as connection:
        assert connection.execute("select from pg_roles where rolname = %s", [ROLE]).fetchone() is None


def test_roles_that_a_migration_makes_or_may_lack_are_none_that_a_server_lacks(trials: Trials) -> None:
    role = fresh_name()
    (trials.folder / "baseline.sql").write_text(JOB, encoding="utf-8")
    unless = f"if not exists (select from pg_roles where rolname = '{role}') then"
    made = f"do $$ begin {unless} create role {role}; end if; end $$;\ngrant select on job to {role};"
    trials.write(
        "0001_it",
        up=f"drop role if exists not_{role};\n{made}",
        down=f"drop owned by {role};\ndrop role {role};",
        verify="-- returns: 1\nselect 1;",
    )
    try:
        found = trials.rehearse("0001", rows={"job": 200})
    finally:
        with psycopg.connect(trials.url, autocommit=True) as connection:
            connection.execute(f"drop role if exists {role}")

    assert not [each for each in found.problems if "fails" in each]


@pytest.mark.parametrize(("oldest", "is_said"), [(15, True), (18, False)])
def test_that_it_was_on_a_newer_version_than_the_oldest_is_said(
    trials: Trials, newest_postgres: str, monkeypatch: pytest.MonkeyPatch, oldest: int, is_said: bool
) -> None:
    (trials.folder / "migrations.toml").write_text(
        f'releases = ["2026.12"]\nbaseline = "baseline.sql"\npostgres = {oldest}\n', encoding="utf-8"
    )
    (trials.folder / "baseline.sql").write_text(JOB, encoding="utf-8")
    trials.write("0001_it", verify=CHECK)

    @contextmanager
    def started(url: str | None, *, dump: Path | None) -> Iterator[str]:
        assert url is None
        with scratch(newest_postgres, dump=dump) as made:
            yield made

    monkeypatch.setattr(rehearsing, "scratch", started)
    found = rehearse(Migrations.load(trials.folder), "0001", rows={"job": 100}, calm=0.2, environment=ENVIRONMENT)
    said = [each for each in found.notes if "name one of that version by --url" in each]
    assert bool(said) is is_said
    assert all("on Postgres 18, which was started for it; the migrations are for 15 and newer" in each for each in said)

"""Databases for migrations: each test has one of its own, as the record of migrations is a database's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests import servers
from tests.conftest import found, fresh_name, started
from tests.migrations.team import Team

SERVERS = ("found", "newest")


@pytest.fixture(scope="session")
def newest_postgres() -> Iterator[str]:
    """The URL of the embedded Postgres, which is the newest version that is supported."""
    server = started("postgres", servers.OwnPostgres)
    yield server.url
    server.close()


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of an empty database on the Postgres that was found."""
    yield from fresh_database(found("postgres", servers.postgres_url))


@pytest.fixture(params=SERVERS)
def each_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The same on the Postgres that was found, and on the newest."""
    is_newest = request.param == "newest"
    url = request.getfixturevalue("newest_postgres") if is_newest else found("postgres", servers.postgres_url)
    yield from fresh_database(url)


def fresh_database(url: str) -> Iterator[str]:
    """Yield the URL of a new database beside another, and drop it afterwards, whoever is still connected."""
    name = fresh_name()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
        try:
            yield make_conninfo(url, dbname=name)
        finally:
            connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def team(tmp_path: Path, database: str) -> Team:
    """A team's folder, and a database."""
    return Team(tmp_path / "migrations", database)


@pytest.fixture
def each_team(tmp_path: Path, each_database: str) -> Team:
    """The same on each server."""
    return Team(tmp_path / "migrations", each_database)

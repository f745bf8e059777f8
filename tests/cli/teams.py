"""A team with a database of its own, and the options that name it."""

from __future__ import annotations

import pytest

from tests import servers
from tests.conftest import found as server_found
from tests.migrations.conftest import fresh_database
from tests.migrations.team import Team

__all__ = ["of_team", "team", "team_database"]


@pytest.fixture
def team_database():
    yield from fresh_database(server_found("postgres", servers.postgres_url))


@pytest.fixture
def team(tmp_path, team_database):
    return Team(tmp_path / "migrations", team_database)


@pytest.fixture
def of_team(team):
    """Returns the options that name the team's database."""

    def options(environment="development"):
        return (
            *("--database", team.database, "--migrations", team.folder),
            *("--environment", environment, "--operator", "olga"),
        )

    return options

"""What the databases of some environments say of the migrations of a folder; they are only read."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from jobarium_events.errors import DeclarationError, JobariumEventsError
from jobarium_events.extras import extra
from jobarium_events.migrations import Item, Migrations, OtherEnvironment, RecordUnreadable, Standing, Target
from jobarium_events.postgres.connecting import problem_of

with extra("migrations"):
    import psycopg

__all__ = ["Database", "EnvironmentUnread", "asked"]

_OPERATOR = "site build"
"""By whom a server shows the session; nothing is written, so nothing is recorded."""


class EnvironmentUnread(JobariumEventsError):
    """The database of an environment cannot be asked where its migrations stand.

    Attributes:
        environment: The environment's name.
        problem: What is wrong; never the URL, which may hold a password.
    """

    def __init__(self, environment: str, problem: str) -> None:
        self.environment = environment
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"the database of {self.environment} cannot be asked where its migrations stand: {self.problem}; "
            f"mend that, or leave {self.environment} out"
        )


class Database(msgspec.Struct, frozen=True):
    """What a database answered.

    Attributes:
        environment: The name of its environment.
        standings: Where each migration stands, by its id; those whose file is gone come first.
        checklists: What is done of the checklist of each, by its id.
    """

    environment: str
    standings: Mapping[str, Standing]
    checklists: Mapping[str, tuple[Item, ...]]


def asked(migrations: Migrations, environment: str, url: str) -> Database:
    """Return what the database of an environment answers.

    Raises:
        EnvironmentUnread: If it cannot be asked.
    """
    try:
        target = Target(url, migrations, environment=environment, operator=_OPERATOR)
        standings = {each.id: each for each in target.status()}
        checklists = {each.id: target.checklist(each.id) for each in migrations.ordered}
    except psycopg.Error as error:
        raise EnvironmentUnread(environment, problem_of(error)) from None
    except (DeclarationError, OtherEnvironment, RecordUnreadable) as error:
        raise EnvironmentUnread(environment, str(error)) from None
    return Database(environment, standings, checklists)

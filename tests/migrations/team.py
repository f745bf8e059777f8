"""A team's folder of migrations, and the database that it applies them to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from jobarium_events.migrations import Category, Migrations, Role
from jobarium_events.migrations.applying.approving import Window
from jobarium_events.migrations.applying.target import Target
from jobarium_events.migrations.record.record import Event
from jobarium_events.migrations.rehearsal.report import ProbeResult, Rehearsal, WayBack, write_rehearsal
from tests.migrations.written import folder_of, write

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.situation import Gate
    from jobarium_events.migrations.record.states import Stage

SETTINGS = """
releases = ["2026.09", "2026.10", "2026.11", "2026.12", "2027.01"]
flags = "flags.toml"

[roles]
cto = ["ada", "both"]
ceo = ["grace", "both"]

[environments.production]
lock_timeout = "200ms"
attempts = 3

[environments.development]
gates = false
lock_timeout = "200ms"
attempts = 3
"""
DECISION = """+++
id = "DEC-0001"
title = "job.status goes"
date = 2026-09-07
status = "{status}"
owner = "job-service"
review = 2027-03-01
+++

## Context

It is there twice.

## Decision

It goes.

## Alternatives

None.

## Why

It is there twice.

## Consequences

It is gone.
"""
LIMITS = "set lock_timeout = '2s';\n"


class Team:
    """A folder, and a database with a table `job` of ten rows.

    Args:
        folder: Where the files are.
        database: The URL.
    """

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder_of(folder, SETTINGS)
        self.database = database
        with psycopg.connect(database) as connection:
            connection.execute("create table job (id int primary key, status text)")
            connection.execute("insert into job select n, 'Secret ' || n from generate_series(1, 10) as n")

    def file(self, id_: str, header: Mapping[str, Any] | None = None, **sections: str | None) -> Path:
        """Write a migration that has all it needs."""
        values = {"alerts": ["more than 5 errors a minute"], "release": "2026.10", **(header or {})}
        return write(self.folder, id_, values, **sections)

    def adds(self, id_: str, column: str, header: Mapping[str, Any] | None = None, **sections: str | None) -> Path:
        """Write one that adds a column."""
        own = {
            "up": f"{LIMITS}alter table job add column {column} text;",
            "down": f"{LIMITS}alter table job drop column {column};",
            "verify": f"-- the column is there\n-- returns: 0\nselect count({column}) from job;",
        }
        return self.file(id_, header, **{**own, **sections})

    def flags(self, **flags: bool) -> None:
        """Write the file of flags."""
        lines = (f"{name.replace('_', '-')} = {str(value).lower()}  # a flag\n" for name, value in flags.items())
        (self.folder / "flags.toml").write_text("".join(lines), encoding="utf-8")

    def decide(self, status: str = "accepted", *meanings: str) -> None:
        """Write the decision log; it allows that columns of the table mean something else."""
        columns = f'\n[[columns]]\ntable = "job"\nmeanings = {list(meanings)}' if meanings else ""
        text = DECISION.format(status=status).replace("2027-03-01", f"2027-03-01{columns}")
        (self.folder / "decisions").mkdir(exist_ok=True)
        (self.folder / "decisions" / "DEC-0001.md").write_text(text, encoding="utf-8")

    def target(self, environment: str = "development", operator: str = "olga", **options: Any) -> Target:
        """Return the database as one of an environment, with the folder as it is now."""
        migrations = Migrations.load(self.folder)
        return Target(self.database, migrations, environment=environment, operator=operator, **options)

    def rehearse(
        self,
        id_: str,
        *problems: str,
        rows: Mapping[str, int] | None = None,
        probes: tuple[ProbeResult, ...] = (),
        is_back: bool = True,
    ) -> None:
        """Write what a rehearsal would."""
        migrations = Migrations.load(self.folder)
        migration = migrations[id_]
        found = Rehearsal(
            id=migration.id,
            hash=migration.hash,
            before={each.id: each.hash for each in migrations.before(migration)},
            category=Category.EXPAND,
            at=datetime(2026, 10, 5, 9, 30, tzinfo=UTC),
            server_version="15.20",
            rows=rows or {"job": 10},
            estimated=1.0,
            seconds=0.5,
            began=0.0,
            lasted=1.0,
            probes=probes,
            back=WayBack(seconds=0.1, written=1, again=0.5 if is_back else None) if migration.down else None,
            problems=problems,
        )
        write_rehearsal(self.folder, found)

    def review(self, id_: str) -> None:
        """Rehearse it, and have it reviewed."""
        self.rehearse(id_)
        self.target("production").approve(id_, role=Role.CTO, by="ada")

    def approved(self, id_: str, window: Window) -> None:
        """Record an approval as it was given before its window, which is over by now."""
        target = self.target("production")
        with target._working(0, lambda _: None, None) as job:
            job.record.install(job.connection)
            said = {"role": "ceo", "by": "grace", "window": str(window)}
            job.record.write(job.connection, Event.APPROVED, target.migrations[id_], **said)

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []

    def columns(self) -> list[str]:
        """Return the columns of the table."""
        found = self.query(
            "select attname from pg_attribute where attrelid = 'job'::regclass and attnum > 0 and not attisdropped"
        )
        return [name for (name,) in found]


def around(now: datetime, begin: float = -1, end: float = 1) -> Window:
    """Return a window by hours from a moment."""
    return Window(now + timedelta(hours=begin), now + timedelta(hours=end))


def gates(team: Team, id_: str, environment: str = "production") -> dict[str, Gate]:
    """Return the gates of a migration by name; of several by one name the first that is closed."""
    found: dict[str, Gate] = {}
    for planned in team.target(environment).plan().migrations:
        if planned.id.startswith(id_):
            for gate in planned.gates:
                if gate.name not in found or found[gate.name].passed:
                    found[gate.name] = gate
    return found


def stages(target: Target) -> dict[str, Stage]:
    """Return how far each migration is."""
    return {each.id: each.stage for each in target.status()}


def removes(team: Team, header: Mapping[str, Any] | None = None) -> Path:
    """Write one that removes a column."""
    values = {"category": "contract", "containment": "bring it back from the backup", **(header or {})}
    up = "set lock_timeout = '2s';\nalter table job drop column status;"
    return team.file("0001_status", values, up=up, down=None, verify="-- returns: 10\nselect count(*) from job;")


def filled(team: Team, id_: str = "0002_fill", **header: Any) -> Path:
    """Write one that fills the column that the first one adds."""
    backfill = {"table": "job", "key": ["id"], "batch_rows": 3, "share": 1.0}
    return team.file(
        id_,
        {"category": "migrate", "backfill": backfill, "depends_on": ["0001_source"], **header},
        up=None,
        down=None,
        backfill="update job set source = 'form' where id between $1 and $2 and source is null;",
        verify="-- every job has a source\n-- returns: 0\nselect count(*) from job where source is null;",
    )


def counting(team: Team) -> None:
    """Write a backfill that says of each row that it met it."""
    team.query("create table met (id int)")
    backfill = {"table": "job", "key": ["id"], "batch_rows": 2, "batch_time": "1m", "share": 1.0}
    team.file(
        "0001_fill",
        {"category": "migrate", "backfill": backfill},
        up=None,
        down=None,
        backfill="with done as (insert into met select id from job where id between $1 and $2)"
        " update job set status = 'form' where id between $1 and $2;",
        verify="-- returns: 10\nselect count(*) from job where status = 'form';",
    )

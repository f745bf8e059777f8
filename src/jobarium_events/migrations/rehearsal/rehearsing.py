"""A migration tried out on a scratch Postgres: with realistic data, while the old code and the new go on using it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.record.record import clock
from jobarium_events.migrations.rehearsal.building import Volumes, build, unapplied
from jobarium_events.migrations.rehearsal.data.scratch import scratch
from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.predicting import Foretold
from jobarium_events.migrations.rehearsal.preparing import read_preparation
from jobarium_events.migrations.rehearsal.refusals import ScratchError
from jobarium_events.migrations.rehearsal.report import Rehearsal
from jobarium_events.migrations.rehearsal.roles import check_roles, make_roles, roles_named
from jobarium_events.migrations.rehearsal.supplies import shown
from jobarium_events.migrations.rehearsal.trial import Trial

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.rehearsal.data.statistics import Statistics

__all__ = ["rehearse"]

_NAME = "jobarium-events rehearsal"
_MAJOR = 10_000


def rehearse(
    migrations: Migrations,
    id_: str,
    *,
    url: str | None = None,
    dump: Path | None = None,
    rows: Mapping[str, int] | None = None,
    statistics: Statistics | None = None,
    scale: float = 1.0,
    default_rows: int = 100_000,
    seed: int = 0,
    environment: Environment | None = None,
    calm: float = 2.0,
    watch: Callable[[str], None] | None = None,
) -> Rehearsal:
    """Rehearse a migration on a scratch database, which is made for it and dropped afterwards.

    Args:
        migrations: The folder.
        id_: Which of its migrations.
        url: A Postgres on which databases may be made; without one, an embedded one is started.
        dump: What to begin with, instead of the baseline of the folder. What its record says is applied is not applied
            again. Its tables are filled up only as far as `rows` and `statistics` say.
        rows: How many rows tables are to have, by their names; these go before what ``rehearsal.toml`` says.
        statistics: How full the tables are where it matters, and how their values are spread.
        scale: Which part of the rows that `statistics` say the tables get.
        default_rows: How many rows each other table gets.
        seed: Where made-up values come from; the same gives the same.
        environment: Whose time-outs hold.
        calm: For how many seconds the probes are alone before ``up``, and after it.
        watch: Is told what is done next, in a few words.

    Returns:
        What was found; `Rehearsal.green` tells whether anything is wrong. It is not written anywhere yet.

    Raises:
        UnknownMigration: If there is no such migration.
        MigrationError: If there is a mistake in ``rehearsal.toml`` or the decision log, or the baseline cannot be read.
        StepFailed: If an earlier migration fails on the way to the schema before.
        ScratchError: If there is no Postgres to rehearse on, if it lacks a role, or if no rows are asked for.
        DumpError: If the dump, or the baseline, cannot be restored.
        FillError: If a table cannot be filled.
    """
    migration = migrations[id_]
    decisions = migrations.decisions()  # read first: nothing runs while there is a mistake in them
    tell = watch or (lambda _: None)
    preparation = read_preparation(migrations.folder)
    # A rehearsal is no business of an environment's replicas.
    environment = msgspec.structs.replace(environment or Environment(), replicas=())
    if default_rows < 1 or not scale > 0:
        raise ScratchError("a rehearsal without rows shows nothing; ask for one row of a table at least")
    notes: list[str] = []
    tell("making a scratch database")
    with scratch(url, dump=dump or migrations.baseline) as made:

        def connect() -> psycopg.Connection[Any]:
            return psycopg.connect(made, autocommit=True, fallback_application_name=_NAME)

        volumes = Volumes(
            rows={**preparation.rows, **(rows or {})},
            statistics=None if statistics is None else statistics.scaled(scale),
            default=0 if dump else default_rows,
            seed=seed,
            generators=preparation.generators,
        )
        expected = {} if statistics is None else {shown(title): count for title, count in statistics.rows.items()}
        earlier = migrations.before(migration)
        with connect() as connection:
            if url is not None:
                check_roles(connection, unapplied(connection, earlier), migration)
            else:
                parts = (each for one in (*earlier, migration) for each in (*one.up, *one.down))
                roles = make_roles(connection, roles_named(parts))
                notes = [f"The role {name} was made for the rehearsal." for name in roles]
        unknown = () if statistics is None else statistics.unknown
        notes += [f"{shown(each)} was never analyzed, so it gets as many rows as others do." for each in unknown]
        built = build(
            connect,
            made,
            earlier=earlier,
            migration=migration,
            volumes=volumes,
            environment=environment,
            tell=tell,
            is_alone=url is None,
        )
        built = msgspec.structs.replace(built, expected=expected)
        with connect() as connection:
            version = connection.info.server_version
            at = clock(connection)
            if url is None and version // _MAJOR > migrations.settings.postgres:
                notes.append(_newer(version // _MAJOR, migrations.settings.postgres))
            server = str(connection.info.parameter_status("server_version")).partition(" ")[0]
            there = None if dump is None else read_tables(connection)
        empty = Rehearsal(
            id=migration.id,
            hash=migration.hash,
            before={each.id: each.hash for each in migrations.before(migration)},
            category=migration.header.category,
            at=at.astimezone(UTC),
            server_version=server,
            rows=built.rows,
            expected=expected,
            scale=scale,
            estimated=float(migration.header.estimated_runtime),
            seconds=0.0,
            began=0.0,
            lasted=0.0,
            notes=tuple(notes),
        )
        foretold = Foretold(migrations, migration, version // _MAJOR, there)
        named = migration.header.decision
        trial = Trial(
            connect,
            migration,
            foretold,
            environment,
            built,
            probes=preparation.probe,
            calm=calm,
            tell=tell,
            decision=None if named is None else decisions.get(named),
        )
        return trial.run(empty)


def _newer(here: int, oldest: int) -> str:
    return (
        f"It was rehearsed on Postgres {here}, which was started for it; the migrations are for {oldest} and newer. "
        "To rehearse on a version of your own, name one of that version by --url."
    )

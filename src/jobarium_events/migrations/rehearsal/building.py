"""The database as it is before a migration: filled as it was at the start, with the earlier migrations run over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.record.record import entries
from jobarium_events.migrations.record.states import Stage, states
from jobarium_events.migrations.rehearsal.ahead import Ahead, look_ahead
from jobarium_events.migrations.rehearsal.data.statistics import Statistics
from jobarium_events.migrations.rehearsal.data.tables import Table, read_tables
from jobarium_events.migrations.rehearsal.data.volumes import fill, named
from jobarium_events.migrations.rehearsal.going import Connect, forget, go_there
from jobarium_events.migrations.rehearsal.roles import roles_kept
from jobarium_events.migrations.rehearsal.supplies import shown
from jobarium_events.migrations.running.failures import StepFailed
from jobarium_events.statements import statements

if TYPE_CHECKING:
    import psycopg

    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.settings import Environment

__all__ = ["Built", "Volumes", "build", "unapplied"]


class Volumes(msgspec.Struct, frozen=True, kw_only=True):
    """How full the tables are to be.

    Attributes:
        rows: How many rows a table is to have that somebody has named, by its name.
        statistics: How full the others are where it matters; None if that is not known.
        default: How many rows all others get; 0 if they are left as they are.
        seed: Where made-up values come from.
        generators: SQL of values, as `fill` takes it.
    """

    rows: Mapping[str, int]
    statistics: Statistics | None
    default: int
    seed: int
    generators: Mapping[str, str]

    def of(self, tables: Sequence[Table]) -> dict[str, int]:
        """Return how many rows each of some tables is to have."""
        known = {} if self.statistics is None else self.statistics.rows
        named = {shown(name): count for name, count in self.rows.items()}
        titles = [table.title for table in tables if table.partition_of is None]
        return {title: named.get(shown(title), known.get(title, self.default)) for title in titles}


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A database that is ready.

    Attributes:
        ahead: What will be demanded of its rows.
        rows: How many each table has, by its name.
        expected: How many it has where it matters, as far as that is known.
        idle: The generators that made nothing: an earlier migration adds their columns to rows that are there.
    """

    ahead: Ahead
    rows: Mapping[str, int]
    expected: Mapping[str, int] = {}
    idle: tuple[str, ...] = ()

    def is_empty(self, title: str) -> bool:
        """Whether a table is known to be empty where it matters."""
        return self.expected.get(shown(title)) == 0


def build(
    connect: Connect,
    url: str,
    *,
    earlier: Sequence[Migration],
    migration: Migration,
    volumes: Volumes,
    environment: Environment,
    tell: Callable[[str], None],
    is_alone: bool = False,
) -> Built:
    """Fill the tables that are there, run the earlier migrations, and fill the tables that these have made.

    So what they move is moved, and what their triggers keep is kept.

    Args:
        connect: Opens a connection to the database, in autocommit.
        url: The database.
        earlier: What comes before the migration; what a dump's record says is applied is not applied again.
        migration: The migration, for what it will demand of rows.
        volumes: How full the tables are to be.
        environment: Whose time-outs hold.
        tell: Is told what is done next.
        is_alone: Whether the Postgres is there for this rehearsal only, so that every new role is one of its own.

    Raises:
        StepFailed: If an earlier migration fails.
        FillError: If a table cannot be filled.
    """
    with connect() as connection:
        missing = unapplied(connection, earlier)
    forget(connect)
    tell("looking ahead")
    with roles_kept(connect) if is_alone else nullcontext():
        ahead = look_ahead(url, [*missing, migration])
    with connect() as connection:
        there = read_tables(connection)
    known = {table.title: table for table in (*there, *ahead.tables)}
    for name in volumes.rows:
        named(known, name)
    idle = tuple(each for each in volumes.generators if _is_late(each, there) and _has(ahead.tables, each))
    filled = _fill(connect, ahead, volumes, frozenset(), tell)
    for each in missing:
        tell(f"applying {each.id}")
        try:
            go_there(connect, each, environment)
        except StepFailed as error:
            raise StepFailed(error.line, error.problem, error.sqlstate, migration=each.id) from None
    forget(connect)
    _fill(connect, ahead, volumes, filled, tell)
    with connect() as connection:
        tables = read_tables(connection)
        counts = {shown(each.title): _count(connection, each) for each in tables if each.partition_of is None}
    return Built(ahead=ahead, rows=counts, idle=idle)


def unapplied(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> list[Migration]:
    """Return those migrations that are not applied to a database, as its record says."""
    known = states(entries(connection))
    return [each for each in migrations if each.id not in known or known[each.id].stage is not Stage.APPLIED]


def _fill(
    connect: Connect, ahead: Ahead, volumes: Volumes, without: frozenset[str], tell: Callable[[str], None]
) -> frozenset[str]:
    """Fill the tables but for some, and return all that are there."""
    tell("filling the tables")
    with connect() as connection:
        tables = ahead.over(connection, read_tables(connection))
        asked = {title: count for title, count in volumes.of(tables).items() if title not in without}
        titles = frozenset(table.title for table in tables)
        # What an earlier migration adds has no generator yet, and what is nowhere is a mistake to be told.
        generators = {
            name: sql
            for name, sql in volumes.generators.items()
            if _has(tables, name) or not (without or _has(ahead.tables, name))
        }
        fill(connection, tables, asked, seed=volumes.seed, statistics=volumes.statistics, generators=generators)
    return titles


def _has(tables: Sequence[Table], name: str) -> bool:
    """Whether there is the column of a generator: ``"job.code"``."""
    title, _, column = name.rpartition(".")
    found = (table for table in tables if shown(table.title) == shown(title))
    return any(each.name == column for table in found for each in table.columns)


def _is_late(name: str, tables: Sequence[Table]) -> bool:
    """Whether a table is there, and the column of a generator is not."""
    title = name.rpartition(".")[0]
    return any(shown(table.title) == shown(title) for table in tables) and not _has(tables, name)


def _count(connection: psycopg.Connection[Any], table: Table) -> int:
    query = statements(__package__ or "", "supplies.sql")["count"].format(table=table.sql, condition="true")
    return int(connection.execute(query.encode()).fetchall()[0][0])

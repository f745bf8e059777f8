"""What a migration, and those before it, will demand of rows: read from a copy of the database, without its rows.

Made-up rows that break a constraint which `up` is about to add say nothing about the migration; so they are made to
meet it. Whether real ones do, is for a query of `verify` to ask `before`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.data.scratch import copied
from jobarium_events.migrations.rehearsal.data.tables import Check, Column, ForeignKey, Table, Unique, read_tables
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Ahead", "look_ahead"]

Connection = psycopg.Connection[Any]

_SQL = statements(__package__ or "", "supplies.sql")

_OF_SERVER = ("alter_role_stmt", "create_role_stmt", "drop_role_stmt", "grant_role_stmt", "transaction_stmt")
"""What would be there for the real run as well, or would keep the copy from being looked at."""


class Ahead(msgspec.Struct, frozen=True):
    """What will be demanded of rows.

    Attributes:
        tables: The tables as they will be.
    """

    tables: tuple[Table, ...] = ()

    def over(self, connection: Connection, tables: Sequence[Table]) -> tuple[Table, ...]:
        """Return some tables with what will be demanded of their rows, as far as they have the columns for it.

        Args:
            connection: To the database that has them.
            tables: As they are now.
        """
        now, later = {table.title: table for table in tables}, {table.title: table for table in self.tables}
        return tuple(
            table if table.title not in later else _with(connection, table, later[table.title], now) for table in tables
        )

    def changed(self, tables: Sequence[Table]) -> frozenset[str]:
        """Return the tables that will have other columns or constraints, or be gone, by their titles."""
        later = {table.title: table for table in self.tables}
        return frozenset(
            table.title
            for table in tables
            if self.tables
            and (
                table.title not in later
                or later[table.title].columns != table.columns
                or _demands(later[table.title]) != _demands(table)
            )
        )

    def demanded(self, connection: Connection, tables: Sequence[Table]) -> Iterator[tuple[str, str]]:
        """Yield each table that more will be demanded of, and what: names of constraints and columns."""
        for before, after in zip(tables, self.over(connection, tables), strict=True):
            names = _demands(after) - _demands(before)
            nulls = {f"{one.name} not null" for one, two in _pairs(before, after) if two.not_null and not one.not_null}
            if names | nulls:
                yield before.title, ", ".join(sorted(names | nulls))


def look_ahead(url: str, migrations: Iterable[Migration]) -> Ahead:
    """Run each ``up`` on a copy of a database that has no rows, as far as it goes, and look at what is there then.

    Args:
        url: The database; nobody may be connected to it meanwhile.
        migrations: In their order.
    """
    with copied(url) as copy, psycopg.connect(copy, autocommit=True) as connection:
        for title in (table.sql for table in read_tables(connection) if table.partition_of is None):
            connection.execute(f"truncate {title} cascade".encode())
        connection.execute("set client_min_messages = warning")
        for statement in (each for migration in migrations for each in migration.up):
            if statement.kind in _OF_SERVER:
                continue
            try:
                connection.execute(statement.text.encode(), prepare=False)
            except psycopg.Error:  # it is told where it counts
                if connection.closed:
                    return Ahead()
        return Ahead(read_tables(connection))


def _pairs(before: Table, after: Table) -> Iterator[tuple[Column, Column]]:
    later = {column.name: column for column in after.columns}
    return ((column, later[column.name]) for column in before.columns if column.name in later)


def _demands(table: Table) -> set[str]:
    """Return the names of what a table demands of its rows, but for its columns."""
    demands: tuple[Unique | ForeignKey | Check, ...] = (*table.uniques, *table.foreign_keys, *table.checks)
    return {each.name for each in demands}


def _with(connection: Connection, now: Table, later: Table, tables: dict[str, Table]) -> Table:
    columns = {column.name for column in now.columns}
    known = _demands(now)
    strict = {one.name for one, two in _pairs(now, later) if two.not_null and one.generated is None}
    keys = (
        key
        for key in later.foreign_keys
        if columns.issuperset(key.columns)
        and key.table in tables
        and {each.name for each in tables[key.table].columns}.issuperset(key.referred)
    )
    return msgspec.structs.replace(
        now,
        columns=tuple(
            msgspec.structs.replace(each, not_null=True) if each.name in strict else each for each in now.columns
        ),
        uniques=(
            *now.uniques,
            *(each for each in later.uniques if each.name not in known and columns.issuperset(each.columns)),
        ),
        foreign_keys=(*now.foreign_keys, *(key for key in keys if key.name not in known)),
        checks=(
            *now.checks,
            *(each for each in later.checks if each.name not in known and _is_of(connection, now, each)),
        ),
    )


def _is_of(connection: Connection, table: Table, check: Check) -> bool:
    """Whether a table has the columns that a condition speaks of."""
    try:
        connection.execute(_SQL["has"].format(condition=check.condition, table=table.sql).encode())
    except psycopg.Error:
        return False
    return True

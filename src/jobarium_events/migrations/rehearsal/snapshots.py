"""A database as it was before a migration, for what is there after the way back to be held against."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.rehearsal.data.digests import (
    DataDigest,
    SchemaDigest,
    data_digest,
    differences,
    schema_digest,
)
from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.supplies import shown

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.rehearsal.data.tables import Table
    from jobarium_events.migrations.rehearsal.supplies import Supply

__all__ = ["Snapshot", "columns_of"]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A database at some moment.

    Attributes:
        schema: Its schema.
        there: Every column of every table.
        columns: By table, the columns whose data counts.
        conditions: For some tables, which rows count: those that no probe writes.
        data: The digest of these.
    """

    schema: SchemaDigest
    there: frozenset[tuple[str, str]]
    columns: Mapping[str, tuple[str, ...]]
    conditions: Mapping[str, str]
    data: DataDigest

    @classmethod
    def taken(
        cls,
        connection: Connection[Any],
        supplies: Iterable[Supply],
        unused: Collection[str],
        besides: Collection[str] = (),
    ) -> Snapshot:
        """Take one.

        Args:
            connection: In autocommit.
            supplies: What probes write.
            unused: Tables and columns whose data does not count: ``"job.status"``.
            besides: Tables whose data does not count, as triggers write it while probes run: ``"public.audit"``.
        """
        tables = [table for table in read_tables(connection) if shown(table.title) not in unused]
        columns = {
            table.title: tuple(
                column.name for column in table.columns if f"{shown(table.title)}.{column.name}" not in unused
            )
            for table in tables
            if table.partition_of is None and table.title not in besides
        }
        conditions = {supply.table.title: supply.others() for supply in supplies}
        return cls(
            schema=schema_digest(connection),
            there=columns_of(tables),
            columns=columns,
            conditions=conditions,
            data=data_digest(connection, tables, columns=columns, where=conditions),
        )

    def data_differences(self, connection: Connection[Any]) -> tuple[str, ...]:
        """Return how the data of a database differs now, in the tables that have all of their columns.

        That others have not is a difference of the schema.
        """
        tables = read_tables(connection)
        there = columns_of(tables)
        columns = {
            title: names for title, names in self.columns.items() if all((title, name) in there for name in names)
        }
        before = DataDigest({title: table for title, table in self.data.tables.items() if title in columns})
        return differences(before, data_digest(connection, tables, columns=columns, where=self.conditions))


def columns_of(tables: Iterable[Table]) -> frozenset[tuple[str, str]]:
    """Return the columns of tables, each with its table's name."""
    return frozenset((table.title, column.name) for table in tables for column in table.columns)

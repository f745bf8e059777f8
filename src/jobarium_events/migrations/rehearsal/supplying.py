"""Rows for tables that a migration has just made: as code would insert them, and none of them there yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.rehearsal.data.volumes import fill
from jobarium_events.migrations.rehearsal.refusals import FillError
from jobarium_events.migrations.rehearsal.supplies import Row, Supply, written_columns
from jobarium_events.statements import identifier, statements

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.rehearsal.data.tables import ForeignKey, Table

__all__ = ["made_rows"]

_SQL = statements(__package__ or "", "supplies.sql")
_ROWS = 60


def made_rows(
    connection: Connection[Any], table: Table, tables: Sequence[Table], supplies: Sequence[Supply]
) -> list[Row]:
    """Return some rows that fit a table; none if they cannot be made up.

    Args:
        connection: In autocommit.
        table: The table, which is empty.
        tables: All tables of the database.
        supplies: What probes write: rows that refer to theirs are left out, as these come and go.
    """
    names = written_columns(table)
    query = _SQL["sample"].format(
        columns=", ".join(f"{identifier(name)}::text" for name in names), table=table.sql, limit=_ROWS
    )
    with connection.transaction(force_rollback=True):
        try:
            fill(connection, tables, {table.title: _ROWS}, seed=0)
        except FillError:
            return []
        found = connection.execute(query.encode()).fetchall()
    rows = [dict(zip(names, row, strict=True)) for row in found]
    passing = {supply.table.title: (supply.table.primary_key, supply.known) for supply in supplies}
    return [row for row in rows if not any(_refers(row, key, *passing[key.table]) for key in _keys(table, passing))]


def _keys(table: Table, passing: Mapping[str, Any]) -> Iterator[ForeignKey]:
    return (key for key in table.foreign_keys if key.table in passing)


def _refers(row: Row, key: ForeignKey, primary: tuple[str, ...], known: frozenset[Any]) -> bool:
    referred = dict(zip(key.referred, (row[name] for name in key.columns), strict=True))
    return tuple(referred.get(name) for name in primary) in known

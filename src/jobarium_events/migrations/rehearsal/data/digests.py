"""Schema and data in digests, so that what was before a migration can be held against what is after its way back.

The order of columns counts for neither: a column that is dropped and added again stands last, and no query that names
its columns can tell. Nor do ids, statistics, or how far a sequence has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.statements import identifier, statements

with extra("migrations"):
    import psycopg
    from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.data.tables import Table

__all__ = ["DataDigest", "SchemaDigest", "TableDigest", "data_digest", "differences", "schema_digest"]

Connection = psycopg.Connection[Any]

_SQL = statements(__package__ or "", "digests.sql")
_AS_ALWAYS = {
    "bytea_output": "hex",
    "datestyle": "ISO",
    "extra_float_digits": "1",
    "intervalstyle": "postgres",
    "search_path": "",
    "timezone": "UTC",
    "xmloption": "content",
}
"""What text depends on, whatever the session has set."""


class SchemaDigest(msgspec.Struct, frozen=True):
    """A schema.

    Attributes:
        objects: Each object's definition by what it is and its name: ``"column public.job.source"``.
    """

    objects: Mapping[str, str]


class TableDigest(msgspec.Struct, frozen=True):
    """The rows of a table.

    Attributes:
        rows: How many there are.
        hash: A sum of their hashes, which does not depend on their order.
        columns: The columns that it covers.
    """

    rows: int
    hash: str
    columns: tuple[str, ...]


class DataDigest(msgspec.Struct, frozen=True):
    """The rows of some tables.

    Attributes:
        tables: By their names with the schema.
    """

    tables: Mapping[str, TableDigest]


def schema_digest(connection: Connection) -> SchemaDigest:
    """Take the digest of every schema of a database but Postgres' own and that of the record of migrations.

    It has tables, columns, constraints, indexes, triggers, rules, policies, views, functions, sequences, types,
    extensions, comments, owners and privileges.
    """
    with _as_always(connection), connection.cursor(row_factory=tuple_row) as cursor:
        return SchemaDigest(dict(sorted(cursor.execute(_SQL["schema"].encode()).fetchall())))


def data_digest(
    connection: Connection,
    tables: Sequence[Table],
    *,
    columns: Mapping[str, Sequence[str]] | None = None,
    where: Mapping[str, str] | None = None,
) -> DataDigest:
    """Take the digest of the rows of tables, those of partitions with the tables that they belong to.

    Args:
        connection: Each row is read once.
        tables: The tables.
        columns: Which columns count, by the table's name with its schema; tables that are not in it are left out. By
            default all columns of all tables.
        where: For some tables, by the same names, a condition on the rows that count: such as were there before.
    """
    found = {}
    with _as_always(connection), connection.cursor(row_factory=tuple_row) as cursor:
        for table in tables:
            if table.partition_of is not None or (columns is not None and table.title not in columns):
                continue
            names = sorted(columns[table.title] if columns is not None else (each.name for each in table.columns))
            sql = _SQL["data"].format(
                columns=", ".join(map(identifier, names)),
                table=table.own_sql,
                condition=(where or {}).get(table.title, "true"),
            )
            ((rows, hashed),) = cursor.execute(sql.encode()).fetchall()
            found[table.title] = TableDigest(rows, hashed, tuple(names))
    return DataDigest(found)


def differences(before: SchemaDigest | DataDigest, after: SchemaDigest | DataDigest) -> tuple[str, ...]:
    """Return a sentence for each object that differs; none says a value of a row.

    Raises:
        TypeError: If one is a schema and the other is data.
    """
    match before, after:
        case SchemaDigest(), SchemaDigest():
            return tuple(_of_schemas(before.objects, after.objects))
        case DataDigest(), DataDigest():
            return tuple(_of_data(before.tables, after.tables))
        case _:
            raise TypeError("a schema cannot be compared with data")


def _of_schemas(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{name} is gone; it was: {before[name]}"
        elif name not in before:
            yield f"{name} is new: {after[name]}"
        elif before[name] != after[name]:
            yield f"{name} was: {before[name]}; it is: {after[name]}"


def _of_data(before: Mapping[str, TableDigest], after: Mapping[str, TableDigest]) -> Iterator[str]:
    for title in sorted(before.keys() | after.keys()):
        if title not in after:
            yield f"{title} is gone"
        elif title not in before:
            yield f"{title} is new"
        elif before[title].columns != after[title].columns:
            yield f"{title} was compared by other columns"
        elif before[title].rows != after[title].rows:
            yield f"{title} had {before[title].rows} rows; it has {after[title].rows}"
        elif before[title].hash != after[title].hash:
            yield f"{title} has as many rows, and not the same ones"


@contextmanager
def _as_always(connection: Connection) -> Iterator[None]:
    """Have values and names printed in one way, in one transaction."""
    with connection.transaction():
        before = {name: connection.execute("select current_setting(%s)", [name]).fetchall()[0] for name in _AS_ALWAYS}
        for name, value in _AS_ALWAYS.items():
            connection.execute("select set_config(%s, %s, true)", [name, value])
        yield
        for name, value in before.items():
            connection.execute("select set_config(%s, %s, true)", [name, *_only(value)])


def _only(row: Any) -> list[str]:
    return list(row.values()) if isinstance(row, dict) else list(row)

"""How full the tables of a database are, and how its values are spread: from its statistics, without a look at a row.

No value is taken along but those of enums and booleans, so that what is read in production may leave it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.statements import statements

if TYPE_CHECKING:
    import psycopg

with extra("migrations"):
    from psycopg.rows import tuple_row

__all__ = ["ColumnStatistics", "Statistics", "TableStatistics", "read_statistics"]


class ColumnStatistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the values of a column are spread.

    Attributes:
        null_share: Which part of the rows has none.
        distinct: How many different ones there are; negative if that is a part of the rows, as in ``pg_stats``.
        width: How many bytes one takes on the average.
        frequencies: How often the most common ones are, each as a part of the rows.
        values: The most common ones themselves; only of enums and booleans.
    """

    null_share: float = 0.0
    distinct: float = 0.0
    width: int = 0
    frequencies: tuple[float, ...] = ()
    values: tuple[str, ...] | None = None

    def distinct_of(self, rows: int) -> int:
        """Return how many different values that many rows have; 0 if nothing is known."""
        return round(-self.distinct * rows) if self.distinct < 0 else min(round(self.distinct), rows)


class TableStatistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How full a table is.

    Attributes:
        rows: How many rows Postgres estimates, with those of its partitions.
        columns: Of each column that statistics are known of.
    """

    rows: int
    columns: Mapping[str, ColumnStatistics] = {}


class Statistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How full the tables of a database are.

    Attributes:
        tables: By their names with the schema: ``"public.job"``; without partitions.
        unknown: The tables that nothing is known of, as they were never analyzed.
    """

    tables: Mapping[str, TableStatistics] = {}
    unknown: tuple[str, ...] = ()

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each table has, as `fill` takes it."""
        return {title: table.rows for title, table in self.tables.items()}

    def scaled(self, share: float) -> Statistics:
        """Return the same for tables that have a part of the rows, or a multiple; of a table with any, one is left."""
        return msgspec.structs.replace(
            self,
            tables={
                title: msgspec.structs.replace(table, rows=max(round(table.rows * share), min(table.rows, 1)))
                for title, table in self.tables.items()
            },
        )

    def encoded(self) -> bytes:
        """Return it as JSON, to be kept in a file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @classmethod
    def decoded(cls, content: bytes) -> Statistics:
        """Read the JSON of `encoded`.

        Raises:
            ValueError: If it is none; the text says where.
        """
        return msgspec.json.decode(content, type=cls)


def read_statistics(connection: psycopg.Connection[Any]) -> Statistics:
    """Read the statistics of a database; whoever may read its tables may do that.

    What was never analyzed, nor vacuumed, has none; its tables are named as unknown.
    """
    sql = statements(__package__ or "", "statistics.sql")
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(sql["rows"]).fetchall()
        columns = cursor.execute(sql["columns"]).fetchall()
    spread: dict[str, dict[str, ColumnStatistics]] = {}
    for title, name, null_share, distinct, width, frequencies, values in columns:
        spread.setdefault(title, {})[name] = ColumnStatistics(
            null_share=null_share,
            distinct=distinct,
            width=width,
            frequencies=tuple(frequencies or ()),
            values=None if values is None else tuple(values),
        )
    return Statistics(
        tables={
            title: TableStatistics(rows=count, columns=spread.get(title, {}))
            for title, count in rows
            if count is not None
        },
        unknown=tuple(title for title, count in rows if count is None),
    )

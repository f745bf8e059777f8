"""The keys that rows refer to, numbered, so that one can be drawn by its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.statements import identifier, statements

if TYPE_CHECKING:
    import psycopg

    from jobarium_events.migrations.rehearsal.data.draws import Draw
    from jobarium_events.migrations.rehearsal.data.tables import ForeignKey, Table

with extra("migrations"):
    from psycopg.rows import tuple_row

__all__ = ["Keys", "NumberedKeys"]

_SQL = statements(__package__ or "", "volumes.sql")


class Keys(msgspec.Struct, frozen=True):
    """The numbered keys of one table.

    Attributes:
        sql: The name of the temporary table that has them, quoted.
        count: How many there are.
        within: The columns within whose values they are numbered; empty if they are numbered throughout.
    """

    sql: str
    count: int
    within: tuple[str, ...] = ()

    def at(self, column: str, place: str) -> str:
        """Return SQL of a column of the key with a number."""
        return _SQL["key_at"].format(column=identifier(column), keys=self.sql, place=place)

    def drawn(self, column: str, given: dict[str, str], draw: Draw) -> str:
        """Return SQL of a column of any key that has the given values of the columns within which they are numbered."""
        same = " and ".join(f"_keys.{identifier(name)} = {value}" for name, value in given.items())
        count = _SQL["key_count"].format(keys=self.sql, same=same)
        place = draw.below(count)
        return _SQL["key_within"].format(column=identifier(column), keys=self.sql, same=same, place=place)


class NumberedKeys:
    """Numbers keys when they are first asked for.

    Args:
        connection: In a transaction, at whose end they are forgotten.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._made: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Keys] = {}

    def of(self, table: Table, key: ForeignKey, within: tuple[str, ...] = ()) -> Keys:
        """Return the keys of the table that a foreign key refers to.

        Args:
            table: That table.
            key: The foreign key.
            within: Columns of that table within whose values the keys are to be numbered.
        """
        asked = (table.title, key.referred, within)
        if asked not in self._made:
            self._made[asked] = self._numbered(table, key, within)
        return self._made[asked]

    def forget(self) -> None:
        """Drop them: rows have been added since, or there is no more use for them."""
        for keys in self._made.values():
            self._connection.execute(f"drop table {keys.sql}".encode())
        self._made.clear()

    def _numbered(self, table: Table, key: ForeignKey, within: tuple[str, ...]) -> Keys:
        name = identifier("pg_temp", f"jobarium_keys_{len(self._made)}")
        sql = _SQL["keys_within"] if within else _SQL["keys"]
        filled = sql.format(
            keys=name,
            table=table.sql,
            columns=", ".join(map(identifier, key.referred)),
            within=", ".join(map(identifier, within)),
            given=" and ".join(f"{identifier(each)} is not null" for each in key.referred),
        )
        for statement in filled.split(";\n"):
            self._connection.execute(statement.encode())
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            ((count,),) = cursor.execute(_SQL["count"].format(table=name).encode()).fetchall()
        return Keys(name, count, within)

"""The tables of a database, as frozen values: what a rehearsal fills, watches and compares.

Tables of extensions, temporary ones, those of Postgres itself and the record of migrations are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.data.types import Types, ValueType, read_types
from jobarium_events.statements import identifier, statements

with extra("migrations"):
    import psycopg
    from psycopg.rows import dict_row

__all__ = ["Check", "Column", "ForeignKey", "Index", "Table", "Unique", "read_tables"]

Connection = psycopg.Connection[Any]

_OF_TABLE = ("schema", "name", "partitioned", "inherited", "bounds", "rows", "bytes", "index_bytes")
_OF_COLUMN = ("name", "declared", "default", "generated", "identity", "collation")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column.

    Attributes:
        name: Its name.
        declared: Its type as SQL declares it: ``"numeric(10,2)"``, ``"public.mood"``.
        type: The same type, taken apart.
        not_null: Whether it, or its domain, forbids nulls.
        default: The expression of its default.
        generated: The expression that Postgres computes it by.
        identity: ``a`` if it is one that is generated always, ``d`` if by default, empty if it is none.
        collation: Where it is not that of its type.
    """

    name: str
    declared: str
    type: ValueType
    not_null: bool
    default: str | None = None
    generated: str | None = None
    identity: str = ""
    collation: str | None = None

    @property
    def is_counted(self) -> bool:
        """Whether its values come from a sequence."""
        return bool(self.identity) or (self.default or "").startswith("nextval(")


class Unique(msgspec.Struct, frozen=True):
    """Columns whose values are unique, by a constraint or by an index, which may be on some rows only.

    Attributes:
        name: Of the constraint or the index.
        columns: The columns; those that an expression or a condition reads are among them.
        deferrable: Whether Postgres may look at it only in the end.
        nulls_differ: Whether any number of rows may have a null.
        partial: Whether it is on some rows only, or keeps apart what is made from the columns.
    """

    name: str
    columns: tuple[str, ...]
    deferrable: bool = False
    nulls_differ: bool = True
    partial: bool = False


class ForeignKey(msgspec.Struct, frozen=True):
    """A reference to rows of a table.

    Attributes:
        name: Its name.
        columns: The columns that refer.
        table: The table that they refer to, with its schema: ``"public.person"``.
        referred: The columns that they refer to.
        deferrable: Whether Postgres may look at it only in the end.
    """

    name: str
    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]
    deferrable: bool = False


class Check(msgspec.Struct, frozen=True):
    """A condition on each row.

    Attributes:
        name: Its name.
        condition: The expression.
    """

    name: str
    condition: str


class Index(msgspec.Struct, frozen=True):
    """An index.

    Attributes:
        name: Its name.
        definition: The statement that makes it.
        unique: Whether its values are.
        valid: Whether queries may use it.
        bytes: Its size.
    """

    name: str
    definition: str
    unique: bool
    valid: bool
    bytes: int


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table.

    Attributes:
        schema: Its schema.
        name: Its name.
        columns: In their order.
        primary_key: Its columns; empty if there is none.
        uniques: The primary key, other unique columns, and what exclusion constraints keep apart.
        foreign_keys: What it refers to.
        checks: What holds for each row.
        indexes: All of them.
        partitioned: Whether rows are kept in its partitions.
        inherited: Whether there are tables that inherit from it and are no partitions of it.
        partition_of: The table whose partition it is, with its schema.
        bounds: As a condition, which rows a partition takes; None if it takes what no other does.
        rows: How many rows Postgres estimates.
        bytes: The size without its indexes.
        index_bytes: The size of its indexes.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    uniques: tuple[Unique, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    partitioned: bool = False
    inherited: bool = False
    partition_of: str | None = None
    bounds: str | None = None
    rows: int = 0
    bytes: int = 0
    index_bytes: int = 0

    @property
    def title(self) -> str:
        """Its name with its schema: ``"public.job"``."""
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The same, quoted for SQL."""
        return identifier(self.schema, self.name)

    @property
    def own_sql(self) -> str:
        """The same, for what reads or writes the rows that are its own and not those of tables that inherit from it."""
        return f"only {self.sql}" if self.inherited else self.sql

    def column(self, name: str) -> Column:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)


def read_tables(connection: Connection) -> tuple[Table, ...]:
    """Read the tables of a database, in the order of their schemas and names."""
    sql = statements(__package__ or "", "tables.sql")
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql["tables"]).fetchall()
        parts = {
            name: cursor.execute(sql[name], [[row["oid"] for row in rows]]).fetchall()
            for name in ("columns", "constraints", "indexes")
        }
    return tuple(_Reader(read_types(connection), rows, parts).tables())


_Rows = Sequence[Mapping[str, Any]]


class _Reader:
    """Puts together what was read of the tables."""

    def __init__(self, types: Types, rows: _Rows, parts: Mapping[str, _Rows]) -> None:
        self._types = types
        self._rows = rows
        self._titles = {row["oid"]: f"{row['schema']}.{row['name']}" for row in rows}
        self._names = {(row["table"], row["number"]): row["name"] for row in parts["columns"]}
        self._parts: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
        for part, found in parts.items():
            for row in found:
                self._parts.setdefault((part, row["table"]), []).append(row)

    def tables(self) -> Iterator[Table]:
        for row in self._rows:
            oid = row["oid"]
            constraints = self._parts.get(("constraints", oid), [])
            keys = [self._named(oid, each["columns"]) for each in constraints if each["kind"] == "p"]
            yield Table(
                columns=tuple(map(self._column, self._parts.get(("columns", oid), []))),
                primary_key=keys[0] if keys else (),
                uniques=tuple(self._uniques(oid)),
                foreign_keys=tuple(self._foreign_keys(oid, constraints)),
                checks=tuple(Check(each["name"], each["condition"]) for each in constraints if each["kind"] == "c"),
                indexes=tuple(
                    Index(each["name"], each["definition"], each["unique"], each["valid"], each["bytes"])
                    for each in self._parts.get(("indexes", oid), [])
                ),
                partition_of=self._titles.get(row["parent"]),
                **{name: row[name] for name in _OF_TABLE},
            )

    def _column(self, row: Mapping[str, Any]) -> Column:
        kind = self._types.of(row["type"], row["modifier"])
        not_null = row["not_null"] or kind.not_null
        return Column(type=kind, not_null=not_null, **{name: row[name] for name in _OF_COLUMN})

    def _uniques(self, oid: int) -> Iterator[Unique]:
        for row in self._parts.get(("indexes", oid), []):
            if row["unique"] or row["exclusion"]:
                columns = self._named(oid, row["columns"])
                yield Unique(row["name"], columns, row["deferrable"], row["nulls_differ"], row["partial"])

    def _foreign_keys(self, oid: int, constraints: _Rows) -> Iterator[ForeignKey]:
        for row in constraints:
            if row["kind"] == "f" and row["target"] in self._titles:
                columns, referred = self._named(oid, row["columns"]), self._named(row["target"], row["referred"])
                yield ForeignKey(row["name"], columns, self._titles[row["target"]], referred, row["deferrable"])

    def _named(self, oid: int, numbers: Sequence[int]) -> tuple[str, ...]:
        return tuple(self._names[oid, number] for number in numbers)

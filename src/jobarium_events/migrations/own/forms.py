"""Whether tables are of the form that migrations make: their columns, their indexes, and what is unique in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.files.parsing import Statement, enum_name
from jobarium_events.migrations.own.sources import shown
from jobarium_events.statements import identifier, statements

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Additions", "Form", "Key", "Place", "additions", "form", "place"]

_SQL = statements(__package__, "forms.sql")
_KEYS = ("CONSTR_PRIMARY", "CONSTR_UNIQUE")
_KINDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "p": "a partitioned table",
    "S": "a sequence",
    "i": "an index",
    "I": "an index",
    "c": "a type",
}

Key = frozenset[str]
"""Columns that are unique together."""


class Place(msgspec.Struct, frozen=True):
    """Where a table is, or would be made.

    Attributes:
        schema: The schema; None if the search path leads to none.
        is_there: Whether there is such a schema.
        is_open: Whether this role may make tables in it.
        role: The role.
    """

    schema: str | None
    is_there: bool
    is_open: bool
    role: str


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """How the tables that are there differ from those that migrations make.

    Attributes:
        missing: Tables that are not there.
        others: What is no table: its name, and what it is.
        columns: Columns that are lacking, in order.
        has: The columns of a table of which some are lacking.
        keys: What is not unique and ought to be.
        narrow: What is unique by itself and ought to be so with other columns alone.
        indexes: What makes each index that is lacking, or is not valid.
    """

    missing: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    narrow: tuple[Key, ...] = ()
    indexes: tuple[Statement, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether a table that is there is of another form, its plain indexes aside."""
        return bool(self.others or self.columns or self.keys or self.narrow)

    def __str__(self) -> str:
        """Return in words what is there in place of what."""
        if self.others:
            return ", ".join(f"{name} is {kind}, and no table" for name, kind in self.others)
        if self.columns:  # what is unique, and by which index, does not matter then
            return f"it has no column {', '.join(self.columns)}, but {', '.join(self.has) or 'none at all'}"
        parts = [f"there is no table {name}" for name in self.missing]
        parts += [f"it has no unique index on {', '.join(sorted(key))}" for key in self.keys]
        parts += [f"it has a unique index on {', '.join(sorted(key))} alone" for key in self.narrow]
        parts += [f"it has no valid index {index.node.idxname}" for index in self.indexes]
        return ", and ".join(parts)


class Additions(msgspec.Struct, frozen=True):
    """What migrations add to tables that are there.

    Attributes:
        columns: The columns.
        keys: What makes each set of columns unique.
    """

    columns: frozenset[str]
    keys: dict[Key, Statement]


class _Table(msgspec.Struct):
    """A table as it is made.

    Attributes:
        name: As SQL has it.
        columns: Their names.
        unique: The sets of columns that are unique.
        indexes: What makes its other indexes.
    """

    name: str
    columns: list[str] = []
    unique: list[Key] = []
    indexes: list[Statement] = []


class _Index(msgspec.Struct, frozen=True):
    name: str
    is_unique: bool
    columns: Key


def place(connection: Connection[Any], table: str) -> Place:
    """Return where a table is, or would be made.

    Args:
        connection: To the database.
        table: Its name, as SQL has it.
    """
    return Place(*connection.execute(_SQL["place"], {"name": table}).fetchall()[0])


def form(connection: Connection[Any], migrations: Iterable[Migration]) -> Form:
    """Compare what is there with what migrations make."""
    found: dict[str, list[Any]] = {name: [] for name in Form.__struct_fields__}
    for table in _tables(migrations):
        row = connection.execute(_SQL["table"], [table.name]).fetchone()
        if row is None:
            found["missing"].append(shown(table.name))
        elif row[1] != "r":
            found["others"].append((shown(table.name), _KINDS.get(row[1], "something else")))
        else:
            for name, difference in _differences(connection, table, row[0]):
                found[name].append(difference)
    return Form(**{name: tuple(each) for name, each in found.items()})


def additions(migrations: Iterable[Migration]) -> Additions:
    """Return what migrations add to tables that are there."""
    columns: set[str] = set()
    keys: dict[Key, Statement] = {}
    for statement in (each for migration in migrations for each in migration.up):
        if statement.kind == "alter_table_stmt":
            commands = [each.alter_table_cmd for each in statement.node.cmds]
            columns |= {getattr(each, "def").column_def.colname for each in commands} - {""}
        elif statement.kind == "index_stmt" and statement.node.unique:
            keys[frozenset(each.index_elem.name for each in statement.node.index_params)] = statement
    return Additions(frozenset(columns), keys)


def _differences(connection: Connection[Any], table: _Table, oid: int) -> Iterator[tuple[str, Any]]:
    columns = [name for (name,) in connection.execute(_SQL["columns"], [oid])]
    lacking = [column for column in table.columns if column not in columns]
    yield from (("columns", column) for column in lacking)
    if lacking:
        yield from (("has", column) for column in columns)
    rows = connection.execute(_SQL["indexes"], [oid]).fetchall()
    valid = [_Index(name, is_unique, frozenset(of)) for name, is_valid, is_unique, of in rows if is_valid]
    names = [index.name for index in valid]
    yield from (("indexes", each) for each in table.indexes if each.node.idxname not in names)
    unique = [index.columns for index in valid if index.is_unique]
    yield from (("keys", key) for key in table.unique if key not in unique)
    yield from (("narrow", each) for each in unique if any(each < key for key in table.unique))


def _tables(migrations: Iterable[Migration]) -> Iterable[_Table]:
    tables: dict[str, _Table] = {}
    for migration in migrations:
        for statement in migration.up:
            node = statement.node
            if statement.kind == "create_stmt":
                tables[_name(node)] = _made(node)
            elif statement.kind == "index_stmt":
                tables[_name(node)].indexes.append(statement)
    return tables.values()


def _name(node: Any) -> str:
    return identifier(node.relation.schemaname or None, node.relation.relname)


def _made(node: Any) -> _Table:
    table = _Table(_name(node))
    for element in node.table_elts:
        column = element.column_def.colname
        if column:
            table.columns.append(column)
        constraints = [each.constraint for each in element.column_def.constraints] or [element.constraint]
        for each in constraints:
            if enum_name(each, "contype") in _KEYS:
                table.unique.append(frozenset(key.string.sval for key in each.keys) or frozenset([column]))
    return table

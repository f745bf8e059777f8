"""The ranges of a table's key, one after the other, as its unique index has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.backfills.refusals import BackfillRefused
from jobarium_events.migrations.running.failures import said_by
from jobarium_events.statements import identifier, statements

with extra("migrations"):
    import psycopg
    from psycopg import RawCursor
    from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from jobarium_events.migrations.files.header import Backfill
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["Key", "Range", "Ranges", "checked"]

Key = tuple[str, ...]
"""The values of a key as texts, whatever their types: Postgres reads back what it wrote."""

_SQL = statements(__package__ or "", "backfilling.sql")
_SAMPLED = 1000  # blocks, by which an estimate is off by some 3 %
_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "i": "an index"}


class Range(msgspec.Struct, frozen=True):
    """Some rows that follow each other in the order of their keys.

    Attributes:
        first: The key of the first row.
        last: The key of the last row.
        rows: How many there were when they were counted.
        is_last: Whether nothing came after it then.
    """

    first: Key
    last: Key
    rows: int
    is_last: bool


class Ranges:
    """The ranges of one table's key.

    Args:
        migration: One with a backfill.

    Raises:
        BackfillRefused: If its statement sets a column of the key.
    """

    def __init__(self, migration: Migration) -> None:
        self._backfill, _ = checked(migration)
        self._migration = migration.id
        columns = [identifier(each) for each in self._backfill.key]
        self._names = {
            "columns": ", ".join(columns),
            "texts": f"array[{', '.join(f'{each}::text' for each in columns)}]",
            "ascending": ", ".join(columns),
            "descending": ", ".join(f"{each} desc" for each in columns),
        }
        values = ", ".join(f"${place}" for place, _ in enumerate(columns, 1))
        self._after = f" where ({', '.join(columns)}) > ({values})"

    def check(self, connection: psycopg.Connection[Any]) -> None:
        """Ask the catalog whether the table can be gone through by its key; to be called before all else.

        Raises:
            BackfillRefused: If it cannot.
        """
        self._names["table"] = self._checked(connection)

    def next(self, connection: psycopg.Connection[Any], after: Key | None, rows: int) -> Range | None:
        """Return the next range.

        Args:
            connection: To the database.
            after: The last key of the range before; None for the first range.
            rows: How many rows it is to have; the last one has fewer.

        Returns:
            The range; None if there are no rows any more.
        """
        first, last = self._row(connection, "probe", after, skipped=rows - 1)
        if first is None:
            return None
        if last is not None:
            return Range(tuple(first), tuple(last), rows, is_last=False)
        count, last = self._row(connection, "rest", after, limit=rows)
        if last is None:  # deleted in the meantime
            return None
        return Range(tuple(first), tuple(last), count, is_last=count < rows)

    def left(self, connection: psycopg.Connection[Any], after: Key | None) -> int:
        """Return about how many rows come after a key, from a thousand blocks of the table at most.

        The planner knows it only from statistics. Where none were taken it says a third, whatever the key; and where
        they are older than most rows, nothing.
        """
        cursor = RawCursor(connection, row_factory=tuple_row)
        found = cursor.execute(_SQL["blocks"].encode(), [self._names["table"]]).fetchone()
        blocks = 0 if found is None else int(found[0])
        share = _SAMPLED / max(blocks, _SAMPLED)
        (counted,) = self._row(connection, "sampled", after, percent=100 * share)
        return round(int(counted) / share)

    def _row(self, connection: psycopg.Connection[Any], name: str, after: Key | None, **numbers: float) -> Any:
        names = {**self._names, "after": "" if after is None else self._after, **numbers}
        cursor = RawCursor(connection, row_factory=tuple_row)
        # Never prepared: a plan is made for these very keys.
        return cursor.execute(_SQL[name].format_map(names).encode(), after or (), prepare=False).fetchone()

    def _checked(self, connection: psycopg.Connection[Any]) -> str:
        """Return the table's full name, quoted, if it can be gone through by the key."""
        cursor = RawCursor(connection, row_factory=tuple_row)
        shown = self._backfill.table
        try:
            found = cursor.execute(_SQL["relation"].encode(), [self._backfill.table]).fetchone()
        except psycopg.errors.DatabaseError as error:
            if connection.broken:
                raise
            raise self._refusal(f"its table {shown!r} is no name: {said_by(error)}") from None
        if found is None:
            raise self._refusal(
                f"there is no table {self._backfill.table}; apply its `up` first, or name the table's schema"
            )
        oid, kind, has_children, name = found
        if kind not in "rp":
            raise self._refusal(f"{shown} is {_KINDS.get(kind, 'no table')}; name the table below it")
        if kind == "r" and has_children:
            raise self._refusal(
                f"{shown} has tables that inherit from it, and no key is unique across them; go through each by a "
                "migration of its own"
            )
        for problem in self._problems(cursor, oid):
            raise self._refusal(problem)
        return str(name)

    def _problems(self, cursor: RawCursor[Any], oid: int) -> Iterator[str]:
        key = list(self._backfill.key)
        shown = f"({', '.join(key)})"
        not_null = dict(cursor.execute(_SQL["key_columns"].encode(), [oid, key]).fetchall())
        for column in key:
            if column not in not_null:
                yield f"its key has a column {column!r}, and the table {self._backfill.table} has none of this name"
            elif not not_null[column]:
                yield (
                    f"its key's column {column!r} may be null, and a row without a key would be left out; "
                    "take a key whose columns are all NOT NULL, best the primary key"
                )
        indexes = cursor.execute(_SQL["unique_indexes"].encode(), [oid, key]).fetchall()
        if not indexes:
            yield (
                f"{self._backfill.table} has no unique index over just the columns {shown} in this order, valid, "
                "immediate and not partial; take the columns of the primary key, as it has them"
            )
        elif not any(collates for _, collates, _ in indexes):
            yield (
                f"the unique index over {shown} sorts by another collation than the columns, so ranges of keys are "
                "not those that it has; take another key"
            )
        elif not any(collates and sorts for _, collates, sorts in indexes):
            yield (
                f"the unique index over {shown} does not sort as its columns compare: it has another operator class, "
                "nulls at the other end, or both ascending and descending columns; take another key"
            )

    def _refusal(self, problem: str) -> BackfillRefused:
        return BackfillRefused(self._migration, problem)


def checked(migration: Migration) -> tuple[Backfill, Statement]:
    """Return how a migration's backfill goes, and its statement, if that leaves the key alone.

    Raises:
        BackfillRefused: If it does not, or if there is none.
    """
    header, statement = migration.header.backfill, migration.backfill
    if header is None or statement is None:
        raise BackfillRefused(migration.id, "it has none; its file has no section backfill")
    for name in _set_keys(header, statement):
        raise BackfillRefused(
            migration.id,
            f"the statement on line {statement.line} of {migration.path.name} sets {name!r}, a column of the key by "
            "which it goes: a row could be met twice, or not at all; go through the table by another key",
        )
    return header, statement


def _set_keys(header: Backfill, statement: Statement) -> Iterator[str]:
    table = header.table.rpartition(".")[2].replace('"', "").lower()
    updates = [*_nodes(statement.node, "UpdateStmt"), *_nodes(statement.node, "MergeStmt")]
    for update in updates:
        if update.relation.relname.lower() != table:
            continue
        whens = list(_nodes(update, "MergeWhenClause")) or [update]
        for target in (each for when in whens for each in when.target_list):
            if target.res_target.name in header.key:
                yield target.res_target.name


def _nodes(tree: Any, kind: str) -> Iterator[Any]:
    """Yield the nodes of a kind in a tree of the parser, its root included."""
    if tree.DESCRIPTOR.name == kind:
        yield tree
    for field, value in tree.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else (value,):
                yield from _nodes(inner, kind)

"""Dead letters in a table of Postgres: kept whole, looked through, replayed and dropped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.deadletters import (
    BeingReplayed,
    DeadLetter,
    KeptLetter,
    LetterFilter,
    LetterKind,
    NoLetter,
    storable_fields,
)
from jobarium_events.extras import extra
from jobarium_events.findings import Violation
from jobarium_events.postgres.connecting import Connections, Source
from jobarium_events.postgres.missing import Maker
from jobarium_events.statements import identifier, statements

with extra("postgres"):
    import psycopg
    from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from psycopg import AsyncCursor, Cursor

__all__ = ["AsyncPostgresDeadLetters", "PostgresDeadLetters"]

_ALL = LetterFilter()


class _Table:
    """The table and its statements, however they are run.

    Args:
        connections: A pool, or a function that opens a connection.
        schema: Where the table is; by default wherever the connections' search path leads.
        table: The table's name.
    """

    def __init__(self, connections: Source, *, schema: str | None = None, table: str = "dead_letter") -> None:
        self._connections = Connections(self, connections)
        name = identifier(schema, table)
        chosen = None if (schema, table) == (None, "dead_letter") else ".".join(filter(None, (schema, table)))
        self._maker = Maker(name, "dead-letters", {"table": chosen}, kind="store of dead letters")
        texts = statements(__package__, "deadletters.sql")
        self.names = {"dead_letter": name}
        """What stands in its SQL, by the names that its SQL has for it."""
        self.tables: str = texts["tables"].format_map(self.names)
        """The SQL that makes its table, for a migration."""
        escaped = {"dead_letter": name.replace("%", "%%")}
        self._sql = {key: text.format_map(escaped).encode() for key, text in texts.items()}


class PostgresDeadLetters(_Table):
    """A store of dead letters over sync connections: ``Consumer(dead_letters=PostgresDeadLetters(pool))``.

    Each letter is committed before the consumer returns.

    Args:
        connections: A `psycopg_pool.ConnectionPool`, or a function that opens a connection for each use.
        schema: Where the table is; by default wherever the connections' search path leads.
        table: The table's name.
    """

    def __call__(self, letter: DeadLetter) -> None:
        """Keep a letter."""
        self._count("keep", storable_fields(letter))

    def list(self, which: LetterFilter = _ALL, *, after: int = 0, limit: int = 100) -> Sequence[KeptLetter]:
        """Return the first letters that a filter means, in the order of their ids, beginning after an id."""
        return [_letter(row) for row in self._rows("list", _asked(which, after, limit))]

    def kinds(self) -> Sequence[LetterKind]:
        """Return of which events, versions, reasons and consumers there are letters, and how many."""
        return [LetterKind(*row) for row in self._rows("kinds", {})]

    def get(self, id: int) -> KeptLetter | None:  # noqa: A002 - the column's name
        """Return one letter, or None if it is not there."""
        rows = self._rows("one", {"id": id})
        return _letter(rows[0]) if rows else None

    def drop(self, ids: Iterable[int]) -> int:
        """Forget letters, and return how many of them were there."""
        return self._count("drop", {"ids": list(ids)})

    @contextmanager
    def replaying(self, id: int) -> Iterator[KeptLetter]:  # noqa: A002 - the column's name
        """Keep a letter from other replays for a block that replays it; it is noted at the end, unless that raises.

        Its row is locked in a transaction, so a replay that is killed lets go of it.

        Raises:
            BeingReplayed: If another replay has it.
            NoLetter: If it is not there.
        """
        with self._connections.one() as connection, connection.transaction():
            cursor: Cursor[tuple[Any, ...]] = psycopg.Cursor(connection, row_factory=tuple_row)
            cursor.execute(self._sql["begin_replaying"])
            with self._maker.explained():
                row = cursor.execute(self._sql["claim"], {"id": id}).fetchone()
            if row is None:
                raise _unclaimed(id, cursor.execute(self._sql["one"], {"id": id}).fetchone())
            yield _letter(row)
            cursor.execute(self._sql["replayed"], {"id": id})

    def _rows(self, name: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
        with self._connections.one() as connection, self._maker.explained(), connection.transaction():
            cursor: Cursor[tuple[Any, ...]] = psycopg.Cursor(connection, row_factory=tuple_row)
            return cursor.execute(self._sql[name], parameters).fetchall()

    def _count(self, name: str, parameters: dict[str, Any]) -> int:
        with self._connections.one() as connection, self._maker.explained(), connection.transaction():
            return psycopg.Cursor(connection).execute(self._sql[name], parameters).rowcount


class AsyncPostgresDeadLetters(_Table):
    """As `PostgresDeadLetters`, over async connections, for a consumer whose events come by `aconsume`.

    Args:
        connections: A `psycopg_pool.AsyncConnectionPool`, or an async function that opens a connection for each use.
        schema: Where the table is; by default wherever the connections' search path leads.
        table: The table's name.
    """

    async def __call__(self, letter: DeadLetter) -> None:
        """Keep a letter."""
        await self._count("keep", storable_fields(letter))

    async def list(self, which: LetterFilter = _ALL, *, after: int = 0, limit: int = 100) -> Sequence[KeptLetter]:
        """Return the first letters that a filter means, in the order of their ids, beginning after an id."""
        return [_letter(row) for row in await self._rows("list", _asked(which, after, limit))]

    async def kinds(self) -> Sequence[LetterKind]:
        """Return of which events, versions, reasons and consumers there are letters, and how many."""
        return [LetterKind(*row) for row in await self._rows("kinds", {})]

    async def get(self, id: int) -> KeptLetter | None:  # noqa: A002 - the column's name
        """Return one letter, or None if it is not there."""
        rows = await self._rows("one", {"id": id})
        return _letter(rows[0]) if rows else None

    async def drop(self, ids: Iterable[int]) -> int:
        """Forget letters, and return how many of them were there."""
        return await self._count("drop", {"ids": list(ids)})

    @asynccontextmanager
    async def replaying(self, id: int) -> AsyncIterator[KeptLetter]:  # noqa: A002 - the column's name
        """As `PostgresDeadLetters.replaying`."""
        async with self._connections.aone() as connection, connection.transaction():
            cursor: AsyncCursor[tuple[Any, ...]] = psycopg.AsyncCursor(connection, row_factory=tuple_row)
            await cursor.execute(self._sql["begin_replaying"])
            with self._maker.explained():
                row = await (await cursor.execute(self._sql["claim"], {"id": id})).fetchone()
            if row is None:
                raise _unclaimed(id, await (await cursor.execute(self._sql["one"], {"id": id})).fetchone())
            yield _letter(row)
            await cursor.execute(self._sql["replayed"], {"id": id})

    async def _rows(self, name: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
        async with self._connections.aone() as connection:
            with self._maker.explained():
                async with connection.transaction():
                    cursor: AsyncCursor[tuple[Any, ...]] = psycopg.AsyncCursor(connection, row_factory=tuple_row)
                    return await (await cursor.execute(self._sql[name], parameters)).fetchall()

    async def _count(self, name: str, parameters: dict[str, Any]) -> int:
        async with self._connections.aone() as connection:
            with self._maker.explained():
                async with connection.transaction():
                    return (await psycopg.AsyncCursor(connection).execute(self._sql[name], parameters)).rowcount


def _unclaimed(id: int, there: tuple[Any, ...] | None) -> BeingReplayed | NoLetter:  # noqa: A002 - the column's name
    return NoLetter(id) if there is None else BeingReplayed(id)


def _asked(which: LetterFilter, after: int, limit: int) -> dict[str, Any]:
    return {**msgspec.structs.asdict(which), "after": after, "limit": limit}


def _letter(row: tuple[Any, ...]) -> KeptLetter:
    fields = dict(zip(KeptLetter.__struct_fields__, row, strict=True))
    fields["attributes"] = json.loads(fields["attributes"])
    fields["violations"] = msgspec.json.decode(fields["violations"], type=tuple[Violation, ...])
    return KeptLetter(**fields)

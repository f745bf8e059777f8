"""The outbox: events that a service writes in its own transaction, so that they are there exactly if it commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, overload
from zlib import crc32

import msgspec
import orjson

from jobarium_events.errors import DeclarationError
from jobarium_events.extras import extra
from jobarium_events.inboxes import storable
from jobarium_events.postgres.missing import MISSING, Maker
from jobarium_events.statements import identifier, statements

with extra("postgres"):
    import psycopg
    from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from sqlalchemy import Connection as AlchemyConnection
    from sqlalchemy.ext.asyncio import AsyncConnection as AlchemyAsyncConnection
    from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session

    from jobarium_events.envelope import Message

    SyncCaller = psycopg.Connection[Any] | AlchemyConnection | Session | scoped_session[Any]
    AsyncCaller = psycopg.AsyncConnection[Any] | AlchemyAsyncConnection | AsyncSession | async_scoped_session[Any]

__all__ = ["BUCKETS", "Added", "Outbox"]

BUCKETS = 128
"""Into how many parts the aggregates are divided, so that relays can share them."""

_SLOTS = 1024
_LONGEST_TABLE = 63 - len("_published")
_INDEXES = ("position", "waiting", "held", "published")
_ADDED = frozenset(
    {"position", "aggregate", "ordering_key", "bucket", "body", "attributes", "held", "refused_at", "refusal"}
)
_NEEDED = ("event_name", "event_version", "event_id", "idempotency_key")
_IDLE = psycopg.pq.TransactionStatus.IDLE


class Added(msgspec.Struct, frozen=True):
    """What became of the messages of one `Outbox.add`, by their idempotency keys and in their order.

    Attributes:
        added: Those that are in the outbox now.
        known: Those that were there already, or came twice; they are not there a second time.
    """

    added: tuple[str, ...]
    known: tuple[str, ...]


class Outbox:
    """A table in a service's own database that events are written to, and that a `Relay` publishes from.

    An event is in it once: a second one of the same name and idempotency key is not added, as long as the first is
    kept. Those of one aggregate (the messages' ordering key) are published in the order in which their transactions
    commit: a transaction that adds to an aggregate makes another that wants to wait until it ends.

    Args:
        schema: Where its table is; by default wherever the connections' search path leads.
        table: The table's name.
        notify: Whether to wake the relays when a transaction commits. Postgres lets transactions that notify commit
            one after another; without it, relays look every now and then.
    """

    def __init__(self, *, schema: str | None = None, table: str = "outbox_event", notify: bool = True) -> None:
        if len(table.encode()) > _LONGEST_TABLE:
            raise DeclarationError(f"the outbox's table has a name of at most {_LONGEST_TABLE} bytes, for its indexes")
        self.table = identifier(schema, table)
        """The table's name as it stands in SQL."""
        options = {"schema": schema, "table": None if table == "outbox_event" else table}
        self.maker = Maker(self.table, "outbox", options, kind="outbox", added=_ADDED)
        """What explains that its table is not there, is one of the first form, or no outbox."""
        indexes = {f"outbox_event_{part}": identifier(f"{table}_{part}") for part in _INDEXES}
        self.names = {"outbox_event": self.table, "outbox_event_seq": identifier(schema, f"{table}_seq"), **indexes}
        """What stands in its SQL, by the names that its SQL has for it."""
        self._texts = statements(__package__, "outbox.sql")
        self._notify = notify
        self._add = self.statement("add")
        self.tables: str = self._texts["tables"].format_map(self.names)
        """The SQL that makes its table, for a migration."""
        self.expand: str = self._texts["expand"].format_map(self.names)
        """The SQL that adds to a table of the first form what is new, for a migration."""

    def statement(self, name: str) -> bytes:
        """Return one of its SQL statements, as psycopg takes it."""
        escaped = {name: text.replace("%", "%%") for name, text in self.names.items()}
        return self._texts[name].format_map(escaped).encode()

    @overload
    def add(self, connection: SyncCaller, /, *messages: Message) -> Added: ...

    @overload
    def add(self, connection: AsyncCaller, /, *messages: Message) -> Awaitable[Added]: ...

    def add(self, connection: Any, /, *messages: Message) -> Added | Awaitable[Added]:
        """Write events in the transaction that is open on a connection, all in one round trip.

        Args:
            connection: psycopg's, or SQLAlchemy's connection or session over psycopg; each sync or async.
            messages: As `Producer.prepare` makes them.

        Returns:
            Which of them are new; from an async connection, something to await that gives it.

        Raises:
            DeclarationError: If the connection is of another kind, or would commit each statement by itself, or what
                is to be added is no message.
            NoTable: If the table is not there, or is one of the first form.
        """
        values, keys = self._values(messages)
        if isinstance(connection, psycopg.Connection):
            _refuse_autocommit(connection)
            try:
                with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
                    return _told(messages, keys, cursor.execute(self._add, values).fetchone())
            except MISSING as error:
                raise self.maker.error(error) from error
        if isinstance(connection, psycopg.AsyncConnection):
            return self._aadd(connection, messages, values, keys)
        from jobarium_events.postgres import alchemy  # noqa: PLC0415 - for those who have it

        text = self._add.decode()
        if alchemy.is_async(connection):
            return self._atold(messages, keys, alchemy.aexecuted(connection, text, values))
        try:
            return _told(messages, keys, alchemy.executed(connection, text, values))
        except Exception as error:
            self._explain(error)
            raise

    async def _aadd(
        self,
        connection: psycopg.AsyncConnection[Any],
        messages: tuple[Message, ...],
        values: dict[str, Any],
        keys: list[tuple[str, str]],
    ) -> Added:
        _refuse_autocommit(connection)
        try:
            async with psycopg.AsyncCursor(connection, row_factory=tuple_row) as cursor:
                await cursor.execute(self._add, values)
                return _told(messages, keys, await cursor.fetchone())
        except MISSING as error:
            raise self.maker.error(error) from error

    async def _atold(self, messages: tuple[Message, ...], keys: list[tuple[str, str]], row: Awaitable[Any]) -> Added:
        try:
            return _told(messages, keys, await row)
        except Exception as error:
            self._explain(error)
            raise

    def _explain(self, error: Exception) -> None:
        """Raise what is to be said in place of an error of SQLAlchemy's, if it means that the table is missing.

        Raises:
            NoTable: If so.
        """
        original = getattr(error, "orig", None)
        if isinstance(original, MISSING):
            raise self.maker.error(original) from error

    def _values(self, messages: Iterable[Message]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Return what is written of some messages, as one list for each column, and what each is known by."""
        columns = tuple([] for _ in range(8))  # type: ignore[var-annotated]
        ids, names, versions, keys, aggregates, orderings, bodies, attributes = columns
        buckets: list[int] = []
        slots: set[int] = set()
        for message in messages:
            try:
                envelope, ordered, body = message.attributes, message.ordering_key, message.body
                name, version, event_id, key = (envelope[each] for each in _NEEDED)
            except KeyError as missing:
                raise DeclarationError(f"a message without the attribute {missing} has no place in an outbox") from None
            except AttributeError:
                several = "; add several by `outbox.add(connection, *messages)`" if _is_several(message) else ""
                raise DeclarationError(
                    f"an outbox takes messages, as Producer.prepare makes them, not {type(message).__name__}{several}"
                ) from None
            key = storable(key)
            aggregate = storable(event_id if ordered is None else ordered)
            digest = crc32(aggregate.encode())
            if ordered is not None:
                slots.add(-1 - digest % _SLOTS)
            # In JSON, as Postgres has no text with a NUL; the aggregate is for finding rows, and may be a digest.
            ordering = "" if ordered is None else orjson.dumps(ordered).decode()
            row = (event_id, name, version, key, aggregate, ordering, body, orjson.dumps(envelope).decode())
            for column, value in zip(columns, row, strict=True):
                column.append(value)
            buckets.append(digest % BUCKETS)
        values = {
            "table": self.table,
            "notify": self._notify,
            "number": len(bodies),
            "slots": sorted(slots),
            "ids": ids,
            "names": names,
            "versions": versions,
            "keys": keys,
            "aggregates": aggregates,
            "orderings": orderings,
            "buckets": buckets,
            "bodies": bodies,
            "attributes": attributes,
        }
        return values, list(zip(names, keys, strict=True))


def _is_several(given: object) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)


def _refuse_autocommit(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    if connection.autocommit and connection.pgconn.transaction_status == _IDLE:
        raise DeclarationError(
            "the connection is in autocommit and no transaction is open, so the event would be there whatever becomes "
            "of your own changes; add it within `with connection.transaction():`"
        )


def _told(messages: tuple[Message, ...], keys: list[tuple[str, str]], row: Any) -> Added:
    number, those, _ = row
    shown = [message.attributes["idempotency_key"] for message in messages]
    if number == len(messages):
        return Added(tuple(shown), ())
    new = {(name, key) for name, key in those or ()}
    added: list[str] = []
    known: list[str] = []
    for stored, key in zip(keys, shown, strict=True):
        (added if stored in new else known).append(key)
        new.discard(stored)
    return Added(tuple(added), tuple(known))

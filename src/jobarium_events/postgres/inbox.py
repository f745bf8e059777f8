"""The inbox in Postgres: claim, handler and completion in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from jobarium_events.envelope import Outcome
from jobarium_events.extras import extra
from jobarium_events.inboxes import Arrival, NotCommitted, handed, storable
from jobarium_events.postgres.connecting import Connections, Source
from jobarium_events.postgres.missing import MISSING, Maker
from jobarium_events.statements import identifier, statements

with extra("postgres"):
    import psycopg
    from psycopg.rows import tuple_row

__all__ = ["PostgresInbox"]

_ADDED = frozenset({"event_version", "idempotency_key", "replay"})  # to the table's first form

# By how many rows the claim gives.
_CLAIMED = (Outcome.DUPLICATE, None)
_CLAIMED_IN_ORDER = (Outcome.DUPLICATE, Outcome.STALE, None)

# A setting of which Postgres tells the client unasked whenever it changes. The claim sets it for its transaction, so
# that no question is needed to know whether a handler has left that transaction as it was.
_REPORTED, _MARK, _LONGEST = b"application_name", b"inbox: ", 63
_INTRANS, _INERROR = psycopg.pq.TransactionStatus.INTRANS, psycopg.pq.TransactionStatus.INERROR


class PostgresInbox:
    """Lets each event take effect once, by a transaction that the handler works in: `connection`.

    Two processes that get the same event at once do not both handle it: the second waits for the first's transaction,
    and then sees a duplicate, or handles the event if the first rolled back. The events of one aggregate are handled
    one after another. Whatever the handler does elsewhere than in this transaction may happen again. While the handler
    runs, the connection's `application_name` begins with ``inbox:``.

    Args:
        connections: A `psycopg_pool.ConnectionPool` for `Consumer.consume`, or an `AsyncConnectionPool` for
            `Consumer.aconsume`; or a function, sync or async, that opens a connection for each event.
        schema: Where its tables are; by default wherever the connections' search path leads.
        event_table: Name of the table of what was handled.
        position_table: Name of the table of how far each aggregate has come.
    """

    def __init__(
        self,
        connections: Source,
        *,
        schema: str | None = None,
        event_table: str = "inbox_event",
        position_table: str = "inbox_position",
    ) -> None:
        self._connections = Connections(self, connections)
        names = {
            "inbox_event": identifier(schema, event_table),
            "inbox_event_event": identifier(f"{event_table}_event"),
            "inbox_event_key": identifier(f"{event_table}_key"),
            "inbox_event_processed_at": identifier(f"{event_table}_processed_at"),
            "inbox_event_event_id_key": identifier(f"{event_table}_event_id_key"),
            "inbox_position": identifier(schema, position_table),
        }
        self.names = names
        """What stands in its SQL, by the names that its SQL has for it."""
        chosen = {"event-table": (event_table, "inbox_event"), "position-table": (position_table, "inbox_position")}
        options = {name: None if given == default else given for name, (given, default) in chosen.items()}
        self._maker = Maker(
            names["inbox_event"], "inbox", {"schema": schema, **options}, kind="inbox", tables=(*chosen,), added=_ADDED
        )
        texts = statements(__package__, "inbox.sql")
        self.tables: str = texts["tables"].format_map(names)
        """The SQL that makes its tables, for a migration."""
        self.expand: str = f"{texts['expand'].format_map(names)}\n{self.tables}"
        """The SQL that makes a table of the first form fit, and what is new beside it, for a migration."""
        escaped = {name: text.replace("%", "%%") for name, text in names.items()}
        self._claim, self._claim_in_order, self._kept, self._prune = (
            texts[name].format_map(escaped).encode() for name in ("claim", "claim_in_order", "kept", "prune")
        )
        self._running: ContextVar[Any] = ContextVar(f"{event_table}.connection")

    @property
    def connection(self) -> Any:
        """The connection of the transaction that the running handler is in: what it writes there counts once.

        Raises:
            DeclarationError: If no handler is running.
        """
        return handed(self._running)

    @contextmanager
    def claim(self, arrival: Arrival) -> Iterator[Outcome | None]:
        """Open a transaction, in which the event is handled if this yields None; see `Inbox.claim`.

        Raises:
            DeclarationError: If the connections are async.
            NoTable: If a table is not there, or is one of the first form.
            NotCommitted: If the handler returned, but spoiled the transaction.
        """
        is_ended = is_cut = False
        with self._connections.one() as connection:
            with connection.transaction() as transaction:
                mark = _mark_on(connection)
                query, parameters, outcomes = self._asked(arrival, mark)
                try:
                    known = outcomes[psycopg.Cursor(connection).execute(query, parameters).rowcount]
                except MISSING as error:
                    raise self._maker.error(error) from error
                token = self._running.set(connection)
                try:
                    yield known
                finally:
                    self._running.reset(token)
                if known is Outcome.STALE:
                    raise psycopg.Rollback(transaction)
                if known is None and not _is_held(connection, mark):
                    cursor: Any = psycopg.Cursor(connection, row_factory=tuple_row)
                    if has_failed := connection.pgconn.transaction_status == _INERROR:
                        cursor.execute("rollback")  # or nothing could be asked
                    kept = cursor.execute(self._kept, parameters).fetchone()
                    is_cut = _is_cut(kept, arrival, has_failed=has_failed)
                is_ended = True
            _refuse_broken(arrival, known, is_ended=is_ended, is_cut=is_cut)

    @asynccontextmanager
    async def aclaim(self, arrival: Arrival) -> AsyncIterator[Outcome | None]:
        """As `claim`, for `Consumer.aconsume`.

        Raises:
            DeclarationError: If the connections are not async.
            NoTable: If a table is not there, or is one of the first form.
            NotCommitted: If the handler returned, but spoiled the transaction.
        """
        is_ended = is_cut = False
        async with self._connections.aone() as connection:
            async with connection.transaction() as transaction:
                mark = _mark_on(connection)
                query, parameters, outcomes = self._asked(arrival, mark)
                try:
                    known = outcomes[(await psycopg.AsyncCursor(connection).execute(query, parameters)).rowcount]
                except MISSING as error:
                    raise self._maker.error(error) from error
                token = self._running.set(connection)
                try:
                    yield known
                finally:
                    self._running.reset(token)
                if known is Outcome.STALE:
                    raise psycopg.Rollback(transaction)
                if known is None and not _is_held(connection, mark):
                    cursor: Any = psycopg.AsyncCursor(connection, row_factory=tuple_row)
                    if has_failed := connection.pgconn.transaction_status == _INERROR:
                        await cursor.execute("rollback")  # or nothing could be asked
                    kept = await (await cursor.execute(self._kept, parameters)).fetchone()
                    is_cut = _is_cut(kept, arrival, has_failed=has_failed)
                is_ended = True
            _refuse_broken(arrival, known, is_ended=is_ended, is_cut=is_cut)

    def prune(self, before: datetime, *, batch: int = 1000) -> int:
        """Forget what was handled before a moment; a duplicate of that would then be handled, unless it is stale.

        Args:
            before: With an offset; well before anything that a broker may still deliver, or an operator replay.
            batch: How many rows a transaction removes at most.

        Returns:
            How many events were forgotten.

        Raises:
            NoTable: If the table is not there, or is one of the first form.
        """
        done, parameters = 0, {"before": before, "batch": batch}
        with self._connections.one() as connection:
            while True:
                with self._maker.explained(), connection.transaction():
                    removed = psycopg.Cursor(connection).execute(self._prune, parameters).rowcount
                done += removed
                if removed < batch:
                    return done

    async def aprune(self, before: datetime, *, batch: int = 1000) -> int:
        """As `prune`, over async connections."""
        done, parameters = 0, {"before": before, "batch": batch}
        async with self._connections.aone() as connection:
            while True:
                with self._maker.explained():
                    async with connection.transaction():
                        removed = (await psycopg.AsyncCursor(connection).execute(self._prune, parameters)).rowcount
                done += removed
                if removed < batch:
                    return done

    def _asked(self, arrival: Arrival, mark: str) -> tuple[bytes, dict[str, Any], tuple[Outcome | None, ...]]:
        """Return the statement that claims an event, its parameters, and what each count of rows means."""
        parameters = {
            "consumer": arrival.consumer,
            "event_id": arrival.event_id,
            "event": arrival.event,
            "version": arrival.version,
            "key": storable(arrival.idempotency_key),
            "replay": arrival.replay,
            "mark": mark,
        }
        if arrival.aggregate is None or arrival.position is None:
            return self._claim, parameters, _CLAIMED
        position = arrival.position
        parameters["aggregate"] = storable(arrival.aggregate)
        parameters["number"] = position if isinstance(position, int) else None
        # Postgres has no NUL in a text. The next character stands for it, which keeps the order.
        parameters["words"] = position.replace("\0", "\1") if isinstance(position, str) else None
        return self._claim_in_order, parameters, _CLAIMED_IN_ORDER


def _mark_on(connection: Any) -> str:
    """Return how a transaction of a connection is marked: by the name that the connection has, and a word before it."""
    name = _MARK + (connection.pgconn.parameter_status(_REPORTED) or b"")
    return name[:_LONGEST].decode("ascii", "replace")


def _is_held(connection: Any, mark: str) -> bool:
    """Whether the transaction that was marked is there and can be committed; if not, the mark may be overwritten."""
    is_marked: bool = connection.pgconn.parameter_status(_REPORTED) == mark.encode()
    return is_marked and connection.pgconn.transaction_status == _INTRANS


def _is_cut(kept: tuple[bool] | None, arrival: Arrival, *, has_failed: bool) -> bool:
    """Whether the claim was committed before the handler's end, by what the database has of it.

    Raises:
        NotCommitted: If the claim is gone.
    """
    if kept is not None:
        return not kept[0]
    problem = (
        "it caught an error of its transaction, of which nothing can be committed then; let the error out, or put "
        "what may fail into `with inbox.connection.transaction():`"
        if has_failed
        else "it rolled back the transaction that the inbox opened, which the inbox alone may end; what it wrote until "
        "then is not kept"
    )
    raise NotCommitted(arrival.event, arrival.version, problem)


def _refuse_broken(arrival: Arrival, known: Outcome | None, *, is_ended: bool, is_cut: bool) -> None:
    """Raise if a handler returned and its event is not handled as a whole, now that the transaction is over.

    Raises:
        NotCommitted: If so.
    """
    if is_cut:
        problem = (
            "it committed the transaction that the inbox opened, which the inbox alone may end; what it wrote until "
            "then is kept, and it is not called again for this event"
        )
        raise NotCommitted(arrival.event, arrival.version, problem, counts=True)
    if known is None and not is_ended:  # psycopg takes its own Rollback for the end of the matter
        raise NotCommitted(arrival.event, arrival.version, "it raised psycopg.Rollback; raise an error of your own")

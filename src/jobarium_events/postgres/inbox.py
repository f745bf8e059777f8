"""The inbox in Postgres: claim, handler and completion in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from jobarium_events.envelope import Outcome
from jobarium_events.errors import DeclarationError
from jobarium_events.extras import extra
from jobarium_events.inboxes import Arrival, NotCommitted, storable
from jobarium_events.postgres.connecting import Connections, Source
from jobarium_events.statements import identifier, statements

with extra("postgres"):
    import psycopg

__all__ = ["PostgresInbox"]

# By how many rows the claim gives.
_CLAIMED = (Outcome.DUPLICATE, None)
_CLAIMED_IN_ORDER = (Outcome.DUPLICATE, Outcome.STALE, None)

_INTRANS, _INERROR = psycopg.pq.TransactionStatus.INTRANS, psycopg.pq.TransactionStatus.INERROR


class PostgresInbox:
    """Lets each event take effect once, by a transaction that the handler works in: `connection`.

    Two processes that get the same event at once do not both handle it: the second waits for the first's transaction,
    and then sees a duplicate, or handles the event if the first rolled back. The events of one aggregate are handled
    one after another. Whatever the handler does elsewhere than in this transaction may happen again.

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
            "inbox_event_processed_at": identifier(f"{event_table}_processed_at"),
            "inbox_event_event_id_key": identifier(f"{event_table}_event_id_key"),
            "inbox_position": identifier(schema, position_table),
        }
        texts = statements(__package__, "inbox.sql")
        self.tables: str = texts["tables"].format_map(names)
        """The SQL that makes its tables, for a migration."""
        self.expand: str = f"{texts['expand'].format_map(names)}\n{self.tables}"
        """The SQL that makes a table of the first form fit, and what is new beside it, for a migration."""
        escaped = {name: text.replace("%", "%%") for name, text in names.items()}
        self._claim, self._claim_in_order, self._prune = (
            texts[name].format_map(escaped).encode() for name in ("claim", "claim_in_order", "prune")
        )
        self._running: ContextVar[Any] = ContextVar(f"{event_table}.connection")

    @property
    def connection(self) -> Any:
        """The connection of the transaction that the running handler is in: what it writes there counts once.

        Raises:
            DeclarationError: If no handler is running.
        """
        try:
            return self._running.get()
        except LookupError:
            raise DeclarationError("there is no transaction here: an inbox has a connection within a handler") from None

    @contextmanager
    def claim(self, arrival: Arrival) -> Iterator[Outcome | None]:
        """Open a transaction, in which the event is handled if this yields None; see `Inbox.claim`.

        Raises:
            DeclarationError: If the connections are async.
            NotCommitted: If the handler returned, but spoiled the transaction.
        """
        is_whole = False
        with self._connections.one() as connection:
            with connection.transaction() as transaction:
                query, parameters, outcomes = self._asked(arrival)
                known = outcomes[psycopg.Cursor(connection).execute(query, parameters).rowcount]
                token = self._running.set(connection)
                try:
                    yield known
                finally:
                    self._running.reset(token)
                if known is Outcome.STALE:
                    raise psycopg.Rollback(transaction)
                _refuse_spoiled(connection, arrival)
                is_whole = True
            _refuse_rolled_back(arrival, known, is_whole=is_whole)

    @asynccontextmanager
    async def aclaim(self, arrival: Arrival) -> AsyncIterator[Outcome | None]:
        """As `claim`, for `Consumer.aconsume`.

        Raises:
            DeclarationError: If the connections are not async.
            NotCommitted: If the handler returned, but spoiled the transaction.
        """
        is_whole = False
        async with self._connections.aone() as connection:
            async with connection.transaction() as transaction:
                query, parameters, outcomes = self._asked(arrival)
                known = outcomes[(await psycopg.AsyncCursor(connection).execute(query, parameters)).rowcount]
                token = self._running.set(connection)
                try:
                    yield known
                finally:
                    self._running.reset(token)
                if known is Outcome.STALE:
                    raise psycopg.Rollback(transaction)
                _refuse_spoiled(connection, arrival)
                is_whole = True
            _refuse_rolled_back(arrival, known, is_whole=is_whole)

    def prune(self, before: datetime, *, batch: int = 1000) -> int:
        """Forget what was handled before a moment; a duplicate of that would then be handled, unless it is stale.

        Args:
            before: With an offset; well before anything that a broker may still deliver, or an operator replay.
            batch: How many rows a transaction removes at most.

        Returns:
            How many events were forgotten.
        """
        done, parameters = 0, {"before": before, "batch": batch}
        with self._connections.one() as connection:
            while True:
                with connection.transaction():
                    removed = psycopg.Cursor(connection).execute(self._prune, parameters).rowcount
                done += removed
                if removed < batch:
                    return done

    async def aprune(self, before: datetime, *, batch: int = 1000) -> int:
        """As `prune`, over async connections."""
        done, parameters = 0, {"before": before, "batch": batch}
        async with self._connections.aone() as connection:
            while True:
                async with connection.transaction():
                    removed = (await psycopg.AsyncCursor(connection).execute(self._prune, parameters)).rowcount
                done += removed
                if removed < batch:
                    return done

    def _asked(self, arrival: Arrival) -> tuple[bytes, dict[str, Any], tuple[Outcome | None, ...]]:
        """Return the statement that claims an event, its parameters, and what each count of rows means."""
        parameters = {
            "consumer": arrival.consumer,
            "event_id": arrival.event_id,
            "event": arrival.event,
            "version": arrival.version,
            "key": storable(arrival.idempotency_key),
            "replay": arrival.replay,
        }
        if arrival.aggregate is None or arrival.position is None:
            return self._claim, parameters, _CLAIMED
        position = arrival.position
        parameters["aggregate"] = storable(arrival.aggregate)
        parameters["number"] = position if isinstance(position, int) else None
        # Postgres has no NUL in a text. The next character stands for it, which keeps the order.
        parameters["words"] = position.replace("\0", "\1") if isinstance(position, str) else None
        return self._claim_in_order, parameters, _CLAIMED_IN_ORDER


def _refuse_spoiled(connection: Any, arrival: Arrival) -> None:
    status = connection.pgconn.transaction_status
    if status == _INTRANS:
        return
    if status == _INERROR:
        problem = (
            "it caught an error of its transaction, of which nothing can be committed then; let the error out, or put "
            "what may fail into `with inbox.connection.transaction():`"
        )
    else:
        problem = "it ended the transaction that the inbox opened, which the inbox alone may end"
    raise NotCommitted(arrival.event, arrival.version, problem)


def _refuse_rolled_back(arrival: Arrival, known: Outcome | None, *, is_whole: bool) -> None:
    if known is None and not is_whole:  # psycopg takes its own Rollback for the end of the matter
        raise NotCommitted(arrival.event, arrival.version, "it raised psycopg.Rollback; raise an error of your own")

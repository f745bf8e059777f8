"""The inbox in a SQLite file: claim, handler and completion in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING

from jobarium_events.envelope import Outcome
from jobarium_events.inboxes import Arrival, NotCommitted, handed, sortable, storable
from jobarium_events.sqlite.database import Database
from jobarium_events.statements import identifier, statements

if TYPE_CHECKING:
    import os

__all__ = ["SqliteInbox"]


class SqliteInbox:
    """Lets each event take effect once, by a transaction that the handler works in: `connection`.

    For a service on one machine, whose own tables may be in the same file. It serves threads, tasks and processes, of
    which one handles at a time, since SQLite has one writer; the others wait. It has both `claim` and `aclaim`.

    Args:
        path: The file; it and the tables are made if they are not there.
        patience: How many seconds an event waits for its turn before it raises `Busy`.
        event_table: Name of the table of what was handled.
        position_table: Name of the table of how far each aggregate has come.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        patience: float = 30.0,
        event_table: str = "inbox_event",
        position_table: str = "inbox_position",
    ) -> None:
        names = {
            "inbox_event": identifier(event_table),
            "inbox_event_processed_at": identifier(f"{event_table}_processed_at"),
            "inbox_position": identifier(position_table),
        }
        texts = {name: text.format_map(names) for name, text in statements(__package__, "inbox.sql").items()}
        self._claim, self._unclaim = texts["claim"], texts["unclaim"]
        self._move, self._prune = texts["move"], texts["prune"]
        self._database = Database(path, texts["tables"], event_table, patience)
        self._running: ContextVar[sqlite3.Connection] = ContextVar(f"{event_table}.connection")

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of the transaction that the running handler is in: what it writes there counts once.

        SQLite refuses it begin, commit and rollback, which are the inbox's; savepoints it may use.

        Raises:
            DeclarationError: If no handler is running.
        """
        return handed(self._running)

    @contextmanager
    def claim(self, arrival: Arrival) -> Iterator[Outcome | None]:
        """Open a transaction, in which the event is handled if this yields None; see `Inbox.claim`.

        Raises:
            Busy: If its turn did not come in time.
            NotCommitted: If the handler returned, but spoiled the transaction.
        """
        with self._database.transaction() as connection, self._handing(connection, arrival):
            yield self._known(connection, arrival)

    @asynccontextmanager
    async def aclaim(self, arrival: Arrival) -> AsyncIterator[Outcome | None]:
        """As `claim`, for `Consumer.aconsume`.

        Raises:
            Busy: If its turn did not come in time.
            NotCommitted: If the handler returned, but spoiled the transaction.
        """
        async with self._database.atransaction() as connection:
            with self._handing(connection, arrival):
                yield self._known(connection, arrival)

    def prune(self, before: datetime, *, batch: int = 1000) -> int:
        """Forget what was handled before a moment; a duplicate of that would then be handled, unless it is stale.

        Args:
            before: With an offset; well before anything that a broker may still deliver, or an operator replay.
            batch: How many rows a transaction removes at most.

        Returns:
            How many events were forgotten.
        """
        done = 0
        if self.missing():
            return done
        moment = f"{sortable(before)[:-4]}Z"  # in thousandths of a second, as SQLite writes them
        while True:
            with self._database.transaction(make=False) as connection:
                removed = connection.execute(self._prune, {"before": moment, "batch": batch}).rowcount
            done += removed
            if removed < batch:
                return done

    def missing(self) -> str | None:
        """Return the name of the table of what was handled if it is not there, as nothing was; it is not made."""
        return self._database.missing()

    def close(self) -> None:
        """Close the connections that are idle; the inbox can still be used."""
        self._database.close()

    @contextmanager
    def _handing(self, connection: sqlite3.Connection, arrival: Arrival) -> Iterator[None]:
        token = self._running.set(connection)
        try:
            yield
        finally:
            self._running.reset(token)
        if not connection.in_transaction:
            problem = "it caught an error that had made SQLite roll the transaction back; let such an error out"
            raise NotCommitted(arrival.event, arrival.version, problem)

    def _known(self, connection: sqlite3.Connection, arrival: Arrival) -> Outcome | None:
        parameters = {
            "consumer": arrival.consumer,
            "event_id": str(arrival.event_id),
            "event": arrival.event,
            "version": arrival.version,
            "key": storable(arrival.idempotency_key),
            "replay": arrival.replay,
        }
        if not connection.execute(self._claim, parameters).rowcount:
            return Outcome.DUPLICATE
        if arrival.aggregate is None or arrival.position is None:
            return None
        place = {**parameters, "aggregate": storable(arrival.aggregate), "position": arrival.position}
        if connection.execute(self._move, place).rowcount:
            return None
        connection.execute(self._unclaim, parameters)
        return Outcome.STALE

"""Where connections to Postgres come from: psycopg's pools, or a function that opens one."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from jobarium_events.calling import is_async, refuse_awaitable
from jobarium_events.errors import DeclarationError
from jobarium_events.extras import extra

with extra("postgres"):
    import psycopg
    import psycopg_pool

__all__ = ["Connections", "Source"]

Source = (
    psycopg_pool.ConnectionPool[Any]
    | psycopg_pool.AsyncConnectionPool[Any]
    | Callable[[], psycopg.Connection[Any]]
    | Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]
)

_SYNC = "its connections are those of a sync pool or function; hand in an AsyncConnectionPool, or use the sync way"
_ASYNC = "its connections are those of an async pool or function; hand in a ConnectionPool, or use the async way"


class Connections:
    """Lends connections, each for one block.

    Args:
        user: Of whom to speak where they do not fit.
        source: A pool, whose connections go back to it; or a function that opens one, which is closed after use.
    """

    def __init__(self, user: object, source: Source) -> None:
        self._user = type(user).__name__
        self._source: Any = source
        if isinstance(source, psycopg_pool.ConnectionPool | psycopg_pool.AsyncConnectionPool):
            self.is_async = isinstance(source, psycopg_pool.AsyncConnectionPool)
            self._is_pool = True
        elif callable(source):
            self.is_async = is_async(source)
            self._is_pool = False
        else:
            raise DeclarationError(
                f"{self._user} needs a ConnectionPool, an AsyncConnectionPool or a function that opens a connection, "
                f"not {type(source).__name__}"
            )

    @contextmanager
    def one(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection.

        Raises:
            DeclarationError: If the connections are async.
        """
        if self.is_async:
            raise DeclarationError(f"{self._user}: {_ASYNC}")
        if self._is_pool:
            with self._source.connection() as connection:
                yield connection
            return
        opened = self._source()
        refuse_awaitable(opened, f"{self._user}: {_ASYNC}")
        try:
            yield self._idle(opened)
        finally:
            opened.close()

    @asynccontextmanager
    async def aone(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend an async connection.

        Raises:
            DeclarationError: If the connections are not async.
        """
        if self._is_pool and self.is_async:
            async with self._source.connection() as connection:
                yield connection
            return
        opened = None if self._is_pool or not self.is_async else self._source()
        if not inspect.isawaitable(opened):
            raise DeclarationError(f"{self._user}: {_SYNC}")
        connection = await opened
        try:
            yield self._idle(connection)
        finally:
            await connection.close()

    def _idle(self, connection: Any) -> Any:
        """Return a connection, if no transaction is open on it: one within it could not be committed.

        Raises:
            DeclarationError: If one is.
        """
        if connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            raise DeclarationError(f"{self._user}: its function returned a connection with a transaction open on it")
        return connection

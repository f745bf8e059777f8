"""Where connections to Postgres come from: psycopg's pools, or a function that opens one."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from jobarium_events.calling import is_async, refuse_awaitable
from jobarium_events.errors import DeclarationError
from jobarium_events.extras import extra

with extra("postgres"):
    import psycopg
    import psycopg_pool

__all__ = ["Connections", "Source", "aconnect", "check_url", "parameters", "problem_of"]

Source = (
    psycopg_pool.ConnectionPool[Any]
    | psycopg_pool.AsyncConnectionPool[Any]
    | Callable[[], psycopg.Connection[Any]]
    | Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]
)

_URL = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*)://")
_ENCODED = "write the characters @ : / ? # % [ ] of a user or password percent-encoded, such as %40 for @"
_PATIENCE = "10"  # seconds for a connection to be made; psycopg's own are 130

_SYNC = "its connections are those of a sync pool or function; hand in an AsyncConnectionPool, or use the sync way"
_ASYNC = "its connections are those of an async pool or function; hand in a ConnectionPool, or use the async way"


class Connections:
    """Lends connections, each for one block.

    Args:
        user: Of whom to speak where they do not fit.
        source: A pool, whose connections go back to it; or a function that opens one, which is closed after use.

    Attributes:
        most: How many there are at once; None if there is no limit.
    """

    def __init__(self, user: object, source: Source) -> None:
        self._user = type(user).__name__
        self._source: Any = source
        self.most: int | None = getattr(source, "max_size", None) or None  # a null pool's is 0, which is none
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


def check_url(url: str) -> None:
    """Raise if psycopg cannot read a database's URL: its own error would quote it, password and all.

    Raises:
        DeclarationError: Saying how it is written.
    """
    match = _URL.match(url)
    if match and match["scheme"] not in ("postgresql", "postgres"):
        scheme, _, driver = match["scheme"].partition("+")
        if driver and scheme in ("postgresql", "postgres"):
            raise DeclarationError(f"the database's URL begins with {scheme}+{driver}://: write postgresql://")
        raise DeclarationError(f"the database's URL begins with {scheme}://: write postgresql://, for a Postgres")
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        how = _ENCODED if match else "write postgresql://user:password@host:5432/name"
        raise DeclarationError(f"the database's URL cannot be read: {how}") from None
    if match and ("@" in str(parts.get("host", "")) or not re.fullmatch(r"[\d,]*", str(parts.get("port", "")))):
        raise DeclarationError(f"the database's URL has no such host or port: {_ENCODED}")


def parameters(url: str, name: str = "jobarium-events") -> dict[str, Any]:
    """Return by what psycopg opens a connection of the library's own, which does not try for minutes.

    Args:
        url: The database.
        name: What Postgres shows it by.

    Raises:
        DeclarationError: If the URL cannot be read.
    """
    check_url(url)
    given: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(url)
    if "connect_timeout" not in given and "PGCONNECT_TIMEOUT" not in os.environ:
        given["connect_timeout"] = _PATIENCE
    given.setdefault("fallback_application_name", name)
    return given


async def aconnect(url: str, name: str = "jobarium-events") -> psycopg.AsyncConnection[Any]:
    """Open a connection of the library's own, in autocommit; see `parameters`.

    Raises:
        DeclarationError: If the URL cannot be read.
        psycopg.OperationalError: If the database is out of reach.
    """
    return await psycopg.AsyncConnection.connect(**parameters(url, name), autocommit=True)


def problem_of(error: psycopg.Error) -> str:
    """Return what Postgres or psycopg says, in one line; a sentence that a line ends is ended by a full stop."""
    lines = [" ".join(line.split()) for line in (error.diag.message_primary or str(error)).splitlines()]
    text = ""
    for line in filter(None, lines):
        is_sentence = text and line[0].isupper() and text[-1] not in ".,;:?!"
        text = f"{text}{'.' if is_sentence else ''} {line}".lstrip()
    return text

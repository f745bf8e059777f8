"""The session that applies to a database: one at a time, which the database itself sees to.

The lock is held by the very session that runs the steps. A process that is killed leaves its statement running on the
server, and nobody else begins before that has ended as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from jobarium_events.errors import DeclarationError
from jobarium_events.extras import extra
from jobarium_events.migrations.applying.refusals import Held
from jobarium_events.postgres.connecting import parameters
from jobarium_events.statements import identifier, statements

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["Session", "applying", "check_writable", "fresh", "holder", "opener"]

SQL = statements(__package__, "sessions.sql")
_PAUSE = 0.2
_LOST_PATIENCE = (
    60.0  # seconds for the server to end a session whose connection is lost, and with it to let go of the lock
)
_CHECKED_EVERY = "2s"
_KNOWS_LOST_CLIENTS = 140_000


def opener(database: str, operator: str) -> Callable[[], Connection[Any]]:
    """Return what opens a session of an operator, in autocommit.

    Args:
        database: As psycopg takes it.
        operator: By whom the server shows it.

    Raises:
        DeclarationError: If the database's URL cannot be read.
    """
    given = parameters(database)
    given["application_name"] = f"jobarium-events db, {operator}"

    def opened() -> Connection[Any]:
        return psycopg.connect(**given, autocommit=True)

    return opened


class Session:
    """The one session that may apply to its database at a time.

    Args:
        connect: Opens a session.
        stop: When it is set, a lock is not waited for any longer.

    Attributes:
        connection: The session as it is now.
    """

    def __init__(self, connect: Callable[[], Connection[Any]], stop: threading.Event) -> None:
        self._connect, self._stop = connect, stop
        self.connection = connect()

    def take(self, wait: float) -> None:
        """Take the lock; see `applying`."""
        fresh(self.connection)
        check_writable(self.connection)
        _lock(self.connection, wait, self._stop)

    def reopen(self) -> bool:
        """Open it anew, without the lock, if its connection was lost.

        Returns:
            Whether it was lost.

        Raises:
            psycopg.OperationalError: If the database is out of reach.
        """
        with suppress(psycopg.Error):
            self.connection.execute("select 1")
        if not self.connection.closed:
            return False
        self.connection = self._connect()
        return True

    def regain(self) -> bool:
        """Open it anew if its connection was lost while it had nothing to do, and take the lock again.

        Somebody else may have had the lock meanwhile, so that what is known of the database has to be asked again.

        Returns:
            Whether it was lost.

        Raises:
            Held: If somebody else has the lock.
            psycopg.OperationalError: If the database is out of reach.
        """
        if not self.reopen():
            return False
        self.take(_LOST_PATIENCE)
        return True

    def close(self) -> None:
        """Let go of the lock, and close it."""
        # Its end alone would do, but the server may notice that only after the next session has asked for the lock.
        if self.connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
            with suppress(psycopg.OperationalError):
                self.connection.execute(SQL["let_go"])
        self.connection.close()


@contextmanager
def applying(
    connect: Callable[[], Connection[Any]], wait: float = 0, stop: threading.Event | None = None
) -> Iterator[Session]:
    """Open the one session that may apply to its database at a time, and close it at the end.

    Args:
        connect: Opens a session.
        wait: For how many seconds to wait for another one to end.
        stop: When it is set, no longer than that.

    Raises:
        DeclarationError: If it takes no changes.
        Held: If another one has not ended by then.
        psycopg.OperationalError: If the database is out of reach.
    """
    session = Session(connect, stop or threading.Event())
    try:
        session.take(wait)
        yield session
    finally:
        session.close()


def holder(connection: Connection[Any]) -> str | None:
    """Return who is applying, as the session's name says; None if nobody is, and empty if that cannot be seen."""
    found = connection.execute(SQL["holder"]).fetchone()
    return None if found is None else str(found[0] or "")


def check_writable(connection: Connection[Any]) -> None:
    """Check that a session may change something in its database.

    Raises:
        DeclarationError: If it may not; it says by what, and the way out.
    """
    found = connection.execute(SQL["read_only"]).fetchone()
    if found is None:
        return
    is_replica, source, role, database = found
    if is_replica:
        raise DeclarationError("the database takes no changes, as its server is a replica; give the URL of the primary")
    setting = "default_transaction_read_only"
    of_role, of_database = f"alter role {identifier(role)}", f"alter database {identifier(database)}"
    way_out = {
        "client": "leave it out of the options of the URL, or of PGOPTIONS",
        "user": f"`{of_role} reset {setting}`, or use another role",
        "database": f"`{of_database} reset {setting}`, or `{of_role} set {setting} = off` for this role alone",
        "database user": f"`{of_role} in database {identifier(database)} reset {setting}`, or use another role",
    }.get(source, f"`{of_role} set {setting} = off`, unless it is another server that is to be changed")
    raise DeclarationError(f"the database takes no changes, as {setting} is on for this session; {way_out}")


def fresh(connection: Connection[Any]) -> None:
    """Set a session back to what it began with, for the next migration or the next way; it keeps its locks."""
    connection.execute(SQL["reset"], prepare=False)  # three statements at once, which cannot be prepared
    if connection.info.server_version >= _KNOWS_LOST_CLIENTS:
        # So that a statement ends soon after the process that waits for it was killed; some servers cannot tell.
        with suppress(psycopg.errors.InvalidParameterValue):
            connection.execute("select set_config('client_connection_check_interval', %s, false)", [_CHECKED_EVERY])


def _lock(connection: Connection[Any], wait: float, stop: threading.Event) -> None:
    end = time.monotonic() + wait
    # Asked again and again: a session that waited within Postgres would itself be an old transaction, which an index
    # that the other one builds concurrently waits for.
    while not connection.execute(SQL["lock"]).fetchall()[0][0]:
        if time.monotonic() >= end or stop.is_set():
            raise Held(holder(connection) or "")
        stop.wait(_PAUSE)

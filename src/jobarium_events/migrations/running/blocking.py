"""Who keeps a session waiting for a lock: another session looks while it waits, as nobody can tell afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from jobarium_events.extras import extra
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg

__all__ = ["Connect", "onlooking"]

Connect = Callable[[], psycopg.Connection[Any]]

_SQL = statements(__package__, "blocking.sql")
_FIRST, _LONGEST = 0.05, 0.5  # seconds between two looks; most steps end before the first
_PATIENCE = 1.0  # seconds for the last look to end


@contextmanager
def onlooking(connect: Connect, pid: int) -> Iterator[list[str]]:
    """Look at times, in a thread, who a session waits for.

    Args:
        connect: Opens a session, in autocommit. What goes wrong with it is passed over.
        pid: The process of the session that may wait.

    Yields:
        Those that it was last seen waiting for; empty as long as it was not.
    """
    seen: list[str] = []
    ended = threading.Event()

    def look() -> None:
        pause = _FIRST
        if ended.wait(pause):
            return
        with suppress(psycopg.Error), connect() as connection:
            while not ended.is_set():
                if found := connection.execute(_SQL["blockers"], [pid]).fetchall():
                    seen[:] = [who for (who,) in found]
                ended.wait(pause)
                pause = min(2 * pause, _LONGEST)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join(_PATIENCE)

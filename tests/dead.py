"""Every store of dead letters behind one face, and letters to put into it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from jobarium_events import Consumer, DeadLetter, Outcome
from jobarium_events.postgres import AsyncPostgresDeadLetters, PostgresDeadLetters
from jobarium_events.sqlite import SqliteDeadLetters
from tests.inboxes import CATALOG

STORES = ["sqlite", "postgres", "postgres, async"]


class Store:
    """A store, called as if it were sync."""

    def __init__(self, store: Any, runner: asyncio.Runner | None = None) -> None:
        self.store = store
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)
        return method if self._runner is None else lambda *given, **named: self._runner.run(method(*given, **named))

    @contextmanager
    def replaying(self, id_: int) -> Iterator[Any]:
        """Claim a letter."""
        claim = self.store.replaying(id_)
        if self._runner is None:
            with claim as letter:
                yield letter
            return
        letter = self._runner.run(claim.__aenter__())
        try:
            yield letter
        except BaseException as error:
            self._runner.run(claim.__aexit__(type(error), error, error.__traceback__))
            raise
        self._runner.run(claim.__aexit__(None, None, None))

    def keep(self, letter: DeadLetter) -> None:
        """Keep a letter."""
        kept = self.store(letter)
        if self._runner is not None:
            self._runner.run(kept)

    def reject(self, raw: bytes, attributes: Any = None, *, consumer: str = "taker") -> None:
        """Have a consumer reject an event into the store."""
        made = Consumer(CATALOG, name=consumer, dead_letters=self.store)
        made.on("job.updated", "v1")(print)
        if self._runner is None:
            outcome = made.consume(raw, attributes)
        else:
            outcome = self._runner.run(made.aconsume(raw, attributes))
        assert outcome is Outcome.DEAD_LETTERED


@contextmanager
def opened(kind: str, *, path: str, database: Any) -> Iterator[Store]:
    """Open a store of a kind: in a file at `path`, or in `database`."""
    if kind == "sqlite":
        store = SqliteDeadLetters(path)
        yield Store(store)
        store.close()
        return
    kwargs = {"options": f"-c search_path={database.schema}"}
    with psycopg.connect(database.url, autocommit=True, **kwargs) as connection:
        connection.execute(PostgresDeadLetters(lambda: connection).tables)
    if kind == "postgres":
        with ConnectionPool(database.url, kwargs=kwargs, min_size=1, max_size=3, open=True) as pool:
            yield Store(PostgresDeadLetters(pool))
        return
    with asyncio.Runner() as runner:
        threads = AsyncConnectionPool(database.url, kwargs=kwargs, min_size=1, max_size=3, open=False)
        runner.run(threads.open())
        yield Store(AsyncPostgresDeadLetters(threads), runner)
        runner.run(threads.close())


def broken(body: bytes, **payload: Any) -> bytes:
    """Return an event with other values in its payload."""
    document = json.loads(body)
    document["payload"].update(payload)
    return json.dumps(document).encode()

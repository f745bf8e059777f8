"""How far replicas are behind: those that the primary knows, and those that are asked themselves.

What a replica has not replayed yet is told in bytes of the log. To turn it into a time, the primary's position is noted
with the primary's clock, again and again: a replica that has not come to a position is at least so old as that note.
No other clock has a part in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Self

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.backfills.checkpoints import raw
from jobarium_events.migrations.backfills.refusals import BackfillRefused
from jobarium_events.migrations.files.spans import Span
from jobarium_events.postgres.connecting import parameters, problem_of

with extra("migrations"):
    import psycopg

__all__ = ["Behind", "Replicas"]

_MOST_NOTES = 10_000


class Behind(msgspec.Struct, frozen=True):
    """The replica that is the furthest behind.

    Attributes:
        replica: Its name.
        seconds: How far; infinite if it cannot be asked.
        problem: Why it cannot.
    """

    replica: str
    seconds: float
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.replica}, {self.problem or f'which is {Span(self.seconds)} behind'}"


class Replicas:
    """The replicas of a primary; the block closes the connections to them.

    Args:
        migration: For whose backfill they are asked.
        urls: Of those that are asked themselves; no text of this class shows one.
    """

    def __init__(self, migration: str, urls: Sequence[str] = ()) -> None:
        self._migration = migration
        self._asked = [_Asked(f"replica {number}", url) for number, url in enumerate(urls, 1)]
        self._notes: deque[tuple[int, float]] = deque(maxlen=_MOST_NOTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._asked:
            each.close()

    def check(self, connection: psycopg.Connection[Any]) -> None:
        """Ask all of them once.

        Raises:
            BackfillRefused: If the lag of one cannot be told.
        """
        if not self._asked and any(is_hidden for _, is_hidden, _, _ in raw(connection, "known_replicas")):
            raise BackfillRefused(
                self._migration,
                "the primary has replicas, and this role may not see how far they are behind; grant pg_monitor to it, "
                "or name the replicas in migrations.toml: replicas = [...]",
            )
        for each in self._asked:
            problem = each.ask()
            if isinstance(problem, str):
                raise BackfillRefused(self._migration, f"{each.name} of migrations.toml {problem}")

    def worst(self, connection: psycopg.Connection[Any]) -> Behind | None:
        """Return the one that is the furthest behind; None if there is none.

        Args:
            connection: To the primary.
        """
        ((at, now),) = raw(connection, "wal")
        if not self._notes or self._notes[-1][0] < at:
            self._notes.append((at, now))
        found = list(self._found(connection, at, now))
        return max(found, key=lambda each: each.seconds, default=None)

    def _found(self, connection: psycopg.Connection[Any], at: int, now: float) -> Iterator[Behind]:
        for name, is_hidden, replayed, told in raw(connection, "known_replicas"):
            if not is_hidden:
                seconds = 0.0 if replayed >= at else max(told or 0.0, self._since_note(replayed, now))
                yield Behind(name, seconds)
        for each in self._asked:
            answer = each.ask()
            if isinstance(answer, str):
                yield Behind(each.name, float("inf"), f"which {answer}")
                continue
            replayed, last = answer
            if replayed >= at:
                yield Behind(each.name, 0.0)
            elif last is None or replayed >= self._notes[0][0]:
                yield Behind(each.name, self._since_note(replayed, now))
            else:  # from before the first note: the time of its last transaction has to do, also by the primary's clock
                yield Behind(each.name, max(now - last, self._since_note(replayed, now)))

    def _since_note(self, replayed: int, now: float) -> float:
        """Return how long ago the primary was first seen beyond a position."""
        return next((now - when for at, when in self._notes if at > replayed), 0.0)


class _Asked:
    """A replica that is asked itself."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def ask(self) -> tuple[int, float | None] | str:
        """Return what it has replayed, and when its last transaction was committed on the primary; or why not."""
        try:
            if self._connection is None:
                made = parameters(self._url, "jobarium-events backfill")
                self._connection = psycopg.Connection.connect(**made, autocommit=True)
            ((is_replica, replayed, last),) = raw(self._connection, "replayed")
        except psycopg.Error as error:
            self.close()
            return f"cannot be asked how far it is behind ({problem_of(error)})"
        if not is_replica or replayed is None:
            return "is no replica; take it out of the list, or put the URL right"
        return replayed, last

    def close(self) -> None:
        """Close the connection to it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

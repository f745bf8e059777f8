"""How things stand with a database, asked again and again in one session: only what is new is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.applying.linting import Lints
from jobarium_events.migrations.applying.meaning import meant_otherwise
from jobarium_events.migrations.applying.situation import Situation
from jobarium_events.migrations.record.record import Entry, Event, clock, entries
from jobarium_events.migrations.record.states import State, states
from jobarium_events.statements import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from psycopg import Connection

    from jobarium_events.migrations.applying.flags import Flags
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Looking"]

SQL = statements(__package__, "sessions.sql")
_VERSION_UNIT = 10_000


class Looking:
    """Asks one session how things stand.

    Args:
        connected: Returns the session.
        migrations: The folder.
        environment: The name of the database's environment.
        flags: Where flags are asked for.
        asked: Whether the environment asks for all gates.
        reason: Why it does not, if somebody has said so.
    """

    def __init__(
        self,
        connected: Callable[[], Connection[Any]],
        migrations: Migrations,
        environment: str,
        flags: Flags,
        *,
        asked: bool,
        reason: str | None = None,
    ) -> None:
        self._connected = connected
        self._migrations = migrations
        self._environment = environment
        self._flags = flags
        self._asked = asked
        self._reason = reason
        self._lints = Lints(migrations)
        self._entries: tuple[Entry, ...] = ()
        self._states: Mapping[str, State] = {}
        self._rows: Mapping[str, int] | None = None
        self._led: Mapping[str, str] = {}

    @property
    def _connection(self) -> Connection[Any]:
        return self._connected()

    @property
    def server(self) -> int:
        """The server's major version."""
        return self._connection.info.server_version // _VERSION_UNIT

    def look(self, ahead: frozenset[str] = frozenset()) -> Situation:
        """Return how things stand now.

        Args:
            ahead: Which migrations come before in the same run.

        Raises:
            RecordUnreadable: If the record is not as this release writes it.
        """
        every = entries(self._connection, self._entries)
        known = len(self._entries)
        is_longer = known > 0 and len(every) >= known and every[known - 1] is self._entries[-1]
        self._states = states(every[known:], known=self._states) if is_longer else states(every)
        self._entries = every
        return Situation(
            migrations=self._migrations,
            environment=self._environment,
            entries=every,
            states=self._states,
            now=clock(self._connection),
            flags=self._flags,
            asked=self._asked,
            dropped=not self._asked and not self._reason and _asked_before(every),
            ahead=ahead,
            is_clean=self._lints.is_clean,
            breaks=self._lints.breaks,
            meant=self._meant,
            rows=self._counted(),
            led=self._led,
            server=self.server,
        )

    def _meant(self, migration: Migration) -> tuple[tuple[str, str], ...]:
        return meant_otherwise(self._connection, migration)

    def _counted(self) -> Mapping[str, int]:
        if self._rows is None:
            found = self._connection.execute(SQL["rows"]).fetchall()
            self._rows = {name: count for name, _, count in found}
            self._led = {bare: name for name, bare, _ in found if bare is not None and bare != name}
        return self._rows


def _asked_before(every: tuple[Entry, ...]) -> bool:
    """Whether a run here had to pass all gates."""
    return any(each.event is Event.RUN_BEGAN and each.detail.get("gates") is True for each in every)

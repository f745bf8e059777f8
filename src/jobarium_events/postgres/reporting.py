"""What a relay logs: what goes wrong, with which event, and what is done about it. Never a payload's value."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from jobarium_events.postgres.connecting import problem_of
from jobarium_events.transports import SAFE, safe_text

if TYPE_CHECKING:
    import psycopg

    from jobarium_events.postgres.publishing import Row, Settled
    from jobarium_events.transports import Transport

__all__ = ["Outage", "Reporter"]

_log = logging.getLogger("jobarium_events")

_WHERE = "Check the URL of the database"
_EVERY = 10.0  # seconds between two lines on one matter


class Outage:
    """Tells that the database cannot be used, now and then while it lasts, and that it is back: for all lanes."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._told: float | None = None
        self._was_there = False

    def goes_on(self, error: psycopg.Error) -> None:
        """Take note of an attempt that failed."""
        now = monotonic()
        problem = problem_of(error)
        # One without a code is of connecting; where there was no connection yet, the URL may be wrong.
        if self._told is None and not self._was_there and error.sqlstate is None:
            problem = f"{problem}{'' if problem.endswith(('.', '?', '!')) else '.'} {_WHERE}"
        if self._told is None or now - self._told >= _EVERY:
            self._told = now
            self._since = self._since or now
            _log.warning("the relay's database cannot be used, and is tried again: %s", problem)

    def is_over(self) -> None:
        """Take note of a connection."""
        self._was_there = True
        if self._since is not None:
            _log.warning("the relay has its database again, after %.0f s", monotonic() - self._since)
            self._since = None


class Reporter:
    """Tells what becomes of events that are not published: a line for each kind of error, now and then.

    Args:
        transport: By which they are sent.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = type(transport).__name__
        self._told: dict[type[Exception], float] = {}

    def settled(self, settled: Settled) -> None:
        """Log what was not published of a batch, and why."""
        refused: dict[str, list[Row]] = {}
        for row, reason in settled.refused:
            refused.setdefault(reason, []).append(row)
        for reason, rows in refused.items():
            _log.error(
                "%s by the broker for good and set aside (%s): %s; `jobarium-events outbox status` lists what is set "
                "aside",
                _counted(len(rows), "is refused", "are refused"),
                self._such_as(rows),
                reason,
            )
        failed: dict[type[Exception], list[tuple[Row, Exception]]] = {}
        for row, error in settled.failed:
            failed.setdefault(type(error), []).append((row, error))
        for kind, each in failed.items():
            if monotonic() - self._told.get(kind, -_EVERY) >= _EVERY:
                self._told[kind] = monotonic()
                self._failed([row for row, _ in each], each[0][1])

    def _failed(self, rows: list[Row], error: Exception) -> None:
        _log.warning(
            "%s and tried again (%s): %s%s",
            _counted(len(rows), "is not published", "are not published"),
            self._such_as(rows),
            safe_text(error),
            "" if isinstance(error, SAFE) else " (what it says is logged at DEBUG, as it may hold parts of a payload)",
        )
        _log.debug("what the transport raised", exc_info=error)

    def waiting(self, rows: list[Row], seconds: float, most: float) -> None:
        """Log that the broker takes its time, before the attempt has failed."""
        _log.warning(
            "%s the broker's confirmation for %.0f s now (%s); an attempt ends after %g s, and is made again",
            _counted(len(rows), "awaits", "await"),
            seconds,
            self._such_as(rows),
            most,
        )

    def given_up(self, rows: list[Row], seconds: float) -> None:
        """Log what a relay that is to stop did not get through."""
        _log.warning(
            "%s within the %g s that a relay has to stop (%s); nothing is lost, the next relay publishes what waits",
            _counted(len(rows), "is not confirmed", "are not confirmed"),
            seconds,
            self._such_as(rows),
        )

    def _such_as(self, rows: list[Row]) -> str:
        attributes = rows[0].message.attributes
        name, version, event_id = (attributes[each] for each in ("event_name", "event_version", "event_id"))
        such_as = "" if len(rows) == 1 else "such as "
        return f"{such_as}{name} {version}, event id {event_id}, by {self._transport}"


def _counted(number: int, one: str, many: str) -> str:
    return f"1 event {one}" if number == 1 else f"{number:,} events {many}"

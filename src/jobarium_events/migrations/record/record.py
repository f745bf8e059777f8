"""The record of a database: what was approved, begun, done and rolled back in it, by whom and when.

It is a table that is only ever added to, in the database itself: a step and the entry of it are committed together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from jobarium_events.errors import JobariumEventsError
from jobarium_events.statements import statements

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Direction", "Entry", "Event", "Record", "RecordUnreadable", "clock", "entries", "noted_environment"]

SQL = statements(__package__, "record.sql")


class OtherEnvironment(JobariumEventsError):
    """The database is another environment's than the one that was named.

    Attributes:
        named: The environment that was named.
        noted: The one that the database is, as was noted on its first use, or when it was adopted.
    """

    def __init__(self, named: str, noted: str | None) -> None:
        self.named = named
        self.noted = noted

    def __str__(self) -> str:
        return (
            f"this database is the environment {self.noted!r}, not {self.named!r}, as its record says; give the URL of "
            f"the database that you mean. If it was restored from a dump of {self.noted!r}, or named so by mistake: "
            f"`db adopt --environment {self.named} --from {self.noted} --because TEXT`. Only if {self.noted!r} is what "
            f"you mean to work on, say `--environment {self.noted}`"
        )


class NotAdopted(JobariumEventsError):
    """A database that does not become another environment's; nothing was recorded.

    Attributes:
        problem: Why not, and what to do.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return f"the database is not adopted: {self.problem}"


class RecordUnreadable(JobariumEventsError):
    """An entry of the record that means nothing here; nothing was run.

    Attributes:
        number: The entry.
        problem: What cannot be read.
    """

    def __init__(self, number: int, problem: str) -> None:
        self.number = number
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"entry {self.number} of jobarium_migrations.record cannot be read: {self.problem}; "
            "use the release of jobarium-events that wrote it, or a later one"
        )


class Event(StrEnum):
    """What an entry says."""

    ENVIRONMENT_NOTED = "environment-noted"
    """Which environment the database is."""
    ENVIRONMENT_ADOPTED = "environment-adopted"
    """The database is another environment's from here on: a copy was restored, or its first use named a wrong one."""
    DEPLOYED = "deployed"
    """A release of the services was deployed."""
    APPROVED = "approved"
    """A person approved a file."""
    RUN_BEGAN = "run-began"
    """An operator began to apply, or to roll back; the run of later entries."""
    RUN_ENDED = "run-ended"
    """That ended, and how."""
    BEGAN = "began"
    """A migration was begun, or its way back was."""
    STEP_BEGAN = "step-began"
    """A step was begun that no transaction may hold, so that its end cannot be recorded with it."""
    STEP_DONE = "step-done"
    """A step is done; committed with it."""
    STEP_FAILED = "step-failed"
    """A step is not done, and Postgres or this process said so."""
    BACKFILL_BEGAN = "backfill-began"
    """The backfill has done something; committed with its first batch."""
    BACKFILL_FAILED = "backfill-failed"
    """A batch failed for good; what was committed before stays."""
    BACKFILLED = "backfilled"
    """The backfill is complete; committed with that."""
    VERIFIED = "verified"
    """The queries of `verify` returned what they must."""
    NOT_VERIFIED = "not-verified"
    """They did not."""
    FLAG_OFF = "flag-off"
    """The feature flag is off, before the way back."""
    CONTAINED = "contained"
    """There is no way back, and what limits the harm was done, as far as it is done here: backfill and flag."""
    DONE = "done"
    """A migration is applied, or rolled back."""


class Direction(StrEnum):
    """Which way a migration goes."""

    UP = "up"
    DOWN = "down"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry.

    Attributes:
        number: Its place in the record.
        at: When, by the clock of the server.
        event: What happened.
        operator: Who did it.
        environment: The environment of the database.
        run: The entry by which the run began.
        migration: The id of the migration that it is about.
        hash: The hash of its file.
        direction: Which way it went.
        round: Which time it is applied, from 1: one more than it was rolled back.
        step: Which step of its section, from 1.
        detail: What else there is to say of such an event.
    """

    number: int
    at: datetime
    event: Event
    operator: str
    environment: str
    run: int | None = None
    migration: str | None = None
    hash: str | None = None
    direction: Direction | None = None
    round: int | None = None
    step: int | None = None
    detail: Mapping[str, Any] = {}


class Record(msgspec.Struct, frozen=True):
    """Who writes to the record, and of which environment.

    Attributes:
        environment: The name of the environment that the database is.
        operator: Who does what is recorded.
        run: The entry by which the run began, once it has.
    """

    environment: str
    operator: str
    run: int | None = None

    def install(self, connection: Connection[Any]) -> None:
        """Make the table where it is missing, and note the environment; once that is done, only look at it.

        Raises:
            OtherEnvironment: If the database is another environment's.
        """
        if noted_environment(connection) is None:
            with connection.transaction():
                connection.execute(SQL["lock_installing"])
                if not _is_installed(connection):
                    for name in ("schema", "table", "one_environment", "one_end_of_each_step", "refusal", "trigger"):
                        connection.execute(SQL[name])
                    connection.execute(SQL["trigger_always"])
                connection.execute(SQL["note_environment"], (self.operator, self.environment))
        self.check(connection)

    def check(self, connection: Connection[Any]) -> None:
        """Check that the database is of this environment, or of none yet.

        Raises:
            OtherEnvironment: If it is another's.
        """
        noted = noted_environment(connection)
        if noted not in (None, self.environment):
            raise OtherEnvironment(self.environment, noted)

    def adopt(self, connection: Connection[Any], before: str, because: str) -> None:
        """Record that the database is this environment's from here on.

        Args:
            connection: The session that holds the lock of those who apply.
            before: Which environment it is until now, as who adopts it believes.
            because: Why.

        Raises:
            NotAdopted: If it is none yet, or not that one.
        """
        noted = noted_environment(connection)
        if noted is None:
            problem = (
                f"it is of no environment yet; its first use notes which, as by `--environment {self.environment}`"
            )
            raise NotAdopted(problem)
        if noted == self.environment:
            raise NotAdopted(f"it is the environment {noted!r} already")
        if noted != before:
            raise NotAdopted(f"it is the environment {noted!r}, not {before!r}; if that is right, say `--from {noted}`")
        if not because.strip():
            raise NotAdopted("it is not said why; say it by `--because TEXT`")
        said: dict[str, Any] = {"from": before, "because": because}
        self.write(connection, Event.ENVIRONMENT_ADOPTED, **said)

    def write(
        self,
        connection: Connection[Any],
        event: Event,
        migration: Migration | None = None,
        *,
        direction: Direction | None = None,
        round_: int | None = None,
        step: int | None = None,
        waits: bool = True,
        **detail: Any,
    ) -> int:
        """Add an entry, in the transaction of the caller if there is one, and return its number.

        Args:
            connection: Where.
            event: What happened.
            migration: What it is about.
            direction: Which way it went.
            round_: Which time it is applied.
            step: Which step of its section.
            waits: Whether to wait until the disk has it. Where another entry follows that waits, this one needs not:
                the disk then has what was committed before it as well.
            **detail: What else there is to say.
        """
        values = {
            "event": event,
            "operator": self.operator,
            "environment": self.environment,
            "run": self.run,
            "migration": None if migration is None else migration.id,
            "hash": None if migration is None else migration.hash,
            "direction": direction,
            "round": round_,
            "step": step,
            "detail": orjson.dumps(detail).decode(),
            "waits": waits,
        }
        number, _ = connection.execute(SQL["write"], values).fetchall()[0]
        return int(number)


_SAID: Mapping[Event, tuple[str, ...]] = {
    Event.ENVIRONMENT_ADOPTED: ("from", "because"),
    Event.DEPLOYED: ("release",),
    Event.APPROVED: ("role", "by"),
    Event.RUN_BEGAN: ("kind", "migrations"),
    Event.RUN_ENDED: ("result",),
}
"""What the detail of an entry has in any case."""


def entries(connection: Connection[Any], known: tuple[Entry, ...] = ()) -> tuple[Entry, ...]:
    """Return all entries in their order; none where there is no record yet.

    Args:
        connection: Where the record is.
        known: Those that were read before; only what came after is asked for.

    Raises:
        RecordUnreadable: If one is not as this release writes it.
    """
    if not known and not _is_installed(connection):
        return ()
    last = known[-1].number if known else 0
    every = (*known, *map(_entry, connection.execute(SQL["entries"], [last])))
    if known and connection.execute(SQL["count"]).fetchall()[0][0] != len(every):
        # A session may take its number first and commit last, so that an entry comes before one that was read.
        return entries(connection)
    return every


def clock(connection: Connection[Any]) -> datetime:
    """Return what time it is, by the clock of the server."""
    now: datetime = connection.execute(SQL["now"]).fetchall()[0][0]
    return now


def noted_environment(connection: Connection[Any]) -> str | None:
    """Return which environment the database is; None if that was not noted yet."""
    if not _is_installed(connection):
        return None
    found = connection.execute(SQL["environment"]).fetchone()
    return None if found is None else str(found[0])


def _is_installed(connection: Connection[Any]) -> bool:
    (found,) = connection.execute(SQL["is_installed"]).fetchall()[0]
    return bool(found)


def _entry(row: tuple[Any, ...]) -> Entry:
    number, at, event, operator, environment, run, migration, hash_, direction, round_, step, detail = row
    if event not in list(Event):
        raise RecordUnreadable(number, "its event is not known")
    said = orjson.loads(detail)
    lacks = [key for key in _SAID.get(Event(event), ()) if not (isinstance(said, dict) and key in said)]
    if lacks:
        raise RecordUnreadable(number, f"its detail has no {lacks[0]!r}")
    return Entry(
        number=number,
        at=at,
        event=Event(event),
        operator=operator,
        environment=environment,
        run=run,
        migration=migration,
        hash=hash_,
        direction=None if direction is None else Direction(direction),
        round=round_,
        step=step,
        detail=said,
    )

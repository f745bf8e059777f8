"""The record as people read it: one row a run, with its environment, range, operator, start, end and result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from jobarium_events.migrations.record.record import Direction, Entry, Event

__all__ = ["Part", "Run", "history"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did of one migration.

    Attributes:
        migration: Its id.
        direction: Which way it went.
        steps: The steps that it did, from 1.
        is_done: Whether the migration was applied, or rolled back, at its end.
        is_contained: Whether its harm was limited, where there is no way back.
        gates: The gates that it passed, each by its name, and what made it so.
    """

    migration: str
    direction: Direction
    steps: tuple[int, ...] = ()
    is_done: bool = False
    is_contained: bool = False
    gates: Mapping[str, str] = {}

    def __str__(self) -> str:
        if self.is_contained:
            return f"{self.migration} contained"
        numbers = self.steps and (f"{self.steps[0]}-{self.steps[-1]}" if len(self.steps) > 1 else f"{self.steps[0]}")
        done = f" steps {numbers}" if len(self.steps) > 1 else f" step {numbers}" if self.steps else ""
        return f"{self.migration} {self.direction}{done}{'' if self.is_done else ', not done'}"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        number: Its entry in the record.
        kind: ``"apply"`` or ``"rollback"``; ``"adopt"`` where tables of the library's own were found and noted;
            ``"environment"`` where the database was made another environment's.
        environment: The environment of the database.
        operator: Who did it.
        start: When it began, by the clock of the server.
        end: When it ended; None if nobody said so.
        result: How it ended: ``"done"``, ``"stopped"``, ``"held"``, ``"contained"``, ``"failed"``, or ``"no end"`` if
            nobody said so: it is running, or was killed.
        problem: What went wrong.
        wanted: Ids of the migrations that it was to apply, or to roll back.
        range: What it did of which.
        gates: Whether all gates were asked for; None where there are none, as for the library's own tables.
        reason: Why they were not, if somebody said so; or why the database was made another environment's.
        held: Id of the migration before whose closed gates it ended.
        was: The environment that the database was before, where it was made another one's.
    """

    number: int
    kind: str
    environment: str
    operator: str
    start: datetime
    end: datetime | None = None
    result: str = "no end"
    problem: str | None = None
    wanted: tuple[str, ...] = ()
    range: tuple[Part, ...] = ()
    gates: bool | None = None
    reason: str | None = None
    held: str | None = None
    was: str | None = None


def history(entries: Iterable[Entry]) -> tuple[Run, ...]:
    """Return the runs in their order."""
    runs: dict[int, Run] = {}
    for entry in entries:
        if entry.event is Event.RUN_BEGAN:
            runs[entry.number] = Run(
                number=entry.number,
                kind=entry.detail["kind"],
                environment=entry.environment,
                operator=entry.operator,
                start=entry.at,
                wanted=tuple(entry.detail["migrations"]),
                gates=entry.detail.get("gates"),
                reason=entry.detail.get("reason"),
            )
        elif entry.event is Event.ENVIRONMENT_ADOPTED:
            runs[entry.number] = Run(
                number=entry.number,
                kind="environment",
                environment=entry.environment,
                operator=entry.operator,
                start=entry.at,
                end=entry.at,
                result="done",
                reason=entry.detail["because"],
                was=entry.detail["from"],
            )
        elif entry.run is not None and entry.run in runs:
            runs[entry.run] = _with(runs[entry.run], entry)
    return tuple(runs.values())


def _with(run: Run, entry: Entry) -> Run:
    if entry.event is Event.RUN_ENDED:
        detail = entry.detail
        said = {name: detail.get(name) for name in ("problem", "held")}
        return msgspec.structs.replace(run, end=entry.at, result=detail["result"], **said)
    if entry.migration is None or entry.direction is None:
        return run
    parts = {part.migration: part for part in run.range}
    part = parts.get(entry.migration) or Part(migration=entry.migration, direction=entry.direction)
    if entry.event is Event.BEGAN:
        gates = {gate["name"]: gate["text"] for gate in entry.detail.get("gates", ())}
        part = msgspec.structs.replace(part, gates=gates)
    elif entry.event is Event.STEP_DONE and entry.step is not None:
        part = msgspec.structs.replace(part, steps=(*part.steps, entry.step))
    elif entry.event is Event.DONE:
        is_contained = entry.detail.get("contained", False)
        part = msgspec.structs.replace(part, is_done=True, is_contained=is_contained)
    elif entry.event is Event.CONTAINED:
        part = msgspec.structs.replace(part, is_contained=True)
    return msgspec.structs.replace(run, range=tuple((parts | {entry.migration: part}).values()))

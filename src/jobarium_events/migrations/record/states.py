"""Where each migration stands in a database, as its record says; nothing else is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from jobarium_events.migrations.record.record import Direction, Entry, Event

__all__ = ["OWN", "Stage", "State", "deployed_releases", "since_adopted", "states"]


class Stage(StrEnum):
    """Where a migration stands."""

    PENDING = "pending"
    """Nothing of it is in the database."""
    APPLYING = "applying"
    """It was begun and is not done: it is running, has failed, or was broken off."""
    APPLIED = "applied"
    """It is done, with its backfill."""
    ROLLING_BACK = "rolling-back"
    """Its way back was begun and is not done."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where one migration stands.

    Attributes:
        id: Its id.
        stage: Where it stands.
        hash: The hash of the file that ran; None while nothing has.
        round: Which time it is applied, from 1: one more than it was rolled back.
        up: The steps of `up` that are done, from 1.
        down: The steps of `down` that are done.
        open_up: The step of `up` that was begun, and of which nobody knows whether it is done.
        open_down: The same of `down`.
        ran: The hash of the text of each step that is done or open, by its direction and number.
        backfill: The hash of the text of its backfill; None while no batch of it is known to be done.
        is_backfilled: Whether its backfill is complete.
        is_contained: Whether its harm was limited since it was last applied, as there is no way back.
        problem: Why it went no further, if that was said.
        at: When it came to where it stands.
        number: The entry of that.
    """

    id: str
    stage: Stage = Stage.PENDING
    hash: str | None = None
    round: int = 1
    up: frozenset[int] = frozenset()
    down: frozenset[int] = frozenset()
    open_up: int | None = None
    open_down: int | None = None
    ran: Mapping[tuple[Direction, int], str] = {}
    backfill: str | None = None
    is_backfilled: bool = False
    is_contained: bool = False
    problem: str | None = None
    at: datetime | None = None
    number: int = 0

    @property
    def has_run(self) -> bool:
        """Whether something of it may be in the database, so that its file may not change any more."""
        has_begun = bool(self.up or self.open_up or self.is_backfilling)
        return self.stage is not Stage.PENDING and (self.stage is not Stage.APPLYING or has_begun)

    @property
    def is_backfilling(self) -> bool:
        """Whether its backfill has done something, or all."""
        return self.backfill is not None or self.is_backfilled

    def done(self, direction: Direction) -> frozenset[int]:
        """Return the steps of one way that are done."""
        return self.up if direction is Direction.UP else self.down

    def open(self, direction: Direction) -> int | None:
        """Return the step of one way that was begun, and of which nobody knows whether it is done."""
        return self.open_up if direction is Direction.UP else self.open_down


OWN = "@"
"""What the ids of the library's own migrations have, and those of a folder cannot have: `0001_outbox@outbox_event`."""


def states(
    entries: Iterable[Entry], *, own: bool = False, known: Mapping[str, State] | None = None
) -> Mapping[str, State]:
    """Return where each migration stands that has run, by id: those of a folder, or the library's own.

    Args:
        entries: The record, or what was added to it.
        own: Whether the library's own are asked for.
        known: Where they stood before those entries.
    """
    found: dict[str, State] = dict(known or {})
    for entry in entries:
        if entry.migration is not None and entry.event in _MOVES and (OWN in entry.migration) is own:
            found[entry.migration] = _moved(found.get(entry.migration) or State(id=entry.migration), entry)
    return found


def deployed_releases(entries: Iterable[Entry]) -> tuple[tuple[str, int], ...]:
    """Return the releases that were deployed, in the order in which they were, each with its entry's number.

    Those of an environment that the database was before do not count.
    """
    here = since_adopted(entries)
    return tuple((entry.detail["release"], entry.number) for entry in here if entry.event is Event.DEPLOYED)


def since_adopted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the entries since the database is the environment that it is."""
    every = tuple(entries)
    places = [place for place, entry in enumerate(every) if entry.event is Event.ENVIRONMENT_ADOPTED]
    return every[places[-1] :] if places else every


_MOVES = (
    Event.BEGAN,
    Event.STEP_BEGAN,
    Event.STEP_DONE,
    Event.STEP_FAILED,
    Event.BACKFILL_BEGAN,
    Event.BACKFILL_FAILED,
    Event.BACKFILLED,
    Event.VERIFIED,
    Event.NOT_VERIFIED,
    Event.CONTAINED,
    Event.DONE,
)


def _moved(state: State, entry: Entry) -> State:
    changes: dict[str, Any]
    match entry.event:
        case Event.BEGAN:
            stage = Stage.APPLYING if entry.direction is Direction.UP else Stage.ROLLING_BACK
            changes = {"stage": stage, "hash": entry.hash, "at": entry.at, "number": entry.number, "problem": None}
            changes |= {"is_contained": False} if stage is Stage.APPLYING else {}
        case Event.STEP_BEGAN:
            changes = {_open(entry): entry.step, "ran": _ran(state, entry)}
        case Event.STEP_DONE if entry.step is not None:
            way = Direction(entry.direction or Direction.UP)
            done = state.done(way) | {entry.step}
            changes = {way.value: done, _open(entry): None, "ran": _ran(state, entry), "problem": None}
        case Event.STEP_FAILED:
            ran = {place: text for place, text in state.ran.items() if place != (entry.direction, entry.step)}
            changes = {_open(entry): None, "ran": ran, "problem": entry.detail.get("problem")}
        case Event.BACKFILL_BEGAN:
            changes = {"backfill": entry.detail.get("text", "")}
        case Event.BACKFILLED:
            changes = {"is_backfilled": True}
        case Event.CONTAINED:
            changes = {"is_contained": True}
        case Event.VERIFIED | Event.NOT_VERIFIED | Event.BACKFILL_FAILED:
            changes = {"problem": entry.detail.get("problem")}
        case _ if entry.direction is Direction.DOWN:
            return State(id=state.id, round=state.round + 1, at=entry.at, number=entry.number)
        case _:
            changes = {"stage": Stage.APPLIED, "at": entry.at, "number": entry.number, "problem": None}
    return msgspec.structs.replace(state, **changes)


def _ran(state: State, entry: Entry) -> Mapping[tuple[Direction, int], str]:
    return {**state.ran, (Direction(entry.direction or Direction.UP), entry.step or 0): entry.detail.get("text", "")}


def _open(entry: Entry) -> str:
    return f"open_{entry.direction}"

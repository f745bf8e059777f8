"""The operational checklist of one migration: what is done for this database, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.applying.approving import approvals
from jobarium_events.migrations.applying.deciding import undecided
from jobarium_events.migrations.applying.gates import gates
from jobarium_events.migrations.files.header import Risk
from jobarium_events.migrations.files.settings import Role
from jobarium_events.migrations.record.record import Direction, Event
from jobarium_events.migrations.record.states import State, since_adopted

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.situation import Gate, Situation
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.record.record import Entry

__all__ = [
    "ALERTS",
    "APPROVED",
    "DECIDED",
    "DOCUMENTED",
    "REHEARSED",
    "REVIEWED",
    "VERIFIED",
    "Item",
    "checklist",
]

REVIEWED = "Migration reviewed by CTO"
DOCUMENTED = "Rollback or containment documented"
ALERTS = "Alert thresholds for database errors prepared"
VERIFIED = "Post-deploy verification queries executed"
DECIDED = "Decision log entry added for breaking changes"
REHEARSED = "Rehearsed with realistic volumes"
APPROVED = "Approved by CEO, with its window, if of high risk"


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One item.

    Attributes:
        name: What is to be done.
        done: Whether it is.
        text: By what, or what is left to do.
        asked: Whether it was asked what tells that; it was not where only a database does, and none is at hand.
    """

    name: str
    done: bool
    text: str
    asked: bool = True


def checklist(situation: Situation, migration: Migration) -> tuple[Item, ...]:
    """Return the checklist of a migration."""
    asked = {gate.name: gate for gate in gates(msgspec.structs.replace(situation, asked=True), migration)}
    decided = asked.get("decision") or undecided(situation, migration)
    return (
        _item(REVIEWED, asked["review"]),
        _item(DOCUMENTED, asked["rollback"]),
        _item(ALERTS, asked["alerts"]),
        _verification(situation, migration),
        _item(DECIDED, decided),
        _item(REHEARSED, asked["rehearsal"]),
        _approval(situation, migration),
    )


def _item(name: str, gate: Gate) -> Item:
    return Item(name, gate.passed, gate.text)


def _verification(situation: Situation, migration: Migration) -> Item:
    """Tell whether the queries were asked after `up` of this round, and returned what they must, the last time.

    That they were asked since the release was recorded as deployed is part of it, once it is.
    """
    state = situation.states.get(migration.id) or State(id=migration.id)
    last = None
    for entry in situation.entries:
        is_of_it = entry.migration == migration.id and entry.round == state.round and entry.direction is Direction.UP
        is_after = str(entry.detail.get("moment", "")).startswith("after")
        if is_of_it and is_after and entry.event in (Event.VERIFIED, Event.NOT_VERIFIED):
            last = entry
    if last is None:
        return Item(VERIFIED, done=False, text="not yet; applying it does that")
    at = last.at.isoformat(timespec="minutes")
    if last.event is Event.VERIFIED:
        return _since_deployed(
            situation, migration, last, Item(VERIFIED, done=True, text=f"returned what they must at {at}")
        )
    return Item(VERIFIED, done=False, text=f"{last.detail['problem']} (at {at})")


def _since_deployed(situation: Situation, migration: Migration, last: Entry, item: Item) -> Item:
    release = migration.header.release
    deployed = [
        entry
        for entry in since_adopted(situation.entries)
        if entry.event is Event.DEPLOYED and entry.detail["release"] == release
    ]
    if not deployed:
        return Item(item.name, done=True, text=f"{item.text}; {release} is not recorded as deployed yet")
    if deployed[-1].number < last.number:
        return Item(item.name, done=True, text=f"{item.text}, since {release} is deployed")
    at = deployed[-1].at.isoformat(timespec="minutes")
    left = f"{item.text}, and {release} is deployed since {at}; ask them again: `db verify {migration.id}`"
    return Item(item.name, done=False, text=left)


def _approval(situation: Situation, migration: Migration) -> Item:
    """Tell whether it is approved; whether it is the time for it is a question of the gate."""
    if migration.header.risk is not Risk.HIGH:
        return Item(APPROVED, done=True, text="of low risk")
    for each in reversed(approvals(situation.entries, migration)):
        if each.role is Role.CEO and situation.void(each, migration) is None:
            return Item(APPROVED, done=True, text=f"approved by {each.by} for {each.window}")
    how = f"`db approve {migration.id} --role ceo --by NAME --window FROM/TO`"
    return Item(APPROVED, done=False, text=f"not approved: {how}")

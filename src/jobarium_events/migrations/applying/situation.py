"""How things stand with a database when it is asked what may be done there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.applying.flags import Flags
from jobarium_events.migrations.files.folder import Migrations
from jobarium_events.migrations.files.migration import Migration
from jobarium_events.migrations.lint.findings import Finding
from jobarium_events.migrations.record.record import Entry
from jobarium_events.migrations.record.states import Stage, State

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.approving import Approval

__all__ = ["Gate", "Situation", "out_of_order"]


class Gate(msgspec.Struct, frozen=True):
    """One gate.

    Attributes:
        name: Its name, in a word or two.
        passed: Whether a migration has passed it.
        text: What makes it so, or what to do about it.
    """

    name: str
    passed: bool
    text: str


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when gates are asked for.

    Attributes:
        migrations: The folder.
        entries: The record.
        states: Where each migration stands.
        now: What time it is, by the clock of the server.
        flags: Where flags are asked for.
        environment: The name of the database's environment; empty where nobody asks for approvals.
        asked: Whether the environment asks for all gates, and not only for the order.
        dropped: Whether it does not, and an earlier run did, and nobody has said why.
        ahead: Ids of the migrations that are applied before, in the same run.
        is_clean: Whether lint lets a migration through.
        breaks: By what a migration breaks code that runs, but for what it removes, as lint finds it.
        meant: The columns on which a migration comments, and which the database says something else of.
        rows: How many rows each table has, as the server's statistics say, for those of which they do.
        led: What the search path makes of names without a schema: the names in `rows` that are not the same.
        server: The server's major version; None where nobody asks for it.
    """

    migrations: Migrations
    entries: tuple[Entry, ...]
    states: Mapping[str, State]
    now: datetime
    flags: Flags
    environment: str = ""
    asked: bool = True
    dropped: bool = False
    ahead: frozenset[str] = frozenset()
    is_clean: Callable[[Migration], bool] = lambda _: False
    breaks: Callable[[Migration], tuple[Finding, ...]] = lambda _: ()
    meant: Callable[[Migration], tuple[tuple[str, str], ...]] = lambda _: ()
    rows: Mapping[str, int] = {}
    led: Mapping[str, str] = {}
    server: int | None = None

    def stage(self, id_: str) -> Stage:
        """Return where a migration stands."""
        state = self.states.get(id_)
        return Stage.PENDING if state is None else state.stage

    def void(self, given: Approval, migration: Migration) -> str | None:
        """Return why an approval does not count for a migration here; None if it does."""
        return given.void(self.migrations.settings, migration, self.environment)


def out_of_order(states: Mapping[str, State], migrations: Migrations, migration: Migration) -> str | None:
    """Return what is to be said of a migration that is not applied, while a later one of the folder is."""
    own = states.get(migration.id)
    if own is not None and own.stage is Stage.APPLIED:
        return None
    later = [
        each.id
        for each in migrations.ordered
        if each.number > migration.number and each.id in states and states[each.id].stage is Stage.APPLIED
    ]
    if not later:
        return None
    return f"{later[0]} comes after it and is applied already: a database made anew gets the two in the other order"

"""The queries of `verify`: asked as a migration is applied, and again once code runs on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.applying.refusals import NotApplied
from jobarium_events.migrations.applying.touching import touched
from jobarium_events.migrations.applying.unchanged import changed_one
from jobarium_events.migrations.files.migration import When
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.lint.removals import removed
from jobarium_events.migrations.lint.walking import tables_of
from jobarium_events.migrations.record.record import Direction, Event
from jobarium_events.migrations.record.states import Stage
from jobarium_events.migrations.running.failures import NotVerified
from jobarium_events.migrations.running.verifying import Verified, verify

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.applying.situation import Situation
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.settings import Environment
    from jobarium_events.migrations.record.record import Record
    from jobarium_events.migrations.record.states import State

__all__ = ["Asked", "ask", "ask_again", "moment_of", "outdated_by"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking the queries of a migration again.

    Attributes:
        migration: Its id.
        checks: What came of each; none where they were not asked.
        outdated_by: The id of a migration that ran later and removes something of a table that they are about, so that
            they were not asked; None otherwise.
    """

    migration: str
    checks: tuple[Verified, ...] = ()
    outdated_by: str | None = None

    @property
    def ok(self) -> bool:
        """Whether each that was asked returned what it must."""
        return all(check.ok for check in self.checks)


def ask(
    connection: Connection[Any],
    record: Record,
    environment: Environment,
    migration: Migration,
    round_: int,
    *,
    direction: Direction = Direction.UP,
    when: When = When.AFTER,
    waits: bool = True,
) -> tuple[Verified, ...]:
    """Ask what `verify` asks at a moment, record what came of it, and return that.

    Args:
        connection: Where.
        record: Where it is recorded.
        environment: How long a query may wait and take.
        migration: Whose queries.
        round_: Which time it is applied.
        direction: Which way it went.
        when: At which moment.
        waits: Whether to wait until the disk has the entry.
    """
    found = verify(connection, migration.checks_at(when), environment)
    wrong = [each for each in found if not each.ok]
    moment = moment_of(direction, when)
    said: dict[str, Any] = {"moment": moment, "checks": [each.name for each in found]}
    said |= {"problem": str(NotVerified(migration.id, moment, wrong))} if wrong else {}
    event = Event.NOT_VERIFIED if wrong else Event.VERIFIED
    record.write(connection, event, migration, direction=direction, round_=round_, waits=waits, **said)
    return found


def moment_of(direction: Direction, when: When) -> str:
    """Return when queries are asked, in words."""
    return f"{when} {Direction.UP}" if direction is Direction.UP else f"after {Direction.DOWN}"


def ask_again(
    connection: Connection[Any], record: Record, environment: Environment, situation: Situation, id_: str | None
) -> tuple[Asked, ...]:
    """Ask the queries of one applied migration again, or of all but those that a later one has outdated.

    Raises:
        NotApplied: If the one is not applied.
        FileChanged: If a file is not the one that ran.
    """
    applied = [each for each in situation.migrations.ordered if situation.stage(each.id) is Stage.APPLIED]
    wanted = applied
    if id_ is not None:
        migration = situation.migrations[id_]
        if migration not in applied:
            raise NotApplied(migration.id, situation.stage(migration.id))
        wanted = [migration]
    for each in wanted:
        changed = changed_one(situation.states[each.id], each)
        if changed is not None:
            raise changed
    found: list[Asked] = []
    for each in wanted:
        state = situation.states[each.id]
        other = None if id_ is not None else outdated_by(situation.migrations, situation.states, each)
        if other is not None:
            found.append(Asked(migration=each.id, outdated_by=other))
            continue
        found.append(Asked(migration=each.id, checks=ask(connection, record, environment, each, state.round)))
    return tuple(found)


def outdated_by(migrations: Migrations, found: Mapping[str, State], migration: Migration) -> str | None:
    """Return the id of what ran later, be it in part, and removes something of a table that the queries are about.

    Args:
        migrations: The folder.
        found: Where its migrations stand by the record.
        migration: One of it that has run.
    """
    number = found[migration.id].number
    about = touched(migration).union(*(tables_of(each.query.node) for each in migration.checks_at(When.AFTER)))
    for other in migrations.ordered:
        state = found.get(other.id)
        if state is None or state.number <= number:
            continue
        ran = (
            step
            for place, step in enumerate(steps(other.up), 1)
            if place in state.up or place == state.open(Direction.UP)
        )
        gone = {each.table for step in ran for statement in step.statements for each in removed(statement)}
        if gone & about:
            return other.id
    return None

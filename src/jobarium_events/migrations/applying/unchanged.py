"""Whether the files are still those that ran, as far as they ran."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobarium_events.migrations.applying.refusals import FileChanged
from jobarium_events.migrations.applying.stepping import text_hash
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.record.record import Direction
from jobarium_events.migrations.record.states import Stage, State

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.situation import Situation
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["changed", "changed_one", "check_unchanged"]


def changed(situation: Situation) -> Iterator[FileChanged]:
    """Yield what is wrong with the files of migrations that ran: those that were changed, and those that are gone."""
    files = {each.id: each for each in situation.migrations.ordered}
    for state in situation.states.values():
        found = changed_one(state, files.get(state.id))
        if found is not None:
            yield found


def changed_one(state: State, migration: Migration | None) -> FileChanged | None:
    """Return what is wrong with the file of one migration; None if nothing is.

    One that is applied stays as it ran. One that is half done may change in what has not run: that is the way out where
    a step fails for good, going up or going back.
    """
    if not state.has_run or state.hash is None:
        return None
    if migration is None:
        return FileChanged(state.id, state.hash, None)
    is_half = state.stage is not Stage.APPLIED
    if migration.hash == state.hash or (is_half and _is_as_it_ran(state, migration)):
        return None
    is_undone = state.stage is Stage.APPLYING and bool(migration.down)
    return FileChanged(state.id, state.hash, migration.hash, is_half=is_half, is_undone=is_undone)


def _is_as_it_ran(state: State, migration: Migration) -> bool:
    """Whether what has run of a migration stands in its file as it ran."""
    there = {
        (way, number): text_hash(step.statements)
        for way, statements in ((Direction.UP, migration.up), (Direction.DOWN, migration.down))
        for number, step in enumerate(steps(statements), 1)
    }
    ran = {(way, number) for way in Direction for number in (*state.done(way), state.open(way) or 0) if number}
    if any(place not in state.ran or state.ran[place] != there.get(place) for place in ran):
        return False
    if not state.is_backfilling or state.stage is Stage.ROLLING_BACK:
        return True
    # A backfill goes on with the file that it began with; once it is complete, its statement stays what it was.
    is_same = migration.backfill is not None and state.backfill == text_hash([migration.backfill])
    return state.is_backfilled and is_same


def check_unchanged(situation: Situation) -> None:
    """Check that the files of all migrations that ran are as they were.

    Raises:
        FileChanged: For the first that is not.
    """
    for each in changed(situation):
        raise each

"""Where each migration of a folder stands in a database, as `status` says it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.applying.asking import outdated_by
from jobarium_events.migrations.applying.refusals import shortened
from jobarium_events.migrations.applying.situation import out_of_order
from jobarium_events.migrations.applying.unchanged import changed_one
from jobarium_events.migrations.record.states import Stage, State

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.refusals import FileChanged
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Standing", "standings"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where one migration stands.

    Attributes:
        id: Its id.
        stage: Where it stands.
        release: The release that it comes with; None if its file is gone.
        hash: The hash of the file that ran; None while nothing has.
        steps_done: How many steps of `up` are done.
        at: When it came to where it stands, by the clock of the server.
        problem: What is wrong: why it went no further, or that its file was changed or is gone.
        note: What is to be known and is not wrong.
        left_by: The command that goes on with it, where it is half done and nobody is applying or rolling back here.
        is_paused: Whether its backfill is paused, which that command does not end.
    """

    id: str
    stage: Stage
    release: str | None
    hash: str | None
    steps_done: int
    at: datetime | None
    problem: str | None
    note: str | None = None
    left_by: str | None = None
    is_paused: bool = False


def standings(
    migrations: Migrations, found: Mapping[str, State], *, is_at_work: bool, paused: Collection[str] = ()
) -> tuple[Standing, ...]:
    """Return where each stands: those of the folder, and those of the record whose file is gone.

    Args:
        migrations: The folder.
        found: Where they stand by the record.
        is_at_work: Whether somebody is applying here, or rolling back.
        paused: Those whose backfills are paused.
    """
    files = {each.id: each for each in migrations.ordered}
    gone = sorted(id_ for id_, state in found.items() if id_ not in files and state.has_run)
    return tuple(
        _standing(migrations, found, id_, files.get(id_), is_at_work=is_at_work, is_paused=id_ in paused)
        for id_ in (*gone, *files)
    )


def _standing(
    migrations: Migrations,
    found: Mapping[str, State],
    id_: str,
    migration: Migration | None,
    *,
    is_at_work: bool,
    is_paused: bool,
) -> Standing:
    state = found.get(id_) or State(id=id_)
    changed = changed_one(state, migration)
    return Standing(
        id=id_,
        stage=state.stage,
        release=None if migration is None else migration.header.release,
        hash=state.hash if state.has_run else None,
        steps_done=len(state.up),
        at=state.at,
        problem=_problem(migrations, found, state, migration) if changed is None else _told(changed),
        note=_note(migrations, found, state, migration),
        left_by=None if is_at_work else _goes_on(state),
        is_paused=is_paused,
    )


def _problem(
    migrations: Migrations, found: Mapping[str, State], state: State, migration: Migration | None
) -> str | None:
    """Return why it went no further, or what its queries have found since, unless nobody has to ask them any more."""
    if state.problem is None or state.stage is not Stage.APPLIED or migration is None:
        return state.problem
    return None if outdated_by(migrations, found, migration) else state.problem


def _note(migrations: Migrations, found: Mapping[str, State], state: State, migration: Migration | None) -> str | None:
    if state.is_contained:
        return "contained: there is no way back, and what it did stays"
    return None if migration is None else out_of_order(found, migrations, migration)


def _goes_on(state: State) -> str | None:
    """Return the command that goes on with what is half done."""
    if state.stage is Stage.APPLYING:
        return f"db apply {state.id}"
    return f"db rollback {state.id}" if state.stage is Stage.ROLLING_BACK else None


def _told(changed: FileChanged) -> str:
    if changed.now is None:
        return "its file is gone; bring it back"
    what = "in what ran of it" if changed.is_half else "after it ran"
    ran, now = shortened(changed.ran), shortened(changed.now)
    return f"its file was changed {what}: {ran} ran, and it is {now} now"

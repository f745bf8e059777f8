"""The way back of one migration, in the policy's order: the app first, then the backfill, the flag, and `down`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.applying.applying import Job, verified
from jobarium_events.migrations.applying.outofuse import NO_APP
from jobarium_events.migrations.applying.refusals import RollbackRefused
from jobarium_events.migrations.applying.sessions import fresh
from jobarium_events.migrations.applying.stepping import run_steps
from jobarium_events.migrations.applying.touching import touched
from jobarium_events.migrations.applying.unchanged import changed_one
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.files.migration import When
from jobarium_events.migrations.record.record import Direction, Event
from jobarium_events.migrations.record.states import Stage, State, deployed_releases

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.applying.situation import Situation
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["RolledBack", "prepare", "roll_back"]


class RolledBack(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a way back.

    Attributes:
        migration: The id of the migration.
        done: What was done, in its order, each a sentence.
        containment: What limits the harm where there is no way back; the migration stays as it is then.
        frees: Ids of the migrations that it kept from being rolled back, where it is contained and does so no more.
        held: Always None: nothing holds a way back but what refuses it.
        is_stopped: Whether it was to stop before its end.
    """

    migration: str
    done: tuple[str, ...]
    containment: str | None = None
    frees: tuple[str, ...] = ()
    is_stopped: bool = False
    held: None = None

    @property
    def result(self) -> str:
        """In a word, for the record."""
        return "stopped" if self.is_stopped else "contained" if self.containment is not None else "done"


def prepare(connection: Connection[Any], situation: Situation, migration: Migration, app: str | None) -> bool:
    """Begin a way back: see that it can be gone and that the app is rolled back, and pause the backfill.

    That needs no lock; whoever applies may be at the very backfill, and ends once that is paused.

    Returns:
        Whether somebody is at the backfill.

    Raises:
        RollbackRefused: If it cannot be gone.
        FileChanged: If the file is not the one that ran.
    """
    state = situation.states.get(migration.id) or State(id=migration.id)
    _check(situation, migration, state, app)
    if migration.backfill is None or state.is_backfilled:
        return False
    return backfilling.pause(connection, migration).is_running


def roll_back(job: Job, migration: Migration, app: str | None) -> RolledBack:
    """Go a migration's way back, or go on with it.

    Args:
        job: What to work with.
        migration: Which one; it is prepared.
        app: The release that the app runs now, as the operator says; `NO_APP` if none uses the database. None where
            the record says it.

    Raises:
        RollbackRefused: If it is not applied, a later one needs it, the app was not rolled back, or the flag is on.
        FileChanged: If the file is not the one that ran.
        StepFailed: If a step is not done.
        NotVerified: If its queries do not return afterwards what they must.
    """
    situation = job.look(frozenset())
    state = job.state(migration)
    older = _check(situation, migration, state, app)

    def work(run: Job) -> RolledBack:
        done = [_record_app(run, situation, older)] if older else []
        if migration.backfill is not None and not state.is_backfilled:
            done.append("the backfill is paused")
        done += _turn_off(run, situation, migration, state)
        if not migration.down and (migration.up or state.is_backfilled):
            return _contained(run, migration, state, done)
        return _go_down(run, migration, state, done, _passed_over(situation, migration, state))

    return job.run("rollback", [migration.id], work)


def _check(situation: Situation, migration: Migration, state: State, app: str | None) -> str | None:
    _check_stage(situation, migration, state)
    found = changed_one(state, migration)
    if found is not None:
        raise found
    return _app_that_runs(situation, migration, state, app)


def _check_stage(situation: Situation, migration: Migration, state: State) -> None:
    if not state.has_run:
        raise RollbackRefused(migration.id, "nothing of it is in this database")
    passed = _passed_over(situation, migration, state)
    over = {each.id for each in passed}
    needing = [each for each in _needing(situation, migration) if each.id not in over]
    if needing:
        first = f"roll back first what depends on it: {', '.join(each.id for each in reversed(needing))}"
        raise RollbackRefused(migration.id, f"{first}{_way_out(reversed(needing))}")
    if state.stage is not Stage.ROLLING_BACK:
        _check_tables(situation, migration, state, passed)


def _needing(situation: Situation, migration: Migration) -> tuple[Migration, ...]:
    """Return what has run and depends on a migration, or on what does, in the order of the folder."""
    found: dict[str, Migration] = {migration.id: migration}
    for each in situation.migrations.ordered:
        state = situation.states.get(each.id)
        if state is not None and state.has_run and not found.keys().isdisjoint(_needed(each)):
            found[each.id] = each
    return tuple(found.values())[1:]


def _needed(migration: Migration) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*migration.header.depends_on, *migration.header.completes)))


def _passed_over(situation: Situation, migration: Migration, state: State) -> tuple[Migration, ...]:
    """Return the backfills that are contained and keep nothing from going back any more; they go with it.

    What such a backfill wrote stays or goes with the column that it filled. It has to be run anew in either case.
    """
    own = touched(migration)
    needing = {each.id for each in _needing(situation, migration)}
    return tuple(
        each
        for each in situation.migrations.ordered
        if _is_contained(situation, each)
        and (each.id in needing or (situation.states[each.id].number > state.number and touched(each) & own))
    )


def _is_contained(situation: Situation, migration: Migration) -> bool:
    """Whether one has nothing but a backfill, which is contained as it stands now: its flag may be on again."""
    state = situation.states.get(migration.id)
    if not _only_fills(migration) or state is None or not state.is_contained:
        return False
    flag = migration.header.feature_flag
    value = False if flag is None else situation.flags[flag].value
    return value is False or (value is None and not situation.asked)


def _only_fills(migration: Migration) -> bool:
    return migration.backfill is not None and not migration.up and not migration.down


def _way_out(blocking: Iterable[Migration]) -> str:
    """Return what is to be said of those that have no way back."""
    blocking = tuple(blocking)
    stuck = [each.id for each in blocking if not each.down and not _only_fills(each)]
    filled = [each.id for each in blocking if _only_fills(each)]
    said = f"; `db rollback` contains {', '.join(filled)}, which is enough" if filled else ""
    return f"{said}; {', '.join(stuck)} has no way back, so undo it by a new migration" if stuck else said


def _check_tables(situation: Situation, migration: Migration, state: State, passed: tuple[Migration, ...]) -> None:
    """Check that nothing that ran later is about the same tables, and might go or break with what goes."""
    own = touched(migration)
    over = {migration.id, *(each.id for each in passed)}
    later: dict[str, frozenset[str]] = {}
    for each in situation.migrations.ordered:
        other = situation.states.get(each.id)
        is_later = other is not None and other.has_run and other.number > state.number
        if is_later and each.id not in over:
            later[each.id] = touched(each) & own
    found = {id_: tables for id_, tables in later.items() if tables}
    if found:
        tables = ", ".join(sorted(frozenset().union(*found.values())))
        ids = ", ".join(reversed(found))
        out = _way_out(situation.migrations[id_] for id_ in reversed(found))
        are, those = ("is", "that") if len(found) == 1 else ("are", "those")
        problem = f"{ids} ran after it and {are} about {tables} as well; roll {those} back first"
        raise RollbackRefused(migration.id, f"{problem}, or undo this one by a new migration{out}")


def _app_that_runs(situation: Situation, migration: Migration, state: State, app: str | None) -> str | None:
    """Return the release that the app was rolled back to, where that is yet to be recorded.

    Raises:
        RollbackRefused: If it still runs one that counts on what the migration did, or if nobody says what it runs.
    """
    releases = situation.migrations.settings.releases
    own = releases.index(migration.header.release)
    older = [f"`--app-runs {each}`" for each in (*reversed(releases[:own]), NO_APP)]
    counts = f"code of {migration.header.release} or later counts on what this migration did"
    if app is not None:
        if app == NO_APP or app in releases[:own]:
            return app
        what = f"{app} is such code" if app in releases else f"there is no release {app!r}"
        problem = f"{counts}, and {what}; roll the app back first, and say what it runs then"
        raise RollbackRefused(migration.id, f"{problem}: {_listed(older)}")
    if not situation.asked:
        return None
    deployed = deployed_releases(situation.entries)
    last = deployed[-1][0] if deployed else None
    if last == NO_APP or last in releases[:own]:
        return None
    runs = f"{last} is deployed, by the record" if last else "the record does not say which release is deployed"
    problem = f"{counts}, and {runs}; roll the app back first, and say what it runs then"
    can_go_on = migration.backfill is not None and not state.is_backfilled
    stops = f"; `db backfill pause {migration.id}` only keeps it from going on" if can_go_on else ""
    raise RollbackRefused(migration.id, f"{problem}: {_listed(older)}{stops}")


def _listed(options: list[str]) -> str:
    """Return the options that there are to say what the app runs, the newest release first."""
    return f"{' or '.join(options)} if no app uses this database"


def _record_app(job: Job, situation: Situation, release: str) -> str:
    last = (deployed_releases(situation.entries) or ((None, 0),))[-1][0]
    if last != release:
        job.record.write(job.connection, Event.DEPLOYED, release=release, rolled_back=True)
    return "no app uses the database" if release == NO_APP else f"the app is rolled back to {release}"


def _turn_off(job: Job, situation: Situation, migration: Migration, state: State) -> list[str]:
    """Turn the flag off where it is in a file of ours; elsewhere see to it that it is off."""
    name = migration.header.feature_flag
    if name is None:
        return []
    if migration.header.category is Category.CONTRACT:
        # What it removed comes back empty, and the old path would read that.
        return [f"the flag {name!r} stays on, as what comes back is empty"]
    flag = situation.flags[name]
    if flag.value and situation.flags.file is not None:
        situation.flags.file.turn_off(name)
        said = f"the flag {name!r} is turned off in {situation.flags.file.path}; roll that out"
    elif flag.value:
        raise RollbackRefused(migration.id, f"the flag {name!r} is on; turn it off where it is kept, and come again")
    elif flag.value is None and situation.asked:
        raise RollbackRefused(migration.id, f"whether its flag is off is not known: {flag.problem}")
    elif flag.value is None:
        return [f"whether the flag {name!r} is off is not known: {flag.problem}"]
    else:
        said = f"the flag {name!r} is off"
    job.record.write(job.connection, Event.FLAG_OFF, migration, round_=state.round, flag=name)
    return [said]


def _contained(job: Job, migration: Migration, state: State, done: list[str]) -> RolledBack:
    """Record that what limits the harm is done, as far as it is done here."""
    containment = migration.header.containment or migration.header.rollback_plan
    place: dict[str, Any] = {"direction": Direction.DOWN, "round_": state.round}
    job.record.write(job.connection, Event.CONTAINED, migration, **place, containment=containment)
    frees = _needed(migration) if _only_fills(migration) else ()
    return RolledBack(migration=migration.id, done=tuple(done), containment=containment, frees=frees)


def _go_down(
    job: Job, migration: Migration, state: State, done: list[str], passed: tuple[Migration, ...]
) -> RolledBack:
    fresh(job.connection)
    if state.stage is not Stage.ROLLING_BACK or state.hash != migration.hash:
        job.record.write(job.connection, Event.BEGAN, migration, direction=Direction.DOWN, round_=state.round)
    is_down = run_steps(
        job.connection,
        job.record,
        migration,
        state,
        direction=Direction.DOWN,
        environment=job.environment,
        watch=job.watch,
        stopped=job.stop.is_set,
        connect=job.connect,
    )
    if not is_down:
        return RolledBack(migration=migration.id, done=tuple(done), is_stopped=True)
    verified(job, migration, state, Direction.DOWN, When.BEFORE)
    with job.connection.transaction():
        if migration.backfill is not None:
            backfilling.forget(job.connection, migration)
        for each in passed:
            backfilling.forget(job.connection, each)
            place: dict[str, Any] = {"direction": Direction.DOWN, "round_": job.state(each).round}
            job.record.write(job.connection, Event.DONE, each, **place, contained=True)
        job.record.write(job.connection, Event.DONE, migration, direction=Direction.DOWN, round_=state.round)
    said = "`down` has run, and is verified" if migration.down else "the backfill begins anew; what it wrote stays"
    anew = (f"{each.id}, which is contained, has to be applied anew after it" for each in passed)
    return RolledBack(migration=migration.id, done=(*done, said, *anew))

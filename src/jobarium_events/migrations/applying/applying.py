"""Migrations are applied: through the gates, by steps that are recorded with what they do, and verified."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.applying.asking import ask, moment_of
from jobarium_events.migrations.applying.gates import gates
from jobarium_events.migrations.applying.refusals import Closed, Held
from jobarium_events.migrations.applying.sessions import Session, fresh
from jobarium_events.migrations.applying.situation import Gate, Situation
from jobarium_events.migrations.applying.stepping import StepNews, run_steps, text_hash
from jobarium_events.migrations.applying.unchanged import check_unchanged
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.backfills.checkpoints import Progress
from jobarium_events.migrations.backfills.refusals import BackfillFailed
from jobarium_events.migrations.files.migration import When
from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.record.record import Direction, Event, Record
from jobarium_events.migrations.record.states import Stage, State
from jobarium_events.migrations.running.failures import NotVerified

with extra("migrations"):
    import psycopg
    from psycopg import Connection

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Applied", "Job", "News", "apply", "verified"]

_ASKED_EVERY = 1.0  # seconds from one look to the next whether the lock is still ours, while a backfill runs


class _Result(Protocol):
    @property
    def result(self) -> str: ...

    @property
    def held(self) -> str | None: ...


Outcome = TypeVar("Outcome", bound=_Result)

News = StepNews | Progress
"""What is told while migrations are applied: of a step, or of a backfill."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What came of applying.

    Attributes:
        done: Ids of the migrations that are applied now, and were not before.
        stopped: Id of the one that is not done, because its backfill is paused, or because it was to stop.
        is_paused: Whether its backfill is paused.
        held: Id of the one before whose gates it stopped.
        gates: Those gates.
    """

    done: tuple[str, ...] = ()
    stopped: str | None = None
    is_paused: bool = False
    held: str | None = None
    gates: tuple[Gate, ...] = ()

    @property
    def result(self) -> str:
        """In a word, for the record."""
        return "stopped" if self.stopped else "held" if self.held else "done"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What applying and rolling back work with.

    Attributes:
        session: The session that holds the lock.
        connect: Opens another one.
        record: Where it is recorded.
        environment: How to apply.
        look: Returns how things stand, asked anew; it is told which migrations come before in the same run.
        watch: Is told how it goes.
        stop: Set when no further step or batch is to be begun.
        gates: Whether all gates are asked for, for the record; None where nobody asks.
        reason: Why they are not, if somebody said so.
    """

    session: Session
    connect: Callable[[], Connection[Any]]
    record: Record
    environment: Environment
    look: Callable[[frozenset[str]], Situation]
    watch: Callable[[News], None]
    stop: threading.Event
    gates: bool | None = None
    reason: str | None = None

    @property
    def connection(self) -> Connection[Any]:
        """The session that holds the lock, as it is now."""
        return self.session.connection

    def state(self, migration: Migration) -> State:
        """Return where a migration stands, by the record as it is now."""
        return self.look(frozenset()).states.get(migration.id) or State(id=migration.id)

    def run(self, kind: str, ids: Sequence[str], work: Callable[[Job], Outcome]) -> Outcome:
        """Do some work as a run: it is recorded that it began and, whatever comes, how it ended."""
        self.record.install(self.connection)
        said: dict[str, Any] = {} if self.gates is None else {"gates": self.gates}
        said |= {"reason": self.reason} if self.reason and not self.gates else {}
        number = self.record.write(self.connection, Event.RUN_BEGAN, kind=kind, migrations=list(ids), **said)
        job = msgspec.structs.replace(self, record=msgspec.structs.replace(self.record, run=number))
        try:
            outcome = work(job)
        except BaseException as error:
            # Where the server cannot be told any more, the run has no end in the record, and so it is shown.
            with suppress(psycopg.Error):
                self.session.reopen()
                fresh(self.connection)
                job.record.write(self.connection, Event.RUN_ENDED, result="failed", problem=_told(error))
            raise
        fresh(self.connection)
        held: dict[str, Any] = {"held": outcome.held} if outcome.held else {}
        job.record.write(self.connection, Event.RUN_ENDED, result=outcome.result, **held)
        return outcome


def apply(job: Job, wanted: Sequence[Migration], *, whole: bool) -> Applied:
    """Apply some migrations in their order; those that are applied are left out.

    Args:
        job: What to work with.
        wanted: Which.
        whole: Whether to apply all or, where a gate is closed, none; otherwise those before the first closed gate.

    Raises:
        Closed: If a gate is closed before the first, or before any where the whole is wanted.
        FileChanged: If a file is not the one that ran.
        StepFailed: If a step is not done.
        NotVerified: If a migration's queries do not return what they must.
    """
    situation = job.look(frozenset())
    check_unchanged(situation)
    wanted = [each for each in wanted if situation.stage(each.id) is not Stage.APPLIED]
    if not wanted:
        return Applied()
    ahead: set[str] = set()
    for migration in wanted if whole else wanted[:1]:
        _check_gates(job.look(frozenset(ahead)), migration)
        ahead.add(migration.id)
    done: list[str] = []

    def work(run: Job) -> Applied:
        for migration in wanted:
            if run.stop.is_set():
                return Applied(done=tuple(done), stopped=migration.id)
            now = run.look(frozenset())
            try:
                passed = _check_gates(now, migration)
            except Closed as closed:
                if whole:
                    raise
                return Applied(done=tuple(done), held=migration.id, gates=closed.gates)
            if not _apply(run, migration, now.states.get(migration.id) or State(id=migration.id), passed):
                is_paused = not run.stop.is_set()  # nothing else ends it before its end
                return Applied(done=tuple(done), stopped=migration.id, is_paused=is_paused)
            done.append(migration.id)
        return Applied(done=tuple(done))

    return job.run("apply", [each.id for each in wanted], work)


def _check_gates(situation: Situation, migration: Migration) -> tuple[Gate, ...]:
    found = gates(situation, migration)
    closed = [gate for gate in found if not gate.passed]
    if closed:
        raise Closed(migration.id, closed)
    return found


def _apply(job: Job, migration: Migration, state: State, passed: Sequence[Gate]) -> bool:
    """Apply one, or go on with it; return whether it is applied.

    What is recorded around its steps is not waited for: the end of the run is, and with it all that was before.
    """
    is_fresh = not state.has_run
    fresh(job.connection)
    place: dict[str, Any] = {"direction": Direction.UP, "round_": state.round}
    said = [{"name": gate.name, "text": gate.text} for gate in passed]
    job.record.write(job.connection, Event.BEGAN, migration, **place, waits=False, gates=said)
    if is_fresh and migration.checks_at(When.BEFORE):
        verified(job, migration, state, Direction.UP, When.BEFORE)
    is_up = run_steps(
        job.connection,
        job.record,
        migration,
        state,
        direction=Direction.UP,
        environment=job.environment,
        watch=job.watch,
        stopped=job.stop.is_set,
        connect=job.connect,
    )
    if not is_up or not _is_filled(job, migration, state):
        return False
    verified(job, migration, state, Direction.UP, When.AFTER)
    job.record.write(job.connection, Event.DONE, migration, **place, waits=False)
    return True


def _is_filled(job: Job, migration: Migration, state: State) -> bool:
    """Run the backfill, if there is one and it is not complete; return whether it is."""
    if migration.backfill is None or state.is_backfilled:
        return True

    place: dict[str, Any] = {"direction": Direction.UP, "round_": state.round}
    text = text_hash([migration.backfill])

    def begun(connection: Connection[Any]) -> None:
        job.record.write(connection, Event.BACKFILL_BEGAN, migration, **place, text=text)

    def finished(connection: Connection[Any]) -> None:
        job.record.write(connection, Event.BACKFILLED, migration, **place)

    asked = monotonic()

    def watch(found: Progress) -> None:
        nonlocal asked
        if monotonic() - asked > _ASKED_EVERY:
            _regain(job, migration, state)
            asked = monotonic()
        job.watch(found)

    try:
        progress = backfilling.run(
            job.connect, migration, job.environment, stop=job.stop, watch=watch, begun=begun, finished=finished
        )
    except BackfillFailed as failed:
        with suppress(psycopg.Error):  # as of a step: a full disk takes no entry either
            job.record.write(job.connection, Event.BACKFILL_FAILED, migration, **place, problem=str(failed))
        raise
    _regain(job, migration, state)
    if progress.is_complete and not job.state(migration).is_backfilled:
        finished(job.connection)  # it was completed by itself, by nobody who writes to the record
    return progress.is_complete


def _regain(job: Job, migration: Migration, state: State) -> None:
    """Take the lock again if it was lost, as its session has nothing to do while a backfill runs.

    Raises:
        Held: If somebody else has it, or has had it and gone back.
    """
    if job.session.regain():
        now = job.state(migration)
        if (now.stage, now.round) != (Stage.APPLYING, state.round):
            raise Held("somebody else, who began while the connection was lost and has ended by now")
        fresh(job.connection)


def verified(job: Job, migration: Migration, state: State, direction: Direction, when: When) -> None:
    """Ask what `verify` asks at a moment, and record what came of it.

    Raises:
        NotVerified: If a query does not return what it must.
    """
    found = ask(
        job.connection,
        job.record,
        job.environment,
        migration,
        state.round,
        direction=direction,
        when=when,
        waits=False,
    )
    wrong = [each for each in found if not each.ok]
    if wrong:
        raise NotVerified(migration.id, moment_of(direction, when), wrong)


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__

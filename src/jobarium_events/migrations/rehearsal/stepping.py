"""Steps that are watched while they run: once while code reads and writes, and once more with nobody beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.files.options import is_on
from jobarium_events.migrations.files.parsing import written
from jobarium_events.migrations.files.steps import Step
from jobarium_events.migrations.rehearsal.observing import Clock, Observer
from jobarium_events.migrations.rehearsal.report import ObservedStep
from jobarium_events.migrations.rehearsal.supplies import shown
from jobarium_events.migrations.running.running import run_step

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.files.settings import Environment
    from jobarium_events.migrations.lint.locking.locks import Effects
    from jobarium_events.migrations.rehearsal.going import Connect

__all__ = ["is_repeatable", "run_again", "run_watched", "with_locks_of"]

_REPEATABLE = ("cluster_stmt", "reindex_stmt", "vacuum_stmt")


def run_watched(
    connection: Connection[Any],
    step: tuple[Step, tuple[Effects, ...]],
    environment: Environment,
    observer: Observer,
    into: list[ObservedStep],
) -> None:
    """Run a step, and append what was seen of it.

    Args:
        connection: A session that the observer takes for the migration's.
        step: The step, with what its statements are known to do.
        environment: How long it may wait and take.
        observer: Who watches it.
        into: Where it is appended, also if it fails.

    Raises:
        StepFailed: If Postgres refuses a statement.
    """
    run, foretold = step
    text = "; ".join(statement.text for statement in run.statements)
    alone = None if run.in_transaction else run.statements[0]
    on = {shown(lock.table) for each in foretold for lock in each.locks}
    with observer.step(run.line, text, into, alone=alone, on=on) as watched:
        run_step(connection, run, environment, within=observer.within, retried=watched.retried)


def run_again(
    connect: Connect,
    steps: Iterable[tuple[Step, tuple[Effects, ...]]],
    environment: Environment,
    chosen: Callable[[Step], bool],
) -> tuple[float, dict[int, ObservedStep]]:
    """Run steps with nobody beside them, where those that no transaction may hold wait for each of their locks.

    Args:
        connect: Opens a connection, in autocommit.
        steps: Each with what its statements are known to do.
        environment: How long one may wait and take.
        chosen: Whether one is to be run.

    Returns:
        How many seconds they took, and what was seen of those that no transaction may hold, by their places: of the
        others all locks are known.

    Raises:
        StepFailed: If Postgres refuses a statement.
    """
    seconds, seen = 0.0, dict[int, ObservedStep]()
    with connect() as connection, Observer(connect, Clock(), every=True) as observer:
        observer.own(connection)
        for place, (step, foretold) in enumerate(steps):
            if not chosen(step):
                continue
            if step.in_transaction:
                began = time.perf_counter()
                run_step(connection, step, environment)
                seconds += time.perf_counter() - began
            else:
                into: list[ObservedStep] = []
                run_watched(connection, (_waiting(step), foretold), environment, observer, into)
                (seen[place],) = into
                seconds += seen[place].seconds
    return seconds, seen


def _waiting(step: Step) -> Step:
    """Return a step that waits for what is locked where it would pass that by; it asks for the same locks."""
    statement = step.statements[0]
    if statement.kind != "vacuum_stmt" or not is_on(statement.node.options, "skip_locked"):
        return step
    node = type(statement.node)()
    node.CopyFrom(statement.node)
    kept = [each for each in node.options if each.def_elem.defname != "skip_locked"]
    del node.options[:]
    node.options.extend(kept)
    return Step(
        (msgspec.structs.replace(statement, text=written(statement.kind, node), node=node),), step.in_transaction
    )


def is_repeatable(step: Step) -> bool:
    """Whether a step that no transaction may hold does the same a second time, without a way back in between."""
    return not step.in_transaction and step.statements[0].kind in _REPEATABLE


def with_locks_of(step: ObservedStep, again: ObservedStep) -> ObservedStep:
    """Return a step with the locks that only running it again has shown: they were too brief for the looks."""
    known = {(lock.table, lock.mode) for lock in step.locks}
    end = step.begin + step.seconds
    fresh = (
        msgspec.structs.replace(lock, waited=0.0, begin=step.begin, end=end, seconds=min(lock.seconds, step.seconds))
        for lock in again.locks
        if (lock.table, lock.mode) not in known
    )
    locks = sorted((*step.locks, *fresh), key=lambda lock: (lock.table, lock.mode))
    return msgspec.structs.replace(step, locks=tuple(locks))

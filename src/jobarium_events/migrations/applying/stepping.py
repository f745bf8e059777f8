"""The steps of one way of a migration, run in their order, each recorded; those that are done are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.files.steps import Step, steps
from jobarium_events.migrations.record.record import Direction, Event, Record
from jobarium_events.migrations.record.states import Stage, State
from jobarium_events.migrations.running.failures import StepFailed
from jobarium_events.migrations.running.running import run_step

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.files.settings import Environment

__all__ = ["StepNews", "run_steps", "text_hash"]


class StepNews(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a step while it runs.

    Attributes:
        migration: The id of the migration.
        direction: Which way it goes.
        number: Which step it is, from 1.
        count: How many there are.
        line: Its line in the file.
        is_done: Whether it is done; it begins otherwise.
        problem: Why it is tried again, if it is.
    """

    migration: str
    direction: Direction
    number: int
    count: int
    line: int
    is_done: bool = False
    problem: str = ""


def run_steps(
    connection: Connection[Any],
    record: Record,
    migration: Migration,
    state: State,
    *,
    direction: Direction,
    environment: Environment,
    watch: Callable[[StepNews], None],
    stopped: Callable[[], bool],
    connect: Callable[[], Connection[Any]],
) -> bool:
    """Run the steps that are not done.

    What those that are done have set for their session is set again, as this may be another one: a migration that is
    gone on with runs as one that was never broken off.

    Returns:
        Whether all are done now; not if it was to stop between two, or while one waited for a lock.

    Raises:
        StepFailed: If one is not done; that it is not is recorded, unless the connection is lost.
    """
    every = steps(migration.up if direction is Direction.UP else migration.down)
    done = state.done(direction)
    for number, step in enumerate(every, 1):
        if number in done:
            if settings := tuple(filter(_sets, step.statements)):
                run_step(connection, Step(settings, in_transaction=True), environment)
            continue
        if stopped():
            return False
        news = StepNews(migration=migration.id, direction=direction, number=number, count=len(every), line=step.line)
        watch(news)
        if not _run(connection, record, migration, state, news, step, environment, watch, stopped, connect):
            return False
        watch(msgspec.structs.replace(news, is_done=True))
    return True


def _run(  # noqa: PLR0917 - it is one step of the above
    connection: Connection[Any],
    record: Record,
    migration: Migration,
    state: State,
    news: StepNews,
    step: Step,
    environment: Environment,
    watch: Callable[[StepNews], None],
    stopped: Callable[[], bool],
    connect: Callable[[], Connection[Any]],
) -> bool:
    place: dict[str, Any] = {"direction": news.direction, "round_": state.round, "step": news.number}
    text = text_hash(step.statements)
    if not step.in_transaction:
        record.write(connection, Event.STEP_BEGAN, migration, **place, line=step.line, text=text)

    def within(connection: Connection[Any]) -> None:
        record.write(connection, Event.STEP_DONE, migration, **place, line=step.line, text=text)

    try:
        _keep_the_lock(step)
        is_done = run_step(
            connection,
            step,
            environment,
            within=within,
            retried=lambda _, problem: watch(msgspec.structs.replace(news, problem=problem)),
            again=state.open(news.direction) == news.number,
            stopped=stopped,
            connect=connect,
        )
    except StepFailed as failed:
        failed.migration = migration.id
        failed.way_out = _way_out(state, news)
        if not failed.is_unknown:
            # A full disk takes no entry either. Without one the step counts as not done, or as not known to be.
            with suppress(psycopg.Error):
                record.write(connection, Event.STEP_FAILED, migration, **place, line=failed.line, problem=str(failed))
        raise
    if not is_done:
        problem = f"{migration.id}, line {step.line}: was to stop while it waited for a lock, and is undone"
        record.write(connection, Event.STEP_FAILED, migration, **place, line=step.line, problem=problem)
    return is_done


def _keep_the_lock(step: Step) -> None:
    for each in step.statements:
        if each.kind == "discard_stmt" and enum_name(each.node, "target") == "DISCARD_ALL":
            problem = "gives up the session's locks, and with them the one that keeps other appliers out; leave it out"
            raise StepFailed(each.line, problem)


def _way_out(state: State, news: StepNews) -> str:
    if news.direction is Direction.DOWN and state.stage is Stage.APPLYING:
        return "`up` is not done, so `down` may meet what was never made: write `if exists` there, which it may be yet"
    if news.direction is Direction.UP and news.number > 1:
        return "what has run stays; change only what has not run, or go back by `db rollback`"
    return ""


def text_hash(statements: Iterable[Statement]) -> str:
    """Return by what it is known whether statements are those that ran."""
    return sha256(";\n".join(each.text for each in statements).encode()).hexdigest()


def _sets(statement: Statement) -> bool:
    """Whether a statement does nothing but to set something for the rest of the session."""
    node = statement.node
    if statement.kind == "variable_set_stmt":
        return not node.is_local
    if statement.kind != "select_stmt" or not node.target_list or len(node.from_clause):
        return False
    return all(_sets_config(each.res_target.val) for each in node.target_list)


def _sets_config(value: Any) -> bool:
    if value.WhichOneof("node") != "func_call" or value.func_call.funcname[-1].string.sval != "set_config":
        return False
    *_, is_local = value.func_call.args
    return not is_local.a_const.boolval.boolval

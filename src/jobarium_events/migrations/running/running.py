"""One step is run: within a transaction where Postgres allows it, and so that what waits behind it waits briefly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from jobarium_events.extras import extra
from jobarium_events.migrations.running import concurrently
from jobarium_events.migrations.running.blocking import Connect, onlooking
from jobarium_events.migrations.running.failures import StepFailed, said_by
from jobarium_events.migrations.running.limits import LIMITS, TRIED_AGAIN, attempts, limit, put

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.files.settings import Environment
    from jobarium_events.migrations.files.steps import Step

__all__ = ["run_step"]

# What a statement says that was done already, by the run whose end is not known.
_DONE = {
    "alter_table_stmt": ("42P01",),
    "create_table_space_stmt": ("42710",),
    "createdb_stmt": ("42P04",),
    "drop_stmt": ("42704",),
    "drop_table_space_stmt": ("42704",),
    "dropdb_stmt": ("3D000",),
}


def run_step(
    connection: psycopg.Connection[Any],
    step: Step,
    environment: Environment,
    *,
    within: Callable[[psycopg.Connection[Any]], None] | None = None,
    retried: Callable[[int, str], None] | None = None,
    again: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    connect: Connect | None = None,
) -> bool:
    """Run a step, and commit it.

    A lock that is not to be had within `lock_timeout` is tried for again after a pause, in a new transaction; whatever
    had to wait behind it goes on meanwhile. What runs past `statement_timeout` is not tried again.

    An index that is built, rebuilt or dropped CONCURRENTLY has no `lock_timeout`. It waits for older transactions, and
    nobody who reads or writes waits behind it. If it fails, the invalid index that it leaves is dropped.

    Args:
        connection: In autocommit.
        step: What to run.
        environment: How long it may wait and take, and how often it is tried.
        within: Is called before the step is committed, in its transaction; for a step that no transaction may hold, in
            one of its own, after it.
        retried: Is told before each further attempt: which one it is, and why.
        again: Whether an earlier run of it may have ended without telling anybody. What it has done is then accepted,
            where no transaction may hold the step; any other is not there unless `within` has said so.
        stopped: Whether no further attempt is to be made.
        connect: Opens another session, which sees who keeps a lock from a step that a transaction holds; None to do
            without.

    Returns:
        Whether it is done; it is undone where it got no lock and was not to try again.

    Raises:
        StepFailed: If Postgres refuses a statement, or the connection is lost. What a transaction holds is undone.
    """
    attempt = _Attempt(connection, step, environment, within, again=again)
    problem = ""
    blockers: list[str] = []
    watched: AbstractContextManager[list[str]] = nullcontext(blockers)
    if connect is not None and step.in_transaction:
        watched = onlooking(connect, connection.info.backend_pid)
    try:
        with watched as blockers:
            for each in attempts(environment):
                with each:
                    if each.num > 1:
                        if stopped():
                            return False
                        if retried is not None:
                            retried(each.num, problem)
                    try:
                        attempt.run()
                    except psycopg.Error as error:
                        if isinstance(error, TRIED_AGAIN) and stopped():
                            return False
                        problem = f"{said_by(error, attempt.text)}{_held_by(error, blockers)}"
                        raise
    except psycopg.Error as error:
        raise _failed(connection, attempt, error, environment, blockers) from None
    return True


def _failed(
    connection: psycopg.Connection[Any],
    attempt: _Attempt,
    error: psycopg.Error,
    environment: Environment,
    blockers: list[str],
) -> StepFailed:
    problem = said_by(error, attempt.text)
    if isinstance(error, TRIED_AGAIN) and environment.attempts > 1:
        problem = f"{problem}, {environment.attempts} times"
    problem += _held_by(error, blockers)
    return StepFailed(attempt.line, problem, error.sqlstate, is_unknown=connection.closed)


def _held_by(error: psycopg.Error, blockers: list[str]) -> str:
    return f"; it waited for {' and '.join(blockers)}" if isinstance(error, TRIED_AGAIN) and blockers else ""


class _Attempt:
    """Runs a step once, and again.

    Attributes:
        line: Of the statement that is being run.
        text: Its SQL.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        step: Step,
        environment: Environment,
        within: Callable[[psycopg.Connection[Any]], None] | None,
        *,
        again: bool,
    ) -> None:
        self._connection = connection
        self._step = step
        self._environment = environment
        self._within = within or (lambda _: None)
        self._again = again
        self.line = step.line
        self.text = ""

    def run(self) -> None:
        if self._step.in_transaction:
            with self._connection.transaction():
                limit(self._connection, self._environment, is_local=True)
                for statement in self._step.statements:
                    self._execute(statement)
                self._within(self._connection)
            return
        if len(self._step.statements) > 1:
            raise StepFailed(self.line, "has a statement that Postgres runs in no transaction; take it out of this one")
        statement = self._step.statements[0]
        with self._limited(statement):
            self._run_alone(statement)
        with self._connection.transaction():
            self._within(self._connection)

    def _run_alone(self, statement: Statement) -> None:
        connection = self._connection
        with concurrently.cleaned(connection, statement):
            if self._again and concurrently.is_built(connection, statement):
                return
            text = concurrently.finishing(connection, statement) or statement.text
            try:
                self._execute(statement, text)
            except psycopg.Error as error:
                if not (self._again and error.sqlstate in _DONE.get(statement.kind, ())):
                    raise

    def _execute(self, statement: Statement, text: str | None = None) -> None:
        self.line, self.text = statement.line, statement.text
        self._connection.execute((text or statement.text).encode(), prepare=False)

    @contextmanager
    def _limited(self, statement: Statement) -> Iterator[None]:
        """Set the limits for the session, and set them back, unless the connection is lost."""
        row = self._connection.execute("select current_setting(%s), current_setting(%s)", LIMITS).fetchone()
        limit(self._connection, self._environment, is_local=False, waits=concurrently.waits_unseen(statement))
        try:
            yield
        finally:
            if not self._connection.closed and row is not None:
                put(self._connection, dict(zip(LIMITS, row, strict=True)), is_local=False)

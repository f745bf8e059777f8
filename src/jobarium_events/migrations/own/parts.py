"""One part, an outbox, an inbox or dead letters: the form that its tables have, and their way to the present one."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.applying.applying import Job, apply
from jobarium_events.migrations.applying.flags import Flags
from jobarium_events.migrations.applying.situation import Situation
from jobarium_events.migrations.applying.stepping import StepNews
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.files.folder import Migrations
from jobarium_events.migrations.files.migration import When
from jobarium_events.migrations.files.parsing import Statement, written
from jobarium_events.migrations.files.steps import Step
from jobarium_events.migrations.own.forms import Form, additions, form, place
from jobarium_events.migrations.own.refusals import NotInstalled
from jobarium_events.migrations.own.sources import MADE_BY, MOVED_BY, own_migrations, shown
from jobarium_events.migrations.record.record import Direction, Event, clock, entries
from jobarium_events.migrations.record.states import OWN, Stage, State, states
from jobarium_events.migrations.running.failures import StepFailed
from jobarium_events.migrations.running.running import run_step
from jobarium_events.migrations.running.verifying import verify
from jobarium_events.statements import identifier

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.applying.sessions import Session
    from jobarium_events.postgres import AsyncPostgresDeadLetters, Outbox, PostgresDeadLetters, PostgresInbox

    Part = Outbox | PostgresInbox | PostgresDeadLetters | AsyncPostgresDeadLetters

__all__ = ["How", "Installed", "Installing"]


class How(StrEnum):
    """What was done for a table."""

    MADE = "made"
    """It was not there."""
    MOVED = "moved"
    """It was of the first form."""
    MENDED = "mended"
    """An index of it was not there, and was built anew."""
    FOUND = "found"
    """It was there in its present form; nothing was done but to record that."""


class Installed(msgspec.Struct, frozen=True):
    """What was done for one part.

    Attributes:
        table: Its first table, with the schema.
        how: What was done.
        migrations: Ids of the library's migrations that are recorded for it.
    """

    table: str
    how: How
    migrations: tuple[str, ...]


_Look = Callable[[frozenset[str]], Situation]


class _Plan(msgspec.Struct, frozen=True):
    """What is to be done.

    Attributes:
        how: What.
        way: By which migrations, or which are recorded.
        is_gone: Whether the record says that this was done, and what came of it is there no more.
    """

    how: How
    way: Migrations
    is_gone: bool = False


class _Noted(msgspec.Struct, frozen=True):
    result: str = "done"
    held: None = None


class Installing:
    """One part on its way to its present form.

    Args:
        part: Which, with the names that a service has chosen.
        session: The session that holds the lock.
        job: Makes what to work with of what says how things stand.

    Raises:
        NotInstalled: If it would be made in no schema.
    """

    def __init__(self, part: Part, session: Session, job: Callable[[_Look], Job]) -> None:
        names: dict[str, str] = part.names
        self._session, self._for = session, job
        kind = next(name for name in MADE_BY if name in names)
        self._name = names[kind]
        self._table = self._full_name()
        suffix = f"{OWN}{self._table}"
        self._made = own_migrations(names, MADE_BY[kind], suffix=suffix)
        self._moved = own_migrations(names, MOVED_BY[kind], suffix=suffix)

    @property
    def _connection(self) -> Connection[Any]:
        return self._session.connection

    def check(self) -> None:
        """Look at what is there, and do nothing.

        Raises:
            NotInstalled: If there is no way to the present form from it.
        """
        self._plan()

    def install(self) -> Installed | None:
        """Bring it to its present form; return None if it was to stop before that."""
        plan = self._plan()
        how, job = plan.how, self._job(plan.way)
        if how is not How.FOUND:
            if plan.is_gone:
                job.run("gone", _ids(plan.way), self._forget)
            if apply(job, plan.way.ordered, whole=True).stopped is not None:
                return None
        elif not self._is_applied(plan.way):
            job.run("adopt", _ids(plan.way), lambda run: self._adopt(run, plan.way))
        lacking = self._lacking_indexes(self._form())
        if lacking:
            if job.stop.is_set():
                return None
            job.run("mend", _ids(plan.way), lambda run: self._mend(run, plan.way, lacking))
            how = How.MENDED if how is How.FOUND else how
        found = self._form()
        if found.differs or found.missing or found.indexes:
            raise self._refusal(found)
        return Installed(self._table, how, _ids(plan.way))

    def _plan(self) -> _Plan:
        """Say what is to be done, by what is there; the record says only what was begun and is not done."""
        found, stood = self._form(), self._states()
        begun = [stood[id_] for id_ in _ids(self._moved) if id_ in stood and stood[id_].has_run]
        is_moved = bool(begun) and self._is_applied(self._moved)
        added = additions(self._moved.ordered if self._is_of_the_first_form(found) else ())
        lacks = found.columns or found.narrow or found.keys
        if added.columns and (found.columns or (not is_moved and (begun or lacks))):
            if not added.columns >= {*found.columns} or not added.keys.keys() >= {*found.keys}:
                raise self._refusal(found)
            return _Plan(How.MOVED, self._moved, is_gone=bool(found.columns) and any(1 in each.up for each in begun))
        if found.others or found.columns or found.narrow or not added.keys.keys() >= {*found.keys}:
            raise self._refusal(found)
        made = [stood[id_] for id_ in _ids(self._made) if id_ in stood and stood[id_].has_run]
        if found.missing:
            self._check_place()
            return _Plan(How.MADE, self._made, is_gone=bool(made or begun))
        if made and not self._is_applied(self._made):
            return _Plan(How.MADE, self._made)
        return _Plan(How.FOUND, self._moved if is_moved else self._made)

    def _form(self) -> Form:
        return form(self._connection, self._made.ordered)

    def _is_of_the_first_form(self, found: Form) -> bool:
        """Whether the first table is as the moving takes it for granted."""
        if found.others or not self._moved.ordered:
            return False
        return all(each.ok for each in verify(self._connection, self._moved.ordered[0].checks_at(When.BEFORE)))

    def _lacking_indexes(self, found: Form) -> tuple[Statement, ...]:
        keys = additions(self._moved.ordered).keys
        return (*found.indexes, *(keys[key] for key in found.keys if key in keys))

    def _mend(self, job: Job, way: Migrations, indexes: tuple[Statement, ...]) -> _Noted:
        """Build indexes while others go on reading and writing."""
        for number, index in enumerate(indexes, 1):
            node = type(index.node)()
            node.CopyFrom(index.node)
            node.concurrent = True
            statement = msgspec.structs.replace(index, text=written(index.kind, node), node=node)
            news = StepNews(
                migration=way.ordered[0].id, direction=Direction.UP, number=number, count=len(indexes), line=index.line
            )
            job.watch(news)
            try:
                run_step(job.connection, Step((statement,), in_transaction=False), job.environment)
            except StepFailed as failed:
                failed.migration = news.migration
                raise
            job.watch(msgspec.structs.replace(news, is_done=True))
        return _Noted()

    def _adopt(self, job: Job, way: Migrations) -> _Noted:
        """Record what was there already."""
        for migration in way.ordered:
            for event in (Event.BEGAN, Event.DONE):
                job.record.write(self._connection, event, migration, direction=Direction.UP, round_=1)
        return _Noted()

    def _forget(self, job: Job) -> _Noted:
        """Record that what was made or moved is there no more, so that it is done again."""
        stood = self._states()
        with self._connection.transaction():
            for migration in (*self._made.ordered, *self._moved.ordered):
                state = stood.get(migration.id)
                if state is not None and state.has_run:
                    job.record.write(
                        self._connection,
                        Event.DONE,
                        migration,
                        direction=Direction.DOWN,
                        round_=state.round,
                        is_gone=True,
                    )
                if migration.backfill is not None:
                    backfilling.forget(self._connection, migration)
        return _Noted()

    def _states(self) -> dict[str, State]:
        return dict(states(entries(self._connection), own=True))

    def _is_applied(self, way: Migrations) -> bool:
        found = self._states()
        return all(id_ in found and found[id_].stage is Stage.APPLIED for id_ in _ids(way))

    def _job(self, way: Migrations) -> Job:
        return self._for(lambda ahead: self._look(ahead, way))

    def _look(self, ahead: frozenset[str], way: Migrations) -> Situation:
        every = entries(self._connection)
        ids = _ids(way)
        return Situation(
            migrations=way,
            entries=every,
            states={id_: state for id_, state in states(every, own=True).items() if id_ in ids},
            now=clock(self._connection),
            flags=Flags.of(way),
            asked=False,
            ahead=ahead,
        )

    def _refusal(self, found: Form) -> NotInstalled:
        expected = "the tables as `db install --sql` prints them"
        if self._moved.ordered:
            expected += ", or their first form, which the library moves from"
        way_out = "name other tables, or rename or drop what is there" if found.differs else "bring it to that form"
        return NotInstalled(self._table, f"{found}; expected are {expected}", way_out)

    def _check_place(self) -> None:
        found = place(self._connection, self._name)
        if not found.is_there:
            raise NotInstalled(self._table, f"there is no schema {found.schema}", "make the schema, or name another")
        if not found.is_open:
            problem = f"it is not there, and the role {found.role} may make no tables in the schema {found.schema}"
            schema, role = identifier(found.schema), identifier(found.role)
            raise NotInstalled(self._table, problem, f"`grant usage, create on schema {schema} to {role}`")

    def _full_name(self) -> str:
        """Return the first table's name with its schema: where it is, or where it would be made."""
        found = place(self._connection, self._name)
        if found.schema is None:
            problem = "it has no schema, as the search_path of this session leads to none that is there"
            raise NotInstalled(shown(self._name), problem, "name its schema, by `--schema` or in code")
        return shown(self._name if '"."' in self._name else f"{identifier(found.schema)}.{self._name}")


def _ids(way: Migrations) -> tuple[str, ...]:
    return tuple(each.id for each in way.ordered)

"""`Target`: one database, and all that is done with migrations there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations.applying.applying import Applied, Job, News, apply
from jobarium_events.migrations.applying.approving import Approval, Window, approvals, check_approval
from jobarium_events.migrations.applying.asking import Asked, ask_again
from jobarium_events.migrations.applying.checklists import Item, checklist
from jobarium_events.migrations.applying.deploying import Deployed, check_release, deployed_after
from jobarium_events.migrations.applying.flags import Flags
from jobarium_events.migrations.applying.looking import Looking
from jobarium_events.migrations.applying.planning import Plan, plan
from jobarium_events.migrations.applying.rolling_back import RolledBack, prepare, roll_back
from jobarium_events.migrations.applying.sessions import applying, check_writable, holder, opener
from jobarium_events.migrations.applying.standing import Standing, standings
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.files.settings import SETTINGS, Environment
from jobarium_events.migrations.record.histories import Run, history
from jobarium_events.migrations.record.record import Event, Record, clock, entries
from jobarium_events.migrations.record.states import Stage, states

if TYPE_CHECKING:
    from openfeature.client import OpenFeatureClient
    from psycopg import Connection

    from jobarium_events.migrations.applying.situation import Situation
    from jobarium_events.migrations.backfills.checkpoints import Progress
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.settings import Role

__all__ = ["Target"]

_PAUSED_PATIENCE = 60.0  # seconds for a batch of a backfill to end that is paused for a way back


class Target:
    """One database.

    Every method opens sessions of its own and closes them. None leaves a migration half done without the record saying
    so, and each can be called again after whatever has happened. The lock that keeps appliers apart is that of a
    session, so the URL is that of Postgres itself, not of a pooler that lends sessions for one transaction each. What
    changes something raises a `DeclarationError` where the database takes no changes, as a replica does.

    Args:
        database: The database, as psycopg takes it.
        migrations: The folder.
        environment: The name of the database's environment: one of the settings, if those have any.
        operator: Who does it, for the record.
        flags: A client of OpenFeature, in place of what the settings name.

    Raises:
        DeclarationError: If the settings have no such environment, or the database's URL cannot be read.
        MigrationError: If the settings name flags that are none.

    Example:
        >>> target = Target("postgresql:///jobs", Migrations.load("migrations"), environment="production",
        ...                 operator="ada")
        >>> target.apply("0007_job_source")
    """

    def __init__(
        self,
        database: str,
        migrations: Migrations,
        *,
        environment: str,
        operator: str,
        flags: OpenFeatureClient | None = None,
    ) -> None:
        known = migrations.settings.environments
        if environment not in known and known:
            raise DeclarationError(f"{SETTINGS} has no environment {environment!r}; it has {', '.join(known)}")
        self.migrations = migrations
        self.environment = known.get(environment, Environment())
        self._record = Record(environment, operator)
        self._connect = opener(database, operator)
        self._flags = Flags.of(migrations, flags)

    def plan(self, id_: str | None = None) -> Plan:
        """Return what `apply` would do, and do nothing.

        Raises:
            UnknownMigration: If the folder has no such migration.
            MigrationError: If there is a mistake in the decision log.
            OtherEnvironment: If the database is another environment's.
            psycopg.Error: If the database cannot be used.
        """
        wanted = self._up_to(id_)
        self.migrations.decisions()
        with self._looking() as connection:
            looking = self._looking_through(lambda: connection)
            return plan(looking.look(), wanted, looking.server)

    def apply(
        self,
        id_: str | None = None,
        *,
        without_gates: str | None = None,
        wait: float = 0,
        watch: Callable[[News], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> Applied:
        """Apply all migrations up to one, that one included, or go on where an earlier run has ended.

        Args:
            id_: Which one. None for all that may be applied: it then stops before the first closed gate.
            without_gates: Why the environment asks for no gates any more, where earlier runs had to pass them; where it
                asks for them, this changes nothing.
            wait: For how many seconds to wait for another applier to end.
            watch: Is told of each step and each batch.
            stop: When it is set, no further step or batch is begun.

        Raises:
            UnknownMigration: If the folder has no such migration.
            MigrationError: If there is a mistake in the decision log.
            OtherEnvironment: If the database is another environment's.
            RecordUnreadable: If its record is not as this release writes it.
            Held: If somebody else is applying.
            Closed: If a gate is closed; nothing was run.
            FileChanged: If a file was changed after it ran, or is gone; nothing was run.
            StepFailed: If a step failed; it is undone, unless its end is not known.
            BackfillFailed: If a batch failed for good.
            NotVerified: If the queries do not return what they must.
            psycopg.Error: If the database cannot be used.
        """
        wanted = self._up_to(id_)
        self.migrations.decisions()
        with self._working(wait, watch, stop, without_gates) as job:
            return apply(job, wanted, whole=id_ is not None)

    def rollback(
        self,
        id_: str,
        *,
        app_runs: str | None = None,
        wait: float = 0,
        watch: Callable[[News], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> RolledBack:
        """Go the way back of one migration: the app is back, then the backfill paused, the flag off, and `down` run.

        Args:
            id_: Which one.
            app_runs: The release that the app runs now, older than the migration's own; ``"none"`` if no app uses the
                database. It need not be said where the record has it.
            wait: For how many seconds to wait for another applier to end.
            watch: Is told of each step.
            stop: When it is set, no further step is begun.

        Raises:
            UnknownMigration: If the folder has no such migration.
            OtherEnvironment: If the database is another environment's.
            Held: If somebody else is applying; the backfill is paused.
            RollbackRefused: If it cannot be gone as things stand.
            FileChanged: If the file was changed after it ran.
            StepFailed: If a step failed.
            NotVerified: If the queries do not return afterwards what they must.
            psycopg.Error: If the database cannot be used.
        """
        migration = self.migrations[id_]
        with self._writing() as connection:
            is_running = prepare(connection, self._situation(connection), migration, app_runs)
        with self._working(max(wait, _PAUSED_PATIENCE) if is_running else wait, watch, stop) as job:
            return roll_back(job, migration, app_runs)

    def status(self) -> tuple[Standing, ...]:
        """Return where each migration stands: those of the folder, and those of the record whose file is gone.

        Raises:
            OtherEnvironment: If the database is another environment's.
            psycopg.Error: If the database cannot be used.
        """
        with self._looking() as connection:
            found = states(entries(connection))
            is_at_work = holder(connection) is not None
            begun = (each for each in self.migrations.ordered if each.id in found and each.backfill is not None)
            paused = [
                each.id
                for each in begun
                if found[each.id].stage is Stage.APPLYING and backfilling.is_paused(connection, each)
            ]
        return standings(self.migrations, found, is_at_work=is_at_work, paused=paused)

    def history(self) -> tuple[Run, ...]:
        """Return the runs in this database, in their order.

        Raises:
            OtherEnvironment: If the database is another environment's.
            psycopg.Error: If the database cannot be used.
        """
        with self._looking() as connection:
            return history(entries(connection))

    def progress(self, id_: str) -> Progress | None:
        """Return how far the backfill of a migration has come; None if it was never begun.

        Raises:
            UnknownMigration: If the folder has no such migration.
            BackfillRefused: If it has no backfill, or its file was changed since that began.
            OtherEnvironment: If the database is another environment's.
            psycopg.Error: If the database cannot be used.
        """
        migration = self.migrations[id_]
        with self._looking() as connection:
            return backfilling.progress(connection, migration)

    def pause(self, id_: str) -> Progress:
        """Keep a backfill from beginning another batch, whichever process runs it, and return how far it has come.

        The batch that is under way is waited for. It raises what `progress` does.
        """
        migration = self.migrations[id_]
        with self._writing() as connection:
            return backfilling.pause(connection, migration)

    def resume(self, id_: str) -> Progress | None:
        """Let a paused backfill go on when its migration is applied again; gives and raises what `progress` does."""
        migration = self.migrations[id_]
        with self._writing() as connection:
            return backfilling.resume(connection, migration)

    def approve(self, id_: str, *, role: Role, by: str, window: Window | None = None) -> Approval:
        """Record that somebody approves a migration's file as it is now.

        Args:
            id_: Which one.
            role: In which role.
            by: Who.
            window: When it may be applied; for an approval in the role of the CEO. It is not over yet.

        Raises:
            UnknownMigration: If the folder has no such migration.
            MigrationError: If there is a mistake in the decision log.
            OtherEnvironment: If the database is another environment's.
            ApprovalRefused: If they may not, or the window is over.
            psycopg.Error: If the database cannot be used.
        """
        migration = self.migrations[id_]
        self.migrations.decisions()
        with self._writing() as connection:
            given = approvals(entries(connection), migration)
            now = clock(connection)
            check_approval(self.migrations.settings, migration, given, role=role, by=by, window=window, now=now)
            self._record.install(connection)
            said: dict[str, Any] = {"window": str(window)} if window else {}
            self._record.write(connection, Event.APPROVED, migration, role=role, by=by, **said)
            return approvals(entries(connection), migration)[-1]

    def checklist(self, id_: str) -> tuple[Item, ...]:
        """Return the operational checklist of a migration, with what is done for this database and what is not.

        Raises:
            UnknownMigration: If the folder has no such migration.
            OtherEnvironment: If the database is another environment's.
            psycopg.Error: If the database cannot be used.
        """
        migration = self.migrations[id_]
        with self._looking() as connection:
            return checklist(self._situation(connection), migration)

    def verify(self, id_: str | None = None) -> tuple[Asked, ...]:
        """Ask the queries of applied migrations again, those for after ``up``; record and return what came of each.

        Args:
            id_: Of which one. None for all but those of which a later one has removed what their queries are about.

        Raises:
            UnknownMigration: If the folder has no such migration.
            NotApplied: If it is not applied.
            FileChanged: If a file was changed after it ran.
            OtherEnvironment: If the database is another environment's.
            psycopg.Error: If the database cannot be used.
        """
        with self._writing() as connection:
            return ask_again(connection, self._record, self.environment, self._situation(connection), id_)

    def deployed(self, release: str) -> Deployed:
        """Record that a release of the services is deployed; return which one was before, and what is missing for it.

        Raises:
            DeclarationError: If the settings have no such release.
            OtherEnvironment: If the database is another environment's.
            psycopg.Error: If the database cannot be used.
        """
        check_release(self.migrations.settings, release)
        with self._writing() as connection:
            self._record.install(connection)
            before = self._situation(connection)
            self._record.write(connection, Event.DEPLOYED, release=release)
        return deployed_after(before, release)

    def adopt(self, before: str, *, because: str) -> None:
        """Record that the database is this environment's from here on, as it was restored from a dump of another's.

        Where each migration stands stays as it is. What was approved and deployed in the other environment does not
        count any more.

        Args:
            before: The environment that it is until now.
            because: Why.

        Raises:
            NotAdopted: If it is no environment's yet, or not that one's.
            Held: If somebody is applying.
            psycopg.Error: If the database cannot be used.
        """
        with applying(self._connect) as session:
            self._record.adopt(session.connection, before, because)

    def _up_to(self, id_: str | None) -> tuple[Migration, ...]:
        if id_ is None:
            return self.migrations.ordered
        last = self.migrations[id_]
        return (*self.migrations.before(last), last)

    @contextmanager
    def _looking(self) -> Iterator[Connection[Any]]:
        connection = self._connect()
        try:
            self._record.check(connection)
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _writing(self) -> Iterator[Connection[Any]]:
        with self._looking() as connection:
            check_writable(connection)
            yield connection

    @contextmanager
    def _working(
        self,
        wait: float,
        watch: Callable[[News], None],
        stop: threading.Event | None,
        reason: str | None = None,
    ) -> Iterator[Job]:
        stop = stop or threading.Event()
        with applying(self._connect, wait, stop) as session:
            self._record.check(session.connection)
            yield Job(
                session=session,
                connect=self._connect,
                record=self._record,
                environment=self.environment,
                look=self._looking_through(lambda: session.connection, reason).look,
                watch=watch,
                stop=stop,
                gates=self.environment.gates,
                reason=reason,
            )

    def _looking_through(self, connected: Callable[[], Connection[Any]], reason: str | None = None) -> Looking:
        asked = self.environment.gates
        name = self._record.environment
        return Looking(connected, self.migrations, name, self._flags, asked=asked, reason=reason)

    def _situation(self, connection: Connection[Any]) -> Situation:
        return self._looking_through(lambda: connection).look()

"""One trial of a migration, on a database that is ready for it: there while code uses it, back, and there again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.backfills.refusals import BackfillFailed, BackfillRefused
from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.files.migration import Check, When
from jobarium_events.migrations.rehearsal import judging
from jobarium_events.migrations.rehearsal.categories import of_category, of_meanings
from jobarium_events.migrations.rehearsal.data.digests import differences, schema_digest
from jobarium_events.migrations.rehearsal.data.tables import Table, read_tables
from jobarium_events.migrations.rehearsal.going import Connect, backfill, forget, go_back
from jobarium_events.migrations.rehearsal.observing import Clock, Observer
from jobarium_events.migrations.rehearsal.probes import ProbeWhen
from jobarium_events.migrations.rehearsal.probing import Probing
from jobarium_events.migrations.rehearsal.refusals import ELSEWHERE
from jobarium_events.migrations.rehearsal.report import Checked, ObservedStep, Rehearsal, WayBack
from jobarium_events.migrations.rehearsal.snapshots import Snapshot, columns_of
from jobarium_events.migrations.rehearsal.stepping import is_repeatable, run_again, run_watched, with_locks_of
from jobarium_events.migrations.rehearsal.supplies import Asked, Supply, shown
from jobarium_events.migrations.rehearsal.supplying import made_rows
from jobarium_events.migrations.running.failures import StepFailed
from jobarium_events.migrations.running.verifying import verify

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.evolution.decision import Decision
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.settings import Environment
    from jobarium_events.migrations.files.steps import Step
    from jobarium_events.migrations.rehearsal.building import Built
    from jobarium_events.migrations.rehearsal.predicting import Foretold
    from jobarium_events.migrations.rehearsal.probes import Probe

__all__ = ["Trial"]

_FEW = 100
_UNSEEN = ("do_stmt", "call_stmt")
_NO_EXTENSION = ("0A000", "58P01")
_PATIENCE = 60.0  # seconds for a probe, or ten times the lock_timeout if that is more
_FAILURES = (StepFailed, BackfillFailed, BackfillRefused)


class Trial:
    """Tries a migration out once.

    Args:
        connect: Opens a connection to the database, in autocommit.
        migration: The migration.
        foretold: What the lint foretells of it.
        environment: How long a step may wait and take.
        built: What is known of the database.
        probes: The team's own.
        calm: For how many seconds the probes are alone, before and after.
        tell: Is told what is done next.
        decision: The decision that its header names, if the log has it.
    """

    def __init__(
        self,
        connect: Connect,
        migration: Migration,
        foretold: Foretold,
        environment: Environment,
        built: Built,
        *,
        probes: Sequence[Probe],
        calm: float,
        tell: Callable[[str], None],
        decision: Decision | None = None,
    ) -> None:
        self._connect = connect
        self._migration = migration
        self._foretold = foretold
        self._environment = environment
        self._built = built
        self._own = probes
        self._calm = calm
        self._tell = tell
        self._decision = decision
        self._unused = frozenset(map(shown, migration.header.out_of_use))
        self._supplies: list[Supply] = []
        self._besides: set[str] = set()
        self._before: frozenset[str] = frozenset()
        self._steps: list[ObservedStep] = []
        self._checks: list[Checked] = []
        self._notes: list[str] = []
        self._demands: list[str] = []
        self._problems: list[str] = []

    def run(self, empty: Rehearsal) -> Rehearsal:
        """Return what was found.

        Args:
            empty: What is known of the rehearsal so far.
        """
        self._notes += (
            f"The generator of {name} made nothing: an earlier migration adds the column to rows that are there."
            for name in self._built.idle
        )
        with self._connect() as connection:
            self._verify(connection, "before", self._migration.checks_at(When.BEFORE))
            self._already(connection)
            asked = list(self._prepared(connection, read_tables(connection)))
            self._tell("taking a digest of the data")
            before = Snapshot.taken(connection, self._supplies, self._unused, self._besides)
            seen, is_done = self._observed(connection, asked, empty)
            back = None
            if is_done:
                self._notes += self._demands
                self._changed(before.schema.objects, schema_digest(connection).objects)
                self._verify(connection, "after", self._migration.checks_at(When.AFTER))
                self._meanwhile()
                back = self._back(connection, before)
        self._problems += judging.of_checks(self._checks)
        return msgspec.structs.replace(
            seen,
            steps=tuple(self._steps),
            checks=tuple(self._checks),
            back=back,
            notes=(*seen.notes, *self._notes),
            problems=tuple(self._problems),
        )

    def _changed(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        header, decision = self._migration.header, self._decision
        self._problems += of_category(header.category, before, after)
        self._problems += of_meanings(
            before, after, lambda *names: decision is not None and decision.allows_column(*names)
        )

    def _prepared(self, connection: Connection[Any], tables: Sequence[Table]) -> Iterator[Asked]:
        """Yield the probes of the old code, and the team's own."""
        header = self._migration.header
        when = ProbeWhen.BOTH if header.category is Category.CONTRACT else ProbeWhen.OLD
        self._before = frozenset(table.title for table in tables)
        ahead = self._built.ahead.over(connection, tables)
        self._demands = list(self._demanded(connection, tables))
        touched = self._foretold.tables | self._built.ahead.changed(tables)
        for table in ahead:
            name = shown(table.title)
            if table.title not in touched or table.partition_of is not None or name in self._unused:
                continue
            self._counted(table)
            if not table.primary_key:
                self._notes.append(f"{name} has no primary key, so no probes were made for it.")
                continue
            self._supplies.append(Supply(connection, table, ahead, self._supplies))
        for supply in self._supplies:
            table = supply.table
            hidden = [each.name for each in table.columns if not self._counts(table.title, each.name)]
            probes = list(supply.before(when, hidden))
            # Without rows nothing is ever there to delete.
            yield from self._tried(connection, tables, supply, probes if supply.known else [])
        yield from map(Asked.own, self._own)

    def _tried(
        self, connection: Connection[Any], tables: Sequence[Table], supply: Supply, probes: Sequence[Asked]
    ) -> Iterable[Asked]:
        """Return the probes of a table that run before the migration; note what of them does not."""
        name = shown(supply.table.title)
        found = supply.begin(connection, tables, probes)
        if supply.refused:
            self._notes.append(f"No row can be taken out of {name}, so none was inserted: {supply.refused}.")
        for probe, problem in found.refused:
            self._notes.append(f"{probe!r} is refused before up as well, so it was not run: {problem}.")
        for title in sorted(found.besides - self._besides):
            self._notes.append(
                f"{shown(title)} is written by triggers while {name} is probed, so its rows were not held against "
                "those before."
            )
        self._besides |= found.besides
        return found.probes

    def _demanded(self, connection: Connection[Any], tables: Sequence[Table]) -> Iterator[str]:
        """Yield what is to be said of the rows once ``up`` has shown that they are as it demands."""
        for title, what in self._built.ahead.demanded(connection, tables):
            yield (
                f"The made-up rows of {shown(title)} meet what up demands ({what}); whether real ones do, a query of "
                "verify can ask before."
            )

    def _counted(self, table: Table) -> None:
        """Say of a table that it has few rows, or none."""
        name = shown(table.title)
        rows = self._built.rows.get(name, 0)
        if not rows and not self._built.is_empty(table.title):
            self._problems.append(f"{name} is empty, so nothing was shown of it; ask for rows: --rows {name}=100000")
        elif rows < _FEW:
            self._notes.append(f"{name} has {rows} rows only: that says little of how long anything takes.")

    def _observed(
        self, connection: Connection[Any], asked: Sequence[Asked], empty: Rehearsal
    ) -> tuple[Rehearsal, bool]:
        """Run ``up`` and the backfill while the probes run; return what was seen, and whether it came to the end."""
        clock = Clock()
        timeout = max(_PATIENCE, 10 * self._environment.lock_timeout)
        with Observer(self._connect, clock) as observer:
            probing = Probing(self._connect, clock, observer, round(timeout * 1000))
            try:
                self._tell("probing before up")
                probing.start(asked)
                time.sleep(self._calm)
                began = clock()
                upped, is_done = self._go(connection, observer, probing, clock)
                ended = clock()
                time.sleep(self._calm)
            finally:
                probing.stop()
            lasted = clock()
        # What is looked at between the steps, and what the observer makes them wait for, is none of the migration's.
        seconds = sum(step.seconds for step in self._steps) - observer.hindered
        seen = msgspec.structs.replace(
            empty,
            seconds=seconds,
            began=began,
            lasted=lasted,
            blocked=tuple(sorted(observer.blocked, key=lambda wait: wait.begin)),
            probes=tuple(probing.results(began, upped, ended)),
            series=tuple(probing.series(lasted)),
        )
        if is_done:
            self._problems += judging.of_runtime(seconds, empty.estimated)
        self._problems += judging.of_blocking(seen.blocked, self._environment.lock_timeout)
        self._problems += judging.of_probes(seen.probes)
        for said, is_wrong in judging.slower(seen.probes):
            (self._problems if is_wrong else self._notes).append(said)
        for step in self._steps:
            self._notes += judging.of_rewrites(step, empty.rows, empty.expected)
        return seen, is_done

    def _go(
        self, connection: Connection[Any], observer: Observer, probing: Probing, clock: Clock
    ) -> tuple[float, bool]:
        """Run ``up`` and the backfill; return from when on the new code may come, and whether it came to the end."""
        observer.own(connection)
        upped = math.inf
        try:
            for step, foretold in self._foretold.steps():
                self._tell(f"running line {step.line} of up")
                run_watched(connection, (step, foretold), self._environment, observer, self._steps)
                self._notes += judging.of_vacuums(self._steps[-1], foretold)
                found = judging.of_effects(self._steps[-1], foretold)
                if any(statement.kind in _UNSEEN for statement in step.statements):
                    self._notes += (f"{each}, as it does not look into blocks and procedures." for each in found)
                else:
                    self._problems += found
            upped = clock()
            with self._connect() as reading:
                probing.start(list(self._after(reading, read_tables(reading))))
            self._backfill(observer)
        except _FAILURES as error:
            lacking = isinstance(error, StepFailed) and error.sqlstate in _NO_EXTENSION and " extension " in f" {error}"
            self._problems.append(f"up fails: {error}{f'; {ELSEWHERE}' if lacking else ''}")
            return upped, False
        return upped, True

    def _after(self, connection: Connection[Any], tables: Sequence[Table]) -> Iterator[Asked]:
        """Yield the probes of the new code: on the tables as they are now, and on those that are new."""
        there = {table.title: table for table in tables}
        for supply in self._supplies:
            if supply.table.title in there:
                yield from supply.after(connection, there[supply.table.title])
        for table in tables:
            if table.title not in self._before and table.partition_of is None and table.primary_key:
                rows = made_rows(connection, table, tables, self._supplies)
                supply = Supply(connection, table, tables, made=rows)
                probes = list(supply.before(ProbeWhen.NEW, ()))
                yield from supply.begin(connection, tables, probes).probes

    def _backfill(self, observer: Observer) -> None:
        statement = self._migration.backfill
        if statement is None:
            return

        def watched() -> Connection[Any]:
            connection = self._connect()
            observer.own(connection)
            return connection

        self._tell("running the backfill")
        forget(self._connect)
        with observer.step(statement.line, f"backfill: {statement.text}", self._steps):
            backfill(watched, self._migration, self._environment, observer.amid)
        self._problems += judging.of_effects(self._steps[-1], self._foretold.backfill())

    def _verify(self, connection: Connection[Any], at: str, checks: Iterable[Check]) -> None:
        self._tell(f"verifying {at}")
        found = verify(connection, checks, self._environment)
        self._checks += (Checked(at=at, name=each.name, ok=each.ok, problem=each.problem) for each in found)

    def _meanwhile(self) -> None:
        """Note what probes have written where a query finds something after a backfill: it may be just that."""
        if self._migration.backfill is None or all(each.ok for each in self._checks if each.at == "after"):
            return
        self._notes += (
            f"{len(supply.inserted)} of the rows of {shown(supply.table.title)} were inserted by probes: what code "
            "writes while a backfill runs is to be filled too, by a trigger (`db dual-write`) or a default."
            for supply in self._supplies
            if supply.inserted
        )

    def _already(self, connection: Connection[Any]) -> None:
        """Note which queries that are to show what ``up`` has done return the same without it."""
        after = [check for check in self._migration.checks if check.when is When.AFTER]
        for check in (each for each in verify(connection, after, self._environment) if each.ok):
            self._notes.append(f"verify: {check.name}: passes before up already, so it does not show that up ran.")

    def _back(self, connection: Connection[Any], before: Snapshot) -> WayBack | None:
        """Go back and there again; None if there is no way back."""
        migration = self._migration
        if not migration.down:
            said = f"; it is contained: {migration.header.containment}" if migration.header.containment else ""
            self._notes.append(f"There is no way back to rehearse{said}.")
            try:
                self._once_more(is_repeatable)
            except StepFailed as error:
                self._notes.append(f"A brief lock of mere reading may be missing: run again, {error}.")
            return None
        removed = before.there - columns_of(read_tables(connection))
        lost = [f"the values of {shown(table)}.{name}" for table, name in sorted(removed)]
        written = sum(len(supply.inserted) for supply in self._supplies)
        self._tell("running down")
        clock = Clock()
        try:
            go_back(self._connect, migration, self._environment)
        except _FAILURES as error:
            self._problems.append(f"down fails: {error}")
            return None
        seconds = clock()
        back = WayBack(
            seconds=seconds,
            written=written,
            schema=differences(before.schema, schema_digest(connection)),
            data=(*before.data_differences(connection), *self._lost(connection)),
            lost=tuple(lost) if migration.header.category is Category.CONTRACT else (),
        )
        self._problems += judging.of_way_back(back)
        self._verify(connection, "after down", (check for check in migration.checks if check.when is When.ALWAYS))
        return msgspec.structs.replace(back, again=self._again(connection))

    def _lost(self, connection: Connection[Any]) -> Iterator[str]:
        """Yield how many of the rows are not there that were written since ``up``."""
        there = columns_of(read_tables(connection))
        for supply in self._supplies:
            if supply.table.title in self._besides:
                continue
            title, count = supply.table.title, len(supply.inserted)
            columns = [name for name in supply.columns if (title, name) in there and self._counts(title, name)]
            gone = supply.lost(connection, columns) if columns else count
            if gone:
                yield f"{title}: {gone} of the {count} rows written since up are not there as they were written"

    def _counts(self, table: str, column: str) -> bool:
        """Whether the values of a column are to be kept."""
        return f"{shown(table)}.{column}" not in self._unused

    def _again(self, connection: Connection[Any]) -> float | None:
        """Run ``up`` and the backfill once more, after ``down``; return how long it took."""
        self._tell("running up again")
        forget(self._connect)
        try:
            seconds = self._once_more(lambda _: True)
            clock = Clock()
            if self._migration.backfill is not None:
                backfill(self._connect, self._migration, self._environment)
        except _FAILURES as error:
            self._problems.append(f"up fails the second time: {error}")
            return None
        seconds += clock()
        self._verify(connection, "after up again", self._migration.checks_at(When.AFTER))
        return seconds

    def _once_more(self, chosen: Callable[[Step], bool]) -> float:
        """Run steps of ``up`` again, note the locks that only this has shown, and return how long they took."""
        seconds, again = run_again(self._connect, self._foretold.steps(), self._environment, chosen)
        for place, step in again.items():
            self._steps[place] = with_locks_of(self._steps[place], step)
        return seconds

"""What applying would do: which migrations, in which steps, with which locks, and which gates are closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.applying.gates import gates
from jobarium_events.migrations.applying.situation import Gate, Situation, out_of_order
from jobarium_events.migrations.applying.unchanged import changed
from jobarium_events.migrations.files.header import Category, Risk
from jobarium_events.migrations.files.parsing import SqlError
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.files.steps import Step, steps
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.locking.effects import Lock, effects
from jobarium_events.migrations.lint.reading import read_source
from jobarium_events.migrations.record.states import Stage, State
from jobarium_events.migrations.refusals import MigrationError, Mistake

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Plan", "Planned", "PlannedStep", "plan"]


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step.

    Attributes:
        line: Its line in the file.
        text: Its SQL.
        in_transaction: Whether it is committed together with the record of it.
        is_done: Whether an earlier run has done it.
        locks: The strongest lock on each table.
    """

    line: int
    text: str
    in_transaction: bool
    is_done: bool
    locks: tuple[Lock, ...]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One migration that would be applied.

    Attributes:
        id: Its id.
        category: What it does.
        risk: How much may go wrong.
        stage: Where it stands.
        estimated_runtime: How long it is expected to take.
        steps: What `up` does.
        has_backfill: Whether a backfill follows that is not complete.
        gates: What it has to pass.
        elsewhere: The names of the gates that would hold it where all are asked for; empty where they are, as here.
        problem: Why an earlier run went no further.
        note: What is to be known and keeps nothing back.
    """

    id: str
    category: Category
    risk: Risk
    stage: Stage
    estimated_runtime: Span
    steps: tuple[PlannedStep, ...]
    has_backfill: bool
    gates: tuple[Gate, ...]
    elsewhere: tuple[str, ...] = ()
    problem: str | None = None
    note: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has passed every gate."""
        return all(gate.passed for gate in self.gates)


class Plan(msgspec.Struct, frozen=True):
    """What applying would do.

    Attributes:
        migrations: What would be applied, in that order.
        problems: What keeps anything from being applied: files that were changed after they ran, or that are gone.
        asked: Whether all gates are asked for here.
    """

    migrations: tuple[Planned, ...]
    problems: tuple[str, ...] = ()
    asked: bool = True

    @property
    def estimated_runtime(self) -> Span:
        """How long all of it is expected to take."""
        return Span(sum(each.estimated_runtime for each in self.migrations))

    @property
    def ok(self) -> bool:
        """Whether nothing keeps all of it from being applied."""
        return not self.problems and all(each.is_open for each in self.migrations)


def plan(situation: Situation, wanted: Iterable[Migration], version: int) -> Plan:
    """Return what applying some migrations would do.

    Args:
        situation: How things stand.
        wanted: Which, in their order.
        version: The server's major version.

    Raises:
        MigrationError: If the baseline cannot be read.
    """
    problems = tuple(map(str, changed(situation)))
    return Plan(tuple(_planned(situation, wanted, version)), problems, asked=situation.asked)


def _planned(situation: Situation, wanted: Iterable[Migration], version: int) -> Iterator[Planned]:
    ahead: set[str] = set()
    left = {each.id for each in wanted if situation.stage(each.id) is not Stage.APPLIED}
    schema = _baseline(situation) if left else Schema()
    for migration in situation.migrations.ordered:
        if migration.id not in left:
            schema = schema.apply_all(migration.up) if left else schema
            continue
        state = situation.states.get(migration.id) or State(id=migration.id)
        seen = msgspec.structs.replace(situation, ahead=frozenset(ahead))
        every = () if situation.asked else gates(msgspec.structs.replace(seen, asked=True, dropped=False), migration)
        yield Planned(
            id=migration.id,
            category=migration.header.category,
            risk=migration.header.risk,
            stage=state.stage,
            estimated_runtime=migration.header.estimated_runtime,
            steps=tuple(_steps(schema, migration, state, version)),
            has_backfill=migration.backfill is not None and not state.is_backfilled,
            gates=gates(seen, migration),
            elsewhere=tuple(dict.fromkeys(gate.name for gate in every if not gate.passed)),
            problem=state.problem,
            note=out_of_order(situation.states, situation.migrations, migration),
        )
        schema = schema.apply_all(migration.up)
        ahead.add(migration.id)
        left.remove(migration.id)


def _steps(schema: Schema, migration: Migration, state: State, version: int) -> Iterator[PlannedStep]:
    for number, step in enumerate(steps(migration.up), 1):
        schema = schema.afresh()
        locks: dict[str, Lock] = {}
        for statement in step.statements:
            for lock in effects(statement, schema, version).locks:
                if lock.table not in locks or lock.mode.strength > locks[lock.table].mode.strength:
                    locks[lock.table] = lock
            schema = schema.apply(statement)
        yield PlannedStep(
            line=step.line,
            text=_text(step),
            in_transaction=step.in_transaction,
            is_done=number in state.up,
            locks=tuple(locks[table] for table in sorted(locks)),
        )


def _baseline(situation: Situation) -> Schema:
    """Return what is known of the tables before the first migration."""
    baseline = situation.migrations.baseline
    if baseline is None:
        return Schema()
    try:
        return Schema().apply_all(read_source(baseline, baseline.read_text(encoding="utf-8-sig")).statements)
    except SqlError as error:
        raise MigrationError([Mistake(str(baseline), error.line, error.problem)]) from None
    except UnicodeDecodeError:
        raise MigrationError([Mistake(str(baseline), 0, "is not encoded in UTF-8; save it so")]) from None


def _text(step: Step) -> str:
    return ";\n".join(statement.text for statement in step.statements)

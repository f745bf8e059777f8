"""What the lint foretells of a migration: which tables it touches, and what each step does to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jobarium_events.migrations.files.parsing import SqlError, parse
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.locking.effects import effects
from jobarium_events.migrations.lint.reading import read_source
from jobarium_events.migrations.refusals import MigrationError, Mistake
from jobarium_events.statements import identifier

if TYPE_CHECKING:
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.steps import Step
    from jobarium_events.migrations.lint.locking.locks import Effects
    from jobarium_events.migrations.rehearsal.data.tables import Table

__all__ = ["Foretold", "schema_of"]


class Foretold:
    """What the lint foretells of one migration.

    Args:
        migrations: The folder.
        migration: One of it.
        version: The major version of Postgres.
        tables: What the database has before it, where that does not follow from the folder, as with a dump.

    Attributes:
        tables: The tables that it touches, by their names with the schema: ``"public.job"``.

    Raises:
        MigrationError: If the baseline cannot be read.
    """

    def __init__(
        self, migrations: Migrations, migration: Migration, version: int, tables: Sequence[Table] | None = None
    ) -> None:
        self._migration = migration
        self._version = version
        self._schema = _schema_before(migrations, migration) if tables is None else schema_of(tables)
        self.tables = frozenset(self._tables())

    def steps(self) -> Iterator[tuple[Step, tuple[Effects, ...]]]:
        """Yield each step of ``up``, with what its statements do."""
        schema = self._schema
        for step in steps(self._migration.up):
            schema, found = schema.afresh(), []
            for statement in step.statements:
                found.append(effects(statement, schema, self._version))
                schema = schema.apply(statement)
            yield step, tuple(found)

    def backfill(self) -> tuple[Effects, ...]:
        """Return what the backfill's statement does; nothing if there is none."""
        schema = self._schema.apply_all(self._migration.up).afresh()
        statement = self._migration.backfill
        return () if statement is None else (effects(statement, schema, self._version),)

    def _tables(self) -> Iterator[str]:
        found = [each for _, step in self.steps() for each in step]
        names = {lock.table for each in (*found, *self.backfill()) for lock in each.locks}
        if self._migration.header.backfill is not None:
            names.add(self._migration.header.backfill.table)
        return (name if "." in name else f"public.{name}" for name in names)


def _schema_before(migrations: Migrations, migration: Migration) -> Schema:
    schema = Schema()
    baseline = migrations.baseline
    if baseline is not None:
        try:
            schema = schema.apply_all(read_source(baseline, baseline.read_text(encoding="utf-8-sig")).statements)
        except SqlError as error:
            raise MigrationError([Mistake(str(baseline), error.line, error.problem)]) from None
    for earlier in migrations.before(migration):
        schema = schema.apply_all(earlier.up).afresh()
    return schema.afresh()


def schema_of(tables: Sequence[Table]) -> Schema:
    """Return what the lint would know of the tables of a database, had it read what made them."""
    ordered = sorted(tables, key=lambda table: table.partition_of is not None)
    made = [f"{each};" for table in ordered for each in _definition(table)]
    made += [f"{each};" for table in tables for each in _constraints(table)]
    return Schema().apply_all(parse("\n".join(made))).afresh()


def _definition(table: Table) -> Iterator[str]:
    columns = (
        f"{identifier(each.name)} {each.declared}{' not null' if each.not_null else ''}" for each in table.columns
    )
    yield f"create table {table.sql} ({', '.join(columns)})"


def _constraints(table: Table) -> Iterator[str]:
    if table.partition_of is not None:
        parent = ".".join(map(identifier, table.partition_of.split(".", 1)))
        yield f"alter table {parent} attach partition {table.sql} default"
    for check in table.checks:
        yield f"alter table {table.sql} add constraint {identifier(check.name)} check ({check.condition})"
    for key in table.foreign_keys:
        named = ", ".join(map(identifier, key.columns))
        referred = ", ".join(map(identifier, key.referred))
        target = ".".join(map(identifier, key.table.split(".", 1)))
        yield (
            f"alter table {table.sql} add constraint {identifier(key.name)} foreign key ({named}) "
            f"references {target} ({referred})"
        )
    yield from (index.definition for index in table.indexes)

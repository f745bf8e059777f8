"""Tables filled with as many rows as they have where it matters, of made-up values that their types and checks allow.

The rows are made within Postgres, some hundred thousand with each statement. They follow from the seed alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.data.keys import NumberedKeys
from jobarium_events.migrations.rehearsal.data.late import is_filled, referring
from jobarium_events.migrations.rehearsal.data.limits import demands
from jobarium_events.migrations.rehearsal.data.ordering import Turn, turns
from jobarium_events.migrations.rehearsal.data.plans import Plan, Reference, plan
from jobarium_events.migrations.rehearsal.data.quoting import text
from jobarium_events.migrations.rehearsal.data.statistics import Statistics, TableStatistics
from jobarium_events.migrations.rehearsal.refusals import FillError, generators_of, said
from jobarium_events.statements import identifier, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jobarium_events.migrations.rehearsal.data.tables import ForeignKey, Table

with extra("migrations"):
    import psycopg
    from psycopg import errors
    from psycopg.rows import tuple_row

__all__ = ["fill", "named"]

Connection = psycopg.Connection[Any]

_SQL = statements(__package__ or "", "volumes.sql")
_BATCH = 100_000
_AGAIN = 1000  # rows at least that are tried where some are lacking
_PATIENCE = 8  # statements in a row that add nothing
_WHOLE = ("int2", "int4", "int8")


def fill(
    connection: Connection,
    tables: Sequence[Table],
    rows: Mapping[str, int],
    *,
    seed: int,
    statistics: Statistics | None = None,
    generators: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Fill tables up to a number of rows, in one transaction: all of them, or none.

    What refers to other rows refers to few of them often and to most seldom. Triggers and foreign keys' own checks do
    not run meanwhile where the role may turn them off.

    Args:
        connection: To a scratch database.
        tables: Its tables; see `read_tables`.
        rows: How many rows each table is to have in the end, those that it has included; by its name, with the schema
            if that is not ``public``.
        seed: Where the tables are empty, the same seed gives the same rows.
        statistics: How the values are to be spread.
        generators: For ``"table.column"``, SQL of the value from the row's number ``n``.

    Returns:
        How many rows were added, by the tables' names with their schemas.

    Raises:
        FillError: If a table cannot be filled; the text says what is in the way.
    """
    filling = _Filling(connection, tables, seed, statistics or Statistics(), generators or {})
    asked = {named(filling.tables, name).title: count for name, count in rows.items()}
    with connection.transaction():
        return filling.fill(asked)


class _Filling:
    def __init__(
        self,
        connection: Connection,
        tables: Sequence[Table],
        seed: int,
        statistics: Statistics,
        generators: Mapping[str, str],
    ) -> None:
        self._connection = connection
        self.tables = {table.title: table for table in tables}
        self._seed = seed
        self._statistics = statistics
        self._generators: dict[str, dict[str, str]] = {}
        self._keys = NumberedKeys(connection)
        self._unsure: dict[str, tuple[str, ...]] = {}
        for name, sql in generators.items():
            table, _, column = name.rpartition(".")
            found = named(self.tables, table)
            if column not in {each.name for each in found.columns}:
                raise FillError(found.title, f"a generator is given for {column!r}, and there is no such column")
            self._generators.setdefault(found.title, {})[column] = sql

    def fill(self, asked: Mapping[str, int]) -> dict[str, int]:
        there = {title: self._count(self.tables[title].sql) for title in asked}
        wanted = {title: count for title, count in asked.items() if count > there[title]}
        added = dict.fromkeys(asked, 0)
        with self._settings(), self._fast() as unchecked:
            order = [self._given(each) for each in turns([self.tables[t] for t in wanted], unchecked=unchecked)]
            for turn in order:
                title = turn.table.title
                with self._explained(turn.table):
                    added[title] = self._filled(turn, there[title], wanted[title])
            for turn in order:
                with self._explained(turn.table):
                    title = turn.table.title
                    for key in turn.late:
                        self._refer(turn.table, key, there[title], wanted[title])
                    self._advance(turn.table)
                    self._run(f"analyze {turn.table.sql}")
            self._keys.forget()
        return added

    def _given(self, turn: Turn) -> Turn:
        """Leave out the foreign keys whose columns a generator makes."""
        made = self._generators.get(turn.table.title, {})
        late = tuple(key for key in turn.late if not any(name in made for name in key.columns))
        return msgspec.structs.replace(turn, late=late)

    def _filled(self, turn: Turn, there: int, wanted: int) -> int:
        """Add rows to a table, and return how many; those of its partitions one after another."""
        table, added = turn.table, 0
        shares = _shares(self._leaves(table), wanted - there)
        for place, (bounds, count) in enumerate(shares):
            made = self._plan(turn, there, wanted, bounds)
            added += self._insert(made, there + sum(each for _, each in shares[:place]), count)
        return added

    def _leaves(self, table: Table) -> list[tuple[str, ...]]:
        """Return the conditions of each partition that rows go to; one without any if there are no partitions."""
        if not table.partitioned:
            return [()]
        leaves = list(self._below(table))
        if not leaves:
            raise FillError(table.title, "it is partitioned and has no partition; make one first")
        bounded = [leaf for leaf in leaves if not any(each.startswith("(NOT (") for each in leaf)]
        return list(dict.fromkeys(bounded or leaves))

    def _below(self, table: Table) -> Iterator[tuple[str, ...]]:
        for child in self.tables.values():
            if child.partition_of == table.title:
                if child.partitioned:
                    yield from self._below(child)
                else:
                    is_bounded = child.bounds is not None and "satisfies_hash_partition" not in child.bounds
                    yield (child.bounds,) if child.bounds is not None and is_bounded else ()

    def _plan(self, turn: Turn, there: int, wanted: int, bounds: tuple[str, ...]) -> Plan:
        table = turn.table
        references, filters = self._references(turn)
        found: TableStatistics | None = self._statistics.tables.get(table.title)
        made = plan(
            table,
            wanted,
            demands(self._connection, table, bounds),
            seed=self._seed,
            references=references,
            late=turn.late,
            begun=self._begun(table) if there else None,
            filters=filters,
            statistics=found,
            generators=self._generators.get(table.title, {}),
        )
        self._unsure[table.title] = made.unsure
        return made

    def _references(self, turn: Turn) -> tuple[list[Reference], list[str]]:
        """Return what is drawn for a table's foreign keys, and conditions for those that follow from others."""
        table = turn.table
        taken: set[str] = set(self._generators.get(table.title, {}))
        references, filters = [], []
        for key in sorted(table.foreign_keys, key=lambda each: (-len(each.columns), each.name)):
            if key in turn.late:
                continue
            columns = tuple(name for name in key.columns if name not in taken)
            shared = tuple(
                referred for name, referred in zip(key.columns, key.referred, strict=True) if name not in columns
            )
            target = self.tables[key.table]
            if columns:
                keys = self._keys.of(target, key, shared)
                if not keys.count and any(table.column(name).not_null for name in columns):
                    problem = f"it refers to {key.table}, which is empty; ask for rows of {target.name}, too"
                    raise FillError(table.title, problem, columns[0])
                references.append(Reference(key, keys, columns))
                taken.update(columns)
            if shared or not columns:
                filters.append(_exists(table, target, key))
        return references, filters

    def _begun(self, table: Table) -> dict[str, int]:
        """Return the largest numbers that a table with rows has, of its unique columns."""
        unique = {name for each in table.uniques for name in each.columns}
        unique |= {each.name for each in table.columns if each.is_counted}
        names = [each.name for each in table.columns if each.name in unique and each.type.base in _WHOLE]
        names = [name for name in names if not any(name in key.columns for key in table.foreign_keys)]
        if not names:
            return {}
        largest = ", ".join(f"coalesce(max({identifier(name)}), 0)::bigint" for name in names)
        (row,) = self._rows(_SQL["largest"].format(largest=largest, table=table.sql))
        return dict(zip(names, row, strict=True))

    def _insert(self, made: Plan, first: int, count: int) -> int:
        added, at, idle = 0, first, 0
        while added < count:
            lacking = min(count - added, _BATCH)
            batch = max(lacking, _AGAIN) if at > first else lacking
            inserted = self._connection.execute(made.insert(at, batch, lacking).encode()).rowcount
            at += batch
            added += inserted
            idle = 0 if inserted else idle + 1
            if idle == _PATIENCE:
                table = made.table
                names = [*(each.name for each in table.checks), *(each.name for each in table.uniques)]
                names += dict.fromkeys(f"those of {each.type.domain}" for each in table.columns if each.type.checks)
                raise FillError(
                    table.title,
                    f"only {added} of {count} rows could be made that keep to its constraints ({', '.join(names)}); "
                    f"{generators_of(table.name, made.unsure)}, or ask for fewer rows",
                )
        return added

    def _refer(self, table: Table, key: ForeignKey, there: int, rows: int) -> None:
        """Fill in a reference of the rows that were added, now that there is something to refer to.

        Args:
            table: The table, with all its rows.
            key: What refers to others.
            there: How many rows there were before.
            rows: How many rows there are.
        """
        found = self._statistics.tables.get(table.title)
        known = found.columns.get(key.columns[0]) if found is not None else None
        if not is_filled(table, key, known, is_fresh=not there):
            return
        self._keys.forget()
        keys = self._keys.of(self.tables[key.table], key)
        if keys.count:
            self._run(referring(table, key, keys, known, rows=rows, seed=self._seed))

    def _advance(self, table: Table) -> None:
        """Have the sequences of columns go on after the values that were made."""
        for column in table.columns:
            if column.is_counted:
                owner, name = text(table.sql), text(column.name)
                self._run(
                    _SQL["advance"].format(owner=owner, name=name, column=identifier(column.name), table=table.sql)
                )

    @contextmanager
    def _settings(self) -> Iterator[None]:
        """Have rows read in the order in which they stand, so that the same seed gives the same."""
        asked = {"synchronize_seqscans": "off", "max_parallel_workers_per_gather": "0", "jit": "off"}
        with self._set(asked):
            yield

    @contextmanager
    def _fast(self) -> Iterator[bool]:
        """Turn triggers off, and with them the checks of foreign keys; yield whether that may be."""
        try:
            with self._connection.transaction():
                self._run("set local session_replication_role = replica")
        except errors.InsufficientPrivilege:
            self._run("set constraints all deferred")
            yield False
            self._run("set constraints all immediate")
            return
        with self._set({"session_replication_role": "replica"}):
            yield True

    @contextmanager
    def _set(self, settings: Mapping[str, str]) -> Iterator[None]:
        before = {}
        for name, value in settings.items():
            ((before[name],),) = self._rows(f"select current_setting({text(name)})")
            self._run(f"select set_config({text(name)}, {text(value)}, true)")
        yield
        for name, value in before.items():
            self._run(f"select set_config({text(name)}, {text(value)}, true)")

    @contextmanager
    def _explained(self, table: Table) -> Iterator[None]:
        try:
            yield
        except _REFUSALS as error:
            way_out = generators_of(table.name, self._unsure.get(table.title, ()))
            raise FillError(table.title, f"{said(error)}; {way_out}", error.diag.column_name) from None

    def _count(self, sql: str) -> int:
        ((count,),) = self._rows(_SQL["count"].format(table=sql))
        return int(count)

    def _run(self, sql: str) -> None:
        self._connection.execute(sql.encode())

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(sql.encode()).fetchall()


_REFUSALS = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.NotSupportedError)
_NEAR = 3  # tables that are named in place of one that there is not


def _shares(leaves: Sequence[tuple[str, ...]], count: int) -> list[tuple[tuple[str, ...], int]]:
    """Return how many rows go to each partition."""
    each, more = divmod(count, len(leaves))
    return [(leaf, each + (place < more)) for place, leaf in enumerate(leaves)]


def _exists(table: Table, target: Table, key: ForeignKey) -> str:
    columns = [identifier(table.name, name) for name in key.columns]
    nothing = " or ".join(f"{column} is null" for column in columns)
    same = " and ".join(
        f"_target.{identifier(name)} = {column}" for name, column in zip(key.referred, columns, strict=True)
    )
    return _SQL["exists"].format(nothing=nothing, target=target.sql, same=same)


def named(tables: Mapping[str, Table], name: str) -> Table:
    """Return a table to be filled, by its name, with its schema unless that is ``public``.

    Args:
        tables: Those that there are, by their titles.
        name: Its name.

    Raises:
        FillError: If there is none, or it is a partition.
    """
    table = tables.get(name) or tables.get(f"public.{name}")
    if table is None:
        there = {each.title.removeprefix("public."): None for each in tables.values() if each.partition_of is None}
        near = get_close_matches(name, there, n=_NEAR, cutoff=0.0)
        more = f" and {len(there) - _NEAR} more, the nearest names first" if len(there) > _NEAR else ""
        known = f"there {'is' if len(there) == 1 else 'are'} {', '.join(near) or 'none'}{more}"
        raise FillError(name, f"there is no such table; {known}")
    if table.partition_of is not None:
        raise FillError(name, f"it is a partition; ask for rows of {table.partition_of}")
    return table

"""How one table is filled: the statement that makes its rows from their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.rehearsal.data.draws import Draw
from jobarium_events.migrations.rehearsal.data.keys import Keys
from jobarium_events.migrations.rehearsal.data.quoting import text
from jobarium_events.migrations.rehearsal.data.series import Limits, Series, UnknownType, is_linear, series
from jobarium_events.migrations.rehearsal.data.spreads import known_place, null_share
from jobarium_events.migrations.rehearsal.data.tables import Column, ForeignKey, Table, Unique
from jobarium_events.migrations.rehearsal.data.variety import varied
from jobarium_events.migrations.rehearsal.refusals import FillError, generators_of
from jobarium_events.statements import identifier, statements

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.data.limits import Demands
    from jobarium_events.migrations.rehearsal.data.statistics import ColumnStatistics, TableStatistics

__all__ = ["Plan", "Reference", "plan"]

_SQL = statements(__package__ or "", "volumes.sql")
_TRIES = 200
_FEW = 100  # values that are drawn with skew, as those of a status
_NEAR = "(1::bigint << (_a / 2 % 24)::int)"  # among how many places; the last of them is half a year in seconds


class Reference(msgspec.Struct, frozen=True):
    """A foreign key that is drawn when a row is made.

    Attributes:
        key: The foreign key.
        keys: What it draws from.
        columns: Which of its columns it gives; the others another foreign key gives.
    """

    key: ForeignKey
    keys: Keys
    columns: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True):
    """How a table is filled.

    Attributes:
        table: The table.
        places: From SQL of each place that is drawn to its name within ``values``.
        values: SQL of each column's value.
        filters: What rows have to fulfil.
        retried: Whether a row is tried several times, as it may not fulfil them.
        conflicting: Whether rows may be left out as they are not unique.
        unsure: The columns of which it is not known whether their values fulfil them.
    """

    table: Table
    places: Mapping[str, str]
    values: Mapping[str, str]
    filters: tuple[str, ...]
    retried: bool
    conflicting: bool
    unsure: tuple[str, ...] = ()

    def insert(self, first: int, count: int, most: int) -> str:
        """Return the statement that inserts the rows of some numbers, as far as they can be made, and not more."""
        table = self.table
        alias, names = identifier(table.name), ", ".join(map(identifier, self.values))
        numbers = _SQL["numbers"].format(first=first, last=first + count - 1)
        rows = _SQL["made"].format(
            values=", ".join(f"{value} as {identifier(name)}" for name, value in self.values.items()),
            places=", ".join(["_n", "_a", *(f"{sql} as {name}" for sql, name in self.places.items())]),
            base=_SQL["tries"].format(count=_TRIES) if self.retried else _SQL["once"].format(numbers=numbers),
        )
        computed = [column for column in table.columns if column.generated is not None]
        if computed and self.filters:
            more = ", ".join(f"({column.generated}) as {identifier(column.name)}" for column in computed)
            rows = _SQL["computed"].format(alias=alias, more=more, rows=rows)
        rows = _SQL["filtered"].format(rows=rows, alias=alias, condition=" and ".join(self.filters) or "true")
        if self.retried:
            rows = _SQL["first"].format(numbers=numbers, rows=rows)
        conflict = "on conflict do nothing" if self.conflicting else ""
        return _SQL["insert"].format(table=table.sql, names=names, rows=rows, most=most, conflict=conflict)


def plan(
    table: Table,
    rows: int,
    demands: Demands,
    *,
    seed: int,
    references: Sequence[Reference] = (),
    late: Sequence[ForeignKey] = (),
    begun: Mapping[str, int] | None = None,
    filters: Sequence[str] = (),
    statistics: TableStatistics | None = None,
    generators: Mapping[str, str] = {},
) -> Plan:
    """Work out how a table is filled.

    Args:
        table: The table.
        rows: How many numbers rows have, from 0 on.
        demands: What it demands of its rows.
        seed: What chance follows from.
        references: The foreign keys that are drawn.
        late: Those that are filled in later.
        begun: Where there are rows already, the largest number of each unique column of whole numbers.
        filters: More conditions on each row.
        statistics: How its values are to be spread.
        generators: SQL of some columns' values, from the row's number ``n``.

    Raises:
        FillError: If it cannot be filled so.
    """
    planner = _Planner(table, rows, demands, seed=seed, statistics=statistics, generators=generators, begun=begun)
    return planner.plan(references, late, filters)


class _Unit(msgspec.Struct, frozen=True):
    """What is drawn at once: a column, or those of a foreign key."""

    columns: tuple[str, ...]
    size: int


class _Planner:
    def __init__(
        self,
        table: Table,
        rows: int,
        demands: Demands,
        *,
        seed: int,
        statistics: TableStatistics | None,
        generators: Mapping[str, str],
        begun: Mapping[str, int] | None,
    ) -> None:
        self._table = table
        self._rows = rows
        self._demands = demands
        self._seed = seed
        self._statistics = statistics
        self._generators = generators
        self._begun = begun or {}
        self._conflicting = begun is not None
        self._places: dict[str, str] = {}  # of the columns that take one value after another
        self._full: set[str] = set()  # of those, the ones that never take a value twice
        self._named: dict[str, str] = {}  # SQL of places, each worked out once for a row
        self._never_null: set[str] = set()
        self._spreads: dict[str, int] = {}  # of the columns whose values are numbers of a unit

    def plan(self, references: Sequence[Reference], late: Sequence[ForeignKey], filters: Sequence[str]) -> Plan:
        table = self._table
        nulls = {name for key in late for name in key.columns if not table.column(name).not_null}
        given = {name for reference in references for name in reference.columns}
        drawn = {column.name: self._series(column) for column in self._own(given)}
        units = {name: _Unit((name,), found.size) for name, found in drawn.items()}
        for each in references:
            unit = _Unit(each.columns, 0 if each.keys.within else each.keys.count)
            units.update(dict.fromkeys(each.columns, unit))
        self._spreads = {name: found.spread for name, found in drawn.items() if is_linear(table.column(name).type)}
        for unique in sorted(table.uniques, key=lambda each: (each.partial, len(each.columns))):
            self._keep_apart(unique, units, nulls)
        values = {
            name: _SQL["given"].format(expression=self._generators[name])
            if name in self._generators
            else f"null::{table.column(name).type.sql}"
            for name in (*self._generators, *nulls)
        }
        for name, found in drawn.items():
            if name not in nulls:
                column = table.column(name)
                values[name] = self._or_null(column, found.at(self._place(column, found)), name)
        for each in references:
            for name in each.columns:
                values[name] = self._referred(each, name, values)
        within = [name for each in references if each.keys.within for name in each.columns]
        needed = [f"{identifier(name)} is not null" for name in within if table.column(name).not_null]
        every = (*self._demands.filters, *filters, *needed)
        unsure = any(map(self._is_limited, given)) or bool(filters or needed)
        at_once = not any(unique.deferrable for unique in table.uniques)  # else Postgres cannot leave rows out
        retried, conflicting = unsure or not self._demands.kept, self._conflicting and at_once
        unclear = tuple(name for name in self._demands.unsure if name in drawn)
        return Plan(table, self._named, values, every, retried, conflicting, unclear)

    def _own(self, given: set[str]) -> Iterator[Column]:
        for column in self._table.columns:
            if column.generated is None and column.name not in given and column.name not in self._generators:
                yield column

    def _is_limited(self, name: str) -> bool:
        return name in self._demands.limits or name in self._demands.nulls

    def _series(self, column: Column) -> Series:
        known = self._known(column.name)
        limits = self._demands.limits.get(column.name, Limits())
        if known is not None:
            values = limits.values or _spelt(known, column)
            limits = msgspec.structs.replace(limits, width=known.width, values=values)
        if column.name in self._begun:
            low = self._begun[column.name] + 1
            limits = msgspec.structs.replace(limits, low=max(low, limits.low if limits.low is not None else low))
        try:
            found = series(column.type, limits)
        except UnknownType as error:
            raise FillError(
                self._table.title,
                f"no values are known of the type {error.name}; {generators_of(self._table.name, [column.name])}",
                column.name,
            ) from None
        if found.size < 1:
            raise FillError(self._table.title, "its checks leave no value that its type has", column.name)
        return varied(column.type, found) if self._is_free(column) else found

    def _is_free(self, column: Column) -> bool:
        """Whether nothing speaks of a column: no check, nothing unique, no expression of another column."""
        told = {name for unique in self._table.uniques for name in unique.columns}
        computed = any(column.name in (each.generated or "") for each in self._table.columns)
        known = self._known(column.name)
        spelt = known is not None and known.values is not None
        return not (
            column.name in told
            or column.is_counted
            or self._is_limited(column.name)
            or column.type.checks
            or computed
            or spelt
        )

    def _known(self, name: str) -> ColumnStatistics | None:
        return self._statistics.columns.get(name) if self._statistics is not None else None

    def _keep_apart(self, unique: Unique, units: Mapping[str, _Unit], nulls: set[str]) -> None:
        """See to it that no two rows are the same in some columns."""
        names = [name for name in unique.columns if name in units]
        nullable = unique.nulls_differ and not all(self._table.column(name).not_null for name in unique.columns)
        if any(name in self._generators or name in self._full for name in unique.columns):
            return
        if unique.nulls_differ and any(name in nulls for name in names):
            return
        if not unique.nulls_differ:
            self._never_null.update(names)
        apart = list({units[name].columns: units[name] for name in names}.values())
        apart.sort(key=lambda unit: (-unit.size, unit.columns))
        if unique.partial and not any(unit.size >= self._rows and len(unit.columns) == 1 for unit in apart):
            self._conflicting = True
            return
        self._conflicting = self._conflicting or unique.partial  # an expression may make two values the same
        most = self._count_up(apart)
        if most < self._rows and not nullable and not self._conflicting:
            raise FillError(
                self._table.title,
                f"{unique.name} lets it have {most} rows at most, as far as its columns' types and checks, and the "
                f"rows that they refer to, leave it values; ask for no more",
            )
        self._conflicting = self._conflicting or most < self._rows or not self._demands.kept

    def _count_up(self, apart: Sequence[_Unit]) -> int:
        """Have some columns take one combination of values after another, and return how many there are."""
        stride = 1
        for unit in apart:
            if stride >= self._rows:
                break
            if unit.size < 1 or unit.columns[0] in self._places:
                self._conflicting = True
                continue
            number = f"(_n / {stride})" if stride > 1 else "_n"
            for name in unit.columns:
                self._places[name] = f"({number} % {unit.size})"
                if stride == 1 and unit.size >= self._rows:
                    self._full.add(name)
            stride *= unit.size
        return stride

    def _place(self, column: Column, found: Series) -> str:
        name = column.name
        placed = self._placed(name)
        return self._name(placed or self._near(column, found, self._drawn(name, found.size, found.spread)))

    def _placed(self, name: str) -> str:
        """Return SQL of the place of a column that takes one after another; empty for any other."""
        return self._places.get(name) or ("_n" if self._table.column(name).is_counted else "")

    def _near(self, column: Column, found: Series, usual: str) -> str:
        """Have each second try of a row take a place near to those of the columns that this one is compared with.

        What is drawn for each alone is hardly ever as near as a check such as ``b - a < 100`` demands. How near it has
        to be is not known: within 1, 2, 4 and so on, from try to try.
        """
        groups = [group for group in self._demands.related if column.name in group]
        names = [name for group in groups for name in sorted(group) if self._is_alike(column, name)]
        if len(names) < 2:  # noqa: PLR2004 - itself and another
            return usual
        draw = Draw.made(self._seed, self._table.title, *names, "near")
        common = next(filter(None, map(self._placed, names)), draw.below(min(map(self._spreads.__getitem__, names))))
        apart = Draw.made(self._seed, self._table.title, column.name, "near").below(_NEAR)
        return f"(case when _a % 2 = 0 then {usual} else ({common} + {apart}) % {found.size} end)"

    def _is_alike(self, column: Column, name: str) -> bool:
        """Whether the places of another column stand for the same as those of one."""
        return name in self._spreads and self._table.column(name).type.base == column.type.base

    def _name(self, place: str) -> str:
        return self._named.setdefault(place, f"_p{len(self._named)}")

    def _drawn(self, name: str, size: int, spread: int, *, skewed: bool = False) -> str:
        """Return SQL of a place that is drawn."""
        draw = Draw.made(self._seed, self._table.title, name)
        found = known_place(draw, self._known(name), self._rows, size)
        if found is not None:
            place, among = found
            stride = max(min(spread, size) // among, 1) if size > _FEW and not skewed else 1
            return f"({place} * {stride})" if stride > 1 else place
        return draw.skewed(size) if skewed or size <= _FEW else draw.below(spread)

    def _or_null(self, column: Column, value: str, chance: str) -> str:
        name = column.name
        if self._demands.nulls.get(name):
            return f"null::{column.type.sql}"
        for counted in self._demands.counts:
            if name in counted.columns:
                count = len(counted.columns)
                draw = Draw.made(self._seed, self._table.title, *counted.columns).below(count)
                place = f"({counted.columns.index(name)} + {draw}) % {count}"
                return f"case when {place} < {counted.count} then {value} end"
        share = null_share(self._known(name))
        if column.not_null or name in self._never_null or name in self._demands.nulls or not share:
            return value
        chosen = Draw.made(self._seed, self._table.title, chance, "null").share
        return f"case when {chosen} >= {share:.9f} then {value} end"

    def _referred(self, reference: Reference, name: str, values: Mapping[str, str]) -> str:
        """Return SQL of a column that refers to a row."""
        column = self._table.column(name)
        key, keys = reference.key, reference.keys
        referred = dict(zip(key.columns, key.referred, strict=True))
        first = reference.columns[0]
        if keys.within:
            given = {referred[each]: values[each] for each in key.columns if each not in reference.columns}
            draw = Draw.made(self._seed, self._table.title, first)
            value = keys.drawn(referred[name], given, draw)
        else:
            if not keys.count:
                return f"null::{column.type.sql}"
            place = self._places.get(first) or self._drawn(first, keys.count, keys.count, skewed=True)
            value = keys.at(referred[name], self._name(place))
        return self._or_null(column, value, first)


def _spelt(known: ColumnStatistics, column: Column) -> tuple[str, ...] | None:
    """Return the values of an enum or a boolean, the most common ones first; None of any other type."""
    if known.values is None or (column.type.base != "bool" and column.type.kind != "e"):
        return None
    every = ("false", "true") if column.type.base == "bool" else column.type.labels
    common = (
        {"t": "true", "f": "false"}.get(each, each) if column.type.base == "bool" else each for each in known.values
    )
    ordered = dict.fromkeys([*(each for each in common if each in every), *every])
    return tuple(f"{text(each)}::{column.type.sql}" for each in ordered)

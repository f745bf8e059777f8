"""What the checks of a table, its domains and a partition's bounds leave to each column."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.data.conditions import Counted, Demand, columns_of, of_domain, understand
from jobarium_events.migrations.rehearsal.data.documents import Member
from jobarium_events.migrations.rehearsal.data.patterns import is_simple
from jobarium_events.migrations.rehearsal.data.series import Limits, is_linear

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobarium_events.migrations.rehearsal.data.tables import Column, Table

with extra("migrations"):
    import psycopg
    from psycopg.rows import tuple_row

__all__ = ["Demands", "demands"]

_EPOCH = 946_684_800  # of 2000-01-01
_NUMBERS = {
    "date": "(({})::date - date '2000-01-01')::numeric",
    "time": "extract(epoch from ({})::interval)::numeric",
    "timetz": "extract(epoch from ({})::timetz::time::interval)::numeric",
    "interval": "extract(epoch from ({})::interval)::numeric",
    "timestamp": f"(extract(epoch from ({{}})::timestamp) - {_EPOCH})::numeric",
    "timestamptz": f"(extract(epoch from ({{}})::timestamptz) - {_EPOCH})::numeric",
    "inet": "(({})::inet - inet '0.0.0.0')::numeric",
}
_BOUNDS = {">=": "low", "<=": "high", ">": "above", "<": "below"}
_MEMBERS = {"there": "kinds", "kind": "kinds", "text": "texts"}
_TEXTS = ("text", "varchar", "bpchar", "citext", "name")
_SIZED = (*_TEXTS, "bytea", "bit", "varbit")


class Demands(msgspec.Struct, frozen=True):
    """What is left to the columns of a table.

    Attributes:
        filters: All conditions, as SQL that is not false for a row that fulfils them.
        limits: Of each column that has any.
        nulls: Whether a column has to be null, or must not be.
        counts: How many of some columns have to be given.
        kept: Whether values within the limits fulfil every condition; else some rows have to be tried again.
        unsure: The columns of which it is not known whether values within their limits do.
        related: The columns that conditions compare with each other, as far as is known.
    """

    filters: tuple[str, ...]
    limits: dict[str, Limits]
    nulls: dict[str, bool]
    counts: tuple[Counted, ...]
    kept: bool
    unsure: tuple[str, ...] = ()
    related: tuple[frozenset[str], ...] = ()


def demands(connection: psycopg.Connection[Any], table: Table, bounds: Iterable[str] = ()) -> Demands:
    """Read what a table demands of its rows.

    Args:
        connection: By which constants are worked out.
        table: The table.
        bounds: More conditions, such as a partition has.
    """
    conditions = [*(check.condition for check in table.checks), *bounds]
    conditions += [of_domain(each, column.name) for column in table.columns for each in column.type.checks]
    understood = [understand(each) for each in conditions]
    limits: dict[str, Limits] = {}
    nulls: dict[str, bool] = {}
    kept = all(each.whole for each in understood)
    unclear = [condition for condition, each in zip(conditions, understood, strict=True) if not each.whole]
    unsure = {name: None for condition in unclear for name in columns_of(condition)}
    columns = {column.name: column for column in table.columns if column.generated is None}
    # What a column is one of leaves nothing to choose: it comes first, and values are held against all else.
    for demand in sorted((each for every in understood for each in every.demands), key=lambda each: each.what != "in"):
        column = columns.get(demand.column)
        if column is None:
            kept = False
        elif demand.what in ("null", "not null"):
            nulls[demand.column] = demand.what == "null"
        else:
            before = limits.get(demand.column, Limits())
            after = _limited(connection, column, before, demand)
            kept = kept and after is not None
            unsure.update({demand.column: None} if after is None else {})
            limits[demand.column] = after or before
    for name, each in limits.items():
        if len(each.patterns) > 1:  # they are made one text, as well as that goes
            kept = False
            unsure[name] = None
    return Demands(
        tuple(f"({each}) is not false" for each in conditions),
        limits,
        nulls,
        tuple(each for every in understood for each in every.counts),
        kept,
        tuple(unsure),
        _related(map(columns_of, unclear)),
    )


def _related(together: Iterable[tuple[str, ...]]) -> tuple[frozenset[str], ...]:
    """Return the columns that conditions speak of together, those of conditions that share one in one set."""
    found: list[frozenset[str]] = []
    for names in together:
        joined = frozenset(names).union(*(each for each in found if each.intersection(names)))
        found = [*(each for each in found if not each & joined), joined]
    return tuple(each for each in found if len(each) > 1)


def _limited(connection: psycopg.Connection[Any], column: Column, limits: Limits, demand: Demand) -> Limits | None:
    """Return narrower limits; None if the demand cannot be met by limits."""
    if demand.what == "in":
        both = limits.values is not None or limits != Limits(width=limits.width)
        return None if both else msgspec.structs.replace(limits, values=demand.values)
    if limits.values is not None:
        return None
    if demand.what in _MEMBERS:
        return _with_member(column, limits, demand)
    if demand.what in ("~", "case"):
        return _of_text(connection, limits, demand) if column.type.base in _TEXTS else None
    (value,) = demand.values
    if demand.what.startswith("length"):
        if column.type.base not in _SIZED:
            return None
        return _sized(limits, demand.what.removeprefix("length"), _worked_out(connection, f"(({value})::int)::text"))
    return _bounded(connection, column, limits, demand) if is_linear(column.type) else None


def _of_text(connection: psycopg.Connection[Any], limits: Limits, demand: Demand) -> Limits | None:
    if demand.what == "case":
        (case,) = demand.values
        return msgspec.structs.replace(limits, case=case) if limits.case in (None, case) else None
    patterns = [_worked_out(connection, f"({value})::text") for value in demand.values]
    pattern = "|".join(each for each in patterns if each is not None)
    if None in patterns or not is_simple(pattern):
        return None
    return msgspec.structs.replace(limits, patterns=(*limits.patterns, pattern))


def _with_member(column: Column, limits: Limits, demand: Demand) -> Limits | None:
    if column.type.base not in ("json", "jsonb"):
        return None
    member = Member(demand.path, **{_MEMBERS[demand.what]: demand.values})
    return msgspec.structs.replace(limits, members=(*limits.members, member))


def _bounded(connection: psycopg.Connection[Any], column: Column, limits: Limits, demand: Demand) -> Limits | None:
    (value,) = demand.values
    number = _worked_out(connection, f"({_NUMBERS.get(column.type.base, '({})::numeric').format(value)})::text")
    try:
        bound = Decimal(number) if number is not None else None
    except InvalidOperation:
        return None
    if bound is None or not bound.is_finite():
        return None
    return _narrowed(limits, _BOUNDS[demand.what], bound)


def _sized(limits: Limits, operator: str, value: str | None) -> Limits | None:
    if value is None:
        return None
    length = int(value) + {"<": -1, ">": 1}.get(operator, 0)
    if operator.startswith(">"):
        return msgspec.structs.replace(limits, least=max(limits.least, length))
    return msgspec.structs.replace(limits, most=length if limits.most is None else min(limits.most, length))


def _narrowed(limits: Limits, name: str, bound: Decimal) -> Limits:
    before: Decimal | None = getattr(limits, name)
    if before is not None:
        bound = max(before, bound) if name in ("low", "above") else min(before, bound)
    return msgspec.structs.replace(limits, **{name: bound})


def _worked_out(connection: psycopg.Connection[Any], sql: str) -> str | None:
    """Return a constant's value; None where Postgres cannot give it, so that rows have to be tried instead."""
    try:
        with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
            row = cursor.execute(f"select {sql}".encode()).fetchone()
    except psycopg.Error:
        return None
    return None if row is None else row[0]

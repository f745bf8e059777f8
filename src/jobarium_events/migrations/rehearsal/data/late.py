"""References that are filled in late: once all rows are there that they may refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.migrations.rehearsal.data.draws import Draw
from jobarium_events.migrations.rehearsal.data.ordering import is_optional
from jobarium_events.migrations.rehearsal.data.spreads import known_place, null_share
from jobarium_events.statements import identifier, statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobarium_events.migrations.rehearsal.data.keys import Keys
    from jobarium_events.migrations.rehearsal.data.statistics import ColumnStatistics
    from jobarium_events.migrations.rehearsal.data.tables import ForeignKey, Table, Unique

__all__ = ["is_filled", "referring"]

_SQL = statements(__package__ or "", "volumes.sql")


def is_filled(table: Table, key: ForeignKey, known: ColumnStatistics | None, *, is_fresh: bool) -> bool:
    """Whether a late reference is filled in; what stays null refers to nothing, and is the same as nothing else.

    Args:
        table: The table.
        key: What refers to others.
        known: What statistics say of it.
        is_fresh: Whether the table had no rows before.
    """
    if not is_optional(table, key):
        return True
    if any(table.column(name).not_null for name in key.columns):
        return False
    uniques = _uniques(table, key)
    return not uniques or (known is not None and is_fresh and all(_is_plain(table, key, each) for each in uniques))


def referring(
    table: Table, key: ForeignKey, keys: Keys, known: ColumnStatistics | None, *, rows: int, seed: int
) -> str:
    """Return the statement that fills in a late reference of the rows that were added.

    Args:
        table: The table.
        key: What refers to others.
        keys: What it draws from.
        known: What statistics say of it.
        rows: How many rows the table has.
        seed: What chance follows from.
    """
    nullable = is_optional(table, key)
    names = (table.title, key.name)
    number = "hashtextextended(_at::text || _part::regclass::text, 0)"
    draw = Draw.made(seed, *names, of=number)
    place, _ = known_place(draw, known, rows, keys.count) or (draw.skewed(keys.count), keys.count)
    share = Draw.made(seed, *names, "null", of=number).share
    # No row refers to itself where it need not: checks forbid it as a rule, and trees have no such rows.
    itself = " and ".join(f"_keys.{identifier(name)} = _row.{identifier(name)}" for name in key.referred)
    uniques = _uniques(table, key) if nullable else []
    drawn = _SQL["drawn"].format(
        table=table.sql,
        place=place,
        condition=f"{share} >= {null_share(known):.9f}" if nullable else "true",
        others="".join(f", {identifier(name)} as {alias}" for name, alias in _others(key, uniques).items()),
    )
    return _SQL["refer"].format(
        table=table.sql,
        names=", ".join(map(identifier, key.columns)),
        values=", ".join(f"_keys.{identifier(name)}" for name in key.referred),
        drawn=_apart(drawn, key, uniques),
        keys=keys.sql,
        itself=itself if nullable and key.table == table.title else "false",
    )


def _uniques(table: Table, key: ForeignKey) -> list[Unique]:
    return [each for each in table.uniques if set(each.columns) & set(key.columns)]


def _is_plain(table: Table, key: ForeignKey, unique: Unique) -> bool:
    """Whether two rows are kept apart by just what they refer to, and by columns that stay as they are."""
    is_computed = any(table.column(name).generated is not None for name in unique.columns)
    return unique.nulls_differ and not unique.partial and not is_computed and set(key.columns) <= set(unique.columns)


def _others(key: ForeignKey, uniques: Sequence[Unique]) -> dict[str, str]:
    """Return the names of the columns that are unique together with a key, each with one within the statement."""
    names = dict.fromkeys(name for each in uniques for name in each.columns if name not in key.columns)
    return {name: f"_o{place}" for place, name in enumerate(names)}


def _apart(drawn: str, key: ForeignKey, uniques: Sequence[Unique]) -> str:
    """Leave out rows that would be the same as another, which refer to nothing then."""
    others = _others(key, uniques)
    for number, unique in enumerate(uniques):
        same = ["_place", *(others[name] for name in unique.columns if name in others)]
        drawn = _SQL["apart"].format(drawn=drawn, same=", ".join(same), first=f"_is_first{number}")
    return drawn

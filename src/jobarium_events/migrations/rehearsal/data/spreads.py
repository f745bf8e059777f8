"""How the values of a column are spread: as the statistics of another database say, as far as they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.migrations.rehearsal.data.draws import Draw, pool

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.data.statistics import ColumnStatistics

__all__ = ["known_place", "null_share"]

_NULL_SHARE = 0.1


def null_share(known: ColumnStatistics | None) -> float:
    """Return which part of the rows is to have no value."""
    return _NULL_SHARE if known is None else known.null_share


def known_place(draw: Draw, known: ColumnStatistics | None, rows: int, size: int) -> tuple[str, int] | None:
    """Return SQL of a place that is drawn as statistics say, and among how many; None if they say nothing of it.

    Args:
        draw: Where chance comes from.
        known: What is known of the column.
        rows: How many rows its table is to have.
        size: How many places there are.
    """
    distinct = 0 if known is None else min(known.distinct_of(rows), size)
    if known is None or not distinct:
        return None
    given = 1 - known.null_share
    frequencies = tuple(each / given for each in known.frequencies[:distinct]) if given else ()
    common = len(frequencies)
    rest = rows * given * max(1 - sum(frequencies), 0)
    among = common + (pool(distinct - common, rest, size - common) if distinct > common else 0)
    return (draw.weighted(frequencies, among) if frequencies else draw.below(among)), among

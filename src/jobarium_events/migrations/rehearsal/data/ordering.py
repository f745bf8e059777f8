"""In which order tables are filled: first what is referred to, then what refers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.rehearsal.data.tables import ForeignKey, Table
from jobarium_events.migrations.rehearsal.refusals import FillError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Turn", "is_optional", "turns"]


class Turn(msgspec.Struct, frozen=True):
    """One table in its turn.

    Attributes:
        table: The table.
        late: Its foreign keys to what is not filled by then; they are filled in at the end.
    """

    table: Table
    late: tuple[ForeignKey, ...]


def turns(tables: Sequence[Table], *, unchecked: bool) -> tuple[Turn, ...]:
    """Put tables in order.

    Args:
        tables: Those that are to be filled.
        unchecked: Whether foreign keys are not checked meanwhile.

    Raises:
        FillError: If tables refer to each other so that no row can be the first.
    """
    left = {table.title: table for table in sorted(tables, key=lambda each: each.title)}
    ordered = []
    while left:
        table = min(left.values(), key=lambda each: (_cost(each, left, unchecked=unchecked), each.title))
        late = tuple(key for key in table.foreign_keys if key.table in left)
        if _cost(table, left, unchecked=unchecked) == _IMPOSSIBLE:
            first = next(key for key in late if not is_optional(table, key) and not key.deferrable)
            raise FillError(
                table.title,
                f"{first.name} refers to {first.table}, which in turn waits for it; make that foreign key deferrable, "
                "one of its columns nullable, or fill the tables as a superuser",
            )
        ordered.append(Turn(table, late))
        del left[table.title]
    return tuple(ordered)


_IMPOSSIBLE = 3


def _cost(table: Table, left: dict[str, Table], *, unchecked: bool) -> int:
    """Return how hard it is to fill a table before those that are left."""
    late = [key for key in table.foreign_keys if key.table in left and key.table != table.title]
    own = [key for key in table.foreign_keys if key.table == table.title]
    if not any(not is_optional(table, key) for key in late + own):
        return 1 if late else 0
    if unchecked or all(is_optional(table, key) or key.deferrable for key in late + own):
        return 2 if late else 0
    return _IMPOSSIBLE


def is_optional(table: Table, key: ForeignKey) -> bool:
    """Whether a row may refer to nothing."""
    return not all(table.column(name).not_null for name in key.columns)

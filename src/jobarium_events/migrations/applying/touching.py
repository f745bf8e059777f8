"""Which tables a migration is about, as its statements name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.migrations.lint.removals import removed
from jobarium_events.migrations.lint.walking import tables_of

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["touched"]


def touched(migration: Migration) -> frozenset[str]:
    """Return the tables that ``up`` and the backfill of a migration name."""
    statements = migration.up if migration.backfill is None else (*migration.up, migration.backfill)
    named = {table for each in statements for table in tables_of(each.node)}
    return frozenset(named | {gone.table for each in statements for gone in removed(each)})

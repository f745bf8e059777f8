"""Lint, asked once for each migration of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.linting import lint_migration, lint_migrations

if TYPE_CHECKING:
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Lints"]


class Lints:
    """Whether lint lets the migrations of a folder through.

    To lint one is to read all before it. So the first is linted alone, as most often there is no other, and all of them
    at once as soon as another one is asked for.

    Args:
        migrations: The folder.
    """

    def __init__(self, migrations: Migrations) -> None:
        self._migrations = migrations
        self._known: dict[str, bool] = {}

    def __call__(self, migration: Migration) -> bool:
        """Whether lint finds nothing that keeps one from being applied."""
        if not self._known:
            self._known[migration.id] = lint_migration(self._migrations, migration).ok
        elif migration.id not in self._known:
            found = lint_migrations(self._migrations).findings
            wrong = {each.file for each in found if each.severity is Severity.ERROR}
            ids = {str(each.path): each.id for each in self._migrations.ordered}
            is_whole = wrong <= ids.keys()  # the baseline could be read
            self._known = {id_: is_whole and path not in wrong for path, id_ in ids.items()}
        return self._known[migration.id]

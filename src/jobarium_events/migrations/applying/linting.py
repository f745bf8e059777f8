"""Lint, asked once for each migration of a run: whether it lets one through, and by what that breaks code that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobarium_events.migrations.lint.breaking import breaks
from jobarium_events.migrations.lint.findings import Finding, Severity
from jobarium_events.migrations.lint.linting import lint_migration, lint_migrations

if TYPE_CHECKING:
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Lints"]


class _Said(NamedTuple):
    """What lint says of one migration."""

    is_clean: bool
    breaks: tuple[Finding, ...]


class Lints:
    """What lint says of the migrations of a folder.

    To lint one is to read all before it. So the first is linted alone, as most often there is no other, and all of them
    at once as soon as another one is asked for.

    Args:
        migrations: The folder.
    """

    def __init__(self, migrations: Migrations) -> None:
        self._migrations = migrations
        self._known: dict[str, _Said] = {}

    def is_clean(self, migration: Migration) -> bool:
        """Whether lint finds nothing that keeps one from being applied."""
        return self._said(migration).is_clean

    def breaks(self, migration: Migration) -> tuple[Finding, ...]:
        """Return by what one breaks code that runs, but for what it removes."""
        return self._said(migration).breaks

    def _said(self, migration: Migration) -> _Said:
        if not self._known:
            report = lint_migration(self._migrations, migration)
            self._known[migration.id] = _Said(report.ok, breaks(report, str(migration.path)))
        elif migration.id not in self._known:
            report = lint_migrations(self._migrations)
            wrong = {each.file for each in report.findings if each.severity is Severity.ERROR}
            ids = {str(each.path): each.id for each in self._migrations.ordered}
            is_whole = wrong <= ids.keys()  # the baseline could be read
            self._known = {
                id_: _Said(is_whole and path not in wrong, breaks(report, path)) for path, id_ in ids.items()
            }
        return self._known[migration.id]

"""All that the site shows, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.catalog import Catalog
from jobarium_events.catalog.bundled import SCHEMAS
from jobarium_events.catalog.loading import load_folder
from jobarium_events.catalog.manifest import read
from jobarium_events.counters import Counters, read_counters
from jobarium_events.errors import CatalogError, DeclarationError, Problem
from jobarium_events.evolution.decision import Decision
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.evidence import distinct
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.lock import Lock, read_lock

if TYPE_CHECKING:
    # Only who shows migrations needs what they take.
    from jobarium_events.migrations import Migrations  # noqa: TC004

__all__ = ["Shown", "named", "read_shown"]

_BUNDLED_TITLE = "Jobarium events"
_TITLE = "Event catalog"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """All that the site shows.

    Attributes:
        folder: The folder of the catalog.
        catalog: The catalog.
        releases: Names of the releases so far, in order; the last is the current one.
        planned: Names of the releases to come, in order.
        lock: All that has been released, or None if nothing was frozen yet.
        decisions: The decision log, by id.
        evidence: The files of counters, in the order in which they were given; each once.
        counters: What stands in each of them.
        migrations: The folder of migrations, or None if none was given.
        databases: Environment and URL of each database that is asked how its migrations stand.
        is_bundled: Whether it is Jobarium's own catalog, whose payload classes come with this library.
        title: What the site is called, on one line.
    """

    folder: Path
    catalog: Catalog
    releases: tuple[str, ...]
    planned: tuple[str, ...]
    lock: Lock | None = None
    decisions: Mapping[str, Decision] = {}
    evidence: tuple[Path, ...] = ()
    counters: tuple[Counters, ...] = ()
    migrations: Migrations | None = None
    databases: tuple[tuple[str, str], ...] = ()
    is_bundled: bool = False
    title: str = _TITLE


def named(path: Path) -> str:
    """Return a path as it is to be written in a command or in code: as it was given, but of no machine's own."""
    return path.name if path.is_absolute() else path.as_posix()


def read_shown(
    folder: Path | None = None,
    *,
    evidence: Sequence[Path] = (),
    migrations: Path | None = None,
    databases: Sequence[tuple[str, str]] = (),
    title: str | None = None,
) -> Shown:
    """Read what the site shows.

    Args:
        folder: A folder of schemas with its ``catalog.toml``; by default the bundled catalog.
        evidence: Files of counters; one that is given twice counts once.
        migrations: A folder of migrations.
        databases: Environment and URL of each database to ask how its migrations stand.
        title: The title of the site; without one, that of the bundled catalog, or of any.

    Raises:
        CatalogError: With every mistake in the catalog or in its decision log.
        LockError: If its lock cannot be used.
        CountersError: If a file is no file of counters.
        MigrationError: With every mistake in the migrations.
        DeclarationError: If the folder of migrations is none.
        MissingExtra: If there are migrations, and what they need is not installed.
        OSError: If something cannot be read.
    """
    if folder is None:
        catalog, manifest = Catalog.bundled(), read(SCHEMAS)[0]
    else:
        manifest, entries = load_folder(folder)
        catalog = Catalog(entries, manifest.releases)
    place = SCHEMAS if folder is None else folder
    lock = read_lock(place)
    files = distinct(evidence)
    return Shown(
        folder=place,
        catalog=catalog,
        releases=manifest.releases,
        planned=manifest.planned,
        lock=lock,
        decisions=_decisions(place, lock, catalog),
        evidence=files,
        counters=tuple(map(read_counters, files)),
        migrations=None if migrations is None else _migrations(migrations),
        databases=tuple(databases),
        is_bundled=folder is None,
        title=" ".join((title or "").split()) or (_BUNDLED_TITLE if folder is None else _TITLE),
    )


def _decisions(folder: Path, lock: Lock | None, catalog: Catalog) -> Mapping[str, Decision]:
    decisions, findings = read_decisions(folder, lock=lock, known=catalog.entries.keys())
    mistakes = [each for each in findings if each.severity is Severity.ERROR]
    if mistakes:
        problems = [Problem(each.file, each.pointer, f"{each.text}; {each.advice}".rstrip("; ")) for each in mistakes]
        raise CatalogError(str(folder), problems)
    return decisions


def _migrations(folder: Path) -> Migrations:
    from jobarium_events.migrations import Migrations  # noqa: PLC0415 - it needs an extra of its own
    from jobarium_events.migrations.files.settings import SETTINGS  # noqa: PLC0415 - likewise

    loaded = Migrations.load(folder)
    # Without settings and without a migration, any folder would do: more likely it is another one.
    if not loaded.ordered and not (folder / SETTINGS).exists():
        raise DeclarationError(
            f"{folder} is no folder of migrations: it has neither {SETTINGS} nor a migration; name the one that has "
            "them by --migrations, or begin one by `db new`"
        )
    return loaded

"""A folder of migrations: its files in their order, and what holds for all of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.evolution.decision import DECISIONS
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.findings import Severity
from jobarium_events.migrations.files.header import BEGIN, header_lines
from jobarium_events.migrations.files.migration import Migration, read_migrations
from jobarium_events.migrations.files.places import key_lines
from jobarium_events.migrations.files.settings import SETTINGS, Settings, read_settings
from jobarium_events.migrations.refusals import MigrationError, Mistake, UnknownMigration, no_folder

if TYPE_CHECKING:
    from jobarium_events.evolution.decision import Decision

__all__ = ["Migrations"]

_NUMBER = re.compile(r"[0-9]+")


class Migrations(msgspec.Struct, frozen=True, kw_only=True):
    """All migrations of a folder.

    Attributes:
        folder: Where they are.
        settings: What holds for all of them.
        ordered: In the order in which they are applied, which is that of their ids.
    """

    folder: Path
    settings: Settings
    ordered: tuple[Migration, ...]

    @classmethod
    def load(cls, folder: Path | str) -> Migrations:
        """Read a folder: ``migrations.toml``, and every ``*.sql`` whose name begins with a number.

        Raises:
            MigrationError: With every mistake in all of its files.
            DeclarationError: If there is no such folder.
            OSError: If it cannot be read.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise no_folder(folder)
        settings = read_settings(folder)
        found = [path for path in sorted(folder.iterdir()) if path.suffix == ".sql"]
        ordered = read_migrations(path for path in found if _NUMBER.match(path.name))
        ordered = tuple(sorted(ordered, key=lambda each: (each.number, each.id)))
        loaded = cls(folder=folder, settings=settings, ordered=ordered)
        mistakes = [*loaded._mistakes(), *map(_unnumbered, filter(_is_unnumbered, found))]
        if mistakes:
            raise MigrationError(mistakes)
        return loaded

    def __getitem__(self, id_: str) -> Migration:
        """Return a migration by its id, or by its number alone.

        Raises:
            UnknownMigration: If there is none.
        """
        for migration in self.ordered:
            if id_ == migration.id or (_NUMBER.fullmatch(id_) and int(id_) == migration.number):
                return migration
        raise UnknownMigration(id_, [each.id for each in self.ordered])

    def before(self, migration: Migration) -> tuple[Migration, ...]:
        """Return those that come before one."""
        return self.ordered[: self.ordered.index(migration)]

    def decisions(self) -> Mapping[str, Decision]:
        """Read the decision log: that of the catalog, or ``decisions/`` beside the files.

        Raises:
            MigrationError: If there is a mistake in it.
        """
        folder = self._log.parent
        found, problems = read_decisions(folder)
        mistakes = [
            Mistake(str(folder / each.file), _line_of(folder / each.file, each.pointer), each.text)
            for each in problems
            if each.severity is Severity.ERROR
        ]
        if mistakes:
            raise MigrationError(mistakes)
        return found

    @property
    def _log(self) -> Path:
        """The folder of the decision log, be there one or not."""
        catalog = self.settings.catalog
        return (self.folder if catalog is None else self.folder / catalog) / DECISIONS

    @property
    def baseline(self) -> Path | None:
        """The file that makes the schema before the first migration."""
        return self.folder / self.settings.baseline if self.settings.baseline else None

    def _mistakes(self) -> Iterator[Mistake]:
        ids = {each.id: each for each in self.ordered}
        before: set[str] = set()
        numbers: defaultdict[int, list[str]] = defaultdict(list)
        for migration in self.ordered:
            found = list(self._mistakes_of(migration, ids, before, numbers))
            before.add(migration.id)
            numbers[migration.number].append(migration.id)
            lines = header_lines(_text(migration.path)) if found else {}
            for key, problem in found:
                yield Mistake(str(migration.path), lines.get(key, 1), problem)
        if self.baseline is not None and not self.baseline.is_file():
            path = self.folder / SETTINGS
            line = key_lines(_text(path))["baseline"]
            yield Mistake(str(path), line, f"names the baseline {self.settings.baseline}, which is no file")

    def _mistakes_of(
        self,
        migration: Migration,
        ids: Mapping[str, Migration],
        before: Collection[str],
        numbers: Mapping[int, list[str]],
    ) -> Iterator[tuple[str, str]]:
        """Yield what does not fit together between a migration and the others, each with the key of its header."""
        header = migration.header
        for other in numbers.get(migration.number, ()):
            yield "id", f"has the number {migration.number:04}, as {other} has; give it the next free one"
        for key, needed in [("depends_on", each) for each in header.depends_on] + [
            ("completes", each) for each in header.completes
        ]:
            if needed not in ids:
                yield key, f"depends on {needed!r}, and there is no such file"
            elif needed not in before:
                yield key, f"depends on {needed!r}, which does not come before it"
            elif key == "completes" and ids[needed].backfill is None:
                yield key, f"waits for the backfill of {needed}, which has none"
        log = self._log
        if header.decision is not None and log.is_dir() and not (log / f"{header.decision}.md").is_file():
            yield "decision", f"names {header.decision}, which is not in the decision log, {log}"
        elif header.decision is not None and self.settings.catalog is not None and not log.is_dir():
            yield "decision", f"names {header.decision}, and the catalog has no decision log, {log}"
        known = ", ".join(self.settings.releases) or "none"
        for key, release in [
            ("release", header.release),
            *(("out_of_use", each) for each in header.out_of_use.values()),
        ]:
            if release not in self.settings.releases:
                yield key, f"names the release {release!r}, which there is not; {SETTINGS}, or its catalog, has {known}"


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")


def _line_of(path: Path, place: str) -> int:
    """Return the line of a heading or a key of a decision; 0 where it is not there."""
    name = re.escape(re.sub(r"\[\d+\]$", "", place))
    begin = re.compile(rf"{name}\s*$" if place.startswith("#") else rf"(\[\[)?{name}\s*(\]\]|=)")
    lines = _text(path).split("\n") if place and path.is_file() else []
    return next((number for number, line in enumerate(lines, 1) if begin.match(line)), 0)


def _is_unnumbered(path: Path) -> bool:
    """Whether a file is a migration without a number, which would never be run."""
    return not _NUMBER.match(path.name) and path.read_bytes().lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(BEGIN.encode())


def _unnumbered(path: Path) -> Mistake:
    return Mistake(
        str(path), 1, 'is a migration, and its name begins with no number; name it as in "0007_job_source.sql"'
    )

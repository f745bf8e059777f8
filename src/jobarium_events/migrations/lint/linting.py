"""Lint: what files of SQL would do to running code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.files.folder import Migrations
from jobarium_events.migrations.files.migration import Migration, Section, read_migrations
from jobarium_events.migrations.files.parsing import SqlError
from jobarium_events.migrations.files.settings import NEWEST, SETTINGS, Settings, read_settings
from jobarium_events.migrations.lint.breaking import with_undecided
from jobarium_events.migrations.lint.findings import Finding, LintedStatement, Report
from jobarium_events.migrations.lint.judging import Around, judge
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.reading import STDIN, Source, is_migration, read_source, read_sources
from jobarium_events.migrations.lint.removals import removals
from jobarium_events.migrations.lint.rules import commented_types, incomplete, made_by
from jobarium_events.migrations.lint.rules.removals import Filling
from jobarium_events.migrations.lint.rules.rule import described
from jobarium_events.migrations.refusals import MigrationError, Mistake

if TYPE_CHECKING:
    from jobarium_events.evolution.decision import Decision

__all__ = ["lint_files", "lint_migration", "lint_migrations"]

_UNREADABLE = described("sql-unreadable", "What Postgres cannot read, it cannot run.")
_MISTAKE = described(
    "migration-mistake", "A file whose header or sections have a mistake is not run, and neither is any other."
)

_ENCODING = "is not encoded in UTF-8; save it so"


def lint_migrations(migrations: Migrations, *, postgres: Iterable[int] = ()) -> Report:
    """Lint all migrations of a folder.

    Args:
        migrations: The folder.
        postgres: The major versions to judge for; by default those from the settings' one to the newest.
    """
    return _lint_some(migrations, migrations.ordered, postgres)


def lint_migration(migrations: Migrations, migration: Migration, *, postgres: Iterable[int] = ()) -> Report:
    """Lint one migration of a folder, in the light of those before it.

    Args:
        migrations: The folder.
        migration: One of its migrations.
        postgres: The major versions to judge for; by default those from the settings' one to the newest.
    """
    return _lint_some(migrations, (migration,), postgres)


def lint_files(
    paths: Iterable[Path | str], *, postgres: Iterable[int] = (), stdin: Iterable[str] | None = None
) -> Report:
    """Lint files of SQL: migrations of ours, what Alembic or Django printed, and others.

    Args:
        paths: Files and folders; ``"-"`` is the standard input. A migration is judged in the light of those before it
            in its folder, other files in the light of those before them here.
        postgres: The major versions to judge for; by default all that are supported, or those from the one that the
            settings of a folder of migrations name.
        stdin: The lines of the standard input, if they come from elsewhere.

    Raises:
        OSError: If a file cannot be read.
    """
    lint = _Lint(tuple(postgres), sys.stdin if stdin is None else stdin)
    for path in paths:
        lint.add(path)
    return lint.report()


def _versions(settings: Settings, asked: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(asked))) or tuple(range(settings.postgres, NEWEST + 1))


def _lint_some(migrations: Migrations, wanted: tuple[Migration, ...], postgres: Iterable[int]) -> Report:
    versions = _versions(migrations.settings, postgres)
    ids = {each.id for each in wanted}
    decisions = _decisions(migrations)
    schema, types, others = _baseline(migrations)
    statements: list[LintedStatement] = []
    for migration in migrations.ordered:
        schema = schema.afresh()
        if migration.id in ids:
            around = Around(
                file=str(migration.path),
                versions=versions,
                original=schema,
                header=migration.header,
                releases=migrations.settings.releases,
                decisions=decisions,
                types=types,
            )
            found, schema = _linted(migrations, migration, around)
            statements += found
        else:
            schema = schema.apply_all(migration.up)
        types = {**types, **commented_types(migration.up)}
        if migration is wanted[-1]:
            break
    return Report(files=len(wanted), versions=versions, statements=tuple(statements), others=tuple(others))


def _fillings(migrations: Migrations, migration: Migration) -> tuple[Filling, ...]:
    """Return the other migrations of a folder that have a backfill."""
    found, is_later = [], False
    for each in migrations.ordered:
        if each is migration:
            is_later = True
        elif each.backfill is not None:
            found.append(Filling(each, is_later))
    return tuple(found)


def _decisions(migrations: Migrations) -> Mapping[str, Decision]:
    """Return the decision log, if a header asks for it; reading it takes longer than linting a file."""
    asks = any(migration.header.decision for migration in migrations.ordered)
    return migrations.decisions() if asks else {}


def _baseline(migrations: Migrations) -> tuple[Schema, dict[str, str], list[Finding]]:
    """Return what is known of the tables before the first migration, and the comments of types."""
    path = migrations.baseline
    if path is None:
        return Schema(), {}, []
    try:
        source = read_source(path, path.read_text(encoding="utf-8-sig"))
    except SqlError as error:
        return Schema(), {}, [_unreadable(str(path), error)]
    except UnicodeDecodeError:
        return Schema(), {}, [_mistaken(Mistake(str(path), 0, _ENCODING))]
    return Schema().apply_all(source.statements), commented_types(source.statements), []


def _linted(migrations: Migrations, migration: Migration, around: Around) -> tuple[list[LintedStatement], Schema]:
    """Return what is found in a migration, and what is known of the tables after it."""
    schema = around.original

    def within(section: Section, **more: object) -> Around:
        return msgspec.structs.replace(around, section=section, **more)

    going = frozenset(removals(migration.up).gone)
    fillings = _fillings(migrations, migration) if going else ()
    upwards = within(Section.UP, going=going, fillings=fillings)
    linted, after = judge(migration.up, schema, upwards)
    found = with_undecided(migration.up, linted, schema, upwards)
    if migration.down:
        back = after.apply_all(migration.down)
        left = tuple(incomplete(migration, schema, after, back))
        made = frozenset().union(*map(made_by, migration.up))
        found += judge(migration.down, after, within(Section.DOWN, before_first=left, made=made))[0]
    if migration.backfill is not None:
        found += judge((migration.backfill,), after, within(Section.BACKFILL))[0]
    return sorted(found, key=lambda each: each.line), after


class _Lint:
    """Gathers what is found in files and folders."""

    def __init__(self, postgres: tuple[int, ...], stdin: Iterable[str]) -> None:
        self._postgres = postgres
        self._supported = _versions(Settings(), postgres)
        self._stdin = stdin
        self._schema = Schema()
        self._files = 0
        self._versions: set[int] = set()
        self._statements: list[LintedStatement] = []
        self._others: list[Finding] = []
        self._folders: dict[Path, Migrations] = {}

    def report(self) -> Report:
        versions = self._versions or self._supported
        return Report(
            files=self._files,
            versions=tuple(sorted(versions)),
            statements=tuple(self._statements),
            others=tuple(self._others),
        )

    def add(self, path: Path | str) -> None:
        if str(path) == STDIN:
            self._add_read(Path(STDIN), _read_text(STDIN, "".join(self._stdin)))
            return
        path = Path(path)
        if not path.is_dir():
            self._add_files([path])
        elif (path / SETTINGS).is_file():
            self._add_folder(path)
        else:
            self._add_files(_files_of(path))

    def _add_folder(self, folder: Path) -> None:
        try:
            self._take(lint_migrations(Migrations.load(folder), postgres=self._postgres))
        except MigrationError as error:
            migrations = {path for path in folder.glob("*.sql") if path.name[0].isdigit()}
            mistaken = {Path(each.file) for each in error.mistakes if each.file.endswith(".sql")}
            self._add_mistakes(error, len(migrations | mistaken), folder)

    def _add_files(self, paths: Sequence[Path]) -> None:
        for path, found in read_sources((path, _text_of(path)) for path in paths):
            self._add_read(path, _unreadable(str(path), found) if isinstance(found, SqlError) else found)

    def _add_read(self, path: Path, found: Source | Finding | None) -> None:
        if found is None:
            self._add_migration(path)
            return
        self._files += 1
        if isinstance(found, Source) or found.rule == _UNREADABLE.id:
            self._versions.update(self._supported)
        if isinstance(found, Finding):
            self._others.append(found)
            return
        schema = self._schema.afresh()
        around = Around(file=found.name, versions=self._supported, original=schema, tool=found.tool)
        statements, self._schema = judge(found.statements, schema, around, found.begins)
        self._statements += statements

    def _add_migration(self, path: Path) -> None:
        try:
            folder = self._folder(path)
            migration = next(each for each in folder.ordered if each.path.name == path.name)
            self._take(lint_migration(folder, migration, postgres=self._postgres))
        except MigrationError as error:
            own = [each for each in error.mistakes if Path(each.file) == path]
            self._add_mistakes(MigrationError(own or error.mistakes), 1, path.parent)

    def _folder(self, path: Path) -> Migrations:
        """Return the folder of a migration; one without settings is taken for no more than the file."""
        folder = path.parent
        if not (folder / SETTINGS).is_file():
            return Migrations(folder=folder, settings=Settings(), ordered=read_migrations([path]))
        if folder not in self._folders:
            self._folders[folder] = Migrations.load(folder)
        return self._folders[folder]

    def _add_mistakes(self, error: MigrationError, files: int, folder: Path) -> None:
        self._files += files
        # Where the mistake is one of the settings, they do not say for which versions.
        with suppress(MigrationError):
            self._versions.update(_versions(read_settings(folder), self._postgres))
        self._others += map(_mistaken, error.mistakes)

    def _take(self, report: Report) -> None:
        self._files += report.files
        self._versions.update(report.versions)
        self._statements += report.statements
        self._others += report.others


def _files_of(folder: Path) -> list[Path]:
    """Return the files of SQL in a folder and those below it, in the order of their names."""
    found = [Path(at, name) for at, _, names in os.walk(folder) for name in names if name.endswith(".sql")]
    return sorted(found, key=lambda each: each.parts)


def _text_of(path: Path) -> str | Finding | None:
    """Return what a file holds; None if it is a migration of ours."""
    try:
        with path.open("rb", buffering=0) as file:
            text = file.read().decode()
    except UnicodeDecodeError:
        return _mistaken(Mistake(str(path), 0, _ENCODING))
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if is_migration(text):
        return None
    return _empty(str(path)) if not text or text.isspace() else text


def _empty(name: str) -> Finding:
    """Return that a file is empty, which is what a command leaves that fails before it prints anything."""
    return _unreadable(name, SqlError(1, "has no statement; did the command before it fail?"))


def _read_text(name: str, text: str) -> Source | Finding:
    """Read the text of the standard input."""
    if not text or text.isspace():
        return _empty(name)
    try:
        return read_source(name, text)
    except UnicodeEncodeError:  # the standard input is decoded with a surrogate for what is not UTF-8
        return _mistaken(Mistake(name, 0, _ENCODING))
    except SqlError as error:
        return _unreadable(name, error)


def _unreadable(file: str, error: SqlError) -> Finding:
    return Finding(
        rule=_UNREADABLE.id,
        severity=_UNREADABLE.severity,
        file=file,
        line=error.line,
        text=f"cannot be read: {error.problem}",
    )


def _mistaken(mistake: Mistake) -> Finding:
    return Finding(
        rule=_MISTAKE.id, severity=_MISTAKE.severity, file=mistake.file, line=mistake.line, text=mistake.text
    )

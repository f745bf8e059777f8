"""One migration: a file of plain SQL with a header and named sections.

::

    -- /// migration
    -- id = "0007_job_source"
    -- ...
    -- ///

    -- name: up
    alter table job add column source text;

    -- name: down
    alter table job drop column source;

    -- name: backfill
    update job set source = 'form' where id between $1 and $2 and source is null;

    -- name: verify
    -- every job has a source
    -- returns: 0
    select count(*) from job where source is null;
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from jobarium_events.migrations.files.bounds import is_bounded
from jobarium_events.migrations.files.header import Header, HeaderError, header_lines, read_header
from jobarium_events.migrations.files.parsing import SqlError, Statement, parameters, parse
from jobarium_events.migrations.files.quoting import left_open
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.refusals import MigrationError, Mistake

__all__ = ["Check", "Migration", "Section", "When", "parse_migration", "read_migration", "read_migrations"]

_NAME = re.compile(r"\s*--\s*(name)\s*:\s*(.*?)\s*", re.IGNORECASE)
_SAID = re.compile(r"(returns|when):\s*(.*)")
_NOTHING = "nothing"
_ID = re.compile(r"[0-9]{4,}_[a-z0-9]+(?:_[a-z0-9]+)*")
_MOVES = ("delete_stmt", "insert_stmt", "merge_stmt", "update_stmt")


class Section(StrEnum):
    """The sections of a file."""

    UP = "up"
    """What it does."""
    DOWN = "down"
    """The way back."""
    BACKFILL = "backfill"
    """The statement that moves the data of one range of keys."""
    VERIFY = "verify"
    """Queries, with what they must return."""


class When(StrEnum):
    """When a query of ``verify`` has to return what it says."""

    BEFORE = "before"
    """Before ``up``: what the migration takes for granted."""
    AFTER = "after"
    """After ``up`` and its backfill."""
    ALWAYS = "always"
    """Both, and after ``down`` as well."""


class Check(msgspec.Struct, frozen=True):
    """One query of the section ``verify``.

    Attributes:
        name: What it shows: the comment above it, or its place if there is none.
        query: The statement.
        returns: The rows that it must return, each a tuple of values.
        when: When it has to.
    """

    name: str
    query: Statement
    returns: tuple[tuple[Any, ...], ...]
    when: When = When.AFTER


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """A migration as it was read.

    Attributes:
        path: Path of its file.
        header: What it says of itself.
        hash: SHA-256 of the whole file, whose lines end with a line feed each; what is approved, rehearsed and run.
        up: What it does.
        down: The way back.
        backfill: The statement that moves the data of one range of keys; None if there is no backfill.
        checks: What ``verify`` asks.
    """

    path: Path
    header: Header
    hash: str
    up: tuple[Statement, ...]
    down: tuple[Statement, ...]
    backfill: Statement | None
    checks: tuple[Check, ...]

    @property
    def id(self) -> str:
        """Its id, which is its file's name without the ending."""
        return self.header.id

    @property
    def number(self) -> int:
        """Its place among the others, which is what its id begins with."""
        return int(self.id.partition("_")[0])

    def checks_at(self, when: When) -> tuple[Check, ...]:
        """Return what has to hold before ``up``, or after it."""
        return tuple(check for check in self.checks if check.when in (when, When.ALWAYS))


def read_migration(path: Path) -> Migration:
    """Read a file.

    Raises:
        MigrationError: With every mistake in it.
    """
    return read_migrations([path])[0]


def read_migrations(paths: Iterable[Path]) -> tuple[Migration, ...]:
    """Read some files, in their order.

    Raises:
        MigrationError: With every mistake in all of them.
    """
    readers = [_Reader(path, path.read_bytes()) for path in paths]
    found = [reader.read() for reader in readers]
    mistakes = [mistake for reader in readers for mistake in reader.mistakes]
    if mistakes:
        raise MigrationError(mistakes)
    return tuple(migration for migration in found if migration is not None)


def parse_migration(path: Path, content: bytes) -> Migration:
    """Read what a file has, or would have.

    Raises:
        MigrationError: With every mistake in it.
    """
    reader = _Reader(path, content)
    found = reader.read()
    if found is None:
        raise MigrationError(reader.mistakes)
    return found


class _Reader:
    """Reads one file, and gathers its mistakes."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path = path
        self._content = content
        self.mistakes: list[Mistake] = []

    def read(self) -> Migration | None:
        """Return the migration; None if there is a mistake."""
        try:
            text = self._content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = self._content.count(b"\n", 0, error.start) + 1
            self._mistake(line, "is not encoded in UTF-8; save it so")
            return None
        try:
            header, first = read_header(text)
        except HeaderError as error:
            for line, problem in error.mistakes:
                self._mistake(line, problem)
            header, first = None, _after_header(text)
        parts = {section: self._parsed(part) for section, part in self._parts(text, first).items()}
        checks = tuple(self._checks(parts.get(Section.VERIFY, ())))
        backfill = self._backfill(parts.get(Section.BACKFILL, ()))
        for section in (Section.UP, Section.DOWN):
            self._steps(parts.get(section, ()))
        if header is None or self.mistakes:
            return None
        migration = Migration(
            path=self._path,
            header=header,
            hash=sha256(text.encode()).hexdigest(),
            up=parts.get(Section.UP, ()),
            down=parts.get(Section.DOWN, ()),
            backfill=backfill,
            checks=checks,
        )
        lacking = list(_lacking(migration))
        lines = header_lines(text) if lacking else {}
        for key, problem in lacking:
            self._mistake(lines.get(key, 1), problem)
        return None if lacking else migration

    def _mistake(self, line: int, text: str) -> None:
        self.mistakes.append(Mistake(str(self._path), line, text))

    def _parts(self, text: str, first: int) -> dict[Section, tuple[int, str]]:
        """Return each section's text, and on which line it begins."""
        known = ", ".join(Section)
        parts: dict[Section, tuple[int, str]] = {}
        name: str | None = None
        lines: list[str] = []
        begin = first

        def end() -> None:
            body = "\n".join(lines)
            if name is None:
                self._before_sections(begin, body)
            elif name not in list(Section):
                self._mistake(begin - 1, f"has a section {name!r}, which means nothing; there are {known}")
            elif name in parts:
                self._mistake(begin - 1, f"has the section {name} twice; put the two together")
            else:
                parts[Section(name)] = (begin, body)

        tag = ""
        for number, line in enumerate(text.split("\n")[first - 1 :], first):
            found = _section_named(line) if not tag else None
            tag = left_open(line, tag) if "$" in line else tag
            if found is None:
                lines.append(line)
                continue
            end()
            name, lines, begin = found, [], number + 1
        end()
        return parts

    def _before_sections(self, line: int, text: str) -> None:
        try:
            found = parse(text, line=line)
        except SqlError as error:
            line = error.line
        else:
            if not found:
                return
            line = found[0].line
        known = ", ".join(Section)
        self._mistake(line, f"has SQL before its first section; write `-- name: up` above it ({known})")

    def _steps(self, statements: tuple[Statement, ...]) -> None:
        try:
            steps(statements)
        except SqlError as error:
            self._mistake(error.line, error.problem)
        for statement in statements:
            self._no_parameters(statement)

    def _no_parameters(self, statement: Statement) -> None:
        for number in sorted(parameters(statement)):
            self._mistake(statement.line, f"has a parameter ${number}; only the section backfill is run with values")

    def _parsed(self, part: tuple[int, str]) -> tuple[Statement, ...]:
        line, text = part
        try:
            return parse(text, line=line)
        except SqlError as error:
            self._mistake(error.line, error.problem)
            return ()

    def _backfill(self, statements: tuple[Statement, ...]) -> Statement | None:
        for more in statements[1:]:
            self._mistake(more.line, "is a second statement in the section backfill, which has one; see `with ... as`")
        for statement in statements[:1]:
            if statement.kind not in _MOVES:
                problem = "moves no data; the section backfill is an update, an insert, a delete or a merge"
                self._mistake(statement.line, problem)
        return statements[0] if statements else None

    def _checks(self, statements: tuple[Statement, ...]) -> Iterator[Check]:
        for place, statement in enumerate(statements, 1):
            if statement.kind != "select_stmt":
                self._mistake(statement.line, "is no query; the section verify only reads")
                continue
            self._no_parameters(statement)
            said: dict[str, str] = {}
            words: list[str] = []
            for comment in statement.comments:
                if match := _SAID.fullmatch(comment):
                    if match[1] in said:
                        self._mistake(statement.line, f"says `-- {match[1]}:` twice above it")
                    said[match[1]] = match[2]
                elif comment:
                    words.append(comment)
            name = " ".join(words) or f"query {place}"
            rows = self._rows(statement, said.get("returns"))
            when = said.get("when", When.AFTER)
            if when not in list(When):
                self._mistake(statement.line, f"says `-- when: {when}` above it; there are {', '.join(When)}")
            elif rows is not None:
                yield Check(name, statement, rows, When(when))

    def _rows(self, statement: Statement, said: str | None) -> tuple[tuple[Any, ...], ...] | None:
        how = 'write `-- returns: 0` above it, or for rows `-- returns: [["a", 1], ["b", 2]]`, or `-- returns: nothing`'
        if said is None:
            self._mistake(statement.line, f"does not say what it must return; {how}")
            return None
        if said == _NOTHING:
            return ()
        try:
            value = tomllib.loads(f"returns = {said}")["returns"]
        except tomllib.TOMLDecodeError:
            value = {}
        if isinstance(value, dict):
            self._mistake(statement.line, f"says `-- returns: {said}` above it, which is no value; {how}")
            return None
        if not isinstance(value, list):
            return ((value,),)
        if not all(isinstance(row, list) for row in value):
            self._mistake(statement.line, f"says `-- returns: {said}` above it, which is no list of rows; {how}")
            return None
        return tuple(map(tuple, value))


def _after_header(text: str) -> int:
    """Return where to look for sections in a file whose header cannot be read."""
    lines = text.split("\n")
    return next((number for number, line in enumerate(lines, 1) if _section_named(line)), len(lines) + 1)


def _section_named(line: str) -> str | None:
    """Return the name of the section that begins with a line, even if there is none of that name; None if none does.

    A comment of pg_dump, ``-- Name: job; Type: TABLE``, begins none; a section that is written a little wrong would
    else go on with the one before.
    """
    match = _NAME.fullmatch(line)
    if match is None:
        return None
    name = match[2].lower()
    return name if name in list(Section) else match[2] if match[1] == "name" else None


def _lacking(migration: Migration) -> Iterator[tuple[str, str]]:
    """Yield what does not fit together between a header and its sections, each with the key of the header."""
    header = migration.header
    if header.id != migration.path.stem:
        yield "id", f"has the id {header.id!r} and is named {migration.path.name}; both have to be the same"
    elif not _ID.fullmatch(header.id):
        yield (
            "id",
            f'has the id {header.id!r}; write a number of four digits or more and words, as in "0007_job_source"',
        )
    if not migration.up and migration.backfill is None:
        yield "", "does nothing: it has neither a section up nor a section backfill"
    if migration.up and not migration.down and header.containment is None:
        yield "", "has no way back: write a section down, or say why there is none in the header's 'containment'"
    if not migration.checks:
        yield "", "verifies nothing: write a section verify, with a query and what it must return"
    if migration.backfill is not None and header.backfill is None:
        yield "", "has a section backfill, and its header no [backfill] with the table and the key to go through"
    if migration.backfill is None and header.backfill is not None:
        yield "backfill", "has [backfill] in its header, and no section backfill"
    if migration.backfill is not None and header.backfill is not None:
        yield from _wrong_range(migration.backfill, header.backfill.key)


def _wrong_range(backfill: Statement, key: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not key:
        yield "backfill.key", "has a [backfill] with no key; name the columns of one that is unique"
    elif not is_bounded(backfill, key):
        first, last = (", ".join(f"${at + place}" for at, _ in enumerate(key)) for place in (1, 1 + len(key)))
        shown = [each if len(key) == 1 else f"({each})" for each in (", ".join(key), first, last)]
        meant = "write `{} between {} and {}` into its condition, both ends included and not below `or`".format(*shown)
        yield "backfill.key", f"has a section backfill that does not go through its key: {meant}"

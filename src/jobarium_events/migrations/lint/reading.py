"""SQL that others have written: files by hand, and what Alembic and Django print.

Alembic prints with ``alembic upgrade --sql``, Django with ``manage.py sqlmigrate``. Both are plain SQL for psql; what
they keep for themselves, such as Alembic's table of versions, is left out.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from jobarium_events.migrations.files.parsing import SqlError, Statement, Together, parse
from jobarium_events.migrations.lint.walking import tables_of

__all__ = ["STDIN", "Source", "Tool", "is_migration", "read_source", "read_sources"]

STDIN = "-"
"""What stands for the standard input, where a file's name is asked for."""

_HEADER = re.compile(r"\s*-- /// migration\s*$", re.MULTILINE)
_REVISION = re.compile(r"Running (?:upgrade|downgrade) \S* ?-> ?\S*")
_DJANGO = re.compile(r"^BEGIN;\n--\n-- .+\n--$", re.MULTILINE)
_OWN_TABLES = {"alembic_version", "django_migrations"}
_AT_ONCE = 20  # files that the parser takes apart by one call
_AHEAD = 4  # such calls before the one whose files are judged
_COMMAND = re.compile(r"^\\[a-z!?]+.*$", re.MULTILINE)

T = TypeVar("T")


class Tool(StrEnum):
    """What wrote a file."""

    ALEMBIC = "alembic"
    DJANGO = "django"
    NONE = ""
    """Somebody, by hand."""


class Source(msgspec.Struct, frozen=True):
    """A file as it was read.

    Attributes:
        name: Its path as it was given, ``-`` for the standard input.
        tool: What wrote it.
        statements: Its statements.
        begins: The places of the statements with which another migration begins, in a file with several of them.
    """

    name: str
    tool: Tool
    statements: tuple[Statement, ...]
    begins: frozenset[int] = frozenset()


def is_migration(text: str) -> bool:
    """Whether a text is a migration with a header of ours."""
    return _HEADER.match(text) is not None


def read_source(name: str | Path, text: str) -> Source:
    """Read SQL that is no migration of ours.

    Args:
        name: By which the file is known.
        text: What it holds; lines that are commands of psql are passed over.

    Raises:
        SqlError: If it cannot be read.
    """
    text = _without_commands(text)
    return _source(name, text, parse(text))


def read_sources(texts: Iterable[tuple[Path, str | T]]) -> Iterator[tuple[Path, Source | SqlError | T]]:
    """Read SQL of many files, some ahead: the parser takes the next ones apart in a thread of its own meanwhile.

    Args:
        texts: Each file with what it holds, or with something else, which stays as it is.

    Yields:
        Each with what it was read as, or with why it cannot be.
    """
    with ThreadPoolExecutor(1, "parser") as parser:
        ahead: deque[tuple[list[tuple[Path, str | T]], Together, Future[None]]] = deque()
        for some in _batched(
            (path, _without_commands(each) if isinstance(each, str) else each) for path, each in texts
        ):
            together = Together([found for _, found in some if isinstance(found, str)])
            ahead.append((some, together, parser.submit(together.parse)))
            if len(ahead) > _AHEAD:
                yield from _read(*ahead.popleft())
        while ahead:
            yield from _read(*ahead.popleft())


def _read(
    some: list[tuple[Path, str | T]], together: Together, parsed: Future[None]
) -> Iterator[tuple[Path, Source | SqlError | T]]:
    parsed.result()
    statements = together.statements()
    taken = None if statements is None else iter(statements)
    for path, found in some:
        if not isinstance(found, str):
            yield path, found
            continue
        try:
            yield path, _source(path, found, parse(found) if taken is None else next(taken))
        except SqlError as error:
            yield path, error


def _batched(texts: Iterable[T]) -> Iterator[list[T]]:
    """Yield some at a time, in their order."""
    every = iter(texts)
    while some := list(islice(every, _AT_ONCE)):
        yield some


def _without_commands(text: str) -> str:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return _COMMAND.sub("", text) if "\\" in text else text


def _source(name: str | Path, text: str, found: tuple[Statement, ...]) -> Source:
    tool = _tool(text, found)
    if tool is not Tool.ALEMBIC:
        return Source(str(name), tool, found)
    kept = tuple(_without_own(found))
    begins = frozenset(place for place, each in enumerate(kept) if _is_revision(each))
    return Source(str(name), tool, kept, begins)


def _tool(text: str, statements: tuple[Statement, ...]) -> Tool:
    if "alembic_version" in text or ("Running " in text and any(map(_is_revision, statements))):
        return Tool.ALEMBIC
    return Tool.DJANGO if "BEGIN;" in text and _DJANGO.search(text) else Tool.NONE


def _is_revision(statement: Statement) -> bool:
    """Whether a migration begins with a statement, by the comment that Alembic prints above it."""
    return any(map(_REVISION.match, statement.comments))


def _without_own(statements: tuple[Statement, ...]) -> Iterator[Statement]:
    """Yield what is not about Alembic's own table; a comment above that belongs to what comes next."""
    comments: tuple[str, ...] = ()
    for each in statements:
        if "alembic_version" in each.text and set(tables_of(each.node)) <= _OWN_TABLES and tables_of(each.node):
            comments += each.comments
            continue
        yield msgspec.structs.replace(each, comments=comments + each.comments) if comments else each
        comments = ()

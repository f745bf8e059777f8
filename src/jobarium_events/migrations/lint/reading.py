"""SQL that others have written: files by hand, and what Alembic and Django print.

Alembic prints with ``alembic upgrade --sql``, Django with ``manage.py sqlmigrate``. Both are plain SQL for psql; what
they keep for themselves, such as Alembic's table of versions, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from jobarium_events.migrations.files.parsing import Statement, parse
from jobarium_events.migrations.lint.walking import tables_of

__all__ = ["STDIN", "Source", "Tool", "is_migration", "read_source"]

STDIN = "-"
"""What stands for the standard input, where a file's name is asked for."""

_HEADER = re.compile(r"\s*-- /// migration\s*$", re.MULTILINE)
_REVISION = re.compile(r"Running (?:upgrade|downgrade) \S* ?-> ?\S*")
_DJANGO = re.compile(r"^BEGIN;\n--\n-- .+\n--$", re.MULTILINE)
_OWN_TABLES = {"alembic_version", "django_migrations"}
_COMMAND = re.compile(r"^\\[a-z!?]+.*$", re.MULTILINE)


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
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if "\\" in text:
        text = _COMMAND.sub("", text)
    found = parse(text)
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

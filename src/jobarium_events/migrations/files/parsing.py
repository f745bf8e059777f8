"""SQL taken apart by Postgres' own parser: each statement with its tree, its line and the comments above it.

The one module that knows which library has the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from jobarium_events.extras import extra

with extra("migrations"):
    from google.protobuf.message import DecodeError
    from postgast import PgQueryError
    from postgast import deparse as pg_deparse
    from postgast import parse as pg_parse
    from postgast import scan as pg_scan
    from postgast import split as pg_split

__all__ = [
    "SqlError",
    "Statement",
    "enum_name",
    "expression",
    "is_reserved",
    "parameters",
    "parse",
    "written",
]

_SPACE = re.compile(rb"\s+")
_NO_COMMENT = re.compile(rb"[\s;]*(?![\s;/-])")
_LINE_COMMENT = re.compile(rb"--([^\n]*)")
_BLOCK = re.compile(rb"/\*|\*/")
_PARAMETER = re.compile(r"\$[0-9]")
_BETWEEN = "\n;\n"
_DEEP = "nests too deeply to be read: split a long chain of operators up, or put its parts in `case` or `concat`"


class SqlError(ValueError):
    """SQL that Postgres could not read.

    Attributes:
        line: Counted from 1.
        problem: What the parser says.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(line, problem)
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}"


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One statement.

    Attributes:
        text: As it was written, from its first word on, without the semicolon.
        line: Of its first word, counted from 1.
        kind: The parser's name for it, such as ``"alter_table_stmt"``.
        node: Its tree, a message of libpg_query: an ``AlterTableStmt``, and so on.
        comments: The lines of ``--`` above it, and the one behind its semicolon, without the hyphens.
    """

    text: str
    line: int
    kind: str
    node: Any
    comments: tuple[str, ...] = ()


def parse(text: str, *, line: int = 1) -> tuple[Statement, ...]:
    """Take SQL apart.

    Args:
        text: Any number of statements, of the syntax of Postgres 18; ``$1`` and so on may stand for values.
        line: On which line of its file the text begins.

    Raises:
        SqlError: If it cannot be read.
    """
    nul = text.find("\0")
    if nul >= 0:  # where the parser, written in C, would end
        raise SqlError(line + text.count("\n", 0, nul), "has a NUL byte; Postgres reads none")
    raw = text.encode()
    try:
        tree = pg_parse(text)
    except PgQueryError as error:
        at = max(error.cursorpos - 1, 0)  # in characters
        at = min(at, len(text.rstrip()))  # what is missing at the end is missing behind the last word
        raise SqlError(line + text.count("\n", 0, at), error.message) from None
    except DecodeError:
        raise SqlError(line + text.count("\n", 0, _deep(text)), _DEEP) from None
    return tuple(_statements(raw, tree.stmts, line))


class Together:
    """Several texts that are taken apart by one call of the parser, during most of which other threads run.

    Args:
        texts: Each as for `parse`; its lines are counted from 1.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._tree: Any = None

    def parse(self) -> None:
        """Parse them, in whatever thread."""
        joined = _BETWEEN.join(self._texts)
        if "\0" not in joined and "/*" not in joined:
            with suppress(PgQueryError, DecodeError):
                self._tree = pg_parse(joined)

    def statements(self) -> list[tuple[Statement, ...]] | None:
        """Return the statements of each text.

        None where that cannot be told from all of them together: one has a mistake, goes on into the next, or has a
        comment that may.
        """
        if self._tree is None:
            return None
        found = list(self._tree.stmts)
        raws = [text.encode() for text in self._texts]
        size = sum(map(len, raws)) + len(_BETWEEN) * (len(raws) - 1)
        taken: list[tuple[Statement, ...]] = []
        begin = place = 0
        for raw in raws:
            first, end = place, begin + len(raw)
            while place < len(found) and (at := found[place].stmt_location) <= end:
                # Its own `;`, or that between two texts, stands behind its end.
                if (at + found[place].stmt_len if found[place].stmt_len else size) > end + 1:
                    return None
                place += 1
            taken.append(tuple(_statements(raw, found[first:place], 1, begin)))
            begin = end + len(_BETWEEN)
        return taken


def parameters(statement: Statement) -> frozenset[int]:
    """Return which values a statement is run with: 1 for ``$1``, and so on."""
    if not _PARAMETER.search(statement.text):
        return frozenset()
    return frozenset(_parameters(statement.node))


def _parameters(node: Any) -> Iterator[int]:
    if node.DESCRIPTOR.name == "ParamRef":
        yield node.number
    for field, value in node.ListFields():
        if field.message_type is not None:
            for each in [value] if hasattr(value, "ListFields") else value:
                yield from _parameters(each)


def _deep(text: str) -> int:
    """Return where the statement begins that nests too deeply."""
    at = 0
    for each in pg_split(text):
        at = text.index(each, at)
        try:
            pg_parse(each)
        except DecodeError:
            return at
        at += len(each)
    return 0


def _statements(raw: bytes, found: Any, first: int, begins: int = 0) -> list[Statement]:
    """Return the statements that were found in a text, which begins at some byte of what was parsed."""
    statements: list[Statement] = []
    counted, last, line = 0, 0, first
    for each in found:
        comments: tuple[str, ...] = ()
        bare = _NO_COMMENT.match(raw, last)
        if bare is not None:
            begin = bare.end()
        else:
            begin, comments = _commented(statements, raw, last)
        length, node = each.stmt_len, each.stmt
        last = min(each.stmt_location + length - begins, len(raw)) if length else len(raw)
        line += raw.count(b"\n", counted, begin)
        counted = begin
        kind = node.WhichOneof("node")
        statements.append(Statement(raw[begin:last].decode().strip(), line, kind, getattr(node, kind), comments))
    if statements:
        _commented(statements, raw, last)
    return statements


def _commented(statements: list[Statement], raw: bytes, at: int) -> tuple[int, tuple[str, ...]]:
    """Give the last statement the comment behind it; return where the next one begins, and the comments above that."""
    begin, behind, comments = _past_comments(raw, at)
    if not statements:
        return begin, behind + comments
    if behind:
        last = statements[-1]
        statements[-1] = msgspec.structs.replace(last, comments=last.comments + behind)
    return begin, comments


def _past_comments(raw: bytes, at: int) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """Return where the next statement's first word is, and the comments on the way: on the same line, and below."""
    behind: list[str] = []
    comments: list[str] = []
    begin = at
    while True:
        if space := _SPACE.match(raw, at):
            at = space.end()
        elif comment := _LINE_COMMENT.match(raw, at):
            is_behind = b"\n" not in raw[begin:at]
            (behind if is_behind else comments).append(comment[1].decode().strip())
            at = comment.end()
        elif raw.startswith(b"/*", at):
            at = _past_block(raw, at)
        elif raw.startswith(b";", at):
            at += 1
        else:
            return at, tuple(behind), tuple(comments)


def _past_block(raw: bytes, at: int) -> int:
    depth = 0
    for mark in _BLOCK.finditer(raw, at):
        depth += 1 if mark[0] == b"/*" else -1
        if depth == 0:
            return mark.end()
    return len(raw)


def written(kind: str, node: Any) -> str:
    """Return the SQL of a tree, as one line without a semicolon.

    Args:
        kind: The parser's name for the statement, such as ``"alter_table_stmt"``.
        node: Its tree.
    """
    tree = pg_parse("")
    getattr(tree.stmts.add().stmt, kind).CopyFrom(node)
    sql: str = pg_deparse(tree)
    return sql


def is_reserved(word: str) -> bool:
    """Whether a word has to be in quotes to be a name."""
    token = pg_scan(word).tokens[0]
    kinds = token.DESCRIPTOR.fields_by_name["keyword_kind"].enum_type.values_by_name
    free = ("NO_KEYWORD", "UNRESERVED_KEYWORD")
    return all(token.keyword_kind != kinds[name].number for name in free)


def enum_name(message: Any, field: str) -> str:
    """Return the parser's name of a field that has one of a few values."""
    return _ENUMS[type(message), field][getattr(message, field)]


class _Enums(dict[tuple[Any, str], Mapping[int, str]]):
    """The names of the values of each field that was asked for; looked up for every part of every tree."""

    def __missing__(self, key: tuple[Any, str]) -> Mapping[int, str]:
        kind, field = key
        values = kind.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
        names = self[key] = {number: value.name for number, value in values.items()}
        return names


_ENUMS = _Enums()


def expression(node: Any) -> str:
    """Return the SQL of an expression, from its tree."""
    tree = pg_parse("select null")
    tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val.CopyFrom(node)
    sql: str = pg_deparse(tree)
    return sql[len("SELECT ") :]

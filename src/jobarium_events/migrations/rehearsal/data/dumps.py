"""Dumps restored into a scratch database, without their owners and privileges: its roles are none of theirs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from jobarium_events.extras import extra
from jobarium_events.migrations.files.parsing import SqlError, Statement, enum_name, parse
from jobarium_events.migrations.rehearsal.refusals import ELSEWHERE, DumpError, said

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

with extra("migrations"):
    import psycopg

__all__ = ["restore"]

_ARCHIVE = b"PGDMP"
_TAR = b"toc.dat\0"
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
_COPY = re.compile(rb"COPY .* FROM stdin;\s*", re.IGNORECASE)
_SKIPPED = (b"\\restrict", b"\\unrestrict")
_OWNERS = ("alter_default_privileges_stmt", "alter_owner_stmt", "grant_role_stmt", "grant_stmt")
_WITH_ROWS = ("copy_stmt", "delete_stmt", "do_stmt", "insert_stmt", "merge_stmt", "select_stmt", "update_stmt")
_QUOTED = re.compile(r'".*"', re.DOTALL)
_TOC = re.compile(r"from TOC entry \d+; \d+ \d+ (.+)")
_AT_ONCE = 2**20


def restore(url: str, dump: Path) -> None:
    """Restore a dump into a database.

    Args:
        url: The database.
        dump: A file of SQL as pg_dump prints it, or an archive in one of its other formats.

    Raises:
        DumpError: If it cannot be restored; what was restored by then stays.
    """
    try:
        begin = b"" if dump.is_dir() else _begin(dump)
    except OSError as error:
        raise DumpError(str(dump), 0, f"cannot be read: {error.strerror}") from None
    if dump.is_dir() or begin.startswith((_ARCHIVE, _TAR)):
        _restore_archive(url, dump)
    elif begin.startswith(_COMPRESSED):
        raise DumpError(str(dump), 0, "is compressed; decompress it first")
    else:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            _Reader(connection, dump).restore()


def _begin(dump: Path) -> bytes:
    with dump.open("rb") as file:
        return file.read(8)


def _restore_archive(url: str, dump: Path) -> None:
    program = shutil.which("pg_restore")
    if program is None:
        raise DumpError(str(dump), 0, "needs pg_restore, which is not found here; dump with --format=plain instead")
    parts = psycopg.conninfo.conninfo_to_dict(url)
    secret = {"PGPASSWORD": str(parts.pop("password"))} if "password" in parts else {}  # others see a command's words
    database = psycopg.conninfo.make_conninfo("", **parts)
    command = [program, "--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={database}", str(dump)]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ | secret)  # noqa: S603 - no shell
    if done.returncode:
        place = _TOC.search(done.stderr.decode(errors="replace"))
        at = f" at {place[1]}" if place else ""
        problem = f"pg_restore stopped{at}; run it by hand to see what it says, which may have values of rows in it"
        raise DumpError(str(dump), 0, problem)


class _Reader:
    """Runs a file of SQL, a piece after another: it may be larger than the memory."""

    def __init__(self, connection: psycopg.Connection[Any], dump: Path) -> None:
        self._connection = connection
        self._dump = dump
        self._line = 0

    def restore(self) -> None:
        with self._dump.open("rb") as file:
            lines = iter(file)
            pending: list[bytes] = []
            size, limit, begin = 0, _AT_ONCE, 1
            for line in lines:
                self._line += 1
                is_apart = line.startswith(b"\\") or _COPY.fullmatch(line) is not None
                if is_apart or (size > limit and line.rstrip().endswith(b";")):
                    whole = pending if is_apart else [*pending, line]
                    statements = self._whole(whole, begin)
                    if statements is None:  # it stands in the middle of a text
                        limit *= 2
                    else:
                        self._run(statements)
                        if is_apart:
                            self._run_apart(line, lines)
                        pending, size, limit, begin = [], 0, _AT_ONCE, self._line + 1
                        continue
                pending.append(line)
                size += len(line)
            self._run(self._parsed(pending, begin))

    def _whole(self, lines: list[bytes], begin: int) -> tuple[Statement, ...] | None:
        """Return the statements of some lines; None if the last one goes on."""
        try:
            return parse(self._decoded(lines, begin), line=begin)
        except SqlError:
            return None

    def _parsed(self, lines: list[bytes], begin: int) -> tuple[Statement, ...]:
        try:
            return parse(self._decoded(lines, begin), line=begin)
        except SqlError as error:
            raise DumpError(str(self._dump), error.line, "is no SQL that Postgres reads from here on") from None

    def _decoded(self, lines: list[bytes], begin: int) -> str:
        try:
            return b"".join(lines).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise DumpError(str(self._dump), begin, "is not encoded in UTF-8; dump with --encoding=UTF8") from None

    def _run(self, statements: tuple[Statement, ...]) -> None:
        for statement in statements:
            if statement.kind == "createdb_stmt":
                problem = "makes a database of its own; dump without --create"
                raise DumpError(str(self._dump), statement.line, problem)
            if not _is_of_owners(statement):
                self._execute(statement)

    def _execute(self, statement: Statement) -> None:
        try:
            self._connection.execute(statement.text.encode())
        except psycopg.errors.UndefinedObject as error:
            if statement.kind != "variable_set_stmt":  # a setting that only newer servers know
                raise DumpError(str(self._dump), statement.line, said(error)) from None
        except psycopg.Error as error:
            raise DumpError(str(self._dump), statement.line, _problem(statement, error)) from None

    def _run_apart(self, line: bytes, lines: Iterator[bytes]) -> None:
        if not line.startswith(b"\\"):
            self._copy(line, lines)
        elif not line.startswith(_SKIPPED):
            command = line.split()[0].decode(errors="replace")
            problem = f"has {command}, a command of psql; dump one database, without --create"
            raise DumpError(str(self._dump), self._line, problem)

    def _copy(self, line: bytes, lines: Iterator[bytes]) -> None:
        begin = self._line
        try:
            with self._connection.cursor() as cursor, cursor.copy(line) as copy:
                for row in lines:
                    self._line += 1
                    if row.rstrip(b"\r\n") == b"\\.":
                        break
                    copy.write(row)
                else:
                    raise DumpError(str(self._dump), begin, "has data without an end; the dump was cut off")
        except psycopg.Error as error:
            place = re.search(r"line (\d+)", error.diag.context or "")
            raise DumpError(str(self._dump), begin + (int(place[1]) if place else 0), said(error)) from None


def _problem(statement: Statement, error: psycopg.Error) -> str:
    """Return what is wrong with a statement; of one that has rows, nothing that Postgres quotes of it."""
    problem = said(error)
    if statement.kind == "create_extension_stmt":
        return f"{problem}; {ELSEWHERE}"
    return _QUOTED.sub("...", problem) if statement.kind in _WITH_ROWS else problem


def _is_of_owners(statement: Statement) -> bool:
    if statement.kind == "alter_table_stmt":
        return any(enum_name(each.alter_table_cmd, "subtype") == "AT_ChangeOwner" for each in statement.node.cmds)
    return statement.kind in _OWNERS

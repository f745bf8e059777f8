"""What goes wrong while a step runs, and what Postgres says of it, without any value of a row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jobarium_events.errors import JobariumEventsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    from jobarium_events.migrations.running.verifying import Verified

__all__ = ["NotVerified", "StepFailed", "said_by"]

_QUOTING = ("22", "P0", "HV", "38", "39")
"""Classes of SQLSTATE whose messages quote what was read: data exceptions, and what functions raise by themselves."""
_BY_OTHERS = re.compile(r"pl_|plpy|plperl|pltcl|plv8|connection\.c|dblink\.c|postgres_fdw\.c|regproc\.c")
"""Files of Postgres' source that pass on words of others: of a function's ``raise``, or of another server."""
_NOT_FOUND = ("3F000", "42704", "42883", "42P01")
_QUOTED = re.compile(r"[\"„“«»](.+?)[\"“”«»]")
_OF_A_LANGUAGE = "PL/"
"""What the context of an error has, in every language of messages, where a function of somebody's was at work."""

_HINTS = {
    "23505": "rows would have the same values of a unique key: find them by `group by` and `having count(*) > 1`, mend "
    "them, and apply again",
    "53100": "free some space on the server's disk, and apply again",
    "55P03": "something holds a lock on the table: see pg_locks for who does, end it or wait for it, and apply again",
    "57014": "if it needs that long, raise statement_timeout of the environment in migrations.toml",
}


class StepFailed(JobariumEventsError):
    """A statement that Postgres refused; what the step had done is undone, unless its end is not known.

    Attributes:
        line: Of the statement, in its file.
        problem: What Postgres says, without any value of a row.
        sqlstate: Postgres' code of it; None where the connection was lost, or where nothing was run.
        migration: Id of the migration, where it is known.
        is_unknown: Whether the connection was lost, so that nobody here knows whether the step was committed.
        way_out: What else can be done about it than to mend the cause and come again; empty for nothing.
    """

    def __init__(
        self,
        line: int,
        problem: str,
        sqlstate: str | None = None,
        *,
        migration: str | None = None,
        is_unknown: bool = False,
    ) -> None:
        self.line = line
        self.problem = problem
        self.sqlstate = sqlstate
        self.migration = migration
        self.is_unknown = is_unknown
        self.way_out = ""

    def __str__(self) -> str:
        where = f"{self.migration}, line {self.line}" if self.migration else f"line {self.line}"
        if self.is_unknown:
            end = "; whether the step was committed is not known here: the next run reads it from the record"
        else:
            end = f"; {_HINTS[self.sqlstate]}" if self.sqlstate in _HINTS else ""
            end += f"; {self.way_out}" if self.way_out else ""
        return f"{where}: {self.problem}{f' ({self.sqlstate})' if self.sqlstate else ''}{end}"


class NotVerified(JobariumEventsError):
    """Queries that did not return what they must.

    Attributes:
        migration: The id of the migration.
        moment: When they were asked: ``"before up"``, ``"after up"`` or ``"after down"``.
        checks: What came of those.
    """

    def __init__(self, migration: str, moment: str, checks: Iterable[Verified]) -> None:
        self.migration = migration
        self.moment = moment
        self.checks = tuple(checks)

    def __str__(self) -> str:
        lines = "".join(f"\n  - {check.name}: {check.problem}" for check in self.checks)
        return f"{self.migration} is not verified {self.moment}:{lines}"


def said_by(error: psycopg.Error, text: str = "") -> str:
    """Return what Postgres says, without any value of a row.

    Its words are shown where they are its own. A function may raise an error of whatever code, with a row in its words;
    and a name that is nowhere in the SQL may have been read from a row, as by ``status::regclass``.

    Args:
        error: What was raised.
        text: The SQL that was run, where it may name what Postgres looks up only when it runs.
    """
    primary = error.diag.message_primary
    if error.sqlstate is None or primary is None:
        return "the connection was lost"
    if error.diag.severity_nonlocalized in ("FATAL", "PANIC"):  # the server itself ends the session
        return f"the connection was lost: {primary}"
    if error.sqlstate.startswith(_QUOTING) or not _is_its_own(error) or _is_read(error, primary, text):
        return f"{_words(type(error).__name__)}; what Postgres says of it may quote a row, and is not shown"
    return primary


def _is_its_own(error: psycopg.Error) -> bool:
    """Whether the words of an error are those of Postgres itself."""
    file = error.diag.source_file
    return file is not None and not _BY_OTHERS.match(file) and _OF_A_LANGUAGE not in (error.diag.context or "")


def _is_read(error: psycopg.Error, words: str, text: str) -> bool:
    """Whether a message names what was looked up when the statement ran, and not by a name that stands in it."""
    if error.sqlstate not in _NOT_FOUND or error.diag.statement_position is not None:
        return False
    there = text.replace('"', "").lower()
    return any(name.lower() not in there for name in _QUOTED.findall(words))


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()

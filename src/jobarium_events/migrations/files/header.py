"""The header of a migration: who answers for it, what it does, and how to go back; TOML in the file's first comment.

::

    -- /// migration
    -- id = "0007_job_source"
    -- owner = "job-service"
    -- ...
    -- ///
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

from jobarium_events.catalog.toml import TomlError, read_toml
from jobarium_events.migrations.files.places import key_lines
from jobarium_events.migrations.files.spans import SPANS, Span
from jobarium_events.misfits import MISSING, UNKNOWN, Misfit, misfits

__all__ = ["BEGIN", "MEANINGS", "Backfill", "Category", "Header", "HeaderError", "Risk", "header_lines", "read_header"]

BEGIN = "-- /// migration"
"""A header's first line."""
_END = "-- ///"

Text = Annotated[str, msgspec.Meta(min_length=1, pattern=r"\S")]


class Category(StrEnum):
    """What a migration does to the schema."""

    EXPAND = "expand"
    """It only adds."""
    MIGRATE = "migrate"
    """It only moves data."""
    CONTRACT = "contract"
    """It only removes."""


class Risk(StrEnum):
    """How much may go wrong; a high one needs an approval, with its window."""

    LOW = "low"
    HIGH = "high"


class Backfill(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the section ``backfill`` goes through its table; ``[backfill]`` in the header.

    Attributes:
        table: The table whose keys are gone through, with its schema where the search path does not lead there.
        key: The columns of its key, which has to be unique.
        batch_rows: Rows of the first batch.
        batch_time: How long the statement of a batch is to take; the rows of the next follow from it.
        share: Which part of the time it may work; it rests for the others.
        max_lag: How far a replica may be behind before it waits.
    """

    table: Text
    key: tuple[Text, ...]
    batch_rows: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1_000
    batch_time: Span = Span(0.01)
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    max_lag: Span = Span(10.0)


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a migration says of itself.

    Attributes:
        id: The file's name without its ending: ``"0007_job_source"``.
        owner: The service or the person who answers for it.
        category: What it does.
        release: The release that it comes with.
        estimated_runtime: How long ``up``, with its backfill, is expected to take.
        rollback_plan: How to go back, or how to contain what it does, for whoever has to.
        risk: How much may go wrong.
        depends_on: Ids of the migrations that have to be done before.
        feature_flag: The flag that turns on what depends on it.
        decision: Id of the decision that allows it.
        containment: Why there is no way back, and what limits the harm; instead of a section ``down``.
        alerts: The thresholds of errors at which somebody is called, each as a text.
        out_of_use: For what it removes, since which release no code uses it: ``{"job.status" = "2026.10"}``, with a
            table's name or a table's and a column's.
        completes: Ids of the migrations whose backfill has to be complete before.
        backfill: How its backfill goes on, if it has one.
    """

    id: Text
    owner: Text
    category: Category
    release: Text
    estimated_runtime: Span
    rollback_plan: Text
    risk: Risk
    depends_on: tuple[Text, ...] = ()
    feature_flag: Text | None = None
    decision: Annotated[str, msgspec.Meta(pattern=r"^DEC-[0-9]{4,}$")] | None = None
    containment: Text | None = None
    alerts: tuple[Text, ...] = ()
    out_of_use: Mapping[Text, Text] = {}
    completes: tuple[Text, ...] = ()
    backfill: Backfill | None = None


class HeaderError(ValueError):
    """A header with mistakes.

    Attributes:
        mistakes: Pairs of a line, counted from 1, and what is wrong there.
    """

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        super().__init__(mistakes)
        self.mistakes = mistakes


def read_header(text: str) -> tuple[Header, int]:
    """Read the header at the beginning of a file.

    Returns:
        The header, and on which line the file goes on after it.

    Raises:
        HeaderError: With every mistake.
    """
    toml, first = _found(text)
    return _converted(toml, first), first + toml.count("\n") + 2


def header_lines(text: str) -> Mapping[str, int]:
    """Return on which line of a file each key of its header is set, as far as it can be read."""
    try:
        toml, first = _found(text)
        return {key: first + line - 1 for key, line in key_lines(toml).items()}
    except HeaderError:
        return {}


def _found(text: str) -> tuple[str, int]:
    """Return the header's TOML, and on which line it begins."""
    lines = text.split("\n")
    begin = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[begin].rstrip() != BEGIN:
        problem = (
            f"has no header; it begins with a line `{BEGIN}` and ends with a line `{_END}`, and `db new` writes one"
        )
        raise HeaderError([(begin + 1, problem)])
    end = next((number for number in range(begin + 1, len(lines)) if lines[number].rstrip() == _END), None)
    if end is None:
        raise HeaderError([(begin + 1, f"has a header that does not end; close it with a line `{_END}`")])
    body = lines[begin + 1 : end]
    stray = [number for number, line in enumerate(body, begin + 2) if line.strip() and not line.startswith("--")]
    if stray:
        raise HeaderError([(line, "is in the header and no comment; begin it with `-- `") for line in stray])
    return "\n".join(line.removeprefix("--").removeprefix(" ") for line in body), begin + 2


def _converted(toml: str, first: int) -> Header:
    try:
        document = read_toml(toml)
    except TomlError as error:
        raise HeaderError([(first + error.line - 1, f"the header {error.problem}")]) from None
    try:
        return msgspec.convert(document, Header, dec_hook=Span.decoded)
    except msgspec.ValidationError:
        lines = key_lines(toml)
        found = misfits(document, Header, dec_hook=Span.decoded, words=SPANS)
        raise HeaderError(sorted((first - 1 + each.line(lines), _told(each)) for each in found)) from None


def _told(misfit: Misfit) -> str:
    """Return what is wrong with a key of the header; those of a table within it are told as they are anywhere."""
    key, *below = misfit.path
    if misfit.said == UNKNOWN and not below:
        return f"the header has a key {key!r} that means nothing; see `db new` for its keys"
    if key == "backfill" and below:
        return str(misfit)
    meaning = MEANINGS[str(key)]
    if misfit.said == MISSING:
        return f"the header lacks {key!r}: {meaning}"
    return f"{misfit.place} {misfit.said}; write {meaning}"


MEANINGS: Mapping[str, str] = {
    "id": 'the file\'s name without its ending, such as "0007_job_source"',
    "owner": 'the service or the person who answers for it, such as "job-service"',
    "category": f"one of {', '.join(Category)}",
    "release": 'the release that it comes with, such as "2026.12"',
    "estimated_runtime": 'a time such as "200ms", "30s", "15m" or "2h"',
    "rollback_plan": "how to go back, or how to contain what it does, in words",
    "risk": f"one of {', '.join(Risk)}",
    "depends_on": 'a list of ids, such as ["0006_job"]',
    "feature_flag": 'the name of the flag that turns on what depends on it, such as "job-source"',
    "decision": 'the id of an entry of the decision log, such as "DEC-0007"',
    "containment": "why there is no way back, and what limits the harm, in words",
    "alerts": 'a list of texts, such as ["more than 5 database errors a minute, for 5 minutes"]',
    "out_of_use": 'a table of what it removes and the release since which no code uses it: {"job.status" = "2026.10"}',
    "completes": 'a list of ids of migrations with a backfill, such as ["0007_job_source"]',
    "backfill": 'a table: table = "job", key = ["id"], and where they are to differ batch_rows = 1000, '
    'batch_time = "10ms", share = 0.5, max_lag = "10s"',
}
"""What each key of the header is, for messages and for pages."""

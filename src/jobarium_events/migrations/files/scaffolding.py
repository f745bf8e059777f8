"""Begins a migration: its file, with a header to fill in and sections to write, and the folder if there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations.files.header import BEGIN, MEANINGS, Category, Risk
from jobarium_events.migrations.files.settings import SETTINGS, read_settings

__all__ = ["Begun", "new_migration"]

_NUMBER = re.compile(r"([0-9]+).*\.sql")
_END = "-- ///"
_REQUIRED = ("id", "owner", "category", "release", "estimated_runtime", "rollback_plan", "risk")
_OPTIONAL: Mapping[str, str] = {
    "depends_on": '["0006_job"]',
    "completes": '["0006_job"]',
    "feature_flag": '"job-source"',
    "decision": '"DEC-0007"',
    "containment": '"..."',
    "alerts": '["more than 5 database errors a minute, for 5 minutes"]',
}
_ASKED: Mapping[Category, Mapping[str, str]] = {
    Category.EXPAND: {},
    Category.MIGRATE: {},
    Category.CONTRACT: {
        "decision": '""',
        "feature_flag": '""',
        "completes": '[""]',
        "out_of_use": '{"" = ""}',
    },
}
_BACKFILL = """
-- # How the section backfill goes through its table; the key has to be unique.
-- [backfill]
-- table = ""
-- key = [""]
-- # batch_rows = 1000      # rows of the first batch
-- # batch_time = "10ms"   # how long the statement of a batch is to take
-- # share = 0.5            # which part of the time it may work
-- # max_lag = "10s"        # how far a replica may be behind
"""
_SECTIONS: Mapping[Category, str] = {
    Category.EXPAND: """
-- name: up
-- It only adds: a column that may be null, a table, an index that is built concurrently. Such as:
--
-- alter table job add column source text;
--
-- create index concurrently job_source on job (source);

-- name: down
-- drop index concurrently job_source;
--
-- alter table job drop column source;

-- name: verify
-- What a query must return stands above it. Such as:
--
-- the column is there, and empty
-- returns: 0
-- select count(*) from job where source is not null;
""",
    Category.MIGRATE: """
-- name: backfill
-- It only moves data: one statement for the rows from the key $1 to the key $2, which does no harm if it is run twice.
-- Such as:
--
-- update job set source = 'form' where id between $1 and $2 and source is null;

-- name: verify
-- What a query must return stands above it. Such as:
--
-- every job has a source
-- returns: 0
-- select count(*) from job where source is null;
""",
    Category.CONTRACT: """
-- name: up
-- It only removes what no deployed code has used for two releases. Such as:
--
-- alter table job drop column origin;

-- name: down
-- What it removed comes back empty. If that is no way back, leave this section out and write 'containment'. Such as:
--
-- alter table job add column origin text;

-- name: verify
-- What a query must return stands above it. Such as:
--
-- what replaces it is complete
-- when: before
-- returns: 0
-- select count(*) from job where source is null and origin is not null;
--
-- the jobs are still there
-- returns: true
-- select exists (select from job);
""",
}
_SETTINGS = """\
# What holds for all migrations of this folder.

# The releases in order, the planned ones included. A folder of event schemas has them too, and the decision log:
# catalog = "../schemas"
releases = {releases}

# The schema before the first migration, if the database is older than this folder.
# baseline = "baseline.sql"

# The file of feature flags where no other provider is set.
# flags = "flags.toml"

# The oldest Postgres that the migrations run on.
# postgres = 15

# Who reviews each migration, and who approves those of high risk.
[roles]
cto = []
ceo = []

[environments.development]
gates = false

[environments.production]
# lock_timeout = "2s"
# statement_timeout = "1h"
# replicas = ["env:REPLICA_URL"]
"""


class Begun(msgspec.Struct, frozen=True):
    """A migration that has been begun.

    Attributes:
        id: Its id.
        path: Its file, which is to be filled in.
        settings: The settings of the folder, if they were written too.
    """

    id: str
    path: Path
    settings: Path | None


def new_migration(
    folder: Path | str,
    words: Sequence[str],
    *,
    category: Category,
    owner: str,
    risk: Risk | None = None,
    release: str | None = None,
) -> Begun:
    """Write the file of the next migration. No file is ever written over.

    What is left empty in it is refused by `Migrations.load` until it is filled in.

    Args:
        folder: Where migrations are; it is made if there is none, with its settings.
        words: What its id says after the number: ``["job", "source"]``.
        category: What it does.
        owner: Who answers for it.
        risk: How much may go wrong; to be filled in by default.
        release: The release that it comes with; the last one of the folder by default.

    Raises:
        DeclarationError: If the words make no id, or there is no such release.
        MigrationError: If there is a mistake in the settings of the folder.
        OSError: If a file cannot be written.
    """
    folder = Path(folder)
    name = "_".join(re.findall(r"[a-z0-9]+", " ".join(words).lower()))
    if not name or not " ".join(words).isascii():
        raise DeclarationError(
            f"a migration is named by words of the letters a to z and digits, not {' '.join(words)!r}"
        )
    if not owner.strip():
        raise DeclarationError("a migration has an owner: the service or the person who answers for it")
    settings = folder / SETTINGS
    is_new = not settings.exists()
    releases = read_settings(folder).releases if not is_new else (release,) if release else ()
    if release is not None and release not in releases:
        known = ", ".join(releases) or "none"
        raise DeclarationError(f"there is no release {release!r}; {SETTINGS}, or its catalog, has {known}")
    folder.mkdir(parents=True, exist_ok=True)
    if is_new:
        _write(settings, _SETTINGS.format(releases=json.dumps(releases, ensure_ascii=False)))
    id_ = f"{_next_number(folder):04}_{name}"
    given = {
        "id": id_,
        "owner": owner,
        "category": category.value,
        "release": release or (releases[-1] if releases else ""),
        "risk": "" if risk is None else risk.value,
    }
    path = folder / f"{id_}.sql"
    _write(path, "".join(_lines(category, given)) + _SECTIONS[category])
    return Begun(id_, path, settings if is_new else None)


def _next_number(folder: Path) -> int:
    numbers = (int(match[1]) for path in folder.iterdir() if (match := _NUMBER.fullmatch(path.name)))
    return max(numbers, default=0) + 1


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _lines(category: Category, given: Mapping[str, str]) -> Iterator[str]:
    """Yield the header; of each key it says what it means."""
    yield f"{BEGIN}\n"
    for key in _REQUIRED:
        yield f"-- # {MEANINGS[key]}\n-- {key} = {_toml(given.get(key, ''))}\n"
    for key, value in _ASKED[category].items():
        yield f"-- # {MEANINGS[key]}\n-- {key} = {value}\n"
    yield "--\n-- # What may be left out:\n"
    for key, value in _OPTIONAL.items():
        if key not in _ASKED[category]:
            yield f"-- # {MEANINGS[key]}\n-- # {key} = {value}\n"
    if category is Category.MIGRATE:
        yield _BACKFILL.replace("\n--", "--\n--", 1)
    yield f"{_END}\n"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

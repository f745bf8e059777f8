"""What the last rehearsal of a migration found, with its picture."""

from __future__ import annotations

import msgspec

from jobarium_events.annotations import printable
from jobarium_events.migrations import Migration, MigrationError, Migrations, Rehearsal, read_rehearsal
from jobarium_events.migrations.rehearsal.timeline import NARROW, WIDE, Timeline, timeline
from jobarium_events.migrations.rehearsal.wording import in_time, mode_words
from jobarium_events.site.migrations.wording import moment_said

__all__ = ["RehearsalShown", "Step", "rehearsal_shown"]


class Step(msgspec.Struct, frozen=True):
    """A step as it went in a rehearsal, in words."""

    line: int
    text: str
    time: str
    locks: tuple[str, ...]


class RehearsalShown(msgspec.Struct, frozen=True):
    """What the last rehearsal found.

    Attributes:
        found: The rehearsal.
        outdated: Why it says nothing of the file as it is now; empty if it does.
        wide: Its picture.
        narrow: The same for a phone.
        figures: The figures that matter most, each with what it is.
        steps: The steps in words.
    """

    found: Rehearsal
    outdated: str
    wide: Timeline
    narrow: Timeline
    figures: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


def rehearsal_shown(migrations: Migrations, migration: Migration) -> tuple[RehearsalShown | None, str]:
    """Return what the last rehearsal of a migration found, if there is one, or why that cannot be read."""
    try:
        found = read_rehearsal(migrations.folder, migration.id)
    except MigrationError as error:
        return None, error.mistakes[0].text
    if found is None:
        return None, ""
    outdated = ""
    if found.hash != migration.hash:
        outdated = "the file has changed since"
    elif dict(found.before) != {each.id: each.hash for each in migrations.before(migration)}:
        outdated = "the files before it are not as they were then"
    return _rehearsed(found, outdated), ""


def _rehearsed(found: Rehearsal, outdated: str) -> RehearsalShown:
    figures = (
        (in_time(found.seconds), f"runtime, estimated {in_time(found.estimated)}"),
        (in_time(found.longest_lock), "longest lock that blocks reads or writes"),
        (in_time(found.longest_wait), f"longest wait of a probe, of {len(found.blocked)}"),
        (moment_said(found.at), f"on Postgres {found.server_version}, with {sum(found.rows.values()):,} rows"),
    )
    steps = (
        Step(
            step.line,
            printable(step.text),
            in_time(step.seconds),
            tuple(f"{mode_words(lock.mode)} on {lock.table}, {in_time(lock.seconds)}" for lock in step.locks),
        )
        for step in found.steps
    )
    return RehearsalShown(found, outdated, timeline(found, WIDE), timeline(found, NARROW), figures, tuple(steps))

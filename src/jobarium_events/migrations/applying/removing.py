"""The gates of what takes something away: nobody reads it any more, which a flag shows; see `deciding` as well.

They hold whatever a migration calls itself, and whatever its file keeps lint from saying.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobarium_events.migrations.applying.outofuse import out_of_use
from jobarium_events.migrations.applying.situation import Gate, Situation
from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.lint.removals import removals, said_of

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["flag", "named", "unused"]


def named(_: Situation, migration: Migration) -> Iterator[Gate]:
    """Yield a closed gate for each statement that removes what it does not name."""
    for each in removals(migration.up).unclear:
        yield Gate("removal", passed=False, text=f"line {each.line} {each.text}")


def unused(situation: Situation, migration: Migration) -> Iterator[Gate]:
    """Yield a gate for all that goes: out of use for two releases, as deployed here."""
    releases = situation.migrations.settings.releases
    header = migration.header
    since = {str(each): said_of(header.out_of_use, each) for each in removals(migration.up).gone}
    if header.category is Category.CONTRACT:
        since = {**header.out_of_use, **since}
    for name, release in since.items():
        if release is None:
            text = f"{name} is removed, and the header's `out_of_use` does not say since which release no code uses it"
            yield Gate("out of use", passed=False, text=text)
            continue
        problem = out_of_use(situation.entries, releases, release)
        text = f"{name} is out of use since {release}"
        yield Gate("out of use", problem is None, f"{name}: {problem}" if problem else text)


def flag(situation: Situation, migration: Migration) -> Iterator[Gate]:
    """Yield the gate of the flag that says that the new path is on."""
    gone = removals(migration.up)
    if migration.header.category is not Category.CONTRACT and not gone.gone:
        return
    name = migration.header.feature_flag
    if name is None:
        if gone.gone:
            text = "it removes what code has read, and its header names no `feature_flag` that says the new path is on"
            yield Gate("flag", passed=False, text=text)
        return
    found = situation.flags[name]
    if found.value is None:
        yield Gate("flag", passed=False, text=found.problem)
    else:
        off = f"the flag {name!r} is off; what it guards may still read what is removed, so turn it on first"
        yield Gate("flag", found.value, f"the flag {name!r} is on" if found.value else off)

"""The gate of the rehearsal: green, of the file as it is, and with about as many rows as there are here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobarium_events.migrations.applying.situation import Gate, Situation
from jobarium_events.migrations.applying.touching import touched
from jobarium_events.migrations.refusals import MigrationError
from jobarium_events.migrations.rehearsal.report import Rehearsal, read_rehearsal

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["goes_back", "rehearsal_of", "rehearsed"]

_SHARE = 10  # a rehearsal with fewer rows than one of so many says little about locks and runtimes


def rehearsed(situation: Situation, migration: Migration) -> Iterator[Gate]:
    """Yield the gate."""
    how = f"`db rehearse {migration.id}`"
    try:
        found = read_rehearsal(situation.migrations.folder, migration.id)
    except MigrationError as error:
        yield Gate("rehearsal", passed=False, text=f"{error.mistakes[0]}; rehearse it anew: {how}")
        return
    if found is None:
        yield Gate("rehearsal", passed=False, text=f"not rehearsed: {how}")
    elif found.hash != migration.hash:
        yield Gate("rehearsal", passed=False, text=f"rehearsed before the file changed; rehearse it anew: {how}")
    elif other := _other_before(situation, migration, found):
        text = f"rehearsed on another schema, as {other}; rehearse it anew: {how}"
        yield Gate("rehearsal", passed=False, text=text)
    elif not found.green:
        first = f": {found.problems[0]}" if found.problems else ""
        yield Gate("rehearsal", passed=False, text=f"the rehearsal is not green{first}; mend it, and {how}")
    elif small := _small(situation, migration, found):
        yield Gate("rehearsal", passed=False, text=f"{small}; rehearse it with as many: {how}")
    else:
        at = found.at.isoformat(timespec="minutes")
        yield Gate(
            "rehearsal", passed=True, text=f"green on Postgres {found.server_version} at {at}{_other(situation, found)}"
        )


def rehearsal_of(situation: Situation, migration: Migration) -> Rehearsal | None:
    """Return the rehearsal of a migration's file as it is; None if there is none that can be read."""
    try:
        found = read_rehearsal(situation.migrations.folder, migration.id)
    except MigrationError:
        return None
    return found if found is not None and found.hash == migration.hash else None


def goes_back(situation: Situation, migration: Migration) -> bool:
    """Whether the rehearsal has gone the way back, and there again, and all was well."""
    found = rehearsal_of(situation, migration)
    return found is not None and found.green and found.back is not None and found.back.again is not None


def _other_before(situation: Situation, migration: Migration, found: Rehearsal) -> str:
    """Return which file before it is not as it was at the rehearsal; empty if each is."""
    now = {each.id: each.hash for each in situation.migrations.before(migration)}
    for id_ in sorted(now.keys() | found.before.keys()):
        if id_ not in now:
            return f"{id_} was there then, and is gone"
        if id_ not in found.before:
            return f"{id_} was not there yet"
        if now[id_] != found.before[id_]:
            return f"{id_} was changed since"
    return ""


def _small(situation: Situation, migration: Migration, found: Rehearsal) -> str:
    """Return of which table the rehearsal had far fewer rows than there are here; empty if of none."""
    rows = {table.replace('"', ""): count for table, count in found.rows.items()}
    for table in sorted(touched(migration)):
        for name in (table, situation.led.get(table, table)):
            here, there = situation.rows.get(name, 0), rows.get(name, rows.get(table, 0))
            if there * _SHARE < here:
                return f"rehearsed with {there:,} rows of {name}, and there are about {here:,} here"
    return ""


def _other(situation: Situation, found: Rehearsal) -> str:
    """Return what is to be known where the server is of another major version; the embedded one is the newest."""
    major = found.server_version.partition(".")[0]
    if situation.server is None or major == str(situation.server):
        return ""
    return f", and this is Postgres {situation.server}: locks and runtimes may differ"

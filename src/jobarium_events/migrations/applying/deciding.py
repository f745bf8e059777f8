"""The gate of the decision: what breaks code that runs, and what changes what a column means, is decided before.

It holds whatever a migration calls itself, and whatever its file keeps lint from saying.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobarium_events.migrations.applying.rehearsed import rehearsal_of
from jobarium_events.migrations.applying.situation import Gate, Situation
from jobarium_events.migrations.lint.removals import Removals, removals
from jobarium_events.migrations.lint.rules.meanings import CHANGED
from jobarium_events.migrations.rehearsal.probes import ProbeWhen

if TYPE_CHECKING:
    from jobarium_events.evolution.decision import Decision
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["decision", "undecided"]

_OLD = (ProbeWhen.OLD, ProbeWhen.BOTH)


def decision(situation: Situation, migration: Migration) -> Iterator[Gate]:
    """Yield the gate of the decision; none where a migration breaks nothing and names none."""
    id_ = migration.header.decision
    if id_ is None:
        if broken := "; ".join(_broken(situation, migration)):
            text = f"{broken}, and its header names no decision; write one, and name it there"
            yield Gate("decision", passed=False, text=text)
        return
    found = situation.migrations.decisions().get(id_)
    if found is None:
        yield Gate(
            "decision", passed=False, text=f"the decision log has no {id_}, or it has a mistake; see `decisions`"
        )
    elif not found.is_accepted:
        text = f"{id_} is {found.status}; it is needed as accepted, so decide it in {found.file}"
        yield Gate("decision", passed=False, text=text)
    elif unnamed := "; ".join(_unnamed(situation, migration, found)):
        yield Gate("decision", passed=False, text=f"{unnamed}; have one accepted with its table and column")
    else:
        yield Gate("decision", passed=True, text=f"{id_} is {found.status}")


def undecided(situation: Situation, migration: Migration) -> Gate:
    """Return what stands for the gate where there is nothing to decide: as far as that is shown."""
    is_shown = rehearsal_of(situation, migration) is not None
    how = "and none of the old code failed in its rehearsal" if is_shown else "as far as can be told before a rehearsal"
    return Gate("decision", passed=True, text=f"no statement of it breaks code that runs, {how}")


def _broken(situation: Situation, migration: Migration) -> Iterator[str]:
    """Yield what breaks code that runs, and what changes a meaning, each as a sentence."""
    if names := _names(removals(migration.up)):
        yield f"it removes {names}"
    said = (f"line {each.line} {each.text.partition(';')[0]}" for each in situation.breaks(migration))
    yield from dict.fromkeys(each.partition(", and no decision")[0] for each in said)
    for table, column in situation.meant(migration):
        yield f"it changes what {table}.{column} means, as the database has another comment there"
    found = rehearsal_of(situation, migration)
    for probe in () if found is None else found.probes:
        if probe.failed and probe.when in _OLD:
            yield f"in its rehearsal {probe.name!r} of the old code failed {probe.failed} of {probe.count} times"


def _unnamed(situation: Situation, migration: Migration, found: Decision) -> Iterator[str]:
    """Yield each column whose meaning changes, and that a decision does not name."""
    for each in situation.breaks(migration):
        if each.rule == CHANGED.id:
            yield f"line {each.line} {each.text.partition(';')[0]}"
    for table, column in situation.meant(migration):
        if not found.allows_column(table, column):
            text = f"it changes what {table}.{column} means, as the database has another comment there"
            yield f"{text}, and {found.id} does not name it"


def _names(gone: Removals) -> str:
    return ", ".join([*map(str, gone.gone), *(f"what line {each.line} does not name" for each in gone.unclear)])

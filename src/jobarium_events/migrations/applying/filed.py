"""The operational checklist as the files alone have it: what only the record of a database tells is not asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobarium_events.migrations.applying import checklists
from jobarium_events.migrations.applying.checklists import Item
from jobarium_events.migrations.applying.deciding import undecided
from jobarium_events.migrations.applying.flags import Flags
from jobarium_events.migrations.applying.gates import gates
from jobarium_events.migrations.applying.linting import Lints
from jobarium_events.migrations.applying.rehearsed import rehearsal_of
from jobarium_events.migrations.applying.situation import Situation
from jobarium_events.migrations.files.header import Risk
from jobarium_events.migrations.lint.removals import removals, said_of

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.situation import Gate
    from jobarium_events.migrations.files.folder import Migrations
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["filed_checklists"]

_RECORD = "only the record of a database tells"


def filed_checklists(migrations: Migrations) -> Mapping[str, tuple[Item, ...]]:
    """Return the checklist of each migration of a folder, by its id: from its file, lint, rehearsal and decisions.

    Raises:
        MigrationError: If there is a mistake in the decision log.
        OSError: If a file cannot be read.
    """
    lints = Lints(migrations)
    situation = Situation(
        migrations=migrations,
        entries=(),
        states={},
        now=datetime.min.replace(tzinfo=UTC),  # without an approval nothing is asked of the time
        flags=Flags(None),  # what a flag is differs from one environment to the next
        is_clean=lints.is_clean,
        breaks=lints.breaks,
    )
    return {each.id: tuple(_items(situation, each)) for each in migrations.ordered}


def _items(situation: Situation, migration: Migration) -> Iterator[Item]:
    asked = {gate.name: gate for gate in gates(situation, migration)}
    how = f"`db approve {migration.id} --role cto --by NAME` writes it there"
    yield _unasked(checklists.REVIEWED, f"{_RECORD}; {how}")
    yield _documented(migration, asked["rollback"])
    yield _item(checklists.ALERTS, asked["alerts"])
    yield _unasked(checklists.VERIFIED, f"{_RECORD}; applying it executes them")
    yield _decided(migration, asked.get("decision") or undecided(situation, migration))
    yield _rehearsed(situation, migration, asked["rehearsal"])
    yield _approved(migration)
    is_clean = asked["lint"].passed
    yield Item("Linted", is_clean, "no error is found" if is_clean else "an error is found; mend it")
    yield from _before(migration)
    yield from _removing(migration)


def _item(name: str, gate: Gate) -> Item:
    return Item(name, gate.passed, gate.text)


def _unasked(name: str, text: str) -> Item:
    return Item(name, done=False, text=text, asked=False)


def _documented(migration: Migration, gate: Gate) -> Item:
    # What is left then is an approval.
    if not gate.passed and f"`db approve {migration.id} --role ceo " in gate.text:
        text = f"no way back to rehearse, and whether its containment is approved, {_RECORD}"
        return _unasked(checklists.DOCUMENTED, text)
    return _item(checklists.DOCUMENTED, gate)


def _decided(migration: Migration, gate: Gate) -> Item:
    item = _item(checklists.DECIDED, gate)
    if gate.passed and any(each.kind == "comment_stmt" for each in migration.up):
        return Item(item.name, item.done, f"{item.text}; whether a database has other comments, only it tells")
    return item


def _rehearsed(situation: Situation, migration: Migration, gate: Gate) -> Item:
    found = rehearsal_of(situation, migration)
    if gate.passed and found is not None:
        rows = sum(found.rows.values())
        count = f"{rows:,} row{'' if rows == 1 else 's'}"
        text = f"{gate.text}, with {count}; whether a database has many more, only it tells"
        return Item(checklists.REHEARSED, done=True, text=text)
    return _item(checklists.REHEARSED, gate)


def _approved(migration: Migration) -> Item:
    if migration.header.risk is not Risk.HIGH:
        return Item(checklists.APPROVED, done=True, text="of low risk")
    how = f"`db approve {migration.id} --role ceo --by NAME --window FROM/TO` writes it there"
    return _unasked(checklists.APPROVED, f"of high risk, and {_RECORD}; {how}")


def _before(migration: Migration) -> Iterator[Item]:
    """Yield what has to be in a database before, and the backfill itself."""
    header = migration.header
    if header.depends_on:
        yield _unasked("What it depends on applied", f"{', '.join(header.depends_on)}: {_RECORD}")
    if header.completes:
        yield _unasked("Backfills that it needs complete", f"{', '.join(header.completes)}: {_RECORD}")
    if migration.backfill is not None:
        yield _unasked("Its own backfill complete", f"{_RECORD}: `db backfill status {migration.id}`")


def _removing(migration: Migration) -> Iterator[Item]:
    """Yield what is asked of what removes something, and the flag wherever there is one."""
    header = migration.header
    gone = removals(migration.up).gone
    unsaid = [str(each) for each in gone if said_of(header.out_of_use, each) is None]
    name = "What it removes out of use for two releases"
    if unsaid:
        text = f"the header's `out_of_use` does not say since which release no code uses {', '.join(unsaid)}"
        yield Item(name, done=False, text=text)
    elif header.out_of_use:
        since = ", ".join(f"{what} since {release}" for what, release in header.out_of_use.items())
        yield _unasked(name, f"{since}, as the header says; which releases were deployed after it, {_RECORD}")
    name = "Feature flag named"
    if header.feature_flag is not None:
        yield Item(name, done=True, text=f"{header.feature_flag}; whether it is on, only its provider tells")
    elif gone:
        text = "it removes what code has read; name in `feature_flag` what says that the new path is on"
        yield Item(name, done=False, text=text)

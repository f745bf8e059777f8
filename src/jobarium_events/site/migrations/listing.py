"""The pages themselves: the list of a folder, and one for each migration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations import Finding, Item, Migrations, Standing, lint_migrations
from jobarium_events.migrations.applying.filed import filed_checklists
from jobarium_events.migrations.files.header import Header
from jobarium_events.site.migrations.asking import Database, asked
from jobarium_events.site.migrations.rehearsals import RehearsalShown, rehearsal_shown
from jobarium_events.site.migrations.sections import Section, sections
from jobarium_events.site.migrations.wording import UNKNOWN, Wording, moment_said
from jobarium_events.site.pages import Page

if TYPE_CHECKING:
    from jobarium_events.migrations import Migration
    from jobarium_events.migrations.lint.findings import LintedStatement
    from jobarium_events.site.shown import Shown

__all__ = ["Checklist", "Fact", "MigrationShown", "Place", "migration_pages"]


class Fact(msgspec.Struct, frozen=True):
    """What the header says under one key, in words.

    Attributes:
        name: What it is about.
        texts: What it says; each stands in a line of its own.
        migrations: The ids of migrations that it names, instead of texts.
        decision: The id of a decision that the site shows, instead of texts.
    """

    name: str
    texts: tuple[str, ...] = ()
    migrations: tuple[str, ...] = ()
    decision: str = ""


class Place(msgspec.Struct, frozen=True):
    """Where a migration stands in the database of one environment.

    Attributes:
        environment: The environment's name.
        standing: Where it stands; None if no database of the environment was asked.
        at: When it came to that, in words; empty if nothing of it has run.
        texts: What is wrong there, or is to be known, and for each whether it is wrong.
    """

    environment: str
    standing: Standing | None = None
    at: str = ""
    texts: tuple[tuple[str, bool], ...] = ()

    @property
    def stage(self) -> str:
        """The word for where it stands."""
        return "not asked" if self.standing is None else self.standing.stage.value


class Checklist(msgspec.Struct, frozen=True):
    """What is done of the operational checklist.

    Attributes:
        environment: In the database of which environment; empty for what the files alone say.
        items: Its items.
    """

    environment: str
    items: tuple[Item, ...]


class MigrationShown(msgspec.Struct, frozen=True, kw_only=True):
    """One migration.

    Attributes:
        id: Its id.
        header: What it says of itself.
        facts: The same in words.
        sections: Its SQL.
        findings: What lint finds in it.
        rehearsal: What its last rehearsal found; None if it was not rehearsed, or if that cannot be read.
        unread: Why that cannot be read; empty if it can.
        places: Where it stands in each environment.
        checklists: What is done of its checklist: in each database that was asked, or else as its files say.
    """

    id: str
    header: Header
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    rehearsal: RehearsalShown | None
    unread: str
    places: tuple[Place, ...]
    checklists: tuple[Checklist, ...]

    @property
    def is_asked(self) -> bool:
        """Whether a database was asked."""
        return any(each.standing is not None for each in self.places)

    @property
    def rehearsed(self) -> str:
        """How its rehearsal stands, in a word or two."""
        if self.rehearsal is None:
            return "unreadable" if self.unread else "not rehearsed"
        colour = "green" if self.rehearsal.found.green else "red"
        return f"{colour}, outdated" if self.rehearsal.outdated else colour


def migration_pages(shown: Shown) -> Iterator[Page]:
    """Yield the pages on migrations: the list, and one for each; none if no folder was given.

    Args:
        shown: What the site shows. Its databases are read, and nothing is written there.

    Raises:
        EnvironmentUnread: If a database cannot be asked.
        MigrationError: If the decision log of the migrations has a mistake.
        OSError: If a file cannot be read.
    """
    if shown.migrations is None:
        return
    databases = [asked(shown.migrations, name, url) for name, url in shown.databases]
    showing = _Showing(shown, shown.migrations, databases)
    migrations = tuple(showing.all())
    known = {each.id for each in migrations}
    gone = [(each.environment, id_) for each in databases for id_ in each.standings if id_ not in known]
    names = [each.environment for each in databases]
    common = {"option": showing.wording.option}
    values = {
        "migrations": migrations,
        "environments": showing.environments,
        "asked": names,
        "unasked": [each for each in showing.environments if each not in names],
        "gone": gone,
    }
    yield Page("migrations.html", "migrations.html.jinja", values | common)
    for each in migrations:
        yield Page(f"migrations/{each.id}.html", "migration.html.jinja", {"migration": each} | common)


class _Showing:
    """Puts together what is known of each migration."""

    def __init__(self, shown: Shown, migrations: Migrations, databases: Sequence[Database]) -> None:
        self._migrations = migrations
        self._databases = databases
        self._filed: Mapping[str, tuple[Item, ...]] = {} if databases else filed_checklists(migrations)
        settings = migrations.settings
        self.wording = Wording(migrations.folder)
        self.environments = [*dict.fromkeys([*settings.environments, *(each.environment for each in databases)])]
        # A folder of migrations may have a decision log of its own, whose ids are others.
        is_shared = settings.catalog is not None and (
            (migrations.folder / settings.catalog).resolve() == shown.folder.resolve()
        )
        self._decisions = frozenset(shown.decisions if is_shared else ())

    def all(self) -> Iterator[MigrationShown]:
        report = lint_migrations(self._migrations)
        linted: dict[str, list[LintedStatement]] = {}
        for statement in report.statements:
            linted.setdefault(statement.file, []).append(statement)
        for migration in self._migrations.ordered:
            file = str(migration.path)
            rehearsal, unread = rehearsal_shown(self._migrations, migration)
            yield MigrationShown(
                id=migration.id,
                header=migration.header,
                facts=tuple(self._facts(migration)),
                sections=tuple(sections(migration, linted.get(file, ()))),
                findings=tuple(each for each in report.findings if each.file == file),
                rehearsal=rehearsal,
                unread=self.wording.said(unread),
                places=tuple(self._places(migration)),
                checklists=tuple(self._checklists(migration)),
            )

    def _facts(self, migration: Migration) -> Iterator[Fact]:
        header = migration.header
        yield Fact("Category", (header.category,))
        yield Fact("Release", (header.release,))
        yield Fact("Owner", (header.owner,))
        yield Fact("Risk", (header.risk,))
        yield Fact("Expected to take", (str(header.estimated_runtime),))
        yield Fact("Way back", (header.rollback_plan,))
        if header.containment:
            yield Fact("Containment", (header.containment,))
        if header.depends_on:
            yield Fact("Depends on", migrations=header.depends_on)
        if header.completes:
            yield Fact("Needs the backfill of", migrations=header.completes)
        if header.feature_flag:
            yield Fact("Feature flag", (header.feature_flag,))
        if header.decision:
            is_shown = header.decision in self._decisions
            yield Fact("Decision", () if is_shown else (header.decision,), decision=header.decision if is_shown else "")
        if header.alerts:
            yield Fact("Alerts", header.alerts)
        if header.out_of_use:
            gone = (f"{what}, since {release}" for what, release in header.out_of_use.items())
            yield Fact("Out of use", tuple(gone))
        if header.backfill:
            key = ", ".join(header.backfill.key)
            yield Fact("Backfill", (f"goes through {header.backfill.table} by {key}",))
        yield Fact("Hash of the file", (migration.hash[:16],))

    def _places(self, migration: Migration) -> Iterator[Place]:
        answers = {each.environment: each for each in self._databases}
        for name in self.environments:
            if name not in answers:
                yield Place(name)
                continue
            standing = answers[name].standings[migration.id]
            texts = ((standing.problem, True), (standing.note, False))
            yield Place(
                name,
                standing,
                "" if standing.at is None else moment_said(standing.at),
                tuple((self.wording.said(text, name), is_wrong) for text, is_wrong in texts if text),
            )

    def _checklists(self, migration: Migration) -> Iterator[Checklist]:
        for each in self._databases:
            yield Checklist(each.environment, self._said(each.checklists[migration.id], each.environment))
        if not self._databases:
            yield Checklist("", self._said(self._filed[migration.id]))

    def _said(self, items: Sequence[Item], environment: str = UNKNOWN) -> tuple[Item, ...]:
        return tuple(msgspec.structs.replace(each, text=self.wording.said(each.text, environment)) for each in items)

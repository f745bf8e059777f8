"""One decision: who allowed what, and where that stands."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Literal

import msgspec
import orjson

from jobarium_events.evolution.findings import Finding, Severity

__all__ = [
    "DECISIONS",
    "MIGRATION_PLAN",
    "SECTIONS",
    "Allowed",
    "AllowedColumns",
    "Decision",
    "Status",
    "Timeline",
    "decision_path",
]

DECISIONS = "decisions"
"""The folder of the decision log, in the catalog's folder."""

SECTIONS = ("Context", "Decision", "Alternatives", "Why", "Consequences")
"""The sections that every decision has."""

MIGRATION_PLAN = "Migration plan"
"""The section that a decision has besides if it carries a breaking change."""

# What may change after a release: where a decision stands, and when it is looked at again.
_MOVABLE = ("status", "superseded_by", "review")


class Status(StrEnum):
    """Where a decision stands."""

    PROPOSED = "proposed"
    """Not decided yet; it allows nothing."""
    ACCEPTED = "accepted"
    """Decided; what it allows is allowed."""
    SUPERSEDED = "superseded"
    """Another decision has taken its place; it allows nothing any more."""
    REJECTED = "rejected"
    """Decided against; kept so that nobody has to think it through again."""


class Allowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a decision allows for one contract.

    Attributes:
        event: The event's name.
        version: Such as ``"v2"``.
        breaking: JSON Pointers of the changes that may break a consumer.
        meanings: JSON Pointers of the meanings that may change.
        retirement: Whether the version may be retired without evidence that it is no longer seen.
        owner: The service that may become the event's owner.
    """

    event: str
    version: str
    breaking: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()
    retirement: bool = False
    owner: str | None = None

    @property
    def introduces(self) -> bool:
        """Whether it is there for a new version, and not only for something that changes within a version."""
        return self.version != "v1" and (bool(self.breaking) or not (self.meanings or self.retirement or self.owner))


class AllowedColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a decision allows for one table of a database.

    Attributes:
        table: The table, with its schema unless that is ``public``.
        meanings: The columns whose meaning may change.
    """

    table: str
    meanings: tuple[str, ...]


class Timeline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a version goes: the manifest may say later, and never earlier.

    Attributes:
        event: The event's name.
        version: The version that goes.
        deprecated: The release that deprecates it.
        retired: The release that retires it.
    """

    event: str
    version: str
    deprecated: str
    retired: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the decision log.

    Attributes:
        id: Such as ``"DEC-0001"``; the file has the same name.
        title: What it is about, in one line.
        date: The day on which it was decided.
        status: Where it stands.
        owner: The service or the person who answers for it.
        review: The day on which it is to be looked at again.
        superseded_by: Id of the decision that has taken its place.
        allowed: What it allows, by contract; ``[[allows]]`` in the file.
        columns: What it allows, by table; ``[[columns]]`` in the file.
        timeline: When the versions go that it replaces; ``[[timeline]]`` in the file.
        sections: The text of each section, by its heading.
    """

    id: str
    title: str
    date: datetime.date
    status: Status
    owner: str
    review: datetime.date
    superseded_by: str | None = None
    allowed: tuple[Allowed, ...] = ()
    columns: tuple[AllowedColumns, ...] = ()
    timeline: tuple[Timeline, ...] = ()
    sections: Mapping[str, str] = {}

    @property
    def file(self) -> str:
        """Path of its file, relative to the catalog's folder."""
        return decision_path(self.id)

    @property
    def is_accepted(self) -> bool:
        """Whether what it allows is allowed."""
        return self.status is Status.ACCEPTED

    @property
    def digest(self) -> str:
        """Digest of all that it says, apart from what may still change of it; white space at line ends is nothing."""
        said = {key: value for key, value in msgspec.to_builtins(self).items() if key not in _MOVABLE}
        for table in said["allowed"]:
            table["owner"] = table["owner"] or False  # the digest of none stays what it was when this was yes or no
        if not self.columns:
            del said["columns"]  # the digest of a decision stays what it was before there was such a table
        said["sections"] = {name: [line.rstrip() for line in text.splitlines()] for name, text in self.sections.items()}
        return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()

    def allows(self, event: str, version: str, pointer: str, kind: Literal["breaking", "meanings"]) -> bool:
        """Whether it is accepted, and allows one change of one contract.

        Args:
            event: The event's name.
            version: The version that has the change.
            pointer: JSON Pointer of the change.
            kind: ``"breaking"`` for a change that breaks a consumer, ``"meanings"`` for a meaning that changes.
        """
        return self.is_accepted and any(
            pointer in (each.breaking if kind == "breaking" else each.meanings) for each in self._for(event, version)
        )

    def allows_column(self, table: str, column: str) -> bool:
        """Whether it is accepted, and lets the meaning of a table's column change."""
        return self.is_accepted and any(each.table == table and column in each.meanings for each in self.columns)

    def introduces(self, event: str, version: str) -> bool:
        """Whether it is there for a new version of an event; whether it is accepted is another question."""
        return any(each.introduces for each in self._for(event, version))

    def waives_evidence(self, event: str, version: str) -> bool:
        """Whether it is accepted, and lets a version be retired without evidence that it is no longer seen."""
        return self.is_accepted and any(each.retirement for each in self._for(event, version))

    def new_owner(self, event: str) -> str | None:
        """Return the service that may become an event's owner; None if it is not accepted, or names none."""
        named = (each.owner for each in self.allowed if each.event == event and each.owner)
        return next(named, None) if self.is_accepted else None

    def timeline_of(self, event: str, version: str) -> Timeline | None:
        """Return when a version goes, if it is accepted and says so."""
        named = (each for each in self.timeline if (each.event, each.version) == (event, version))
        return next(named, None) if self.is_accepted else None

    def _for(self, event: str, version: str) -> Iterator[Allowed]:
        return (each for each in self.allowed if (each.event, each.version) == (event, version))

    def lacks(self) -> Iterator[Finding]:
        """Yield what it lacks for what it allows: a migration plan, and a timeline for each event's new version."""
        severity = Severity.WARNING if self.status is Status.PROPOSED else Severity.ERROR
        breaks = any(each.breaking or each.introduces for each in self.allowed)
        if breaks and not self.sections.get(MIGRATION_PLAN):
            yield Finding(
                rule="migration-plan-missing",
                severity=severity,
                file=self.file,
                pointer=f"## {MIGRATION_PLAN}",
                text=f"{self.id} is to carry a breaking change and has no migration plan",
                advice=f"write the section ## {MIGRATION_PLAN}: who moves when, and how to go back",
            )
        planned = {each.event for each in self.timeline}
        for event in dict.fromkeys(each.event for each in self.allowed if each.introduces):
            if event not in planned:
                yield Finding(
                    rule="timeline-missing",
                    severity=severity,
                    file=self.file,
                    pointer="timeline",
                    text=f"{self.id} is to carry a new version of {event} and has no deprecation timeline",
                    advice="add a table [[timeline]]: event, older version, and its releases deprecated and retired",
                )


def decision_path(id_: str) -> str:
    """Return where a decision stands in the catalog's folder."""
    return f"{DECISIONS}/{id_}.md"

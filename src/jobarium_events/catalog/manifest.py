"""The manifest of a catalog, ``catalog.toml``: releases, and for each contract what its schema does not say."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.catalog.files import FolderFiles
from jobarium_events.catalog.toml import TomlError, read_toml
from jobarium_events.contract import VERSION, KeyTemplate, Lifecycle, Ordering
from jobarium_events.errors import Problem
from jobarium_events.misfits import misfits

if TYPE_CHECKING:
    from pathlib import Path

    from jobarium_events.catalog.files import Files

__all__ = ["MANIFEST", "EventEntry", "Manifest", "VersionEntry", "parse", "quoted", "read", "read_from"]

MANIFEST = "catalog.toml"

# A folder is named after the event, and so is a class: of letters and digits, its words set apart.
_NAME = re.compile(r"[A-Za-z][0-9A-Za-z]*(?:[._-][0-9A-Za-z]+)*")


class VersionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the manifest says of one version."""

    key: str
    ordering: Ordering | None = None
    introduced: str | None = None
    deprecated: str | None = None
    retired: str | None = None
    decision: str | None = None


class EventEntry(msgspec.Struct, frozen=True):
    """What the manifest says of one event."""

    owner: str
    consumers: tuple[str, ...]
    versions: Mapping[str, VersionEntry]


class Manifest(msgspec.Struct, frozen=True):
    """A manifest as it was read.

    Attributes:
        releases: Names of the releases so far, in order; the last is the current one.
        planned: Names of the releases to come, in order.
        events: By name.
    """

    releases: tuple[str, ...]
    planned: tuple[str, ...]
    events: Mapping[str, EventEntry]

    def lifecycle(self, entry: VersionEntry) -> Lifecycle:
        """Where a version stands at the current release."""
        if entry.retired in self.releases:
            return Lifecycle.RETIRED
        if entry.deprecated in self.releases:
            return Lifecycle.DEPRECATED
        return Lifecycle.ACTIVE if entry.introduced in self.releases else Lifecycle.DRAFT


def parse(text: str) -> tuple[Manifest, list[Problem]]:
    """Read a manifest; what is wrong with it comes as problems, and what is right is kept."""
    try:
        tables = read_toml(text)
    except TomlError as error:
        return Manifest((), (), {}), [Problem(MANIFEST, "", str(error))]
    return _Parsing(tables).result()


class _Parsing:
    def __init__(self, tables: Mapping[str, Any]) -> None:
        self.tables = tables
        self.problems: list[Problem] = []
        self.releases = self._names("releases")
        self.planned = self._names("planned")
        self.order = {name: place for place, name in enumerate((*self.releases, *self.planned))}

    def result(self) -> tuple[Manifest, list[Problem]]:
        for key in self.tables:
            if key not in ("releases", "planned", "event"):
                self._problem(key, "is not a key of the manifest; it has releases, planned and event")
        if "releases" not in self.tables:
            self._problem("releases", 'is missing; write for example: releases = ["2026.1"]')
        if len(self.order) < len(self.releases) + len(self.planned):
            self._problem("releases", "names a release twice; each is named once, in releases or in planned")
        events: dict[str, EventEntry] = {}
        tables = self.tables.get("event", {})
        if not isinstance(tables, dict):
            self._problem("event", "must be a table; write [event.<name>]")
            tables = {}
        for name, table in tables.items():
            if not _NAME.fullmatch(name):
                self._problem(
                    f"event.{quoted(name)}", "is no name of an event; write words with dots, as in job.updated"
                )
                continue
            entry = self._event(f"event.{quoted(name)}", table)
            if entry is not None:
                events[name] = entry
        return Manifest(self.releases, self.planned, events), self.problems

    def _names(self, key: str) -> tuple[str, ...]:
        names = self.tables.get(key, [])
        if isinstance(names, list) and all(isinstance(name, str) and name for name in names):
            return tuple(names)
        self._problem(key, "must be a list of release names")
        return ()

    def _event(self, place: str, table: Any) -> EventEntry | None:
        if not isinstance(table, dict):
            self._problem(place, "must be a table with owner, consumers and a table for each version")
            return None
        owner = table.get("owner")
        if not isinstance(owner, str) or not owner:
            self._problem(f"{place}.owner", "must name the one service that emits the event")
        consumers = table.get("consumers", [])
        if not isinstance(consumers, list) or not all(isinstance(each, str) for each in consumers):
            self._problem(f"{place}.consumers", "must be a list of services")
            consumers = []
        versions: dict[str, VersionEntry] = {}
        for key, value in table.items():
            if key in ("owner", "consumers"):
                continue
            if not VERSION.fullmatch(key):
                self._problem(f"{place}.{quoted(key)}", "is neither owner, nor consumers, nor a version such as v1")
                continue
            entry = self._version(f"{place}.{key}", value)
            if entry is not None:
                versions[key] = entry
        if not any(map(VERSION.fullmatch, table)):
            self._problem(place, "has no version; add a table for v1")
        return EventEntry(str(owner), tuple(consumers), versions)

    def _version(self, place: str, table: Any) -> VersionEntry | None:
        try:
            entry = msgspec.convert(table, VersionEntry)
        except msgspec.ValidationError:
            for each in misfits(table, VersionEntry):
                self._problem(place, str(each))
            return None
        moves = [
            (name, release)
            for name, release in (
                ("introduced", entry.introduced),
                ("deprecated", entry.deprecated),
                ("retired", entry.retired),
            )
            if release is not None
        ]
        for name, release in moves:
            if release not in self.order:
                self._problem(f"{place}.{name}", f"names {release!r}, which is neither in releases nor in planned")
        if entry.deprecated is not None and entry.introduced is None:
            self._problem(f"{place}.deprecated", "stands without introduced: a draft cannot be deprecated")
        if entry.retired is not None and entry.deprecated is None:
            self._problem(f"{place}.retired", "stands without deprecated: a version is deprecated before it is retired")
        for (before, early), (after, late) in itertools.pairwise(moves):
            if early in self.order and late in self.order and self.order[late] <= self.order[early]:
                self._problem(f"{place}.{after}", f"comes no later than {before}; a move takes a later release")
        self._key(place, entry.key)
        return entry

    def _key(self, place: str, key: str) -> None:
        template = KeyTemplate(key)
        if not template.fields:
            self._problem(f"{place}.key", "holds no field, so that all events would have the same key")
        if template.stray:
            self._problem(f"{place}.key", "has a brace that belongs to no {field}")
        if any(":" not in text for text in template.texts[1:-1]):
            self._problem(f"{place}.key", "has no ':' between two fields, so that different values could give one key")

    def _problem(self, place: str, text: str) -> None:
        self.problems.append(Problem(MANIFEST, place, text))


def quoted(name: str) -> str:
    """Return a name as a key of TOML."""
    return name if name.replace("_", "").replace("-", "").isalnum() else f'"{name}"'


def read(folder: Path) -> tuple[Manifest, list[Problem]]:
    """Read the manifest of a folder."""
    return read_from(FolderFiles(folder))


def read_from(files: Files) -> tuple[Manifest, list[Problem]]:
    """Read the manifest among some files."""
    try:
        text = files.read(MANIFEST).decode()
    except FileNotFoundError:
        return Manifest((), (), {}), [Problem(MANIFEST, "", "is missing; a catalog's folder needs a manifest")]
    except (OSError, UnicodeDecodeError) as error:
        return Manifest((), (), {}), [Problem(MANIFEST, "", f"cannot be read: {error}")]
    return parse(text)

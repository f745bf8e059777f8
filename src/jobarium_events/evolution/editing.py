"""Edits the manifest: what is asked for changes, and every comment and the layout stay. Needs the extra ``cli``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
import tomlkit.items

from jobarium_events.catalog.manifest import MANIFEST, Manifest, parse
from jobarium_events.errors import CatalogError, Problem
from jobarium_events.evolution.refusals import EditError

__all__ = ["ManifestEdit"]


class ManifestEdit:
    """A manifest that is being edited; `text` is what it says by now.

    Args:
        folder: The catalog's folder.

    Raises:
        CatalogError: If the manifest is not there or has a mistake.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / MANIFEST
        try:
            text = self.path.read_bytes().decode()
        except FileNotFoundError:
            text, problems = "", [Problem(MANIFEST, "", "is missing; a catalog's folder needs a manifest")]
        except UnicodeDecodeError as error:
            text, problems = "", [Problem(MANIFEST, "", f"is not UTF-8, at byte {error.start}")]
        else:
            _, problems = parse(text)
        if problems:
            raise CatalogError(str(folder), problems)
        self._document = tomlkit.parse(text)
        self._tables = tomllib.loads(text)

    @property
    def text(self) -> str:
        """The manifest as it is edited."""
        text = self._document.as_string()
        if tomllib.loads(text) != self._tables:
            raise EditError(f"{self.path} is written in a way that cannot be edited; make the change by hand")
        return text

    @property
    def manifest(self) -> Manifest:
        """What the manifest says as it is edited.

        Raises:
            CatalogError: If it has a mistake.
        """
        manifest, problems = parse(self.text)
        if problems:
            raise CatalogError(str(self.path.parent), problems)
        return manifest

    def release(self, name: str) -> None:
        """Append a release; if it was planned, it no longer is."""
        for tables in (self._document, self._tables):
            tables["releases"].append(name)
            if name in tables.get("planned", ()):
                tables["planned"].remove(name)

    def move(self, event: str, version: str, what: str, release: str) -> None:
        """Bind a move of a version's lifecycle to a release.

        Args:
            event: The event's name.
            version: Such as ``"v1"``.
            what: ``"introduced"``, ``"deprecated"`` or ``"retired"``.
            release: The release that makes the move.

        Raises:
            EditError: If the manifest has no such version.
        """
        self._version(event, version)
        table = self._document["event"][event][version]
        tail = _cut_tail(table)
        table[what] = release
        _add_all(table, tail)
        self._tables["event"][event][version][what] = release

    def add_version(self, event: str, version: str, entry: Mapping[str, Any]) -> None:
        """Add a version below the others of its event."""
        table = tomlkit.table()
        for key, value in entry.items():
            table.add(key, _inline(value) if isinstance(value, Mapping) else value)
        versions: Any = self._document["event"][event]
        last = versions[[key for key in versions if key not in ("owner", "consumers")][-1]]
        tail = _cut_tail(last)
        if tail:
            last.add(tomlkit.nl())
        _add_all(table, tail)
        versions.add(version, table)
        self._tables["event"][event][version] = dict(entry)

    def _version(self, event: str, version: str) -> None:
        events = self._tables.get("event", {})
        if event not in events:
            raise EditError(f"{self.path} has no event {event}; it has {', '.join(events) or 'none'}")
        if version not in events[event]:
            versions = [each for each in events[event] if each not in ("owner", "consumers")]
            raise EditError(f"{self.path} has no {event} {version}; it has {', '.join(versions)}")


def _cut_tail(table: Any) -> list[Any]:
    """Cut off the empty lines and comments at the end of a table, which lead over to the next one, and return them."""
    body = [] if isinstance(table, tomlkit.items.InlineTable) else table.value.body
    tail = []
    while body and body[-1][0] is None:
        tail.append(body.pop()[1])
    return tail[::-1]


def _add_all(table: Any, lines: list[Any]) -> None:
    for line in lines:
        table.add(line)


def _inline(values: Mapping[str, str]) -> Any:
    """Return an inline table with spaces inside its braces, as the manifest is written by hand."""
    inside = ", ".join(f"{key} = {tomlkit.item(value).as_string()}" for key, value in values.items())
    return tomlkit.parse(f"table = {{ {inside} }}")["table"]

"""Migrations for tests: a header of everything that is needed, and what differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

__all__ = ["HEADER", "SETTINGS", "folder_of", "in_comments", "text_of", "write"]

HEADER: dict[str, Any] = {
    "owner": "job-service",
    "category": "expand",
    "release": "2026.12",
    "estimated_runtime": "1s",
    "rollback_plan": "db rollback",
    "risk": "low",
}
SETTINGS = 'releases = ["2026.10", "2026.11", "2026.12"]\n'
SECTIONS = {
    "up": "alter table job add column source text;",
    "down": "alter table job drop column source;",
    "verify": "-- returns: 0\nselect count(*) from job where source = '';",
}


def in_comments(toml: str) -> str:
    """Return a header's lines."""
    return "-- /// migration\n" + "".join(f"-- {line}".rstrip(" ") + "\n" for line in toml.split("\n")) + "-- ///\n"


def text_of(id_: str, header: Mapping[str, Any] | None = None, **sections: str | None) -> str:
    """Return a file's text; None leaves a key or a section out."""
    values = {"id": id_, **HEADER, **(header or {})}
    toml = tomlkit.dumps({key: value for key, value in values.items() if value is not None})
    bodies = {name: body for name, body in {**SECTIONS, **sections}.items() if body is not None}
    return in_comments(toml.rstrip("\n")) + "".join(f"\n-- name: {name}\n{body}\n" for name, body in bodies.items())


def write(folder: Path, id_: str, header: Mapping[str, Any] | None = None, **sections: str | None) -> Path:
    """Write a file."""
    path = folder / f"{id_}.sql"
    path.write_text(text_of(id_, header, **sections), encoding="utf-8")
    return path


def folder_of(folder: Path, settings: str = SETTINGS) -> Path:
    """Write the settings of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "migrations.toml").write_text(settings, encoding="utf-8")
    return folder

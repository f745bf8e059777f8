"""The library's own migrations as they are read: the files of ``tables/``, with the names that a service has chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import msgspec

from jobarium_events.migrations.files.folder import Migrations
from jobarium_events.migrations.files.migration import Migration, parse_migration
from jobarium_events.migrations.files.settings import Settings

__all__ = ["MADE_BY", "MOVED_BY", "own_migrations", "shown"]

MADE_BY: Mapping[str, tuple[str, ...]] = {
    "outbox_event": ("0001_outbox",),
    "inbox_event": ("0004_inbox",),
    "dead_letter": ("0008_dead_letters",),
}
"""What makes each part, by the name of its first table."""

MOVED_BY: Mapping[str, tuple[str, ...]] = {
    "outbox_event": ("0002_outbox_columns", "0003_outbox_positions"),
    "inbox_event": ("0005_inbox_columns", "0006_inbox_unfinished", "0007_inbox_event_id"),
    "dead_letter": (),
}
"""What moves each part from its first form."""

_FOLDER = files(__package__).joinpath("tables")
_PLAIN = re.compile(r'("[a-z_][a-z0-9_]*"\.)?"[a-z_][a-z0-9_]*"')


def own_migrations(names: Mapping[str, str], ids: tuple[str, ...], *, suffix: str = "") -> Migrations:
    """Return some of the library's own migrations, as a folder.

    Args:
        names: What stands in their SQL for the names in braces.
        ids: Which ones.
        suffix: What is added to each id.
    """
    ordered = tuple(_named(_read(id_, names), suffix) for id_ in ids)
    return Migrations(folder=Path(str(_FOLDER)), settings=Settings(releases=("0.1.0",)), ordered=ordered)


def shown(name: str) -> str:
    """Return a name without its quotes, if it needs none."""
    return name.replace('"', "") if _PLAIN.fullmatch(name) else name


def _read(id_: str, names: Mapping[str, str]) -> Migration:
    texts = {f"{name}_text": "'" + text.replace("'", "''") + "'" for name, text in names.items()}
    in_toml = {f"{name}_toml": json.dumps(shown(text), ensure_ascii=False) for name, text in names.items()}
    path = _FOLDER.joinpath(f"{id_}.sql")
    text = path.read_text(encoding="utf-8").format_map({**names, **texts, **in_toml})
    return parse_migration(Path(str(path)), text.encode())


def _named(migration: Migration, suffix: str) -> Migration:
    header = migration.header
    header = msgspec.structs.replace(
        header,
        id=f"{header.id}{suffix}",
        depends_on=tuple(f"{each}{suffix}" for each in header.depends_on),
        completes=tuple(f"{each}{suffix}" for each in header.completes),
    )
    return msgspec.structs.replace(migration, header=header)

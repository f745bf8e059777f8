"""What holds for all migrations of a folder: ``migrations.toml``.

::

    catalog = "../schemas"            # its releases and its decision log; or releases = ["2026.10", "2026.11"]
    baseline = "baseline.sql"         # the schema before the first migration, if the database is older
    flags = "flags.toml"              # where no other provider of feature flags is set

    [roles]
    cto = ["ada"]
    ceo = ["grace"]

    [environments.development]
    gates = false

    [environments.production]
    lock_timeout = "2s"
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from jobarium_events.catalog.manifest import read as read_manifest
from jobarium_events.catalog.toml import TomlError, read_toml
from jobarium_events.errors import DeclarationError
from jobarium_events.migrations.files.places import key_lines
from jobarium_events.migrations.files.spans import SPANS, Span
from jobarium_events.migrations.refusals import MigrationError, Mistake
from jobarium_events.misfits import misfits

__all__ = ["NEWEST", "OLDEST", "SETTINGS", "Environment", "Role", "Settings", "read_settings"]

SETTINGS = "migrations.toml"
"""The file's name."""

OLDEST, NEWEST = 13, 18
"""The major versions of Postgres that are supported."""
_VARIABLE = "env:"


class Role(StrEnum):
    """Who answers for migrations."""

    CTO = "cto"
    """Reviews each migration, and owns that it is carried out."""
    CEO = "ceo"
    """Approves those of high risk, each with its window."""


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How migrations are applied to the databases of one environment.

    Attributes:
        gates: Whether review, approval, rehearsal and the rest are asked for; a developer's own database does without.
        lock_timeout: How long a statement may wait for a lock, and everything that comes after it with it.
        statement_timeout: How long a statement may take.
        attempts: How often a statement is tried that gets no lock.
        replicas: URLs of replicas whose lag holds up a backfill, beside those that the primary knows; a text of the
            form ``"env:NAME"`` stands for an environment variable.
    """

    gates: bool = True
    lock_timeout: Span = Span(2.0)
    statement_timeout: Span = Span(3600.0)
    attempts: Annotated[int, msgspec.Meta(ge=1)] = 10
    replicas: tuple[str, ...] = ()

    @property
    def replica_urls(self) -> tuple[str, ...]:
        """The URLs, with those of environment variables in their places.

        Raises:
            DeclarationError: If a variable is not set.
        """
        return tuple(_url(each) for each in self.replicas)


def _url(replica: str) -> str:
    if not replica.startswith(_VARIABLE):
        return replica
    name = replica.removeprefix(_VARIABLE)
    url = os.environ.get(name)
    if not url:
        raise DeclarationError(f"the environment variable {name} is to have the URL of a replica, and is not set")
    return url


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What holds for all migrations of a folder; paths are relative to it.

    Attributes:
        catalog: The folder of a catalog, whose releases and decision log are also the migrations'.
        releases: The releases in order, the planned ones included; those of the catalog if there is one.
        baseline: SQL that makes the schema before the first migration.
        flags: The file of feature flags where no other provider is set.
        postgres: The oldest major version of Postgres that the migrations run on.
        roles: Who is who: the names by which people review and approve.
        environments: By name.
    """

    catalog: str | None = None
    releases: tuple[str, ...] = ()
    baseline: str | None = None
    flags: str | None = None
    postgres: Annotated[int, msgspec.Meta(ge=OLDEST, le=NEWEST)] = OLDEST
    roles: Mapping[Role, tuple[str, ...]] = {}
    environments: Mapping[str, Environment] = {}


def read_settings(folder: Path) -> Settings:
    """Read the settings of a folder; those that hold by default where it has none.

    Raises:
        MigrationError: With every mistake in them.
    """
    path = folder / SETTINGS
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Settings()
    except UnicodeDecodeError:
        raise _mistaken(path, 0, "is not encoded in UTF-8; save it so") from None
    try:
        document = read_toml(text)
    except TomlError as error:
        raise _mistaken(path, error.line, error.problem) from None
    try:
        settings = msgspec.convert(document, Settings, dec_hook=Span.decoded)
    except msgspec.ValidationError:
        lines = key_lines(text)
        found = misfits(document, Settings, dec_hook=Span.decoded, words=SPANS)
        raise MigrationError(Mistake(str(path), each.line(lines), str(each)) for each in found) from None
    if len(set(settings.releases)) < len(settings.releases):
        raise _mistaken(path, key_lines(text)["releases"], "has a release twice; 'releases' has each once, in order")
    return _with_releases(folder, path, settings, text if "releases" in document else "")


def _with_releases(folder: Path, path: Path, settings: Settings, text: str) -> Settings:
    if settings.catalog is None:
        return settings
    if text:
        line = key_lines(text)["releases"]
        problem = "has both 'catalog' and 'releases'; the releases are those of the catalog, so drop yours"
        raise _mistaken(path, line, problem)
    manifest, problems = read_manifest(folder / settings.catalog)
    if problems:
        raise MigrationError(Mistake(str(path), 0, f"names a catalog with a mistake: {each}") for each in problems)
    return msgspec.structs.replace(settings, releases=manifest.releases + manifest.planned)


def _mistaken(path: Path, line: int, text: str) -> MigrationError:
    return MigrationError([Mistake(str(path), line, text)])

"""Jobarium's own catalog, as it comes with this library."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson

from jobarium_events import payloads
from jobarium_events.catalog.entry import Entry
from jobarium_events.catalog.loading import contract_from, schema_path
from jobarium_events.catalog.manifest import MANIFEST, parse
from jobarium_events.validation import Validator

__all__ = ["SCHEMAS", "bundled_entries", "envelope_validator"]


_PACKAGE = Path(__file__).parent.parent

SCHEMAS = _PACKAGE / "schemas" if (_PACKAGE / "schemas").is_dir() else _PACKAGE.parent.parent / "schemas"
"""The folder of the bundled schemas: inside the package, or at the root of a source checkout."""


@cache
def bundled_entries() -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Return the bundled contracts, made once, and the releases. They are checked when this library is built."""
    manifest, _ = parse((SCHEMAS / MANIFEST).read_text(encoding="utf-8"))
    entries = []
    for event, declared in manifest.events.items():
        for version in declared.versions:
            schema = orjson.loads((SCHEMAS / schema_path(event, version)).read_bytes())
            contract = contract_from(manifest, event, version, schema)
            entries.append(Entry(contract, getattr(payloads, contract.class_name)))
    return tuple(entries), manifest.releases


@cache
def envelope_validator() -> Validator:
    """Return the validator of the envelope, which is the same for every catalog."""
    return Validator(orjson.loads((SCHEMAS / "envelope.json").read_bytes()))

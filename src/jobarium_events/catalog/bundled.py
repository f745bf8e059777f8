"""Jobarium's own catalog, as it comes with this library."""

from __future__ import annotations

import os
from functools import cache

import orjson

from jobarium_events import payloads
from jobarium_events.catalog.entry import Entry
from jobarium_events.catalog.loading import contract_from, schema_path
from jobarium_events.catalog.manifest import MANIFEST, parse
from jobarium_events.validation import Validator

__all__ = ["SCHEMAS", "bundled_entries", "envelope_validator"]


def _schemas() -> str:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    shipped = os.path.join(package, "schemas")
    return shipped if os.path.isdir(shipped) else os.path.join(package, os.pardir, os.pardir, "schemas")


SCHEMAS = _schemas()
"""The folder of the bundled schemas: inside the package, or at the root of a source checkout."""


@cache
def bundled_entries() -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Return the bundled contracts, made once, and the releases. They are checked when this library is built."""
    with open(os.path.join(SCHEMAS, MANIFEST), encoding="utf-8") as file:
        manifest, _ = parse(file.read())
    entries = []
    for event, declared in manifest.events.items():
        for version, details in declared.versions.items():
            with open(os.path.join(SCHEMAS, schema_path(event, version)), "rb") as file:
                schema = orjson.loads(file.read())
            contract = contract_from(manifest, event, declared, version, details, schema)
            entries.append(Entry(contract, getattr(payloads, contract.class_name)))
    return tuple(entries), manifest.releases


@cache
def envelope_validator() -> Validator:
    """Return the validator of the envelope, which is the same for every catalog."""
    with open(os.path.join(SCHEMAS, "envelope.json"), "rb") as file:
        return Validator(orjson.loads(file.read()))

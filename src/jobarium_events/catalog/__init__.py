"""Contracts from a folder of schemas with its manifest, and the catalog that ships in the wheel."""

from jobarium_events.catalog.bundled import SCHEMAS, envelope_validator
from jobarium_events.catalog.catalog import Catalog
from jobarium_events.catalog.entry import Entry, digest_of

__all__ = ["SCHEMAS", "Catalog", "Entry", "digest_of", "envelope_validator"]

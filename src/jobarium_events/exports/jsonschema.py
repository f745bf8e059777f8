"""One JSON Schema for each contract: the whole event, in one file that refers to nothing outside of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.exports.bundling import event_schema
from jobarium_events.exports.choosing import chosen
from jobarium_events.exports.printing import as_json

if TYPE_CHECKING:
    from jobarium_events.catalog import Catalog

__all__ = ["jsonschema_files"]


def jsonschema_files(
    catalog: Catalog, *, closed: bool = False, drafts: bool = False, retired: bool = False
) -> dict[str, bytes]:
    """Return a schema file for each contract, by its path: ``<event name>/<version>.json``.

    Args:
        catalog: The catalog.
        closed: Whether the schemas refuse fields that the contracts do not name, as producers do.
        drafts: Whether drafts have files too.
        retired: Whether retired versions have files too.
    """
    return {
        f"{entry.contract.event}/{entry.contract.version}.json": as_json(event_schema(entry.contract, closed=closed))
        for entry in chosen(catalog, drafts=drafts, retired=retired)
    }

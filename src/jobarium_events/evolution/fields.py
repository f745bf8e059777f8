"""The fields of a contract by where they stand in an event, however the schema comes to speak of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.validation.places import is_deprecated, named_places

if TYPE_CHECKING:
    from jobarium_events.validation.dialects import Schema
    from jobarium_events.validation.places import Place

__all__ = ["deprecated_fields", "fields"]


def fields(root: Schema) -> dict[str, tuple[Place, ...]]:
    """Return the named fields at any depth, by their paths, each with the places that speak of it.

    A recursive schema is followed once around.
    """
    found: dict[str, list[Place]] = {}
    for each in named_places(root):
        found.setdefault(each.path, []).append(each.place)
    return {path: tuple(places) for path, places in found.items()}


def deprecated_fields(root: Schema) -> list[str]:
    """Return the paths of the fields that are marked ``"deprecated": true``, there or behind a reference.

    Where branches alone speak of a field, all of them mark it; otherwise that is for the others to do.
    """
    return [path for path, places in fields(root).items() if is_deprecated(places)]

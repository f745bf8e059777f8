"""The fields of a contract by where they stand in an event, however the schema comes to speak of them.

A JSON Pointer into a schema changes when a description moves behind a ``$ref`` or into an ``allOf``; the path of a
field in an event does not. ``/address/zip`` is the field ``zip`` of the field ``address``, and ``/lines/items/price``
is that of each item of the list ``lines``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.evolution.places import IN_PLACE, NOT_SAID, Place, inner_places, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.validation.dialects import Schema

__all__ = ["deprecated_fields", "fields"]

_NAMED = "/properties/"


def fields(root: Schema) -> dict[str, tuple[Place, ...]]:
    """Return the named fields at any depth, by their paths, each with the places that speak of it.

    A recursive schema is followed once around.
    """
    found: dict[str, list[Place]] = {}
    for path, place, step in _walk("", place_of(root), frozenset()):
        if step.startswith(_NAMED):
            found.setdefault(path, []).append(place)
    return {path: tuple(places) for path, places in found.items()}


def deprecated_fields(root: Schema) -> list[str]:
    """Return the paths of the fields that are marked ``"deprecated": true``, there or behind a reference.

    Where branches alone speak of a field, all of them mark it; otherwise that is for the others to do.
    """
    return [path for path, places in fields(root).items() if _is_deprecated(places)]


def _is_deprecated(places: tuple[Place, ...]) -> bool:
    outer = [place for place in places if not place.partial]
    marked = (any(mark is True for _, mark in place.values("deprecated")) for place in outer or places)
    return any(marked) if outer else all(marked)


def _onward(path: str, step: str) -> str | None:
    """Return the path of what stands a step within a place; None if that says nothing of a value in the event."""
    keyword = step.split("/", 2)[1]
    if keyword in NOT_SAID:
        return None
    if step.startswith(_NAMED):
        return f"{path}/{step.removeprefix(_NAMED)}"
    return path if keyword in IN_PLACE else path + step


def _walk(path: str, place: Place, above: frozenset[tuple[str, ...]]) -> Iterator[tuple[str, Place, str]]:
    above |= {place.pointers}
    for step, inner in inner_places(place).items():
        there = _onward(path, step)
        if there is None or inner.pointers in above or step == "/if":
            continue
        yield there, inner, step
        yield from _walk(there, inner, above)

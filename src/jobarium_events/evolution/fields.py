"""The fields of a contract by where they stand in an event, however the schema comes to speak of them.

A JSON Pointer into a schema changes when a description moves behind a ``$ref`` or into an ``allOf``; the path of a
field in an event does not. ``/address/zip`` is the field ``zip`` of the field ``address``, and ``/lines/items/price``
is that of each item of the list ``lines``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.evolution.places import Place, inner_places, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.validation.dialects import Schema

__all__ = ["fields"]

_NAMED = "/properties/"
# What speaks of the very value that the schema around it does, and what says only what a value is not.
_IN_PLACE = frozenset("anyOf oneOf then else dependencies dependentSchemas".split())
_NOT_SAID = frozenset("not if contains propertyNames".split())


def fields(root: Schema) -> dict[str, tuple[Place, ...]]:
    """Return the named fields at any depth, by their paths, each with the places that speak of it.

    A recursive schema is followed once around.
    """
    found: dict[str, list[Place]] = {}
    for path, place in _walk("", place_of(root), frozenset()):
        found.setdefault(path, []).append(place)
    return {path: tuple(places) for path, places in found.items()}


def _walk(path: str, place: Place, above: frozenset[tuple[str, ...]]) -> Iterator[tuple[str, Place]]:
    above |= {place.pointers}
    for step, inner in inner_places(place).items():
        keyword = step.split("/", 2)[1]
        if keyword in _NOT_SAID or inner.pointers in above:
            continue
        named = step.startswith(_NAMED)
        onward = path + (f"/{step.removeprefix(_NAMED)}" if named else "" if keyword in _IN_PLACE else step)
        if named:
            yield onward, inner
        yield from _walk(onward, inner, above)

"""The fields of a schema, in their order, each with all that is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.fields.kinds import BRANCHES, bases
from jobarium_events.fields.naming import Steps, name_of, repeats_of
from jobarium_events.fields.rows import FieldRow, ItemRow, Repeat
from jobarium_events.fields.saying import said
from jobarium_events.validation.places import Named, Place, is_deprecated, named_places, place_at, place_of

if TYPE_CHECKING:
    from jobarium_events.validation.dialects import Schema

__all__ = ["fields_of", "payload_of"]


def fields_of(schema: Schema) -> list[FieldRow]:
    """Return the fields of a payload's schema, each followed by the fields within it.

    They are found however the schema comes to speak of them: behind a ``$ref``, in parts of an ``allOf``, in branches.
    A recursive schema is followed once around.

    Raises:
        SchemaError: If a ``$ref`` points at nothing in the schema.
    """
    spoken: dict[Steps, list[Named]] = {}
    for each in named_places(schema):
        spoken.setdefault(each.steps, []).append(each)
    repeats = repeats_of(schema)
    told: dict[tuple[tuple[str, ...], ...], dict[str, Any]] = {}
    return [_row(spoken[steps], repeats.get(steps, ()), told) for steps in _nested(spoken)]


def payload_of(schema: Schema) -> ItemRow:
    """Return what is said of a payload as a whole, apart from its fields.

    Raises:
        SchemaError: If a ``$ref`` points at nothing in the schema.
    """
    return ItemRow(**said([place_of(schema)]), repeats=repeats_of(schema).get((), ()))


def _nested(found: Mapping[Steps, object]) -> Iterator[Steps]:
    """Yield the fields, each followed by those within it, also by those that a later branch speaks of."""
    tree: dict[str, Any] = {}
    for steps in found:
        node = tree
        for step in steps:
            node = node.setdefault(step, {})
    waiting: list[tuple[Steps, dict[str, Any]]] = [((), tree)]
    while waiting:
        steps, node = waiting.pop()
        if steps in found:
            yield steps
        waiting += [((*steps, step), inner) for step, inner in reversed(node.items())]


def _row(
    found: Sequence[Named], repeats: tuple[Repeat, ...], told: dict[tuple[tuple[str, ...], ...], dict[str, Any]]
) -> FieldRow:
    """Return the row of a field; what is said by the same places is kept in `told`, as references lead there often."""
    places = {each.pointers: each for each in _outer([each.place for each in found])}
    if tuple(places) not in told:
        told[tuple(places)] = said(tuple(places.values()))
    row = FieldRow(
        name=name_of(found[0].steps),
        required=_is_required(found),
        path=found[0].path,
        deprecated=is_deprecated([each.place for each in found]),
        repeats=repeats,
        **told[tuple(places)],
    )
    notes = [f"{each.name}: as {each.like}, and so on." for each in repeats]
    notes += ["Further rules: see the schema."] if row.further else []
    return msgspec.structs.replace(row, meaning=" ".join(filter(None, (row.meaning, *notes))))


def _outer(places: Sequence[Place]) -> Sequence[Place]:
    """Return the places that speak of a value in all payloads; if there are none, those that speak of it in some."""
    return [place for place in places if not place.partial] or places


def _is_required(found: Sequence[Named]) -> bool:
    around = [each.around for each in found]
    outer = [place for place in around if not place.partial]
    requires = (_requires(place, found[0].name) for place in outer or around)
    return any(requires) if outer else all(requires)


def _requires(place: Place, name: str, above: frozenset[tuple[str, ...]] = frozenset()) -> bool:
    """Whether an object must have a field: all that is said of it says so, or each of several branches does."""
    if any(name in required for _, required in place.values("required")):
        return True
    above |= {place.pointers}
    for pointer, branches in (each for keyword in BRANCHES for each in place.values(keyword)):
        inner = [place_at(place.root, (f"{pointer}/{i}", branch)) for i, branch in enumerate(branches)]
        # Where there is no object there is no field, required or not.
        inner = [each for each in inner if "object" in bases(each)] or inner
        if all(each.pointers not in above and _requires(each, name, above) for each in inner):
            return True
    return False

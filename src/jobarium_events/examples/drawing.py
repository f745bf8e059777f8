"""Makes a payload as a schema asks for it, of values that look like what they are.

It follows what most schemas say, and no more: what comes out may break a rule, which whoever asked for it finds out by
the contract's validators.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.errors import SchemaError
from jobarium_events.evolution.containment import some_document
from jobarium_events.examples.plausible import Known, numbers, singular, texts
from jobarium_events.validation import Validator
from jobarium_events.validation.dialects import ASSERTING, ASSERTIONS, Schema
from jobarium_events.validation.places import Place, inner_places, place_at, place_of

if TYPE_CHECKING:
    from jobarium_events.contract import Contract

__all__ = ["WAYS", "drawn"]

WAYS = 4
"""So many branches of each ``anyOf`` or ``oneOf`` are tried."""

_MOST_ITEMS = 50
_KEPT = ("$schema", "$defs", "definitions")
_TRUE: Schema = True
_BY_KIND = frozenset(("type", "format"))  # what every value is made by
_BY_LIST = frozenset(("type", "enum", "const"))
_ALTERNATIVES = ("anyOf", "oneOf")


class _Nothing(Exception):
    """There is no end to a value, or no value at all. It never leaves this module."""


def drawn(contract: Contract, *, way: int = 0, full: bool = True) -> Any:
    """Return a payload that is meant to be valid; None where none could be made.

    Args:
        contract: Whose payload it is.
        way: Which branch to take where there are several.
        full: Whether optional fields are there too.
    """
    schema = contract.schema
    thing = contract.event.split(".")[0]
    try:
        return _Drawing(way, full=full).value(place_of(schema), Known("", thing), frozenset())
    except _Nothing:
        return None


class _Drawing:
    def __init__(self, way: int, *, full: bool) -> None:
        self.way = way
        self.full = full
        self.identified: dict[str, list[str]] = {}

    def value(self, place: Place, named: Known, above: frozenset[tuple[str, ...]]) -> Any:
        if place.pointers in above:
            raise _Nothing
        above |= {place.pointers}
        place = self._settled(place)
        if any(part.says is False for part in place.parts):
            raise _Nothing
        for value, known in _told(place, named.number):
            if _fits(place, value, known):
                return value
        match self._type(place):
            case "object":
                return self._object(place, named, above)
            case "array":
                return self._array(place, named, above)
            case "boolean":
                return True
            case "null":
                return None
            case kind:
                named = self._described(named, place)
                return _text(place, named) if kind == "string" else _number(place, named, whole=kind == "integer")

    def _described(self, named: Known, place: Place) -> Known:
        """Return what the schema tells of a text or a number; what is identified elsewhere too is another one."""
        unit = next((each for each in _said(place, "x-unit") if isinstance(each, str)), None)
        identifies = any(str(each).startswith("Identifier") for each in _said(place, "description"))
        named = msgspec.structs.replace(named, unit=unit, identifies=identifies)
        known = self.identified.setdefault(named.identified, [])
        if named.name not in known:
            known.append(named.name)
        number = named.number + known.index(named.name) if named.identified else named.number
        return msgspec.structs.replace(named, number=number)

    def _settled(self, place: Place) -> Place:
        """Return a place with what the branches say that are taken."""
        parts = {part.pointer: part for part in place.parts}
        waiting = list(place.parts)
        while waiting:
            part = waiting.pop(0)
            for branch in self._taken(Place(place.root, (part,))):
                new = [each for each in branch.parts if each.pointer not in parts]
                parts |= {each.pointer: each for each in new}
                waiting += new
        return Place(place.root, tuple(parts.values()))

    def _taken(self, place: Place) -> Iterator[Place]:
        for keyword in _ALTERNATIVES:
            for pointer, branches in place.values(keyword):
                every = [place_at(place.root, (f"{pointer}/{i}", branch)) for i, branch in enumerate(branches)]
                every = [each for each in every if not any(part.says is False for part in each.parts)] or every
                every.sort(key=lambda each: "null" in _said(each, "type"))  # a value says more than that there is none
                yield every[self.way % len(every)]
        inner = inner_places(place)
        for step in ("/if", "/then") if self.way % 2 == 0 else ("/else",):
            if "/if" in inner and step in inner:
                yield inner[step]
        for keyword in ("dependencies", "dependentSchemas"):
            yield from (each for step, each in inner.items() if self.full and step.startswith(f"/{keyword}/"))

    def _type(self, place: Place) -> str:
        for types in _said(place, "type"):
            several = types if isinstance(types, list) else [types]
            several = sorted(several, key=lambda each: each == "null")
            return str(several[self.way % len(several)])
        says = {keyword for part in place.parts if isinstance(part.says, Mapping) for keyword in part.says}
        return next((kind for kind in ("object", "array", "number") if says & ASSERTIONS[kind]), "string")

    def _object(self, place: Place, named: Known, above: frozenset[tuple[str, ...]]) -> dict[str, Any]:
        inner = inner_places(place)
        found = {
            step.removeprefix("/properties/").replace("~1", "/").replace("~0", "~"): each
            for step, each in inner.items()
            if step.startswith("/properties/")
        }
        required = [name for names in _said(place, "required") for name in names]
        others = next((each for step, each in inner.items() if step == "/additionalProperties"), place_of(_TRUE))
        found |= {name: others for name in required if name not in found}
        thing = singular(named.name) if named.name else named.thing
        if not found and self.full and others.parts[0].says:
            found[thing] = others
        value = {}
        for name, field in found.items():
            if not self.full and name not in required:
                continue
            within = Known(name, thing)
            if within.identified:  # several items are several things
                within = msgspec.structs.replace(within, number=named.number)
            try:
                value[name] = self.value(field, within, above)
            except _Nothing:
                if name in required:
                    raise
        return value

    def _array(self, place: Place, named: Known, above: frozenset[tuple[str, ...]]) -> list[Any]:
        inner = inner_places(place)
        first = [each for step, each in inner.items() if step.startswith(("/prefixItems/", "/items/"))]
        rest = inner.get("/additionalItems" if any("/items/0" in step for step in inner) else "/items")
        rest = rest or inner.get("/contains")
        least = max((math.ceil(each) for each in _said(place, "minItems")), default=0)
        most = min((math.floor(each) for each in _said(place, "maxItems")), default=_MOST_ITEMS)
        count = min(max(least, len(first), 1 if rest else 0), most)
        if count > _MOST_ITEMS:
            raise _Nothing
        items: list[Any] = []
        try:
            for number in range(count):
                item = first[number] if number < len(first) else rest or place_of(_TRUE)
                items.append(self.value(item, msgspec.structs.replace(named, number=number), above))
        except _Nothing:
            if len(items) < least:
                raise
        return items


def _said(place: Place, keyword: str) -> list[Any]:
    return [value for _, value in place.values(keyword)]


def _said_within(place: Place, keyword: str) -> list[Any]:
    return [value for values in _said(place, keyword) if isinstance(values, list) for value in values]


def _told(place: Place, number: int) -> Iterator[tuple[Any, frozenset[str]]]:
    """Yield the values that a schema gives, the first choice first, each with the keywords that surely take it.

    Of several that it lists, one begins with another one for each item.
    """
    fixed = _said(place, "const")
    extensible = [each for each in _said(place, "x-extensible-enum") if isinstance(each, list)]
    lists = [*_said(place, "enum"), *extensible, *([value] for value in fixed)]
    known = _BY_LIST if len(lists) == 1 else frozenset[str]()
    listed = [value for values in lists for value in values]
    start = number % len(listed) if listed else 0
    if not fixed:
        for value in (*_said_within(place, "examples"), *_said(place, "example"), *_said(place, "default")):
            yield value, frozenset()
    for value in (*listed[start:], *listed[:start]):
        yield value, known


def _text(place: Place, named: Known) -> Any:
    form = next((each for each in _said(place, "format") if isinstance(each, str)), None)
    least = max((math.ceil(each) for each in _said(place, "minLength")), default=0)
    most = min((math.floor(each) for each in _said(place, "maxLength")), default=None)
    candidates = texts(named, form)
    return _first(place, [*candidates, *(f"{each:x<{min(least, 1000)}}"[:most] for each in candidates)])


def _number(place: Place, named: Known, *, whole: bool) -> Any:
    above, below = (
        [limit for keyword in keywords for limit in _said(place, keyword)]
        for keywords in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
    )
    steps = _said(place, "multipleOf")
    candidates = numbers(named, large=any(limit > 1 for limit in below))
    with suppress(OverflowError):  # of numbers that no float holds, the search finds one
        candidates += [*above, *below, *(each + 1 for each in above), *(each - 1 for each in below)]
        candidates += [(low + high) / 2 for low in above for high in below]
        candidates += [math.ceil(each / step) * step for step in steps for each in (*candidates, step)]
        if whole:
            candidates = [int(each) for each in candidates if each == int(each)]
    return _first(place, [*candidates, 0])


def _first(place: Place, candidates: list[Any]) -> Any:
    """Return the first value that a place takes; if it takes none, what a search finds, and the first as a last."""
    for value in candidates:
        if _fits(place, value, _BY_KIND):
            return value
    try:
        witness = some_document(_alone(place)).witness
    except SchemaError:
        return candidates[0]
    return candidates[0] if witness is msgspec.UNSET else witness


def _fits(place: Place, value: Any, known: frozenset[str] = frozenset()) -> bool:
    """Whether a place takes a value, as far as what is said there can be asked apart from the schema.

    Args:
        place: The place.
        value: The value.
        known: Keywords by which the value was chosen.
    """
    asserting = {keyword for part in place.parts if isinstance(part.says, Mapping) for keyword in part.says} & ASSERTING
    if asserting <= known:
        return True
    try:
        return Validator(_alone(place), closed=True).is_valid(value)
    except SchemaError:  # it refers to what stands elsewhere
        return True


def _alone(place: Place) -> dict[str, Any]:
    """Return what is said of a value as a schema of its own."""
    root = place.root
    kept = {key: root[key] for key in _KEPT if key in root} if isinstance(root, Mapping) else {}
    return {**kept, "allOf": [part.says for part in place.parts]}

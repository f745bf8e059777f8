"""Where two schemas differ, and what kind of change that is: a walk over both, field by field.

Each difference is named once, at the finest place that holds all of it. Whether something was narrowed or widened is
proven on what the place itself says; whom it breaks is judged elsewhere, on the whole contract.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from jobarium_events.evolution.changes import ChangeKind
from jobarium_events.evolution.containment import is_subset
from jobarium_events.evolution.isolating import Path, standing_alone
from jobarium_events.evolution.places import matched
from jobarium_events.validation.dialects import ASSERTING, Schema, escape, rebuilt
from jobarium_events.validation.places import Place, inner_places, place_of

__all__ = ["Difference", "differences"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between two schemas.

    Attributes:
        kind: What was done.
        pointer: JSON Pointer to it, in the new schema, or in the old one for what is gone.
        before: The place in the old schema.
        after: The same place in the new one.
        paths: All that differs, seen from the place.
        was: What the old schema said there; UNSET if nothing, or too much to tell.
        now: What the new schema says there.
        under: The keyword of which the place is a condition, ``not`` or ``if``: there, to admit less may be to admit
            more in the whole. Empty elsewhere.
    """

    kind: ChangeKind
    pointer: str
    before: Place
    after: Place
    paths: tuple[Path, ...]
    was: Any = msgspec.UNSET
    now: Any = msgspec.UNSET
    under: str = ""

    @property
    def named(self) -> ChangeKind:
        """The kind by which it is reported: a condition has none of the finer ones."""
        return ChangeKind.OTHER if self.under else self.kind


class _Way(StrEnum):
    NARROWED = "narrowed"
    WIDENED = "widened"
    CHANGED = "changed"


_TYPE = ("type",)
_ENUM = ("enum", "const")
_ALTERNATIVES = ("anyOf", "oneOf")
# Keywords that are judged together, by the kinds of change that they make.
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("type", _TYPE),
    ("enum", _ENUM),
    ("alternatives", _ALTERNATIVES),
    ("range", ("minimum", "exclusiveMinimum")),
    ("range", ("maximum", "exclusiveMaximum")),
    ("range", ("multipleOf",)),
    *(("length", (bound,)) for bound in "minLength maxLength minItems maxItems minProperties maxProperties".split()),
    ("pattern", ("pattern",)),
    ("items", ("items", "additionalItems", "prefixItems", "unevaluatedItems")),
    ("items", ("contains", "minContains", "maxContains")),
    ("items", ("uniqueItems",)),
    ("map", ("additionalProperties", "unevaluatedProperties")),
    ("other", ("patternProperties",)),
    ("other", ("propertyNames",)),
    ("other", ("dependencies", "dependentRequired", "dependentSchemas")),
    ("other", ("not",)),
    ("other", ("if", "then", "else")),
    ("other", ("$ref", "$dynamicRef", "$recursiveRef")),
)
_KINDS = {
    ("map", _Way.NARROWED): ChangeKind.MAP_CLOSED,
    ("map", _Way.WIDENED): ChangeKind.MAP_OPENED,
    ("map", _Way.CHANGED): ChangeKind.OTHER,
    **{("other", way): ChangeKind.OTHER for way in _Way},
    # Bounds of a length leave no third way; an answer that is not proven does.
    ("length", _Way.CHANGED): ChangeKind.OTHER,
}
_CONDITIONS = ("if", "not")
_EXTENSIBLE = "x-extensible-enum"


def differences(old: Schema, new: Schema) -> Iterator[Difference]:
    """Yield each difference between two schemas that may change what is accepted, in the order of the schemas.

    Args:
        old: The schema before, without the formats that are not checked.
        new: The schema after, likewise.
    """
    seen: set[tuple[tuple[str, ...], tuple[str, ...], str]] = set()
    waiting = [(place_of(old), place_of(new), "")]
    while waiting:
        before, after, under = waiting.pop()
        if (key := (before.pointers, after.pointers, under)) in seen:
            continue
        seen.add(key)
        beside = _Beside(before, after)
        for each in beside.differences():
            yield msgspec.structs.replace(each, under=under) if under else each
        inner = beside.onward(before), beside.onward(after)
        onward: list[tuple[Place, Place, str]] = []
        for keyword in _CONDITIONS:
            one, other = (places.pop(f"/{keyword}", None) for places in inner)
            if one is not None and other is not None:
                onward.append((one, other, under or keyword))
        waiting += onward
        waiting += reversed([(one, other, under) for one, other in matched(*inner)])


class _Beside:
    """Two places of one value beside each other."""

    def __init__(self, before: Place, after: Place) -> None:
        self.before = before
        self.after = after
        self.settled: set[str] = set()  # keywords of which all has been said, so that nothing within them is looked at

    def onward(self, place: Place) -> dict[str, Place]:
        """Return the inner places that are still to be compared."""
        inner = inner_places(place)
        return {step: each for step, each in inner.items() if step.split("/", 2)[1] not in self.settled}

    def differences(self) -> Iterator[Difference]:
        refused = [any(part.says is False for part in place.parts) for place in (self.before, self.after)]
        if any(refused):
            self.settled |= ASSERTING
            if not all(refused):
                yield self.difference(ChangeKind.OTHER, self.after.pointer, self.keywords())
            return
        for name, keywords, pointer in self.families():
            self.settled |= {*keywords}
            way = self.way(keywords)
            if name == "type" and way is _Way.CHANGED:
                # Nothing else that is said of the value can be compared any more.
                self.settled |= ASSERTING
                yield self.difference(ChangeKind.TYPE_CHANGED, pointer, self.keywords(), keywords)
                return
            if way is not None:
                kind = _KINDS.get((name, way)) or ChangeKind(f"{name}-{way}")
                yield self.difference(kind, pointer, keywords)
        yield from self.extensible()
        yield from self.formats()
        yield from self.fields()

    def families(self) -> Iterator[tuple[str, tuple[str, ...], str]]:
        """Yield the families of keywords that differ, each with its keywords and the JSON Pointer to name it by."""
        differing = {keywords: name for name, keywords in _FAMILIES if self.differ(keywords)}
        if self.moved_list():
            differing.pop(_ENUM, None)
        # Together these say which values there are: one without the others says nothing.
        if _ALTERNATIVES in differing and (_TYPE in differing or _ENUM in differing):
            differing = {keywords: name for keywords, name in differing.items() if keywords not in (_TYPE, _ENUM)}
            del differing[_ALTERNATIVES]
            yield "alternatives", _TYPE + _ENUM + _ALTERNATIVES, self.after.pointer
        elif _TYPE in differing and _ENUM in differing:
            pointer = self.place_of(_ENUM)
            del differing[_TYPE], differing[_ENUM]
            yield "enum", _TYPE + _ENUM, pointer
        for keywords, name in differing.items():
            yield name, keywords, self.place_of(keywords)

    def moved_list(self) -> ChangeKind | None:
        """Return whether a closed list of values became an extensible one, or the reverse."""
        was, now = (
            {key for key in ("enum", _EXTENSIBLE) if any(place.values(key))} for place in (self.before, self.after)
        )
        if (was, now) == ({"enum"}, {_EXTENSIBLE}):
            return ChangeKind.ENUM_OPENED
        return ChangeKind.ENUM_CLOSED if (was, now) == ({_EXTENSIBLE}, {"enum"}) else None

    def difference(
        self, kind: ChangeKind, pointer: str, keywords: tuple[str, ...], shown: tuple[str, ...] = ()
    ) -> Difference:
        was, now = (self.shown(place, pointer, shown or keywords) for place in (self.before, self.after))
        return Difference(
            kind=kind,
            pointer=pointer,
            before=self.before,
            after=self.after,
            paths=tuple((keyword,) for keyword in keywords),
            was=was,
            now=now,
        )

    @staticmethod
    def shown(place: Place, pointer: str, keywords: tuple[str, ...]) -> Any:
        """Return what a place says for the keyword that a pointer ends in."""
        values = [
            value for keyword in keywords if pointer.endswith(f"/{keyword}") for _, value in place.values(keyword)
        ]
        return values[0] if len(values) == 1 else msgspec.UNSET

    def keywords(self) -> tuple[str, ...]:
        """Return all keywords by which either place says what is valid."""
        said = (part.says for place in (self.before, self.after) for part in place.parts)
        return tuple(
            dict.fromkeys(key for says in said if isinstance(says, Mapping) for key in says if key in ASSERTING)
        )

    def differ(self, keywords: tuple[str, ...]) -> bool:
        """Whether the places say different things for some keywords, apart from subschemas that both have."""
        was, now = (
            sorted(_shallow(keyword, value) for keyword in keywords for _, value in place.values(keyword))
            for place in (self.before, self.after)
        )
        return was != now

    def place_of(self, keywords: tuple[str, ...]) -> str:
        """Return the JSON Pointer to the first keyword that differs."""
        keyword = next(each for each in keywords if self.differ((each,)))
        return next(at for place in (self.after, self.before) for at, _ in place.values(keyword))

    def way(self, keywords: tuple[str, ...]) -> _Way | None:
        """Return whether these keywords admit less or more than before; None if the same."""
        # Of integers, those above 0 are those from 1.
        context = keywords if self.differ(_TYPE) else (*_TYPE, *keywords)
        was, now = (
            standing_alone(
                place.root,
                [
                    {keyword: part.says[keyword] for keyword in context if keyword in part.says}
                    for part in place.parts
                    if isinstance(part.says, Mapping)
                ],
            )
            for place in (self.before, self.after)
        )
        return _way(was, now)

    def extensible(self) -> Iterator[Difference]:
        if not self.differ((_EXTENSIBLE,)):
            return
        pointer = self.place_of((_EXTENSIBLE,))
        if moved := self.moved_list():
            yield self.difference(moved, pointer, ("enum", _EXTENSIBLE), (_EXTENSIBLE,))
            return
        was, now = (
            [{"enum": values} for _, values in place.values(_EXTENSIBLE)] for place in (self.before, self.after)
        )
        way = _way({"allOf": was} if was else {}, {"allOf": now} if now else {})
        if way is not None:
            yield self.difference(ChangeKind(f"extensible-enum-{way}"), pointer, (_EXTENSIBLE,))

    def formats(self) -> Iterator[Difference]:
        if self.differ(("format",)):
            was, now = (any(place.values("format")) for place in (self.before, self.after))
            way = "changed" if was and now else "added" if now else "removed"
            yield self.difference(ChangeKind(f"format-{way}"), self.place_of(("format",)), ("format",))

    def fields(self) -> Iterator[Difference]:
        """Yield the fields that came or went, or became required or optional."""
        (had, needed), (has, needs) = (
            (
                {name: f"{at}/{escape(name)}" for at, fields in place.values("properties") for name in fields},
                {name: f"{at}/{escape(name)}" for at, names in place.values("required") for name in names},
            )
            for place in (self.before, self.after)
        )
        for name in {**had, **has, **needed, **needs}:
            kind = None
            if (name in had) != (name in has):
                kind, pointer = (
                    _field_kind(came=name in has, required=name in {**needed, **needs}),
                    {**had, **has}[name],
                )
            elif (name in needed) != (name in needs):
                kind = ChangeKind.BECAME_REQUIRED if name in needs else ChangeKind.BECAME_OPTIONAL
                pointer = {**needed, **needs}[name]
            else:
                continue
            paths: tuple[Path, ...] = (("properties", name), ("required", name))
            if name in had and name in has:
                paths = paths[1:]
            yield Difference(kind=kind, pointer=pointer, before=self.before, after=self.after, paths=paths)


def _field_kind(*, came: bool, required: bool) -> ChangeKind:
    if came:
        return ChangeKind.FIELD_ADDED_REQUIRED if required else ChangeKind.FIELD_ADDED_OPTIONAL
    return ChangeKind.FIELD_REMOVED_REQUIRED if required else ChangeKind.FIELD_REMOVED


def _shallow(keyword: str, value: Any) -> str:
    """Return what a keyword says, without what its subschemas say."""
    bare = rebuilt({keyword: value}, lambda inner, _: inner if isinstance(inner, bool) else {})
    return json.dumps(bare, sort_keys=True)


def _way(was: dict[str, Any], now: dict[str, Any]) -> _Way | None:
    less, more = is_subset(now, was).holds, is_subset(was, now).holds
    if less and more:
        return None
    return _Way.NARROWED if less else _Way.WIDENED if more else _Way.CHANGED

"""What the places that speak of a value say of it, and whether some of their rules are left over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from jobarium_events.fields.kinds import (
    BRANCHES,
    Pointers,
    bases,
    branches,
    but_null,
    is_null,
    json_of,
    listed,
    map_values,
    positions,
    type_of,
)
from jobarium_events.fields.rows import ItemRow, ListedValue
from jobarium_events.validation.places import Place, inner_places, keyword_of, place_at

__all__ = ["said"]

_LIMITS = {
    "minimum": ">= {}",
    "exclusiveMinimum": "> {}",
    "maximum": "<= {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "a multiple of {}",
}
_COUNTS = {
    "minLength": "at least {} character",
    "maxLength": "at most {} character",
    "minItems": "at least {} item",
    "maxItems": "at most {} item",
    "minProperties": "at least {} field",
    "maxProperties": "at most {} field",
}
_UNTOLD = frozenset(
    "$dynamicRef $recursiveRef $ref contains dependencies dependentRequired dependentSchemas not propertyNames "
    "unevaluatedItems unevaluatedProperties".split()
)


def said(places: Sequence[Place], above: Pointers = frozenset(), *, briefly: bool = False) -> dict[str, Any]:
    """Return what is said of a value, under the names that a row has for it.

    Args:
        places: The places that speak of it.
        above: Those that it is within, as far as they are being told already: what is recursive is told once.
        briefly: Whether it is a branch, or within one, whose own branches would make that endless to read.
    """
    type_ = type_of(places)
    places = [but_null(place) for place in places]
    values, closed = listed(places)
    description, unit, pattern = (
        next(iter(_texts(places, each)), None) for each in ("description", "x-unit", "pattern")
    )
    description = description or next(iter(_texts(places, "title")), "")
    default = next((json_of(value) for place in places for _, value in place.values("default")), None)
    within = above | {place.pointers for place in places}
    items = _each([others for placed, others in map(positions, places) if not placed], within, briefly=briefly)
    entries = _each([map_values(place) for place in places], within, briefly=briefly)
    rules = [_rules(place, within, briefly=briefly) for place in places]
    formats = list(dict.fromkeys([*_formats(places), *(text for texts, _ in rules for text in texts)]))
    meaning = [*_meaning(description, unit, pattern, values, closed=closed, type_=type_)]
    if default is not None:
        meaning.append(f"Default: {default}.")
    for each, row in (("each item", items), ("each value", entries)):
        if row is not None and row.format:
            formats.append(f"{each}: {row.format}")
        if row is not None and row.meaning:
            meaning.append(f"{each.capitalize()}: {row.meaning}")
    return {
        "type": type_,
        "format": ", ".join(formats),
        "meaning": " ".join(meaning),
        "values": tuple(each.value for each in values) if closed else None,
        "description": description,
        "unit": unit,
        "pattern": pattern,
        "listed": values,
        "extensible": bool(values) and not closed,
        "default": default,
        "items": items,
        "entries": entries,
        "further": any(is_left for _, is_left in rules)
        or any(row is not None and row.further for row in (items, entries)),
    }


def _each(found: Sequence[Place | None], above: Pointers, *, briefly: bool) -> ItemRow | None:
    """Return what is said of each value within another, if more is said of it than its type."""
    places = [place for place in found if place is not None and place.pointers not in above]
    if not places:
        return None
    row = ItemRow(**said(places, above, briefly=briefly))
    return row if row.format or row.meaning or row.further else None


def _texts(places: Sequence[Place], keyword: str) -> list[str]:
    found = [value for place in places for _, value in place.values(keyword) if isinstance(value, str) and value]
    return list(dict.fromkeys(found))


def _formats(places: Sequence[Place]) -> Iterator[str]:
    yield from _texts(places, "format")
    for keyword, text in _LIMITS.items():
        yield from (text.format(value) for place in places for _, value in place.values(keyword))
    for keyword, text in _COUNTS.items():
        counts = [value for place in places for _, value in place.values(keyword)]
        yield from (f"{text.format(count)}{'' if count == 1 else 's'}" for count in counts)
    if any(is_unique is True for place in places for _, is_unique in place.values("uniqueItems")):
        yield "no item twice"


def _meaning(
    description: str, unit: str | None, pattern: str | None, values: Sequence[ListedValue], *, closed: bool, type_: str
) -> Iterator[str]:
    if description:
        yield description
    if unit is not None:
        yield f"Unit: {unit}."
    if pattern is not None:
        yield f"Pattern: {pattern}"
    if values:
        texts = [each.value if isinstance(each.value, str) else json_of(each.value) for each in values]
        is_one = closed and len(texts) == 1 and not type_.endswith(" or null")
        yield f"{'Always' if is_one else 'One of'}: {', '.join(texts)}{'' if closed else ', or others'}."


# ---------------------------------------------------------------- what has no row of its own


def _rules(place: Place, above: Pointers, *, briefly: bool) -> tuple[list[str], bool]:
    """Return the rules for what a place holds or may be, and whether there are some that are told nowhere."""
    texts: list[str] = []
    left = _is_left(place)
    for text, is_left in (
        _in_order(place, above, briefly=briefly),
        *_others(place, above, briefly=briefly),
        _union(place, above, briefly=briefly),
    ):
        texts += [text] if text else []
        left |= is_left
    return texts, left


def _in_order(place: Place, above: Pointers, *, briefly: bool) -> tuple[str, bool]:
    """Return the rules for the items of a list that have a place of their own."""
    placed, others = positions(place)
    every = [*placed.values(), *(() if others is None or not placed else (others,))]
    if any(each.pointers in above for each in every):
        return "", True
    rows = [_row(each, above, briefly=briefly) for each in every]
    if all(_brief(row) == row.type for row in rows):
        return "", any(row.further for row in rows)
    words = [_brief(row) for row in rows]
    if len(rows) > len(placed):
        words[-1] = "no more" if rows[-1].type == "none" else f"then {words[-1]}"
    return f"in order: {', '.join(words)}", any(row.further for row in rows)


def _others(place: Place, above: Pointers, *, briefly: bool) -> Iterator[tuple[str, bool]]:
    """Yield the rules for the fields of an object that it does not name."""
    for step, inner in inner_places(place).items():
        keyword, _, rest = step[1:].partition("/")
        if keyword == "patternProperties":
            name = f"fields that match {rest.replace('~1', '/').replace('~0', '~')}"
        elif keyword == "additionalProperties" and map_values(place) is None:
            name = "other fields"
        else:
            continue
        if inner.pointers in above:
            yield "", True
            continue
        row = _row(inner, above, briefly=briefly)
        if row.type == "none":
            yield name.replace("fields", "no fields") if rest else "no other fields", False
        elif rest or _brief(row) != "any":
            yield f"{name}: {_brief(row)}", row.further


def _union(place: Place, above: Pointers, *, briefly: bool) -> tuple[str, bool]:
    """Return the rules for a value that is one of several, apart from null."""
    lists: list[tuple[str, list[Place]]] = []
    for keyword in BRANCHES:
        for pointer, found in place.values(keyword):
            every = [place_at(place.root, (f"{pointer}/{i}", branch)) for i, branch in enumerate(found)]
            lists.append((keyword, [each for each in every if not is_null(each)]))
    lists = [(keyword, every) for keyword, every in lists if len(every) > 1]
    if len(lists) != 1 or briefly:
        return "", bool(lists)
    keyword, every = lists[0]
    if any(each.pointers in above for each in every):
        return "", True
    rows = [_row(each, above, briefly=True) for each in every]
    own = bases(place)
    left = any(row.further for row in rows) or not _is_told(keyword, [bases(each) & own for each in every])
    told = [_brief(row) for row in rows]
    return "" if told == [row.type for row in rows] else " or ".join(told), left


def _is_told(keyword: str, types: Sequence[frozenset[str]]) -> bool:
    """Whether what is said of each branch is all that there is to it: no branch takes what another is for."""
    if sum(map(len, types)) == len(frozenset(chain.from_iterable(types))):
        return True
    return keyword == "anyOf" and not any("object" in each for each in types)


def _row(place: Place, above: Pointers, *, briefly: bool) -> ItemRow:
    return ItemRow(**said([place], above, briefly=briefly))


def _brief(row: ItemRow) -> str:
    """Return what is said of a value in a few words; without what is said to explain it."""
    words = [row.format] if row.format else []
    if row.pattern:
        words.append(f"matches {row.pattern}")
    if row.listed:
        values = ", ".join(json_of(each.value) for each in row.listed)
        words.append(f"{'always' if row.always else 'one of'} {values}{', or others' if row.extensible else ''}")
    if not words:
        return row.type
    return ", ".join(words) if row.type in ("any", "one of several") else f"{row.type} ({', '.join(words)})"


def _is_left(place: Place) -> bool:
    """Whether a place has rules that nothing else here tells."""
    for part in place.parts:
        if isinstance(part.says, Mapping):
            if any(part.says[each] is not True or each == "not" for each in _UNTOLD.intersection(part.says)):
                return True
            if "if" in part.says and ("then" in part.says or "else" in part.says):
                return True
    several = (("type",), ("pattern",), ("enum", "const"))
    if any(len({json_of(value) for each in group for _, value in place.values(each)}) > 1 for group in several):
        return True
    names = _names(place, frozenset())
    return any(name not in names for _, required in place.values("required") for name in required)


def _names(place: Place, above: Pointers) -> set[str]:
    """Return the names of the fields that have a row."""
    names = {
        step.removeprefix("/properties/").replace("~1", "/").replace("~0", "~")
        for step in inner_places(place)
        if keyword_of(step) == "properties"
    }
    above |= {place.pointers}
    for keyword in BRANCHES:
        for each in branches(place, keyword):
            if each.pointers not in above:
                names |= _names(each, above)
    return names

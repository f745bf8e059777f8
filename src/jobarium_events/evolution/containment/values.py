"""Values that are equal in JSON, told from those that are not, and values chosen so that no two are equal."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jobarium_events.evolution.containment.formulas import fraction

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.found import Spend

__all__ = ["different", "distinct", "identity"]


def identity(value: Any) -> Hashable:
    """Return what is equal for two values exactly if they are equal in JSON: 1 is 1.0, but not true."""
    match value:
        case bool() | None | str():
            return value if not isinstance(value, bool) else ("boolean", value)
        case int() | float():
            return ("number", fraction(value))
        case list():
            return ("array", *map(identity, value))
        case _:
            return frozenset((name, identity(inner)) for name, inner in value.items())


def distinct(choices: Sequence[Sequence[Any]]) -> list[Any] | None:
    """Return one value of each list so that no two are equal; None if that cannot be done."""
    keyed = [{identity(value): value for value in choice} for choice in choices]
    takers: dict[Hashable, int] = {}

    def take(place: int, tried: set[Hashable]) -> bool:
        for key in keyed[place]:
            if key not in takers:
                takers[key] = place
                return True
        for key in keyed[place]:
            if key not in tried:
                tried.add(key)
                if take(takers[key], tried):
                    takers[key] = place
                    return True
        return False

    if not all(take(place, set()) for place in range(len(choices))):
        return None
    taken = {place: key for key, place in takers.items()}
    return [keyed[place][taken[place]] for place in range(len(choices))]


def different(choices: Sequence[Sequence[Any]], spend: Spend) -> Iterator[list[Any]]:
    """Yield every way to take one value of each list so that no two are equal.

    Args:
        choices: The lists.
        spend: Called for each step; may raise to end the search.
    """
    keyed = [[(identity(value), value) for value in choice] for choice in choices]

    def taken(place: int, keys: frozenset[Hashable]) -> Iterator[list[Any]]:
        if place == len(keyed):
            yield []
            return
        for key, value in keyed[place]:
            spend(1)
            if key not in keys:
                for others in taken(place + 1, keys | {key}):
                    yield [value, *others]

    return taken(0, frozenset())

"""Mappings that are never changed, and of which a changed copy is cheap however large they are."""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping, ValuesView
from typing import Any, TypeVar

__all__ = ["Layers", "layered"]

V = TypeVar("V")
_MOST = 32
"""How many entries the upper layer has at most; only they are copied each time."""


class Layers(Mapping[str, V]):
    """A mapping of two layers: a large one that copies share, and a small one with what has changed since.

    Args:
        below: The lower layer; it must not be changed any more.
        above: The upper one, whose entries count.
    """

    __slots__ = ("_above", "_below")

    def __init__(self, below: Mapping[str, V], above: Mapping[str, V]) -> None:
        self._below = below
        self._above = above

    def __getitem__(self, key: str) -> V:
        return self._above[key] if key in self._above else self._below[key]

    def __contains__(self, key: object) -> bool:
        return key in self._above or key in self._below

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or another one where there is none; asked for each name that a statement has."""
        above = self._above
        return above[key] if key in above else self._below.get(key, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._flat())

    def __len__(self) -> int:
        return len(self._flat())

    def values(self) -> ValuesView[V]:
        """Return the values, as a mapping of one layer has them."""
        return self._flat().values()

    def items(self) -> ItemsView[str, V]:
        """Return the keys with their values, as a mapping of one layer has them."""
        return self._flat().items()

    def having(self, key: str, value: V) -> Layers[V]:
        """Return the same with another entry, or with another value of one."""
        above = {**self._above, key: value}
        return Layers(self._below, above) if len(above) <= _MOST else Layers({**self._below, **above}, {})

    def without(self, keys: Collection[str]) -> Layers[V]:
        """Return the same without some entries; the very same if it has none of them."""
        if not any(key in self for key in keys):
            return self
        if not any(key in self._below for key in keys):
            return Layers(self._below, {key: value for key, value in self._above.items() if key not in keys})
        kept = {**self._flat()}
        for key in keys:
            kept.pop(key, None)
        return Layers(kept, {})

    def _flat(self) -> Mapping[str, V]:
        return {**self._below, **self._above} if self._above else self._below


def layered(mapping: Mapping[str, V]) -> Layers[V]:
    """Return a mapping in layers."""
    return mapping if isinstance(mapping, Layers) else Layers(mapping, {})

"""Names for the generated classes: made of letters and digits alone, and none that their source needs for itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ClassNames", "class_name"]

# Words of Python, and what the printed source imports.
_TAKEN = frozenset(
    "Annotated Any ClassVar False Literal MaybeAbsent Meta None Struct True UNSET UUID UnsetType".split()
)


def class_name(*parts: str) -> str:
    """Return the parts as one class's name: ``"JobUpdatedV1"``, ``"source-id"`` as ``"JobUpdatedV1SourceId"``."""
    name = "".join(_capitalized(part) or "Value" for part in parts)
    name = name if name[0].isalpha() else f"Value{name}"
    return f"{name}Value" if name in _TAKEN else name


def _capitalized(text: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"[0-9A-Za-z]+", text))


class ClassNames:
    """The names that are given already, so that no two classes have one."""

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._given = set(given)

    def new(self, name: str) -> str:
        """Return a name that no other class has: this one, or it with a number."""
        count, candidate = 1, name
        while candidate in self._given:
            count += 1
            candidate = f"{name}{count}"
        self._given.add(candidate)
        return candidate

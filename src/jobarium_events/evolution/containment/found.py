"""What a search is for, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jobarium_events.evolution.containment.atoms import Literal

__all__ = ["Found", "Goal", "Spend"]

Goal = frozenset[Literal]
"""A value is wanted that satisfies all of these."""

Spend = Callable[[int], None]
"""Takes so many steps, each about ten microseconds of work; raises where there are no more to take."""


class Found(NamedTuple):
    """Values that satisfy a goal, all different.

    Attributes:
        values: As many as were wanted, or fewer.
        complete: Where they are fewer, whether it is proven that there are no others.
    """

    values: tuple[Any, ...]
    complete: bool

    @property
    def nothing(self) -> bool:
        """Whether it is proven that there is no such value."""
        return self.complete and not self.values

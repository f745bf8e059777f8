"""What comes back from the functions that a service hands in: a result, or something to await."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING

from jobarium_events.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_async", "refuse_awaitable"]


def is_async(function: Callable[..., object]) -> bool:
    """Whether calling a function gives something to await, as far as its definition tells."""
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def refuse_awaitable(result: object, problem: str) -> None:
    """Raise if a result is there to be awaited, where nothing can await it: what it stands for is not done.

    Raises:
        DeclarationError: With the problem as its text.
    """
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise DeclarationError(problem)

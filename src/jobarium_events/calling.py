"""What comes back from the functions that a service hands in: a result, or something to await."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING

from jobarium_events.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_async", "refuse_awaitable", "refuse_generator"]


def is_async(function: Callable[..., object]) -> bool:
    """Whether calling a function gives something to await, as far as its definition tells."""
    function = _called(function)
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


def refuse_generator(function: Callable[..., object], title: str) -> None:
    """Raise if calling a function gives a generator: nothing would run its body.

    Raises:
        DeclarationError: Naming the function by `title`.
    """
    function = _called(function)
    for each in (function, type(function).__call__):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise DeclarationError(f"{title} is a generator, whose body would never run; remove its yield")


def _called(function: Callable[..., object]) -> Callable[..., object]:
    while isinstance(function, partial):
        function = function.func
    return function

"""The transport that a command sends through, as a service's own module names it."""

import inspect
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from jobarium_events.cli.naming import TARGET, imported, named, told
from jobarium_events.errors import DeclarationError
from jobarium_events.transports import Transport

__all__ = ["opened"]


@asynccontextmanager
async def opened(target: str) -> AsyncIterator[Transport]:
    """Open the transport that a target names: one, or a function without parameters, sync or async, that makes one.

    One that is an async context manager is entered, and left at the end.

    Raises:
        DeclarationError: If there is none, or it cannot be made.
    """
    match = TARGET.fullmatch(target)
    if match is None:
        raise DeclarationError(f"{target!r} names no transport; write package.module:name, as in jobs.app:transport")
    module = imported(match["module"])
    found = named(target, module, match["name"], (name for name, value in vars(module).items() if _is_one(value)))
    async with AsyncExitStack() as stack:
        made = found
        try:
            if not _is_one(made) and callable(made):
                made = made()
            if inspect.isawaitable(made):
                made = await made
            if hasattr(type(made), "__aenter__"):
                made = await stack.enter_async_context(made)
        except Exception as error:  # noqa: BLE001 - a service's function may raise anything
            raise DeclarationError(f"{target} made no transport: {told(error)}") from None
        if not _is_one(made):
            raise DeclarationError(f"{target} is no transport, nor a function that makes one, but has no asend")
        yield made


def _is_one(value: Any) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "asend", None))

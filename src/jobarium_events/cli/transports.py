"""The transport that a command sends through, as a service's own module names it."""

import inspect
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from jobarium_events.cli.naming import TARGET, imported, named, needs_arguments, refuse_missing_client, told
from jobarium_events.errors import DeclarationError
from jobarium_events.transports import Transport, check_transport

__all__ = ["opened"]

# FastStream's module and broker, and what else a transport needs; by the schemes of URLs, with an "s" more for TLS.
_BROKERS = {
    "amqp": ("rabbit", "RabbitBroker", ""),
    "kafka": ("kafka", "KafkaBroker", ""),
    "mqtt": ("mqtt", "MQTTBroker", ""),
    "nats": ("nats", "NatsBroker", ', stream="EVENTS"'),
    "redis": ("redis", "RedisBroker", ""),
}


@asynccontextmanager
async def opened(target: str) -> AsyncIterator[Transport]:
    """Open the transport that a target names: one, or a function without parameters, sync or async, that makes one.

    One that is an async context manager is entered, and left at the end.

    Raises:
        DeclarationError: If there is none, or it cannot be made.
        MissingExtra: If the client of its broker is not installed.
    """
    match = TARGET.fullmatch(target)
    if match is None:
        raise DeclarationError(_no_target(target))
    module = imported(match["module"])
    found = named(target, module, match["name"], (name for name, value in vars(module).items() if _is_one(value)))
    is_function = not _is_one(found) and callable(found)
    if is_function and needs_arguments(found):
        raise DeclarationError(f"{target} makes no transport: it must take no parameters")
    async with AsyncExitStack() as stack:
        made = found
        try:
            if is_function:
                made = made()
            if inspect.isawaitable(made):
                made = await made
            if hasattr(type(made), "__aenter__"):
                made = await stack.enter_async_context(made)
        except Exception as error:  # noqa: BLE001 - a service's function may raise anything
            refuse_missing_client(error)
            raise DeclarationError(f"{target} made no transport: {told(error)}") from None
        check_transport(made, f"--to {target}")
        yield made


def _no_target(target: str) -> str:
    """Return what to write in place of a target that is none; a URL is not repeated, as it may hold a password."""
    scheme, is_url, _ = target.partition("://")
    if not is_url:
        return f"{target!r} names no transport; write package.module:name, as in jobs.app:transport"
    known = _BROKERS.get(scheme) or _BROKERS.get(scheme.removesuffix("s"))
    if known is None:
        return "--to names a transport in a module of yours, and no URL: package.module:name, as in jobs.app:transport"
    module, broker, options = known
    return (
        "--to names a transport in a module of yours, and no URL. With this in relaying.py it is "
        "--to relaying:transport\n\n"
        f"    from faststream.{module} import {broker}\n"
        "    from jobarium_events.integrations.faststream import FastStreamTransport\n\n"
        f"    transport = FastStreamTransport({broker}(...){options})\n"
    )


def _is_one(value: Any) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "asend", None))

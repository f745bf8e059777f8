"""Which handler an event reaches, and by which upcasts on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import orjson

from jobarium_events.contract import Lifecycle
from jobarium_events.envelope import Event
from jobarium_events.errors import DeclarationError, RetiredVersion, UnknownContract
from jobarium_events.readers import ContractReader, Reader
from jobarium_events.upcasting import Upcast, UpcastingReader, nearest_reached
from jobarium_events.views import view_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.catalog import Catalog, Entry
    from jobarium_events.views import View

__all__ = ["NO_ROUTE", "Handler", "Route", "Router"]

# How an event begins as our producers write it, what follows its name and version, and by which byte at the latest.
_START = b'{"event_name":"'
_AFTER_VERSION = b',"event_id"'
_LONGEST_START = 256


class _Header(msgspec.Struct):
    event_name: str
    event_version: str


_decode_header = msgspec.json.Decoder(_Header).decode


class Handler(msgspec.Struct, frozen=True, eq=False):
    """A registered handler.

    Attributes:
        call: The function.
        is_async: Whether it gives something to await.
        wanted: How it sees the payload; None for the contract's class.
    """

    call: Callable[[Event[Any]], Any]
    is_async: bool
    wanted: Any


class Route:
    """How the events of one contract reach a handler; without a handler, they are skipped."""

    __slots__ = ("call", "event", "fast", "fast_replayed", "handler", "is_async", "reader", "start", "version")

    def __init__(self, event: str, version: str, handler: Handler | None = None, reader: Any = None) -> None:
        self.event = event
        self.version = version
        self.handler = handler
        self.reader = reader
        self.is_async = f"the handler of {event} {version} is async; use aconsume"
        self.call = self._refuse if handler is None or handler.is_async else handler.call
        if reader is not None:
            self.start = orjson.dumps({"event_name": event, "event_version": version}).removesuffix(b"}")
            self.fast = reader.fast
            self.fast_replayed = reader.fast_replayed

    def _refuse(self, _: Event[Any]) -> NoReturn:
        raise DeclarationError(self.is_async)


NO_ROUTE = Route("", "")
"""What no event takes."""
NO_ROUTE.start = b"no event starts like this"


class Router:
    """The handlers and upcasts of one consumer, and the routes that follow from them, each made when first taken.

    Attributes:
        view: Gives the view of a contract's payloads that a handler's annotation asks for.
        events: The names of the events that have a handler.
        resolved: The routes made so far, by name and version.
    """

    def __init__(self, catalog: Catalog, view: Callable[[Any, Entry], View] = view_of) -> None:
        self._catalog = catalog
        self.view = view
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._upcasts: dict[tuple[str, str], Upcast] = {}
        self._lock = threading.Lock()
        self.events: set[str] = set()
        self.resolved: dict[tuple[str | None, str | None], Route] = {}
        # By the first bytes of an event as our producers write it: its name and version.
        self._by_start: dict[bytes, Route] = {}

    def add_handler(self, event: str, version: str, handler: Handler) -> None:
        """Register the handler of a contract.

        Raises:
            DeclarationError: If there is one already, or it cannot see the contract's payloads as it wants to.
        """
        if (event, version) in self._handlers:
            raise DeclarationError(f"{event} {version} has a handler already; a contract has one in each consumer")
        self._check_view(event, version, handler.wanted)
        with self._lock:
            self._handlers[event, version] = handler
            self.events.add(event)
            self._forget_routes()

    def add_upcast(self, upcast: Upcast) -> None:
        """Register the upcast of a version.

        Raises:
            DeclarationError: If there is one already, or it cannot see the version's payloads as it wants to.
        """
        if (upcast.event, upcast.source) in self._upcasts:
            raise DeclarationError(f"{upcast.event} {upcast.source} has an upcast already")
        self._check_view(upcast.event, upcast.source, upcast.wanted)
        with self._lock:
            self._upcasts[upcast.event, upcast.source] = upcast
            self._forget_routes()

    def known(self, raw: bytes) -> Route:
        """Return the route of an event that has one already, by as few of its bytes as will do.

        Raises:
            Exception: If it has none, or is no event.
        """
        if raw.startswith(_START):
            route = self._by_start.get(raw[: raw.find(_AFTER_VERSION, 0, _LONGEST_START)])
            if route is not None:
                return route
        header = _decode_header(raw)
        return self.resolved[header.event_name, header.event_version]

    def made(self, event: str, version: str) -> Route | None:
        """Make the route of a contract in the catalog, or None if nothing here consumes it.

        Raises:
            RetiredVersion: If the contract is retired.
        """
        with self._lock:
            entry = self._catalog.entry(event, version)
            if entry.contract.lifecycle is Lifecycle.RETIRED:
                raise RetiredVersion(event, version)
            handler, chain = self._handlers.get((event, version)), self._chain(event, version)
            if handler is not None:
                reader: Reader = ContractReader(entry, self.view(handler.wanted, entry))
            elif chain:
                handler = self._handlers[event, chain[-1].target]
                target = self._catalog.entry(event, chain[-1].target)
                reader = UpcastingReader(self._catalog, chain, self.view(handler.wanted, target))
            else:
                return None
            route = Route(event, version, handler, reader)
            self.resolved[event, version] = route
            self._by_start[route.start] = route
            return route

    def not_taken(self, event: str, version: str) -> str:
        """Return which versions of an event are taken here, and what to do that another one is as well."""
        contracts = self._catalog.versions(event)
        known = [each.version for each in contracts]
        live = [each.version for each in contracts if each.lifecycle is not Lifecycle.RETIRED]
        taken = [each for each in live if (event, each) in self._handlers or self._chain(event, each)]
        takes = f"this consumer takes {', '.join(taken) or 'none'}"
        if version in known:
            return f"{takes}; add a handler, or an upcast to a version that has one"
        return f"{takes}, and the catalog has {', '.join(known)}; install one that has the version"

    def gaps(self) -> list[str]:
        """Return a sentence for each contract that may be on the wire and goes unconsumed, or is not in the catalog."""
        return [*self._declared_in_vain(), *self._unconsumed()]

    def _declared_in_vain(self) -> Iterator[str]:
        for event, version in sorted(self._handlers):
            if (event, version) not in self._catalog:
                yield f"{event} {version} has a handler, but {_lacking(self._catalog, event, version)}"
            elif self._catalog.contract(event, version).lifecycle is Lifecycle.RETIRED:
                yield f"{event} {version} is retired; remove its handler"
        for upcast in self._upcasts.values():
            for what, version in (("from", upcast.source), ("to", upcast.target)):
                if (upcast.event, version) not in self._catalog:
                    lacking = _lacking(self._catalog, upcast.event, version)
                    yield f"an upcast leads {what} {upcast.event} {version}, but {lacking}"
            if (upcast.event, upcast.target) not in self._handlers and not self._chain(upcast.event, upcast.target):
                yield f"an upcast leads to {upcast.event} {upcast.target}, which has neither handler nor upcast"

    def _unconsumed(self) -> Iterator[str]:
        for event in sorted(self.events):
            for contract in self._catalog.versions(event) if event in self._catalog else ():
                if contract.lifecycle not in (Lifecycle.ACTIVE, Lifecycle.DEPRECATED):
                    continue
                if (event, contract.version) not in self._handlers and not self._chain(event, contract.version):
                    yield (
                        f"{contract.name} is {contract.lifecycle} and nothing consumes it; "
                        "add a handler, or an upcast to a version that has one"
                    )

    def _check_view(self, event: str, version: str, wanted: Any) -> None:
        if (event, version) in self._catalog:
            view_of(wanted, self._catalog.entry(event, version))

    def _chain(self, event: str, version: str) -> list[Upcast]:
        chain = nearest_reached(self._upcasts, event, version, self._handlers)
        return chain if all((event, upcast.target) in self._catalog for upcast in chain) else []

    def _forget_routes(self) -> None:
        self.resolved.clear()
        self._by_start.clear()


def _lacking(catalog: Catalog, event: str, version: str) -> str:
    known = [each.version for each in catalog.versions(event)] if event in catalog else catalog.events
    return str(UnknownContract(event, version if event in catalog else None, known))

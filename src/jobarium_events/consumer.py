"""The consumer: bytes in, exactly one outcome out. It does no I/O of its own."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, NoReturn, Self, TypeVar, overload

import msgspec
import orjson

from jobarium_events.catalog import Catalog
from jobarium_events.contract import VERSION, Lifecycle, contract_of
from jobarium_events.deadletters import DeadLetter
from jobarium_events.envelope import REPLAY, Event, Outcome
from jobarium_events.errors import (
    ConsumptionGap,
    DeclarationError,
    Malformed,
    Rejection,
    RetiredVersion,
    UnknownEvent,
    UnknownVersion,
)
from jobarium_events.observing import Consumed, Hooks, notify
from jobarium_events.readers import ContractReader, EnvelopeReader, Reader, bad_envelope, named, parsed
from jobarium_events.upcasting import Upcast, UpcastingReader, declared_upcast, nearest_reached
from jobarium_events.views import payload_annotation, view_of

__all__ = ["Consumer"]

P = TypeVar("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., object])

_HANDLED = Outcome.HANDLED

# How an event begins as our producers write it, what follows its name and version, and by which byte at the latest.
_START = b'{"event_name":"'
_AFTER_VERSION = b',"event_id"'
_LONGEST_START = 256


class _Header(msgspec.Struct):
    event_name: str
    event_version: str


_decode_header = msgspec.json.Decoder(_Header).decode

# What a reader's fast way may raise where something is wrong; the exact way then says what.
_UNSURE = (
    KeyError, TypeError, AttributeError, ValueError, RecursionError, msgspec.MsgspecError, Rejection,
)  # fmt: skip


class Consumer:
    """Takes events as bytes to per-version handlers; safe to share between threads and tasks once declared.

    Args:
        catalog: The contracts to validate by.
        name: The name of the service.
        strict: Whether an event or a version that the catalog does not have is rejected. Otherwise such a version
            goes to the `otherwise` handler, and is skipped where there is none.
        dead_letters: Takes each rejected event; without it, rejections are raised.
        max_bytes: Events of more bytes are rejected unread.
        hooks: Told of each event consumed.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        name: str,
        strict: bool = True,
        dead_letters: Callable[[DeadLetter], object] | None = None,
        max_bytes: int = 1024 * 1024,
        hooks: Iterable[Hooks] = (),
    ) -> None:
        self.catalog = catalog
        self.name = name
        self.strict = strict
        self.max_bytes = max_bytes
        self._dead_letters = dead_letters
        self._dead_letters_are_async = dead_letters is not None and is_async(dead_letters)
        self._hooks = tuple(hooks)
        self._handlers: dict[tuple[str, str], _Handler] = {}
        self._events: set[str] = set()
        self._upcasts: dict[tuple[str, str], Upcast] = {}
        self._otherwise: _Handler | None = None
        self._lock = threading.Lock()
        self._resolved: dict[tuple[str, str], _Route | None] = {}
        # Routes by the first bytes of an event as our producers write it: its name and version.
        self._routes: dict[bytes, _Route] = {}
        # Events come in runs, so the last event's route is tried first.
        self._last = _NO_ROUTE

    # -- declaring ---------------------------------------------------------------------------------------------

    @overload
    def on(self, contract: type[P], /) -> Callable[[Callable[[Event[P]], R]], Callable[[Event[P]], R]]: ...
    @overload
    def on(self, event: str, version: str, /) -> Callable[[F], F]: ...
    def on(self, event: Any, version: str | None = None, /) -> Any:
        """Register a handler for one contract, named by its payload class, or by event and version.

        The handler's annotation picks its view of the payload: ``Event[X]`` where X is the contract's class, dict,
        a pydantic model, a dataclass, a TypedDict or a Struct; without one it is the contract's class. The function
        is returned unchanged.

        Raises:
            DeclarationError: If the contract has a handler already, or the handler cannot take it.
        """
        wanted = None
        if isinstance(event, type):
            wanted = event
            event, version = contract_of(wanted)
        if not isinstance(event, str) or not isinstance(version, str):
            raise DeclarationError('name a contract by its payload class, or by event and version: on("job.updated", "v1")')
        if not VERSION.fullmatch(version):
            raise DeclarationError(f"{version!r} is no version; versions are written v1, v2, ...")

        def register(function: F) -> F:
            if (event, version) in self._handlers:
                raise DeclarationError(f"{event} {version} has a handler already; a contract has one in each consumer")
            asked = payload_annotation(function)
            handler = _Handler(function, is_async(function), wanted if asked is None else asked)
            if (event, version) in self.catalog:
                view_of(handler.wanted, self.catalog.entry(event, version))  # refuses what cannot be, here
            with self._lock:
                self._handlers[event, version] = handler
                self._events.add(event)
                self._forget_routes()
            return function

        return register

    @overload
    def upcast(self, function: F, /) -> F: ...
    @overload
    def upcast(self, event: str, source: str, target: str, /) -> Callable[[F], F]: ...
    def upcast(self, *given: Any) -> Any:
        """Register a pure function from one version's payload (and the event) to a newer version's payload.

        Source and target are the annotations of parameter and return, or are named:
        ``@consumer.upcast("job.updated", "v1", "v2")``. Upcasts chain, and each result is validated. An event whose
        upcast raises or returns an invalid payload is rejected, `InvalidUpcast`.

        Raises:
            DeclarationError: If the version has an upcast already, or the declaration is incomplete.
        """
        names = given if given and isinstance(given[0], str) else ()

        def register(function: F) -> F:
            upcast = declared_upcast(function, names)
            if (upcast.event, upcast.source) in self._upcasts:
                raise DeclarationError(f"{upcast.event} {upcast.source} has an upcast already")
            with self._lock:
                self._upcasts[upcast.event, upcast.source] = upcast
                self._forget_routes()
            return function

        return register if names else register(*given)

    def otherwise(self, function: F, /) -> F:
        """Register the handler of versions that the catalog lacks, for a consumer that is not strict.

        It gets an ``Event[dict]`` whose envelope is validated and whose payload is not: there is no schema to do so.

        Raises:
            DeclarationError: If there is one already, or the consumer is strict.
        """
        if self.strict:
            raise DeclarationError("a strict consumer rejects unknown versions; make it strict=False to use otherwise")
        if self._otherwise is not None:
            raise DeclarationError("there is an otherwise handler already")
        if payload_annotation(function) not in (None, dict):
            raise DeclarationError("the payload of an unknown version is a dict; annotate it as Event[dict]")
        self._otherwise = _Handler(function, is_async(function), dict)
        return function

    def verify(self) -> None:
        """Check, at start-up, that no version that may be on the wire goes unconsumed.

        Raises:
            ConsumptionGap: Naming every active or deprecated version of a subscribed event that nothing consumes,
                every handler or upcast for a contract that the catalog lacks, and every handler of a retired one.
        """
        gaps = []
        for event, version in sorted(self._handlers):
            if (event, version) not in self.catalog:
                gaps.append(f"{event} {version} has a handler, but the catalog has no such contract")
            elif self.catalog.contract(event, version).lifecycle is Lifecycle.RETIRED:
                gaps.append(f"{event} {version} is retired; remove its handler")
        for upcast in self._upcasts.values():
            gaps += [
                f"an upcast leads {what} {upcast.event} {version}, but the catalog has no such contract"
                for what, version in (("from", upcast.source), ("to", upcast.target))
                if (upcast.event, version) not in self.catalog
            ]
        for event in sorted(self._events):
            for contract in self.catalog.versions(event) if event in self.catalog else ():
                on_the_wire = contract.lifecycle in (Lifecycle.ACTIVE, Lifecycle.DEPRECATED)
                if on_the_wire and not self._reaches_handler(event, contract.version):
                    gaps.append(
                        f"{contract.name} is {contract.lifecycle} and nothing consumes it; "
                        "add a handler, or an upcast to a version that has one"
                    )
        if gaps:
            raise ConsumptionGap(self.name, gaps)

    # -- consuming ---------------------------------------------------------------------------------------------

    def consume(self, raw: bytes, attributes: Mapping[str, str] | None = None) -> Outcome:
        """Take one event to its handler.

        Args:
            raw: The event, JSON in UTF-8.
            attributes: The message's attributes, of which ``replay`` tells a replay.

        Returns:
            What became of it. Either this returns, or it raises and the event is not consumed.

        Raises:
            Rejection: If the event is rejected and there are no dead letters.
            DeclarationError: If the handler or the dead letters are async: use `aconsume`.
            ViewError: If the handler's own payload type refuses the event.
            Exception: Whatever the handler raises, untouched.
        """
        if not self._hooks and not (attributes and REPLAY in attributes):
            # The way of nearly every event, in one place: each call saved here is a tenth of the whole.
            try:
                route = self._last
                if not raw.startswith(route.start):
                    route = self._last = self._known(raw)
                event = route.fast(raw)
                if len(raw) > self.max_bytes or not (raw.isascii() or raw.decode()):
                    raise ValueError
            except _UNSURE:
                pass  # the exact way says what is wrong, if anything is
            else:
                route.call(event)
                return _HANDLED
        if self._hooks:
            return self._consume_watched(raw, attributes)
        try:
            route, event = self._read(raw, attributes)
        except Rejection as rejection:
            return self._reject(rejection, raw, attributes)
        if route.call is None:
            return Outcome.SKIPPED
        route.call(event)
        return _HANDLED

    async def aconsume(self, raw: bytes, attributes: Mapping[str, str] | None = None) -> Outcome:
        """Take one event to its handler, sync or async; parameters, result and errors are those of `consume`."""
        with _Watch(self.name, self._hooks) as watch:
            try:
                route, event = self._read(raw, attributes)
            except Rejection as rejection:
                watch.rejection = rejection
                if self._dead_letters is None:
                    raise
                kept = self._dead_letters(self._dead_letter(rejection, raw, attributes))
                if inspect.isawaitable(kept):
                    await kept
                return watch.ended(Outcome.DEAD_LETTERED)
            watch.route = route
            if route.handler is None:
                return watch.ended(Outcome.SKIPPED)
            result = route.handler.call(event)
            if inspect.isawaitable(result):
                await result
            return watch.ended(Outcome.HANDLED)

    def _consume_watched(self, raw: bytes, attributes: Mapping[str, str] | None) -> Outcome:
        with _Watch(self.name, self._hooks) as watch:
            try:
                route, event = self._read(raw, attributes)
            except Rejection as rejection:
                watch.rejection = rejection
                return watch.ended(self._reject(rejection, raw, attributes))
            watch.route = route
            if route.call is None:
                return watch.ended(Outcome.SKIPPED)
            route.call(event)
            return watch.ended(_HANDLED)

    def _known(self, raw: bytes) -> _Route:
        """Return the route of an event that has one already, by as few of its bytes as will do.

        Raises:
            Exception: If it has none, or is no event.
        """
        if raw.startswith(_START):
            route = self._routes.get(raw[: raw.find(_AFTER_VERSION, 0, _LONGEST_START)])
            if route is not None:
                return route
        header = _decode_header(raw)
        return self._resolved[header.event_name, header.event_version]

    def _read(self, raw: bytes, attributes: Mapping[str, str] | None) -> tuple[_Route, Any]:
        """Return the event with its route.

        Raises:
            Rejection: If the event is not to be consumed.
        """
        replayed = attributes is not None and attributes.get(REPLAY) == "true"
        if self._hooks or replayed:  # otherwise, the fast way was tried already
            try:
                route = self._known(raw)
                event = route.fast_replayed(raw) if replayed else route.fast(raw)
                if len(raw) <= self.max_bytes and (raw.isascii() or raw.decode()):
                    return route, event
            except _UNSURE:
                pass
        return self._read_exactly(raw, replayed=replayed)

    def _read_exactly(self, raw: Any, *, replayed: bool) -> tuple[_Route, Any]:
        if isinstance(raw, str | bytearray | memoryview):
            raw = raw.encode() if isinstance(raw, str) else bytes(raw)
        elif not isinstance(raw, bytes):
            raise TypeError(f"an event is bytes, not {type(raw).__name__}")
        if len(raw) > self.max_bytes:
            raise Malformed(f"larger than {self.max_bytes} bytes")
        document = parsed(raw)
        event, version = named(document)
        route = self._resolved.get((event, version))
        if route is None:
            route = self._found(event, version, document)
            if route.handler is None:
                return route, None
        return route, route.reader.exact(document, replayed=replayed)

    def _found(self, event: str | None, version: str | None, document: dict[str, Any]) -> _Route:
        """Return the route of an event that has none yet.

        Raises:
            Rejection: If it is not to be consumed.
        """
        if event is None or version is None or not VERSION.fullmatch(version):
            raise bad_envelope(document)
        if event not in self.catalog and self.strict:
            raise UnknownEvent(event, version)
        if event not in self._events:
            return _Route(event, version)
        route = self._made(event, version) if (event, version) in self.catalog else None
        if route is not None:
            return route
        if self.strict:
            raise UnknownVersion(event, version)
        return _Route(event, version, self._otherwise, EnvelopeReader())

    def _reject(self, rejection: Rejection, raw: bytes, attributes: Mapping[str, str] | None) -> Outcome:
        if self._dead_letters is None:
            raise rejection
        if self._dead_letters_are_async:
            raise DeclarationError("the dead letters are async; use aconsume") from rejection
        self._dead_letters(self._dead_letter(rejection, raw, attributes))
        return Outcome.DEAD_LETTERED

    def _dead_letter(self, rejection: Rejection, raw: bytes, attributes: Mapping[str, str] | None) -> DeadLetter:
        return DeadLetter(
            raw=raw,
            attributes=dict(attributes or {}),
            consumer=self.name,
            rejected_at=datetime.now(UTC),
            rejection=rejection,
        )

    # -- routing -----------------------------------------------------------------------------------------------

    def _reaches_handler(self, event: str, version: str) -> bool:
        return (event, version) in self._handlers or bool(self._chain(event, version))

    def _chain(self, event: str, version: str) -> list[Upcast]:
        return nearest_reached(self._upcasts, event, version, self._handlers)

    def _forget_routes(self) -> None:
        self._resolved.clear()
        self._routes.clear()
        self._last = _NO_ROUTE

    def _made(self, event: str, version: str) -> _Route | None:
        """Make the route of a contract in the catalog, or None if nothing here consumes it.

        Raises:
            RetiredVersion: If the contract is retired.
        """
        with self._lock:
            entry = self.catalog.entry(event, version)
            if entry.contract.lifecycle is Lifecycle.RETIRED:
                raise RetiredVersion(event, version)
            handler, chain = self._handlers.get((event, version)), self._chain(event, version)
            if handler is not None:
                reader: Reader = ContractReader(entry, view_of(handler.wanted, entry))
            elif chain:
                handler = self._handlers[event, chain[-1].target]
                target = self.catalog.entry(event, chain[-1].target)
                reader = UpcastingReader(self.catalog, chain, view_of(handler.wanted, target))
            else:
                return None
            route = _Route(event, version, handler, reader)
            self._resolved[event, version] = route
            self._routes[route.start] = route
            return route


class _Handler(msgspec.Struct, frozen=True, eq=False):
    """A registered handler, and what its annotation asks for."""

    call: Callable[[Event[Any]], Any]
    is_async: bool
    wanted: Any


class _Route:
    """How the events of one contract reach a handler; without a handler, they are skipped."""

    __slots__ = ("call", "event", "fast", "fast_replayed", "handler", "reader", "start", "version")

    def __init__(self, event: str, version: str, handler: _Handler | None = None, reader: Any = None) -> None:
        self.event = event
        self.version = version
        self.handler = handler
        self.reader = reader
        self.call = None if handler is None else _refuse_async if handler.is_async else handler.call
        if reader is not None:
            self.start = orjson.dumps({"event_name": event, "event_version": version}).removesuffix(b"}")
            self.fast = reader.fast
            self.fast_replayed = reader.fast_replayed


_NO_ROUTE = _Route("", "")
_NO_ROUTE.start = b"no event starts like this"


class _Watch:
    """Tells the hooks of one event, however it ends."""

    __slots__ = ("consumer", "hooks", "outcome", "rejection", "route", "start")

    def __init__(self, consumer: str, hooks: tuple[Hooks, ...]) -> None:
        self.consumer = consumer
        self.hooks = hooks
        self.route: _Route | None = None
        self.rejection: Rejection | None = None
        self.outcome: Outcome | None = None

    def __enter__(self) -> Self:
        self.start = perf_counter()
        return self

    def ended(self, outcome: Outcome) -> Outcome:
        self.outcome = outcome
        return outcome

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.hooks:
            return
        known = self.rejection or self.route
        reason = self.rejection.reason if self.rejection else None
        if reason is None and kind is not None:
            reason = "error"
        if self.outcome is Outcome.SKIPPED:
            reason = "no-handler"
        details = Consumed(
            consumer=self.consumer,
            event=known.event if known else None,
            version=known.version if known else None,
            outcome=self.outcome,
            reason=reason,
            seconds=perf_counter() - self.start,
        )
        notify(self.hooks, details)


def is_async(function: Callable[..., object]) -> bool:
    """Whether calling a function gives something to await."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _refuse_async(event: Event[Any]) -> NoReturn:
    raise DeclarationError(f"the handler of {event.event_name} {event.event_version} is async; use aconsume")

"""The consumer: bytes in, exactly one outcome out. It does no I/O of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from jobarium_events.arrivals import arrived, placed_view_of
from jobarium_events.attempts import Attempts, Endless
from jobarium_events.calling import is_async, refuse_awaitable
from jobarium_events.catalog import Catalog
from jobarium_events.contract import VERSION, contract_of
from jobarium_events.deadletters import DeadLetter
from jobarium_events.envelope import REPLAY, Event, Outcome, as_bytes
from jobarium_events.errors import (
    ConsumptionGap,
    DeclarationError,
    HandlerFailed,
    InvalidUpcast,
    Malformed,
    Rejection,
    UnknownEvent,
    UnknownVersion,
    ViewError,
)
from jobarium_events.inboxes import aclaimed, claimed, fits
from jobarium_events.readers import ContractReader, EnvelopeReader, bad_envelope, named, parsed
from jobarium_events.routing import NO_ROUTE, Handler, Route, Router
from jobarium_events.upcasting import declared_upcast
from jobarium_events.views import payload_annotation, view_of
from jobarium_events.watching import Watch

if TYPE_CHECKING:
    from jobarium_events.inboxes import AsyncInbox, Inbox
    from jobarium_events.observing import Hooks

__all__ = ["Consumer"]

P = TypeVar("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., object])

_HANDLED = Outcome.HANDLED

_ASYNC_DEAD_LETTERS = "the dead letters are async; use aconsume"

_NO_EVENT = "the catalog has no such event; install one that has it, or no longer subscribe"
# What a reader's fast way may raise where something is wrong; the exact way then says what.
_UNSURE = (
    KeyError, TypeError, AttributeError, ValueError, RecursionError, msgspec.MsgspecError,
)  # fmt: skip


class Consumer:
    """Takes events as bytes to per-version handlers; safe to share between threads and tasks once declared.

    Args:
        catalog: The contracts to validate by.
        name: The name of the service.
        strict: Whether an event or a version that the catalog does not have is rejected. Otherwise such a version
            goes to the `otherwise` handler, and is skipped where there is none.
        dead_letters: Takes each rejected event; without it, rejections are raised.
        attempts: How often the handler of an event may fail before the event is rejected, `HandlerFailed`, and goes to
            the dead letters. It is counted in this process. Without it, what a handler raises is raised, and the event
            is to be delivered again for as long as that lasts.
        inbox: Lets each event take effect once, and a stale one not at all; without it, every delivery is handled.
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
        attempts: int | None = None,
        inbox: Inbox | AsyncInbox | None = None,
        max_bytes: int = 1024 * 1024,
        hooks: Iterable[Hooks] = (),
    ) -> None:
        if not isinstance(catalog, Catalog):
            raise DeclarationError("the catalog must be a Catalog: Catalog.bundled(), or Catalog.load(folder)")
        if dead_letters is not None and not callable(dead_letters):
            raise DeclarationError("dead_letters must be a function of a DeadLetter, such as a list's append")
        if attempts is not None and dead_letters is None:
            raise DeclarationError("attempts need dead_letters, or an event whose handler fails would be lost")
        if inbox is not None and not fits(inbox):
            raise DeclarationError("the inbox must have claim or aclaim, such as PostgresInbox(pool)")
        self.catalog = catalog
        self.name = name
        self.strict = strict
        self.max_bytes = max_bytes
        self._dead_letters = dead_letters
        self._dead_letters_are_async = dead_letters is not None and is_async(dead_letters)
        self._attempts = Endless() if attempts is None else Attempts(attempts)
        self._inbox = inbox
        self._hooks = tuple(hooks)
        self._is_plain = inbox is None and attempts is None and not self._hooks
        self._otherwise: Handler | None = None
        self._router = Router(catalog, view_of if inbox is None else placed_view_of)
        # Events come in runs, so the last event's route is tried first.
        self._last = NO_ROUTE

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
            raise DeclarationError(
                'name a contract by its payload class, or by event and version: on("job.updated", "v1")'
            )
        if not VERSION.fullmatch(version):
            raise DeclarationError(f"{version!r} is no version; versions are written v1, v2, ...")

        def register(function: F) -> F:
            asked = payload_annotation(function)
            handler = Handler(function, is_async(function), wanted if asked is None else asked)
            self._router.add_handler(event, version, handler)
            self._last = NO_ROUTE
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
        names = given if given and all(isinstance(each, str) for each in given) else ()
        if len(given) != (3 if names else 1):
            raise DeclarationError(
                'name event, source and target: upcast("job.updated", "v1", "v2"), or nothing at all'
            )

        def register(function: F) -> F:
            self._router.add_upcast(declared_upcast(function, names))
            self._last = NO_ROUTE
            return function

        return register if names else register(*given)

    def otherwise(self, function: F, /) -> F:
        """Register the handler of versions that nothing else here consumes, for a consumer that is not strict.

        It gets an ``Event[dict]``. The envelope is validated, and so is the payload if the catalog has the version;
        where the catalog lacks it, there is no schema to validate by.

        Raises:
            DeclarationError: If there is one already, or the consumer is strict.
        """
        if self.strict:
            raise DeclarationError("a strict consumer rejects unknown versions; make it strict=False to use otherwise")
        if self._otherwise is not None:
            raise DeclarationError("there is an otherwise handler already")
        if payload_annotation(function) not in (None, dict):
            raise DeclarationError("the payload of an unknown version is a dict; annotate it as Event[dict]")
        self._otherwise = Handler(function, is_async(function), dict)
        return function

    def verify(self) -> None:
        """Check, at start-up, that no version that may be on the wire goes unconsumed.

        Raises:
            ConsumptionGap: Naming every active or deprecated version of a subscribed event that nothing consumes,
                every handler or upcast for a contract that the catalog lacks, and every handler of a retired one.
        """
        gaps = self._router.gaps()
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
            DeclarationError: If the handler, the inbox or the dead letters are async: use `aconsume`.
            ViewError: If the handler's own payload type refuses the event.
            NotCommitted: If the handler spoiled the inbox's transaction; the event is to be delivered again.
            Exception: Whatever the handler raises, untouched.
        """
        if self._is_plain and not (attributes and REPLAY in attributes):
            # The way of nearly every event, in one place: each call saved here is a tenth of the whole.
            try:
                # The decoder skips the fields that it does not know, even where they are no UTF-8.
                if len(raw) > self.max_bytes or not (raw.isascii() or raw.decode()):
                    raise ValueError
                route = self._last
                if not raw.startswith(route.start):
                    route = self._last = self._router.known(raw)
                event = route.fast(raw)
            except InvalidUpcast as rejection:
                return self._reject(rejection, raw, attributes)
            except _UNSURE as error:
                doubt = error.with_traceback(None)  # the exact way says what is wrong, if anything is
            else:
                result = route.call(event)
                if result is not None:
                    refuse_awaitable(result, route.is_async)
                return _HANDLED
        else:
            return self._consume_watched(raw, attributes)
        try:
            route, event = self._read_exactly(raw, replayed=False, doubt=doubt)
        except Rejection as rejection:
            return self._reject(rejection, raw, attributes)
        if route.handler is None:
            return Outcome.SKIPPED
        refuse_awaitable(route.call(event), route.is_async)
        return _HANDLED

    async def aconsume(self, raw: bytes, attributes: Mapping[str, str] | None = None) -> Outcome:
        """Take one event to its handler, sync or async; parameters, result and errors are those of `consume`."""
        with Watch(self.name, self._hooks) as watch:
            try:
                watch.route, event = self._read(raw, attributes)
            except (Rejection, ViewError) as error:
                return await self._areject(self._attempts.rejection(error), raw, attributes, watch)
            handler = watch.route.handler
            if handler is None:
                return watch.ended(Outcome.SKIPPED)
            try:
                return watch.ended(await self._ahandle(watch.route, handler, event))
            except HandlerFailed as rejection:
                return await self._areject(rejection, raw, attributes, watch)

    def _consume_watched(self, raw: bytes, attributes: Mapping[str, str] | None) -> Outcome:
        with Watch(self.name, self._hooks) as watch:
            try:
                watch.route, event = self._read(raw, attributes)
            except (Rejection, ViewError) as error:
                watch.rejection = self._attempts.rejection(error)
                return watch.ended(self._reject(watch.rejection, raw, attributes))
            if watch.route.handler is None:
                return watch.ended(Outcome.SKIPPED)
            try:
                return watch.ended(self._handle(watch.route, event))
            except HandlerFailed as rejection:
                watch.rejection = rejection
                return watch.ended(self._reject(rejection, raw, attributes))

    def _handle(self, route: Route, event: Event[Any]) -> Outcome:
        if self._inbox is None:
            self._call(route, event)
            return _HANDLED
        with claimed(self._inbox, arrived(event, self.name, route.version)) as known:
            if known is None:
                self._call(route, event)
        return known or _HANDLED

    def _call(self, route: Route, event: Event[Any]) -> None:
        with self._attempts.at(event):
            refuse_awaitable(route.call(event), route.is_async)

    async def _ahandle(self, route: Route, handler: Handler, event: Event[Any]) -> Outcome:
        if self._inbox is None:
            await self._acall(handler, event)
            return _HANDLED
        async with aclaimed(self._inbox, arrived(event, self.name, route.version)) as known:
            if known is None:
                await self._acall(handler, event)
        return known or _HANDLED

    async def _acall(self, handler: Handler, event: Event[Any]) -> None:
        with self._attempts.at(event):
            result = handler.call(event)
            if inspect.isawaitable(result):
                await result

    def _read(self, raw: bytes, attributes: Mapping[str, str] | None) -> tuple[Route, Any]:
        """Return the event with its route.

        Raises:
            Rejection: If the event is not to be consumed.
        """
        replayed = attributes is not None and attributes.get(REPLAY) == "true"
        try:
            if len(raw) > self.max_bytes or not (raw.isascii() or raw.decode()):
                raise ValueError
            route = self._router.known(raw)
            return route, route.fast_replayed(raw) if replayed else route.fast(raw)
        except _UNSURE as error:
            doubt = error.with_traceback(None)  # the exact way says what is wrong, if anything is
        return self._read_exactly(raw, replayed=replayed, doubt=doubt)

    def _read_exactly(self, raw: Any, *, replayed: bool, doubt: Exception | None = None) -> tuple[Route, Any]:
        if isinstance(raw, str | bytearray | memoryview):
            raw = as_bytes(raw)
        elif not isinstance(raw, bytes):
            raise TypeError(f"an event is bytes, not {type(raw).__name__}")
        if len(raw) > self.max_bytes:
            raise Malformed(f"larger than {self.max_bytes} bytes")
        document = parsed(raw)
        event, version = named(document)
        route = self._router.resolved.get((event, version))
        if route is None:
            route = self._found(event, version, document)
            if route.handler is None:
                return route, None
            try:
                # Its first event; the exact engine need not be compiled for one that is in order.
                return route, route.fast_replayed(raw) if replayed else route.fast(raw)
            except _UNSURE as error:
                doubt = error.with_traceback(None)
        return route, route.reader.exact(document, replayed=replayed, doubt=doubt)

    def _found(self, event: str | None, version: str | None, document: dict[str, Any]) -> Route:
        """Return the route of an event that has none yet.

        Raises:
            Rejection: If it is not to be consumed.
        """
        if event is None or version is None or not VERSION.fullmatch(version):
            raise bad_envelope(document)
        if event not in self.catalog and self.strict:
            raise UnknownEvent(event, version, problem=_NO_EVENT)
        if event not in self._router.events:
            return Route(event, version)
        route = self._router.made(event, version) if (event, version) in self.catalog else None
        if route is not None:
            return route
        if self.strict:
            raise UnknownVersion(event, version, problem=self._router.not_taken(event, version))
        if self._otherwise is None or (event, version) not in self.catalog:
            return Route(event, version, self._otherwise, EnvelopeReader())
        entry = self.catalog.entry(event, version)
        return Route(event, version, self._otherwise, ContractReader(entry, self._router.view(dict, entry)))

    def _reject(self, rejection: Rejection, raw: bytes, attributes: Mapping[str, str] | None) -> Outcome:
        if self._dead_letters is None:
            raise rejection
        if self._dead_letters_are_async:
            raise DeclarationError(_ASYNC_DEAD_LETTERS) from rejection
        kept = self._dead_letters(DeadLetter.of(rejection, raw, attributes, self.name))
        if kept is not None:
            try:
                refuse_awaitable(kept, _ASYNC_DEAD_LETTERS)
            except DeclarationError as problem:
                raise problem from rejection
        return Outcome.DEAD_LETTERED

    async def _areject(
        self, rejection: Rejection, raw: bytes, attributes: Mapping[str, str] | None, watch: Watch
    ) -> Outcome:
        watch.rejection = rejection
        if self._dead_letters is None:
            raise rejection
        kept = self._dead_letters(DeadLetter.of(rejection, raw, attributes, self.name))
        if inspect.isawaitable(kept):
            await kept
        return watch.ended(Outcome.DEAD_LETTERED)

"""The producer: a payload in, a validated and stamped message out. It does no I/O of its own."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self, Unpack

from jobarium_events.calling import refuse_awaitable
from jobarium_events.catalog import Catalog
from jobarium_events.contract import Contract, Lifecycle, contract_of
from jobarium_events.documents import in_payload
from jobarium_events.envelope import REPLAY, Event, Message
from jobarium_events.errors import (
    DeclarationError,
    EmitError,
    EmitRetired,
    ForeignEvent,
    PayloadRefused,
    UndeclaredVersion,
    UnknownContract,
)
from jobarium_events.observing import Emitted, Hooks, notify
from jobarium_events.outlets import UNSURE, Outlet
from jobarium_events.readers import envelope_of, parsed
from jobarium_events.stamping import EnvelopeFields

if TYPE_CHECKING:
    from jobarium_events.catalog import Entry

__all__ = ["EnvelopeFields", "Producer"]

Declares = Mapping[str, str] | Callable[[str], str | None]


class Producer:
    """Emits the events that one service owns; safe to share between threads and tasks.

    Args:
        catalog: The contracts to validate by.
        name: The name of the service; it emits only what it owns.
        send: Takes each message to the broker; sync for `emit`, sync or async for `aemit`. Without it, `prepare`
            alone can be used.
        declares: The version that this service emits of each event: a mapping, or a callable that is asked every
            time (so that a feature flag can turn back to an older version without a deploy). What it does not
            say is the payload class's own version, or the catalog's newest active one for an event named by text.
        hooks: Told of each attempt to emit or to prepare.

    Raises:
        DeclarationError: If `declares` names a contract that the catalog lacks, or something is not what it must be.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        name: str,
        send: Callable[[Message], Any] | None = None,
        declares: Declares | None = None,
        hooks: Iterable[Hooks] = (),
    ) -> None:
        if not isinstance(catalog, Catalog):
            raise DeclarationError("the catalog must be a Catalog: Catalog.bundled(), or Catalog.load(folder)")
        if send is not None and not callable(send):
            raise DeclarationError("send must be a function of a Message, such as a transport's send")
        if declares is not None and not callable(declares) and not isinstance(declares, Mapping):
            raise DeclarationError("declares must map events to versions, or be a function that does")
        self.catalog = catalog
        self.name = name
        self.send = send
        self._declares = dict(declares) if isinstance(declares, Mapping) else declares
        self._hooks = tuple(hooks)
        self._async_send = f"the send of producer {name!r} is async; use aemit or areplay"
        self._context: ContextVar[EnvelopeFields | None] = ContextVar(f"{name}.envelope", default=None)
        self._outlets: dict[Contract, Outlet] = {}
        self._warned: set[Contract] = set()
        # Where nothing but the name or the class decides, one look-up finds the outlet.
        self._settled: dict[str | type | None, Outlet] = {}
        if isinstance(declares, Mapping):
            _check_declared(catalog, declares)

    def declared(self, event: str) -> str:
        """Return the version that this producer emits of an event at this moment.

        Raises:
            UnknownContract: If the catalog lacks the event, or the version that is declared.
            UndeclaredVersion: If none is declared and none is active.
        """
        return self._by_name(event, self._declared(event)).contract.version

    @contextmanager
    def context(self, **fields: Unpack[EnvelopeFields]) -> Iterator[None]:
        """Set envelope fields for all that is emitted within, in this thread or task."""
        token = self._context.set({**(self._context.get() or {}), **fields})
        try:
            yield
        finally:
            self._context.reset(token)

    def prepare(self, event: Any, payload: Any = None, /, **fields: Unpack[EnvelopeFields]) -> Message:
        """Validate and stamp an event without sending it.

        Args:
            event: A generated payload, or the event's name with the payload as the second argument.
            payload: A dict, a generated payload, a pydantic model or a dataclass.
            fields: Fields of the envelope to set; they override those of `context`.

        Raises:
            UnknownContract: If the catalog has no such event.
            EmitError: If the event is refused; each reason has its own class.
        """
        if not self._hooks:
            return self._message(event, payload, fields)
        with _Watch(self.name, self._hooks, event, prepares=True) as watch:
            watch.message = self._message(event, payload, fields)
            return watch.message

    def _message(self, event: Any, payload: Any, fields: EnvelopeFields) -> Message:
        if payload is None:
            payload, outlet = event, self._settled.get(type(event))
        else:
            outlet = self._settled.get(event) if type(payload) is dict else None
        if outlet is None:
            outlet = self._outlet(event, None if payload is event else payload)
        around = self._context.get()
        if not fields and around is None:
            try:
                return outlet.quick(payload)
            except UNSURE:
                pass  # what is wrong with it, if anything is, is said below
        return outlet.message(payload, {**around, **fields} if around else fields)

    def emit(self, event: Any, payload: Any = None, /, **fields: Unpack[EnvelopeFields]) -> Message:
        """Validate, stamp and send an event; parameters and errors are those of `prepare`.

        Returns:
            The message that was sent.

        Raises:
            DeclarationError: If the producer has no `send`, or an async one: use `aemit`.
        """
        if not self._hooks and self.send is not None:
            message = self._message(event, payload, fields)
            result = self.send(message)
            if result is not None:
                refuse_awaitable(result, self._async_send)
            return message
        with _Watch(self.name, self._hooks, event) as watch:
            watch.message = self._message(event, payload, fields)
            self._send_now(watch.message)
            return watch.message

    async def aemit(self, event: Any, payload: Any = None, /, **fields: Unpack[EnvelopeFields]) -> Message:
        """Validate, stamp and send an event; `send` may be async. Otherwise as `emit`."""
        with _Watch(self.name, self._hooks, event) as watch:
            watch.message = self._message(event, payload, fields)
            await self._send(watch.message)
            return watch.message

    def prepare_replay(self, raw: bytes, attributes: Mapping[str, str] | None = None) -> Message:
        """Return the message that emits a past event again: same bytes, and ``replay=true`` among its attributes.

        Args:
            raw: The event as it was sent, so that event_id and occurred_at are kept.
            attributes: Those it was sent with, if known; the envelope's own fields override them.

        Raises:
            Malformed: If the bytes are no event.
            UnknownContract: If the catalog lacks its contract.
            EmitError: If the contract is retired, another service's, or broken by the payload.
        """
        with _Watch(self.name, self._hooks, prepares=True) as watch:
            watch.message = self._replayed(raw, attributes)
            return watch.message

    def _replayed(self, raw: bytes, attributes: Mapping[str, str] | None) -> Message:
        document = parsed(raw)
        envelope = envelope_of(document)
        entry = self.catalog.entry(envelope.event_name, envelope.event_version)
        contract = entry.contract
        for name in (self.name, envelope.producer):
            if name != contract.owner:
                raise ForeignEvent(contract.event, contract.version, contract.owner, name)
        if contract.lifecycle is Lifecycle.RETIRED:
            raise EmitRetired(contract.event, contract.version)
        violations = entry.open.violations(document["payload"])
        if violations:
            raise PayloadRefused(contract.event, contract.version, map(in_payload, violations))
        stamped = {
            name: value for name, value in document.items() if name in Event.__struct_fields__ and name != "payload"
        }
        ordering_key = self._outlet_of(entry).replayed_ordering_key(document["payload"])
        return Message(raw, {**(attributes or {}), **stamped, REPLAY: "true"}, ordering_key)

    def replay(self, raw: bytes, attributes: Mapping[str, str] | None = None) -> Message:
        """Send a past event again; parameters and errors are those of `prepare_replay` and of `emit`."""
        with _Watch(self.name, self._hooks) as watch:
            watch.message = self._replayed(raw, attributes)
            self._send_now(watch.message)
            return watch.message

    async def areplay(self, raw: bytes, attributes: Mapping[str, str] | None = None) -> Message:
        """Send a past event again; `send` may be async. Otherwise as `replay`."""
        with _Watch(self.name, self._hooks) as watch:
            watch.message = self._replayed(raw, attributes)
            await self._send(watch.message)
            return watch.message

    def _send_now(self, message: Message) -> None:
        refuse_awaitable(self._sending()(message), self._async_send)

    async def _send(self, message: Message) -> None:
        result = self._sending()(message)
        if inspect.isawaitable(result):
            await result

    def _sending(self) -> Callable[[Message], Any]:
        if self.send is None:
            raise DeclarationError(f"producer {self.name!r} has no send; give it one, or use prepare")
        return self.send

    def _declared(self, event: str) -> str | None:
        if self._declares is None:
            return None
        return self._declares(event) if callable(self._declares) else self._declares.get(event)

    def _by_name(self, event: str, declared: str | None) -> Entry:
        """Return the contract of an event that is named by text, as it is declared or else the newest."""
        if declared is None:
            newest = self.catalog.newest(event)
            if newest is None:
                raise UndeclaredVersion(event, None, None)
            declared = newest.version
        return self.catalog.entry(event, declared)

    def _outlet(self, event: Any, payload: Any) -> Outlet:
        """Find the outlet of an event, after every check that is not the payload's.

        Raises:
            UnknownContract: As `prepare` does.
            EmitError: As `prepare` does.
        """
        value = event if payload is None else payload
        kind = type(value) if hasattr(type(value), "__contract__") else None
        if isinstance(event, str) == (payload is None) or (kind is None and payload is None):
            raise DeclarationError("emit a generated payload by itself, or an event's name with its payload")
        name = contract_of(kind)[0] if kind is not None else event
        if payload is not None and name != event:
            raise DeclarationError(f"{type(value).__name__} is a payload of {name}, not of {event}")
        declared = self._declared(name)
        entry = self.catalog.entry(kind) if kind is not None else self._by_name(name, declared)
        contract = entry.contract
        if declared != contract.version and (declared is not None or contract.lifecycle is Lifecycle.DRAFT):
            raise UndeclaredVersion(name, contract.version, declared)
        if contract.owner != self.name:
            raise ForeignEvent(name, contract.version, contract.owner, self.name)
        if contract.lifecycle is Lifecycle.RETIRED:
            raise EmitRetired(name, contract.version)
        if contract.lifecycle is Lifecycle.DEPRECATED and contract not in self._warned:
            self._warned.add(contract)
            newest = self.catalog.newest(name)
            better = f"; emit {newest.version}" if newest else ""
            warnings.warn(f"{contract.name} is deprecated{better}", DeprecationWarning, stacklevel=4)
        outlet = self._outlet_of(entry)
        if not callable(self._declares) and (payload is None or kind is None):
            self._settled[kind if payload is None else name] = outlet
        return outlet

    def _outlet_of(self, entry: Entry) -> Outlet:
        outlet = self._outlets.get(entry.contract)
        if outlet is None:
            outlet = self._outlets[entry.contract] = Outlet(entry, self.name)
        return outlet


def _check_declared(catalog: Catalog, declares: Mapping[Any, Any]) -> None:
    for event, version in declares.items():
        if not isinstance(event, str) or not isinstance(version, str):
            raise DeclarationError('declares must map names of events to versions, such as {"job.updated": "v1"}')
        try:
            catalog.entry(event, version)
        except UnknownContract as error:
            raise DeclarationError(f"`declares` names {event} {version}, but {error}") from None


class _Watch:
    """Tells the hooks of one attempt to emit or to prepare, however it ends."""

    __slots__ = ("event", "hooks", "message", "prepares", "producer", "start")

    def __init__(self, producer: str, hooks: tuple[Hooks, ...], event: Any = None, *, prepares: bool = False) -> None:
        self.producer = producer
        self.hooks = hooks
        self.event = event
        self.prepares = prepares
        self.message: Message | None = None

    def __enter__(self) -> Self:
        self.start = perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if not self.hooks:
            return
        event: str | None = self.event if isinstance(self.event, str) else None
        version: str | None = None
        if self.message is not None:
            event, version = self.message.attributes["event_name"], self.message.attributes["event_version"]
        elif isinstance(error, EmitError):
            event, version = error.event, error.version
        reason = None if kind is None else getattr(kind, "reason", "error")
        seconds = perf_counter() - self.start
        notify(self.hooks, Emitted(self.producer, event, version, reason, seconds, self.prepares))

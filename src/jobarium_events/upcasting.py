"""Upcasts: pure functions from one version's payload to the next, chained until a version has a handler."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.contract import VERSION, contract_of, version_number
from jobarium_events.documents import NotJson, document_of, in_payload
from jobarium_events.envelope import Event
from jobarium_events.errors import DeclarationError, InvalidUpcast, Violation
from jobarium_events.readers import ContractReader
from jobarium_events.views import View, annotated_type, takes, title_of, view_of

if TYPE_CHECKING:
    from jobarium_events.catalog import Catalog

__all__ = ["Upcast", "UpcastingReader", "declared_upcast", "nearest_reached"]


class Upcast(msgspec.Struct, frozen=True):
    """One declared upcast.

    Attributes:
        event: The event's name.
        source: The version that it takes.
        target: The version that it returns.
        wanted: How it sees the payload that it takes; None for the contract's class.
        call: The function, of payload and event.
    """

    event: str
    source: str
    target: str
    wanted: Any
    call: Callable[[Any, Event[Any]], Any]


def declared_upcast(function: Callable[..., Any], names: Sequence[str]) -> Upcast:
    """Read an upcast's declaration: names and versions as given, or else from its annotations.

    Raises:
        DeclarationError: If it says too little, or something that cannot be.
    """
    title = title_of(function)
    if inspect.iscoroutinefunction(function):
        raise DeclarationError(f"the upcast {title} is async; an upcast is a pure function, so make it a plain one")
    if not takes(function, 1) and not takes(function, 2):
        raise DeclarationError(f"the upcast {title} must take a payload, or a payload and its event, and nothing more")
    taken = annotated_type(function, 0)
    if names:
        event, source, target = names
        if not VERSION.fullmatch(source) or not VERSION.fullmatch(target):
            raise DeclarationError(f"the upcast {title} names no two versions; they are written v1, v2, ...")
    else:
        returned = annotated_type(function, -1)
        if taken is None or returned is None:
            raise DeclarationError(
                f"the upcast {title} needs annotations: the payload class that it takes and the one that it returns; "
                'or name them: @consumer.upcast("job.updated", "v1", "v2")'
            )
        (event, source), (other, target) = contract_of(taken), contract_of(returned)
        if event != other:
            raise DeclarationError(f"the upcast {title} leads from {event} to {other}; it must stay with one event")
    if version_number(target) <= version_number(source):
        raise DeclarationError(f"the upcast {title} leads from {source} to {target}; it must lead to a newer version")
    call = function if takes(function, 2) else (lambda payload, _: function(payload))
    return Upcast(event, source, target, taken, call)


class UpcastingReader:
    """Reads the events of one version for the handler of a newer one."""

    def __init__(self, catalog: Catalog, chain: Sequence[Upcast], view: View) -> None:
        first = catalog.entry(chain[0].event, chain[0].source)
        self._source = ContractReader(first, view_of(chain[0].wanted, first))
        self._steps = []
        for upcast, following in zip(chain, [*chain[1:], None], strict=True):
            target = catalog.entry(upcast.event, upcast.target)
            seen = view_of(following.wanted, target) if following else view
            self._steps.append(partial(_step, upcast, target.closed, seen))
        self.fast = lambda raw: self._upcast(self._source.fast(raw))
        self.fast_replayed = lambda raw: self._upcast(self._source.fast_replayed(raw))

    def exact(self, document: Mapping[str, Any], *, replayed: bool, doubt: Exception | None = None) -> Event[Any]:
        """Return the event as the handler's version has it.

        Raises:
            Rejection: As the source version's reader does, or `InvalidUpcast`.
        """
        return self._upcast(self._source.exact(document, replayed=replayed, doubt=doubt))

    def _upcast(self, event: Event[Any]) -> Event[Any]:
        for step in self._steps:
            event = step(event)
        return event


def _step(upcast: Upcast, validator: Any, view: View, event: Event[Any]) -> Event[Any]:
    try:
        document = document_of(upcast.call(event.payload, event), validator)
    except NotJson as problem:
        found = [in_payload(violation) for violation in problem.violations]
        raise InvalidUpcast(upcast.event, upcast.source, found[0], explain=lambda: found) from None
    except Exception as error:
        # Being pure, it would fail for this event every time; the dead letters keep the event until it is mended.
        raise InvalidUpcast(upcast.event, upcast.source, Violation("/payload", "upcast")) from error
    violation = validator.first_violation(document)
    if violation is not None:
        raise InvalidUpcast(
            upcast.event,
            upcast.source,
            in_payload(violation),
            explain=lambda: map(in_payload, validator.violations(document)),
        )
    try:
        payload = view.from_document(document)
    except msgspec.ValidationError:
        raise InvalidUpcast(upcast.event, upcast.source, Violation("/payload", "range")) from None
    return msgspec.structs.replace(event, event_version=upcast.target, payload=payload)


def nearest_reached(
    upcasts: Mapping[tuple[str, str], Upcast], event: str, source: str, handled: Container[tuple[str, str]]
) -> list[Upcast]:
    """Return the upcasts from a version to the nearest newer one that has a handler; none if they reach none."""
    chain: list[Upcast] = []
    while (event, source) not in handled:
        upcast = upcasts.get((event, source))
        if upcast is None:
            return []
        chain.append(upcast)
        source = upcast.target
    return chain

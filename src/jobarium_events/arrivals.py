"""What an inbox is told of an event, taken from its payload before that becomes whatever the handler asked for.

An event's aggregate and position are fields of its payload. A handler's own model need not have them, and where it
does, it may call them something else. So they are read beside the view and travel with it, until the inbox has seen
them. After an upcast they are read from what the upcast returned, by the ordering of its contract: all that one handler
sees then stands on one scale.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.inboxes import Arrival, sortable
from jobarium_events.views import View, view_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobarium_events.catalog import Entry
    from jobarium_events.contract import Contract
    from jobarium_events.envelope import Event

__all__ = ["arrived", "placed_view_of"]

# What every database has a column for. Positions beyond are taken as equal, so that none is wrongly stale.
_HIGHEST, _LOWEST = 2**63 - 1, -(2**63)


class _Placed(msgspec.Struct, frozen=True):
    """A payload as the handler sees it, and what its contract's ordering is by."""

    per: Any
    by: Any
    payload: Any


def placed_view_of(wanted: Any, entry: Entry) -> View:
    """Return the view that an annotation asks for, which also keeps aggregate and position where there is an ordering.

    Raises:
        DeclarationError: If a payload cannot be seen as that.
    """
    view, contract = view_of(wanted, entry), entry.contract
    ordering = contract.ordering
    if ordering is None or ordering.per == ordering.by:  # by itself, nothing is ever older
        return view
    names = {"per": ordering.per, "by": ordering.by}
    fields = [(name, Any, None) for name in names]
    place_of: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(
        msgspec.defstruct("Place", fields, rename=names)
    ).decode
    comparable = _moment if _is_moment(contract) else _plain

    def from_json(raw: msgspec.Raw) -> _Placed:
        place = place_of(raw)
        return _Placed(_plain(place.per), comparable(place.by), view.from_json(raw))

    def from_document(document: Any) -> _Placed:
        per, by = document.get(ordering.per), document.get(ordering.by)
        return _Placed(_plain(per), comparable(by), view.from_document(document))

    return View(_Placed, from_json, from_document)


def arrived(event: Event[Any], consumer: str, version: str) -> Arrival:
    """Return what an inbox is told of an event that was just read, and give the event its handler's view."""
    per = by = None
    if isinstance(event.payload, _Placed):
        per, by = event.payload.per, event.payload.by
        msgspec.structs.force_setattr(event, "payload", event.payload.payload)  # nobody else has seen it yet
    return Arrival(
        consumer=consumer,
        event=event.event_name,
        version=version,
        event_id=event.event_id,
        idempotency_key=event.idempotency_key,
        replay=event.replay,
        aggregate=None if per is None else str(per),
        position=by,
    )


def _plain(value: Any) -> int | str | None:
    """Return a text or a number as it compares; None for anything else, which an ordering cannot be by."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # to JSON Schema, 1.0 is an integer
    if isinstance(value, int) and not isinstance(value, bool):
        return max(_LOWEST, min(value, _HIGHEST))
    return None


def _moment(value: Any) -> str | None:
    """Return a moment as text that sorts as moments do, whichever offset and however many digits it came with."""
    try:
        return sortable(msgspec.convert(value, datetime))
    except (msgspec.ValidationError, OverflowError):
        return None  # a leap second, say: no Python type holds it, and what cannot be compared is not stale


def _is_moment(contract: Contract) -> bool:
    properties = contract.schema.get("properties", {})
    field = properties.get(contract.ordering.by) if contract.ordering else None
    return isinstance(field, dict) and field.get("format") == "date-time"

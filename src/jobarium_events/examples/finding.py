"""Finds an example that its contract accepts, the nicest that is tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import msgspec
import orjson

from jobarium_events.errors import JobariumEventsError
from jobarium_events.evolution.containment import some_document
from jobarium_events.evolution.illustrations import given_examples, is_payload
from jobarium_events.evolution.verdicts import Verdict
from jobarium_events.examples.drawing import WAYS, drawn
from jobarium_events.outlets import Outlet

if TYPE_CHECKING:
    from jobarium_events.catalog import Entry

__all__ = ["NoExample", "event_example", "example"]

_ID = "0197f2a0-5c1e-7b3a-9d41-6f0c2e8b7a15"
_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_OCCURRED = datetime(2026, 3, 1, 9, 30, 1, tzinfo=UTC)


class NoExample(JobariumEventsError):
    """A contract of which there is no example.

    Attributes:
        contract: The contract, as in ``"job.updated v1"``.
        problem: Why there is none, and what to do.
    """

    def __init__(self, contract: str, problem: str) -> None:
        self.contract = contract
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.contract} has no example: {self.problem}"


def example(entry: Entry) -> dict[str, Any]:
    """Return a payload that producers may send and consumers accept; always the same for the same contract.

    It is the first of the schema's own ``examples`` that is valid. Where there is none, it is made of what the schema
    says of each field, with every field that it can have.

    Args:
        entry: The contract.

    Raises:
        NoExample: If no payload is valid, or none was found.
    """
    is_valid = partial(is_payload, entry)
    contract = entry.contract
    payload = next((each for _, each in given_examples(contract.schema) if is_valid(each)), msgspec.UNSET)
    if payload is not msgspec.UNSET:
        return cast("dict[str, Any]", payload)
    wishes = []
    for way in range(WAYS):
        wish = drawn(contract, way=way)
        if is_valid(wish):
            return cast("dict[str, Any]", wish)
        wishes.append(wish)
    bare = (drawn(contract, way=way, full=False) for way in range(WAYS))
    payload = next(filter(is_valid, bare), msgspec.UNSET)
    if payload is msgspec.UNSET:
        payload = _found(entry)
        if not is_valid(payload):
            text = 'none was found that its schema accepts; give the schema one, as an item of "examples"'
            raise NoExample(contract.name, text)
    return cast("dict[str, Any]", _nearer(payload, wishes[0], is_valid))


def _found(entry: Entry) -> Any:
    """Return the payload that a search finds.

    Raises:
        NoExample: If it finds none.
    """
    found = some_document({**cast("Mapping[str, Any]", entry.closed.schema), "type": "object"})
    if found.verdict is Verdict.CONTAINED:
        raise NoExample(entry.contract.name, "its schema accepts no payload at all, so it contradicts itself")
    return None if found.witness is msgspec.UNSET else found.witness


def event_example(entry: Entry) -> dict[str, Any]:
    """Return an event as its owner sends it, with `example` as its payload; always the same for the same contract.

    Args:
        entry: The contract.

    Raises:
        NoExample: If no payload is valid, or none was found.
    """
    payload = example(entry)
    contract = entry.contract
    given = {"event_id": _ID, "occurred_at": _OCCURRED, "trace_id": _TRACE}
    message = Outlet(entry, contract.owner).message(payload, given)
    event: dict[str, Any] = orjson.loads(message.body)
    return event


def _nearer(value: Any, wish: Any, accepts: Callable[[Any], bool]) -> Any:
    """Return a value that is accepted, as near to a wish as one can come step by step."""
    if accepts(wish):
        return wish
    if isinstance(value, dict) and isinstance(wish, dict):
        return _nearer_object(value, wish, accepts)
    if isinstance(value, list) and isinstance(wish, list):
        for place, inner in enumerate(wish[: len(value)]):
            before, after = value[:place], value[place + 1 :]
            near = _nearer(value[place], inner, lambda item: accepts([*before, item, *after]))  # noqa: B023 - used at once
            value = [*before, near, *after]
    return value


def _nearer_object(value: dict[str, Any], wish: dict[str, Any], accepts: Callable[[Any], bool]) -> dict[str, Any]:
    for name in [name for name in value if name not in wish]:
        rest = {key: inner for key, inner in value.items() if key != name}
        if accepts(rest):
            value = rest
    for name, inner in wish.items():
        if name in value:
            near = _nearer(value[name], inner, lambda each: accepts({**value, name: each}))  # noqa: B023 - used at once
            value = {**value, name: near}
        elif accepts({**value, name: inner}):
            value = {**value, name: inner}
    return {name: value[name] for name in (*wish, *value) if name in value}

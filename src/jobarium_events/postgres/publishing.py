"""Rows of an outbox to the broker: in order within an aggregate, side by side otherwise, with rests for what fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import orjson

from jobarium_events.envelope import Message
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from jobarium_events.transports import Transport

__all__ = ["Publisher", "Row", "Settled"]

_LONGEST_BATCH = 10.0  # seconds in which a batch begins to send; what is left of it waits for the next one
_MOST_RESTING = 1_000  # aggregates; with more, it is the broker that fails and not they
_FIRST_REST, _LONGEST_REST = 0.1, 30.0  # seconds


class Row(NamedTuple):
    """An event as it stands in an outbox."""

    position: int
    aggregate: str
    body: bytes
    attributes: str
    blocked: bool

    @property
    def message(self) -> Message:
        """The message as it was added; one without an ordering key is an aggregate of its own."""
        attributes: dict[str, str] = orjson.loads(self.attributes)
        return Message(self.body, attributes, None if self.aggregate == attributes["event_id"] else self.aggregate)


class Settled(NamedTuple):
    """What has become of some rows, by their positions.

    Attributes:
        published: The broker has confirmed them.
        refused: The broker will never take them, and why.
        held: They stand behind one that is set aside.
        failed: They could not be sent for now, and why.
    """

    published: list[int]
    refused: list[tuple[int, str]]
    held: list[int]
    failed: list[tuple[int, Exception]]


class _Rest(NamedTuple):
    times: int
    until: float


class Publisher:
    """Sends rows, and knows which aggregates to leave alone for a while.

    Args:
        transport: What sends.
        timeout: Seconds that the broker has to confirm a message.
    """

    def __init__(self, transport: Transport, timeout: float) -> None:
        self._transport = transport
        self._timeout = timeout
        self._rests: dict[str, _Rest] = {}

    @property
    def is_exhausted(self) -> bool:
        """Whether so many aggregates rest that no other is to be tried either."""
        return len(self.resting) >= _MOST_RESTING

    @property
    def resting(self) -> list[str]:
        """The aggregates that are not to be tried now."""
        now = monotonic()
        # One that has rested may fail again, and then rests longer; so it is remembered for a while.
        self._rests = {name: rest for name, rest in self._rests.items() if rest.until > now - _LONGEST_REST}
        return [name for name, rest in self._rests.items() if rest.until > now]

    def seconds_to_rest(self, most: float) -> float:
        """Return after how many seconds the next aggregate has rested, or `most` if that is longer."""
        now = monotonic()
        return min([most, *(rest.until - now for rest in self._rests.values() if rest.until > now)])

    async def publish(self, rows: Iterable[Row]) -> Settled:
        """Send rows that stand in order, and return what has become of each; of those that are left out, nothing."""
        settled = Settled([], [], [], [])
        aggregates: dict[str, list[Row]] = {}
        for row in rows:
            if row.blocked:
                settled.held.append(row.position)
            else:
                aggregates.setdefault(row.aggregate, []).append(row)
        until = monotonic() + _LONGEST_BATCH
        async with asyncio.TaskGroup() as group:
            for name, each in aggregates.items():
                group.create_task(self._send_in_order(name, each, settled, until))
        return settled

    async def _send_in_order(self, aggregate: str, rows: list[Row], settled: Settled, until: float) -> None:
        for place, row in enumerate(rows):
            if monotonic() > until:
                return
            try:
                async with asyncio.timeout(self._timeout):
                    await self._transport.asend(row.message)
            except Refused as refused:
                settled.refused.append((row.position, refused.reason))
                settled.held.extend(each.position for each in rows[place + 1 :])
                return
            except Exception as error:  # noqa: BLE001 - whatever else a transport raises may pass
                settled.failed.append((row.position, error))
                self._rest(aggregate)
                return
            settled.published.append(row.position)
        if self._rests:
            self._rests.pop(aggregate, None)
            if len(self._rests) >= _MOST_RESTING // 2:
                self._rests.clear()  # it was the broker, and it is back

    def _rest(self, aggregate: str) -> None:
        times = self._rests[aggregate].times + 1 if aggregate in self._rests else 1
        longest = min(_LONGEST_REST, _FIRST_REST * 2 ** min(times, 20))
        seconds = longest * random.uniform(0.5, 1)  # noqa: S311 - so that relays do not all try at once
        self._rests[aggregate] = _Rest(times, monotonic() + seconds)

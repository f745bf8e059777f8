"""Rows of an outbox to the broker: in order within an aggregate, side by side otherwise, with rests for what fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import orjson

from jobarium_events.envelope import Message
from jobarium_events.postgres.reporting import Reporter
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from jobarium_events.transports import Transport

__all__ = ["Publisher", "Row", "Settled"]

_LONGEST_BATCH = 10.0  # seconds in which a batch begins to send; what is left of it waits for the next one
_MOST_RESTING = 1_000  # aggregates; with more, it is the broker that fails and not they
_FIRST_REST, _LONGEST_REST = 0.1, 30.0  # seconds
_UNUSUAL = 10.0  # seconds without a confirmation, after which that is logged
_GRACE = 5.0  # seconds that a batch has to end where the relay is to stop


class Row(NamedTuple):
    """An event as it stands in an outbox."""

    position: int
    aggregate: str
    ordering_key: str | None  # in JSON
    body: bytes
    attributes: str
    blocked: bool

    @property
    def message(self) -> Message:
        """The message as it was added."""
        ordering_key = None if self.ordering_key is None else orjson.loads(self.ordering_key)
        return Message(self.body, orjson.loads(self.attributes), ordering_key)


class Settled(NamedTuple):
    """What has become of some rows.

    Attributes:
        published: The broker has confirmed them; by their positions.
        refused: The broker will never take them, and why.
        held: They stand behind one that is set aside; by their positions.
        failed: They could not be sent for now, and why.
    """

    published: list[int]
    refused: list[tuple[Row, str]]
    held: list[int]
    failed: list[tuple[Row, Exception]]


class _Rest(NamedTuple):
    times: int
    until: float


class Publisher:
    """Sends rows, and knows which aggregates to leave alone for a while.

    Args:
        transport: What sends.
        timeout: Seconds that the broker has to confirm a message.
        stopping: Set where what is at hand is to be ended soon.
    """

    def __init__(self, transport: Transport, timeout: float, stopping: asyncio.Event) -> None:
        self._transport = transport
        self._timeout = timeout
        self._stopping = stopping
        self._reporter = Reporter(transport)
        self._rests: dict[str, _Rest] = {}

    @property
    def longest(self) -> float:
        """After how many seconds `publish` returns at the latest."""
        return _LONGEST_BATCH + self._timeout

    @property
    def is_exhausted(self) -> bool:
        """Whether so many aggregates rest that no other is to be tried either."""
        return len(self.resting) >= _MOST_RESTING

    @property
    def resting(self) -> list[str]:
        """The aggregates that are not to be tried now."""
        now = monotonic()
        return [name for name, rest in self._remembered(now).items() if rest.until > now]

    @property
    def failing(self) -> int:
        """How many aggregates have an event that could not be sent the last time."""
        return len(self._remembered(monotonic()))

    def _remembered(self, now: float) -> dict[str, _Rest]:
        # One that has rested may fail again, and then rests longer; so it is remembered for a while.
        self._rests = {name: rest for name, rest in self._rests.items() if rest.until > now - _LONGEST_REST}
        return self._rests

    def seconds_to_rest(self, most: float) -> float:
        """Return after how many seconds the next aggregate has rested, or `most` if that is longer."""
        now = monotonic()
        return min([most, *(rest.until - now for rest in self._rests.values() if rest.until > now)])

    async def publish(self, rows: Iterable[Row]) -> Settled:
        """Send rows that stand in order, and return what has become of each; of those that are left out, nothing.

        Where the relay is to stop and the broker does not answer, what is not confirmed after a while is left out.
        """
        settled = Settled([], [], [], [])
        aggregates: dict[str, list[Row]] = {}
        for row in rows:
            if row.blocked:
                settled.held.append(row.position)
            else:
                aggregates.setdefault(row.aggregate, []).append(row)
        at_hand: dict[str, Row] = {}
        sending = asyncio.create_task(self._send(aggregates, settled, at_hand))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((sending, stopping), timeout=_UNUSUAL, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done() and not stopping.done():
                if at_hand and not settled.published:
                    self._reporter.waiting([*at_hand.values()], _UNUSUAL, self._timeout)
                await asyncio.wait((sending, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                await asyncio.wait((sending,), timeout=_GRACE)
            if at_hand and not sending.done():
                self._reporter.given_up([*at_hand.values()], _GRACE)
        finally:
            sending.cancel()
            stopping.cancel()
            await asyncio.wait((sending, stopping))
        if not sending.cancelled():
            sending.result()
        self._reporter.settled(settled)
        return settled

    async def _send(self, aggregates: dict[str, list[Row]], settled: Settled, at_hand: dict[str, Row]) -> None:
        until = monotonic() + _LONGEST_BATCH
        async with asyncio.TaskGroup() as group:
            for name, each in aggregates.items():
                group.create_task(self._send_in_order(name, each, settled, at_hand, until))

    async def _send_in_order(
        self, aggregate: str, rows: list[Row], settled: Settled, at_hand: dict[str, Row], until: float
    ) -> None:
        for place, row in enumerate(rows):
            if monotonic() > until or self._stopping.is_set():
                return
            at_hand[aggregate] = row
            try:
                await self._attempt(row.message)
            except Refused as refused:
                settled.refused.append((row, refused.reason))
                settled.held.extend(each.position for each in rows[place + 1 :])
                self._rests.pop(aggregate, None)
                return
            except Exception as error:  # noqa: BLE001 - whatever else a transport raises may pass
                settled.failed.append((row, error))
                self._rest(aggregate)
                return
            finally:
                del at_hand[aggregate]
            settled.published.append(row.position)
        if self._rests:
            self._rests.pop(aggregate, None)
            if len(self._rests) >= _MOST_RESTING // 2:
                self._rests.clear()  # it was the broker, and it is back

    async def _attempt(self, message: Message) -> None:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                await self._transport.asend(message)
        except TimeoutError as error:
            if limit.expired():
                raise TimeoutError(f"no confirmation within {self._timeout:g} s") from error
            raise
        except asyncio.CancelledError as error:
            # One that nobody has asked for, which a task group would take for an end without an error.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise ConnectionAbortedError("the transport was cancelled within") from error

    def _rest(self, aggregate: str) -> None:
        times = self._rests[aggregate].times + 1 if aggregate in self._rests else 1
        longest = min(_LONGEST_REST, _FIRST_REST * 2 ** min(times, 20))
        seconds = longest * random.uniform(0.5, 1)  # noqa: S311 - so that relays do not all try at once
        self._rests[aggregate] = _Rest(times, monotonic() + seconds)

"""How a relay goes: a live line in a terminal, and elsewhere a line every now and then."""

import asyncio
import sys
from collections.abc import Coroutine
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from jobarium_events.postgres.lanes import Batch
    from jobarium_events.postgres.outbox import Outbox
    from jobarium_events.postgres.upkeep import Backlog

__all__ = ["Progress"]

_MOST = 100_000  # up to which what waits is counted
_COUNT_EVERY = 5.0  # seconds
_SHARE = 50  # of its time at most one part in so many is spent on counting
_PRINT_EVERY = 10.0  # seconds

_T = TypeVar("_T")


class Progress:
    """What a relay has done so far, and what waits.

    Args:
        to: Where it is shown.
        database: The relay's.
        outbox: What it publishes from.
    """

    def __init__(self, to: "Console", database: str, outbox: "Outbox") -> None:
        self._to, self._database, self._outbox = to, database, outbox
        self._published = self._refused = self._held = self._failed = 0
        self._marks = [(monotonic(), 0)]
        self._backlog: Backlog | None = None

    def add(self, batch: "Batch") -> None:
        """Count a batch."""
        self._published += batch.published
        self._refused += batch.refused
        self._held += batch.held
        self._failed += batch.failed

    @property
    def is_blocked(self) -> bool:
        """Whether an event is set aside, as far as that is known."""
        return self._backlog is not None and self._backlog.is_blocked

    def text(self) -> str:
        """Return the line."""
        now = monotonic()
        self._marks = [*self._marks[-20:], (now, self._published)]
        since, before = self._marks[0]
        rate = (self._published - before) / (now - since) if now > since else 0.0
        parts = [f"{self._published:,} published", f"{rate:,.0f}/s"]
        if self._backlog is not None:
            more = "+" if self._backlog.waiting > _MOST else ""
            parts.append(f"{min(self._backlog.waiting, _MOST):,}{more} waiting")
        others = {"set aside": self._refused, "held": self._held, "failed attempts": self._failed}
        return "  ".join([*parts, *(f"{number:,} {name}" for name, number in others.items() if number)])

    async def during(self, work: Coroutine[None, None, _T]) -> _T:
        """Show the line while something runs."""
        task, counting = asyncio.create_task(work), asyncio.create_task(self._count())
        try:
            await (self._live(task) if self._to.is_terminal else self._now_and_then(task))
            return await task
        finally:
            counting.cancel()
            await asyncio.wait((counting,))

    async def end(self, *, is_counted: bool) -> None:
        """Show the line for the last time, with what waits if that is to be counted once more."""
        self._backlog = await self._last_backlog() if is_counted else None
        self._to.print(self.text())

    async def _live(self, task: asyncio.Task[_T]) -> None:
        # What is logged appears above the line; where it goes to a file, it does so now.
        with Live(console=self._to, auto_refresh=False, transient=True, redirect_stderr=sys.stderr.isatty()) as live:
            while not task.done():
                await asyncio.wait((task,), timeout=0.25)
                live.update(Text(self.text()), refresh=True)

    async def _now_and_then(self, task: asyncio.Task[_T]) -> None:
        shown: object = None
        while not task.done():
            await asyncio.wait((task,), timeout=_PRINT_EVERY)
            now = (self._published, self._failed, self._backlog)
            if not task.done() and shown != now:
                shown = now
                self._to.print(self.text())

    async def _count(self) -> None:
        """Count what waits, again and again, on a connection of its own."""
        import psycopg  # noqa: PLC0415 - the extra was there

        from jobarium_events.postgres.connecting import aconnect  # noqa: PLC0415
        from jobarium_events.postgres.missing import NoTable  # noqa: PLC0415
        from jobarium_events.postgres.upkeep import backlog  # noqa: PLC0415

        while True:
            try:
                async with await aconnect(self._database) as connection:
                    while True:
                        began = monotonic()
                        self._backlog = await backlog(connection, self._outbox, _MOST)
                        await asyncio.sleep(max(_COUNT_EVERY, _SHARE * (monotonic() - began)))
            except (NoTable, psycopg.Error):  # the relay meets the same, and says so
                self._backlog = None
                await asyncio.sleep(_COUNT_EVERY)

    async def _last_backlog(self) -> "Backlog":
        from jobarium_events.postgres.connecting import aconnect  # noqa: PLC0415 - the extra was there
        from jobarium_events.postgres.upkeep import backlog  # noqa: PLC0415

        async with await aconnect(self._database) as connection:
            return await backlog(connection, self._outbox, _MOST)

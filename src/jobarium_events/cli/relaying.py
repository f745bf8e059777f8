"""`outbox relay`: a relay as a process, with a line that tells how it goes."""

import asyncio
import signal
from collections.abc import Awaitable
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from jobarium_events.cli.databases import DatabaseOption, SchemaOption, TableOption, age, database_errors
from jobarium_events.cli.output import console
from jobarium_events.cli.transports import opened

if TYPE_CHECKING:
    from rich.console import Console

    from jobarium_events.postgres.lanes import Batch
    from jobarium_events.postgres.relay import Relay

__all__ = ["relay"]


def relay(
    *,
    to: Annotated[
        str, typer.Option(metavar="MODULE:TRANSPORT", help="A transport, or a function without parameters: see above.")
    ],
    database: DatabaseOption,
    schema: SchemaOption = None,
    table_name: TableOption = "outbox_event",
    batch: Annotated[int, typer.Option(min=1, help="How many events are taken at once, at most.")] = 500,
    poll: Annotated[float, typer.Option(min=0.01, help="Seconds after which to look, if nothing told of events.")] = 1,
    prune_after: Annotated[
        timedelta | None,
        typer.Option(parser=age, metavar="AGE", help="Delete published events of this age, such as 7d."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is left that can be published now.")] = False,
) -> None:
    """Publish the events of an outbox, in order within each aggregate, until SIGTERM or Ctrl-C.

    The function that `--to` names gives a transport, at once or when awaited; or it is an async context manager that
    opens one and closes it at the end. Any number of relays can run at once. At a signal, the batch at hand is
    finished.

    Example: `jobarium-events outbox relay --to billing.app:transport --prune-after 7d`
    """
    from jobarium_events.postgres.outbox import Outbox  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.postgres.relay import Relay  # noqa: PLC0415

    async def work() -> None:
        line = _Line(console())
        async with opened(to) as transport, database_errors():
            source = Outbox(schema=schema, table=table_name)
            options: dict[str, Any] = {"batch": batch, "poll": poll, "prune_after": prune_after, "told": line.add}
            running = Relay(database, transport, outbox=source, **options)
            loop = asyncio.get_running_loop()
            for each in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(each, running.stop)
            await line.during(_run(running, once=once))

    asyncio.run(work())


async def _run(relay: "Relay", *, once: bool) -> None:
    if once:
        await relay.drain()
    else:
        await relay.run()


class _Line:
    """What a relay has done so far: a live line in a terminal, and elsewhere a line every now and then."""

    def __init__(self, to: "Console") -> None:
        self._to = to
        self._published = self._refused = self._held = self._failed = 0
        self._marks = [(monotonic(), 0)]

    def add(self, batch: "Batch") -> None:
        """Count a batch."""
        self._published += batch.published
        self._refused += batch.refused
        self._held += batch.held
        self._failed += batch.failed

    def text(self) -> str:
        """Return the line."""
        now = monotonic()
        self._marks = [*self._marks[-20:], (now, self._published)]
        since, before = self._marks[0]
        rate = (self._published - before) / (now - since) if now > since else 0.0
        parts = [f"{self._published:,} published", f"{rate:,.0f}/s"]
        others = {"set aside": self._refused, "held": self._held, "failed attempts": self._failed}
        return "  ".join([*parts, *(f"{number:,} {name}" for name, number in others.items() if number)])

    async def during(self, work: Awaitable[None]) -> None:
        """Show the line while something runs, and once more at its end."""
        task = asyncio.ensure_future(work)
        if self._to.is_terminal:
            with Live(console=self._to, auto_refresh=False) as live:
                while not task.done():
                    await asyncio.wait((task,), timeout=0.25)
                    live.update(Text(self.text()), refresh=True)
        else:
            shown = -1
            while not task.done():
                await asyncio.wait((task,), timeout=10)
                if not task.done() and shown != self._published:
                    shown = self._published
                    self._to.print(self.text())
        await task
        if not self._to.is_terminal:
            self._to.print(self.text())

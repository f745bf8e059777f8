"""`outbox relay`: a relay as a process, with a line that tells how it goes."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobarium_events.cli.databases import DatabaseOption, SchemaOption, TableOption, age, database_errors, outbox_in
from jobarium_events.cli.interrupting import SIGNALS, EndedBySignals
from jobarium_events.cli.output import console
from jobarium_events.cli.progress import Progress
from jobarium_events.cli.retrying import without_staminas_lines
from jobarium_events.cli.transports import opened

if TYPE_CHECKING:
    from jobarium_events.postgres.lanes import Batch

__all__ = ["relay"]

_LEFT = 1


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
    lanes: Annotated[int, typer.Option(min=1, help="Batches at the same time, each on a connection of its own.")] = 2,
    timeout: Annotated[float, typer.Option(min=0.01, help="Seconds that the broker has to confirm an event.")] = 30,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is left that can be published now.")] = False,
) -> None:
    """Publish the events of an outbox, in order within each aggregate, until SIGTERM or Ctrl-C.

    The function that `--to` names gives a transport, at once or when awaited; or it is an async context manager that
    opens one and closes it at the end. Any number of relays can run at once. At a signal, what is on its way to the
    broker is waited for; what it does not confirm within five seconds is left for the next relay.

    The exit code is 0 at a signal. With `--once` it is 1 if an event is left that could not be published, is set aside
    or is held.

    Example: `jobarium-events outbox relay --to billing.app:transport --prune-after 7d`
    """
    from jobarium_events.postgres.relay import Relay  # noqa: PLC0415 - the extra may be missing

    source = outbox_in(schema, table_name)

    async def work() -> bool:
        progress = Progress(console(), database, source)
        async with opened(to) as transport, database_errors():
            options: dict[str, Any] = {"batch": batch, "poll": poll, "lanes": lanes, "timeout": timeout}
            running = Relay(database, transport, outbox=source, prune_after=prune_after, told=progress.add, **options)
            loop = asyncio.get_running_loop()
            for each in SIGNALS:
                loop.add_signal_handler(each, running.stop)
            done: Batch | None = await progress.during(running.drain() if once else running.run())
            # One that is stopped ends at once, and what is left is for the next one to find out.
            await progress.end(is_counted=once and not running.is_stopping)
            return done is not None and (running.is_stopping or done.failed > 0 or progress.is_blocked)

    is_left = once  # where it is ended before it has begun
    with without_staminas_lines(), EndedBySignals():
        is_left = asyncio.run(work())
    if is_left:
        raise typer.Exit(_LEFT)

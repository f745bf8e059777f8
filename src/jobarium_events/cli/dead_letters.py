"""`dead-letters`: the events that consumers rejected: what they are, and sending them again or dropping them."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import typer

from jobarium_events.catalog import Catalog
from jobarium_events.cli import letters
from jobarium_events.cli.catalogs import FolderOption, JsonOption
from jobarium_events.cli.catalogs import opened as catalog_in
from jobarium_events.cli.letters import (
    ConsumerOption,
    EventOption,
    IdsArgument,
    NewerOption,
    OlderOption,
    ReasonOption,
    Store,
    StoreOption,
    TableOption,
    VersionOption,
    as_json,
    chosen,
    filter_of,
)
from jobarium_events.cli.naming import told
from jobarium_events.cli.output import Column, console, counted, print_json, printable, table
from jobarium_events.cli.transports import opened
from jobarium_events.deadletters import KeptLetter
from jobarium_events.envelope import Event
from jobarium_events.errors import JobariumEventsError
from jobarium_events.replaying import replay_of
from jobarium_events.transports import Transport

__all__ = ["dead_letters"]

_FOUND = 1
_TABLE = "dead_letter"
# Attributes that hold nothing of a payload; an idempotency key is made of its fields.
_ENVELOPE = {*Event.__struct_fields__, "replay"} - {"payload", "idempotency_key"}

AllOption = Annotated[bool, typer.Option("--all", help="All that there are.")]

dead_letters = typer.Typer(
    help="""Look through the events that consumers rejected, send them again, or drop them.

    Payloads are personal data: they are shown by `show --payload` alone.

    Example: `jobarium-events dead-letters list --store sqlite:///letters.db --reason invalid-payload`

    Example: `jobarium-events dead-letters replay --event job.updated --to jobs.app:transport`
    """,
)


@dead_letters.command("list")
def listed(
    *,
    store: StoreOption,
    table_name: TableOption = _TABLE,
    event: EventOption = None,
    version: VersionOption = None,
    reason: ReasonOption = None,
    consumer: ConsumerOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many to list at most.")] = 100,
    json: JsonOption = False,
) -> None:
    """List dead letters, the oldest first.

    Example: `jobarium-events dead-letters list --event job.updated --newer-than 36h`
    """
    which = filter_of(
        event=event, version=version, reason=reason, consumer=consumer, older=older_than, newer=newer_than
    )
    with letters.opened(store, table_name) as found:
        page = found.list(which, limit=limit + 1)
    shown, is_all = page[:limit], len(page) <= limit
    if json:
        print_json({"letters": [as_json(letter) for letter in shown], "complete": is_all})
        return
    to = console()
    if shown:
        names = ("Id", "Rejected", "Consumer", "Event", "Replayed", "Reason")
        table(to, [Column(name) for name in names], [_row(letter) for letter in shown])
    more = "" if is_all else f"; there are more, see --limit {limit * 10}"
    to.print(f"{counted(len(shown), 'dead letter')}{more}", style="bold")


def _row(letter: KeptLetter) -> Sequence[str]:
    first = letter.violations[0].pointer if letter.violations else ""
    where = f" at {first}" if first else ""
    replayed = "" if letter.replayed_at is None else _moment(letter.replayed_at)
    return [
        str(letter.id),
        _moment(letter.rejected_at),
        letter.consumer,
        letter.rejection.contract,
        replayed,
        f"{letter.reason}{where}",
    ]


def _moment(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


@dead_letters.command()
def show(
    id_: Annotated[int, typer.Argument(metavar="ID", help="As `list` shows it.")],
    *,
    store: StoreOption,
    table_name: TableOption = _TABLE,
    payload: Annotated[
        bool, typer.Option("--payload", help="Show its bytes and all attributes, payload and all.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show one dead letter: why it was rejected, where in it, and whose it is.

    Example: `jobarium-events dead-letters show 42 --payload`
    """
    with letters.opened(store, table_name) as found:
        letter = found.get(id_)
    if letter is None:
        console(stderr=True).print(f"there is no dead letter {id_}", style="red")
        raise typer.Exit(_FOUND)
    attributes = {name: value for name, value in letter.attributes.items() if payload or name in _ENVELOPE}
    raw = letter.raw.decode(errors="backslashreplace")
    if json:
        print_json({**as_json(letter), "attributes": attributes, **({"raw": raw} if payload else {})})
        return
    to = console()
    replayed = "not replayed" if letter.replayed_at is None else f"replayed {_moment(letter.replayed_at)}"
    rejected = f"rejected {_moment(letter.rejected_at)} by {letter.consumer}; {replayed}"
    to.print(printable(f"{letter.id}: {rejected}"), style="bold")
    for line in str(letter.rejection).split("\n"):
        to.print(printable(line))
    for name, value in attributes.items():
        to.print(printable(f"  {name}: {value}"), style="dim")
    hidden = len(letter.attributes) - len(attributes)
    if payload:
        to.print(printable(raw))
    else:
        others = f" and {counted(hidden, 'attribute')}" if hidden else ""
        to.print(f"its {counted(len(letter.raw), 'byte')}{others} are shown with --payload", style="dim")


class _Replays(msgspec.Struct):
    """What a replay has come to."""

    replayed: list[int] = []
    already: list[int] = []
    failed: dict[int, str] = {}
    stopped: str | None = None


@dead_letters.command()
def replay(
    ids: IdsArgument = None,
    *,
    to: Annotated[
        str,
        typer.Option(metavar="MODULE:TRANSPORT", help="A transport, or a function without parameters that makes one."),
    ],
    store: StoreOption,
    table_name: TableOption = _TABLE,
    event: EventOption = None,
    version: VersionOption = None,
    reason: ReasonOption = None,
    consumer: ConsumerOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
    every: AllOption = False,
    folder: FolderOption = None,
    again: Annotated[bool, typer.Option("--again", help="Those too that have been replayed already.")] = False,
    json: JsonOption = False,
) -> None:
    """Send dead letters again, to all who consume them, as the same events: a replay keeps event_id and occurred_at.

    Each is checked by the catalog first; one that would be rejected again is not sent. An inbox that has handled an
    event does not handle it a second time. The exit code is 1 if one was not sent.

    Example: `jobarium-events dead-letters replay 42 43 --to jobs.app:transport`

    Example: `jobarium-events dead-letters replay --reason unknown-version --to jobs.app:transport --folder schemas`
    """
    which = filter_of(
        event=event, version=version, reason=reason, consumer=consumer, older=older_than, newer=newer_than
    )
    catalog, done = catalog_in(folder), _Replays()
    with letters.opened(store, table_name) as found:
        those = chosen(found, ids, which, every=every)

        async def work() -> None:
            async with opened(to) as transport:
                await _replay(found, those, transport, catalog, done, again=again)

        asyncio.run(work())
    if json:
        print_json(msgspec.to_builtins(done, str_keys=True))
    else:
        _print_replays(done)
    if done.failed or done.stopped:
        raise typer.Exit(_FOUND)


async def _replay(
    store: Store, ids: Sequence[int], transport: Transport, catalog: Catalog, done: _Replays, *, again: bool
) -> None:
    for id_ in ids:
        letter = store.get(id_)
        if letter is None:
            done.failed[id_] = f"there is no dead letter {id_}"
            continue
        if letter.replayed_at is not None and not again:
            done.already.append(id_)
            continue
        try:
            await transport.asend(replay_of(letter, catalog))
        except JobariumEventsError as error:
            done.failed[id_] = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a broker's client raises, the next would meet it too
            done.stopped = f"the transport failed at {id_}: {told(error)}"
            return
        else:
            store.mark_replayed(id_)
            done.replayed.append(id_)


def _print_replays(done: _Replays) -> None:
    to = console()
    to.print(f"{counted(len(done.replayed), 'dead letter')} replayed", style="bold")
    if done.already:
        to.print(f"{len(done.already)} replayed already; --again sends them once more", style="yellow")
    for id_, problem in done.failed.items():
        to.print(printable(f"{id_} was not sent: ") + "\n".join(map(printable, problem.split("\n"))), style="red")
    if done.stopped:
        to.print(printable(f"{done.stopped}; run the command again for the rest"), style="red")


@dead_letters.command()
def drop(
    ids: IdsArgument = None,
    *,
    store: StoreOption,
    table_name: TableOption = _TABLE,
    event: EventOption = None,
    version: VersionOption = None,
    reason: ReasonOption = None,
    consumer: ConsumerOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
    every: AllOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Delete dead letters. They are lost.

    Example: `jobarium-events dead-letters drop --event job.updated --older-than 90d --yes`
    """
    which = filter_of(
        event=event, version=version, reason=reason, consumer=consumer, older=older_than, newer=newer_than
    )
    with letters.opened(store, table_name) as found:
        those = chosen(found, ids, which, every=every)
        if those and not yes:
            _confirm(len(those))
        dropped = found.drop(those)
    if json:
        print_json({"dropped": dropped})
    else:
        console().print(f"{counted(dropped, 'dead letter')} dropped", style="bold")
    if ids and dropped < len(those):
        console(stderr=True).print(f"{len(those) - dropped} of them were not there", style="red")
        raise typer.Exit(_FOUND)


def _confirm(number: int) -> None:
    if not _can_ask():
        raise typer.BadParameter(f"this deletes {counted(number, 'dead letter')}; give --yes where nobody can be asked")
    typer.confirm(f"Delete {counted(number, 'dead letter')}? They are lost", abort=True, err=True)


def _can_ask() -> bool:
    return sys.stdin.isatty()

"""`dead-letters`: the events that consumers rejected: what they are, and sending them again or dropping them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import typer

from jobarium_events.cli import letters
from jobarium_events.cli.catalogs import FolderOption, JsonOption
from jobarium_events.cli.catalogs import opened as catalog_in
from jobarium_events.cli.databases import YesOption, confirm_loss
from jobarium_events.cli.letters import (
    HIGHEST,
    ConsumerOption,
    EventOption,
    IdsArgument,
    NewerOption,
    OlderOption,
    ReasonOption,
    StoreOption,
    TableOption,
    VersionOption,
    as_json,
    chosen,
    explain_none,
    filter_of,
    sql_of,
)
from jobarium_events.cli.output import Column, console, counted, print_json, printable, table
from jobarium_events.cli.replays import Replay
from jobarium_events.deadletters import KeptLetter
from jobarium_events.envelope import Event

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
    limit: Annotated[int, typer.Option(min=1, max=HIGHEST - 1, metavar="N", help="How many to list at most.")] = 100,
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
        if not page:
            explain_none(found, which)
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
    id_: Annotated[int, typer.Argument(min=1, max=HIGHEST, metavar="ID", help="As `list` shows it.")],
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
    timeout: Annotated[
        float, typer.Option(min=0.01, metavar="SECONDS", help="How long to wait for the broker, each time.")
    ] = 30,
    json: JsonOption = False,
) -> None:
    """Send dead letters again, to all who consume them, as the same events: a replay keeps event_id and occurred_at.

    Each is checked by the catalog first; one that would be rejected again is not sent. An event that several letters
    hold is sent once. An inbox that has handled an event does not handle it a second time. The exit code is 1 if one
    was not sent.

    Example: `jobarium-events dead-letters replay 42 43 --to jobs.app:transport`

    Example: `jobarium-events dead-letters replay --reason unknown-version --to jobs.app:transport --folder schemas`
    """
    which = filter_of(
        event=event, version=version, reason=reason, consumer=consumer, older=older_than, newer=newer_than
    )
    catalog = catalog_in(folder)
    with letters.opened(store, table_name) as found:
        those = chosen(found, ids, which, every=every)
        replays = Replay(found, to, catalog, again=again, timeout=timeout)
        asyncio.run(replays.run(those))
    done = replays.done
    if json:
        print_json(msgspec.to_builtins(done, str_keys=True))
    else:
        done.print()
    if done.failed or done.stopped:
        raise typer.Exit(_FOUND)


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
    yes: YesOption = False,
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
            confirm_loss(len(those), "dead letter")
        dropped = found.drop(those)
    if json:
        print_json({"dropped": dropped})
    else:
        console().print(f"{counted(dropped, 'dead letter')} dropped", style="bold")
    if ids and dropped < len(those):
        console(stderr=True).print(f"{len(those) - dropped} of them were not there", style="red")
        raise typer.Exit(_FOUND)


@dead_letters.command()
def tables(*, table_name: TableOption = _TABLE) -> None:
    """Print the SQL that makes a store in Postgres, for a migration. A SQLite file needs none.

    Example: `jobarium-events dead-letters tables | psql`
    """
    typer.echo(sql_of(table_name))

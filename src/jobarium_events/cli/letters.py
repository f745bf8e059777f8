"""The store of dead letters that a command is told of by a URL, and which of its letters are meant."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
import typer

from jobarium_events.cli import stores
from jobarium_events.cli.databases import age
from jobarium_events.cli.output import console, printable
from jobarium_events.contract import VERSION
from jobarium_events.deadletters import REASONS, KeptLetter, LetterFilter, LetterKind
from jobarium_events.extras import extra

__all__ = [
    "HIGHEST",
    "ConsumerOption",
    "EventOption",
    "IdsArgument",
    "NewerOption",
    "OlderOption",
    "ReasonOption",
    "Store",
    "StoreOption",
    "TableOption",
    "VersionOption",
    "as_json",
    "chosen",
    "explain_none",
    "filter_of",
    "opened",
    "sql_of",
]

HIGHEST = 2**63 - 1
"""What a database can count to."""

IdsArgument = Annotated[
    list[int] | None, typer.Argument(min=1, max=HIGHEST, metavar="ID...", help="Those that `list` shows.")
]
StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="JOBARIUM_DEAD_LETTERS",
        help="Where they are: postgresql://..., or sqlite:///path of a file.",
    ),
]
TableOption = Annotated[
    str, typer.Option("--table", metavar="NAME", help="The table's name, after its schema and a dot if it is in one.")
]
EventOption = Annotated[str | None, typer.Option("--event", metavar="NAME", help="Those of one event.")]
VersionOption = Annotated[str | None, typer.Option("--version", metavar="VERSION", help="Those of one version.")]
ReasonOption = Annotated[
    str | None, typer.Option("--reason", metavar="REASON", help="Those with one reason, such as invalid-payload.")
]
ConsumerOption = Annotated[
    str | None, typer.Option("--consumer", metavar="NAME", help="Those that one consumer rejected.")
]
OlderOption = Annotated[
    timedelta | None,
    typer.Option("--older-than", parser=age, metavar="AGE", help="Those rejected longer ago, such as 7d."),
]
NewerOption = Annotated[
    timedelta | None,
    typer.Option("--newer-than", parser=age, metavar="AGE", help="Those rejected since, such as 36h."),
]


class Store(Protocol):
    """What the commands need of a store."""

    def list(self, which: LetterFilter, *, after: int = 0, limit: int = 100) -> Sequence[KeptLetter]:
        """Return the first letters that a filter means, beginning after an id."""

    def kinds(self) -> Sequence[LetterKind]:
        """Return of which kinds there are letters."""

    def get(self, id_: int, /) -> KeptLetter | None:
        """Return one letter."""

    def drop(self, ids: Sequence[int], /) -> int:
        """Forget letters, and return how many were there."""

    def replaying(self, id_: int, /) -> AbstractContextManager[KeptLetter]:
        """Keep a letter to oneself for a block that replays it, and note that at its end."""


def opened(url: str, table: str) -> AbstractContextManager[Store]:
    """Open the store at a URL.

    Raises:
        DeclarationError: If the URL names none.
        NoDatabase: If it cannot be used.
    """

    def in_file(path: Path) -> Any:
        from jobarium_events.sqlite import SqliteDeadLetters  # noqa: PLC0415 - one of the two is needed

        return SqliteDeadLetters(path, table=table)

    return stores.opened(url, in_file, lambda pool: _in_postgres(pool, table))


def sql_of(table: str) -> str:
    """Return the SQL that makes a table in Postgres."""
    made: str = _in_postgres(None, table).tables
    return made


def _in_postgres(pool: Any, table: str) -> Any:
    """Return the store of a table; without a pool, one that is there for its SQL."""
    with extra("postgres"):
        import psycopg  # noqa: PLC0415 - the extra may be missing

    from jobarium_events.postgres import PostgresDeadLetters  # noqa: PLC0415 - the extra may be missing

    schema, _, name = table.rpartition(".")
    return PostgresDeadLetters(pool or psycopg.connect, schema=schema or None, table=name)


def filter_of(**given: Any) -> LetterFilter:
    """Return the filter that a command's options say."""
    now, older, newer = datetime.now(UTC), given.pop("older"), given.pop("newer")
    return LetterFilter(
        before=None if older is None else now - older, since=None if newer is None else now - newer, **given
    )


def chosen(store: Store, ids: Sequence[int] | None, which: LetterFilter, *, every: bool) -> Sequence[int]:
    """Return the ids of the letters that are meant: those named, or those that a filter means.

    Raises:
        BadParameter: If none are named, or in more than one way; or if the filter cannot mean any.
    """
    ways = [bool(ids), which != LetterFilter(), every].count(True)
    if ways == 0:
        raise typer.BadParameter("name letters by their ids, or by filters such as --event, or give --all")
    if ways > 1:
        raise typer.BadParameter("give ids, or filters such as --event, or --all, and no two of them")
    if ids:
        return list(dict.fromkeys(ids))
    found: list[int] = []
    while page := store.list(which, after=found[-1] if found else 0):
        found += [letter.id for letter in page]
    if not found:
        explain_none(store, which)
    return found


def explain_none(store: Store, which: LetterFilter) -> None:
    """Where a filter has found nothing, say on stderr what of it fits no letter at all, lest it be a slip.

    Raises:
        BadParameter: If it names a reason or a version that cannot be.
    """
    kinds = store.kinds()
    for name in ("reason", "version", "event", "consumer"):
        wanted = getattr(which, name)
        known = sorted({getattr(kind, name) for kind in kinds} - {None})
        if wanted is None or wanted in known:
            continue
        if name == "reason" and wanted not in REASONS:
            raise typer.BadParameter(f"there is no reason {wanted!r}{_hint(wanted, REASONS)}", param_hint="--reason")
        if name == "version" and not VERSION.fullmatch(wanted):
            raise typer.BadParameter(f"{wanted!r} is no version: write v1, v2 and so on", param_hint="--version")
        if known:
            console(stderr=True).print(printable(f"no letter has the {name} {wanted}{_hint(wanted, known)}"))


def _hint(wanted: str, known: Sequence[str]) -> str:
    near = get_close_matches(wanted, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; there are: {', '.join(known)}"


def as_json(letter: KeptLetter) -> dict[str, Any]:
    """Return a letter without what it carries."""
    shown = [name for name in letter.__struct_fields__ if name not in ("raw", "attributes")]
    return {name: msgspec.to_builtins(getattr(letter, name)) for name in shown}

"""The store of dead letters that a command is told of by a URL, and which of its letters are meant."""

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
import typer

from jobarium_events.cli.databases import NoDatabase, age
from jobarium_events.deadletters import KeptLetter, LetterFilter
from jobarium_events.errors import DeclarationError

__all__ = [
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
    "filter_of",
    "opened",
]

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")

IdsArgument = Annotated[list[int] | None, typer.Argument(metavar="ID...", help="Those that `list` shows.")]
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

    def get(self, id_: int, /) -> KeptLetter | None:
        """Return one letter."""

    def drop(self, ids: Sequence[int], /) -> int:
        """Forget letters, and return how many were there."""

    def mark_replayed(self, id_: int, /) -> None:
        """Note that a letter has been replayed."""


@contextmanager
def opened(url: str, table: str) -> Iterator[Store]:
    """Open the store at a URL.

    Raises:
        DeclarationError: If the URL names none.
        NoDatabase: If it cannot be used.
    """
    if url.startswith(_SQLITE):
        from jobarium_events.sqlite import SqliteDeadLetters  # noqa: PLC0415 - one of the two is needed

        path = Path(url.removeprefix(_SQLITE))
        if not path.is_file():
            raise DeclarationError(f"there is no file {path}; an absolute path has four slashes, sqlite:////var/...")
        store = SqliteDeadLetters(path, table=table)
        try:
            yield store
        except sqlite3.Error as error:
            raise NoDatabase(str(error)) from None
        finally:
            store.close()
    elif url.startswith(_POSTGRES):
        from jobarium_events.postgres import PostgresDeadLetters  # noqa: PLC0415 - the extra may be missing

        psycopg, psycopg_pool = sys.modules["psycopg"], sys.modules["psycopg_pool"]
        schema, _, name = table.rpartition(".")
        try:
            psycopg.connect(url).close()  # a pool would go on trying
            with psycopg_pool.ConnectionPool(url, min_size=1, max_size=1, open=True) as pool:
                yield PostgresDeadLetters(pool, schema=schema or None, table=name)
        except psycopg.Error as error:
            raise NoDatabase(error.diag.message_primary or str(error).strip()) from None
    else:
        raise DeclarationError("the store must be named by a URL: postgresql://..., or sqlite:///path of a file")


def filter_of(**given: Any) -> LetterFilter:
    """Return the filter that a command's options say."""
    now, older, newer = datetime.now(UTC), given.pop("older"), given.pop("newer")
    return LetterFilter(
        before=None if older is None else now - older, since=None if newer is None else now - newer, **given
    )


def chosen(store: Store, ids: Sequence[int] | None, which: LetterFilter, *, every: bool) -> Sequence[int]:
    """Return the ids of the letters that are meant: those named, or those that a filter means.

    Raises:
        BadParameter: If none are named, or both in one and the other way.
    """
    filtered = which != LetterFilter()
    if [bool(ids), filtered, every].count(True) != 1:
        raise typer.BadParameter("name letters by their ids, or by filters such as --event, or give --all")
    if ids:
        return list(dict.fromkeys(ids))
    found: list[int] = []
    while page := store.list(which, after=found[-1] if found else 0):
        found += [letter.id for letter in page]
    return found


def as_json(letter: KeptLetter) -> dict[str, Any]:
    """Return a letter without what it carries."""
    shown = [name for name in letter.__struct_fields__ if name not in ("raw", "attributes")]
    return {name: msgspec.to_builtins(getattr(letter, name)) for name in shown}

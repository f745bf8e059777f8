"""What the commands on a service's database share: their options, and what is said where it cannot be used."""

import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from jobarium_events.cli.output import counted
from jobarium_events.errors import JobariumEventsError

if TYPE_CHECKING:
    from jobarium_events.postgres.outbox import Outbox

__all__ = [
    "DatabaseOption",
    "NoDatabase",
    "SchemaOption",
    "TableOption",
    "YesOption",
    "age",
    "confirm_loss",
    "database_errors",
    "outbox_in",
]

_AGE = re.compile(r"(?P<number>\d+)(?P<unit>[smhdw])")
_UNREACHED = ("connection failed", "connection timeout", "failed to resolve host")
_WHERE = "Check the URL of the database: DATABASE_URL, or --database"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

DatabaseOption = Annotated[
    str, typer.Option("--database", metavar="URL", envvar="DATABASE_URL", help="The database, as psycopg takes it.")
]
SchemaOption = Annotated[
    str | None, typer.Option("--schema", metavar="NAME", help="The table's schema. [default: by the search path]")
]
TableOption = Annotated[str, typer.Option("--table", metavar="NAME", help="The table's name.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


class NoDatabase(JobariumEventsError):
    """A database is out of reach, or refuses what a command asks of it.

    Attributes:
        problem: What Postgres or psycopg says.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        where = ""
        if self.problem.startswith(_UNREACHED):
            where = f"{'' if self.problem.endswith(('.', '?', '!')) else '.'} {_WHERE}"
        return f"the database cannot be used: {self.problem}{where}"


def age(text: str) -> timedelta:
    """Return the time span that an option says: ``7d``."""
    match = _AGE.fullmatch(text)
    if match is None:
        raise typer.BadParameter("write a number and s, m, h, d or w, as in 7d")
    try:
        span = timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
        datetime.now(UTC) - span  # what every command does with it
    except OverflowError:
        raise typer.BadParameter("that is before the year 1; write a shorter time") from None
    return span


def outbox_in(schema: str | None, table: str) -> "Outbox":
    """Return the outbox that a command's options name."""
    from jobarium_events.postgres.outbox import Outbox  # noqa: PLC0415 - the extra may be missing

    if schema is None and "." in table:
        of, _, name = table.partition(".")
        raise typer.BadParameter(f"a table in a schema is named by both: --schema {of} --table {name}")
    return Outbox(schema=schema, table=table)


def confirm_loss(number: int, noun: str) -> None:
    """Ask whether so many things are to be deleted; end the command if they are not, or if nobody can be asked."""
    if not _can_ask():
        raise typer.BadParameter(f"this deletes {counted(number, noun)}; give --yes where nobody can be asked")
    lost = "It is lost" if number == 1 else "They are lost"
    typer.confirm(f"Delete {counted(number, noun)}? {lost}", abort=True, err=True)


def _can_ask() -> bool:
    return sys.stdin.isatty()


@asynccontextmanager
async def database_errors() -> AsyncIterator[None]:
    """Turn what psycopg raises into what a command prints.

    Raises:
        NoDatabase: For any error of psycopg.
    """
    import psycopg  # noqa: PLC0415 - the extra was there

    from jobarium_events.postgres.connecting import problem_of  # noqa: PLC0415

    try:
        yield
    except psycopg.Error as error:
        raise NoDatabase(problem_of(error)) from None

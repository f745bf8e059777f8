"""What the commands on a service's database share: their options, and what is said where it cannot be used."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

import typer

from jobarium_events.errors import JobariumEventsError

__all__ = ["DatabaseOption", "NoDatabase", "SchemaOption", "TableOption", "age", "database_errors"]

_AGE = re.compile(r"(?P<number>\d+)(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

DatabaseOption = Annotated[
    str, typer.Option("--database", metavar="URL", envvar="DATABASE_URL", help="The database, as psycopg takes it.")
]
SchemaOption = Annotated[
    str | None, typer.Option("--schema", metavar="NAME", help="The table's schema. [default: by the search path]")
]
TableOption = Annotated[str, typer.Option("--table", metavar="NAME", help="The table's name.")]


class NoDatabase(JobariumEventsError):
    """A database is out of reach, or refuses what a command asks of it.

    Attributes:
        problem: What Postgres or psycopg says.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return f"the database cannot be used: {self.problem}"


def age(text: str) -> timedelta:
    """Return the time span that an option says: ``7d``."""
    match = _AGE.fullmatch(text)
    if match is None:
        raise typer.BadParameter("write a number and s, m, h, d or w, as in 7d")
    return timedelta(**{_UNITS[match["unit"]]: int(match["number"])})


@asynccontextmanager
async def database_errors() -> AsyncIterator[None]:
    """Turn what psycopg raises into what a command prints.

    Raises:
        NoDatabase: For any error of psycopg.
    """
    import psycopg  # noqa: PLC0415 - the extra was there

    try:
        yield
    except psycopg.Error as error:
        raise NoDatabase(error.diag.message_primary or str(error).strip()) from None

"""Where a service keeps what it has consumed, as a command is told of it by a URL: a Postgres, or a SQLite file."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from jobarium_events.cli.databases import NoDatabase
from jobarium_events.errors import DeclarationError
from jobarium_events.extras import extra

__all__ = ["opened"]

_SQLITE, _POSTGRES = "sqlite:///", "postgres"


class _InFile(Protocol):
    def missing(self) -> str | None: ...

    def close(self) -> None: ...


F = TypeVar("F", bound=_InFile)
P = TypeVar("P")


@contextmanager
def opened(url: str, in_file: Callable[[Path], F], in_postgres: Callable[[Any], P]) -> Iterator[F | P]:
    """Open what is at a URL.

    Args:
        url: Of a Postgres or a file.
        in_file: Makes what works on a file; it is closed at the end.
        in_postgres: Makes what works on the connections of a pool.

    Raises:
        DeclarationError: If the URL names neither.
        NoDatabase: If the database cannot be used.
    """
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE))
        if not path.is_file():
            raise DeclarationError(f"there is no file {path}; an absolute path has four slashes, sqlite:////var/...")
        made = in_file(path)
        try:
            if (table := made.missing()) is not None:
                when = "a consumer makes it when it first has something to keep there"
                raise NoDatabase(f"{path} has no table {table}; {when}")
            yield made
        except sqlite3.Error as error:
            raise NoDatabase(f"{path}: {error}") from None
        finally:
            made.close()
    elif url.startswith(_POSTGRES):
        with extra("postgres"):
            import psycopg  # noqa: PLC0415 - the extra may be missing
            import psycopg_pool  # noqa: PLC0415 - as above

        from jobarium_events.postgres.connecting import parameters, problem_of  # noqa: PLC0415 - an extra

        given = parameters(url)
        try:
            psycopg.connect(**given).close()  # a pool would go on trying
            with psycopg_pool.ConnectionPool("", kwargs=given, min_size=1, max_size=1, open=True) as pool:
                yield in_postgres(pool)
        except psycopg.Error as error:
            raise NoDatabase(problem_of(error)) from None
    else:
        raise DeclarationError("the database must be named by a URL: postgresql://..., or sqlite:///path of a file")

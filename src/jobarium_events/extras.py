"""What is said where a module needs an extra that is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jobarium_events.errors import JobariumEventsError

__all__ = ["MissingExtra", "extra"]

_NEEDED = {
    "migrations": ("`jobarium-events db`, and all else that is done with migrations, needs an extra", ""),
    "rehearse": (
        "a rehearsal starts a Postgres of its own, which an extra brings",
        ", or name the Postgres to rehearse on by --url",
    ),
}
"""What is wanted, and what may be done instead, where the name of a package would tell a user nothing."""


class MissingExtra(JobariumEventsError, ImportError):
    """A module needs a package that one of the extras brings.

    Attributes:
        extra: Name of the extra, or of each that brings it, with commas.
        package: The package that is missing.
    """

    def __init__(self, extra: str, package: str) -> None:
        self.extra = extra
        self.package = package

    def __str__(self) -> str:
        if self.extra in _NEEDED:
            wanted, instead = _NEEDED[self.extra]
            return f"{wanted}: pip install 'jobarium-events[{self.extra}]'{instead}"
        first, *others = self.extra.split(",")
        instead = f", or in its place one of: {', '.join(others)}" if others else ""
        return f"{self.package} is missing: pip install 'jobarium-events[{first}]'{instead}"


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import within this what an extra brings.

    Raises:
        MissingExtra: If it is not installed.

    Example:
        >>> with extra("postgres"):
        ...     import psycopg
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("jobarium_events"):
            raise
        raise MissingExtra(name, error.name.partition(".")[0]) from None

"""What goes wrong with migrations, as errors.

::

    JobariumEventsError
    ├── MigrationError        files of a migrations folder with mistakes: all of them, in `.mistakes`
    └── UnknownMigration      a look-up of a migration that the folder lacks (a LookupError too)
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.errors import JobariumEventsError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MigrationError", "Mistake", "UnknownMigration"]


class Mistake(msgspec.Struct, frozen=True, order=True):
    """One mistake in a file.

    Attributes:
        file: Path of the file, as it was given or found.
        line: Counted from 1; 0 for the whole file.
        text: What is wrong and how to mend it.
    """

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}: {self.text}"


class MigrationError(JobariumEventsError):
    """Files of a migrations folder with mistakes; `mistakes` has every one that was found, and nothing was run."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))

    def __str__(self) -> str:
        count = len(self.mistakes)
        lines = "".join(f"\n  - {mistake}" for mistake in self.mistakes)
        return f"{count} mistake{'s' if count != 1 else ''} in the migrations:{lines}"


class UnknownMigration(JobariumEventsError, LookupError):
    """The folder has no such migration.

    Attributes:
        id: As it was asked for.
        known: The ids that the folder has.
    """

    def __init__(self, id_: str, known: Iterable[str]) -> None:
        self.id = id_
        self.known = tuple(known)

    def __str__(self) -> str:
        near = [each for each in self.known if each.startswith(self.id)] or get_close_matches(self.id, self.known)
        hint = f"; did you mean {' or '.join(near[:3])}?" if near else ""
        return f"there is no migration {self.id!r}{hint}"

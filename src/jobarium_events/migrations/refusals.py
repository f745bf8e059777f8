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

from jobarium_events.errors import DeclarationError, JobariumEventsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["MigrationError", "Mistake", "UnknownMigration", "no_folder"]

_SOME = 5
"""How many ids are named where none is near."""


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
        # Those of one line, or of a whole file, stay as they were found.
        self.mistakes = tuple(sorted(mistakes, key=lambda each: (each.file, each.line)))

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
        return f"there is no migration {self.id!r}; {self._hint(near)}"

    def _hint(self, near: list[str]) -> str:
        if near:
            return f"did you mean {' or '.join(near[:3])}?"
        if not self.known:
            return "the folder has none yet, and `db new` begins one"
        others = len(self.known) - _SOME
        more = f", and {others} before them" if others > 0 else ""
        return f"there {'is' if len(self.known) == 1 else 'are'} {', '.join(self.known[-_SOME:])}{more}"


def no_folder(path: Path) -> DeclarationError:
    """Return the error where there is no folder of migrations."""
    return DeclarationError(
        f"there is no folder {path}; go to where it is, name it by --migrations, or begin one by `db new`"
    )

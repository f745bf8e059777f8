"""What is refused before anything runs, or where nothing more may run, as errors.

::

    JobariumEventsError
    ├── Held                  somebody else applies migrations to the database
    ├── Closed                gates that a migration has not passed, in `.gates`; nothing was run
    ├── FileChanged           a file was changed after something of it ran
    ├── NotApplied            a migration that is to be verified is not applied
    └── RollbackRefused       a way back that cannot be gone as things stand
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.errors import JobariumEventsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobarium_events.migrations.applying.situation import Gate
    from jobarium_events.migrations.record.states import Stage

__all__ = ["Closed", "FileChanged", "Held", "NotApplied", "RollbackRefused", "shortened"]

_SHOWN = 12  # characters of a hash, which are enough to tell two files apart


class Held(JobariumEventsError):
    """Somebody else applies migrations to the database; nothing was run.

    Attributes:
        holder: Who, as the session's name says; empty if that cannot be seen.
    """

    def __init__(self, holder: str) -> None:
        self.holder = holder

    def __str__(self) -> str:
        holder = self.holder or "a session that this user may not see"
        return f"migrations are being applied to this database by {holder}; wait with --wait, or come again later"


class Closed(JobariumEventsError):
    """Gates that a migration has not passed; nothing of it was run.

    Attributes:
        migration: Its id.
        gates: The gates, each with its way out.
    """

    def __init__(self, migration: str, gates: Iterable[Gate]) -> None:
        self.migration = migration
        self.gates = tuple(gates)

    def __str__(self) -> str:
        lines = "".join(f"\n  - {gate.name}: {gate.text}" for gate in self.gates)
        return f"{self.migration} may not be applied:{lines}"


class FileChanged(JobariumEventsError):
    """A file was changed after something of it ran, or it is gone; nothing was run.

    Attributes:
        migration: Its id.
        ran: The hash of what ran.
        now: The hash of the file; None if it is gone.
        is_half: Whether the migration is half done, so that what has not run of it may change.
        is_undone: Whether `db rollback` undoes what has run, once the file is as it was, so that all of it may change.
    """

    def __init__(
        self, migration: str, ran: str, now: str | None, *, is_half: bool = False, is_undone: bool = False
    ) -> None:
        self.migration = migration
        self.ran = ran
        self.now = now
        self.is_half = is_half
        self.is_undone = is_undone

    def __str__(self) -> str:
        what = "is gone" if self.now is None else f"has the hash {shortened(self.now)} now"
        if self.is_half:
            way_out = "bring back what has run of it as it was: only steps that have not run may change"
            way_out += (
                f", or all once `db rollback {self.migration}` has undone those that ran" if self.is_undone else ""
            )
        else:
            way_out = "bring back the file that ran, and put what is to change in a new migration"
        return f"{self.migration} ran with the hash {shortened(self.ran)}, and its file {what}; {way_out}"


class NotApplied(JobariumEventsError):
    """A migration that is to be verified and is not applied; nothing was asked.

    Attributes:
        migration: Its id.
        stage: Where it stands.
    """

    def __init__(self, migration: str, stage: Stage) -> None:
        self.migration = migration
        self.stage = stage

    def __str__(self) -> str:
        return f"{self.migration} is {self.stage} here, and what is verified is applied: `db apply {self.migration}`"


class RollbackRefused(JobariumEventsError):
    """A way back that cannot be gone as things stand; nothing was run beyond what is recorded.

    Attributes:
        migration: The id of the migration.
        problem: Why not, and what to do.
    """

    def __init__(self, migration: str, problem: str) -> None:
        self.migration = migration
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.migration} is not rolled back: {self.problem}"


def shortened(hash_: str) -> str:
    """Return the beginning of a file's hash, as people are shown it."""
    return hash_[:_SHOWN]

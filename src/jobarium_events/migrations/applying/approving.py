"""Reviews and approvals: who, what file, when, and for which window; all of it in the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.errors import JobariumEventsError
from jobarium_events.migrations.files.settings import SETTINGS, Role
from jobarium_events.migrations.record.record import Direction, Entry, Event, RecordUnreadable

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.settings import Settings

__all__ = ["Approval", "ApprovalRefused", "Window", "approvals", "check_approval"]


class Window(msgspec.Struct, frozen=True):
    """When a migration of high risk may be applied.

    Attributes:
        begin: From when on.
        end: Until when it may be begun.
    """

    begin: datetime
    end: datetime

    @classmethod
    def recorded(cls, text: Any) -> Window | None:
        """Return a window as it is in the record, where it is not judged any more; None if it cannot be read."""
        try:
            begin, end = map(datetime.fromisoformat, text.split("/"))
        except (AttributeError, TypeError, ValueError):
            return None
        return None if begin.tzinfo is None or end.tzinfo is None else cls(begin, end)

    @classmethod
    def read(cls, text: str) -> Window:
        """Read a window: two moments with their offsets from UTC, and a slash between them.

        Raises:
            ValueError: If the text is none; it says why.
        """
        how = "write two moments with a slash between them, as in 2026-11-02T20:00Z/2026-11-02T23:00Z"
        parts = text.split("/")
        if len(parts) != 2:  # noqa: PLR2004 - a beginning and an end
            raise ValueError(how)
        try:
            begin, end = map(datetime.fromisoformat, parts)
        except ValueError:
            raise ValueError(how) from None
        if begin.tzinfo is None or end.tzinfo is None:
            raise ValueError("each moment needs its offset from UTC, such as Z or +01:00")
        if end <= begin:
            raise ValueError("it ends before it begins")
        return cls(begin, end)

    def __contains__(self, moment: datetime) -> bool:
        return self.begin <= moment <= self.end

    def __str__(self) -> str:
        return f"{_shown(self.begin)}/{_shown(self.end)}"


def _shown(moment: datetime) -> str:
    is_whole = not (moment.second or moment.microsecond)
    return moment.isoformat(timespec="minutes" if is_whole else "auto")


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One approval.

    Attributes:
        migration: The id of what was approved.
        hash: The hash of the file that was.
        role: In which role.
        by: Who.
        environment: For which environment.
        at: When, by the clock of the server.
        window: When it may be applied; None for a review, and where it cannot be read.
        before: What happened since that voids it, whatever the file is: ``"it was rolled back"``; empty for nothing.
    """

    migration: str
    hash: str
    role: Role
    by: str
    environment: str
    at: datetime
    window: Window | None
    before: str = ""

    def void(self, settings: Settings, migration: Migration, environment: str) -> str | None:
        """Return why it does not count for a file as it is, in an environment; None if it does."""
        what = "approved" if self.role is Role.CEO else "reviewed"
        if self.hash != migration.hash:
            return f"{self.by} {what} it before the file changed"
        if self.environment != environment:
            return f"{self.by} {what} it for the environment {self.environment!r}, and this is {environment!r}"
        if self.before:
            return f"{self.by} {what} it before {self.before}"
        if self.by not in settings.roles.get(self.role, ()):
            return f"{self.by} {what} it, and is not listed as {self.role} in the [roles] of {SETTINGS} any more"
        return None


class ApprovalRefused(JobariumEventsError):
    """An approval that may not be given; nothing was recorded.

    Attributes:
        migration: The id of the migration.
        problem: Why not, and what to do.
    """

    def __init__(self, migration: str, problem: str) -> None:
        self.migration = migration
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.migration} is not approved: {self.problem}"


def approvals(entries: Iterable[Entry], migration: Migration) -> tuple[Approval, ...]:
    """Return the approvals of a migration in their order, those of other versions of its file included."""
    return tuple(_approvals(entries, migration))


def _approvals(entries: Iterable[Entry], migration: Migration) -> Iterator[Approval]:
    every = tuple(entries)
    ends = {entry.number: end for entry in every if (end := _ends(entry, migration))}
    for entry in every:
        if entry.event is Event.APPROVED and entry.migration == migration.id:
            role = entry.detail["role"]
            if role not in list(Role):
                raise RecordUnreadable(entry.number, "its role is not known")
            yield Approval(
                migration=migration.id,
                hash=entry.hash or "",
                role=Role(role),
                by=entry.detail["by"],
                environment=entry.environment,
                at=entry.at,
                window=Window.recorded(entry.detail.get("window")),
                before=next((end for number, end in ends.items() if number > entry.number), ""),
            )


def _ends(entry: Entry, migration: Migration) -> str:
    """Return what an entry does to each approval before it that voids that, for the end of a sentence; empty if none.

    An approval is for applying once: what was rolled back for a reason is not applied again on the same word.
    """
    at = entry.at.isoformat(timespec="minutes")
    if entry.event is Event.ENVIRONMENT_ADOPTED:
        return f"the database was made the environment {entry.environment!r} at {at}"
    is_back = entry.event is Event.DONE and entry.direction is Direction.DOWN
    return f"it was rolled back at {at}" if is_back and entry.migration == migration.id else ""


def check_approval(
    settings: Settings,
    migration: Migration,
    given: Iterable[Approval],
    *,
    role: Role,
    by: str,
    window: Window | None,
    now: datetime,
) -> None:
    """Check that somebody may approve.

    Two pairs of eyes see a migration of high risk: who has reviewed a file does not approve it as well, even where the
    settings list somebody in both roles.

    Raises:
        ApprovalRefused: If they may not.
    """
    people = settings.roles.get(role, ())
    if by not in people:
        known = ", ".join(people) or "nobody"
        problem = f"{by} is not listed as {role}; [roles] in {SETTINGS} lists {known}"
        raise ApprovalRefused(migration.id, problem)
    if role is Role.CEO and window is None:
        raise ApprovalRefused(migration.id, "an approval needs its window: --window FROM/TO")
    if role is Role.CTO and window is not None:
        raise ApprovalRefused(migration.id, "a review has no window; leave out --window")
    if window is not None and window.end < now:
        over = f"its window {window} is over, as it is {now.isoformat(timespec='minutes')} by the server's clock"
        raise ApprovalRefused(migration.id, f"{over}; give one that ends later: --window FROM/TO")
    counting = [each for each in given if each.hash == migration.hash and not each.before]
    if any(each.by == by and each.role is not role for each in counting):
        raise ApprovalRefused(migration.id, f"{by} has signed this file in the other role; somebody else has to")

"""The locks of tables by their modes, and what a statement does to its tables."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Effects", "Lock", "LockMode"]


class LockMode(StrEnum):
    """The modes of locks on tables, by their names in ``pg_locks``, from the weakest to the strongest."""

    ACCESS_SHARE = "AccessShareLock"
    ROW_SHARE = "RowShareLock"
    ROW_EXCLUSIVE = "RowExclusiveLock"
    SHARE_UPDATE_EXCLUSIVE = "ShareUpdateExclusiveLock"
    SHARE = "ShareLock"
    SHARE_ROW_EXCLUSIVE = "ShareRowExclusiveLock"
    EXCLUSIVE = "ExclusiveLock"
    ACCESS_EXCLUSIVE = "AccessExclusiveLock"

    @property
    def strength(self) -> int:
        """Its place in that order, from 1 to 8."""
        return _STRENGTHS[self]

    @property
    def words(self) -> str:
        """As the SQL of ``lock table`` has it: ``"ACCESS EXCLUSIVE"``."""
        return self.name.replace("_", " ")

    @property
    def blocks_writes(self) -> bool:
        """Whether inserts, updates and deletes wait for it."""
        return self.strength >= LockMode.SHARE.strength

    @property
    def blocks_reads(self) -> bool:
        """Whether even queries wait for it."""
        return self is LockMode.ACCESS_EXCLUSIVE


_STRENGTHS = {mode: place for place, mode in enumerate(LockMode, 1)}


class Lock(msgspec.Struct, frozen=True, order=True, gc=False):
    """A lock on a table.

    Attributes:
        table: The table, with its schema if the statement names one.
        mode: How it is locked.
    """

    table: str
    mode: LockMode


class Effects(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one statement does to its tables while it runs.

    Attributes:
        kind: What it does, in a word: ``"add-column"``, ``"create-index"``, ``"update"``, ...
        locks: The strongest lock that it takes on each table, in the order of their names.
        rewrite: Whether a table is written anew.
        scan: Whether a table is read whole under such a lock; a rewrite reads it too.
    """

    kind: str
    locks: tuple[Lock, ...] = ()
    rewrite: bool = False
    scan: bool = False

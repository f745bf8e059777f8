"""What a statement does to its tables, gathered while its tree is gone through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jobarium_events.migrations.lint.knowledge.tables import Relation
from jobarium_events.migrations.lint.locking.locks import Effects, Lock, LockMode

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.known import Known

__all__ = ["Gathered"]


class Gathered:
    """Gathers locks, of which the strongest on each table counts.

    Args:
        known: What is known before the statement.
        version: The major version of Postgres.
        text: That of the statement; empty where it is not known.

    Attributes:
        rewrite: Whether a table is written anew.
        scan: Whether a table is read whole.
        alone: Whether the statement leaves heirs out: ``alter table only``.
        gone: The constraints that the statement drops from its table; it does so before all else.
    """

    def __init__(self, known: Known, version: int, text: str = "") -> None:
        self.known = known
        self.version = version
        self.text = text
        self.rewrite = False
        self.scan = False
        self.alone = False
        self.gone: frozenset[str] = frozenset()
        self._modes: dict[str, LockMode] = {}

    def lock(self, mode: LockMode, tables: Iterable[str]) -> None:
        """Add a lock on some tables, but for temporary ones, which nobody else waits for."""
        for table in tables:
            held = self._modes.get(table)
            if held is not None and held.strength >= mode.strength:
                continue
            known = self.known.tables.get(table)
            if known is None or not known.temporary:
                self._modes[table] = mode

    def family(self, table: str) -> tuple[str, ...]:
        """Return a table with its partitions and heirs, if they are not left out."""
        return (table,) if self.alone else (table, *self.known.descendants(table))

    def kin(self, table: str) -> tuple[str, ...]:
        """Return the same; but where they are left out, the next below are not: what they inherit is theirs then."""
        return (table, *self.known.children(table)) if self.alone else self.family(table)

    def partitions(self, table: str) -> tuple[str, ...]:
        """Return the partitions of a table; none if it only has heirs, or they are left out."""
        if self.alone:
            return ()
        return self.known.descendants(table) if self.known.table(table).kind is Relation.PARTITIONED else ()

    def whole(self, table: str) -> tuple[str, ...]:
        """Return a table with its partitions, also where the statement leaves those of its own table out."""
        return (table, *(self.known.descendants(table) if self.known.table(table).kind is Relation.PARTITIONED else ()))

    def behind(self, table: str) -> tuple[str, ...]:
        """Return a view with the tables that it reads, and those that they read; a table with its partitions."""
        found: dict[str, None] = {table: None}
        waiting = [table]
        while waiting:
            name = waiting.pop(0)
            view = self.known.table(name)
            below = view.reads if view.kind is Relation.VIEW else self.known.descendants(name)
            for each in below:
                if each not in found:
                    found[each] = None
                    waiting.append(each)
        return tuple(found)

    def effects(self, kind: str) -> Effects:
        """Return it all."""
        locks = tuple([Lock(table, mode) for table, mode in sorted(self._modes.items())])
        return Effects(kind=kind, locks=locks, rewrite=self.rewrite, scan=self.scan or self.rewrite)

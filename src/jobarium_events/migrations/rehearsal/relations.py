"""What is stored in a database under which name, and the locks that changes of it prove."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.statements import statements

if TYPE_CHECKING:
    from typing import Self

    import psycopg

__all__ = ["Relation", "Traces"]

_SQL = statements(__package__, "observing.sql")


class Relation(NamedTuple):
    """A table or an index.

    Attributes:
        name: With its schema, unless that is ``public``.
        kind: As in ``pg_class``.
        file: The number of its file, a new one each time that it is written anew.
        of: The table of an index.
    """

    name: str
    kind: str
    file: int
    of: int | None

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> dict[int, Self]:
        """Return all of a database, by their numbers, apart from those of Postgres and of the record."""
        return {oid: cls(*rest) for oid, *rest in connection.execute(_SQL["relations"])}


class Traces(NamedTuple):
    """What locks leave behind on a table, to be compared with what was there before.

    Attributes:
        vacuums: How often it was vacuumed, apart from what autovacuum does, and from ``full``.
        analyses: How often it was analyzed, in the same sense.
        size: Its bytes.
    """

    vacuums: int
    analyses: int
    size: int

    @classmethod
    def read(cls, connection: psycopg.Connection[Any], relations: Mapping[int, Relation]) -> dict[int, Self]:
        """Return those of tables."""
        return {oid: cls(*rest) for oid, *rest in connection.execute(_SQL["traces"], (list(relations),))}

    @staticmethod
    def proven(
        before: tuple[Mapping[int, Relation], Mapping[int, Traces]],
        after: tuple[Mapping[int, Relation], Mapping[int, Traces]],
    ) -> Iterator[tuple[int, str]]:
        """Yield the locks without which a step that no transaction may hold could not have changed what it did."""
        (relations, traces), (relations_then, traces_then) = before, after
        for oid, found in traces_then.items():
            if oid not in traces or oid not in relations_then:
                continue
            was = traces[oid]
            if (found.vacuums, found.analyses) != (was.vacuums, was.analyses):
                yield oid, LockMode.SHARE_UPDATE_EXCLUSIVE.value
            if relations_then[oid].file != relations[oid].file:
                yield oid, LockMode.ACCESS_EXCLUSIVE.value
            elif found.vacuums != was.vacuums and found.size < was.size:
                # The empty end of the table was cut off, for which a vacuum takes this lock if nobody is in its way.
                yield oid, LockMode.ACCESS_EXCLUSIVE.value
        for oid in relations.keys() | relations_then.keys():
            index, index_then = relations.get(oid), relations_then.get(oid)
            table = (index or relations_then[oid]).of
            if table is None or table not in relations or table not in relations_then:
                continue
            if index is None or index_then is None:
                yield table, LockMode.SHARE_UPDATE_EXCLUSIVE.value  # built or dropped CONCURRENTLY, or rebuilt
            elif index.file != index_then.file and relations[table].file == relations_then[table].file:
                yield table, LockMode.SHARE.value

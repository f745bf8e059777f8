"""Probes tried before anything is measured: what the database refuses even then says nothing about the migration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.extras import extra
from jobarium_events.migrations.running.failures import said_by
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.data.tables import Table
    from jobarium_events.migrations.rehearsal.supplies import Asked

__all__ = ["Tried", "tried"]

_SQL = statements(__package__ or "", "supplies.sql")


class Tried(NamedTuple):
    """What came of it.

    Attributes:
        probes: Those that may run.
        refused: The names of the others, each with what Postgres says.
        besides: The tables that are written besides that of the probes, or more than these say: by triggers.
    """

    probes: tuple[Asked, ...]
    refused: tuple[tuple[str, str], ...]
    besides: frozenset[str]


def tried(connection: psycopg.Connection[Any], table: Table, probes: Iterable[Asked], tables: Sequence[Table]) -> Tried:
    """Run probes of a table once each, and undo it.

    Args:
        connection: In autocommit.
        table: Their table.
        probes: In the order in which they can run.
        tables: All tables of the database.
    """
    may, refused, writes = [], [], 0
    with connection.transaction(force_rollback=True):
        cursor = psycopg.RawCursor(connection)
        # What the session has written before may be counted still.
        before = dict(connection.execute(_SQL["written"]).fetchall())
        for asked in probes:
            values = asked.take()
            if values is None:
                may.append(asked)
                continue
            try:
                with connection.transaction():
                    cursor.execute(asked.probe.sql.encode(), values)
                    stored = cursor.fetchone() if asked.returns else None
            except psycopg.Error as error:
                refused.append((asked.probe.name, said_by(error)))
                asked.done(values, False, None)  # noqa: FBT003 - see `Asked`
                continue
            asked.done(values, True, stored)  # noqa: FBT003
            may.append(asked)
            writes += asked.writes
        changes = dict(connection.execute(_SQL["written"]).fetchall())
    parents = {each.title: each.partition_of for each in tables}
    written: dict[str, int] = {}
    for title, count in ((title, count - before.get(title, 0)) for title, count in changes.items()):
        while (parent := parents.get(title)) is not None:
            title = parent  # noqa: PLW2901 - up to the table that its rows belong to
        written[title] = written.get(title, 0) + count
    besides = {title for title, count in written.items() if count > (writes if title == table.title else 0)}
    return Tried(tuple(may), tuple(refused), frozenset(besides & parents.keys()))

"""Probes made from a table: its rows are read, updated, inserted and deleted, one at a time, as code does it.

The rows that these probes write are known by their keys, so that they can be left out where data is compared.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.data.quoting import text
from jobarium_events.migrations.rehearsal.probes import Probe, ProbeWhen
from jobarium_events.migrations.rehearsal.trying import Tried, tried
from jobarium_events.migrations.running.failures import said_by
from jobarium_events.statements import identifier, statements

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.data.tables import Table

__all__ = ["Asked", "Row", "Supply", "shown", "written_columns"]

_SQL = statements(__package__ or "", "supplies.sql")
_READS, _WRITES = 20.0, 10.0  # per second
_SAMPLE = 200  # rows that are read
_UPDATED = 10  # rows that are updated
_FRESH = 60  # rows that are inserted and deleted, at most
_KEPT = 5  # rows that are left for `down` to keep, if there are so many
_SPARED = 20  # rows that are left for the new code to insert, where none can be deleted again

Values = tuple[str | None, ...]
Row = Mapping[str, str | None]


class Asked(NamedTuple):
    """A probe, with where its values come from.

    Attributes:
        probe: The probe.
        table: Its table; empty if that is not known.
        writes: Whether it writes.
        take: Returns the values for one run; None if there are none at present.
        done: Is told how a run with these values went, and the row that was stored, of what returns one.
        returns: Whether it returns the row that it has stored.
        undone: Whether what it writes is undone.
    """

    probe: Probe
    table: str
    writes: bool
    take: Callable[[], Values | None]
    done: Callable[[Values, bool, Values | None], None]
    returns: bool = False
    undone: bool = False

    @classmethod
    def own(cls, probe: Probe) -> Asked:
        """Return a team's own probe, which takes no values."""
        return cls(probe, "", probe.writes, tuple, _nothing, undone=True)


def written_columns(table: Table) -> tuple[str, ...]:
    """Return the columns of a table that can be written."""
    return tuple(column.name for column in table.columns if column.generated is None)


def shown(title: str) -> str:
    """Return a table's name with its schema unless that is ``public``."""
    return title.removeprefix("public.")


class Supply:
    """The rows of one table that its probes read and write.

    The rows to insert are some of its own, taken out of it before: they fit whatever the table demands of a row.

    Args:
        connection: In autocommit.
        table: A table with a primary key.
        tables: All tables of the database, for those that refer to it.
        others: What probes write in other tables: rows that it refers to stay where they are.
        made: The rows to insert, where none are taken out.

    Attributes:
        table: The table, as it was before the migration.
        refused: Why no rows could be taken out of it; empty if they could.
        columns: Those of its columns that can be written.
        known: The keys of all rows that probes may write, each column's value as a text.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        table: Table,
        tables: Sequence[Table],
        others: Sequence[Supply] = (),
        *,
        made: Sequence[Row] | None = None,
    ) -> None:
        self.table = table
        self.refused = ""
        self.columns = written_columns(table)
        fresh = self._taken_out(connection, tables, others) if made is None else list(made)
        # As by code that does not know of it yet: an earlier migration has added it, with a default for new rows.
        self._unwritten = {
            column.name
            for column in table.columns
            if column.default is not None and fresh and all(row.get(column.name) is None for row in fresh)
        }
        keys = self._keys(connection)
        self._fresh: deque[Row] = deque(fresh)
        self._inserted: deque[Row] = deque()
        self._taken: dict[Values, Row] = {}
        self._known_columns: frozenset[str] = frozenset()
        self._state = threading.Lock()
        self._left = 0  # rows that the probe leaves which deletes
        self._spared = 0  # rows that the old code leaves to the new one
        self._read, self._updated = deque(keys or map(self._key, fresh)), deque(keys[:_UPDATED])
        self.known = frozenset([*self._updated, *map(self._key, fresh)])

    @property
    def held(self) -> tuple[Row, ...]:
        """The rows that are to be inserted."""
        return tuple(self._fresh)

    def begin(self, connection: psycopg.Connection[Any], tables: Sequence[Table], probes: Sequence[Asked]) -> Tried:
        """Try the probes, and have them begin anew; see `tried`."""
        fresh = list(self._fresh)
        found = tried(connection, self.table, probes, tables)
        self._fresh, self._inserted = deque(fresh), deque()
        self._left = _KEPT
        deletes = any(each.probe.name.startswith("delete") for each in found.probes)
        self._spared = 0 if deletes else _SPARED
        return found

    @property
    def inserted(self) -> tuple[Row, ...]:
        """The rows that were inserted and are there now; their columns' values are texts."""
        return tuple(self._inserted)

    def before(self, when: ProbeWhen, hidden: Sequence[str] = ()) -> Iterator[Asked]:
        """Yield the probes of the code before the migration.

        Args:
            when: Whose they are: of the code before alone, or of that after as well.
            hidden: The columns that no code uses any more.
        """
        read = [column.name for column in self.table.columns if column.name not in hidden]
        self._known_columns = frozenset(read)
        written = [name for name in self.columns if name not in hidden]
        yield from self._asked(when, read, written, {})
        yield self._deleting(when)

    def after(self, connection: psycopg.Connection[Any], table: Table) -> Iterator[Asked]:
        """Yield the probes of the code after the migration; none if that knows of no more columns than the other.

        Args:
            connection: In autocommit.
            table: The table as it is now.
        """
        names = [column.name for column in table.columns]
        new = [column.name for column in table.columns if column.name not in self._known_columns]
        if not new or not set(names) >= set(self.table.primary_key):
            return
        generated = {each.name for each in table.columns if each.generated is not None or each.identity == "a"}
        added = [name for name in new if name not in generated and name not in self.columns]
        unique = {name for each in table.uniques for name in each.columns}
        values = {name: value for name, value in self._values(connection, added).items() if name not in unique}
        kept = [name for name in self.columns if name in names]
        yield from self._asked(ProbeWhen.NEW, names, kept, values, added)

    def lost(self, connection: psycopg.Connection[Any], columns: Sequence[str]) -> int:
        """Return how many of the rows that were inserted are not there as they were written.

        Args:
            connection: In autocommit.
            columns: The columns that count.
        """
        places = enumerate(columns, 1)
        same = (f"{identifier(name)}::text is not distinct from ${place}::text" for place, name in places)
        query = _SQL["count"].format(table=self.table.own_sql, condition=" and ".join(same)).encode()
        with psycopg.RawCursor(connection) as cursor:
            found = [cursor.execute(query, [row[name] for name in columns]).fetchone() for row in self._inserted]
        return sum(row is None or row[0] == 0 for row in found)

    def others(self) -> str:
        """Return a condition on the rows that probes do not write."""
        if not self.known:
            return "true"
        keys = (f"({', '.join(text(str(each)) for each in key)})" for key in sorted(self.known, key=str))
        return f"({_listed(self.table.primary_key)}) not in ({', '.join(keys)})"

    def _asked(
        self, when: ProbeWhen, read: Sequence[str], stored: Sequence[str], values: Row, added: Sequence[str] = ()
    ) -> Iterator[Asked]:
        """Yield what selects, updates and inserts.

        Args:
            when: Whose probes they are.
            read: The columns that are read.
            stored: Those that can be written, and that the rows to insert have.
            values: What is inserted into columns that they lack.
            added: Those columns, all of them.
        """
        table, key = self.table.own_sql, self._where()
        fixed = {*self.table.primary_key, *(each.name for each in self.table.columns if each.identity == "a")}
        others = [name for name in (*stored, *added) if name not in fixed]
        written = [name for name in stored if name not in self._unwritten]
        into = [*written, *values]
        if self._read:
            select = _SQL["select"].format(columns=_listed(read), table=table, key=key)
            yield self._one("select from", select, when, self._turning(self._read), _nothing)
        if self._updated and others:
            sets = ", ".join(f"{identifier(name)} = {identifier(name)}" for name in others)
            update = _SQL["update"].format(table=table, sets=sets, key=key)
            yield self._one("update", update, when, self._turning(self._updated), _nothing)
        if self.known - set(self._updated):
            places = ", ".join(f"${place}" for place, _ in enumerate(into, 1))
            insert = _SQL["insert"].format(
                table=self.table.sql, columns=_listed(into), values=places, stored=_texts(stored)
            )

            def take() -> Values | None:
                row = self._popped(self._fresh, 0 if when is ProbeWhen.NEW else self._spared)
                return None if row is None else self._noted((*(row[name] for name in written), *values.values()), row)

            def done(given: Values, _ok: bool, row: Values | None) -> None:  # noqa: FBT001 - as each `done`
                # What a trigger has made of the row is what has to be there later; if it kept it out, nothing has.
                kept = None if row is None else dict(zip(stored, row, strict=True))
                self._put(given, kept, is_there=row is not None)

            yield self._one("insert into", insert, when, take, done)

    def _deleting(self, when: ProbeWhen) -> Asked:
        def take() -> Values | None:
            row = self._popped(self._inserted, self._left)
            return None if row is None else self._noted(self._key(row), row)

        delete = _SQL["delete"].format(table=self.table.own_sql, key=self._where())
        return self._one(
            "delete from", delete, when, take, lambda values, ok, _: self._put(values, None, is_there=not ok)
        )

    def _one(
        self,
        verb: str,
        sql: str,
        when: ProbeWhen,
        take: Callable[[], Values | None],
        done: Callable[[Values, bool, Values | None], None],
    ) -> Asked:
        name = shown(self.table.title)
        writes = not sql.startswith("select")
        title = f"{verb} {name}{' by the new code' if when is ProbeWhen.NEW else ''}"
        # One probe deletes what those of both codes insert.
        rate = _WRITES if writes and not sql.startswith("delete") else _READS
        probe = Probe(name=title, sql=sql, when=when, per_second=rate)
        return Asked(probe, name, writes, take, done, returns=sql.startswith("insert"))

    def _where(self) -> str:
        return " and ".join(f"{identifier(name)} = ${place}" for place, name in enumerate(self.table.primary_key, 1))

    def _turning(self, keys: deque[Values]) -> Callable[[], Values]:
        def take() -> Values:
            with self._state:
                keys.rotate(-1)
                return keys[0]

        return take

    def _popped(self, rows: deque[Row], kept: int) -> Row | None:
        with self._state:
            return rows.popleft() if len(rows) > kept else None

    def _noted(self, values: Values, row: Row) -> Values:
        with self._state:
            self._taken[values] = row
        return values

    def _put(self, values: Values, stored: Row | None, *, is_there: bool) -> None:
        with self._state:
            row = {**self._taken.pop(values), **(stored or {})}
            (self._inserted if is_there else self._fresh).append(row)

    def _key(self, row: Row) -> Values:
        return tuple(row[name] for name in self.table.primary_key)

    def _keys(self, connection: psycopg.Connection[Any]) -> list[Values]:
        return connection.execute(self._sample(self.table.primary_key)).fetchall()

    def _sample(self, columns: Sequence[str]) -> bytes:
        return _SQL["sample"].format(columns=_texts(columns), table=self.table.own_sql, limit=_SAMPLE).encode()

    def _values(self, connection: psycopg.Connection[Any], columns: Sequence[str]) -> dict[str, str]:
        """Return a value of each column that has one in the first rows."""
        if not columns:
            return {}
        rows = connection.execute(self._sample(columns)).fetchall()
        found = {name: next((row[at] for row in rows if row[at] is not None), None) for at, name in enumerate(columns)}
        return {name: value for name, value in found.items() if value is not None}

    def _taken_out(
        self, connection: psycopg.Connection[Any], tables: Sequence[Table], others: Sequence[Supply]
    ) -> list[Row]:
        """Delete some rows that nothing refers to, and return them."""
        free = [
            _SQL["unreferenced"].format(table=other.sql, joined=_joined(foreign.columns, foreign.referred))
            for other in tables
            for foreign in other.foreign_keys
            if foreign.table == self.table.title
        ]
        query = (
            _SQL["take_out"]
            .format(
                table=self.table.own_sql,
                key=_listed(self.table.primary_key),
                own_key=", ".join(f"t.{identifier(name)}" for name in self.table.primary_key),
                free=" and ".join([*free, *self._spared_for(tables, others)]) or "true",
                limit=_FRESH,
                columns=_texts(self.columns),
            )
            .encode()
        )
        try:
            with connection.transaction():
                # As when tables are filled, no trigger runs, where the role may say so.
                if _is_superuser(connection):
                    connection.execute("set local session_replication_role = replica")
                found = connection.execute(query).fetchall()
        except psycopg.Error as error:
            self.refused = said_by(error)
            return []
        return [dict(zip(self.columns, row, strict=True)) for row in found]

    def _spared_for(self, tables: Sequence[Table], others: Sequence[Supply]) -> Iterator[str]:
        """Yield conditions that leave out what the rows refer to that other tables' probes insert."""
        keys = {table.title: table.foreign_keys for table in tables}
        for other in others:
            for foreign in keys.get(other.table.title, ()):
                if foreign.table != self.table.title or not set(foreign.columns) <= set(other.columns):
                    continue
                held = {tuple(row[name] for name in foreign.columns) for row in other.held}
                listed = [f"({', '.join(text(str(each)) for each in key)})" for key in held if None not in key]
                if listed:
                    referred = ", ".join(f"t.{identifier(name)}" for name in foreign.referred)
                    yield f"({referred}) not in ({', '.join(sorted(listed))})"


def _is_superuser(connection: psycopg.Connection[Any]) -> bool:
    return connection.info.parameter_status("is_superuser") == "on"


def _joined(columns: Sequence[str], referred: Sequence[str]) -> str:
    pairs = zip(columns, referred, strict=True)
    return " and ".join(f"x.{identifier(name)} = t.{identifier(other)}" for name, other in pairs)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(identifier, names))


def _texts(names: Sequence[str]) -> str:
    return ", ".join(f"{identifier(name)}::text" for name in names)


def _nothing(_values: Values, _ok: bool, _stored: Values | None) -> None:  # noqa: FBT001 - as each `done` is called
    """Take note of nothing."""

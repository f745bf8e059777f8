"""What a statement really does to its tables, as a live Postgres shows it.

Locks: those that the statement's own backend holds at the end of its transaction, from ``pg_locks``. A statement that
runs in no transaction is held up by another connection, and what it holds and waits for then is read from outside.
Rewrites: the table's file has another number afterwards, and it is not empty. Scans: the statement has asked for as
many blocks of the table as there are, from the statistics of that backend; so the tables fill several dozen blocks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import msgspec
import psycopg

from jobarium_events.migrations.lint.locking.effects import Lock, LockMode

PATIENCE = 60.0

BASE = """
create table employer (
    id bigint primary key,
    name text not null
) with (fillfactor = 10, autovacuum_enabled = off);
create table job (
    id bigint primary key,
    employer_id bigint,
    title varchar(50),
    status text default 'open',
    code char(8),
    amount numeric(10, 2),
    hours int,
    posted timestamp,
    closed timestamptz,
    net cidr,
    flags bit(8),
    note text not null
) with (fillfactor = 10, autovacuum_enabled = off);
insert into employer select n, repeat('x', 100) from generate_series(1, 200) n;
insert into job
select n, n, 'title', 'open', 'code', 1, 8, now(), now(), '10.0.0.0/8', b'00000000', repeat('x', 100)
from generate_series(1, 200) n;
"""
"""What is there before each example; see also its own ``before``."""

_NAMED = """
select c.oid, case when n.nspname = 'public' then c.relname else n.nspname || '.' || c.relname end
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'v', 'f') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""
_FILES = "select oid, pg_relation_filenode(oid) from pg_class where relkind in ('r', 'm') and oid = any(%s)"
_BLOCKS = """
select oid, pg_relation_size(oid) / current_setting('block_size')::int
from pg_class where relkind in ('r', 'm') and oid = any(%s)
"""
_LOCKS = """
select relation, mode from pg_locks
where pid = %s and locktype = 'relation' and database = (select oid from pg_database where datname = current_database())
"""
_MODES = {mode.value: mode for mode in LockMode}


class Observed(msgspec.Struct, frozen=True):
    """What was seen; in the terms of `Effects`."""

    locks: tuple[Lock, ...]
    rewrite: bool
    scan: bool


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A statement to look at.

    Attributes:
        id: What it shows.
        sql: The statement.
        kind: What `effects` calls it.
        before: What is there already, beside `BASE`.
        since: The first version of Postgres that knows it.
        blockers: For one that runs in no transaction: what others do meanwhile, and hold it up with.
        outside: Whether it runs in no transaction.
    """

    id: str
    kind: str
    sql: str
    before: str = ""
    since: int = 13
    blockers: tuple[str, ...] = ()

    @property
    def outside(self) -> bool:
        return bool(self.blockers)


def observed(url: str, example: Example) -> Observed:
    """Run an example, and look at it."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        prepared(connection, example)
        return _outside(url, connection, example) if example.outside else _within(connection, example)


def prepared(connection: psycopg.Connection, example: Example) -> None:
    connection.execute("set client_min_messages = error")
    connection.execute("set synchronous_commit = off")
    connection.execute("set timezone = 'Europe/Zurich'")  # where it is UTC, a few conversions need no rewrite
    emptied(connection)
    connection.execute(BASE + example.before)


def emptied(connection: psycopg.Connection) -> None:
    """Leave a database with nothing in it but an empty schema ``public``; publications are in no schema."""
    for name in _others(connection):
        connection.execute(f'drop schema "{name}" cascade')
    for (name,) in connection.execute("select pubname from pg_publication").fetchall():
        connection.execute(f'drop publication "{name}"')
    connection.execute("create schema public")


def _others(connection: psycopg.Connection) -> list[str]:
    query = r"select nspname from pg_namespace where nspname not like 'pg\_%' and nspname <> 'information_schema'"
    return [name for (name,) in connection.execute(query)]


def _within(connection: psycopg.Connection, example: Example) -> Observed:
    named, files, blocks = _state(connection)
    query = "select oid, pg_stat_get_xact_blocks_fetched(oid) from pg_class where oid = any(%s)"
    with connection.transaction(force_rollback=True):
        before = dict(connection.execute(query, [list(named)]).fetchall())
        connection.execute(example.sql)
        held = connection.execute(_LOCKS, [connection.info.backend_pid]).fetchall()
        after = dict(connection.execute(query, [list(named)]).fetchall())
        later, files_then, blocks_then = _state(connection)
    return Observed(
        _strongest(held, {**later, **named}),
        any(files[oid] != files_then.get(oid, files[oid]) and blocks_then[oid] for oid in files),
        any(blocks[oid] and after.get(oid, 0) - before[oid] >= blocks[oid] for oid in blocks),
    )


def _outside(url: str, connection: psycopg.Connection, example: Example) -> Observed:
    held: list[tuple[int, str]] = []
    named: dict[int, str] = {}
    rewrite = scan = False
    for place, blocker in enumerate(example.blockers):
        if place:
            prepared(connection, example)
        names, files, blocks = _state(connection)
        named |= names
        query = "select oid, pg_stat_get_blocks_fetched(oid) from pg_class where oid = any(%s)"
        connection.execute("select pg_stat_force_next_flush()")
        connection.execute("select pg_stat_clear_snapshot()")
        before = dict(connection.execute(query, [list(names)]).fetchall())
        held += _held_up(url, connection, example.sql, blocker)
        connection.execute("select pg_stat_force_next_flush()")
        connection.execute("select pg_stat_clear_snapshot()")
        after = dict(connection.execute(query, [list(names)]).fetchall())
        later, files_then, blocks_then = _state(connection)
        named = {**later, **named}
        rewrite |= any(files[oid] != files_then.get(oid, files[oid]) and blocks_then[oid] for oid in files)
        scan |= any(blocks[oid] and after.get(oid, 0) - before.get(oid, 0) >= blocks[oid] for oid in blocks)
    return Observed(_strongest(held, named), rewrite, scan)


def _held_up(url: str, connection: psycopg.Connection, sql: str, blocker: str) -> list[tuple[int, str]]:
    """Run a statement while others hold it up, and return what it holds and waits for then."""
    errors: list[psycopg.Error] = []

    def run() -> None:
        try:
            connection.execute(sql)
        except psycopg.Error as error:
            errors.append(error)

    with closing(psycopg.connect(url)) as other, closing(psycopg.connect(url, autocommit=True)) as watcher:
        other.execute(blocker)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            return list(_when_waiting(watcher, connection.info.backend_pid, thread))
        finally:
            other.rollback()
            thread.join(PATIENCE)
            assert not errors, errors


def _when_waiting(watcher: psycopg.Connection, pid: int, thread: threading.Thread) -> Iterator[tuple[int, str]]:
    until = time.monotonic() + PATIENCE
    query = "select true from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
    while watcher.execute(query, [pid]).fetchone() is None:
        assert time.monotonic() < until, "it does not wait"
        assert thread.is_alive(), "it did not wait"
        time.sleep(0.01)
    yield from watcher.execute(_LOCKS, [pid]).fetchall()


def _state(connection: psycopg.Connection) -> tuple[dict[int, str], dict[int, int], dict[int, int]]:
    named = dict(connection.execute(_NAMED).fetchall())
    files = dict(connection.execute(_FILES, [list(named)]).fetchall())
    blocks = dict(connection.execute(_BLOCKS, [list(named)]).fetchall())
    return named, files, blocks


def _strongest(held: list[tuple[int, str]], named: dict[int, str]) -> tuple[Lock, ...]:
    modes: dict[str, LockMode] = {}
    for oid, name in held:
        if oid in named:
            mode = _MODES[name]
            known = modes.get(named[oid])
            modes[named[oid]] = mode if known is None or mode.strength > known.strength else known
    return tuple(Lock(table, mode) for table, mode in sorted(modes.items()))

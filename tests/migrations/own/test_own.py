"""The library's own migrations make what `schema.sql` makes, are clean under its own lint, and never change."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files

import psycopg
import pytest

from jobarium_events.migrations.lint.linting import lint_migration
from jobarium_events.migrations.own.sources import own_migrations
from jobarium_events.postgres import Outbox, PostgresDeadLetters, PostgresInbox
from tests.postgres.test_inbox import FIRST_FORM as FIRST_INBOX
from tests.postgres.test_outbox import FIRST_FORM as FIRST_OUTBOX

OWN = files("jobarium_events.migrations.own").joinpath("tables")
SCHEMA = files("jobarium_events.postgres").joinpath("schema.sql").read_text(encoding="utf-8")
IDS = tuple(sorted(path.name.removesuffix(".sql") for path in OWN.iterdir() if path.name.endswith(".sql")))
MADE = ("0001_outbox", "0004_inbox", "0008_dead_letters")
# A file that ran somewhere is never changed: what is to change is a new file. These are of the files as released.
HASHES = {
    "0001_outbox": "a9d9744e066af2a2694a3f51086197e1cf0a789d8089745f5c212d3f80c8cf1d",
    "0002_outbox_columns": "9796603f30669fa8798fc9bfc5aec4cc207896969e1e6e70fb395786e2ab66a5",
    "0003_outbox_positions": "4514a63de42786bc408814694e4df5c9b131df1cb53e17939c9fea928acede95",
    "0004_inbox": "95398c6a426816aa7d5862e437c17713e0ad212866be5df71a7e93dd7a19ac23",
    "0005_inbox_columns": "27b02937ab1a1b126a803504c93fba712a1f20e1f9adfeb07cba58bf72a80448",
    "0006_inbox_unfinished": "4b75688bfba0b38e5fb7bb6227ace97812173e02727d6b8dec78856b156789a3",
    "0007_inbox_event_id": "ef560785d4ef9ef6ba36e4fb5219d1abe553752173e14cfdffb6fd1e79c1a0c6",
    "0008_dead_letters": "a0065a9c8422d309cc8e04a95fa5c02fc05716eac2d630c91849e1444ffb0aa7",
}
ODD = "o\"dd %'{x}"


def parts(**options):
    return Outbox(**options), PostgresInbox(psycopg.connect, **options), PostgresDeadLetters(psycopg.connect, **options)


def names(**options) -> dict[str, str]:
    return {name: text for part in parts(**options) for name, text in part.names.items()}


def catalog(connection, schema="public") -> list[tuple]:
    """All that the catalog says of the tables of a schema, as far as it can be compared."""
    return connection.execute(
        """
        select c.relname, c.relkind::text, c.relpersistence::text, c.reloptions::text, '', '', 0, '', '', ''
        from pg_class as c
        where c.relnamespace = %(schema)s::regnamespace
        union all
        select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
            a.attidentity::text, pg_get_expr(d.adbin, d.adrelid), a.attnum, a.attstorage::text,
            coalesce(l.collname, ''), a.attgenerated::text
        from pg_class as c join pg_attribute as a on a.attrelid = c.oid
        left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
        left join pg_collation as l on l.oid = a.attcollation
        where c.relnamespace = %(schema)s::regnamespace and a.attnum > 0 and c.relkind = 'r'
        union all
        select i.indrelid::regclass::text, c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid::text, '', '', 0,
            '', '', ''
        from pg_index as i join pg_class as c on c.oid = i.indexrelid
        where c.relnamespace = %(schema)s::regnamespace
        union all
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, '', '', 0, '', '', ''
        from pg_constraint where connamespace = %(schema)s::regnamespace
        order by 1, 2, 3
        """,
        {"schema": schema},
    ).fetchall()


def run(connection, *ids, **options) -> None:
    for migration in own_migrations(names(**options), ids).ordered:
        for statement in migration.up:
            connection.execute(statement.text)


@pytest.mark.parametrize("id_", IDS)
def test_each_can_be_read_whatever_the_tables_are_called(id_):
    (plain,) = own_migrations(names(), (id_,)).ordered
    assert plain.id == id_
    assert plain.header.owner == "jobarium-events"
    outbox, inbox = Outbox(schema=ODD, table=ODD), PostgresInbox(psycopg.connect, schema=ODD, event_table=ODD)
    odd = names(schema=ODD) | outbox.names | inbox.names
    (other,) = own_migrations(odd, (id_,), suffix="@x").ordered
    assert other.id == f"{id_}@x"
    assert len(other.up) == len(plain.up)
    assert all(needed.endswith("@x") for needed in (*other.header.depends_on, *other.header.completes))


def test_they_make_what_the_schema_makes(each_database):
    with psycopg.connect(each_database, autocommit=True, options="-c client_min_messages=warning") as connection:
        run(connection, *MADE)
        migrated = catalog(connection)
        assert {row[0] for row in migrated} >= {"outbox_event", "inbox_event", "inbox_position", "dead_letter"}
        connection.execute("drop schema public cascade; create schema public")
        connection.execute(SCHEMA)
        assert catalog(connection) == migrated


def test_the_way_back_leaves_nothing(each_database):
    with psycopg.connect(each_database, autocommit=True) as connection:
        before = catalog(connection)
        run(connection, *MADE)
        assert catalog(connection) != before
        for migration in own_migrations(names(), MADE).ordered:
            for statement in migration.down:
                connection.execute(statement.text)
        assert catalog(connection) == before


def columns(connection) -> dict[tuple[str, str], str]:
    return {(row[0], row[1]): row[2] for row in catalog(connection) if row[6]}


def test_a_table_of_the_first_form_gets_every_column_and_index_that_a_new_one_has(each_database):
    with psycopg.connect(each_database, autocommit=True, options="-c client_min_messages=warning") as connection:
        run(connection, *MADE)
        new, indexes = (
            columns(connection),
            {row[1] for row in catalog(connection) if row[1].endswith(("waiting", "held"))},
        )
        connection.execute("drop schema public cascade; create schema public")
        connection.execute(FIRST_OUTBOX.format("public"))
        connection.execute(FIRST_INBOX)
        run(connection, *(id_ for id_ in IDS if id_ not in ("0001_outbox", "0004_inbox")))
        moved = columns(connection)
        assert indexes <= {row[1] for row in catalog(connection)}
    assert {key: kind for key, kind in moved.items() if key in new} == new | {("inbox_event", "event_id"): "text"}


@pytest.mark.parametrize("id_", IDS)
def test_the_librarys_own_lint_finds_nothing(id_):
    migrations = own_migrations(names(), IDS)
    report = lint_migration(migrations, migrations[id_])
    assert report.ok
    assert [finding for statement in report.statements for finding in statement.findings] == []
    assert report.others == ()


@pytest.mark.parametrize("id_", IDS)
def test_a_file_that_was_released_never_changes(id_):
    assert sha256(OWN.joinpath(f"{id_}.sql").read_bytes()).hexdigest() == HASHES[id_]

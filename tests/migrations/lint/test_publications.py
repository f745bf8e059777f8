"""What a publication asks of its tables: a replica identity, without which Postgres refuses to change their rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.linting import lint_files
from tests import servers
from tests.conftest import found
from tests.migrations.conftest import fresh_database
from tests.migrations.lint.observing import emptied

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.findings import Finding

RULE = "publication-without-identity"
BEFORE = """
create schema audit;
create table job (id bigint primary key, pay integer);
create table note (id bigint not null, text text);
create unique index note_id on note (id);
create table audit.entry (id bigint);
create table visit (id bigint, at date) partition by range (at);
create table visit_26 partition of visit for values from ('2026-01-01') to ('2027-01-01');
create table old_job (x integer) inherits (job);
"""
ROWS = (
    "insert into note values (1, 'a'); insert into audit.entry values (1); insert into visit values (1, '2026-02-02')"
)

REFUSED = [
    ("", "create publication p for table note", "note"),
    ("", "create publication p for table job, note with (publish = 'insert, update')", "note"),
    ("", "create publication p for table audit.entry", "audit.entry"),
    ("", "create publication p for table visit", "visit_26"),
    ("", "create publication p for table job", "old_job"),
    ("", "create publication p for tables in schema audit", "audit.entry"),
    ("", "create publication p for all tables", "audit.entry, note, old_job, visit_26"),
    ("create publication p for table only job;", "alter publication p add table note", "note"),
    ("create publication p for table only job;", "alter publication p set table note", "note"),
    ("create publication p;", "alter publication p add tables in schema audit", "audit.entry"),
    (
        "create publication p for table note with (publish = 'insert');",
        "alter publication p set (publish = 'insert, delete')",
        "note",
    ),
    (
        "create publication q for table only job; alter publication q rename to p;",
        "alter publication p add table note",
        "note",
    ),
    ("alter table note replica identity nothing;", "create publication p for table note", "note"),
    ("create publication p for table only job;", "alter table job drop constraint job_pkey", "job"),
    ("create publication p for table only job;", "alter table job replica identity nothing", "job"),
    (
        "create table n (id bigint); create publication p for table only job; alter table job rename to task;",
        "alter table task replica identity nothing",
        "task",
    ),
    (
        "alter table note replica identity full; create publication p for table note;",
        "alter table note replica identity default",
        "note",
    ),
    (
        "alter table note replica identity using index note_id; create publication p for table note;",
        "drop index note_id",
        "note",
    ),
]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    yield from fresh_database(found("postgres", servers.postgres_url))


def linted(folder: Path, before: str, sql: str) -> list[Finding]:
    (folder / "a.sql").write_text(BEFORE + before)
    (folder / "b.sql").write_text(f"set lock_timeout = '2s';\n{sql};\n")
    report = lint_files([folder / "a.sql", folder / "b.sql"])
    return [each for each in report.findings if each.rule == RULE and each.file.endswith("b.sql")]


def changed(connection: psycopg.Connection, tables: str) -> list[str]:
    """Change rows as running code would, and return the tables where Postgres refuses it."""
    refused = []
    for table in tables.split(", "):
        try:
            connection.execute(f"update {table} set id = id")
            connection.execute(f"delete from {table}")
        except psycopg.errors.ObjectNotInPrerequisiteState:
            refused.append(table)
    return refused


@pytest.mark.parametrize(("before", "sql", "tables"), REFUSED)
def test_what_postgres_refuses_from_then_on_is_told(
    tmp_path: Path, before: str, sql: str, tables: str, database: str
) -> None:
    (finding,) = linted(tmp_path, before, sql)
    assert (finding.severity, tables in finding.text) == (Severity.ERROR, True), finding.text
    for statements, refused in ((sql, tables.split(", ")), (finding.safe, [])):
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("set client_min_messages = error")
            emptied(connection)
            connection.execute(BEFORE + ROWS + ";" + before)
            for each in parse(statements):
                connection.execute(each.text)
            assert changed(connection, tables) == refused, statements


QUIET = [
    ("", "create publication p for table only job"),
    ("", "create publication p for table note with (publish = 'insert, truncate')"),
    ("", "create publication p for table n"),
    ("alter table note replica identity full;", "create publication p for table note"),
    ("alter table note replica identity using index note_id;", "create publication p for table note"),
    (
        (
            "alter table note replica identity using index note_id; "
            "alter table note add constraint k unique using index note_id;"
        ),
        "create publication p for table note",
    ),
    ("create publication p for table note;", "alter publication p set (publish_via_partition_root = true)"),
    ("create publication p for table note;", "alter table note replica identity nothing"),
    ("create publication p for table note;", "alter publication p drop table note"),
    ("create publication p for table note; drop publication p;", "alter table note replica identity full"),
    ("create publication p for table only job;", "drop index note_id"),
    ("create publication p for table only job;", "alter table job drop constraint c"),
    ("create publication p for table only job;", "create table m (id bigint); alter table m replica identity nothing"),
]


@pytest.mark.parametrize(("before", "sql"), QUIET)
def test_what_changes_nothing_of_it_is_not(tmp_path: Path, before: str, sql: str) -> None:
    assert not linted(tmp_path, before, sql)


@pytest.mark.parametrize(("table", "identity"), [("job", "default"), ("elsewhere", "full")])
def test_of_a_table_that_no_file_publishes_it_is_a_warning(tmp_path: Path, table: str, identity: str) -> None:
    (finding,) = linted(tmp_path, "", f"alter table {table} replica identity nothing")
    assert finding.severity is Severity.WARNING
    assert "a publication that these files do not name" in finding.text
    assert finding.safe == f"alter table {table} replica identity {identity};"


def test_an_index_that_serves_as_identity_is_said_rather_than_whole_rows(tmp_path: Path) -> None:
    (finding,) = linted(tmp_path, "", "create publication p for table note, audit.entry")
    assert finding.safe.splitlines()[:2] == [
        "alter table audit.entry replica identity full;",
        "alter table note replica identity using index note_id;",
    ]

"""What some rules print to be written instead is made of the statement, and what it was to spare is spared by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from jobarium_events.migrations.files.parsing import parameters, parse
from jobarium_events.migrations.lint.linting import lint_files
from tests import servers
from tests.conftest import found
from tests.migrations.conftest import fresh_database
from tests.migrations.lint.observing import emptied

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.findings import Finding

REST = "create table visit_rest partition of visit default;\n"
BEFORE = """
create table visit (id bigint not null, at date, site text, unique (id, at)) partition by range (at);
create index visit_site on visit (lower(site)) where site <> '';
create table visit_27 (id bigint not null, at date, site text);
{rest}create table mood (kind text, n integer) partition by list (kind);
create table mood_a (kind text not null, n integer);
create table mood_b (kind text, n integer);
create table spread (a int, b int) partition by range (a, b);
create table spread_1 (a int, b int);
create table job (id bigint generated always as identity primary key, pay int, twice int generated always as (pay * 2)
    stored);
create index job_pay on job (pay);
create domain word as text constraint word_short check (length(value) < 50);
alter table job add column title word;
create function touched() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger job_touched before update on job for each row execute function touched();
insert into job (pay, title) values (1, 'a'), (2, 'b');
""".replace("{rest}", REST)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    yield from fresh_database(found("postgres", servers.postgres_url))


def instead(folder: Path, sql: str, rule: str, before: str = BEFORE) -> list[Finding]:
    (folder / "a.sql").write_text(before)
    (folder / "b.sql").write_text(f"set lock_timeout = '2s';\n{sql};\n")
    report = lint_files([folder / "a.sql", folder / "b.sql"])
    return [each for each in report.findings if each.rule == rule and each.file.endswith("b.sql")]


def noticed(database: str, safe: str) -> list[str]:
    """Run what is to be written instead, and return what Postgres says of it."""
    said: list[str] = []
    with psycopg.connect(database, autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("set client_min_messages = error")
        emptied(connection)
        for each in parse(BEFORE):
            connection.execute(each.text)
        connection.execute("set client_min_messages = debug1")
        connection.add_notice_handler(lambda diagnostic: said.append(diagnostic.message_primary or ""))
        for each in parse(safe):
            connection.execute(each.text, [1] * len(parameters(each)))
    return said


ATTACHED = [
    (("visit", "visit_27", "for values from ('2027-01-01') to ('2028-01-01')"), 2),
    (("visit", "visit_27", "for values from (minvalue) to ('2028-01-01')"), 2),
    (("mood", "mood_a", "for values in ('a', 'b')"), 1),
    (("mood", "mood_b", "for values in ('a', 'b')"), 1),
]


@pytest.mark.parametrize(("parts", "implied"), ATTACHED)
def test_a_partition_that_is_proven_first_is_not_read(
    tmp_path: Path, parts: tuple[str, str, str], implied: int, database: str
) -> None:
    table, name, bound = parts
    findings = instead(tmp_path, f"alter table {table} attach partition {name} {bound}", "attach-reads-table")
    attach = findings[0].safe.splitlines()[-1]
    steps = [line for each in findings for line in each.safe.splitlines() if line != attach]
    said = noticed(database, "\n".join([*steps, attach]))
    assert sum("is implied by existing constraints" in each for each in said) == implied
    assert not any("building index" in each for each in said[-3:])
    own = [line for line in findings[-1].safe.splitlines() if line != attach]
    proven = BEFORE.replace(REST, "") + "\n".join(own)
    assert not instead(tmp_path, attach.rstrip(";"), "attach-reads-table", proven)


def test_a_partition_that_is_made_beside_a_default_one_reads_none_of_it(tmp_path: Path, database: str) -> None:
    sql = "create table visit_28 partition of visit for values from ('2028-01-01') to ('2029-01-01')"
    (finding,) = instead(tmp_path, sql, "partition-made")
    assert any("default partition" in each and "is implied by" in each for each in noticed(database, finding.safe))


def test_bounds_of_several_columns_are_proven_by_nothing_that_could_be_printed(tmp_path: Path) -> None:
    sql = "alter table spread attach partition spread_1 for values from (1, 1) to (2, 2)"
    (finding,) = instead(tmp_path, sql, "attach-reads-table")
    assert finding.safe == ""


PRINTED = [
    (
        "alter table job set unlogged",
        "table-rewritten",
        (
            "-- in up:\ncreate unlogged table job_new (like job including all);\n"
            "-- in backfill, in the next migration:\n"
            "insert into job_new (id, pay, title) overriding system value select id, pay, title from job "
            "where id between $1 and $2 on conflict do nothing;"
        ),
    ),
    (
        "alter index job_pay set tablespace pg_default",
        "table-rewritten",
        (
            "CREATE INDEX CONCURRENTLY job_pay_new ON job USING btree (pay) TABLESPACE pg_default;\n"
            "drop index concurrently job_pay;\nalter index job_pay_new rename to job_pay;"
        ),
    ),
    (
        "alter domain word validate constraint word_short",
        "domain-constraint",
        (
            "-- in up:\nalter table job add constraint job_title_check check (length(title) < 50) not valid;\n"
            "-- in up, in a later migration:\nalter table job validate constraint job_title_check;"
        ),
    ),
    (
        "alter table job alter column id drop default",
        "drop-default",
        "-- in a later file, once no code relies on it:\nalter table job alter column id drop default;",
    ),
    (
        "alter table job drop constraint job_pkey",
        "drop-constraint",
        "-- in a later file, once no code relies on it:\nalter table job drop constraint job_pkey;",
    ),
]


@pytest.mark.parametrize(("sql", "rule", "safe"), PRINTED)
def test_it_is_made_of_the_statement(tmp_path: Path, sql: str, rule: str, safe: str) -> None:
    (finding,) = instead(tmp_path, sql, rule)
    assert finding.safe == safe


@pytest.mark.parametrize("sql", [PRINTED[0][0], PRINTED[1][0], PRINTED[2][0]])
def test_it_runs(tmp_path: Path, sql: str, database: str) -> None:
    rule = next(each for statement, each, _ in PRINTED if statement == sql)
    (finding,) = instead(tmp_path, sql, rule)
    assert noticed(database, finding.safe) is not None


REPLACED = "create or replace function touched() returns trigger language plpgsql as $$ begin return old; end $$"


def test_a_function_that_triggers_call_gets_another_one_beside_it(tmp_path: Path, database: str) -> None:
    (finding,) = instead(tmp_path, REPLACED, "function-replaced")
    function, trigger = finding.safe.split("\n-- in a later")[0].splitlines()[-2:]
    assert function.startswith("CREATE FUNCTION touched_new()")
    assert trigger == (
        "CREATE TRIGGER job_touched_new BEFORE UPDATE ON job FOR EACH ROW EXECUTE FUNCTION touched_new();"
    )
    assert finding.safe.endswith(
        "\n-- in a later file, once no code relies on it:\ndrop trigger job_touched on job;\ndrop function touched();"
    )
    noticed(database, finding.safe)


def test_a_trigger_of_which_no_more_is_known_than_its_name_is_not_made_up(tmp_path: Path) -> None:
    before = f"{BEFORE}alter trigger job_touched on job rename to job_kept;"
    (finding,) = instead(tmp_path, REPLACED, "function-replaced", before)
    assert "TRIGGER" not in finding.safe.replace("RETURNS trigger", "")


def test_the_index_of_a_constraint_is_moved_by_nothing_that_could_be_printed(tmp_path: Path) -> None:
    (finding,) = instead(tmp_path, "alter index job_pkey set tablespace pg_default", "table-rewritten")
    assert finding.safe == ""

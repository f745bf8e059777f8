"""What findings say to write instead can be followed where the statement stands, and is said once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.linting import lint_files
from tests import servers
from tests.conftest import found
from tests.migrations.conftest import fresh_database
from tests.migrations.lint.rules_page import SETTINGS, migration

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.findings import Finding, Report

BEFORE = """create table employer (id bigint primary key, name text);
create table job (id bigint primary key, employer_id bigint, pay integer);
create index job_pay on job (pay);
"""
START = "begin;\nset local lock_timeout = '2s';\nalter table job add column origin text;\n"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    yield from fresh_database(found("postgres", servers.postgres_url))


def linted(folder: Path, sql: str, before: str = BEFORE) -> Report:
    (folder / "a.sql").write_text(before)
    (folder / "b.sql").write_text(sql)
    return lint_files([folder / "a.sql", folder / "b.sql"])


def of(report: Report, rule: str) -> list[Finding]:
    return [each for each in report.findings if each.rule == rule]


CONCURRENT = {
    "create index job_employer on job (employer_id);": "index-not-concurrent",
    "drop index job_pay;": "drop-index-not-concurrent",
    "reindex table job;": "reindex-not-concurrent",
    "create index concurrently job_employer on job (employer_id);": "concurrently-in-transaction",
    "alter table job add constraint one unique (pay);": "constraint-builds-index",
    "alter table job add constraint k foreign key (employer_id) references employer (id) not valid;": (
        "foreign-key-without-index"
    ),
}


@pytest.mark.parametrize("sql", CONCURRENT)
def test_what_cannot_be_in_a_transaction_is_said_to_be_outside_of_it(tmp_path: Path, sql: str, database: str) -> None:
    text = f"{START}{sql}\ncommit;\n"
    report = linted(tmp_path, text)
    (line,) = {each.line for each in report.findings if each.rule == CONCURRENT[sql]}
    found = [each for each in report.findings if each.line == line and "concurrently" in each.safe.lower()]
    assert {each.safe.splitlines()[0] for each in found} == {"commit;"}
    assert all("transaction" in each.text for each in found)
    for each in found:
        lines = text.splitlines()
        lines[line - 1] = each.safe
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("drop schema public cascade; create schema public")
            for statement in (*parse(BEFORE), *parse("\n".join(lines))):
                connection.execute(statement.text)
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_findings_on_one_statement_say_the_same(tmp_path: Path) -> None:
    report = linted(tmp_path, f"{START}create index job_employer on job (employer_id);\ncommit;\n")
    (one,), (other,) = of(report, "index-not-concurrent"), of(report, "heavy-locks-together")
    assert one.text.endswith("build it concurrently, outside any transaction")
    assert one.safe == other.safe
    allowed = "-- lint: allow index-not-concurrent: it is small\n"
    report = linted(tmp_path, f"{START}{allowed}create index job_employer on job (employer_id);\ncommit;\n")
    assert of(report, "heavy-locks-together")[0].safe.splitlines()[:2] == ["commit;", "begin;"]


def test_outside_of_transactions_nothing_is_said_of_them(tmp_path: Path) -> None:
    report = linted(tmp_path, "set lock_timeout = '2s';\ncreate index job_employer on job (employer_id);\n")
    (finding,) = of(report, "index-not-concurrent")
    assert finding.text.endswith("build it concurrently")
    assert "commit" not in finding.safe


ADD = "alter table job add column {} text;\n"


def test_that_no_timeout_holds_is_said_once_for_all(tmp_path: Path) -> None:
    sql = ADD.format("a") + "begin;\n" + ADD.format("b") + ADD.format("c") + "commit;\ndo $$ begin end $$;\n"
    (finding,) = of(linted(tmp_path, sql), "no-lock-timeout")
    assert finding.line == 1
    assert finding.text.endswith("set lock_timeout before it, for 3 more statements after it as well")
    mended = finding.safe + sql.partition("\n")[2]
    assert not of(linted(tmp_path, mended), "no-lock-timeout")
    (finding,) = of(linted(tmp_path, ADD.format("a") + ADD.format("b")), "no-lock-timeout")
    assert finding.text.endswith("for 1 more statement after it as well")
    (finding,) = of(linted(tmp_path, ADD.format("a")), "no-lock-timeout")
    assert finding.text.endswith("set lock_timeout before it")


def test_that_it_is_allowed_for_one_says_nothing_of_the_others(tmp_path: Path) -> None:
    allowed = "-- lint: allow no-lock-timeout: nobody uses it\n"
    (finding,) = of(linted(tmp_path, allowed + ADD.format("a") + ADD.format("b")), "no-lock-timeout")
    assert finding.line == 3


def test_one_mended_in_a_transaction_is_for_all_of_the_file(tmp_path: Path) -> None:
    sql = f"begin;\n{ADD.format('a')}commit;\nbegin;\n{ADD.format('b')}commit;\n"
    (finding,) = of(linted(tmp_path, sql), "no-lock-timeout")
    assert not of(linted(tmp_path, sql.replace(ADD.format("a"), f"{finding.safe}\n")), "no-lock-timeout")


@pytest.mark.parametrize("sql", ["do $$ begin null; end $$;", "call p();", "select f(1);", "execute x;"])
def test_nobody_is_told_that_code_which_is_not_seen_may_run(tmp_path: Path, sql: str) -> None:
    report = linted(tmp_path, sql)
    assert not report.ok
    assert "waits for whatever locks it takes" in of(report, "no-lock-timeout")[0].text
    assert not linted(tmp_path, f"set lock_timeout = '2s';\n{sql}").ok


@pytest.mark.parametrize("sql", ["explain analyze execute x;", "create table kept as execute x;"])
def test_what_was_prepared_is_not_seen_wherever_it_is_run(tmp_path: Path, sql: str) -> None:
    assert of(linted(tmp_path, sql), "code-unseen")


def test_a_block_in_the_way_back_is_not_seen_either(tmp_path: Path) -> None:
    sections = "-- name: up\ncreate table n (id bigint);\n-- name: down\ndo $$ begin drop table n; end $$;\n"
    (tmp_path / "migrations.toml").write_text(SETTINGS)
    (tmp_path / "baseline.sql").write_text("")
    path = tmp_path / "0001_n.sql"
    path.write_text(migration(sections, '-- id = "0001_n"\n'))
    assert of(lint_files([path]), "code-unseen")


@pytest.mark.parametrize("sql", ["update job set pay = 1;", "update job set pay = 1 where pay = 2;"])
def test_a_file_without_sections_is_not_told_of_them(tmp_path: Path, sql: str) -> None:
    (finding,) = [each for each in linted(tmp_path, sql).findings if each.rule.startswith("data-")]
    assert "section" not in finding.text + finding.safe
    assert "each in a transaction of its own" in finding.text
    assert "between $1 and $2" in finding.safe.lower()


def test_a_column_of_a_type_that_is_not_known_is_kept_beside_another_as_well(tmp_path: Path) -> None:
    (finding,) = of(linted(tmp_path, "alter table other rename column pay to salary;", ""), "rename-column")
    assert "add column salary ..." in finding.safe
    assert "db dual-write --table other" in finding.safe


def test_an_index_that_is_moved_is_told_of_unless_its_table_is_new(tmp_path: Path) -> None:
    move = "set lock_timeout = '2s';\n{}alter index job_pay set tablespace fast;"
    assert of(linted(tmp_path, move.format("")), "table-rewritten")
    assert not linted(tmp_path, move.format(BEFORE), "select 1;").findings


def test_what_a_role_owns_is_told_of(tmp_path: Path) -> None:
    (finding,) = of(linted(tmp_path, "reassign owned by a to b;"), "all-locked")
    assert "owner to" in finding.text


def test_a_mistake_changes_neither_the_versions_nor_how_many_files_there_are(tmp_path: Path) -> None:
    (tmp_path / "migrations.toml").write_text("postgres = 15\n" + SETTINGS)
    (tmp_path / "baseline.sql").write_text("")
    good = migration("-- name: up\ncreate table n (id bigint);\n", '-- id = "0001_n"\n')
    for text in (good, good.replace('risk = "low"', 'risk = "none"')):
        (tmp_path / "0001_n.sql").write_text(text)
        for path in (tmp_path, tmp_path / "0001_n.sql"):
            report = lint_files([path])
            assert (report.files, report.versions) == (1, (15, 16, 17, 18))
    (tmp_path / "migrations.toml").write_text("postgres = 12\n" + SETTINGS)
    assert lint_files([tmp_path]).versions == tuple(range(13, 19))


@pytest.mark.parametrize(
    ("sql", "rule", "first"),
    [
        ("create index job_employer on job (employer_id);", "index-not-concurrent", "create index concurrently"),
        ("drop index job_pay;", "drop-index-not-concurrent", "drop index concurrently"),
        ("begin;\ncreate index job_employer on job (employer_id);\ncommit;", "index-not-concurrent", "commit;"),
    ],
)
def test_what_is_done_concurrently_instead_needs_no_time_out(tmp_path: Path, sql: str, rule: str, first: str) -> None:
    report = linted(tmp_path, sql)
    (one,), (other,) = of(report, rule), of(report, "no-lock-timeout")
    assert one.safe.lower().startswith(first)
    assert other.safe == one.safe
    assert "concurrently instead" in other.text


TIMED = [
    (
        "alter table job add constraint one unique (pay);",
        "constraint-builds-index",
        ["create unique index concurrently one", "set lock_timeout = '2s'", "alter table job add constraint one"],
    ),
    (
        "alter table job add constraint c check (pay > 0);",
        "check-validated",
        ["set lock_timeout = '2s'", "ALTER TABLE job ADD CONSTRAINT c", "alter table job validate"],
    ),
    ("alter table job add column a text;", "", ["set lock_timeout = '2s'", "alter table job add column a text"]),
    ("alter table other rename column a to b;", "", ["set lock_timeout = '2s'", "alter table other rename column a"]),
]


@pytest.mark.parametrize(("sql", "rule", "steps"), TIMED)
def test_a_time_out_is_set_for_what_is_written_instead(tmp_path: Path, sql: str, rule: str, steps: list[str]) -> None:
    report = linted(tmp_path, sql)
    (finding,) = of(report, "no-lock-timeout")
    found = [each for each in finding.safe.split("\n") if not each.startswith("--")]
    assert len(found) == len(steps)
    assert all(line.startswith(step) for line, step in zip(found, steps, strict=True)), finding.safe
    if rule:
        (other,) = of(report, rule)
        assert [each for each in found if each != "set lock_timeout = '2s';"] == other.safe.split("\n")


ALEMBIC = "BEGIN;\n-- Running upgrade  -> 1975ea83b712\n{}\nCOMMIT;\n"
DJANGO = "BEGIN;\n--\n-- Change something\n--\n{}\nCOMMIT;\n"
IN_TOOLS = [
    (
        ALEMBIC,
        "CREATE INDEX job_employer ON job (employer_id);",
        (
            "-- in Alembic:\n-- with op.get_context().autocommit_block():\n"
            '--     op.create_index("job_employer", "job", ["employer_id"], postgresql_concurrently=True)\n'
        ),
    ),
    (
        ALEMBIC,
        "CREATE UNIQUE INDEX k ON audit.job (employer_id, pay);",
        (
            "-- in Alembic:\n-- with op.get_context().autocommit_block():\n"
            '--     op.create_index("k", "job", ["employer_id", "pay"], unique=True, schema="audit", '
            "postgresql_concurrently=True)\n"
        ),
    ),
    (
        ALEMBIC,
        "CREATE INDEX k ON job (lower(title)) WHERE pay > 0;",
        (
            "-- in Alembic:\n-- with op.get_context().autocommit_block():\n"
            '--     op.create_index("k", "job", [...], postgresql_concurrently=True)\n'
        ),
    ),
    (
        ALEMBIC,
        "DROP INDEX job_pay;",
        (
            "-- in Alembic:\n-- with op.get_context().autocommit_block():\n"
            '--     op.drop_index("job_pay", postgresql_concurrently=True)\n'
        ),
    ),
    (
        DJANGO,
        'CREATE INDEX "job_employer" ON "job" ("employer_id");',
        (
            "-- in Django, in a migration that has `atomic = False`:\n"
            '-- AddIndexConcurrently(model_name=..., index=models.Index(fields=["employer_id"], name="job_employer"))\n'
        ),
    ),
    (
        DJANGO,
        'CREATE UNIQUE INDEX "k" ON "job" ("pay");',
        (
            "-- in Django, in a migration that has `atomic = False`:\n"
            "-- RunSQL(..., state_operations=[...]) with this SQL:\n"
        ),
    ),
    (
        DJANGO,
        'DROP INDEX IF EXISTS "job_pay";',
        (
            "-- in Django, in a migration that has `atomic = False`:\n"
            '-- RemoveIndexConcurrently(model_name=..., name="job_pay")\n'
        ),
    ),
]


@pytest.mark.parametrize(("printed", "sql", "said"), IN_TOOLS)
def test_what_a_tool_has_printed_is_mended_in_that_tool(tmp_path: Path, printed: str, sql: str, said: str) -> None:
    report = linted(tmp_path, f"set lock_timeout = '2s';\n{printed.format(sql)}")
    (finding,) = [each for each in report.findings if each.rule.endswith("index-not-concurrent")]
    assert finding.safe.startswith(f"{said}commit;\n"), finding.safe
    assert "CONCURRENTLY" in finding.safe.upper()


def test_an_index_in_a_file_of_nobodys_tool_is_mended_in_sql_alone(tmp_path: Path) -> None:
    (finding,) = of(linted(tmp_path, "create index k on job (pay);"), "index-not-concurrent")
    assert finding.safe == "CREATE INDEX CONCURRENTLY k ON job USING btree (pay);"

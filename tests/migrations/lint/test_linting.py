"""What lint makes of files and folders: what it knows of earlier ones, of versions, and of what cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from jobarium_events.migrations import Migrations
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.linting import lint_files, lint_migration, lint_migrations
from tests.migrations.lint.linted import FUNCTION, PARTED, TABLE, folder, rules, up
from tests.migrations.lint.rules_page import SETTINGS, migration


def test_a_table_is_nobodys_in_its_own_file_and_somebodys_in_the_next(tmp_path: Path) -> None:
    index = "create index job_pay on job (pay);"
    folder(tmp_path, _0001_job=up("0001_job", TABLE + index), _0002_index=up("0002_index", index.replace("_pay", "_p")))
    report = lint_migrations(Migrations.load(tmp_path))
    assert [(finding.rule, Path(finding.file).stem) for finding in report.findings] == [
        ("index-not-concurrent", "0002_index")
    ]


def test_one_migration_is_judged_in_the_light_of_those_before_it(tmp_path: Path) -> None:
    folder(
        tmp_path,
        _0001_job=up("0001_job", TABLE),
        _0002_pay=up("0002_pay", "alter table job rename column pay to salary;"),
    )
    loaded = Migrations.load(tmp_path)
    report = lint_migration(loaded, loaded["0002"])
    (finding,) = [each for each in report.findings if each.rule == "rename-column"]
    assert "add column salary integer;" in finding.safe.lower()
    assert report.statements[0].file.endswith("0002_pay.sql")
    assert lint_files([tmp_path / "0002_pay.sql"]).findings == report.findings


def test_plain_files_are_judged_in_the_light_of_those_before_them(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(TABLE)
    (tmp_path / "b.sql").write_text("set lock_timeout = '2s';\nalter table job rename column pay to salary;")
    (finding,) = lint_files([tmp_path]).findings
    assert "integer" in finding.safe


def test_what_reads_partitions_concurrently_holds_nobody_up_for_long(tmp_path: Path) -> None:
    (tmp_path / "0001.sql").write_text(f"set lock_timeout = '2s';\n{PARTED}create index visit_id on visit (id);")
    concurrent = "set lock_timeout = '2s';\nreindex table concurrently visit;"
    (tmp_path / "0002.sql").write_text(concurrent)
    assert rules(lint_files([tmp_path])) == []
    (tmp_path / "0002.sql").write_text(concurrent.replace(" concurrently", ""))
    assert rules(lint_files([tmp_path])) == ["reindex-not-concurrent"]


def test_files_are_read_some_at_a_time_and_judged_in_their_order(tmp_path: Path) -> None:
    """What one says of a table is known in each that comes after it, wherever the reading stops to judge."""
    for number in range(250):
        (tmp_path / f"{number:03}.sql").write_text(f"create table t{number} (x int check (x > 0));\n")
    last = "set lock_timeout = '1s';\n" + "\n".join(f"drop index t{number}_x_idx;" for number in (0, 99, 100, 249))
    for number in (0, 99, 100, 249):
        (tmp_path / f"{number:03}a.sql").write_text(
            f"set lock_timeout = '1s';\ncreate index concurrently on t{number} (x);\n"
        )
    (tmp_path / "120.sql").write_text("selec 1;\n")
    (tmp_path / "121.sql").write_bytes(b"select '\xff';\n")
    (tmp_path / "122.sql").write_text(migration("-- name: up\nselect 1;\n", "-- category = 'other'"))
    (tmp_path / "zzz.sql").write_text(last)
    report = lint_files([tmp_path])
    assert report.files == 255
    assert [Path(each.file).name for each in report.others] == ["120.sql", "121.sql", "122.sql"]
    assert [each.file for each in report.statements] == sorted(each.file for each in report.statements)
    *_, one, two, three, four = report.statements
    tables = [lock.table for each in (one, two, three, four) for lock in each.locks]
    assert tables == ["t0", "t99", "t100", "t249"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_may(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.sql"
    path.write_bytes(f"-- why{end}select 1;{end}drop table a;{end}".encode("utf-8-sig"))
    assert [each.line for each in lint_files([path]).statements] == [2, 3]


def test_a_finding_says_for_which_versions_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text(
        "set lock_timeout = '2s';\ncreate table one (id bigint);\ncreate table two () inherits (one);\n"
        "-- Running upgrade a -> b\nbegin;\nalter table other add column a text;\n"
        "alter table one add constraint p check (id > 0) no inherit not valid;\ncommit;\n"
    )
    found = {versions: lint_files([path], postgres=versions).findings for versions in [(13,), (13, 17, 18), (18,)]}
    texts = {versions: [finding.sentence for finding in each] for versions, each in found.items()}
    assert texts[13,] == ["locks one while other is locked as well; do each in a transaction of its own"]
    assert texts[18,] == ["locks one, two while other is locked as well; do each in a transaction of its own"]
    assert texts[13, 17, 18] == [f"{texts[13,][0]} (on Postgres 13 to 17)", f"{texts[18,][0]} (on Postgres 18)"]


def test_the_versions_are_those_from_the_settings_on(tmp_path: Path) -> None:
    folder(tmp_path, _0001_job=up("0001_job", TABLE))
    (tmp_path / "migrations.toml").write_text("postgres = 16\n" + SETTINGS)
    assert lint_files([tmp_path]).versions == (16, 17, 18)
    assert lint_files([tmp_path], postgres=[15]).versions == (15,)


def test_a_mistake_in_a_file_is_a_finding(tmp_path: Path) -> None:
    folder(tmp_path, _0001_job=up("0001_job", TABLE, '-- risk = "none"\n'))
    (finding,) = lint_files([tmp_path]).findings
    lines = (tmp_path / "0001_job.sql").read_text().splitlines()
    assert (finding.rule, finding.severity) == ("migration-mistake", Severity.ERROR)
    assert lines[finding.line - 1] == '-- risk = "none"'
    (tmp_path / "plain.sql").write_text("select 1;\ncrate table x ();")
    (finding,) = lint_files([tmp_path / "plain.sql"]).findings
    assert (finding.rule, finding.line) == ("sql-unreadable", 2)


UP_AND_DOWN = [
    ("alter table job add column a text;", "alter table job drop column a;", ""),
    ("alter table job add column a text;", "select 1;", "leaves job.a behind"),
    ("create table b (id bigint primary key);", "drop table b;", ""),
    ("create table b (id bigint primary key);", "select 1;", "leaves the table b behind"),
    ("create index concurrently i on job (pay);", "drop index concurrently i;", ""),
    ("create index concurrently i on job (pay);", "select 1;", "leaves the index i behind"),
    ("alter table job add constraint p check (pay > 0) not valid;", "select 1;", "leaves the constraint p of job"),
    ("create type k as enum ('a');", "select 1;", "leaves the type k behind"),
    ("create type k as enum ('a');", "drop type k;", ""),
    ("create schema s;", "select 1;", "leaves the schema s behind"),
    ("create sequence s;", "drop sequence s;", ""),
    ("create view v as select id from job;", "select 1;", "leaves the view v behind"),
    (
        f"{FUNCTION}\ncreate trigger t before insert on job for each row execute function f();",
        "drop trigger t on job;",
        "leaves the function f behind",
    ),
    (
        "alter table job add column a text;",
        "alter table job drop column a;\nalter table job drop column pay;",
        "job.pay",
    ),
]


@pytest.mark.parametrize(("sql", "down", "said"), UP_AND_DOWN)
def test_down_removes_what_up_makes(tmp_path: Path, sql: str, down: str, said: str) -> None:
    text = migration(f"-- name: up\n{sql}\n-- name: down\n{down}", '-- id = "0002_more"\n')
    folder(tmp_path, _0001_job=up("0001_job", TABLE), _0002_more=text)
    texts = [finding.text for finding in lint_files([tmp_path]).findings]
    assert len(texts) >= 1 if said else texts == []
    assert said in " ".join(texts)


def summaries(paths: Iterable[Path]) -> list[tuple[str, int, bool, bool]]:
    return [(each.kind, each.line, each.rewrite, each.scan) for each in lint_files(paths).statements]


def test_each_statement_is_told_with_what_it_does(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("set lock_timeout = '2s';\n\nalter table job alter column pay type bigint;\n")
    told = summaries([path])
    assert told[1] == (told[1][0], 3, True, True)
    report = lint_files([path])
    assert [(lock.table, lock.mode.value) for lock in report.statements[1].locks] == [("job", "AccessExclusiveLock")]


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_with_nothing_in_it_is_what_a_failed_command_leaves(tmp_path, text):
    (tmp_path / "0001.sql").write_text(text)
    (finding,) = lint_files([tmp_path / "0001.sql"]).findings
    assert "has no statement; did the command before it fail?" in finding.text

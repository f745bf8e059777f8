"""A foreign key that a new table comes with needs an index on its columns by the end of the section or the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations.lint.linting import lint_files

RULE = "foreign-key-without-index"
MADE = "create table b (id bigint primary key, job_id bigint constraint b_job references job (id)"
UNSERVED = [
    f"{MADE});",
    f"{MADE}, site_id bigint, foreign key (job_id, site_id) references pair);\ncreate index b_job_id on b (job_id);",
    f"{MADE}, name text);\ncreate index b_name on b (name, job_id);",
    f"{MADE});\ncreate index b_job_id on b (job_id);\ndrop index b_job_id;",
    "create schema s create table b (id bigint primary key, job_id bigint references job (id));",
]


def broken(path: Path) -> set[str]:
    return {each.rule for each in lint_files([path]).findings}


@pytest.mark.parametrize("sql", UNSERVED)
def test_a_table_that_is_made_has_an_index_for_each_foreign_key_by_the_end(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "0001.sql"
    path.write_text(f"set lock_timeout = '2s';\n{sql}")
    (finding,) = [each for each in lint_files([path]).findings if each.rule == RULE]
    assert finding.line == 2
    assert finding.text.endswith("no index has by the end; build one after it")


@pytest.mark.parametrize(
    "rest",
    ["drop table b;", "alter table b drop constraint b_job;", "create index on b (job_id);"],
)
def test_a_foreign_key_that_is_served_or_gone_by_the_end_needs_nothing(tmp_path: Path, rest: str) -> None:
    path = tmp_path / "0001.sql"
    path.write_text(f"set lock_timeout = '2s';\n{MADE});\n{rest}")
    assert RULE not in broken(path)


def test_each_migration_of_a_file_has_its_own_end(tmp_path: Path) -> None:
    path = tmp_path / "0001.sql"
    after = "-- Running upgrade a -> b\n\nset lock_timeout = '2s';\ncreate index concurrently b_job_id on b (job_id);"
    path.write_text(f"-- Running upgrade  -> a\n\nset lock_timeout = '2s';\n{MADE});\n{after}")
    assert RULE in broken(path)


def test_a_partition_needs_no_index_for_the_foreign_key_of_its_table(tmp_path: Path) -> None:
    path = tmp_path / "0001.sql"
    table = "create table b (at date, job_id bigint references job (id)) partition by range (at);"
    part = "create table b_26 partition of b for values from ('2026-01-01') to ('2027-01-01');"
    path.write_text(f"set lock_timeout = '2s';\n{table}\n{part}")
    found = [each.line for each in lint_files([path]).findings if each.rule == RULE]
    assert found == [2]


def test_a_foreign_key_without_an_index_may_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "0001.sql"
    allow = "-- lint: allow foreign-key-without-index: no row of job is ever deleted"
    path.write_text(f"set lock_timeout = '2s';\n{allow}\n{MADE});")
    assert lint_files([path]).findings == ()

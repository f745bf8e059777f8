"""A table that a file makes is empty until the file fills it: it takes no time to go through it, and nobody waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations.lint.linting import lint_files

MADE = "create table n (id bigint primary key, t text, job_id bigint references job (id));\n"


def broken(folder: Path, sql: str) -> set[str]:
    path = folder / "0001.sql"
    path.write_text(f"set lock_timeout = '2s';\n{sql}")
    return {each.rule for each in lint_files([path]).findings if each.rule != "foreign-key-without-index"}


EMPTY = [
    "create index n_t on n (t);",
    "create unique index on n (t);",
    "alter table n alter column t type bigint;",
    "alter table n alter column t set not null;",
    "alter table n add check (id > 0);",
    "alter table n add unique (t);",
    "alter table n add column u uuid default gen_random_uuid();",
    "alter table n add constraint o foreign key (id) references job (id);",
    "cluster n using n_pkey;",
    "reindex table n;",
    "reindex index n_pkey;",
    "truncate n;",
    "insert into n (id) values (1);\ncreate index n_t on n (t);",
    "select setval('n_id_seq', (select max(id) from n));",
    "delete from n;",
    "create table p partition of n for values in (1);\ncreate index on n (t);",
]


@pytest.mark.parametrize("sql", EMPTY)
def test_a_new_table_is_gone_through_while_others_are_locked(tmp_path: Path, sql: str) -> None:
    assert broken(tmp_path, f"begin;\n{MADE}{sql}\ncommit;") == set()


LONG = [
    "insert into n (id) select id from employer where id > 1;\ncreate index n_t on n (t);",
    "copy n from '/n';\nalter table n alter column t set not null;",
    "lock table old in share mode;\nalter table n attach partition old for values in (1);",
    "select count(*) from employer;",
    "create index on employer (id);",
    "reindex table employer;",
    "drop table n;\ncreate table n as select id from employer where id > 1;\ncreate index n_t on n (id);",
]


@pytest.mark.parametrize("sql", LONG)
def test_what_has_rows_is_not(tmp_path: Path, sql: str) -> None:
    assert "heavy-locks-together" in broken(tmp_path, f"begin;\n{MADE}{sql}\ncommit;")


@pytest.mark.parametrize(("rest", "found"), [("create index on n (t);", True), ("create index on n (o);", False)])
def test_a_foreign_key_that_a_new_table_gets_has_an_index_by_the_end(tmp_path: Path, rest: str, found: bool) -> None:
    path = tmp_path / "0001.sql"
    made = "create table n (id bigint primary key, t text, o bigint);"
    key = "alter table n add constraint k foreign key (o) references job (id);"
    path.write_text(f"set lock_timeout = '2s';\n{made}\n{key}\n{rest}")
    findings = [each for each in lint_files([path]).findings if each.rule == "foreign-key-without-index"]
    assert [each.line for each in findings] == ([3] if found else [])
    assert all(each.safe.endswith("create index n_o_idx on n (o);") for each in findings)

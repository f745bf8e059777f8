"""A table is its file's alone until code that runs on older tables reaches it, in separate transactions."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations.lint.linting import lint_files
from tests.migrations.lint.rules_page import SETTINGS, migration

OLD = """
create table job (id bigint primary key, title text, pay bigint);
create table entry (id bigint, at date) partition by range (at);
create view titles as select title from job;
create function log_it() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger logged after insert on job for each row execute function log_it();
"""
MADE = "create table n (id bigint, at date, t text);"
FILLED = "insert into n (id) select id from job where id > 1;"
TRIGGER = "create trigger kept after insert on job for each row execute function log_it();"
INDEX = "create index n_t on n (t);"


def found(folder: Path, sql: str) -> set[str]:
    (folder / "migrations.toml").write_text(SETTINGS)
    (folder / "baseline.sql").write_text(OLD)
    path = folder / "0001_example.sql"
    path.write_text(migration(f"-- name: up\n{sql}\n", '-- id = "0001_example"\n'))
    return {each.rule for each in lint_files([path]).findings}


REACHING = {
    "a trigger": TRIGGER,
    "a trigger that is turned on": "alter table job enable trigger logged;",
    "a rule": "create rule kept as on insert to job do also insert into n (id) values (new.id);",
    "a policy": "create policy seen on job using (id in (select id from n));",
    "a view that was there": "create or replace view titles as select title from job union select t from n;",
    "a function that was there": "create or replace function log_it() returns trigger language plpgsql as $$ begin "
    "insert into n (id) values (new.id); return new; end $$;",
    "a function that makes up statements": "create or replace function log_it() returns trigger language plpgsql as $$ "
    "begin execute 'x'; return new; end $$;",
    "a partition": "alter table entry attach partition n for values from ('2026-01-01') to ('2027-01-01');",
    "an heir": "alter table n inherit job;",
    "a default": "create function next_n() returns bigint language sql as 'insert into n values (1) returning id';"
    "\nalter table job alter pay set default next_n();",
    "a block of code": "do $$ begin perform 1; end $$;",
    "a schema with a trigger": "create schema s create trigger kept after insert on job for each row execute function "
    "log_it();",
    "a foreign key": f"{FILLED}\nalter table n add constraint k foreign key (id) references job (id) not valid;",
    "a foreign key to it": f"{FILLED}\nalter table job add constraint k foreign key (pay) references n (id) not valid;",
    "the name of one that was there": "alter table job rename to old_job;\nalter table n rename to job;",
}


@pytest.mark.parametrize("name", REACHING)
def test_a_table_that_others_reach_is_in_use(tmp_path: Path, name: str) -> None:
    index = INDEX.replace(" on n ", " on job ") if name.startswith("the name") else INDEX
    assert "index-not-concurrent" in found(tmp_path, f"{MADE}\n{REACHING[name]}\n{index}")


@pytest.mark.parametrize("name", REACHING)
def test_what_others_see_with_the_end_of_the_transaction_is_not(tmp_path: Path, name: str) -> None:
    index = INDEX.replace(" on n ", " on job ") if name.startswith("the name") else INDEX
    path = tmp_path / "plain.sql"
    start = f"begin;\nset local lock_timeout = '2s';\n{MADE}\n{REACHING[name]}\n"
    path.write_text(f"{start}{index}\ncommit;\n")
    (tmp_path / "before.sql").write_text(OLD)
    files = [tmp_path / "before.sql", path]
    assert "index-not-concurrent" not in {each.rule for each in lint_files(files).findings}
    path.write_text(f"{start}commit;\n{index}\n")
    assert "index-not-concurrent" in {each.rule for each in lint_files(files).findings}


def test_what_is_rolled_back_reaches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plain.sql"
    start = f"set lock_timeout = '2s';\n{MADE}\nbegin;\n{TRIGGER}\n"
    path.write_text(f"{start}rollback;\n{INDEX}\n")
    assert lint_files([path]).findings == ()
    path.write_text(f"{start}commit;\n{INDEX}\n")
    assert {each.rule for each in lint_files([path]).findings} == {"index-not-concurrent"}


NOT_REACHING = {
    "nothing": "",
    "rows": FILLED,
    "a foreign key without rows": "alter table n add constraint k foreign key (id) references job (id) not valid;",
    "a trigger of its own": "create trigger kept after insert on n for each row execute function log_it();",
    "a rule of its own": "create rule kept as on insert to n do also notify x;",
    "a new view": "create view v as select t from n;",
    "a new view that is made anew": "create view v as select t from n;\ncreate or replace view v as select t from n;",
    "a new function": "create function f() returns trigger language plpgsql as $$ begin insert into n values (1); "
    "return new; end $$;",
    "another function": "create or replace function log_it() returns trigger language plpgsql as $$ begin "
    "return new; end $$;",
    "a table of its own to be part of": "create table m (id bigint, at date, t text) partition by range (at);\n"
    "alter table m attach partition n for values from ('2026-01-01') to ('2027-01-01');",
    "another name": "alter table n rename to m;\nalter table m rename to n;",
    "a column of another table": "alter table job add column more text;",
}


@pytest.mark.parametrize("name", NOT_REACHING)
def test_a_table_that_nobody_reaches_is_its_files_alone(tmp_path: Path, name: str) -> None:
    assert "index-not-concurrent" not in found(tmp_path, f"{MADE}\n{NOT_REACHING[name]}\n{INDEX}")


def test_what_reaches_a_table_reaches_its_parts(tmp_path: Path) -> None:
    parts = "create table p partition of n for values from ('2026-01-01') to ('2027-01-01');"
    made = MADE.replace(";", " partition by range (at);")
    reached = found(tmp_path, f"{made}\n{REACHING['a rule']}\n{parts}\ncreate index on p (t);")
    assert "index-not-concurrent" in reached
    assert "index-not-concurrent" not in found(tmp_path, f"{made}\n{parts}\ncreate index on p (t);")


def test_a_partition_of_an_older_table_is_in_use_at_once(tmp_path: Path) -> None:
    part = "create table p partition of entry for values from ('2026-01-01') to ('2027-01-01');"
    assert "index-not-concurrent" in found(tmp_path, f"{part}\ncreate index p_id on p (id);")


def test_another_name_does_not_hide_who_uses_it(tmp_path: Path) -> None:
    sql = f"{MADE}\n{TRIGGER}\nalter table n rename to m;\ncreate index m_t on m (t);"
    assert "index-not-concurrent" in found(tmp_path, sql)


def test_the_whole_of_an_example_that_held_up_inserts_for_a_third_of_a_second(tmp_path: Path) -> None:
    sql = f"{MADE}\n{TRIGGER}\n{FILLED}\nalter table n add column r bigint default (random() * 9)::bigint;\n{INDEX}"
    assert {"volatile-default", "index-not-concurrent"} <= found(tmp_path, sql)


def test_what_a_migration_makes_is_its_addition_whoever_uses_it(tmp_path: Path) -> None:
    sql = f"{MADE}\n{TRIGGER}\n{FILLED}\nalter table n alter t set default 'x';"
    assert "expand-only-adds" not in found(tmp_path, sql)

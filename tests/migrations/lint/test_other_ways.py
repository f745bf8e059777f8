"""A rule is broken in other ways than the page shows, and what looks like it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations.lint.linting import lint_files
from tests.migrations.lint.linted import BEFORE, FUNCTION, folder, rules, up

BROKEN = [
    ("expand", "explain analyze delete from job where id = 1;", "expand-only-adds"),
    ("expand", "with a as (insert into job (id) values (1) returning id) select id from a;", "expand-only-adds"),
    ("expand", "with a as (update job set pay = 1 where id = 1 returning id) select id from a;", "expand-only-adds"),
    (
        "expand",
        "create table b (id int); with a as (delete from job where id = 1 returning 1) insert into b select 1 from a;",
        "expand-only-adds",
    ),
    ("contract", "with a as (delete from job where id = 1 returning id) select id from a;", "contract-only-removes"),
    ("contract", "copy (delete from job where id = 1 returning id) to stdout;", "contract-only-removes"),
    ("contract", "select id into b from job;", "contract-only-removes"),
    ("contract", "alter table visit detach partition visit_26;", "out-of-use-missing"),
    ("expand", "-- lint: allow expand-only-adds: nobody uses it\ndrop table job;", "out-of-use-missing"),
    ("expand", "revoke select on job from public;", "revoke"),
    ("expand", "alter table site alter column name drop default;", "drop-default"),
    ("expand", "set local session_replication_role = 'replica';", "triggers-off"),
    ("expand", "set role somebody;", "setting-left"),
    ("expand", "call f();", "function-called"),
    ("expand", "select * from f();", "function-called"),
    ("expand", "select dblink_exec('', '');", "function-called"),
    ("expand", "select pg_sleep(1);", "function-called"),
    ("migrate", "select set_config('lock_timeout', '0', true);", "function-called"),
    ("expand", "create temp table job (id bigint);\nalter table job rename column pay to salary;", "rename-column"),
    ("migrate", "delete from job where 1 = 1;", "data-without-where"),
    ("migrate", "delete from job where (select true);", "data-without-where"),
    ("expand", "create table b as select id from job;", "data-not-batched"),
    ("expand", "create index concurrently i on visit (at);", "partitioned-refused"),
    (
        "expand",
        "alter table visit add constraint v foreign key (id) references job (id) not valid;",
        "partitioned-refused",
    ),
    ("expand", "drop index concurrently if exists job_pkey;", "expand-only-adds"),
    ("expand", "reset all;", "lock-timeout-long"),
    ("expand", "alter table job drop constraint if exists job_status_check;", "expand-only-adds"),
    ("expand", "reindex (concurrently off) table job;", "reindex-not-concurrent"),
    ("expand", "alter sequence job_id_seq owner to somebody;", "owner-changed"),
    ("expand", "alter function g(int) owner to somebody;", "owner-changed"),
    ("expand", "reassign owned by somebody to current_user;", "owner-changed"),
    ("expand", "create policy p on elsewhere as restrictive using (true);", "rows-hidden"),
    (
        "expand",
        "alter table job enable row level security;\ncreate policy p on job as restrictive using (pay > 0);",
        "rows-hidden",
    ),
    ("expand", "alter table job force row level security;", "rows-hidden"),
    ("contract", "drop index if exists job_pkey, visit_i;", "drop-index-of-constraint"),
]


@pytest.mark.parametrize(("category", "sql", "rule"), BROKEN)
def test_what_breaks_a_rule_in_another_way(tmp_path: Path, category: str, sql: str, rule: str) -> None:
    more = up("0002_more", sql, f'-- category = "{category}"\n')
    folder(tmp_path, _0001_job=up("0001_job", BEFORE), _0002_more=more)
    assert rule in rules(lint_files([tmp_path / "0002_more.sql"]))


ORDINARY = [
    (
        "expand",
        (
            f"{FUNCTION}\nbegin;\ndrop trigger if exists t on job;\n"
            "create trigger t before insert on job for each row execute function f();\ncommit;"
        ),
    ),
    (
        "expand",
        "alter table job drop constraint if exists p;\nalter table job add constraint p check (pay > 0) not valid;",
    ),
    ("expand", "alter table job add column origin text default 'form';"),
    ("expand", "drop index concurrently if exists job_pay;\ncreate index concurrently job_pay on job (pay);"),
    (
        "expand",
        (
            "create table b (id bigint primary key, job_id bigint not null references job (id));\n"
            "create index b_job_id on b (job_id);"
        ),
    ),
    (
        "expand",
        (
            "create table b (job_id bigint, site_id bigint, primary key (site_id, job_id), "
            "foreign key (job_id, site_id) references pair (job_id, site_id));"
        ),
    ),
    ("expand", "create table b (id bigint primary key);\ninsert into b (id) values (1), (2);"),
    ("expand", "create table b (id bigint primary key);\nselect setval('b_id_seq', 100);"),
    ("expand", "alter table job alter column status set default 'open';"),
    ("expand", "create table visit_27 partition of visit for values from ('2027-01-01') to ('2028-01-01');"),
    ("expand", "grant select on job to public;"),
    ("expand", "create schema s;\ncreate table s.b (id bigint primary key);\nrevoke all on schema s from public;"),
    ("expand", "alter table job add constraint job_pay check (pay > 0) not valid;"),
    ("expand", "create view b as with a as (select id from job) select id from a;"),
    ("expand", "create materialized view b as select status from job;"),
    ("expand", "select count(*) from job where pay > 0;"),
    ("expand", "explain delete from job where id = 1;"),
    ("expand", "set statement_timeout = '30min';\ncreate index concurrently job_pay on job (pay);"),
    ("expand", "begin;\nset local work_mem = '64MB';\nalter table job add column origin text;\ncommit;"),
    ("migrate", "vacuum (full off, analyze) job;"),
    ("contract", "alter table site alter column name drop default;"),
    ("contract", "alter table job owner to somebody;"),
    ("expand", "alter publication p owner to somebody;"),
    ("expand", f"{FUNCTION}\nalter function f() owner to somebody;"),
    ("expand", "create policy p on job as restrictive using (pay > 0);"),
    ("expand", "create table b (id bigint primary key);\nalter table b enable row level security;"),
]


@pytest.mark.parametrize(("category", "sql"), ORDINARY)
def test_what_is_good_has_no_finding(tmp_path: Path, category: str, sql: str) -> None:
    more = up("0002_more", sql, f'-- category = "{category}"\n')
    folder(tmp_path, _0001_job=up("0001_job", BEFORE), _0002_more=more)
    assert lint_files([tmp_path / "0002_more.sql"]).findings == ()


REQUIRED = [
    ("alter table job add constraint p check (pay is not null) not valid;", True),
    ("alter table job alter column pay set not null;", True),
    ("alter table job add constraint p not null pay not valid;", True),
    ("alter table job add column place text not null;", True),
    ("alter table job add column place text not null default '';", False),
    ("alter table job add constraint p check (id is not null) not valid;", False),
    ("alter table job add constraint p check (pay > 0) not valid;", False),
    ("create table n (a int);\nalter table n alter column a set not null;", False),
]


@pytest.mark.parametrize(("sql", "is_found"), REQUIRED)
def test_a_column_is_required_only_once_a_backfill_is_complete(tmp_path: Path, sql: str, is_found: bool) -> None:
    folder(tmp_path, _0001_job=up("0001_job", BEFORE))
    for name, own, found in (
        ("none", "", is_found),
        ("other", 'backfill = { table = "site", key = ["id"] }', is_found),
        ("own", 'backfill = { table = "job", key = ["id"] }', False),
    ):
        fill = "" if not own else f"\n-- name: backfill\nupdate {name} set id = id where id between $1 and $2;"
        head = f'-- category = "migrate"\n-- {own}\n' if own else '-- category = "migrate"\n'
        (tmp_path / "0002_more.sql").write_text(up("0002_more", sql + fill, head))
        assert ("required-unfilled" in rules(lint_files([tmp_path / "0002_more.sql"]))) is found, name


def test_a_foreign_key_that_each_partition_has_is_taken_over(tmp_path: Path) -> None:
    key = "foreign key (id) references job (id)"
    safe = (
        f"alter table visit_26 add constraint v_26 {key} not valid;\nalter table visit_26 validate constraint v_26;\n"
        f"alter table visit add constraint v {key};"
    )
    folder(tmp_path, _0001_job=up("0001_job", BEFORE), _0002_more=up("0002_more", safe, '-- category = "migrate"\n'))
    assert "foreign-key-validated" not in rules(lint_files([tmp_path / "0002_more.sql"]))

"""What a column means: its comment, that of its type, and its values by checks, enums and domains; see the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations.lint.linting import lint_files
from tests.migrations.lint.rules_page import DECISION, SETTINGS, migration

BEFORE = """
create type mood as enum ('a', 'b');
create domain plain as text;
create domain st as text check (value in ('x', 'y'));
create table job (
    id bigint primary key, status text check (status in ('open', 'closed')), lvl integer check (lvl between 1 and 5),
    mood mood, moods mood[], st st, plain plain, free integer, pay integer constraint pay_set check (pay is not null)
);
create table visit (at date constraint bounds check (at >= '2026-01-01')) partition by range (at);
create table visit_26 partition of visit for values from ('2026-01-01') to ('2027-01-01');
create view open as select id, status, lvl + 1 as up from job where status = 'open';
create view every as select * from job;
create view twice as select id, 1 as one from job union all select id, 2 from job;
create table paid (id bigint primary key, cur text default 'EUR');
alter table visit_26 add constraint bounds_26 check (at < '2027-01-01');
comment on type mood is 'how it goes';
"""


def changed(folder: Path, sql: str, head: str = "", decision: str = DECISION) -> list[str]:
    (folder / "decisions").mkdir()
    (folder / "decisions" / "DEC-0007.md").write_text(decision)
    (folder / "baseline.sql").write_text(BEFORE)
    (folder / "migrations.toml").write_text(SETTINGS)
    (folder / "0001_a.sql").write_text(migration(f"-- name: up\n{sql}", f'-- id = "0001_a"\n{head}'))
    texts = [each for each in lint_files([folder]).findings if each.rule.startswith("meaning")]
    return [each.text.split(" means,")[0].removeprefix("changes what ") for each in texts]


CHANGED = [
    ("alter table job add constraint c check (status in ('open')) not valid;", ["job.status"]),
    ("alter table job add constraint c check (status <> '') not valid;", ["job.status"]),
    ("alter table job drop constraint job_lvl_check;", ["job.lvl"]),
    (
        "alter table job drop constraint job_lvl_check, add constraint c check (lvl between 1 and 3) not valid;",
        ["job.lvl"],
    ),
    ("alter table job add constraint c check (lvl < 4) not valid;", ["job.lvl"]),
    ("alter domain st add constraint c check (value in ('x')) not valid;", ["job.st"]),
    ("alter domain st drop constraint st_check;", ["job.st"]),
    ("alter type mood add value 'c';", ["job.mood", "job.moods"]),
    ("comment on type mood is 'how it went';", ["job.mood", "job.moods"]),
    ("comment on type mood is null;", ["job.mood", "job.moods"]),
    ("comment on domain st is 'a state';\ncomment on domain st is 'a street';", ["job.st"]),
    ("alter table visit drop constraint bounds;", ["visit.at"]),
    ("alter table paid alter column cur set default 'USD';", ["paid.cur"]),
    (
        "create or replace view open as select id, status, lvl + 2 as up from job where status = 'open';",
        ["open.up"],
    ),
    (
        "create or replace view open as select id, status, lvl + 1 as up from job;",
        ["open.id", "open.status", "open.up"],
    ),
    ("create or replace view every as select * from job where free > 0;", ["every.*"]),
    (
        "create or replace view twice as select id, 1 as one from job union all select id, 3 from job;",
        ["twice.one"],
    ),
    (
        "create or replace view twice as select id, 1 as one from job union select id, 2 from job;",
        ["twice.id", "twice.one"],
    ),
    (
        """create or replace view open as
        select id, status, lvl + 1 as up, unnest(array[1]) as n from job where status = 'open';""",
        ["open.id", "open.status", "open.up"],
    ),
]


@pytest.mark.parametrize(("sql", "found"), CHANGED)
def test_a_meaning_that_changes_is_found(tmp_path: Path, sql: str, found: list[str]) -> None:
    assert changed(tmp_path, sql) == found


SAME = [
    "alter table job add constraint c check (free > 0) not valid;",
    "alter table job add constraint c check (status in ('closed', 'open', 'gone')) not valid;",
    "alter table job add constraint c check (lvl between 1 and 5) not valid;",
    "alter table job drop constraint pay_set;",
    "alter table paid alter column cur set default 'EUR';",
    "alter table job alter column pay set default 0;",
    "create or replace view open as select id, status, lvl + 1 as up, free from job where status = 'open';",
    "create or replace view open as\nselect id, status, (lvl + 1) as up from job where (status = 'open');",
    "create or replace view every as select *, 1 as one from job;",
    "create or replace view twice as select id, 1 as one, free from job union all select id, 2, 0 from job;",
    "create or replace view unknown as select 1 as a;",
    "alter table job add constraint c check (lvl is not null) not valid;",
    "alter table job add constraint c check (lvl < free) not valid;",
    "alter table job drop constraint job_lvl_check, add constraint c check (lvl between 1 and 5) not valid;",
    "alter table job drop column lvl;",
    "alter table visit_26 drop constraint bounds_26;",
    "alter domain plain add constraint c check (value <> '') not valid;",
    "alter domain plain drop constraint if exists c;",
    "alter domain st set default 'x';",
    "alter type mood add value if not exists 'b';",
    "comment on type mood is 'how it goes';",
    "comment on domain plain is 'a text';",
    "comment on table job is 'a job';",
    "create domain s2 as st check (value = 'x');",
    "create type m2 as enum ('a');\ncreate table n (m m2);\ncomment on type m2 is 'a';\ncomment on type m2 is 'b';",
    "create table n (a int check (a > 0));\nalter table n add constraint c check (a < 9);",
]


@pytest.mark.parametrize("sql", SAME)
def test_what_changes_no_meaning_is_not(tmp_path: Path, sql: str) -> None:
    assert changed(tmp_path, sql) == []


def test_a_decision_that_names_the_columns_allows_it(tmp_path: Path) -> None:
    named = DECISION.replace('["pay", "kind"]', '["mood", "status"]')
    sql = "comment on type mood is 'how it went';\nalter table job add constraint c check (status = 'open') not valid;"
    assert changed(tmp_path, sql, '-- decision = "DEC-0007"\n', named) == ["job.moods"]


def test_the_comment_of_a_type_that_no_file_makes_is_not_known(tmp_path: Path) -> None:
    sql = "alter table job add column far far;\ncomment on type far is 'a';"
    (text,) = changed(tmp_path, sql)
    assert text.startswith("comments on the type of job.far, and no earlier file or baseline says what it meant")


def test_a_comment_of_an_earlier_migration_is_known(tmp_path: Path) -> None:
    changed(tmp_path, "comment on domain plain is 'a text';")
    (tmp_path / "0002_b.sql").write_text(
        migration("-- name: up\ncomment on domain plain is 'a word';", '-- id = "0002_b"\n')
    )
    for paths in ([tmp_path], [tmp_path / "0002_b.sql"]):
        assert "meaning-changed" in {each.rule for each in lint_files(paths).findings}

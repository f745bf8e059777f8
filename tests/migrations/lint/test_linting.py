"""What lint makes of files and folders: what it knows of earlier ones, of versions, and of what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations import Migrations
from jobarium_events.migrations.lint.findings import Report, Severity
from jobarium_events.migrations.lint.linting import lint_files, lint_migration, lint_migrations
from jobarium_events.migrations.lint.rules import RULES
from tests.migrations.lint.rules_page import DECISION, SETTINGS, migration
from tests.strategies import examples

TABLE = "create table job (id bigint primary key, pay integer, status text check (status in ('open', 'closed')));\n"


def rules(report: Report) -> list[str]:
    return [finding.rule for finding in report.findings]


def folder(path: Path, **files: str) -> Path:
    (path / "decisions").mkdir()
    (path / "decisions" / "DEC-0007.md").write_text(DECISION)
    (path / "baseline.sql").write_text("")
    (path / "migrations.toml").write_text(SETTINGS)
    for name, text in files.items():
        (path / f"{name[1:]}.sql").write_text(text)
    return path


def up(id_: str, sql: str, head: str = "") -> str:
    return migration(f"-- name: up\n{sql}", f'-- id = "{id_}"\n{head}')


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


@pytest.mark.parametrize(
    "comment", ["-- lint: allow index-not-concurrent: it is small\n{}", "{} -- lint: allow index-not-concurrent: small"]
)
def test_a_finding_is_allowed_above_or_behind_its_statement(tmp_path: Path, comment: str) -> None:
    statement = "create index job_pay on job (pay);"
    (tmp_path / "a.sql").write_text(f"set lock_timeout = '2s';\n{comment.format(statement)}\n")
    assert lint_files([tmp_path / "a.sql"]).findings == ()


RULE_IDS = st.sampled_from(sorted(RULES))


@given(rule=RULE_IDS, reason=st.sampled_from(["", ":", ": ", ": it is small"]))
@examples(100)
def test_nothing_is_allowed_without_a_reason(tmp_path_factory: pytest.TempPathFactory, rule: str, reason: str) -> None:
    path = tmp_path_factory.mktemp("allow") / "a.sql"
    path.write_text(f"set lock_timeout = '2s';\n-- lint: allow {rule}{reason}\ncreate index job_pay on job (pay);\n")
    found = rules(lint_files([path]))
    is_allowed = rule == "index-not-concurrent" and reason.endswith("small")
    assert ("index-not-concurrent" in found) is not is_allowed
    assert bool(found) is not is_allowed


CHECK = "alter table job drop constraint job_status_check;"


@pytest.mark.parametrize(
    ("sql", "head", "found"),
    [
        ("comment on column job.pay is 'a month';", "", []),  # the first meaning is nobody's change
        ("comment on column job.pay is 'a month';\ncomment on column job.pay is 'a year';", "", ["meaning-changed"]),
        ("comment on column job.pay is 'a month';\ncomment on column job.pay is 'a month';", "", []),
        (
            "comment on column job.pay is 'a month';\ncomment on column job.pay is 'a year';",
            '-- decision = "DEC-0007"\n',
            [],
        ),
        (CHECK, '-- category = "contract"\n', ["meaning-changed"]),
        ("comment on column other.pay is 'a month';", "", ["meaning-unknown"]),
    ],
)
def test_a_meaning_changes_only_by_a_decision(tmp_path: Path, sql: str, head: str, found: list[str]) -> None:
    folder(tmp_path, _0001_job=up("0001_job", TABLE), _0002_meaning=up("0002_meaning", sql, head))
    meanings = [rule for rule in rules(lint_files([tmp_path])) if rule.startswith("meaning")]
    assert meanings == found


@pytest.mark.parametrize(
    ("status", "found"), [("accepted", []), ("proposed", ["meaning-changed"]), ("rejected", ["meaning-changed"])]
)
def test_only_an_accepted_decision_allows_a_meaning(tmp_path: Path, status: str, found: list[str]) -> None:
    sql = "comment on column job.pay is 'a year';"
    head = '-- decision = "DEC-0007"\n'
    folder(tmp_path, _0001_job=up("0001_job", TABLE), _0002_pay=up("0002_pay", sql, head))
    (tmp_path / "baseline.sql").write_text("")
    (tmp_path / "0001_job.sql").write_text(up("0001_job", f"{TABLE}comment on column job.pay is 'a month';"))
    (tmp_path / "decisions" / "DEC-0007.md").write_text(DECISION.replace('"accepted"', f'"{status}"'))
    assert rules(lint_files([tmp_path])) == found


FUNCTION = "create function f() returns trigger language plpgsql as $$ begin return new; end $$;"
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


FIRM = [
    ("record-touched", "select 'jobarium_migrations.record';"),
    ("record-touched", "create function f() returns void language plpgsql as $$ begin jobarium_migrations; end $$;"),
    ("lock-let-go", "discard all;"),
    ("lock-let-go", "select id from job where pg_advisory_unlock(1);"),
    ("removal-unnamed", "drop schema archive cascade;"),
    ("removal-unnamed", "drop type kind cascade;"),
    ("removal-unnamed", "drop owned by somebody;"),
    ("removal-unnamed", "alter table job drop column pay cascade;"),
    ("removal-unnamed", "do $$ begin drop table job; end $$;"),
]


@pytest.mark.parametrize(("rule", "sql"), FIRM)
def test_a_firm_rule_is_not_allowed(tmp_path: Path, rule: str, sql: str) -> None:
    contract = '-- category = "contract"\n'
    text = f"-- lint: allow {rule}: it does no harm\n{sql}"
    folder(tmp_path, _0001_job=up("0001_job", TABLE), _0002_more=up("0002_more", text, contract))
    found = rules(lint_files([tmp_path]))
    assert {rule, "allow-unknown"} <= {*found}


PARTED = (
    "create table visit (id bigint not null, at date not null) partition by range (at);\n"
    "create table visit_26 partition of visit for values from ('2026-01-01') to ('2027-01-01');\n"
)
BEFORE = f"{TABLE}{PARTED}create table site (id bigint primary key, name text not null default '', job bigint);\n"
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
    ("expand", "alter table site alter column name set default 'none';"),
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
    (
        "migrate",
        "alter table job add constraint p check (pay is not null) not valid;\nalter table job validate constraint p;",
    ),
    ("migrate", "vacuum (full off, analyze) job;"),
    ("contract", "alter table site alter column name drop default;"),
]


@pytest.mark.parametrize(("category", "sql"), ORDINARY)
def test_what_is_good_has_no_finding(tmp_path: Path, category: str, sql: str) -> None:
    more = up("0002_more", sql, f'-- category = "{category}"\n')
    folder(tmp_path, _0001_job=up("0001_job", BEFORE), _0002_more=more)
    assert lint_files([tmp_path / "0002_more.sql"]).findings == ()


def test_a_foreign_key_that_each_partition_has_is_taken_over(tmp_path: Path) -> None:
    key = "foreign key (id) references job (id)"
    safe = (
        f"alter table visit_26 add constraint v_26 {key} not valid;\nalter table visit_26 validate constraint v_26;\n"
        f"alter table visit add constraint v {key};"
    )
    folder(tmp_path, _0001_job=up("0001_job", BEFORE), _0002_more=up("0002_more", safe, '-- category = "migrate"\n'))
    assert "foreign-key-validated" not in rules(lint_files([tmp_path / "0002_more.sql"]))


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_with_nothing_in_it_is_what_a_failed_command_leaves(tmp_path, text):
    (tmp_path / "0001.sql").write_text(text)
    (finding,) = lint_files([tmp_path / "0001.sql"]).findings
    assert "has no statement; did the command before it fail?" in finding.text

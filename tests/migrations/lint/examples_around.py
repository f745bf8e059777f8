"""Examples of what belongs to tables, of upkeep, and of queries and changes of rows."""

from tests.migrations.lint.examples import FUNCTION, PARTED, REFERENCED, TRIGGER, VIEW, WIDE, of
from tests.migrations.lint.observing import Example

TYPED = "create type spot as (a integer); create table typed of spot; insert into typed select generate_series(1, 500);"
COUNTED = "create sequence seen; alter table job alter column hours set default nextval('seen');"

AROUND = (
    *of("create-trigger", ("create trigger t before insert on job for each row execute function nothing()", FUNCTION)),
    *of(
        "create-trigger",
        ("create or replace trigger t before insert on job for each row execute function nothing()", TRIGGER),
        since=14,
    ),
    *of(
        "create-trigger",
        ("create trigger t after insert on entry for each row execute function nothing()", PARTED + FUNCTION),
    ),
    *of(
        "create-trigger",
        (
            "create constraint trigger t after insert on job from employer for each row execute function nothing()",
            FUNCTION,
        ),
    ),
    *of("drop-trigger", ("drop trigger t on job", TRIGGER)),
    *of("reindex", ("reindex (concurrently off) table job",)),
    *of("alter-composite-type", ("alter type spot add attribute b text cascade", TYPED)),
    *of("alter-composite-type", ("alter type spot alter attribute a type bigint cascade", TYPED)),
    *of("drop-sequence", ("drop sequence seen cascade", COUNTED)),
    *of("add-column", ("alter table job add column x steady", "create domain steady as text;")),
    *of("rename-trigger", ("alter trigger t on job rename to u", TRIGGER)),
    *of("enable-trigger", ("alter table job disable trigger t", TRIGGER)),
    *of("enable-trigger", ("alter table job enable trigger all", TRIGGER)),
    *of("enable-rule", ("alter table job disable rule r", "create rule r as on delete to job do also notify x;")),
    *of("create-rule", ("create rule r as on delete to job do also delete from employer where false",)),
    *of("drop-rule", ("drop rule r on job", "create rule r as on delete to job do also notify x;")),
    *of("create-policy", ("create policy p on job using (id > 0)",)),
    *of("create-policy", ("create policy p on job using (id in (select id from employer))",)),
    *of("alter-policy", ("alter policy p on job using (true)", "create policy p on job using (id > 0);")),
    *of("drop-policy", ("drop policy p on job", "create policy p on job using (id > 0);")),
    *of("rename-policy", ("alter policy p on job rename to q", "create policy p on job using (id > 0);")),
    *of("row-security", ("alter table job enable row level security",)),
    *of("row-security", ("alter table job force row level security",)),
    *of("comment", ("comment on table job is 'x'",)),
    *of("comment", ("comment on column job.title is 'x'",)),
    *of("comment", ("comment on index job_pkey is 'x'",)),
    *of("comment", ("comment on view titles is 'x'", VIEW)),
    *of("comment", ("comment on constraint job_pkey on job is 'x'",)),
    *of("comment", ("comment on trigger t on job is 'x'", TRIGGER)),
    *of("comment", ("comment on type mood is 'x'", "create type mood as enum ('a');")),
    *of("grant", ("grant select on job to public",)),
    *of("grant", ("revoke select on job from public",)),
    *of("lock", ("lock table job in share mode",)),
    *of("lock", ("lock job, employer",)),
    *of("lock", ("lock table titles in exclusive mode", VIEW)),
    *of("insert", ("insert into job (id, note) values (0, '')",)),
    *of("insert", ("insert into job (id, note) select id + 1000, name from employer",)),
    *of("insert", ("insert into job (id, note) values (1, '') on conflict do nothing",)),
    *of("insert", ("insert into job (id, employer_id, note) values (0, 1, '')", REFERENCED)),
    *of("insert", ("insert into entry (id, at) values (1, '2026-01-01')", PARTED)),
    *of("update", ("update job set hours = 1",)),
    *of("update", ("update job set hours = 1 where id = 1",)),
    *of("update", ("update job set hours = 1 from employer where employer.id = job.id and job.id = 1",)),
    *of("update", ("update entry set text = ''", PARTED)),
    *of("update", ("update job set employer_id = 2 where id = 1", REFERENCED)),
    *of("delete", ("delete from job",)),
    *of("delete", ("delete from job where id = 1",)),
    *of("delete", ("delete from job using employer where job.id = employer.id and employer.id = 1",)),
    *of(
        "delete",
        (
            "delete from employer where id = 1",
            REFERENCED.replace(";", " on delete cascade;") + "create index on job (employer_id);",
        ),
    ),
    *of("merge", ("merge into job using employer on job.id = employer.id when matched then delete",), since=15),
    *of("update", ("update job set hours = 1 where id = 1 -- no key", REFERENCED)),
    *of(
        "update",
        (
            "update employer set id = 900 where id = 200",
            "create index on job (employer_id);" + REFERENCED.replace(";", " on update cascade;"),
        ),
    ),
    *of("update", ("update titles set title = '' where title = 'x'", "create index on job (title);" + VIEW)),
    *of(
        "delete",
        (
            "delete from employer where id = 1 -- kept",
            REFERENCED + "delete from job where id = 1; create index on job (employer_id);",
        ),
    ),
    *of("insert", ("insert into job (id, note) values (0, '') -- no key", REFERENCED)),
    *of(
        "insert",
        (
            (
                "with job as (select 1 as id from job where id = 1) insert into employer select id + "
                "1000, '' from job where id = 1"
            ),
        ),
    ),
    *of("explain", ("explain update job set hours = 1",)),
    *of("explain", ("explain analyze update job set hours = 1",)),
    *of("create-table-as", ("select id into skill from job where id = 1",)),
    *of("select", ("select * from job",)),
    *of("select", ("select * from job where id = 1 for update",)),
    *of("select", ("select * from job j, employer e where j.id = 1 and e.id = 1 for share of j",)),
    *of("select", ("with gone as (delete from job where id = 1 returning *) select * from gone",)),
    *of("select", ("select (select max(id) from employer), 1",)),
    *of("select", ("select title from titles", VIEW)),
    *of("select", ("select count(*) from entry", PARTED)),
    *of("copy", ("copy job (id) to '/dev/null'",)),
    *of("do", ("do $$ begin perform 1; end $$",)),
    *of("set", ("set lock_timeout = '2s'",)),
    *of("create-type", ("create type mood as enum ('a')",)),
    *of("alter-enum", ("alter type mood rename value 'a' to 'b'", "create type mood as enum ('a');")),
    *of(
        "alter-domain",
        ("alter domain d add check (value <> '')", "create domain d as text; alter table job alter status type d;"),
    ),
    *of(
        "alter-domain",
        (
            "alter domain d add constraint c check (value <> '') not valid",
            "create domain d as text; alter table job alter status type d;",
        ),
    ),
    *of(
        "alter-domain",
        (
            "alter domain d validate constraint c",
            (
                "create domain d as text; alter table job alter status type d; "
                "alter domain d add constraint c check (value <> '') not valid;"
            ),
        ),
    ),
    *of(
        "alter-domain", ("alter domain d set not null", "create domain d as text; alter table job alter status type d;")
    ),
    *of(
        "alter-domain",
        (
            "alter domain d drop constraint c",
            "create domain d as text constraint c check (value <> ''); alter table job alter status type d;",
        ),
    ),
    *of("alter-composite-type", ("alter type shape add attribute b int", "create type shape as (a int);")),
    *of("create-function", (FUNCTION.rstrip(";"),)),
    *of("create-sequence", ("create sequence s owned by job.id",)),
    *of("alter-sequence", ("alter sequence s owned by job.id", "create sequence s;")),
    *of("create-schema", ("create schema audit",)),
    *of("create-publication", ("create publication p for table job",)),
    *of("drop-schema", ("drop schema audit cascade", "create schema audit; create table audit.entry (id int);")),
    *of("drop-type", ("drop type mood cascade", "create type mood as enum ('a'); alter table job add m mood;")),
    *of("drop-domain", ("drop domain d cascade", "create domain d as int; alter table job add m d;")),
    *of("set-schema", ("alter type mood set schema audit", "create type mood as enum ('a'); create schema audit;")),
    *of("rename-type", ("alter type mood rename to moods", "create type mood as enum ('a');")),
    *of(
        "rename-schema",
        ("alter schema audit rename to ledger", "create schema audit; create table audit.entry (id int);"),
    ),
    *of("drop-type", ("drop type mood", "create type mood as enum ('a');")),
    *of("drop-sequence", ("drop sequence s", "create sequence s owned by job.id;")),
    *of("drop-function", ("drop function nothing cascade", TRIGGER)),
    *of("analyze", ("analyze job", "set default_statistics_target = 1;" + WIDE)),
    *of("analyze", ("analyze entry", "set default_statistics_target = 1;" + PARTED.replace("200)", "6000)"))),
    *of("analyze", ("analyze old_job", "create table old_job (); create table new_job () inherits (old_job);")),
    Example(id="vacuum", kind="vacuum", sql="vacuum job", blockers=("lock table job in share update exclusive mode",)),
    Example(id="vacuum full", kind="vacuum", sql="vacuum full job", blockers=("lock table job in access share mode",)),
)

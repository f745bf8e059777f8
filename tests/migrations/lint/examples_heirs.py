"""Examples of tables with partitions and heirs, and of names that have changed."""

from tests.migrations.lint.examples import FOR_27, FUNCTION, PARTED, PROVEN_27, REFERENCED, WIDE, of

HEIR = "create table old_job () inherits (job);"
LISTED = """
create table skill (id bigint not null, kind text not null, note text default repeat('x', 100))
partition by list (kind);
create table skill_a (like skill including all, check (kind in ('a', 'b'))) with (fillfactor = 10);
insert into skill_a select n, 'a' from generate_series(1, 200) n;
"""
SUB = """
create table entry_28 (id bigint not null, at date not null, text text) partition by list (id);
create table entry_28_1 partition of entry_28 for values in (1) with (fillfactor = 10);
insert into entry_28_1 select 1, '2028-06-01', repeat('x', 100) from generate_series(1, 200) n;
"""
FOR_28 = "for values from ('2028-01-01') to ('2029-01-01')"
ENTRY_KEY = "alter table entry add constraint entry_employer foreign key (id) references employer;"

PART_KEY = "alter table entry_26 add constraint entry_26_employer foreign key (id) references employer;"

HEIRS = (
    *of(
        "add-foreign-key",
        ("alter table entry add constraint entry_employer foreign key (id) references employer", PARTED + PART_KEY),
    ),
    *of("add-column", ("alter table entry add column x int default 1", PARTED)),
    *of("add-column", ("alter table entry add column x float8 default random()", PARTED)),
    *of("add-column", ("alter table entry add column x bigint references employer", PARTED)),
    *of("drop-column", ("alter table entry drop column text", PARTED)),
    *of("rename-column", ("alter table entry rename column text to words", PARTED)),
    *of("alter-column-type", ("alter table entry alter text type varchar(500)", PARTED)),
    *of("alter-column-type", ("alter table entry alter text type varchar", PARTED)),
    *of("set-not-null", ("alter table entry alter text set not null", PARTED)),
    *of(
        "set-not-null",
        (
            "alter table entry alter text set not null -- proven",
            PARTED + "alter table entry add check (text is not null);",
        ),
    ),
    *of("set-not-null", ("alter table job alter title set not null", HEIR)),
    *of("drop-not-null", ("alter table job alter note drop not null", HEIR)),
    *of("set-default", ("alter table job alter note set default ''", HEIR)),
    *of("set-statistics", ("alter table job alter note set statistics 10", HEIR)),
    *of("set-statistics", ("alter table only job alter note set statistics 10", HEIR)),
    *of("set-storage", ("alter table job alter note set storage external", HEIR)),
    *of("set-column-options", ("alter table job alter note set (n_distinct = 5)", HEIR)),
    *of("add-identity", ("alter table job alter id add generated always as identity", HEIR)),
    *of("add-identity", ("alter table entry alter id add generated always as identity", PARTED)),
    *of("add-check", ("alter table only job add check (hours > 0) no inherit", HEIR)),
    *of("add-check", ("alter table entry add check (id > 0)", PARTED)),
    *of("add-unique", ("alter table job add unique (title, id)", HEIR)),
    *of(
        "add-primary-key", ("alter table job add primary key (id)", "alter table job drop constraint job_pkey;" + HEIR)
    ),
    *of("add-foreign-key", ("alter table job add foreign key (employer_id) references employer", HEIR)),
    *of("add-not-null", ("alter table job add constraint n not null title", HEIR), since=18),
    *of(
        "validate-constraint",
        (
            "alter table entry validate constraint c",
            PARTED + "alter table entry add constraint c check (id > 0) not valid;",
        ),
    ),
    *of(
        "validate-constraint",
        ("alter table job validate constraint c", "alter table job add constraint c check (id > 0) not valid;" + HEIR),
    ),
    *of(
        "drop-constraint",
        ("alter table job drop constraint c", HEIR + "alter table job add constraint c check (id > 0);"),
    ),
    *of("drop-constraint", ("alter table entry drop constraint entry_employer", PARTED + ENTRY_KEY)),
    *of(
        "rename-constraint",
        ("alter table job rename constraint c to d", HEIR + "alter table job add constraint c check (id > 0);"),
    ),
    *of("rename-table", ("alter table job rename to post", HEIR)),
    *of("set-schema", ("alter table job set schema audit", "create schema audit;" + HEIR)),
    *of("owner", ("alter table job owner to current_user", HEIR)),
    *of("set-storage-parameters", ("alter table job set (fillfactor = 70)", HEIR)),
    *of(
        "enable-trigger",
        (
            "alter table entry disable trigger t",
            PARTED + FUNCTION + "create trigger t after insert on entry for each row execute function nothing();",
        ),
    ),
    *of("row-security", ("alter table job enable row level security", HEIR)),
    *of("replica-identity", ("alter table job replica identity full", HEIR)),
    *of("comment", ("comment on table entry is 'x'", PARTED)),
    *of("lock", ("lock table entry in share mode", PARTED)),
    *of("create-index", ("create index on job (title)", HEIR)),
    *of("create-index", ("create unique index on entry (id, at)", PARTED)),
    *of(
        "create-trigger",
        ("create trigger t after insert on entry for each statement execute function nothing()", PARTED + FUNCTION),
    ),
    *of(
        "drop-trigger",
        (
            "drop trigger t on entry",
            PARTED + FUNCTION + "create trigger t after insert on entry for each row execute function nothing();",
        ),
    ),
    *of("create-policy", ("create policy p on job using (id > 0)", HEIR)),
    *of("truncate", ("truncate employer cascade", PARTED + ENTRY_KEY)),
    *of("drop-table", ("drop table entry_26", PARTED + ENTRY_KEY)),
    *of("drop-table", ("drop table entry", PARTED + ENTRY_KEY)),
    *of("drop-table", ("drop table job cascade", HEIR)),
    *of("detach-partition", ("alter table entry detach partition entry_26", PARTED + ENTRY_KEY)),
    *of("attach-partition", ("alter table skill attach partition skill_a for values in ('a', 'b')", LISTED)),
    *of(
        "attach-partition",
        (
            "alter table skill attach partition skill_a for values in ('a')",
            LISTED + "delete from skill_a where kind <> 'a';",
        ),
    ),
    *of("attach-partition", ("alter table skill attach partition skill_a default", LISTED)),
    *of("attach-partition", (f"alter table entry attach partition entry_28 {FOR_28}", PARTED + SUB)),
    *of(
        "attach-partition",
        (f"alter table entry attach partition entry_27 {FOR_27}", PARTED + PROVEN_27.replace(";", " not valid;")),
    ),
    *of("insert", ("insert into entry (id, at) values (1, '2026-01-01')", PARTED + ENTRY_KEY)),
    *of(
        "delete",
        (
            "delete from employer where id = 1",
            PARTED + "create index on entry (id);" + ENTRY_KEY.replace(";", " on delete cascade;"),
        ),
    ),
    *of("analyze", ("analyze job", "set default_statistics_target = 1;" + WIDE + HEIR)),
)

NAMES = (
    *of("add-column", ("alter table public.job add column x int",)),
    *of("add-column", ('alter table "Job post" add column "X y" int', 'create table "Job post" (id int);')),
    *of("add-column", ("alter table note add column x int", "create temp table note (id int);")),
    *of(
        "add-column",
        ("alter table audit.job add column x bigint references job", "create schema audit; create table audit.job ();"),
    ),
    *of(
        "drop-table",
        (
            "drop table audit.a, audit.b",
            "create schema audit; create table audit.a (id bigint references employer); create table audit.b ();",
        ),
    ),
    *of(
        "drop-schema",
        ("drop schema audit cascade", "create schema audit; create table audit.a (id bigint references employer);"),
    ),
    *of(
        "drop-index",
        (
            "drop index audit.i",
            "create schema audit; create table audit.a (id bigint); create index i on audit.a (id);",
        ),
    ),
    *of("drop-index", ("drop index job_title_id_idx", "create index on job (title, id);")),
    *of(
        "drop-index",
        (
            "drop index post_title",
            "create index i on job (title); alter table job rename to post; alter index i rename to post_title;",
        ),
    ),
    *of(
        "drop-index",
        (
            "drop index i",
            (
                "create schema audit; create index i on job (title); alter index i rename to j; "
                "create index i on employer (name);"
            ),
        ),
    ),
    *of(
        "drop-constraint",
        (
            "alter table post drop constraint job_employer_id_fkey",
            "alter table job add foreign key (employer_id) references employer; alter table job rename to post;",
        ),
    ),
    *of(
        "drop-column",
        ("alter table job drop column owner", REFERENCED + "alter table job rename column employer_id to owner;"),
    ),
    *of("drop-table", ("drop table audit.job", REFERENCED + "create schema audit; alter table job set schema audit;")),
    *of(
        "drop-table",
        (
            "drop table ledger.entry",
            (
                "create schema audit; create table audit.entry (id bigint references employer); "
                "alter schema audit rename to ledger;"
            ),
        ),
    ),
    *of(
        "set-not-null",
        (
            "alter table job alter headline set not null",
            (
                "alter table job add constraint c check (title is not null) not valid; "
                "alter table job validate constraint c; alter table job rename column title to headline;"
            ),
        ),
    ),
    *of(
        "set-not-null",
        (
            "alter table job alter title set not null",
            "alter table job add constraint c check (title is not null); alter table job drop constraint c;",
        ),
    ),
    *of(
        "set-not-null",
        (
            "alter table job alter title set not null -- since",
            "alter table job add constraint c not null title not valid; alter table job validate constraint c;",
        ),
        since=18,
    ),
    *of(
        "set-not-null",
        (
            "alter table job alter title set not null -- not yet",
            "alter table job add constraint c not null title not valid;",
        ),
        since=18,
    ),
    *of(
        "set-not-null",
        (
            "alter table job alter title set not null -- not enforced",
            "alter table job add constraint c check (title is not null) not enforced;",
        ),
        since=18,
    ),
    *of(
        "alter-column-type",
        (
            "alter table job alter x type text",
            "alter table job add x int; alter table job alter x type varchar(5) using 'a';",
        ),
    ),
    *of(
        "alter-column-type",
        (
            "alter table job alter x type ds",
            "create domain d as text check (value <> ''); alter table job add x d; alter domain d rename to ds;",
        ),
    ),
    *of("delete", ("delete from employer where id = 1 -- no index", REFERENCED + "delete from job where id = 1;")),
    *of("create-table", ("create table if not exists skill (id int)",)),
    *of("create-table", ("create table audit.skill (id bigint references public.employer)", "create schema audit;")),
    *of("create-schema", ("create schema audit create table entry (id bigint references public.employer)",)),
)

"""Examples of what else the tables of locks name, so that none of it is told without having been seen."""

from tests.migrations.lint.examples import PARTED, REST, TRIGGER, VIEW, of
from tests.migrations.lint.examples_heirs import HEIR

WRAPPED = """
drop foreign data wrapper if exists w cascade; create foreign data wrapper w;
create server remote foreign data wrapper w;
"""
FOREIGN = WRAPPED + "create foreign table f (x int) server remote;"
DETACHING = """
set allow_system_table_mods = on;
update pg_inherits set inhdetachpending = true where inhrelid = 'entry_26'::regclass;
"""
RULE = "create rule r as on delete to job do also notify x;"
PUBLISHED = "drop publication if exists p; create publication p for table employer;"
AUDITED = """
create schema audit; create table audit.entry (id int primary key, job_id bigint references job);
create table copied (id int references audit.entry); create view audited as select id from audit.entry;
"""
SUB = """
create table e (a int, b int) partition by list (a);
create table e1 partition of e for values in (1) partition by list (b);
create table e11 partition of e1 for values in (1) with (fillfactor = 10);
"""
CHAR = "create domain c8 as char(8); alter table job add x c8;"
FINALIZE = "alter table entry detach partition entry_26 finalize"

NAMED = (
    *of("set-column-options", ("alter foreign table f alter x options (add a 'b')", FOREIGN)),
    *of("set-column-options", ("alter table job alter title reset (n_distinct)",)),
    *of("create-foreign-table", ("create foreign table f (x int) server remote", WRAPPED)),
    *of(
        "detach-partition", (FINALIZE, PARTED + DETACHING), (f"{FINALIZE} -- rest", PARTED + REST + DETACHING), since=14
    ),
    *of("row-security", ("alter table job disable row level security",)),
    *of("row-security", ("alter table job no force row level security",)),
    *of(
        "enable-trigger",
        ("alter table job disable trigger all", TRIGGER),
        ("alter table job disable trigger user", TRIGGER),
        ("alter table job enable trigger t", TRIGGER),
        ("alter table job enable trigger user", TRIGGER),
        ("alter table job enable always trigger t", TRIGGER),
        ("alter table job enable replica trigger t", TRIGGER),
    ),
    *of(
        "enable-rule",
        ("alter table job enable rule r", RULE),
        ("alter table job enable always rule r", RULE),
        ("alter table job enable replica rule r", RULE),
    ),
    *of(
        "alter-publication",
        ("alter publication p add table job", PUBLISHED),
        ("alter publication p drop table employer", PUBLISHED),
        ("alter publication p set (publish = 'insert')", PUBLISHED),
        ("alter publication p set table job", PUBLISHED),
        ("alter publication p set table job, employer", PUBLISHED),
        ("alter publication p add table job -- heirs", PUBLISHED + HEIR),
        ("alter publication p add table only job", PUBLISHED + HEIR),
        ("alter publication p add table entry", PUBLISHED + PARTED),
        ("alter publication p set table entry", PUBLISHED + HEIR + PARTED + "alter publication p add table job;"),
    ),
    *of("drop-publication", ("drop publication p", PUBLISHED)),
    *of(
        "drop-schema",
        ("drop schema public cascade", VIEW),
        ("drop schema audit cascade -- referred to", AUDITED),
    ),
    *of("drop-schema", ("drop schema audit, public cascade", AUDITED)),
    *of("drop-sequence", ("drop sequence tally_n_seq cascade", "create table tally (n serial, m int default 1);")),
    *of(
        "drop-sequence",
        ("drop sequence tally_n_seq cascade -- added", "create table tally (); alter table tally add n bigserial;"),
    ),
    *of("prepare", ("prepare x as select * from job",), ("prepare x as update job set hours = 1",)),
    *of("prepare", ("prepare x as insert into entry_26 (id, at) values (1, '2026-01-01')", PARTED)),
    *of(
        "declare-cursor",
        ("declare c cursor for select * from job",),
        ("declare c cursor for select * from job for update",),
    ),
    *of(
        "insert",
        ("insert into entry_26 (id, at) values (1, '2026-01-01')", PARTED),
        ("insert into e11 values (1, 1)", SUB),
        ("insert into e1 values (1, 1)", SUB),
    ),
    *of("update", ("update entry_26 set text = ''", PARTED)),
    *of("delete", ("delete from entry_26", PARTED)),
    *of("copy", ("copy entry_26 (id, at) from program 'echo 1,2026-01-01' (format csv)", PARTED)),
    *of("explain", ("explain insert into entry_26 (id, at) values (1, '2026-01-01')", PARTED)),
    *of(
        "merge",
        (
            "merge into entry_26 e using employer r on e.id = r.id when matched then update set text = ''",
            PARTED,
        ),
        ("merge into entry_26 e using employer r on e.id = r.id when matched then delete", PARTED),
        since=15,
    ),
    *of(
        "select",
        (
            "with a as (insert into entry_26 (id, at) values (1, '2026-01-01') returning id) select * from a",
            PARTED,
        ),
    ),
    *of(
        "alter-column-type",
        ("alter table job alter x type bpchar", CHAR),
        ("alter table job alter code type bpchar", ""),
        ("alter table job alter code type bpchar -- indexed", "create index on job (code);"),
    ),
)

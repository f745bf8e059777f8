"""Examples of what `alter table` does to columns."""

from tests.migrations.lint.observing import Example

STAMP = "create function stamp() returns text volatile language plpgsql as $$ begin return 'x'; end $$;"
REFERENCED = "alter table job add constraint job_employer foreign key (employer_id) references employer;"


def _type(id_: str, column: str, type_: str, before: str = "", since: int = 13) -> Example:
    return Example(
        id=f"type: {id_}",
        kind="alter-column-type",
        sql=f"alter table job alter {column} type {type_}",
        before=before,
        since=since,
    )


def _add(id_: str, definition: str, before: str = "", since: int = 13) -> Example:
    return Example(
        id=f"add column: {id_}",
        kind="add-column",
        sql=f"alter table job add column {definition}",
        before=before,
        since=since,
    )


def _alter(id_: str, kind: str, action: str, before: str = "", since: int = 13) -> Example:
    return Example(id=id_, kind=kind, sql=f"alter table job {action}", before=before, since=since)


PROVEN = "alter table job add constraint job_title check (title is not null);"

COLUMNS = (
    _add("nullable", "x text"),
    _add("constant default", "x int default 1 + 1"),
    _add("not null with a constant default", "x text not null default 'a'"),
    _add("array default", "x text[] not null default array['a']::text[]"),
    _add("json default", "x jsonb not null default '{}'::jsonb"),
    _add("null default", "x int default null"),
    _add("stable default", "x timestamptz default now()"),
    _add("keyword stable default", "x timestamptz default current_timestamp"),
    _add("current_user default", "x text default current_user"),
    _add("volatile default", "x float8 default random()"),
    _add("clock default", "x timestamptz default clock_timestamp()"),
    _add("uuid default", "x uuid default gen_random_uuid()"),
    _add("unknown function's default", "x text default stamp()", STAMP),
    _add("sequence default", "x bigint default nextval('s')", "create sequence s;"),
    _add("cast that is stable", "x timestamptz default '2026-01-01'"),
    _add("serial", "x bigserial"),
    _add("identity", "x bigint generated always as identity"),
    _add("generated stored", "x int generated always as (hours * 2) stored"),
    _add("generated virtual", "x int generated always as (hours * 2) virtual", since=18),
    _add("generated without a word", "x int generated always as (hours * 2)", since=18),
    _add("domain", "x plain", "create domain plain as text;"),
    _add("domain with a check", "x short", "create domain short as text check (length(value) < 9);"),
    _add("domain not null", "x full_ default 'a'", "create domain full_ as text not null;"),
    _add("domain over a domain with a check", "x y", "create domain z as int check (value > 0); create domain y as z;"),
    _add("domain with a constant default", "x plain default 'a'", "create domain plain as text;"),
    _add("domain whose default is volatile", "x rnd", "create domain rnd as float8 default random();"),
    _add("enum default", "x mood default 'a'", "create type mood as enum ('a', 'b');"),
    _add("check", "x int check (x > 0)"),
    _add("check of another column", "x int check (hours > 0)"),
    _add("check with a default", "x int default 1 check (x > 0)"),
    _add("references", "x bigint references employer"),
    _add("references with a default", "x bigint default 1 references employer"),
    _add("references itself", "x bigint references job"),
    _add("unique", "x int unique"),
    _add("primary key", "x serial primary key", "alter table job drop constraint job_pkey;"),
    _add("if not exists", "if not exists title text"),
    Example(
        id="add column: in heirs",
        kind="add-column",
        sql="alter table job add column x float8 default random()",
        before="create table old_job () inherits (job);",
    ),
    Example(
        id="add columns", kind="add-column", sql="alter table job add column x int, add column y int default 1 not null"
    ),
    _alter("drop column", "drop-column", "drop column title"),
    _alter("drop column, foreign key", "drop-column", "drop column employer_id", REFERENCED),
    Example(
        id="drop column, referenced",
        kind="drop-column",
        sql="alter table employer drop column id cascade",
        before=REFERENCED,
    ),
    Example(
        id="drop column, view",
        kind="drop-column",
        sql="alter table job drop column title cascade",
        before="create view titles as select title from job;",
    ),
    _add("not null without a default", "x int not null", "delete from job;"),
    _add("a type of one's own", "x mood", "create type mood as enum ('a');"),
    _alter("drop column, not there", "drop-column", "drop column if exists nowhere"),
    _alter("set default", "set-default", "alter title set default 'x'"),
    _alter("drop default", "drop-default", "alter status drop default"),
    _alter("set not null", "set-not-null", "alter title set not null"),
    _alter("set not null, proven", "set-not-null", "alter title set not null", PROVEN),
    _alter(
        "set not null, not validated",
        "set-not-null",
        "alter title set not null",
        "alter table job add constraint job_title check (title is not null) not valid;",
    ),
    _alter(
        "set not null, proven by a conjunction",
        "set-not-null",
        "alter title set not null",
        "alter table job add constraint job_title check (hours > 0 and title is not null);",
    ),
    _alter(
        "set not null, not proven by a disjunction",
        "set-not-null",
        "alter title set not null",
        "alter table job add constraint job_title check (hours > 0 or title is not null);",
    ),
    _alter("set not null, twice", "set-not-null", "alter note set not null"),
    _alter("drop not null", "drop-not-null", "alter note drop not null"),
    _alter("set statistics", "set-statistics", "alter title set statistics 100"),
    _alter("set attribute options", "set-column-options", "alter title set (n_distinct = 5)"),
    _alter("set storage", "set-storage", "alter title set storage external"),
    _alter("set compression", "set-compression", "alter title set compression pglz", since=14),
    _alter("add identity", "add-identity", "alter id add generated by default as identity"),
    _alter(
        "set identity",
        "set-identity",
        "alter id set generated always",
        "alter table job alter id add generated by default as identity;",
    ),
    _alter(
        "drop identity",
        "drop-identity",
        "alter id drop identity",
        "alter table job alter id add generated by default as identity;",
    ),
    _alter(
        "drop expression",
        "drop-expression",
        "alter x drop expression",
        "alter table job add x int generated always as (hours * 2) stored;",
    ),
    _alter(
        "set expression, stored",
        "set-expression",
        "alter x set expression as (hours * 3)",
        "alter table job add x int generated always as (hours * 2) stored;",
        since=17,
    ),
    _alter(
        "set expression, virtual",
        "set-expression",
        "alter x set expression as (hours * 3)",
        "alter table job add x int generated always as (hours * 2) virtual;",
        since=18,
    ),
    Example(id="rename column", kind="rename-column", sql="alter table job rename column title to headline"),
    Example(
        id="rename column in heirs",
        kind="rename-column",
        sql="alter table job rename column title to headline",
        before="create table old_job () inherits (job);",
    ),
    _type("varchar wider", "title", "varchar(60)"),
    _type("varchar narrower", "title", "varchar(40)"),
    _type("varchar without an end", "title", "varchar"),
    _type("varchar to text", "title", "text"),
    _type("text to varchar", "status", "varchar"),
    _type("text to varchar(n)", "status", "varchar(50)"),
    _type("char longer", "code", "char(9)"),
    _type("char to text", "code", "text"),
    _type("numeric wider", "amount", "numeric(12, 2)"),
    _type("numeric without limits", "amount", "numeric"),
    _type("numeric of another scale", "amount", "numeric(12, 3)"),
    _type("numeric narrower", "amount", "numeric(8, 2)"),
    _type("int to bigint", "hours", "bigint"),
    _type("int to text", "hours", "text using hours::text"),
    _type("int to numeric", "hours", "numeric"),
    _type("same", "hours", "int"),
    _type("timestamp to timestamptz", "posted", "timestamptz"),
    _type("timestamptz to timestamp", "closed", "timestamp"),
    _type("timestamp's precision less", "posted", "timestamp(3)"),
    _type("timestamp's precision more", "posted", "timestamp(6)"),
    _type(
        "timestamp's precision back", "posted", "timestamp", before="alter table job alter posted type timestamp(3);"
    ),
    _type("cidr to inet", "net", "inet"),
    _type("inet to cidr", "net", "cidr", before="alter table job alter net type inet;"),
    _type("bit to varbit", "flags", "varbit"),
    _type("varbit longer", "flags", "varbit(16)", before="alter table job alter flags type varbit(8);"),
    _type(
        "text to jsonb", "status", "jsonb using to_jsonb(status)", before="alter table job alter status drop default;"
    ),
    _type("json to jsonb", "x", "jsonb", before="alter table job add x json;"),
    _type("interval's fields", "x", "interval day to second", before="alter table job add x interval;"),
    _type("xml to text", "x", "text", before="alter table job add x xml;"),
    _type("text to a domain", "status", "plain", before="create domain plain as text;"),
    _type("text to a domain with a check", "status", "d", before="create domain d as text check (length(value) < 9);"),
    _type(
        "domain to text", "x", "text", before="create domain d as text check (value <> ''); alter table job add x d;"
    ),
    _type("text to an enum", "x", "m using x::m", before="create type m as enum ('a'); alter table job add x text;"),
    _type("text arrays", "x", "text[]", before="alter table job add x varchar[];"),
    _type("int arrays", "x", "bigint[]", before="alter table job add x int[];"),
    _type("using the column itself", "title", "text using title"),
    _type("using a function", "title", "text using upper(title)"),
    _type("collation", "title", 'varchar(50) collate "C"'),
    _type("indexed, no rewrite", "title", "text", before="create index on job (title);"),
    _type("indexed, wider", "title", "varchar(60)", before="create index on job (title);"),
    _type("indexed, collation", "title", 'varchar(50) collate "C"', before="create index on job (title);"),
    _type("indexed, rewrite", "hours", "bigint", before="create index on job (hours);"),
    _type("indexed expression", "title", "text", before="create index on job (lower(title));"),
    _type("cidr indexed", "net", "inet", before="create index on job (net);"),
    _type("unique, no rewrite", "title", "text", before="alter table job add unique (id, title);"),
    _type("checked, no rewrite", "title", "text", before="alter table job add check (title <> '');"),
    _type("checked and not validated", "title", "text", before="alter table job add check (title <> '') not valid;"),
    _type(
        "foreign key, rewrite", "hours", "bigint", before="alter table job add foreign key (hours) references employer;"
    ),
    Example(
        id="type: referenced, rewrite",
        kind="alter-column-type",
        sql="alter table employer alter id type numeric",
        before=REFERENCED,
    ),
    _type(
        "foreign key, no rewrite",
        "title",
        "text",
        before="update employer set name = id || name; alter table employer add unique (name);"
        "update job set title = null; alter table job add foreign key (title) references employer (name);",
    ),
    _type("bit to longer varbit", "flags", "varbit(16)"),
    _type("varchar(n) to char", "title", "char(50)"),
    _type("through text", "title", "varchar using title::text"),
    _type("limit through text", "title", "varchar(60) using title::text"),
    _type("numeric of no scale", "x", "numeric(6)", before="alter table job add x numeric(4, 0);"),
    _type("time precision", "x", "time(4)", before="alter table job add x time(3);"),
    _type("interval's precision", "x", "interval(2)", before="alter table job add x interval(3);"),
    _type("interval to a day", "x", "interval day", before="alter table job add x interval;"),
    _type("int to oid", "hours", "oid"),
    _type("int to oid, indexed", "hours", "oid", before="create index on job (hours);"),
    _type("index with a condition", "title", "text", before="create index on job (id) where title <> '';"),
    _type(
        "back to the common collation",
        "title",
        "text",
        before='alter table job alter title type text collate "C"; create index on job (title);',
    ),
    _type("name to text", "x", "text", before="alter table job add x name;"),
    _type(
        "virtual", "x", "bigint", before="alter table job add x int generated always as (hours * 2) virtual;", since=18
    ),
    _type("identity", "id", "int", before="alter table job alter id add generated always as identity;"),
    _type("not null, rewrite", "note", "bytea using note::bytea"),
    _type("in heirs", "hours", "bigint", before="create table old_job () inherits (job);"),
)

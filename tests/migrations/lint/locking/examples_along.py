"""Examples of what a statement does along with what it names, since that is built upon or inherited."""

from tests.migrations.lint.examples import of

LIMITED = """
create domain d20 as varchar(20); create domain d40 as varchar(40); create domain d_any as varchar;
create domain d_text as text; create domain d_over as d20; create domain d_number as numeric(10, 2);
create domain d_time as timestamp(3); create domain d_span as interval(3); create domain d_bits as bit varying(8);
create domain d_list as varchar(20)[];
"""
CONVERTED = {
    "d20": (
        "varchar(40)",
        "varchar(20)",
        "varchar",
        "text",
        "d20",
        "d40",
        "d_over",
        "d_any",
        "varchar using x::varchar",
    ),
    "d_over": ("d20", "varchar(40)", "text"),
    "d_any": ("varchar", "varchar(30)", "text"),
    "d_text": ("text", "d_any"),
    "d_number": ("numeric(10, 2)", "numeric(12, 2)", "numeric"),
    "d_time": ("timestamp(3)", "timestamp(6)", "timestamp"),
    "d_span": ("interval(3)", "interval(6)", "interval"),
    "d_bits": ("bit varying(8)", "bit varying(16)", "bit varying"),
    "d_list": ("varchar(20)[]",),
    "varchar(20)": ("d20", "d40", "d_over", "d_any", "text using x::d20", "varchar(40) using x::d20::varchar(40)"),
    "varchar(40)": ("d20",),
}
"""From which type to which."""

POSITIVE = """
create domain pos as int; create domain pos_2 as pos; create domain pos_3 as pos_2; create domain other as int;
"""
USED = POSITIVE + "alter table job add x pos_2;"
CHECKED = "alter domain pos add constraint c check (value > 0)"
UNCHECKED = f"{CHECKED} not valid;"
SHAPE = """
create type shape as (a int, b text); create table round of shape with (fillfactor = 10); create table flat of shape;
create type free as (a int); create table holder (x free);
insert into round select n, repeat('x', 100) from generate_series(1, 200) n;
"""
HEIRS = "create table old_job () inherits (job); create table older_job () inherits (old_job);"
PROVEN = "alter table job add constraint c check (title is not null);"
PROVEN_TWICE = PROVEN + "alter table job add constraint d check (title is not null and hours > 0);"
UNIQUE = "alter table job drop constraint job_pkey; alter table job add constraint c check (hours is not null);"
BY_HOURS = UNIQUE + "update job set hours = id; create unique index i on job (hours);"

CASES = {
    "alter-column-type": tuple(
        (f"alter table job alter x type {new}", f"{LIMITED} alter table job add x {old};")
        for old, news in CONVERTED.items()
        for new in news
    ),
    "alter-domain": (
        (CHECKED, USED),
        (CHECKED, POSITIVE + "alter table job add x pos_3; alter table employer add y pos;"),
        (CHECKED, POSITIVE + "alter table job add x other;"),
        (CHECKED, USED + "alter domain pos_2 rename to pos_4;"),
        (f"{CHECKED} not valid", USED),
        (CHECKED.replace("pos", "plus"), POSITIVE + "alter domain pos rename to plus; alter table job add x pos_2;"),
        (CHECKED.replace("pos", "audit.pos"), USED + "create schema audit; alter domain pos set schema audit;"),
        (CHECKED.replace("pos", "pos_2"), POSITIVE + "alter table job add x pos;"),
        ("alter domain pos validate constraint c", USED + UNCHECKED),
        ("alter domain pos set not null", POSITIVE + "alter table job add x pos_2 default 1;"),
        ("alter domain pos drop constraint c", USED + UNCHECKED),
        ("alter domain pos set default 3", USED),
    ),
    "add-column": (
        ("alter table job add x pos_2", POSITIVE + f"{CHECKED};"),
        ("alter table job add x pos_2", POSITIVE + "alter domain pos set default 5;"),
    ),
    "drop-domain": (
        ("drop domain pos cascade", USED),
        ("drop domain pos_2 cascade", USED + "alter table employer add y pos;"),
    ),
    "create-domain": (("create domain pos_4 as pos_2", USED),),
    "rename-attribute": (
        ("alter type shape rename attribute a to z cascade", SHAPE),
        ("alter type form rename attribute a to z cascade", SHAPE + "alter type shape rename to form;"),
        ("alter type free rename attribute a to z", SHAPE),
    ),
    "alter-composite-type": (
        ("alter type shape add attribute z int cascade", SHAPE),
        (
            "alter type audit.shape drop attribute b cascade",
            SHAPE + "create schema audit; alter type shape set schema audit;",
        ),
    ),
    "drop-column": (("alter table only job drop column title", HEIRS),),
    "drop-constraint": (
        ("alter table only job drop constraint c", HEIRS + "alter table job add constraint c check (id > 0);"),
    ),
    "drop-not-null": (("alter table only job alter note drop not null", HEIRS),),
    "set-default": (("alter table only job alter note set default 'x'", HEIRS),),
    "alter-table": (
        ("alter table job alter title set not null, drop constraint c", PROVEN),
        ("alter table job drop constraint c, alter title set not null", PROVEN),
        ("alter table job drop constraint c, alter title set not null -- heirs", PROVEN + HEIRS),
        ("alter table job drop constraint c, alter title set not null -- proven twice", PROVEN_TWICE),
        ("alter table job drop constraint c, add primary key using index i", BY_HOURS),
    ),
    "add-primary-key": (("alter table job add primary key using index i", BY_HOURS),),
}
ALONG = tuple(each for kind, cases in CASES.items() for each in of(kind, *cases))

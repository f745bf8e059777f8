"""Examples of partitioned tables with what leads to them, and of partitions as they come and go."""

from tests.migrations.lint.examples import of
from tests.migrations.lint.observing import Example

EVENT = """
create table event (id bigint, at date, note text default repeat('x', 100), primary key (id, at))
partition by range (at);
create table event_26 partition of event for values from ('2026-01-01') to ('2027-01-01') with (fillfactor = 10);
create table event_27 (
    id bigint not null, at date not null, note text, check (at >= '2027-01-01' and at < '2028-01-01')
) with (fillfactor = 10);
insert into event select n, '2026-06-01' from generate_series(1, 200) n;
insert into event_27 select n, '2027-06-01', repeat('x', 100) from generate_series(1, 200) n;
"""
LIKE_27 = """
drop table event_27;
create index on event (note);
create table event_27 (like event including all, check (at >= '2027-01-01' and at < '2028-01-01'))
with (fillfactor = 10);
insert into event_27 select n, '2027-06-01' from generate_series(1, 200) n;
"""
KEY_27 = "alter table event_27 add primary key (id, at);"
LINKED = """
create table mail (id bigint, event bigint, at date, note text, foreign key (event, at) references event)
with (fillfactor = 10);
insert into mail select n, null, '2026-06-01', repeat('x', 100) from generate_series(1, 200) n;
"""
LINKED_PARTS = """
create table mail (id bigint, event bigint, at date, note text, foreign key (event, at) references event)
partition by list (id);
create table mail_1 partition of mail for values in (1) with (fillfactor = 10);
create table mail_2 (id bigint, event bigint, at date, note text) with (fillfactor = 10);
insert into mail_1 select 1, null, '2026-06-01', repeat('x', 100) from generate_series(1, 200) n;
insert into mail_2 select 2, null, '2026-06-01', repeat('x', 100) from generate_series(1, 200) n;
"""
REST = """
create table event_rest partition of event default with (fillfactor = 10);
insert into event select n, '2030-06-01' from generate_series(1, 200) n;
"""
SUB = """
create table event_28 partition of event for values from ('2028-01-01') to ('2029-01-01') partition by list (id);
create table event_28_1 partition of event_28 for values in (1) with (fillfactor = 10);
create table event_28_2 (id bigint, at date, note text, primary key (id, at)) with (fillfactor = 10);
insert into event_28_1 select 1, date '2028-01-01' + n, repeat('x', 100) from generate_series(1, 200) n;
insert into event_28_2 select 2, date '2028-01-01' + n, repeat('x', 100) from generate_series(1, 200) n;
"""
CHECK_26 = "alter table event_26 add check (at >= '2026-01-01' and at < '2027-01-01');"
INDEX = "create index on mail (event);"
SELF = "alter table event add column next bigint; alter table event add foreign key (next, at) references event;"
MADE_28 = "create table event_28 partition of event for values from ('2028-01-01') to ('2029-01-01')"
ATTACHED = "alter table event attach partition event_27 for values from ('2027-01-01') to ('2028-01-01')"

CASES = {
    "create-table": (
        (MADE_28, EVENT + LINKED),
        (MADE_28, EVENT + LINKED_PARTS),
        (MADE_28, EVENT + LINKED + REST),
        (MADE_28, EVENT + SELF),
        (f"{MADE_28} partition by list (id)", EVENT + LINKED),
        ("create table event_28_3 partition of event_28 for values in (3)", EVENT + SUB + LINKED),
        ("create table mail_3 partition of mail for values in (3)", EVENT + LINKED_PARTS),
        ("create table mail (event bigint, at date, foreign key (event, at) references event)", EVENT + SUB),
    ),
    "attach-partition": (
        (ATTACHED, EVENT + KEY_27),
        (ATTACHED, EVENT + KEY_27 + LINKED),
        (ATTACHED, EVENT + KEY_27 + LINKED_PARTS),
        (ATTACHED, EVENT + KEY_27 + SELF + "alter table event_27 add column next bigint;"),
        (ATTACHED, EVENT),
        (ATTACHED, EVENT + LINKED),
        (ATTACHED, EVENT + KEY_27 + "create index on event (note);"),
        (ATTACHED, EVENT + KEY_27 + "create index on event (note); create index on event_27 (note);"),
        (ATTACHED, EVENT + KEY_27 + "create index on event (note); create unique index on event_27 (note, id);"),
        (ATTACHED, EVENT + KEY_27 + "create index on event (lower(note)); create index on event_27 (lower(note));"),
        (ATTACHED, EVENT + KEY_27 + "create index on event (lower(note)); create index on event_27 (upper(note));"),
        (
            ATTACHED,
            EVENT
            + KEY_27
            + "create index on event (note desc); create index on event_27 (note) with (fillfactor = 50);",
        ),
        (ATTACHED, EVENT + KEY_27 + "create index on event (note); create index on event_27 using hash (note);"),
        (ATTACHED, EVENT + KEY_27 + "create index on event (note); create index on event_27 (note text_pattern_ops);"),
        (ATTACHED, EVENT + KEY_27 + "create index on event (note); create index on event_27 (note) include (at);"),
        (
            ATTACHED,
            EVENT + KEY_27 + "create index on event (note) where id > 1; create index on event_27 (note) where id > 1;",
        ),
        (
            ATTACHED,
            EVENT + KEY_27 + "create index on event (note) where id > 1; create index on event_27 (note) where id > 2;",
        ),
        (ATTACHED, EVENT + KEY_27 + "create unique index on event (at, id); alter table event_27 add unique (at, id);"),
        (ATTACHED, EVENT + KEY_27 + "alter table event add unique (at, id); create unique index on event_27 (at, id);"),
        (ATTACHED, EVENT + KEY_27 + "alter table event add unique (at, id); alter table event_27 add unique (at, id);"),
        (ATTACHED, EVENT + LIKE_27),
        (ATTACHED, EVENT + KEY_27 + "create index on only event (note);"),
        (ATTACHED, EVENT + "create unique index on event_27 (id, at);"),
        ("alter table event_28 attach partition event_28_2 for values in (2)", EVENT + SUB + LINKED),
        (
            "alter table event attach partition event_26 for values from ('2026-01-01') to ('2027-01-01')",
            EVENT + "create index on event (note);" + CHECK_26 + "alter table event detach partition event_26;",
        ),
        ("alter table mail attach partition mail_2 for values in (2)", EVENT + LINKED_PARTS),
    ),
    "detach-partition": (
        ("alter table event detach partition event_26", EVENT + "delete from event;" + LINKED),
        ("alter table event detach partition event_26", EVENT + "delete from event;" + LINKED + REST),
        ("alter table event detach partition event_26", EVENT + "delete from event;" + LINKED_PARTS),
        ("alter table event detach partition event_26", EVENT + "delete from event;" + SELF),
        ("alter table event detach partition event_28", EVENT + SUB + LINKED),
        ("alter table event_28 detach partition event_28_1", EVENT + SUB + LINKED),
        ("alter table mail detach partition mail_1", EVENT + LINKED_PARTS),
        ("alter table event_28 detach partition event_28_1", EVENT + SUB),
    ),
    "truncate": (
        ("truncate event_26 cascade", EVENT + LINKED),
        ("truncate event_26 cascade", EVENT + LINKED_PARTS),
        ("truncate event cascade", EVENT + LINKED),
        ("truncate event, mail", EVENT + LINKED),
        ("truncate event_28_1 cascade", EVENT + SUB + LINKED),
        ("truncate mail_1", EVENT + LINKED_PARTS),
    ),
    "drop-table": (
        ("drop table mail", EVENT + LINKED),
        ("drop table mail", EVENT + SUB + LINKED),
        ("drop table mail", EVENT + LINKED_PARTS),
        ("drop table mail_1", EVENT + LINKED_PARTS),
        ("drop table event cascade", EVENT + LINKED),
        ("drop table event cascade", EVENT + LINKED_PARTS),
        ("drop table event_26", EVENT),
    ),
    "drop-column": (
        ("alter table mail drop column event", EVENT + LINKED),
        ("alter table event drop column id cascade", EVENT + LINKED),
        ("alter table mail drop column event", EVENT + LINKED_PARTS),
    ),
    "drop-constraint": (
        ("alter table mail drop constraint mail_event_at_fkey", EVENT + LINKED),
        ("alter table mail drop constraint mail_event_at_fkey", EVENT + LINKED_PARTS),
    ),
    "delete": (
        ("delete from event_26 where id = 1", EVENT + LINKED + INDEX),
        ("delete from event where id = 1", EVENT + LINKED + INDEX),
        (
            "delete from event_26 where id = 1",
            EVENT + LINKED.replace("references event)", "references event on delete cascade)") + INDEX,
        ),
    ),
    "alter-column-type": (
        ("alter table event alter id type int", EVENT + LINKED_PARTS),
        ("alter table event alter id type int", EVENT + LINKED),
        ("alter table mail alter event type int", EVENT + LINKED),
        ("alter table mail alter event type int", EVENT + LINKED_PARTS),
    ),
}
DETACHED = Example(
    id="detach concurrently what others refer to",
    kind="detach-partition",
    sql="alter table event detach partition event_26 concurrently",
    before=EVENT + "delete from event;" + LINKED,
    since=14,
    blockers=tuple(f"lock table {name} in access share mode" for name in ("only event", "event_26", "mail")),
)
PARTITIONS = (*(each for kind, cases in CASES.items() for each in of(kind, *cases)), DETACHED)

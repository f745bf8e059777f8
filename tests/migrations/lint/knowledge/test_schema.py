"""What is known after some statements is what a live Postgres has then."""

from __future__ import annotations

from contextlib import closing, nullcontext

import psycopg
import pytest

from jobarium_events.migrations.files.parsing import expression, parse
from jobarium_events.migrations.lint.knowledge.schema import ConstraintKind, Domain, EnumType, Relation, Schema
from tests.migrations.lint.locking.test_effects import EXAMPLES, module_database  # noqa: F401 - a fixture
from tests.migrations.lint.observing import BASE, prepared

COLUMNS = """
select format('%s%s', case when n.nspname <> 'public' then n.nspname || '.' end, c.relname), a.attname,
       format_type(a.atttypid, a.atttypmod),
       not a.attnotnull or exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'n'
                                   and k.conkey = array[a.attnum] and not k.convalidated),
       col_description(c.oid, a.attnum)
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where c.relkind in ('r', 'p', 'f') and a.attnum > 0 and not a.attisdropped
  and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""
CONSTRAINTS = """
select format('%s%s', case when n.nspname <> 'public' then n.nspname || '.' end, c.relname), k.conname, k.convalidated
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where k.contype in ('c', 'p', 'u', 'f', 'x') and c.relkind in ('r', 'p', 'f')
  and not exists (select from pg_constraint up where up.oid = k.conparentid and up.conrelid = k.conrelid)
  and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""
INDEXES = """
select format('%s%s', case when n.nspname <> 'public' then n.nspname || '.' end, i.relname),
       format('%s%s', case when n.nspname <> 'public' then n.nspname || '.' end, t.relname), x.indisunique
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
join pg_namespace n on n.oid = t.relnamespace
where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""
DETACHED = {"detach concurrently": "entry_26", "detach concurrently what others refer to": "event_26"}
"""The examples that leave something of a partition behind."""


def known(sql: str) -> Schema:
    return Schema().apply_all(parse(sql))


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.id for example in EXAMPLES])
def test_tables_are_as_postgres_has_them(module_database, example):  # noqa: F811 - the fixture
    url, version = module_database
    if version < example.since:
        return  # it does not know the statement, which the test of the effects shows
    schema = known(BASE + example.before + ";" + example.sql)
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        prepared(connection, example)
        with nullcontext() if example.outside else connection.transaction():
            connection.execute(example.sql)
        columns = connection.execute(COLUMNS).fetchall()
        constraints = connection.execute(CONSTRAINTS).fetchall()
        indexes = connection.execute(INDEXES).fetchall()
    if example.id in DETACHED:  # a check for the old bound is left behind, which no statement names
        constraints.remove((DETACHED[example.id], f"{DETACHED[example.id]}_at_check", True))
    complete = {name: table for name, table in schema.tables.items() if table.complete and not table.temporary}
    assert {
        (name, column.name, column.type, column.nullable, column.comment)
        for name, table in complete.items()
        for column in table.columns.values()
    } == {row for row in columns if row[0] in complete}
    assert {
        (name, each.name, each.validated and each.enforced)
        for name, table in complete.items()
        for each in table.constraints.values()
        if each.kind is not ConstraintKind.NOT_NULL
    } == {row for row in constraints if row[0] in complete}
    assert {(each.name, each.table, each.unique) for each in schema.indexes.values()} <= {*indexes}


def test_only_what_was_made_since_counts_as_created():
    schema = known("create table a (); create table b ();")
    assert schema.created == {"a", "b"}
    later = schema.afresh().apply_all(parse("create table c (); alter table c rename to d; create view v as select 1"))
    assert later.created == {"d", "v"}
    assert later.apply_all(parse("drop table d")).created == {"v"}


def test_a_value_is_not_changed_by_what_comes_after():
    before = known("create table a (x int)")
    before.apply_all(parse("alter table a drop column x; drop table a"))
    assert before == known("create table a (x int)")


@pytest.mark.parametrize(
    ("check", "values"),
    [
        ("status in ('a', 'b')", ("a", "b")),
        ("status = any (array['a', 'b'])", ("a", "b")),
        ("status::text = any (array['a'::varchar, 'b'::varchar]::text[])", ("a", "b")),
        ("status = 'a' or status = 'b'", ("a", "b")),
        ("status is null or status in ('a', 'b')", ("a", "b")),
        ("status <> 'a'", None),
        ("status in ('a', other)", None),
        ("lower(status) in ('a', 'b')", None),
        ("status in ('a') and other > 'b'", None),
    ],
)
def test_a_check_tells_the_values_that_a_column_may_have(check, values):
    schema = known(f"create table job (status text, other text, check ({check}))")
    assert schema.allowed_values("job", "status") == values


def test_an_enum_tells_them_too_however_it_came_about():
    schema = known(
        "create type mood as enum ('a', 'd'); create table job (mood mood, moods mood[]);"
        "alter type mood add value 'c'; alter type mood add value 'b' before 'd';"
        "alter type mood add value 'x' after 'a';"
        "alter type mood rename value 'd' to 'e'; alter type mood add value if not exists 'a'; create schema s;"
        "alter type mood rename to feeling; alter type feeling set schema s"
    )
    assert schema.enums == {"s.feeling": EnumType("s.feeling", ("a", "x", "b", "e", "c"))}
    assert schema.allowed_values("job", "mood") == schema.allowed_values("job", "moods") == ("a", "x", "b", "e", "c")
    assert schema.column("job", "moods").type == "s.feeling[]"


def test_comments_are_known_and_go():
    schema = known(
        "create table audit.job (id int); comment on table audit.job is 'Jobs.';"
        "comment on column audit.job.id is 'Its.'"
    )
    assert (schema.tables["audit.job"].comment, schema.column("audit.job", "id").comment) == ("Jobs.", "Its.")
    gone = schema.apply_all(parse("comment on table audit.job is null; comment on column audit.job.id is ''"))
    assert (gone.tables["audit.job"].comment, gone.column("audit.job", "id").comment) == (None, None)


def test_domains_know_what_they_stand_for():
    schema = known("create domain a as varchar(5); create domain b as a check (value <> ''); create domain c as b")
    (check,) = schema.domains["b"].checks.items()
    assert (check[0], expression(check[1])) == ("b_check", "value <> ''")
    assert [*schema.domains.values()] == [
        Domain("a", "character varying(5)"),
        Domain("b", "character varying(5)", limited=True, over="a", checks=dict([check])),
        Domain("c", "character varying(5)", limited=True, over="b"),
    ]


def test_a_table_of_which_little_is_said_is_known_by_that():
    schema = known(
        "alter table job add column x int not null; alter table job alter y type text; "
        "alter table job add constraint k check (z is not null) not valid; create index i on job (x);"
        "drop table elsewhere; alter index nowhere rename to j"
    )
    table = schema.tables["job"]
    assert not table.complete
    assert [(each.name, each.type, each.nullable) for each in table.columns.values()] == [
        ("x", "integer", False),
        ("y", "text", True),
    ]
    assert table.constraints["k"].proves == ("z",)
    assert not table.proven_not_null("z")
    assert schema.apply_all(parse("alter table job validate constraint k")).tables["job"].proven_not_null("z")
    assert [*schema.indexes] == ["i"]


def test_views_are_known_by_what_they_read():
    schema = known(
        "create table a (); create view v as with a as (select 1) select * from a, public.a as b;"
        "create materialized view m as select * from v; alter table a rename to c"
    )
    assert schema.tables["v"].reads == ("c",)
    assert schema.readers("c") == ("v", "m")
    assert [schema.tables[name].kind for name in ("v", "m")] == [Relation.VIEW, Relation.MATERIALIZED_VIEW]

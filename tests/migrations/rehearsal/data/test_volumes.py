import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

from jobarium_events.migrations.rehearsal.data.digests import data_digest, differences
from jobarium_events.migrations.rehearsal.data.statistics import ColumnStatistics, Statistics, TableStatistics
from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.data.volumes import fill
from jobarium_events.migrations.rehearsal.refusals import FillError
from tests.conftest import fresh_name
from tests.strategies import examples

EVERY_TYPE = """
    smallint; integer; bigint; numeric; numeric(10,2); numeric(2,4); real; double precision; money; text; varchar(40);
    varchar(3); char(5); boolean; uuid; timestamp; timestamptz; timestamp(0); date; time; timetz; interval; json; jsonb;
    bytea; integer[]; text[]; mood; mood[]; even; short; int4range; int8range; numrange; daterange; tstzrange; inet;
    cidr; macaddr; macaddr8; bit(5); bit(70); varbit; varbit(7); tsvector; tsquery; pair; oid; name; point; pg_lsn;
    box; circle; line; lseg; path; polygon
"""
TYPES = """
    create type mood as enum ('glad', 'sad', 'it''s\\so');
    create domain even as integer not null check (value % 2 = 0) check (value > 10);
    create domain short as varchar(8) check (length(value) between 2 and 6);
    create type pair as (a integer, b text);
"""
SCALARS = {
    "integer": ["{0} > 0", "{0} between 5 and 100000", "{0} <> 7", "{0} < -5", "{0} % 3 = 0"],
    "bigint": ["{0} >= 9007199254740993"],
    "numeric(8,2)": ["{0} >= 0 and {0} <= 1000.5", "0.5 < {0}"],
    "double precision": ["{0} > 0 and {0} < 1"],
    "text": ["length({0}) >= 30", "{0} ~ '^[a-z]{{2,4}}-[0-9]+$'", "char_length({0}) < 20", "{0} like '%0%'"],
    "varchar(12)": ["{0} ~ '^(EUR|USD) \\d+'", "length({0}) = 10", "{0} <> ''"],
    "uuid": [],
    "date": ["{0} >= date '2024-02-28'", "{0} < '2020-01-01'"],
    "timestamptz": ["{0} <= now()", "{0} > '2026-01-01 12:00+02'"],
    "bytea": ["octet_length({0}) = 32"],
    "even": [],
    "short": [],
}
LISTED = {
    "text": "{0} in ('new', 'it''s', 'back\\slash')",
    "boolean": "{0} is not null",
    "mood": "{0} <> 'sad'",
    "smallint": "{0} = any (array[1, 2, 3]) or {0} = 9",
    "integer": "{0} is null or {0} between 1 and 3",
}


@st.composite
def columns(draw, number):
    """A column's definition, whether its values may be unique, and its name."""
    name = f'"c {number}"' if draw(st.booleans()) else f"c{number}"
    wide = draw(st.booleans())
    kind = draw(st.sampled_from(sorted(SCALARS if wide else LISTED)))
    checks = SCALARS[kind] if wide else [LISTED[kind]]
    check = draw(st.sampled_from([None, *checks]))
    parts = [name, kind, draw(st.sampled_from(["", "not null"]))]
    parts += [f"check ({check.format(name)})"] if check else []
    parts += ["unique"] if wide and draw(st.booleans()) else []
    return " ".join(parts), name, wide


@st.composite
def schemas(draw):
    """Tables that refer to each other: SQL, and how many rows each is to have."""
    made = [draw(columns(number)) for number in range(draw(st.integers(1, 5)))]
    key = draw(
        st.sampled_from(
            [
                "id bigint generated always as identity primary key",
                "id uuid primary key",
                "id serial primary key",
                "id varchar(9) primary key",
            ]
        )
    )
    kind = {"b": "bigint", "u": "uuid", "s": "integer", "v": "varchar(9)"}[key[3]]
    extra = draw(
        st.sampled_from(
            [
                "",
                ", boss {0} references parent",
                ", a integer, b text, check (num_nonnulls(a, b) = 1)",
                ", begins date, ends date check (ends > begins)",
            ]
        )
    )
    parent = f"create table parent ({', '.join([key, *(each[0] for each in made)])}{extra.format(kind)})"
    own = [draw(columns(number)) for number in range(draw(st.integers(1, 3)))]
    apart = draw(st.sampled_from(["", ", primary key (parent, other)", ", unique (parent, other)"]))
    apart = apart or (f", unique (parent, {own[0][1]})" if own[0][2] else "")
    null = draw(st.sampled_from(["", "not null"]))
    child = (
        f"create table child (parent {kind} {null} references parent, other {kind} references parent deferrable, "
        f"{', '.join(each[0] for each in own)}{apart})"
    )
    return parent, child, {"parent": draw(st.integers(8, 40)), "child": draw(st.integers(0, 60))}


@pytest.fixture
def connection(database):
    with psycopg.connect(database, autocommit=True) as opened:
        opened.execute(TYPES)
        yield opened


def proved(connection):
    """Have Postgres look at every constraint anew, as they were made with foreign keys unchecked."""
    found = connection.execute(
        "select conrelid::regclass::text, replace(pg_get_constraintdef(oid), 'PRIMARY KEY', 'UNIQUE') "
        "from pg_constraint "
        "where contype in ('p', 'u', 'f', 'c') and connamespace = 'public'::regnamespace and conrelid <> 0 "
        "and conparentid = 0"
    ).fetchall()
    for table, definition in found:
        connection.execute(f"alter table {table} add {definition}")
    return len(found)


def filled(connection, rows, **options):
    return fill(connection, read_tables(connection), rows, seed=options.pop("seed", 1), **options)


def counted(connection, table):
    return connection.execute(f"select count(*) from {table}").fetchone()[0]


@given(schemas(), st.integers(0, 2**40))
@examples(60)
def test_any_tables_are_filled_with_the_rows_asked_for_and_every_constraint_holds(database, made, seed):
    *definitions, rows = made
    with psycopg.connect(database, autocommit=True) as connection:
        digests = []
        for each in (seed, seed, seed + 1):
            connection.execute("drop schema public cascade; create schema public")
            connection.execute(TYPES)
            for definition in definitions:
                connection.execute(definition)
            tables = read_tables(connection)
            added = fill(connection, tables, rows, seed=each)
            assert added == {f"public.{name}": count for name, count in rows.items()}
            assert {name: counted(connection, name) for name in rows} == rows
            digests.append(data_digest(connection, tables))
        assert differences(digests[0], digests[1]) == ()
        assert proved(connection) > 0


def test_another_seed_gives_other_rows(connection):
    connection.execute("create table t (id serial primary key, a text not null, n int not null)")
    tables = read_tables(connection)
    found = []
    for seed in (1, 2, 1):
        fill(connection, tables, {"t": 50}, seed=seed)
        found.append(data_digest(connection, tables))
        connection.execute("truncate t restart identity")
    assert found[0] == found[2]
    assert differences(found[0], found[1]) == ("public.t has as many rows, and not the same ones",)


@pytest.mark.parametrize("kind", [each.strip() for each in EVERY_TYPE.split(";")])
def test_every_common_type_has_values(connection, kind):
    more = "" if kind in ("even", "short") or kind.endswith("[]") else f"b {kind}[],"
    connection.execute(f"create table t (a {kind} not null, {more} id int generated always as identity)")
    assert filled(connection, {"t": 30}) == {"public.t": 30}
    different = connection.execute("select count(distinct a::text) from t").fetchone()[0]
    assert different >= (2 if kind in ("boolean", "mood") else 3)


@pytest.mark.parametrize(
    "kind",
    [
        "integer",
        "numeric(5,1)",
        "text",
        "varchar(2)",
        "uuid",
        "date",
        "bytea",
        "citext",
        "timestamptz",
        "inet",
        "bit(12)",
        "int4range",
        "real",
        "even",
        "short",
        "pair",
    ],
)
def test_a_unique_column_has_as_many_values_as_rows(each_database, kind):
    with psycopg.connect(each_database, autocommit=True) as connection:
        connection.execute(TYPES)
        if kind == "citext":
            there = connection.execute("select from pg_available_extensions where name = 'citext'").fetchone()
            if there is None:
                pytest.skip("this Postgres has no citext")
            connection.execute("create extension citext")
        connection.execute(f"create table t (a {kind} primary key)")
        assert filled(connection, {"t": 1000}) == {"public.t": 1000}


def test_many_rows_are_made_in_several_statements(connection):
    connection.execute("create table t (id bigint primary key, a text)")
    assert filled(connection, {"t": 250_000}) == {"public.t": 250_000}
    assert connection.execute("select count(distinct id), count(a) < 250000 from t").fetchone() == (250_000, True)


@pytest.mark.parametrize(
    "partitions",
    [
        [
            "partition by range (at)",
            "for values from ('2020-01-01') to ('2020-02-01')",
            "for values from ('2020-02-01') to ('2021-01-01')",
            "default",
        ],
        ["partition by list (kind)", "for values in ('a', 'b')", "for values in ('c', null)"],
        [
            "partition by hash (id)",
            "for values with (modulus 2, remainder 0)",
            "for values with (modulus 2, remainder 1)",
        ],
    ],
)
def test_rows_go_to_the_partitions(connection, partitions):
    by, *bounds = partitions
    connection.execute(f"create table t (id bigint, kind text, at timestamptz) {by}")
    for number, each in enumerate(bounds):
        connection.execute(f"create table t{number} partition of t {each}")
    assert filled(connection, {"t": 200}) == {"public.t": 200}
    assert counted(connection, "t0") > 20
    assert counted(connection, "t1") > 20


def test_children_refer_to_few_rows_often(connection):
    connection.execute("create table p (id bigserial primary key); create table c (p bigint not null references p)")
    filled(connection, {"p": 1000, "c": 20_000})
    shares = connection.execute("select count(*) from c group by p order by 1 desc").fetchall()
    assert shares[0][0] > 1000
    assert len(shares) > 500


def test_few_values_are_skewed(connection):
    connection.execute("create table t (a text not null check (a in ('x', 'y', 'z')), m mood not null)")
    filled(connection, {"t": 3000})
    for column in ("a", "m"):
        counts = [row[0] for row in connection.execute(f"select count(*) from t group by {column} order by 1 desc")]
        assert len(counts) == 3
        assert counts[0] > 1.5 * counts[1]


CYCLES = {
    "nullable": "create table a (id serial primary key); create table b (id serial primary key, a int not null "
    "references a); alter table a add b int references b",
    "self": "create table a (id serial primary key, b int references a); create table b (id serial primary key)",
    "deferred": "create table a (id serial primary key); create table b (id serial primary key, a int not null "
    "references a); alter table a add b int not null references b deferrable",
}


@pytest.mark.parametrize("definition", CYCLES.values(), ids=CYCLES)
@pytest.mark.parametrize("is_owner", [False, True])
def test_cycles_of_foreign_keys_are_closed(connection, database, definition, is_owner):
    role = fresh_name()
    connection.execute(f"create role {role} login; grant all on schema public to {role}")
    try:
        url = make_conninfo(database, user=role) if is_owner else database
        with psycopg.connect(url, autocommit=True) as opened:
            opened.execute(definition)
            assert filled(opened, {"a": 300, "b": 200}) == {"public.a": 300, "public.b": 200}
            assert proved(opened) > 1
            assert counted(opened, "a where b is not null") > 100
    finally:
        connection.execute(f"drop owned by {role} cascade; drop role {role}")


def test_a_cycle_that_nothing_opens_is_refused_where_foreign_keys_are_checked(connection, database):
    role = fresh_name()
    connection.execute(f"create role {role} login; grant all on schema public to {role}")
    try:
        with psycopg.connect(make_conninfo(database, user=role), autocommit=True) as opened:
            opened.execute(CYCLES["deferred"].replace(" deferrable", ""))
            with pytest.raises(FillError, match="waits for it; make that foreign key deferrable"):
                filled(opened, {"a": 3, "b": 2})
    finally:
        connection.execute(f"drop owned by {role} cascade; drop role {role}")


def test_two_foreign_keys_that_share_a_column_agree(connection):
    connection.execute("""
        create table tenant (id serial primary key);
        create table person (tenant int not null references tenant, id serial, primary key (tenant, id));
        create table project (tenant int not null references tenant, id serial, primary key (tenant, id));
        create table work (
            tenant int not null references tenant, person int not null, project int not null, note text,
            foreign key (tenant, person) references person, foreign key (tenant, project) references project
        );
    """)
    rows = {"tenant": 20, "person": 300, "project": 200, "work": 500}
    assert filled(connection, rows) == {f"public.{name}": count for name, count in rows.items()}
    assert proved(connection) == 8


def test_a_table_that_has_rows_is_filled_up(connection):
    connection.execute("create table t (id int primary key, a text unique, n int generated always as (id * 2) stored)")
    connection.execute("insert into t (id, a) values (1, 'kept'), (900, null)")
    assert filled(connection, {"t": 100}) == {"public.t": 98}
    assert filled(connection, {"t": 50}) == {"public.t": 0}
    assert filled(connection, {"t": 150}) == {"public.t": 50}
    assert counted(connection, "t where a = 'kept'") == 1


def test_sequences_go_on_after_the_rows(connection):
    connection.execute("create table t (id serial primary key, n int generated always as identity, a text)")
    filled(connection, {"t": 70})
    assert connection.execute("insert into t (a) values ('x') returning id, n").fetchone() == (71, 71)


def test_unique_indexes_on_some_rows_and_on_expressions_hold(connection):
    connection.execute("create table p (id int primary key)")
    connection.execute(
        "create table t (p int not null references p, state text not null check (state in ('on', 'off')), "
        "mail text not null, room int not null, during tstzrange not null, constraint apart exclude "
        "using gist (during with &&))"
    )
    connection.execute("create unique index on t (p) where state = 'on'; create unique index on t (lower(mail))")
    assert filled(connection, {"p": 50, "t": 400}) == {"public.p": 50, "public.t": 400}


def test_triggers_do_not_run_where_they_may_be_turned_off(connection):
    connection.execute(
        "create table t (id int); create function refuse() returns trigger language plpgsql as "
        "'begin raise exception ''no''; end'"
    )
    connection.execute("create trigger g before insert on t for each row execute function refuse()")
    filled(connection, {"t": 5})
    assert counted(connection, "t") == 5
    assert connection.execute("show session_replication_role").fetchone() == ("origin",)


def test_statistics_say_how_values_are_spread(connection):
    connection.execute("create table t (id int primary key, m mood, k int not null, x text, b boolean not null)")
    statistics = Statistics(
        tables={
            "public.t": TableStatistics(
                rows=10,
                columns={
                    "m": ColumnStatistics(
                        null_share=0.5, distinct=2, frequencies=(0.4, 0.1), values=("sad", "glad"), width=4
                    ),
                    "k": ColumnStatistics(distinct=7, frequencies=(0.9,), width=4),
                    "x": ColumnStatistics(distinct=-0.5, width=200),
                    "b": ColumnStatistics(distinct=2, frequencies=(0.95, 0.05), values=("t", "f"), width=1),
                },
            )
        }
    )
    filled(connection, {"t": 4000}, statistics=statistics)
    found = connection.execute(
        "select count(*) filter (where m is null), count(*) filter (where m = 'sad'), count(distinct k), "
        "count(*) filter (where x is null), avg(length(x))::int, count(distinct x), count(*) filter (where b) from t"
    ).fetchone()
    nulls, sad, different, no_text, length, texts, true = found
    assert 1700 < nulls < 2300
    assert 1300 < sad < 1900
    assert different == 7
    assert no_text == 0
    assert 150 < length < 250
    assert 1800 < texts < 2200
    assert true > 3600
    assert connection.execute("select max(count) > 3400 from (select count(*) from t group by k) g").fetchone() == (
        True,
    )

"""What old code writes, new code finds, and the other way round: whatever is written, both agree at the end."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from jobarium_events.migrations.backfills.dual_write import DualWriteError, Pair, dual_write
from jobarium_events.migrations.files.parsing import parse
from tests.migrations.tallies import ran, rows, written
from tests.strategies import examples

STATUS = Pair(old="status", new="state", to_new="upper(status)", to_old="lower(state)")
TABLE = "create table job (id int primary key, status text, state text, n int, m text)"


@pytest.fixture
def connection(database):
    with psycopg.connect(database, autocommit=True) as made:
        yield made


def run_all(connection, text):
    """Run SQL as a migration does, statement by statement."""
    for statement in parse(text):
        connection.execute(statement.text)


def disagreeing(connection, made):
    ((count,),) = connection.execute(made.verify_filled).fetchall()
    return count


def upper(status):
    return None if status is None else status.upper()


def lower(state):
    return None if state is None else state.lower()


old_values = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]))
new_values = st.one_of(st.none(), st.sampled_from(["A", "B", "C"]))
WRITES = st.one_of(
    st.tuples(st.just("insert"), st.just("status"), old_values),
    st.tuples(st.just("insert"), st.just("state"), new_values),
    st.tuples(st.just("update"), st.just("status"), old_values),
    st.tuples(st.just("update"), st.just("state"), new_values),
    st.tuples(st.just("both"), st.just(""), old_values),
    st.tuples(st.just("other"), st.just(""), st.none()),
    st.tuples(st.just("bulk"), st.just("status"), old_values),
    st.tuples(st.just("bulk"), st.just("state"), new_values),
)


@given(writes=st.lists(WRITES, max_size=12), before=st.lists(old_values, max_size=3))
@examples(60)
def test_both_agree_after_any_writes_and_the_last_one_counts(tmp_path_factory, database, connection, writes, before):
    """Rows from before the trigger are filled in the end, as by a backfill in the middle of it all."""
    connection.execute("drop table if exists job; drop schema if exists jobarium_migrations cascade")
    connection.execute(TABLE)
    model = {}
    for key, status in enumerate(before):
        connection.execute("insert into job (id, status) values (%s, %s)", [key, status])
        model[key] = status
    made = dual_write("job", [STATUS], key=["id"], postgres=13 + len(before) % 2)
    run_all(connection, made.create)
    run_all(connection, made.create)
    for how, column, value in writes:
        name = sql.Identifier(column or "status")
        status = lower(value) if column == "state" else value
        last = max(model, default=None)
        match how:
            case "insert":
                key = len(model)
                connection.execute(sql.SQL("insert into job (id, {}) values (%s, %s)").format(name), [key, value])
                model[key] = status
            case "update" if last is not None:
                connection.execute(sql.SQL("update job set {} = %s where id = %s").format(name), [value, last])
                # One that writes what is there anyway, or fills what was not, changes nothing of the other.
                model[last] = _seen(connection, column, last, status, model[last])
            case "both" if last is not None:
                connection.execute("update job set status = %s, state = %s where id = %s", [value, upper(value), last])
                model[last] = status
            case "bulk" if len(model) > len(before):
                connection.execute(sql.SQL("update job set {} = %s where id >= %s").format(name), [value, len(before)])
                model = {key: status if key >= len(before) else kept for key, kept in model.items()}
            case _:
                connection.execute("update job set n = 1")
    migration = written(tmp_path_factory.mktemp("dual"), statement=made.backfill.rstrip(";"))
    assert ran(database, migration).is_complete
    assert disagreeing(connection, made) == 0
    found = {key: (status, state) for key, status, state in connection.execute("select id, status, state from job")}
    assert found == {key: (status, upper(status)) for key, status in model.items()}


def _seen(connection, column, key, status, before):
    """Return what the model has after an update: a null that was there already is not written."""
    if column == "status" or status is not None:
        return status
    return connection.execute("select status from job where id = %s", [key]).fetchone()[0] and before


def test_who_writes_both_is_respected_and_verify_tells(connection):
    connection.execute(TABLE)
    made = dual_write("job", [STATUS])
    run_all(connection, made.create)
    connection.execute("insert into job (id, status, state) values (1, 'a', 'OTHER'), (2, 'b', 'B')")
    connection.execute("update job set status = 'x', state = 'Y' where id = 2")
    assert connection.execute("select status, state from job order by id").fetchall() == [("a", "OTHER"), ("x", "Y")]
    assert disagreeing(connection, made) == 2


def test_a_backfill_does_not_write_the_old_column_anew(connection):
    """The way to the new column loses something: what the old one has must outlive it."""
    connection.execute(TABLE)
    connection.execute("insert into job (id, status) values (1, 'Mixed')")
    made = dual_write("job", [STATUS])
    run_all(connection, made.create)
    connection.execute("update job set state = upper(status)")
    assert connection.execute("select status, state from job").fetchall() == [("Mixed", "MIXED")]
    assert disagreeing(connection, made) == 0


def test_one_way_only(connection):
    connection.execute(TABLE)
    made = dual_write("job", [Pair(old="status", new="state", to_new="upper(status)")])
    run_all(connection, made.create)
    connection.execute("insert into job (id, status) values (1, 'a')")
    connection.execute("update job set state = 'Q'")
    assert connection.execute("select status, state from job").fetchall() == [("a", "Q")]
    connection.execute("update job set status = 'b'")
    assert connection.execute("select status, state from job").fetchall() == [("b", "B")]


def test_defaults_are_no_writes(connection):
    connection.execute(
        "create table job (id int primary key, status text not null default 'open', state text default 'NONE')"
    )
    pair = Pair(**{**to_fields(STATUS), "old_default": "'open'", "new_default": "'NONE'"})
    made = dual_write("job", [pair])
    run_all(connection, made.create)
    connection.execute("insert into job (id) values (1)")
    connection.execute("insert into job (id, state) values (2, 'CLOSED')")
    connection.execute("insert into job (id, status) values (3, 'held')")
    found = connection.execute("select id, status, state from job order by id").fetchall()
    assert found == [(1, "open", "OPEN"), (2, "closed", "CLOSED"), (3, "held", "HELD")]


def test_of_rows_that_are_not_filled_yet_those_that_were_written_are_compared(connection):
    """Before the backfill, a row that is as it was disagrees with nobody; one that was written wrongly does."""
    connection.execute(TABLE)
    connection.execute("insert into job (id, status) values (1, 'a'), (2, 'b'), (3, null)")
    made = dual_write("job", [STATUS], key=["id"])
    run_all(connection, made.create)
    connection.execute("update job set status = 'c' where id = 2")
    assert (connection.execute(made.verify).fetchone(), disagreeing(connection, made)) == ((0,), 1)
    connection.execute("update job set state = 'X', status = 'y' where id = 3")
    assert (connection.execute(made.verify).fetchone(), disagreeing(connection, made)) == ((1,), 2)
    connection.execute("alter table job add column kind text, add column sort text default 'NONE'")
    sort = Pair(old="kind", new="sort", to_new="upper(kind)", new_default="'NONE'")
    assert connection.execute(dual_write("job", [sort]).verify).fetchone() == (0,)


@pytest.mark.parametrize("default", ["", " default 'none'"])
def test_a_domain_that_is_not_null(connection, default):
    connection.execute("create domain said as text not null")
    connection.execute(f"create table job (id int primary key, status said{default}, state text)")
    pair = Pair(**{**to_fields(STATUS), "old_default": default.removeprefix(" default ") or None})
    made = dual_write("job", [pair], key=["id"])
    run_all(connection, made.create)
    connection.execute("insert into job (id, status) values (1, 'a')")
    connection.execute("insert into job (id, status, state) values (2, 'b', 'B')")
    connection.execute("update job set state = 'C' where id = 2")
    found = [(1, "a", "A"), (2, "c", "C")]
    if default:
        connection.execute("insert into job (id, state) values (3, 'D')")
        found.append((3, "d", "D"))
    assert connection.execute("select id, status, state from job order by id").fetchall() == found
    assert disagreeing(connection, made) == 0


def test_a_new_column_of_a_domain_that_is_not_null(connection):
    connection.execute("create domain said as text not null")
    connection.execute("create table job (id int primary key, status text, state said default 'NONE')")
    made = dual_write("job", [Pair(**{**to_fields(STATUS), "new_default": "'NONE'"})])
    run_all(connection, made.create)
    connection.execute("insert into job (id, status) values (1, 'a')")
    connection.execute("insert into job (id, state) values (2, 'B')")
    connection.execute("update job set state = 'C' where id = 1")
    assert connection.execute("select status, state from job order by id").fetchall() == [("c", "C"), ("b", "B")]


@pytest.mark.parametrize("kind", ["json", "xml", "point"])
def test_types_that_know_no_equality(connection, database, tmp_path, kind):
    one, other, third = {
        "json": ('{"n": 1}', '{"n":2}', "[]"),
        "xml": ("<a/>", "<b/>", "<c/>"),
        "point": ("(1,2)", "(3,4)", "(5,6)"),
    }[kind]
    connection.execute(f"create table job (id int primary key, was {kind}, is_now {kind})")
    connection.execute("insert into job (id, was) values (1, %s)", [one])
    pair = Pair(old="was", new="is_now", to_new="was", to_old="is_now", as_text=True)
    made = dual_write("job", [pair], key=["id"])
    run_all(connection, made.create)
    connection.execute("insert into job (id, was) values (2, %s)", [other])
    connection.execute("insert into job (id, is_now) values (3, %s)", [third])
    connection.execute("update job set was = %s where id = 2", [third])
    connection.execute("update job set is_now = %s where id = 3", [one])
    assert (connection.execute(made.verify).fetchone(), disagreeing(connection, made)) == ((0,), 1)
    assert ran(database, written(tmp_path, statement=made.backfill.rstrip(";"))).rows == 1
    assert disagreeing(connection, made) == 0
    assert connection.execute("select is_now::text from job order by id").fetchall() == [(one,), (third,), (one,)]


def test_a_backfill_that_rounds_does_not_write_the_old_column_anew(connection):
    connection.execute("create table job (id int primary key, was float8, is_now numeric(10, 2))")
    connection.execute("insert into job (id, was) values (1, 1.3333), (2, null)")
    run_all(connection, dual_write("job", [Pair(old="was", new="is_now", to_new="was", to_old="is_now")]).create)
    connection.execute("update job set is_now = was")
    assert [float(n) for (n,) in connection.execute("select was from job where id = 1")] == [1.3333]


def to_fields(pair):
    return {name: getattr(pair, name) for name in pair.__struct_fields__}


def test_several_columns_by_one_trigger_and_its_removal(connection):
    connection.execute(TABLE)
    numbers = Pair(old="n", new="m", to_new="coalesce(n::text, 'none')", to_old="nullif(m, 'none')::int")
    made = dual_write("job", [STATUS, numbers], key=["id"])
    run_all(connection, made.create)
    triggers = "select count(*) from pg_trigger where tgrelid = 'job'::regclass"
    assert connection.execute(triggers).fetchone() == (1,)
    connection.execute("insert into job (id, status, m) values (1, 'a', '7'), (2, null, null)")
    found = connection.execute("select status, state, n, m from job order by id").fetchall()
    assert found == [("a", "A", 7, "7"), (None, None, None, "none")]
    assert disagreeing(connection, made) == 0
    run_all(connection, made.remove)
    run_all(connection, made.remove)
    assert connection.execute(triggers).fetchone() == (0,)
    assert connection.execute("select count(*) from pg_proc where proname like '%dual_write%'").fetchone() == (0,)


def test_a_triggers_search_path_is_not_the_writers(connection, database):
    connection.execute(
        "create schema app; create function app.shout(text) returns text language sql as 'select upper($1)'"
    )
    connection.execute("create table app.job (id int primary key, status text, state text)")
    run_all(
        connection, dual_write("job", [Pair(old="status", new="state", to_new="shout(status)")], schema="app").create
    )
    connection.execute("create function public.shout(text) returns text language sql as $$ select 'wrong' $$")
    connection.execute("set search_path = public")
    connection.execute("insert into app.job values (1, 'a')")
    assert rows(database, "select state from app.job") == [("A",)]


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda name: len(name.encode()) < 60
)


@given(st.lists(names, min_size=3, max_size=3, unique=True))
@examples(30)
def test_any_names(connection, found):
    table, old, new = found
    quoted = [sql.Identifier(each) for each in found]
    connection.execute(sql.SQL("drop table if exists {0}; create table {0} ({1} text, {2} text)").format(*quoted))
    expression = sql.SQL("upper({})").format(quoted[1]).as_string(connection)
    made = dual_write(table, [Pair(old=old, new=new, to_new=expression)])
    run_all(connection, made.create)
    connection.execute(sql.SQL("insert into {} ({}) values ('a')").format(quoted[0], quoted[1]))
    assert connection.execute(sql.SQL("select {2} from {0}").format(*quoted)).fetchall() == [("A",)]
    assert disagreeing(connection, made) == 0
    run_all(connection, made.remove)
    connection.execute(sql.SQL("drop table {}").format(quoted[0]))


@pytest.mark.parametrize("name", ["new", "old", "tg_op", "written", "made", "left_out", "select"])
def test_columns_named_as_what_the_trigger_uses(connection, name):
    connection.execute(sql.SQL("create table job ({} text, state text)").format(sql.Identifier(name)))
    run_all(connection, dual_write("job", [Pair(old=name, new="state", to_new=f'upper("{name}") -- shown')]).create)
    connection.execute(sql.SQL("insert into job ({}) values ('a')").format(sql.Identifier(name)))
    assert connection.execute("select state from job").fetchall() == [("A",)]


def test_long_names_stay_apart():
    made = [dual_write("t" * 60, [Pair(old="a", new="n" * 50 + end, to_new="a")]).create for end in "xy"]
    names = {each.split("function ")[1].split("()")[0].strip('"') for each in made}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("upper(status", "no SQL expression"),
        ("1) from pg_class where (true", "more than an expression"),
        ("1); select (2", "more than one expression"),
        ("status, status", "more than an expression"),
        ("upper(title)", "made of 'title'"),
        ("job.status", "made of 'job.status'"),
        ("(select status from job)", "put it into a function"),
    ],
)
def test_what_is_no_expression_of_the_column_is_refused(expression, said):
    with pytest.raises(DualWriteError, match=said):
        dual_write("job", [Pair(old="status", new="state", to_new=expression)])


def test_one_column_is_no_pair():
    with pytest.raises(DualWriteError, match="both 'a'"):
        dual_write("job", [Pair(old="a", new="a", to_new="a")])


def test_no_pair_is_refused():
    with pytest.raises(DualWriteError, match="no columns of job"):
        dual_write("job", [])

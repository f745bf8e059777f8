import psycopg
import pytest

from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.data.volumes import fill
from jobarium_events.migrations.rehearsal.refusals import FillError


@pytest.fixture
def connection(database):
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def filled(connection, rows, **options):
    return fill(connection, read_tables(connection), rows, seed=1, **options)


def counted(connection, table):
    return connection.execute(f"select count(*) from {table}").fetchone()[0]


def test_a_generator_makes_what_is_not_known(connection):
    connection.execute("create table t (id int primary key, seen txid_snapshot not null)")
    with pytest.raises(
        FillError,
        match=r"public.t.seen cannot be filled: no values are known of the type txid_snapshot; give "
        r"SQL that makes a value from the row's number n, as the generator of t.seen in rehearsal.toml",
    ) as caught:
        filled(connection, {"t": 3})
    assert caught.value.column == "seen"
    filled(connection, {"t": 3}, generators={"t.seen": "(n + 1 || ':' || n + 1 || ':')::txid_snapshot"})
    assert counted(connection, "t") == 3


REFUSED = {
    "create table t (a int check (a > 5 and a < 6))": ("t", "its checks leave no value that its type has"),
    "create table t (a text not null check (a = reverse(a) and length(a) = 20))": (
        "t",
        r"only 0 of 30 rows could be made that keep to its constraints \(t_a_check\); give SQL",
    ),
    "create table t (a boolean primary key)": ("t", "t_pkey lets it have 2 rows at most"),
    "create table p (id int primary key); create table t (p int not null references p)": (
        "t",
        "it refers to public.p, which is empty; ask for rows of p, too",
    ),
    "create table t (a int) partition by range (a)": ("t", "it is partitioned and has no partition"),
    "create table o (a int)": ("t", "there is no such table; there is o"),
    "create table o (a int) partition by list (a); create table t partition of o default": (
        "t",
        "it is a partition; ask for rows of public.o",
    ),
    "create table t (a text not null check (upper(a) = 'NONE'))": ("t", "only 0 of 30 rows"),
    "create domain even as integer check (value % 2 = 0); create table t (a even[] not null)": (
        "t",
        "no values are known of the type even",
    ),
}


@pytest.mark.parametrize("definition", REFUSED)
def test_what_cannot_be_filled_is_said_and_nothing_is_left(connection, definition):
    table, problem = REFUSED[definition]
    connection.execute(definition)
    with pytest.raises(FillError, match=problem):
        filled(connection, {table: 30})
    if "table t (a " in definition and "partition" not in definition:
        assert counted(connection, "t") == 0


def test_of_many_tables_the_nearest_are_named_and_no_partition(connection):
    for name in ("account", "job", "jobs_old", "person", "plan", "zone"):
        connection.execute(f"create table {name} (a int)")
    connection.execute("create table jobs (a int) partition by list (a)")
    connection.execute("create table jobz partition of jobs default")
    with pytest.raises(FillError, match=r"; there are job, jobs, jobs_old and 4 more, the nearest names first$"):
        filled(connection, {"jobx": 1})


def test_a_generator_of_no_column_is_refused(connection):
    connection.execute("create table t (a int)")
    with pytest.raises(FillError, match="a generator is given for 'b', and there is no such column"):
        filled(connection, {"t": 1}, generators={"t.b": "n"})


def test_a_wrong_generator_is_refused_without_a_value(connection):
    connection.execute("create table t (a int)")
    with pytest.raises(FillError, match="Postgres says invalid text representation") as caught:
        filled(connection, {"t": 1}, generators={"t.a": "('secret' || n)::int"})
    assert "secret" not in str(caught.value)

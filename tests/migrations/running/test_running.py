"""A step is run whole or not at all, waits briefly, and leaves no invalid index."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import psycopg
import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.running.failures import StepFailed
from jobarium_events.migrations.running.running import run_step
from tests.migrations.patience import awaited

BRIEF = Environment(lock_timeout=Span(0.1), statement_timeout=Span(30.0), attempts=3)
INVALID = "select indexrelid::regclass::text from pg_index where not indisvalid"
INDEXES = "select indexrelid::regclass::text, indisvalid from pg_index where indrelid = 'job'::regclass order by 1"


def only(text):
    """The one step of some SQL."""
    (step,) = steps(parse(text))
    return step


@pytest.fixture
def sessions(each_database):
    """Opens sessions that are closed afterwards; the table of the tests is there."""
    with ExitStack() as stack:

        def opened(**options):
            return stack.enter_context(psycopg.connect(each_database, autocommit=True, **options))

        first = opened()
        first.execute("create table job (id int primary key, title text)")
        first.execute("insert into job select n, 'Secret ' || n from generate_series(1, 100) as n")
        yield opened


def columns(session):
    found = session.execute(
        "select attname from pg_attribute where attrelid = 'job'::regclass and attnum > 0 and not attisdropped"
    )
    return [name for (name,) in found]


def test_a_step_and_what_is_within_it_are_committed_together(sessions):
    session = sessions()
    seen = []
    step = only("begin; alter table job add column source text; alter table job add column place text; commit;")
    run_step(session, step, BRIEF, within=lambda within: seen.append(within.info.transaction_status.name))
    assert (seen, columns(session)) == (["INTRANS"], ["id", "title", "source", "place"])


def test_what_is_within_a_step_undoes_it(sessions):
    session = sessions()

    def refuse(_):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_step(session, only("alter table job add column source text"), BRIEF, within=refuse)
    assert columns(session) == ["id", "title"]


def test_a_refused_statement_undoes_its_step_and_is_named_by_its_line(sessions):
    session = sessions()
    step = only("begin;\nalter table job add column source text;\nalter table nothing add column a int;\ncommit;")
    with pytest.raises(StepFailed) as refused:
        run_step(session, step, BRIEF)
    assert str(refused.value) == 'line 3: relation "nothing" does not exist (42P01)'
    assert columns(session) == ["id", "title"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alter table job alter column title type int using title::int", "invalid text representation"),
        ("do $$ declare t text; begin select title into t from job; raise '%', t; end $$", "raise exception"),
        ("update job set title = (select title from job limit 1), id = 1", "duplicate key value violates unique"),
    ],
)
def test_no_value_of_a_row_is_told(sessions, text, words):
    with pytest.raises(StepFailed) as refused:
        run_step(sessions(), only(text), BRIEF)
    assert words in str(refused.value)
    assert "Secret" not in str(refused.value)
    assert "(1)" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("code", ["check_violation", "unique_violation", "undefined_table", "ZZ001"])
def test_what_a_function_raises_under_the_code_of_another_is_not_told(sessions, code):
    session = sessions()
    session.execute(
        "create function refuse() returns trigger language plpgsql as "
        f"$$ begin raise exception 'bad row %', new.title using errcode = '{code}'; end $$"
    )
    session.execute("create trigger refusing before update on job for each row execute function refuse()")
    with pytest.raises(StepFailed) as refused:
        run_step(session, only("update job set title = title"), BRIEF)
    assert "Secret" not in str(refused.value)
    assert "is not shown" in str(refused.value)


def test_what_a_query_within_a_function_reads_as_a_name_is_not_told(sessions):
    text = "do $$ declare t text; begin select title into t from job; execute format('select * from %I', t); end $$"
    with pytest.raises(StepFailed) as refused:
        run_step(sessions(), only(text), BRIEF)
    assert "Secret" not in str(refused.value)


@pytest.mark.parametrize("kind", ["class", "type", "proc", "role", "namespace", "config", "collation"])
def test_a_value_that_is_read_as_a_name_is_not_told(sessions, kind):
    text = f"select split_part(title, ' ', 1)::reg{kind} from job"
    with pytest.raises(StepFailed) as refused:
        run_step(sessions(), only(text), BRIEF)
    assert "secret" not in str(refused.value).lower()


def test_a_long_reader_is_waited_for_briefly_and_then_refused(sessions):
    reader, session, retries = sessions(), sessions(), []
    with reader.transaction():
        reader.execute("select count(*) from job")
        with pytest.raises(StepFailed) as refused:
            run_step(session, only("drop table job"), BRIEF, retried=lambda *each: retries.append(each))
    assert [number for number, _ in retries] == [2, 3]
    assert all("lock timeout" in problem for _, problem in retries)
    assert "canceling statement due to lock timeout, 3 times (55P03); something holds a lock" in str(refused.value)
    assert columns(session) == ["id", "title"]


def test_a_step_runs_once_the_reader_has_gone(sessions):
    reader, session, retries = sessions(), sessions(), []
    reader.execute("begin")
    reader.execute("select count(*) from job")

    def go(*each):
        retries.append(each)
        if len(retries) == 2:
            reader.execute("commit")

    environment = Environment(lock_timeout=Span(0.1), attempts=50)
    run_step(session, only("alter table job add column source text"), environment, retried=go)
    assert (len(retries), columns(session)) == (2, ["id", "title", "source"])


def test_what_takes_too_long_is_not_tried_again(sessions):
    retries = []
    environment = Environment(statement_timeout=Span(0.1))
    with pytest.raises(StepFailed, match=r"statement timeout.*raise statement_timeout") as refused:
        run_step(sessions(), only("select pg_sleep(60)"), environment, retried=lambda *each: retries.append(each))
    assert (refused.value.sqlstate, retries) == ("57014", [])


@pytest.mark.parametrize("text", ["select 1", "vacuum job"])
def test_the_limits_are_those_of_the_step_only(sessions, text):
    session = sessions()
    session.execute("set lock_timeout = '7s'")
    session.execute("set statement_timeout = '8s'")
    run_step(session, only(text), BRIEF)
    found = session.execute("select current_setting('lock_timeout'), current_setting('statement_timeout')").fetchone()
    assert found == ("7s", "8s")


def test_the_limits_hold_within_the_step(sessions):
    session = sessions()
    session.execute("create table seen as select ''::text as lock, ''::text as statement")
    text = "update seen set lock = current_setting('lock_timeout'), statement = current_setting('statement_timeout')"
    run_step(session, only(text), BRIEF)
    assert session.execute("select * from seen").fetchone() == ("100ms", "30s")


def test_an_index_built_concurrently_outwaits_an_old_transaction(sessions):
    """Nobody waits behind it while it waits for older transactions: `lock_timeout` would only end it for nothing."""
    reader, session, watcher, retries = sessions(), sessions(), sessions(), []
    reader.execute("begin")
    reader.execute("update job set title = title where id = 1")
    step = only("create index concurrently job_title on job (title)")
    work = threading.Thread(
        target=run_step, args=(session, step, BRIEF), kwargs={"retried": lambda *each: retries.append(each)}
    )
    work.start()
    waits = "select 1 from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
    awaited(lambda: watcher.execute(waits, [session.info.backend_pid]).fetchone(), "it does not wait")
    threading.Event().wait(0.5)  # five times what it waits for any other lock
    watcher.execute("update job set title = title where id = 2")
    assert work.is_alive()
    reader.execute("commit")
    work.join(60)
    assert (session.execute(INVALID).fetchall(), retries) == ([], [])
    assert ("job_title", True) in session.execute(INDEXES).fetchall()


def test_a_failed_concurrent_build_leaves_no_index(sessions):
    session = sessions()
    session.execute("update job set title = 'same'")
    with pytest.raises(StepFailed, match='could not create unique index "job_title"'):
        run_step(session, only("create unique index concurrently job_title on job (title)"), BRIEF)
    assert session.execute(INDEXES).fetchall() == [("job_pkey", True)]


def test_a_concurrent_build_that_takes_too_long_leaves_no_index(sessions):
    reader, session = sessions(), sessions()
    reader.execute("begin")
    reader.execute("update job set title = title where id = 1")
    environment = Environment(statement_timeout=Span(0.3))
    ended = []

    def work():
        try:
            run_step(session, only("create index concurrently job_title on job (title)"), environment)
        except StepFailed as failed:
            ended.append(failed)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    (failed,) = ended
    assert failed.sqlstate == "57014"
    left = session.execute(INVALID).fetchall()
    # As long as the reader stays, dropping what was left has to wait as well; then the failure says so.
    assert ("the invalid index is still there" in str(failed)) == bool(left)
    reader.execute("commit")
    run_step(session, only("create index concurrently job_title on job (title)"), BRIEF)
    assert session.execute(INDEXES).fetchall() == [("job_pkey", True), ("job_title", True)]


def broken_off(session, build="create unique index concurrently job_title on job (title)"):
    """Leave an invalid index, as a run that was killed does."""
    session.execute("update job set title = 'same'")
    with pytest.raises(psycopg.errors.UniqueViolation):
        session.execute(build)
    session.execute("update job set title = 'Secret ' || id")
    assert session.execute(INVALID).fetchall()


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("exists", ["", "if not exists "])
def test_what_a_killed_run_left_is_dropped_and_built_anew(sessions, exists, again):
    session = sessions()
    broken_off(session)
    step = only(f"create unique index concurrently {exists}job_title on job (title)")
    run_step(session, step, BRIEF, again=again)
    assert session.execute(INDEXES).fetchall() == [("job_pkey", True), ("job_title", True)]


def test_a_failed_rebuild_leaves_nothing_and_what_one_left_is_dropped(sessions):
    session = sessions()
    session.execute("create index job_title on job (title)")
    session.execute("create index other_ccnew on job (title)")
    reader = sessions()
    for text in ("reindex index concurrently job_title", "reindex table concurrently job"):
        reader.execute("begin")
        reader.execute("select count(*) from job")
        session.execute("set statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            session.execute(text)
        reader.execute("commit")
        session.execute("set statement_timeout = 0")
        assert session.execute(INVALID).fetchall()
        run_step(session, only(text), BRIEF)
        assert [name for name, _ in session.execute(INDEXES)] == ["job_pkey", "job_title", "other_ccnew"]
    assert session.execute(INVALID).fetchall() == []


@pytest.mark.parametrize(
    ("text", "cleans"),
    [
        ("reindex schema concurrently other", ["other"]),
        ("reindex table concurrently other.job", ["other"]),
        ("reindex table concurrently public.parts", ["part"]),
        ("create index concurrently part_ccnew on part (id)", ["part"]),
    ],
)
def test_only_what_the_statement_may_have_left_is_dropped(sessions, text, cleans):
    session = sessions()
    session.execute("create schema other")
    session.execute("create table other.job (id int)")
    session.execute("create table parts (id int) partition by list (id)")
    session.execute("create table part partition of parts for values in (1, 2)")
    for table in ("job", "other.job", "part"):
        session.execute(f"insert into {table} values (1), (1)" if table != "job" else "update job set title = 'same'")
        name = f"{table.removeprefix('other.')}_ccnew"
        column = "title" if table == "job" else "id"
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute(f"create unique index concurrently {name} on {table} ({column})")
    left = {"job": "job_ccnew", "other": "other.job_ccnew", "part": "part_ccnew"}
    assert {name for (name,) in session.execute(INVALID)} == set(left.values())
    run_step(session, only(text), BRIEF)
    kept = {name for table, name in left.items() if table not in cleans}
    assert {name for (name,) in session.execute(INVALID)} == kept


def test_an_index_without_a_name_is_refused(sessions):
    session = sessions()
    with pytest.raises(StepFailed, match="builds an index that has no name; give it one"):
        run_step(session, only("create index concurrently on job (title)"), BRIEF)
    assert session.execute(INDEXES).fetchall() == [("job_pkey", True)]


def test_an_index_that_another_session_builds_is_left_alone(sessions):
    reader, other, session = sessions(), sessions(), sessions()
    reader.execute("begin")
    reader.execute("update job set title = title where id = 1")
    text = "create index concurrently job_title on job (title)"
    work = threading.Thread(target=other.execute, args=(text,))
    work.start()
    awaited(lambda: session.execute(INVALID).fetchone(), "it is not begun")
    with pytest.raises(StepFailed, match=f"the session {other.info.backend_pid} is building the index job_title"):
        run_step(session, only(text), BRIEF)
    reader.execute("commit")
    work.join(60)
    assert session.execute(INDEXES).fetchall() == [("job_pkey", True), ("job_title", True)]


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("create index job_title on job (title)", "create index concurrently job_title on job (title)"),
        ("select 1", "drop index concurrently job_title"),
        ("select 1", "vacuum job"),
    ],
)
def test_a_step_that_may_have_ended_is_run_again_safely(sessions, before, text):
    session, done = sessions(), []
    session.execute(before)
    run_step(session, only(text), BRIEF, again=True, within=done.append)
    assert done == [session]


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("job (title)", "job (title)"),
        ("job (title)", "public.job using btree (title asc nulls last) with (fillfactor = 70)"),
        ("job (title desc, id)", "job (title desc nulls first, id)"),
        ("job (lower(title))", "job (lower(title))"),
        (
            "job (id) include (title) where title = 'a' and id > 5",
            "job (id) include (title) where title = 'a' and id > 5",
        ),
        ("job (id) where title is null", "job (id) where (title is null)"),
        ('job (title collate "C")', 'job (title collate "C")'),
    ],
)
def test_the_index_that_a_killed_run_has_built_is_known(sessions, there, asked):
    session, done = sessions(), []
    session.execute(f"create unique index job_title on {there}")
    step = only(f"create unique index concurrently job_title on {asked}")
    run_step(session, step, BRIEF, again=True, within=done.append)
    assert done == [session]


@pytest.mark.parametrize(
    "there",
    [
        "index job_title on job (id)",
        "index job_title on job (title, id)",
        "index job_title on job (title desc)",
        "index job_title on job (title nulls first)",
        "index job_title on job using hash (title)",
        "unique index job_title on job (title)",
        "index job_title on job (title) where id > 5",
        "index job_title on job (title) include (id)",
        "index job_title on job (lower(title))",
        "index job_title on job (title text_pattern_ops)",
        "index job_title on other (id)",
        "table job_title as select 1 as one",
    ],
)
@pytest.mark.parametrize("exists", ["", "if not exists "])
def test_another_index_of_the_name_is_not_taken_for_it(sessions, there, exists):
    session = sessions()
    session.execute("create table other (id int)")
    session.execute(f"create {there}")
    step = only(f"create index concurrently {exists}job_title on job (title)")
    before = session.execute("select relname, oid from pg_class where relname = 'job_title'").fetchall()
    if " on job " in there:
        with pytest.raises(StepFailed, match="it cannot be told that it is this one: it is `CREATE") as failed:
            run_step(session, step, BRIEF, again=True)
        assert f"asked for is `create index concurrently {exists}job_title on job (title)`" in str(failed.value)
    elif not exists:
        with pytest.raises(StepFailed, match="exists"):
            run_step(session, step, BRIEF, again=True)
    assert session.execute("select relname, oid from pg_class where relname = 'job_title'").fetchall() == before


@pytest.mark.parametrize(
    "text", ["create index concurrently job_title on job (title)", "drop index concurrently other"]
)
def test_only_a_step_that_may_have_ended_accepts_what_is_there(sessions, text):
    session = sessions()
    session.execute("create index job_title on job (title)")
    with pytest.raises(StepFailed):
        run_step(session, only(text), BRIEF)


def test_a_partition_whose_detaching_was_broken_off_is_detached(sessions):
    session, reader = sessions(), sessions()
    session.execute("create table part (id int) partition by list (id)")
    session.execute("create table part_1 partition of part for values in (1)")
    text = "alter table part detach partition part_1 concurrently"
    reader.execute("begin")
    reader.execute("select count(*) from part")
    session.execute("set statement_timeout = '200ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        session.execute(text)
    reader.execute("commit")
    session.execute("set statement_timeout = 0")
    for _ in range(2):
        run_step(session, only(text), BRIEF, again=True)
        assert session.execute("select count(*) from pg_inherits").fetchone() == (0,)


def test_a_transaction_that_holds_what_none_may_is_refused(sessions):
    session = sessions()
    step = only("begin; select 1; vacuum job; commit;")
    with pytest.raises(StepFailed, match="in no transaction; take it out"):
        run_step(session, step, BRIEF)


@pytest.mark.parametrize("text", ["select pg_sleep(60)", "vacuum job"])
def test_a_lost_connection_is_said_to_be_of_unknown_outcome(sessions, text):
    session, other = sessions(), sessions()
    step = only(text)
    ended = []

    def work():
        try:
            run_step(session, step, BRIEF, within=lambda within: within.execute("select pg_sleep(60)"))
        except StepFailed as failed:
            ended.append(failed)

    thread = threading.Thread(target=work)
    thread.start()
    sleeps = "select 1 from pg_stat_activity where pid = %s and query like '%%pg_sleep%%' and state = 'active'"
    awaited(lambda: other.execute(sleeps, [session.info.backend_pid]).fetchone(), "it does not run")
    other.execute("select pg_terminate_backend(%s)", [session.info.backend_pid])
    thread.join(60)
    (failed,) = ended
    assert failed.is_unknown
    assert "whether the step was committed is not known here: the next run reads it from the record" in str(failed)

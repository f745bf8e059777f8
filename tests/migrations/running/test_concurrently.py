"""What is done concurrently leaves no invalid index, and is taken up again where it was broken off."""

from __future__ import annotations

import threading

import psycopg
import pytest

from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.running.failures import StepFailed
from jobarium_events.migrations.running.running import run_step
from tests.migrations.patience import awaited
from tests.migrations.running.conftest import BRIEF, INDEXES, INVALID, only


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
    with pytest.raises(StepFailed, match=r'could not create unique index "job_title" .*find them by `group by`'):
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

"""A step is run whole or not at all, waits briefly, and tells no value of a row."""

from __future__ import annotations

import threading

import pytest

from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.running.failures import StepFailed
from jobarium_events.migrations.running.running import run_step
from tests.migrations.patience import awaited
from tests.migrations.running.conftest import BRIEF, only


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

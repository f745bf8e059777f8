"""What is SQLite's own about the inbox; what it shares with the others is in tests/test_inboxes.py."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobarium_events import Consumer, Outcome
from jobarium_events.errors import DeclarationError
from jobarium_events.inboxes import NotCommitted
from jobarium_events.sqlite import Busy, SqliteDeadLetters, SqliteInbox, Unusable
from tests.inboxes import CATALOG, job


@pytest.fixture
def path(tmp_path):
    return tmp_path / "service.db"


@pytest.fixture
def inbox(path):
    found = SqliteInbox(path)
    yield found
    found.close()


def consumer_of(inbox: SqliteInbox, handler: Any) -> Consumer:
    consumer = Consumer(CATALOG, name="taker", inbox=inbox)
    consumer.on("job.updated", "v1")(handler)
    return consumer


def nothing(_: Any) -> None:
    pass


class TestTransaction:
    @pytest.mark.parametrize(
        "end",
        [
            lambda connection: connection.commit(),
            lambda connection: connection.rollback(),
            lambda connection: connection.execute("commit"),
            lambda connection: connection.execute("ROLLBACK"),
            lambda connection: connection.executescript("select 1"),
            lambda connection: connection.__exit__(None, None, None),
        ],
    )
    def test_a_handler_cannot_end_it(self, inbox, end):
        message = job(1)
        for _ in range(2):  # nor once the statement is compiled
            with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
                consumer_of(inbox, lambda _: end(inbox.connection)).consume(message.body)
        assert consumer_of(inbox, nothing).consume(message.body) is Outcome.HANDLED

    def test_a_handler_may_use_savepoints(self, inbox):
        def take(_: Any) -> None:
            inbox.connection.execute("create table effect (a)")
            inbox.connection.execute("savepoint part")
            inbox.connection.execute("insert into effect values (1)")
            inbox.connection.execute("rollback to part")
            inbox.connection.execute("insert into effect values (2)")

        assert consumer_of(inbox, take).consume(job(1).body) is Outcome.HANDLED
        seen = []
        consumer_of(inbox, lambda _: seen.extend(inbox.connection.execute("select a from effect"))).consume(job(2).body)
        assert seen == [(2,)]

    def test_an_error_that_rolled_it_back_cannot_be_hidden(self, inbox):
        message = job(1)

        def take(_: Any) -> None:
            inbox.connection.execute("create table effect (a unique on conflict rollback)")
            inbox.connection.execute("insert into effect values (1)")
            with contextlib.suppress(sqlite3.IntegrityError):
                inbox.connection.execute("insert into effect values (1)")

        with pytest.raises(NotCommitted, match="SQLite roll the transaction back"):
            consumer_of(inbox, take).consume(message.body)
        assert consumer_of(inbox, nothing).consume(message.body) is Outcome.HANDLED

    def test_a_connection_that_a_handler_closed_is_replaced(self, inbox):
        message = job(1)
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            consumer_of(inbox, lambda _: inbox.connection.close()).consume(message.body)
        assert consumer_of(inbox, nothing).consume(message.body) is Outcome.HANDLED

    def test_what_a_handler_sets_on_it_is_not_carried_over(self, inbox):
        seen = []

        def take(_: Any) -> None:
            connection = inbox.connection
            seen.append((connection.row_factory, connection.text_factory, connection.isolation_level))
            connection.row_factory, connection.text_factory = sqlite3.Row, bytes
            connection.isolation_level = "IMMEDIATE"

        outcomes = [consumer_of(inbox, take).consume(job(number).body) for number in range(3)]
        assert outcomes == [Outcome.HANDLED] * 3
        assert seen == [(None, str, None)] * 3

    def test_there_is_a_connection_only_within_a_handler(self, inbox):
        with pytest.raises(DeclarationError, match="within a handler"):
            _ = inbox.connection


class TestFile:
    def test_it_is_kept(self, path):
        message = job(1)
        outcomes = []
        for _ in range(2):
            inbox = SqliteInbox(path)
            outcomes.append(consumer_of(inbox, nothing).consume(message.body))
            inbox.close()
        assert outcomes == [Outcome.HANDLED, Outcome.DUPLICATE]

    @pytest.mark.parametrize("path", ["", ":memory:"])
    def test_it_must_be_one(self, path):
        with pytest.raises(DeclarationError, match="name one"):
            SqliteInbox(path)

    @pytest.mark.parametrize(
        ("path", "problem"),
        [
            ("sqlite:///jobs.db", "not a URL; write 'jobs.db'$"),
            ("sqlite:////var/jobs.db", "not a URL; write '/var/jobs.db'$"),
            ("postgresql://postgres:secret@host/jobs", "not a URL$"),
            ("file:jobs.db?mode=ro", "not a URL$"),
        ],
    )
    @pytest.mark.parametrize("kind", [SqliteInbox, SqliteDeadLetters])
    def test_a_url_is_refused_at_once(self, kind, path, problem):
        with pytest.raises(DeclarationError, match=problem):
            kind(path)

    def test_one_that_cannot_be_opened_is_named(self, path, tmp_path):
        with pytest.raises(Unusable) as caught:
            consumer_of(SqliteInbox(tmp_path / "no" / "jobs.db"), nothing).consume(job(1).body)
        assert str(caught.value) == f"{tmp_path / 'no' / 'jobs.db'} cannot be used: unable to open database file"
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        path.write_text("not a database, but long enough to be looked at" * 100)
        with pytest.raises(Unusable, match=r"service\.db cannot be used: file is not a database"):
            consumer_of(SqliteInbox(path), nothing).consume(job(1).body)

    def test_one_that_is_locked_while_its_tables_are_to_be_made(self, path):
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("pragma journal_mode = wal")
            other.execute("begin immediate")
            with pytest.raises(Busy):
                consumer_of(SqliteInbox(path, patience=0.1), nothing).consume(job(1).body)

    @pytest.mark.parametrize("way", [Consumer.consume, Consumer.aconsume])
    def test_who_waits_too_long_is_told(self, path, way):
        inbox = SqliteInbox(path, patience=0.2)
        consumer = consumer_of(inbox, nothing)
        consumer.consume(job(1).body)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")

        async def wait() -> None:
            outcome = way(consumer, job(2).body)
            await outcome if way is Consumer.aconsume else outcome

        with pytest.raises(Busy, match=r"service\.db was locked for 0\.2 seconds"):
            asyncio.run(wait())
        other.execute("rollback")
        other.close()
        assert consumer.consume(job(2).body) is Outcome.HANDLED
        inbox.close()

    def test_one_that_another_has_alone_while_it_is_opened_is_waited_for(self, path, inbox):
        consumer = consumer_of(inbox, nothing)
        consumer.consume(job(1).body)
        inbox.close()
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        other.execute("commit")
        with contextlib.closing(sqlite3.connect(path, timeout=0)) as third, pytest.raises(sqlite3.OperationalError):
            third.execute("pragma synchronous = full")
        release = threading.Timer(0.3, other.close)
        release.start()
        assert consumer.consume(job(2).body) is Outcome.HANDLED
        release.join()

    def test_one_that_another_keeps_alone_is_given_up(self, path):
        inbox = SqliteInbox(path, patience=0.2)
        consumer = consumer_of(inbox, nothing)
        consumer.consume(job(1).body)
        inbox.close()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("pragma locking_mode = exclusive")
            other.execute("begin exclusive")
            with pytest.raises(Busy, match=r"was locked for 0\.2 seconds"):
                consumer.consume(job(2).body)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_process_opens_its_own_connections(self, path):
        # in a process of its own: a fork of pytest would warn of its threads
        code = """
import os, sys
from jobarium_events import Consumer
from jobarium_events.sqlite import SqliteInbox
from tests.inboxes import CATALOG, job
inbox = SqliteInbox(sys.argv[1])
consumer = Consumer(CATALOG, name="taker", inbox=inbox)
consumer.on("job.updated", "v1")(lambda _: None)
message = job(1)
consumer.consume(message.body)
mine = inbox._database._idle[0]
if os.fork() == 0:
    outcome = consumer.consume(message.body)
    assert inbox._database._idle[0] is not mine
    print(outcome, flush=True)
    os._exit(0)
os.wait()
print(consumer.consume(message.body))
"""
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["duplicate", "duplicate"]

    def test_several_processes_may_begin_it_at_once(self, path):
        code = """
import sys
from jobarium_events import Consumer
from jobarium_events.sqlite import SqliteInbox
from tests.inboxes import CATALOG
consumer = Consumer(CATALOG, name="taker", inbox=SqliteInbox(sys.argv[1]))
consumer.on("job.updated", "v1")(lambda _: None)
for line in sys.stdin.buffer:
    print(consumer.consume(line.strip()), flush=True)
"""
        lines = b"".join(job(1, f"j-{number}").body + b"\n" for number in range(20))
        workers = [
            subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(3)
        ]
        for worker in workers:
            worker.stdin.write(lines)
            worker.stdin.close()
        outcomes = [line.decode().strip() for worker in workers for line in worker.stdout]
        for worker in workers:
            worker.stdout.close()
        assert [worker.wait(30) for worker in workers] == [0, 0, 0]
        assert sorted(outcomes) == ["duplicate"] * 40 + ["handled"] * 20


def test_where_nothing_was_handled_there_is_nothing_to_prune(path):
    inbox = SqliteInbox(path)
    assert (inbox.missing(), inbox.prune(datetime.now(UTC))) == ("inbox_event", 0)
    assert not path.exists()
    consumer_of(inbox, nothing).consume(job(1).body)
    assert inbox.missing() is None
    assert inbox.prune(datetime(1, 1, 1, tzinfo=UTC)) == 0
    inbox.close()


def test_old_rows_go_in_batches_and_positions_stay(inbox):
    consumer = consumer_of(inbox, nothing)
    messages = [job(number) for number in range(25)]
    for message in messages:
        consumer.consume(message.body)
    assert inbox.prune(datetime.now(UTC) - timedelta(days=7)) == 0
    assert inbox.prune(datetime.now(UTC) + timedelta(days=7), batch=10) == 25
    assert consumer.consume(messages[0].body) is Outcome.STALE

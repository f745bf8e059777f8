"""Whatever is killed, locked or lost: each row is counted exactly once. `make faults` kills fifty times."""

from __future__ import annotations

import random
import select
import socket
import threading
import time

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from jobarium_events.migrations import BackfillFailed, Environment
from tests.migrations.patience import awaited
from tests.migrations.tallies import KILLS, counts, execute, jobs, ran, rows, running, written

ROWS = 3_000 * KILLS  # so many that small batches with rests between them are not at their end before the kills are
CRASHES = 3 if KILLS < 50 else 10
AT_WORK = "select from jobarium_migrations.backfill where finished_at is null"


def test_a_runner_that_is_killed_at_random_while_others_write(database, tmp_path):
    """Writers add 1,000 to some rows meanwhile, roll some of that back, and add and delete rows of their own."""
    jobs(database, ROWS)
    migration = written(tmp_path, batch_rows=20, batch_time="2ms", share=0.5)
    chance = random.Random(7)
    with Writers(database, ROWS) as writers:
        for _ in range(KILLS):
            done = _batches(database)
            with running(database, migration) as process:
                awaited(lambda done=done: _batches(database) > done, "no batch is done")
                time.sleep(chance.random() * 0.05)
                process.kill()
                process.wait()
            awaited(lambda: not _sessions(database), "the session of a killed process does not end")
        assert rows(database, AT_WORK), "there was nothing left to be killed"
        with running(database, migration) as process:
            assert process.wait(120) == 0
    kept = rows(database, "select id, n from job where id <= %s", [ROWS])
    wrong = [(key, n) for key, n in kept if n != 1 + 1_000 * writers.added.get(key, 0)]
    assert not wrong
    assert len(kept) == ROWS
    assert rows(database, "select passed >= %s from jobarium_migrations.backfill", [ROWS]) == [(True,)]


def _batches(url):
    if rows(url, "select to_regclass('jobarium_migrations.backfill')") == [(None,)]:
        return 0
    return rows(url, "select coalesce(max(batches), 0) from jobarium_migrations.backfill")[0][0]


def _sessions(url):
    mine = "select pid from pg_stat_activity where application_name = 'backfill-test' and datname = current_database()"
    return rows(url, mine)


class Writers:
    """Two who change several rows in a transaction, each in an order of its own, so that deadlocks come about."""

    def __init__(self, url, most):
        self._url, self._most = url, most
        self.added = {}
        self._kept = threading.Lock()
        self._left = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(seed,)) for seed in (1, 2)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._left.set()
        for thread in self._threads:
            thread.join()

    def _write(self, seed):
        chance = random.Random(seed)
        with psycopg.connect(self._url) as connection:
            number = self._most + seed
            while not self._left.wait(0.005):
                keys = chance.sample(range(1, self._most + 1), 3)
                number += 2
                try:
                    for key in keys:
                        connection.execute("update job set n = n + 1000 where id = %s", [key])
                    connection.execute("insert into job values (%s, 5)", [number])
                    connection.execute("delete from job where id = %s", [number])
                    if chance.random() < 0.2:
                        connection.rollback()
                        continue
                    connection.commit()
                except psycopg.errors.DeadlockDetected:
                    connection.rollback()
                    continue
                with self._kept:
                    for key in keys:
                        self.added[key] = self.added.get(key, 0) + 1


def test_sessions_that_are_terminated_at_random(database, tmp_path):
    jobs(database, 10_000)
    migration = written(tmp_path, batch_rows=20, batch_time="1ms")
    chance = random.Random(3)
    timers = []

    def terminate(found):
        if found.batches >= 3 * (len(timers) + 1) and len(timers) < 5:
            timers.append(threading.Timer(chance.random() * 0.02, lambda: execute(database, END)))
            timers[-1].start()

    named = make_conninfo(database, application_name="backfill-test")
    assert ran(named, migration, watch=terminate, environment=Environment(attempts=20)).is_complete
    for timer in timers:
        timer.join()
    assert len(timers) == 5
    assert counts(database) == {1: 10_000}


END = """select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'backfill-test'"""


def test_a_commit_whose_answer_is_lost(database, tmp_path):
    """The network ends between a commit and its answer: only the checkpoint says that the batch is done."""
    jobs(database, 2_000)
    migration = written(tmp_path, batch_rows=20, batch_time="1m")
    with Network(database) as network:

        def watch(found):
            network.swallows = found.batches > 1 and network.swallowed < 2

        done = ran(network.url, migration, watch=watch, environment=Environment(attempts=5))
        assert network.swallowed == 2
    assert done.is_complete
    assert counts(database) == {1: 2_000}


class Network:
    """Stands between client and server, and can lose the answer to a commit."""

    def __init__(self, url):
        given = psycopg.conninfo.conninfo_to_dict(url)
        self._to = given["host"], int(given["port"])
        self._server = socket.create_server(("127.0.0.1", 0))
        port = self._server.getsockname()[1]
        self.url = make_conninfo(url, port=port, sslmode="disable", gssencmode="disable")
        self.swallows, self.swallowed = False, 0
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join()

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client):
        with client, socket.create_connection(self._to) as server:
            committing = False
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    got = ready.recv(65_536)
                    if not got:
                        return
                    if ready is client:
                        committing = self.swallows and b"COMMIT" in got
                        server.sendall(got)
                    elif committing:
                        self.swallows, self.swallowed = False, self.swallowed + 1
                        return
                    else:
                        client.sendall(got)


@pytest.mark.parametrize("number", range(2))
def test_deadlocks_are_tried_again(database, tmp_path, number):
    """Another session holds a later row, and then wants an earlier one that the batch holds."""
    jobs(database, 100)
    execute(
        database,
        f"alter database {psycopg.conninfo.conninfo_to_dict(database)['dbname']} set deadlock_timeout = '50ms'",
    )
    migration = written(tmp_path, batch_time="10s")
    other = psycopg.connect(database)
    other.execute("update job set n = n + 10 where id = 90")
    outcome = []

    def cross():
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        awaited(lambda: rows(database, waiting), "the batch does not wait")
        try:
            other.execute("update job set n = n + 10 where id = 10")
            other.commit()
            outcome.append(10)
        except psycopg.errors.DeadlockDetected:
            other.rollback()
            outcome.append(0)

    thread = threading.Thread(target=cross)
    thread.start()
    done = ran(database, migration)
    thread.join()
    other.close()
    assert done.is_complete
    found = dict(rows(database, "select id, n from job where id in (10, 90)"))
    assert found == {10: 1 + outcome[0], 90: 1 + outcome[0]}
    assert sum(n for (n,) in rows(database, "select n from job")) == 100 + 2 * outcome[0]


def test_a_postgres_that_crashes(own_postgres, tmp_path):
    """Commits that had not come to the disk are lost with their checkpoints, and done again."""
    url = own_postgres.url
    jobs(url, 3_000 * CRASHES)
    migration = written(tmp_path, batch_rows=20, batch_time="1ms", share=0.1)
    chance = random.Random(5)
    for _ in range(CRASHES):
        with running(url, migration) as process:
            begun = _batches(url)
            awaited(lambda begun=begun: _batches(url) > begun, "no batch is done", 0.005)
            time.sleep(chance.random() * 0.1)
            own_postgres.crash()
            process.kill()
        assert (
            sum(n for (n,) in rows(url, "select n from job"))
            == rows(url, "select passed from jobarium_migrations.backfill")[0][0]
        )
    with running(url, migration) as process:
        assert process.wait(120) == 0
    assert counts(url) == {1: 3_000 * CRASHES}


FULL = """create function full_disk() returns trigger language plpgsql as $$ begin {} return new; end $$;
    create trigger full_disk before update on job for each row when (old.id = 250) execute function full_disk()"""
FULL_DISKS = {
    "disk full": "raise exception 'no space for Secret' using errcode = '53100';",
    "configuration limit exceeded": "perform set_config('work_mem', '64kB', true);"
    " perform set_config('temp_file_limit', '0', true);"
    " perform n from generate_series(1, 200000) as n order by n desc;",
}


@pytest.mark.parametrize("problem", FULL_DISKS)
def test_a_full_disk_undoes_the_batch_and_the_next_run_goes_on(database, tmp_path, problem):
    """What does not fit in a batch is undone with its checkpoint; what was committed before stays."""
    jobs(database, 500)
    migration = written(tmp_path, batch_rows=20, batch_time="1ms")
    execute(database, FULL.format(FULL_DISKS[problem]))
    with pytest.raises(BackfillFailed) as failed:
        ran(database, migration)
    assert "Secret" not in str(failed.value)
    assert str(failed.value).endswith("; what is done stays, and the next run goes on after the last batch")
    assert f"failed: {problem}" in str(failed.value)
    ((passed,),) = rows(database, "select passed from jobarium_migrations.backfill where finished_at is null")
    assert 0 < passed < 250
    assert counts(database) == {1: passed, 0: 500 - passed}
    execute(database, "drop trigger full_disk on job")
    assert ran(database, migration).is_complete
    assert counts(database) == {1: 500}

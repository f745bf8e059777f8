"""What `install` finds is left, mended or moved, and a table of somebody else is refused."""

from __future__ import annotations

import psycopg
import pytest

from jobarium_events.migrations.own.installing import install
from jobarium_events.migrations.own.parts import How
from jobarium_events.migrations.own.refusals import NotInstalled
from jobarium_events.migrations.own.sources import MOVED_BY, own_migrations
from jobarium_events.migrations.record.record import Direction, Event, Record
from jobarium_events.migrations.record.states import Stage
from jobarium_events.postgres import Outbox, PostgresInbox
from tests.migrations.own.installed import WHO, connected, first_form, hows, is_recorded, stages
from tests.migrations.own.test_own import SCHEMA, catalog, parts


class TestWhatIsThereAlready:
    def test_tables_of_the_schema_are_left_and_recorded(self, database):
        with connected(database) as connection:
            connection.execute(SCHEMA)
            before = catalog(connection)
            assert hows(install(database, *parts(), **WHO)) == [How.FOUND] * 3
            assert catalog(connection) == before
        assert stages(database) == dict.fromkeys(("0001_outbox", "0004_inbox", "0008_dead_letters"), Stage.APPLIED)

    def test_tables_that_were_expanded_are_left(self, database):
        first_form(database)
        with connected(database) as connection:
            connection.execute(Outbox().expand)
            connection.execute(PostgresInbox(psycopg.connect).expand)
            before = catalog(connection)
            assert hows(install(database, *parts()[:2], **WHO)) == [How.FOUND] * 2
            assert catalog(connection) == before

    @pytest.mark.parametrize(
        ("sql", "part", "said"),
        [
            ("create table outbox_event (id int, foo text)", 0, "it has no column position, .*, but id, foo; expected"),
            ("create table inbox_event (mine int)", 1, "it has no column consumer_name, .*, but mine; .* first form"),
            ("create table dead_letter (mine int)", 2, "it has no column id, raw"),
            ("create view outbox_event as select 1 as position", 0, "is a view, and no table"),
            (
                "create table outbox_event (position int) partition by range (position)",
                0,
                "is a partitioned table, and no table",
            ),
            ("create type inbox_position as (n int)", 1, "inbox_position is a type, and no table"),
            (
                f"{SCHEMA}; alter table outbox_event drop constraint outbox_event_event_name_idempotency_key_key",
                0,
                "it has no unique index on event_name, idempotency_key",
            ),
            (
                f"{SCHEMA}; create unique index on inbox_event (event_id)",
                1,
                "it has a unique index on event_id alone",
            ),
        ],
    )
    def test_a_table_of_somebody_else_is_left_as_it_is_and_nothing_is_recorded(self, database, sql, part, said):
        with connected(database) as connection:
            connection.execute(sql)
            before = catalog(connection)
            with pytest.raises(NotInstalled, match=said):
                install(database, parts()[part], **WHO)
            assert catalog(connection) == before
        assert not is_recorded(database)

    @pytest.mark.parametrize(
        ("sql", "way_out"),
        [
            ("create table outbox_event (id int, foo text)", "drop table outbox_event"),
            ("create view inbox_event as select 1", "drop view inbox_event"),
            ("create table dead_letter (mine int)", "alter table dead_letter rename to my_letter"),
        ],
    )
    def test_once_the_obstacle_is_gone_it_works(self, database, sql, way_out):
        with connected(database) as connection:
            connection.execute(sql)
            for _ in range(2):
                with pytest.raises(NotInstalled):
                    install(database, *parts(), **WHO)
            connection.execute(way_out)
        assert hows(install(database, *parts(), **WHO)) == [How.MADE] * 3
        assert hows(install(database, *parts(), **WHO)) == [How.FOUND] * 3

    def test_a_record_of_a_way_that_was_refused_before_its_first_step_keeps_nothing_back(self, database):
        """An earlier release began to move whatever was there, recorded that, and was refused for ever."""
        (moving, _) = own_migrations(Outbox().names, MOVED_BY["outbox_event"], suffix="@public.outbox_event").ordered
        with connected(database) as connection:
            record = Record(**WHO)
            record.install(connection)
            place = {"direction": Direction.UP, "round_": 1}
            record.write(connection, Event.BEGAN, moving, **place)
            record.write(connection, Event.NOT_VERIFIED, moving, **place, problem="no column aggregate_type")
        assert hows(install(database, Outbox(), **WHO)) == [How.MADE]
        assert hows(install(database, Outbox(), **WHO)) == [How.FOUND]

    def test_an_index_that_is_gone_or_invalid_is_built_again(self, each_database):
        install(each_database, *parts(), **WHO)
        with connected(each_database) as connection:
            before = catalog(connection)
            connection.execute("drop index outbox_event_held, inbox_event_processed_at")
            told = []
            found = install(each_database, *parts(), **WHO, watch=told.append)
            assert hows(found) == [How.MENDED, How.MENDED, How.FOUND]
            assert [each.is_done for each in told] == [False, True] * 2
            assert catalog(connection) == before
            connection.execute(
                "update pg_index set indisvalid = false where indexrelid = 'outbox_event_held'::regclass"
            )
            assert hows(install(each_database, Outbox(), **WHO)) == [How.MENDED]
            assert catalog(connection) == before
        assert hows(install(each_database, *parts(), **WHO)) == [How.FOUND] * 3

    def test_a_unique_index_of_a_table_that_was_moved_is_built_again(self, database):
        first_form(database)
        install(database, *parts()[:2], **WHO)
        with connected(database) as connection:
            before = catalog(connection)
            connection.execute("drop index outbox_event_position, inbox_event_key")
            assert hows(install(database, *parts()[:2], **WHO)) == [How.MENDED] * 2
            assert catalog(connection) == before

    def test_a_table_that_was_moved_and_is_the_first_again_is_moved_again(self, database):
        first_form(database)
        install(database, *parts()[:2], **WHO)
        with connected(database) as connection:
            connection.execute("drop table outbox_event, inbox_event, inbox_position")
        first_form(database)
        assert hows(install(database, *parts()[:2], **WHO)) == [How.MOVED] * 2
        with connected(database) as connection:
            assert connection.execute("select count(distinct position) from outbox_event").fetchone() == (3,)
            connection.execute("drop table outbox_event, inbox_event, inbox_position")
        assert hows(install(database, *parts()[:2], **WHO)) == [How.MADE] * 2
        assert hows(install(database, *parts()[:2], **WHO)) == [How.FOUND] * 2

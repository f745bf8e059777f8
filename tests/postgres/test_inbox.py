"""What is Postgres's own about the inbox; what it shares with the others is in tests/test_inboxes.py."""

import contextlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from jobarium_events import Consumer, Outcome
from jobarium_events.errors import DeclarationError
from jobarium_events.inboxes import NotCommitted
from jobarium_events.postgres import NoTable, Outbox, PostgresInbox
from tests.inboxes import CATALOG, invite, job

FIRST_FORM = """
create table inbox_event (
    id uuid primary key, event_id text unique not null, event_name text not null, consumer_name text not null,
    received_at timestamptz not null, processed_at timestamptz, status text not null, error_message text
)
"""
OTHER = "create table inbox_event (a int)", "it is no inbox; name others by --event-table and --position-table, in code"


def options(database: Any) -> str:
    return f"-c search_path={database.schema}"


@pytest.fixture
def pool(postgres):
    with ConnectionPool(postgres.url, kwargs={"options": options(postgres)}, min_size=1, open=True) as found:
        yield found


@pytest.fixture
def inbox(pool):
    found = PostgresInbox(pool)
    with pool.connection() as connection:
        connection.execute(found.tables)
        connection.execute("create table effect (what text)")
    return found


def consumer_of(inbox: PostgresInbox, handler: Any) -> Consumer:
    consumer = Consumer(CATALOG, name="taker", inbox=inbox)
    consumer.on("job.updated", "v1")(handler)
    consumer.on("invite.expired", "v1")(handler)
    return consumer


def rows(pool: Any, query: str) -> list[Any]:
    with pool.connection() as connection:
        return connection.execute(query).fetchall()


class TestTransaction:
    def test_the_outbox_joins_it(self, inbox, pool):
        outbox, works = Outbox(), [False]
        with pool.connection() as connection:
            connection.execute(outbox.tables)

        def take(_: Any) -> None:
            outbox.add(inbox.connection, invite(1))
            if not works[0]:
                raise KeyError

        consumer = consumer_of(inbox, take)
        message = job(1)
        with pytest.raises(KeyError):
            consumer.consume(message.body)
        assert rows(pool, "select * from outbox_event") == []
        works[0] = True
        assert consumer.consume(message.body) is Outcome.HANDLED
        assert rows(pool, "select event_name from outbox_event") == [("invite.expired",)]

    def test_there_is_a_connection_only_within_a_handler(self, inbox):
        seen = []
        consumer = consumer_of(inbox, lambda _: seen.append(inbox.connection))
        consumer.consume(job(1).body)
        assert isinstance(seen[0], psycopg.Connection)
        with pytest.raises(DeclarationError, match="within a handler"):
            _ = inbox.connection

    def test_a_handler_that_hides_an_error_of_its_transaction_has_not_handled_the_event(self, inbox, pool):
        def take(_: Any) -> None:
            inbox.connection.execute("insert into effect values ('a')")
            with contextlib.suppress(psycopg.Error):
                inbox.connection.execute("select no_such_column")

        with pytest.raises(NotCommitted, match="caught an error of its transaction") as caught:
            consumer_of(inbox, take).consume(job(1).body)
        assert (caught.value.event, caught.value.version) == ("job.updated", "v1")
        assert rows(pool, "select * from effect") == []
        assert consumer_of(inbox, lambda _: None).consume(job(1).body) is Outcome.HANDLED

    def test_what_may_fail_stands_in_a_transaction_of_its_own(self, inbox, pool):
        def take(_: Any) -> None:
            inbox.connection.execute("insert into effect values ('a')")
            try:
                with inbox.connection.transaction():
                    inbox.connection.execute("select no_such_column")
            except psycopg.Error:
                pass

        assert consumer_of(inbox, take).consume(job(1).body) is Outcome.HANDLED
        assert rows(pool, "select * from effect") == [("a",)]

    @pytest.mark.parametrize("ends", [["rollback"], ["rollback; begin"], ["rollback", "begin"], ["rollback and chain"]])
    @pytest.mark.parametrize("message", [job(1), invite(1)])
    def test_a_handler_that_rolls_back_has_not_handled_the_event(self, inbox, pool, ends, message):
        def take(_: Any) -> None:
            inbox.connection.execute("insert into effect values ('a')")
            for end in ends:
                inbox.connection.execute(end)

        with pytest.raises(NotCommitted, match="was not handled: it rolled back the transaction") as caught:
            consumer_of(inbox, take).consume(message.body)
        assert caught.value.counts is False
        assert rows(pool, "select * from effect") == []
        assert consumer_of(inbox, lambda _: None).consume(message.body) is Outcome.HANDLED

    @pytest.mark.parametrize("ends", [["commit"], ["commit; begin"], ["commit", "begin"], ["commit and chain"]])
    @pytest.mark.parametrize("message", [job(1), invite(1)])
    def test_a_handler_that_commits_is_told_and_the_event_counts(self, inbox, pool, ends, message):
        def take(_: Any) -> None:
            inbox.connection.execute("insert into effect values ('a')")
            for end in ends:
                inbox.connection.execute(end)
            inbox.connection.execute("insert into effect values ('b')")

        with pytest.raises(NotCommitted, match="counts as handled, but not as a whole: it committed") as caught:
            consumer_of(inbox, take).consume(message.body)
        assert caught.value.counts is True
        assert rows(pool, "select * from effect") == [("a",), ("b",)]
        assert consumer_of(inbox, take).consume(message.body) is Outcome.DUPLICATE

    def test_an_error_that_is_hidden_after_a_commit_is_told_as_that(self, inbox, pool):
        def take(_: Any) -> None:
            inbox.connection.execute("insert into effect values ('a')")
            inbox.connection.execute("commit; begin")
            with contextlib.suppress(psycopg.Error):
                inbox.connection.execute("select no_such_column")

        message = job(1)
        with pytest.raises(NotCommitted, match="counts as handled"):
            consumer_of(inbox, take).consume(message.body)
        assert rows(pool, "select * from effect") == [("a",)]
        assert consumer_of(inbox, take).consume(message.body) is Outcome.DUPLICATE

    @pytest.mark.parametrize(("end", "counts"), [("commit; begin", True), ("rollback; begin", False)])
    async def test_over_async_connections_too(self, inbox, postgres, end, counts):
        kwargs = {"options": options(postgres)}
        async with AsyncConnectionPool(postgres.url, kwargs=kwargs, min_size=1, open=False) as pool:
            found = PostgresInbox(pool)

            async def take(_: Any) -> None:
                await found.connection.execute(end)

            async def hide(_: Any) -> None:
                with contextlib.suppress(psycopg.Error):
                    await found.connection.execute("select no_such_column")

            message = job(1)
            with pytest.raises(NotCommitted) as caught:
                await consumer_of(found, take).aconsume(message.body)
            assert caught.value.counts is counts
            again = await consumer_of(found, lambda _: None).aconsume(message.body)
            assert again is (Outcome.DUPLICATE if counts else Outcome.HANDLED)
            with pytest.raises(NotCommitted, match="caught an error of its transaction"):
                await consumer_of(found, hide).aconsume(job(2).body)

    @pytest.mark.parametrize("statement", ["set application_name = 'mine'", "reset all", "savepoint a"])
    def test_what_a_handler_sets_does_not_matter(self, inbox, pool, statement):
        def take(_: Any) -> None:
            inbox.connection.execute("insert into effect values ('a')")
            inbox.connection.execute(statement)

        message = job(1)
        outcomes = [consumer_of(inbox, take).consume(message.body) for _ in range(2)]
        assert outcomes == [Outcome.HANDLED, Outcome.DUPLICATE]
        assert rows(pool, "select * from effect") == [("a",)]

    @pytest.mark.parametrize("name", ["matching-service", "", "Größe", "x" * 70])
    def test_while_it_is_handled_an_event_is_seen_in_the_connections_name(self, inbox, postgres, name):
        kwargs = {"options": options(postgres), "application_name": name}
        with ConnectionPool(postgres.url, kwargs=kwargs, min_size=1, max_size=1, open=True) as pool:
            [(before,)] = rows(pool, "show application_name")
            found, seen = PostgresInbox(pool), []

            def take(_: Any) -> None:
                seen.extend(found.connection.execute("show application_name").fetchone())

            assert consumer_of(found, take).consume(job(1).body) is Outcome.HANDLED
            assert seen == [f"inbox: {before}"[:63]]
            assert rows(pool, "show application_name") == [(before,)]

    def test_psycopg_refuses_a_handler_its_own_commit(self, inbox):
        message = job(1)
        with pytest.raises(psycopg.ProgrammingError, match="commit"):
            consumer_of(inbox, lambda _: inbox.connection.commit()).consume(message.body)
        assert consumer_of(inbox, lambda _: None).consume(message.body) is Outcome.HANDLED

    def test_psycopgs_rollback_is_not_taken_for_handled(self, inbox):
        message = job(1)

        def take(_: Any) -> None:
            raise psycopg.Rollback

        with pytest.raises(NotCommitted, match=r"raised psycopg\.Rollback"):
            consumer_of(inbox, take).consume(message.body)
        assert consumer_of(inbox, lambda _: None).consume(message.body) is Outcome.HANDLED

    def test_a_constraint_that_fails_at_the_commit_leaves_the_event_unhandled(self, inbox, pool):
        with pool.connection() as connection:
            connection.execute("create table once (a int unique deferrable initially deferred)")
            connection.execute("insert into once values (1)")
        message = job(1)
        with pytest.raises(psycopg.errors.UniqueViolation):
            consumer_of(inbox, lambda _: inbox.connection.execute("insert into once values (1)")).consume(message.body)
        assert consumer_of(inbox, lambda _: None).consume(message.body) is Outcome.HANDLED


class TestConnections:
    def test_how_they_are_set_up_does_not_matter(self, postgres, inbox):
        kwargs = {
            "options": options(postgres),
            "row_factory": dict_row,
            "autocommit": True,
            "cursor_factory": psycopg.ClientCursor,
        }
        with ConnectionPool(postgres.url, kwargs=kwargs, min_size=1, open=True) as pool:
            found = PostgresInbox(pool)
            consumer = consumer_of(found, lambda _: found.connection.execute("insert into effect values ('a')"))
            old, new = job(1), job(2)
            outcomes = [consumer.consume(each.body) for each in (new, new, old)]
            assert outcomes == [Outcome.HANDLED, Outcome.DUPLICATE, Outcome.STALE]
            assert rows(pool, "select * from effect") == [{"what": "a"}]

    def test_a_function_may_open_them(self, postgres, inbox):
        opened = []

        def connect() -> psycopg.Connection[Any]:
            opened.append(psycopg.connect(postgres.url, options=options(postgres)))
            return opened[-1]

        consumer, message = consumer_of(PostgresInbox(connect), lambda _: None), job(1)
        assert [consumer.consume(message.body) for _ in range(2)] == [Outcome.HANDLED, Outcome.DUPLICATE]
        assert [connection.closed for connection in opened] == [True, True]

    async def test_an_async_function_may_open_them(self, postgres, inbox):
        async def connect() -> psycopg.AsyncConnection[Any]:
            return await psycopg.AsyncConnection.connect(postgres.url, options=options(postgres))

        consumer, message = consumer_of(PostgresInbox(connect), lambda _: None), job(1)
        assert [await consumer.aconsume(message.body) for _ in range(2)] == [Outcome.HANDLED, Outcome.DUPLICATE]

    def test_a_function_must_not_return_one_in_use(self, postgres, inbox):
        def connect() -> psycopg.Connection[Any]:
            connection = psycopg.connect(postgres.url, options=options(postgres))
            connection.execute("select 1")
            return connection

        with pytest.raises(DeclarationError, match="with a transaction open"):
            consumer_of(PostgresInbox(connect), lambda _: None).consume(job(1).body)

    async def test_sync_and_async_are_not_mixed_up(self, inbox, postgres):
        with pytest.raises(DeclarationError, match="PostgresInbox: its connections are those of a sync pool"):
            await consumer_of(inbox, lambda _: None).aconsume(job(1).body)
        async with AsyncConnectionPool(postgres.url, open=False, min_size=1) as pool:
            consumer = consumer_of(PostgresInbox(pool), lambda _: None)
            with pytest.raises(DeclarationError, match="PostgresInbox: its connections are those of an async pool"):
                consumer.consume(job(1).body)
            with pytest.raises(DeclarationError, match="of an async pool"):
                PostgresInbox(pool.getconn).prune(datetime.now(UTC))

    def test_anything_else_is_refused_at_once(self):
        with pytest.raises(DeclarationError, match="PostgresInbox needs a ConnectionPool"):
            PostgresInbox("postgresql://")  # type: ignore[arg-type]


class TestTables:
    def test_their_names_can_be_chosen(self, postgres, pool):
        found = PostgresInbox(pool, schema=postgres.schema, event_table='in"box %', position_table="Höhe")
        with pool.connection() as connection:
            connection.execute(found.tables)
            connection.execute(found.tables)  # a second time changes nothing
        consumer, message = consumer_of(found, lambda _: None), job(1)
        assert [consumer.consume(message.body) for _ in range(2)] == [Outcome.HANDLED, Outcome.DUPLICATE]
        assert found.prune(datetime.now(UTC) + timedelta(days=1)) == 1

    def test_a_table_of_the_first_form_can_be_made_fit(self, pool):
        found = PostgresInbox(pool)
        done, begun = job(1), job(2)
        with pool.connection() as connection:
            connection.execute(FIRST_FORM)
            for message, moment in ((done, "now()"), (begun, "null")):
                connection.execute(
                    f"insert into inbox_event values (%s, %s, 'job.updated', 'taker', now(), {moment}, 'x', null)",
                    (uuid.uuid4(), message.attributes["event_id"]),
                )
            connection.execute(found.expand)
        consumer = consumer_of(found, lambda _: None)
        assert [consumer.consume(each.body) for each in (done, begun, begun)] == [
            Outcome.DUPLICATE,
            Outcome.HANDLED,
            Outcome.DUPLICATE,
        ]
        other = Consumer(CATALOG, name="other", inbox=found)
        other.on("job.updated", "v1")(lambda _: None)
        assert other.consume(done.body) is Outcome.HANDLED

    def test_one_that_is_missing_is_named_with_the_command_that_makes_it(self, postgres, pool):
        inbox = PostgresInbox(pool)
        with pytest.raises(NoTable) as caught:
            consumer_of(inbox, lambda _: None).consume(job(1).body)
        assert str(caught.value) == (
            '"inbox_event" cannot be used: relation "inbox_event" does not exist; '
            "run the SQL that `jobarium-events inbox tables` prints"
        )
        assert isinstance(caught.value.__cause__, psycopg.errors.UndefinedTable)
        elsewhere = PostgresInbox(pool, schema=postgres.schema, event_table="handled", position_table="places")
        options = f"--schema {postgres.schema} --event-table handled --position-table places"
        with pytest.raises(NoTable, match=f"`jobarium-events inbox tables {options}`"):
            elsewhere.prune(datetime.now(UTC))

    async def test_one_that_is_missing_over_async_connections(self, postgres):
        async def connect() -> psycopg.AsyncConnection[Any]:
            return await psycopg.AsyncConnection.connect(postgres.url)

        inbox = PostgresInbox(connect, schema=postgres.schema)
        with pytest.raises(NoTable, match="inbox tables"):
            await consumer_of(inbox, lambda _: None).aconsume(job(1).body)
        with pytest.raises(NoTable, match="inbox tables"):
            await inbox.aprune(datetime.now(UTC))

    @pytest.mark.parametrize(("form", "way"), [(FIRST_FORM, "`jobarium-events inbox tables --expand`"), OTHER])
    def test_one_of_another_form(self, pool, form, way):
        with pool.connection() as connection:
            connection.execute(form)
        with pytest.raises(NoTable, match=way):
            consumer_of(PostgresInbox(pool), lambda _: None).consume(job(1).body)

    def test_one_that_the_handler_misses_is_its_own_matter(self, inbox):
        with pytest.raises(psycopg.errors.UndefinedTable):
            consumer_of(inbox, lambda _: inbox.connection.execute("select * from nope")).consume(job(1).body)

    def test_a_row_says_what_was_handled(self, inbox, pool):
        message = job(3, "j-9")
        consumer_of(inbox, lambda _: None).consume(message.body, {"replay": "true"})
        [row] = rows(pool, "select consumer_name, event_id::text, event_name, event_version, replay from inbox_event")
        assert row == ("taker", message.attributes["event_id"], "job.updated", "v1", True)
        assert rows(pool, "select aggregate, number, words from inbox_position") == [("j-9", 3, None)]

    def test_one_statement_claims_an_event(self, inbox, pool, monkeypatch):
        asked = []
        execute = psycopg.Cursor.execute
        monkeypatch.setattr(psycopg.Cursor, "execute", lambda *given: (asked.append(given[1]), execute(*given))[1])
        consumer = consumer_of(inbox, lambda _: None)
        consumer.consume(job(1).body)
        consumer.consume(invite(1).body)
        assert len(asked) == 2  # and none asks whether the handler left the transaction as it was


class TestPrune:
    def test_old_rows_go_in_batches_and_positions_stay(self, inbox, pool):
        consumer = consumer_of(inbox, lambda _: None)
        messages = [job(number) for number in range(25)]
        for message in messages:
            consumer.consume(message.body)
        with pool.connection() as connection:
            connection.execute("update inbox_event set processed_at = now() - interval '8 days' where replay = false")
        consumer.consume(invite(1).body)
        assert inbox.prune(datetime.now(UTC) - timedelta(days=7), batch=10) == 25
        assert rows(pool, "select event_name from inbox_event") == [("invite.expired",)]
        assert consumer.consume(messages[0].body) is Outcome.STALE
        assert inbox.prune(datetime.now(UTC) - timedelta(days=7)) == 0

    async def test_over_async_connections(self, inbox, postgres):
        consumer_of(inbox, lambda _: None).consume(job(1).body)
        kwargs = {"options": options(postgres)}
        async with AsyncConnectionPool(postgres.url, kwargs=kwargs, min_size=1, open=False) as pool:
            assert await PostgresInbox(pool).aprune(datetime.now(UTC) + timedelta(days=1), batch=1) == 1

    def test_it_looks_by_the_index(self, inbox, pool):
        with pool.connection() as connection:
            connection.execute("""
                insert into inbox_event
                select 'taker', gen_random_uuid(), 'a', 'v1', n::text, false, now() - n * interval '1 minute'
                from generate_series(1, 5000) n
            """)
            connection.execute("analyze inbox_event")
            query = inbox._prune.decode().replace("%(before)s", "now() - interval '3 days'").replace("%(batch)s", "9")
            plan = "\n".join(row[0] for row in connection.execute(f"explain {query}").fetchall())
        assert "Tid Scan" in plan
        assert "inbox_event_processed_at" in plan
        assert "Seq Scan" not in plan

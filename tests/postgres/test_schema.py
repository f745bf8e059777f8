"""`schema.sql` makes in a new database what outbox, inbox and dead letters need there, by their default names."""

from __future__ import annotations

from importlib.resources import files

import psycopg

from jobarium_events.postgres import Outbox, PostgresDeadLetters, PostgresInbox

SCHEMA = files("jobarium_events.postgres").joinpath("schema.sql").read_text(encoding="utf-8")


def nowhere():
    raise AssertionError("nothing is to be connected to")


def parts():
    return [Outbox().tables, PostgresInbox(nowhere).tables, PostgresDeadLetters(nowhere).tables]


def test_it_is_what_the_parts_ask_for():
    head, _, statements = SCHEMA.partition("\n\n")
    assert all(line.startswith("-- ") for line in head.splitlines())
    assert statements == "\n\n".join(parts()) + "\n"


def test_it_makes_the_tables_and_can_be_repeated(postgres):
    with psycopg.connect(
        postgres.url, options=f"-c search_path={postgres.schema} -c client_min_messages=warning"
    ) as connection:
        for _ in range(2):
            connection.execute(SCHEMA)
        found = connection.execute(
            "select relname from pg_class where relnamespace = %s::regnamespace and relkind = 'r'", [postgres.schema]
        )
        assert {name for (name,) in found} == {"outbox_event", "inbox_event", "inbox_position", "dead_letter"}

"""Tables of the first form, and what a database has after `install`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import psycopg

from jobarium_events.migrations.record.record import entries
from jobarium_events.migrations.record.states import Stage, states
from tests.inboxes import job as job_event
from tests.postgres.test_inbox import FIRST_FORM as FIRST_INBOX
from tests.postgres.test_outbox import FIRST_FORM as FIRST_OUTBOX
from tests.postgres.test_outbox import OLD_ROW

if TYPE_CHECKING:
    from jobarium_events.migrations.own.parts import How

WHO = {"environment": "production", "operator": "ada"}
OLD_EVENT = """
insert into inbox_event (id, event_id, event_name, consumer_name, received_at, processed_at, status)
values (gen_random_uuid(), %s, 'job.updated', 'taker', now(), {}, 'done')
"""


def connected(url: str) -> psycopg.Connection:
    """Return a connection that is told no notices."""
    return psycopg.connect(url, autocommit=True, options="-c client_min_messages=warning")


def first_form(url: str, rows: int = 3) -> list[str]:
    """Make tables of the first form with rows; return the ids of events that were handled."""
    handled = []
    with connected(url) as connection:
        connection.execute(FIRST_OUTBOX.format("public"))
        connection.execute(FIRST_INBOX)
        for _ in range(rows):
            connection.execute(OLD_ROW.format("public"))
            message = job_event(len(handled) + 1)
            connection.execute(OLD_EVENT.format("now()"), [message.attributes["event_id"]])
            connection.execute(OLD_EVENT.format("null"), [str(uuid.uuid4())])
            handled.append(message)
    return handled


def hows(found) -> list[How]:
    """Return what became of each table."""
    return [each.how for each in found]


def is_recorded(url: str) -> bool:
    """Return whether the database has a record."""
    with connected(url) as connection:
        return connection.execute("select to_regnamespace('jobarium_migrations') is not null").fetchone() == (True,)


def stages(url: str) -> dict[str, Stage]:
    """Return how far each of the library's own migrations is."""
    with connected(url) as connection:
        return {id_.partition("@")[0]: state.stage for id_, state in states(entries(connection), own=True).items()}

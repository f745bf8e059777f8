"""A service that consumes with an inbox, as a process that may be killed: ``python -m tests.consuming_worker``.

Each line that it reads is a delivery: the event, and what is to happen in its handler. Each line that it prints says
what came of one; a delivery without a line was never acknowledged.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from jobarium_events import Consumer, Event
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.postgres import PostgresDeadLetters, PostgresInbox
from jobarium_events.sqlite import SqliteDeadLetters, SqliteInbox
from tests.inboxes import CATALOG

ATTEMPTS = 5


def inbox_and_letters(place: str) -> tuple[Any, Any]:
    """Return both for a database's URL and options, or a file."""
    if not place.startswith("{"):
        return SqliteInbox(place), SqliteDeadLetters(place)

    options = json.loads(place)
    pool = ConnectionPool(options.pop("conninfo"), kwargs=options, min_size=1, open=True)
    return PostgresInbox(pool), PostgresDeadLetters(pool)


def main(place: str) -> None:
    """Consume what comes."""
    inbox, letters = inbox_and_letters(place)
    consumer = Consumer(CATALOG, name="taker", inbox=inbox, dead_letters=letters, attempts=ATTEMPTS)
    plan = ""

    @consumer.on(JobUpdatedV1)
    def take(event: Event[JobUpdatedV1]) -> None:
        values = (str(event.event_id), event.payload.job_id, event.payload.job_version)
        marks = ", ".join(["%s" if place.startswith("{") else "?"] * 3)
        inbox.connection.execute(f"insert into effect (event_id, aggregate, position) values ({marks})", values)
        if plan == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if plan == "raises":
            raise ValueError
        if plan == "inside":  # the database crashes now, and a line says when it has
            sys.stdout.write("inside\n")
            sys.stdout.flush()
            sys.stdin.readline()

    for line in sys.stdin:
        raw, plan = json.loads(line)
        try:
            told = str(consumer.consume(raw.encode()))
        except (ValueError, psycopg.OperationalError):
            told = "raised"
        if plan == "killed late":
            os.kill(os.getpid(), signal.SIGKILL)  # committed, and not acknowledged
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_text(encoding="utf-8"))

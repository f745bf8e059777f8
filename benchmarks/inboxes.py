"""What an inbox in Postgres adds to the two statements that anybody would need, one event a transaction."""

from __future__ import annotations

import itertools
import secrets
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from benchmarks.events import catalog
from benchmarks.results import Row
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import Effort, Task, compared, race
from jobarium_events import Consumer, Outcome
from tests.servers import Missing, postgres_url

__all__ = ["inboxes"]

AGGREGATES = 1_000
# The statements of the inbox as they would be written without it: one to remember the event, one for its position.
_REMEMBER = (
    "insert into by_hand_event (consumer_name, event_id, event_name, event_version, idempotency_key, replay) "
    "values (%s, %s, %s, %s, %s, %s) on conflict do nothing"
)
_MOVE = (
    "insert into by_hand_position as held (consumer_name, event_name, aggregate, number) values (%s, %s, %s, %s) "
    "on conflict (consumer_name, event_name, aggregate) do update set number = excluded.number "
    "where held.number <= excluded.number"
)


def inboxes(effort: Effort) -> list[Row]:
    """Compare consuming with the Postgres inbox to its statements by hand; without a Postgres, say so and skip."""
    try:
        import psycopg_pool  # noqa: F401, PLC0415 - one of the extras

        url = postgres_url()
    except (ImportError, Missing) as missing:
        print(f"left out: consume with the Postgres inbox: {missing}", file=sys.stderr)
        return []
    with _tables(url) as pool:
        tasks = [Task.of(_consuming(pool)), Task.of(_by_hand(pool))]
        times = race(tasks, Effort(max(10, effort.rounds // 4), effort.slice_seconds * 5, 0))
    name = "consume with the Postgres inbox, one event a transaction"
    return [Row(name, "the same two statements by hand", compared(*times), 1 / 0.7)]


@contextmanager
def _tables(url: str) -> Iterator[Any]:
    """Lend a pool on a schema of its own. Commits do not wait for the disk, which would hide all else."""
    import psycopg  # noqa: PLC0415 - one of the extras
    from psycopg_pool import ConnectionPool  # noqa: PLC0415

    from jobarium_events.postgres import PostgresInbox  # noqa: PLC0415

    schema = f"jobarium_benchmark_{secrets.token_hex(5)}"
    options = f"-c search_path={schema} -c synchronous_commit=off"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create schema {schema}")
        try:
            with ConnectionPool(url, kwargs={"options": options}, min_size=1, max_size=1, open=True) as pool:
                with pool.connection() as lent:
                    for prefix in ("inbox", "by_hand"):
                        names = {"event_table": f"{prefix}_event", "position_table": f"{prefix}_position"}
                        lent.execute(PostgresInbox(pool, **names).tables)
                yield pool
        finally:
            connection.execute("set client_min_messages = warning")
            connection.execute(f"drop schema {schema} cascade")


def _raws() -> Iterator[bytes]:
    document = {
        "event_name": "job.updated",
        "event_version": "v1",
        "event_id": "",
        "occurred_at": "2026-07-01T12:00:00Z",
        "producer": "job-service",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "idempotency_key": "",
        "payload": {"job_id": "", "job_version": 0, "status": "active", "updated_at": "2026-07-01T12:00:00Z"},
    }
    for number in itertools.count(1):
        job_id, position = f"j-{number % AGGREGATES}", number // AGGREGATES
        document["event_id"] = str(uuid.uuid4())
        document["idempotency_key"] = f"job.updated:{job_id}:{position}"
        document["payload"] |= {"job_id": job_id, "job_version": position}
        yield orjson.dumps(document)


def _consuming(pool: Any) -> Callable[[], object]:
    from jobarium_events.postgres import PostgresInbox  # noqa: PLC0415 - one of the extras

    consumer = Consumer(catalog(), name="benchmark", inbox=PostgresInbox(pool))
    consumer.on("job.updated", "v1")(lambda _: None)
    raws = _raws()
    first = next(raws)
    if [consumer.consume(first), consumer.consume(first)] != [Outcome.HANDLED, Outcome.DUPLICATE]:
        raise UnfitScenario("the inbox does not do its job")

    def consume() -> None:
        consumer.consume(next(raws))

    return consume


def _by_hand(pool: Any) -> Callable[[], object]:
    raws = _raws()

    def handle() -> None:
        event = orjson.loads(next(raws))
        payload, name = event["payload"], event["event_name"]
        remembered = ("benchmark", event["event_id"], name, event["event_version"], event["idempotency_key"], False)
        with pool.connection() as connection:
            if connection.execute(_REMEMBER, remembered).rowcount != 1:
                raise UnfitScenario("a new event is none")
            if connection.execute(_MOVE, ("benchmark", name, payload["job_id"], payload["job_version"])).rowcount != 1:
                raise UnfitScenario("an event in order is not")

    handle()
    return handle

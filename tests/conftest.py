"""Fixtures of the servers: each test has names of its own in them, and what it made is removed after it.

A server that is missing skips the test, with the reason, or fails it if `JOBARIUM_REQUIRE` names the server:
``JOBARIUM_REQUIRE=postgres,nats``.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

from tests import servers
from tests.strategies import examples

settings.register_profile("tests", examples(100))
settings.load_profile("tests")


class Server(NamedTuple):
    """A server, and how the names of whatever a test makes there begin."""

    url: str
    name: str


class Database(NamedTuple):
    """A Postgres, and an empty schema of the test's own."""

    url: str
    schema: str

    @property
    def within_schema(self) -> str:
        """The URL by which the schema is where tables are made and found."""
        return f"{self.url}{'&' if '?' in self.url else '?'}options=-csearch_path%3D{self.schema}"

    @property
    def sqlalchemy_url(self) -> str:
        """The same for SQLAlchemy."""
        return self.url.replace("postgresql://", "postgresql+psycopg://", 1)


class Names:
    """Names in a RabbitMQ, where nobody can ask which queues and exchanges there are."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.made: list[str] = []

    def named(self, what: str) -> str:
        """Return the name of a queue or an exchange that is removed after the test."""
        self.made.append(f"{self.name}-{what}")
        return self.made[-1]


def found(name: str, find: Callable[[], str]) -> str:
    """Return what finds a server, or skip the test; fail it where the server is required."""
    required = name in os.environ.get("JOBARIUM_REQUIRE", "").replace(" ", "").split(",")
    try:
        return find()
    except (servers.Missing, ImportError) as missing:
        if required:
            pytest.fail(f"{name} is required by JOBARIUM_REQUIRE, and missing: {missing}", pytrace=False)
        pytest.skip(f"needs {name}: {missing}")


def fresh_name() -> str:
    return f"jobarium_test_{secrets.token_hex(5)}"


def finished(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a loop of its own, whatever loop there is in this thread."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()


@pytest.fixture
def postgres() -> Iterator[Database]:
    url = found("postgres", servers.postgres_url)
    database = Database(url, fresh_name())
    yield from _within_schema(database)


@pytest.fixture
def own_postgres() -> Iterator[servers.OwnPostgres]:
    """A Postgres that only this test uses, and may crash."""
    server = started("postgres", servers.OwnPostgres)
    yield server
    server.close()


@pytest.fixture
def own_nats() -> Iterator[servers.OwnNats]:
    """A NATS server that only this test uses, and may kill and start."""
    server = started("nats", servers.OwnNats)
    yield server
    server.close()


def started(name: str, kind: Callable[[], Any]) -> Any:
    made: list[Any] = []
    found(name, lambda: made.append(kind()) or "")
    return made[0]


def _within_schema(database: Database) -> Iterator[Database]:
    import psycopg  # noqa: PLC0415 - one of the extras

    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"create schema {database.schema}")
        yield database
        connection.execute("set client_min_messages = warning")
        connection.execute(f"drop schema {database.schema} cascade")


@pytest.fixture
def nats() -> Iterator[Server]:
    server = Server(found("nats", servers.nats_url), fresh_name())
    yield server
    finished(_without_streams(server))


async def _without_streams(server: Server) -> None:
    from nats import connect  # noqa: PLC0415 - one of the extras

    client = await connect(server.url)
    try:
        streams = client.jetstream()
        for stream in await streams.streams_info():
            if (stream.config.name or "").startswith(server.name):
                await streams.delete_stream(stream.config.name)
    finally:
        await client.close()


@pytest.fixture
def redis() -> Iterator[Server]:
    server = Server(found("redis", servers.redis_url), fresh_name())
    yield server
    from redis import Redis  # noqa: PLC0415 - one of the extras

    with Redis.from_url(server.url) as client:
        for key in client.scan_iter(match=f"{server.name}*", count=1000):
            client.delete(key)


@pytest.fixture
def rabbitmq() -> Iterator[Names]:
    server = Names(found("rabbitmq", servers.rabbitmq_url), fresh_name())
    yield server
    finished(_without_queues(server))


async def _without_queues(server: Names) -> None:
    from aio_pika import connect  # noqa: PLC0415 - one of the extras

    async with await connect(server.url) as connection, connection.channel() as channel:
        for name in server.made:
            await channel.queue_delete(name)
            await channel.exchange_delete(name)


@pytest.fixture
def kafka() -> Server:
    """A Kafka; in the mock cluster a topic is made when it is first used, and goes with the cluster."""
    return Server(found("kafka", servers.kafka_servers), fresh_name())


@pytest.fixture
def mqtt() -> Server:
    return Server(found("mqtt", servers.mqtt_url), fresh_name())


@pytest.fixture
def pubsub() -> Server:
    """A Pub/Sub emulator; its URL is host and port, and its name that of a project of the test's own."""
    return Server(found("pubsub", servers.pubsub_host), fresh_name().replace("_", "-"))

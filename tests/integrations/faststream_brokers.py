"""The brokers that FastStream serves, each as the tests need it: made anew for every process that uses it."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

from aio_pika import connect as connect_to_rabbit
from faststream import confluent, kafka, mqtt, nats, rabbit, redis
from nats import connect as connect_to_nats
from nats.js.api import ConsumerConfig
from redis.asyncio import Redis
from zmqtt import ReconnectConfig

from jobarium_events import Catalog, Consumer, Contract, Event, Message, Producer
from jobarium_events.integrations.faststream import FastStreamTransport, attach
from jobarium_events.payloads import JobUpdatedV1

CATALOG = Catalog.bundled()
KINDS = ("kafka", "confluent", "rabbit", "nats", "redis", "mqtt")
SERVERS = {"confluent": "kafka", "rabbit": "rabbitmq"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE = 60.0
REDELIVER_AFTER = 0.1


class Place:
    """A destination of a test's own in one kind of broker.

    Args:
        kind: The module of FastStream's that serves it.
        url: Where the server is.
        name: Begins the name of whatever is made there.
    """

    def __init__(self, kind: str, url: str, name: str) -> None:
        self.kind = kind
        self.url = url
        self.name = name
        self.destination = name
        self.consumer = f"{name}-service"
        # A real Kafka lets no group have less; the mock gathers one for three seconds.
        self.session = 6_000 if os.environ.get("KAFKA_BOOTSTRAP_SERVERS") else 4_000

    def broker(self, client: str = "") -> Any:
        """Return a broker; a client of the same name goes on where the one before it ended."""
        match self.kind:
            case "kafka":
                return kafka.KafkaBroker(self.url.split(","), acks="all", logger=None)
            case "confluent":
                return confluent.KafkaBroker(self.url.split(","), logger=None)
            case "rabbit":
                return rabbit.RabbitBroker(self.url, logger=None)
            case "nats":
                return nats.NatsBroker(self.url, logger=None, max_reconnect_attempts=-1, reconnect_time_wait=0.05)
            case "redis":
                return redis.RedisBroker(self.url, logger=None)
            case "mqtt" if client:
                session: dict[str, Any] = {"clean_session": False, "session_expiry_interval": 60}
                session["reconnect"] = ReconnectConfig(max_attempts=None, initial_delay=0.05, max_delay=0.05)
                return mqtt.MQTTBroker(self.url, client_id=f"{self.name}{client}", logger=None, **session)
            case "mqtt":
                return mqtt.MQTTBroker(self.url, logger=None)
            case other:
                raise NotImplementedError(other)

    @property
    def attaching(self) -> dict[str, Any]:
        """What `attach` needs to be told; an event that nobody acknowledges is to come again soon."""
        match self.kind:
            case "kafka" | "confluent":
                return {"session_timeout_ms": self.session, "heartbeat_interval_ms": self.session // 5}
            case "rabbit":
                return {"exchange": self.exchange}
            case "nats":
                config = ConsumerConfig(filter_subjects=[], max_ack_pending=1, ack_wait=1)
                return {"stream": self.name, "config": config}
            case "redis":
                return {"min_idle_time": 500}
        return {}

    @property
    def sending(self) -> dict[str, Any]:
        """What a transport needs to be told."""
        match self.kind:
            case "rabbit":
                return {"exchange": self.exchange}
            case "nats":
                return {"stream": self.name}
        return {}

    @property
    def exchange(self) -> rabbit.RabbitExchange:
        return rabbit.RabbitExchange(f"{self.name}-events", type=rabbit.ExchangeType.TOPIC, auto_delete=True)

    def attach(self, broker: Any, consumer: Consumer, **options: Any) -> Any:
        destination: Any = self.destination
        if self.kind == "confluent":
            destination = confluent.Topic(destination, declare=False)  # librdkafka's mock cannot be asked for it
        options = {"redeliver_after": REDELIVER_AFTER, **self.attaching, **options}
        return attach(broker, consumer, destination, **options)

    def transport(self, broker: Any, **options: Any) -> FastStreamTransport:
        return FastStreamTransport(broker, **{"destination": self.destination, **self.sending, **options})

    async def prepare(self, broker: Any) -> None:
        """Have the topic be there: Kafka's clients look for a new one only now and then."""
        if self.kind in ("kafka", "confluent"):
            await self.transport(broker).asend(job("first", 0))

    async def remove(self) -> None:
        """Remove what was made at the server."""
        match self.kind:
            case "rabbit":
                async with await connect_to_rabbit(self.url) as connection, connection.channel() as channel:
                    await channel.queue_delete(f"{self.consumer}.{self.destination}")
            case "nats":
                client = await connect_to_nats(self.url)
                await client.jetstream().delete_stream(self.name)
                await client.close()
            case "redis":
                async with Redis.from_url(self.url) as client:
                    await client.delete(self.destination)


class Recorded(Consumer):
    """A consumer that keeps what it was given, and whose handlers do what a test has planned.

    Attributes:
        arrived: The bytes and the attributes of every delivery.
        handled: The events that a handler took.
        failures: By a job's id, how often its handler is to fail.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(CATALOG, name=f"{name}-service", **options)
        self.arrived: list[tuple[bytes, dict[str, str]]] = []
        self.handled: list[Event[Any]] = []
        self.failures: dict[str, int] = {}
        for contract in CATALOG:
            self.on(contract.event, contract.version)(self._handle)

    async def aconsume(self, raw: Any, attributes: Any = None) -> Any:
        self.arrived.append((raw, dict(attributes)))
        return await super().aconsume(raw, attributes)

    async def _handle(self, event: Event[Any]) -> None:
        await asyncio.sleep(0)
        job_id = getattr(event.payload, "job_id", "")
        if self.failures.get(job_id, 0) > 0:
            self.failures[job_id] -= 1
            raise ConnectionError("the database is away")
        self.handled.append(event)

    def of(self, job_id: str) -> list[int]:
        """Return the versions of a job that were handled, in order."""
        return [event.payload.job_version for event in self.handled if getattr(event.payload, "job_id", "") == job_id]

    def deliveries(self, message: Message) -> list[dict[str, str]]:
        """Return the attributes of each delivery of a message."""
        return [attributes for raw, attributes in self.arrived if raw == message.body]


def producer(contract: Contract | None = None, **options: Any) -> Producer:
    return Producer(CATALOG, name=contract.owner if contract else "job-service", **options)


def job(job_id: str, version: int, **fields: Any) -> Message:
    payload = JobUpdatedV1(job_id=job_id, job_version=version, status="active", updated_at=NOW)
    return producer().prepare(payload, **fields)


async def until(condition: Any, patience: float = PATIENCE) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 - some of what is awaited is another process's
            await asyncio.sleep(0.01)

"""Outbox, inbox and dead letters in a service's own Postgres, and the relay that publishes what the outbox holds."""

from jobarium_events.postgres.deadletters import AsyncPostgresDeadLetters, PostgresDeadLetters
from jobarium_events.postgres.inbox import PostgresInbox
from jobarium_events.postgres.lanes import Batch
from jobarium_events.postgres.missing import NoTable
from jobarium_events.postgres.outbox import Added, Outbox
from jobarium_events.postgres.relay import Relay

__all__ = [
    "Added",
    "AsyncPostgresDeadLetters",
    "Batch",
    "NoTable",
    "Outbox",
    "PostgresDeadLetters",
    "PostgresInbox",
    "Relay",
]

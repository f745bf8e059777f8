"""A migration's ways, gone without anybody watching: those before it, its way back, and its way there once more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jobarium_events.extras import extra
from jobarium_events.migrations.backfills import backfilling
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.running.running import run_step

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.settings import Environment

__all__ = ["Connect", "backfill", "forget", "go_back", "go_there"]

Connect = Callable[[], psycopg.Connection[Any]]


def go_there(connect: Connect, migration: Migration, environment: Environment) -> None:
    """Run ``up`` and the backfill.

    Raises:
        StepFailed: If Postgres refuses a statement.
        BackfillRefused: If the backfill cannot be begun.
        BackfillFailed: If a batch of it failed for good.
    """
    with connect() as connection:
        for step in steps(migration.up):
            run_step(connection, step, environment)
    if migration.backfill is not None:
        backfill(connect, migration, environment)


def go_back(connect: Connect, migration: Migration, environment: Environment) -> None:
    """Run ``down``.

    Raises:
        StepFailed: If Postgres refuses a statement.
    """
    with connect() as connection:
        for step in steps(migration.down):
            run_step(connection, step, environment)


def backfill(
    connect: Connect,
    migration: Migration,
    environment: Environment,
    begun: Callable[[psycopg.Connection[Any]], None] | None = None,
) -> None:
    """Run the backfill from its beginning; `begun` is called in the transaction of the first batch.

    Raises:
        BackfillRefused: If it cannot be begun.
        BackfillFailed: If a batch of it failed for good.
    """
    backfilling.run(connect, migration, environment, stop=threading.Event(), begun=begun)


def forget(connect: Connect) -> None:
    """Forget what was applied to the database; only its tables are wanted."""
    with connect() as connection:
        connection.execute("set client_min_messages = warning")
        connection.execute("drop schema if exists jobarium_migrations cascade")

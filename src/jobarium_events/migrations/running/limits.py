"""How long a statement may wait for a lock and take, and how often it is tried that gets none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobarium_events.extras import extra

with extra("migrations"):
    import psycopg
    import stamina
    from psycopg import errors

if TYPE_CHECKING:
    from jobarium_events.migrations.files.settings import Environment

__all__ = ["LIMITS", "TRIED_AGAIN", "attempts", "limit", "put"]

TRIED_AGAIN = (errors.LockNotAvailable, errors.DeadlockDetected)
"""What another attempt may get past."""

LIMITS = ("lock_timeout", "statement_timeout")
"""The settings of a session."""

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0


def attempts(environment: Environment) -> Iterator[stamina.Attempt]:
    """Yield the attempts that an environment allows, with pauses between them."""
    waits = {"wait_initial": _FIRST_WAIT, "wait_max": _LONGEST_WAIT, "wait_jitter": _FIRST_WAIT}
    yield from stamina.retry_context(on=TRIED_AGAIN, attempts=environment.attempts, timeout=None, **waits)


def limit(
    connection: psycopg.Connection[Any], environment: Environment, *, is_local: bool, waits: bool = False
) -> None:
    """Set the limits of an environment.

    Args:
        connection: Where.
        environment: Which limits.
        is_local: Whether they end with the transaction, not with the session.
        waits: Whether a lock is waited for however long it takes.
    """
    lock = 0 if waits else environment.lock_timeout.milliseconds
    longest = environment.statement_timeout.milliseconds
    put(connection, dict(zip(LIMITS, (f"{lock}ms", f"{longest}ms"), strict=True)), is_local=is_local)


def put(connection: psycopg.Connection[Any], values: Mapping[str, str], *, is_local: bool) -> None:
    """Set some settings."""
    calls = ", ".join(["set_config(%s, %s, %s)"] * len(values))
    connection.execute(f"select {calls}", [each for name in values for each in (name, values[name], is_local)])

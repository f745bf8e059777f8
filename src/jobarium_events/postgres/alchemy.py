"""SQLAlchemy's connections and sessions, sync and async, where psycopg is below them; itself it imports neither.

SQLAlchemy's errors quote a statement's parameters, and those of an outbox are payloads: they are taken out.
"""

from __future__ import annotations

import inspect
from typing import Any

from jobarium_events.errors import DeclarationError

__all__ = ["aexecuted", "executed", "is_async"]

_DRIVERS = ("psycopg", "psycopg_async")


def is_async(caller: Any) -> bool:
    """Whether a connection or session of SQLAlchemy is async.

    Raises:
        DeclarationError: If it is none of SQLAlchemy's.
    """
    ask = getattr(type(caller), "exec_driver_sql", None) or getattr(type(caller), "connection", None)
    if not callable(ask):
        raise _other(caller)
    return inspect.iscoroutinefunction(ask)


def executed(caller: Any, statement: str, values: dict[str, Any]) -> Any:
    """Execute a statement in the caller's transaction, and return its one row."""
    connection = caller if hasattr(caller, "exec_driver_sql") else caller.connection()
    _refuse(connection, caller)
    try:
        return connection.exec_driver_sql(statement, values).one()
    except Exception as error:
        _hide_parameters(error)
        raise


async def aexecuted(caller: Any, statement: str, values: dict[str, Any]) -> Any:
    """Execute a statement in the caller's transaction, and return its one row."""
    connection = caller if hasattr(caller, "exec_driver_sql") else await caller.connection()
    _refuse(connection, caller)
    try:
        return (await connection.exec_driver_sql(statement, values)).one()
    except Exception as error:
        _hide_parameters(error)
        raise


def _hide_parameters(error: Any) -> None:
    if getattr(error, "params", None) is not None:
        error.params, error.hide_parameters = None, True


def _other(caller: Any) -> DeclarationError:
    hint = "; take a connection from it: `with pool.connection() as connection`" if hasattr(caller, "putconn") else ""
    kind = type(caller)
    named = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return DeclarationError(
        "an outbox needs a psycopg Connection or AsyncConnection, or SQLAlchemy's Connection, Session, "
        f"AsyncConnection or AsyncSession, not {named}{hint}"
    )


def _refuse(connection: Any, caller: Any) -> None:
    """Raise if psycopg is not below, or each statement would be committed by itself.

    Raises:
        DeclarationError: If so.
    """
    try:
        driver = connection.dialect.driver
    except AttributeError:  # a pool has a method `connection` as well
        raise _other(caller) from None
    if driver not in _DRIVERS:
        raise DeclarationError(
            f"the outbox works through psycopg, and this engine through {driver}; make it with "
            "create_engine('postgresql+psycopg://...')"
        )
    sync = getattr(connection, "sync_connection", connection)
    if sync.connection.dbapi_connection.autocommit:
        raise DeclarationError(
            "the engine is in autocommit, so the event would be there whatever becomes of your own changes; "
            "give the engine another isolation level"
        )

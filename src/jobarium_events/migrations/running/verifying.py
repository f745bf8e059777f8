"""Queries that have to return what a migration says, and whether they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.annotations import json_text
from jobarium_events.extras import extra
from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.running.failures import said_by
from jobarium_events.migrations.running.limits import attempts, limit

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Check

__all__ = ["Verified", "verify"]

_DEFAULT = Environment()
_SHOWN = (bool, int, float, Decimal)


class Verified(msgspec.Struct, frozen=True):
    """What came of a check.

    Attributes:
        name: Of the check.
        ok: Whether the query returned what it must.
        problem: What is wrong otherwise; it has no text of a row.
    """

    name: str
    ok: bool
    problem: str = ""


def verify(
    connection: psycopg.Connection[Any], checks: Iterable[Check], environment: Environment = _DEFAULT
) -> tuple[Verified, ...]:
    """Run some checks, each in a transaction that only reads.

    Args:
        connection: In autocommit.
        checks: What to ask.
        environment: How long a query may wait for a lock and take, and how often it is tried that gets none.

    Returns:
        What came of each, in their order.

    Raises:
        psycopg.OperationalError: If the connection is lost.
    """
    return tuple(_verified(connection, check, environment) for check in checks)


def _verified(connection: psycopg.Connection[Any], check: Check, environment: Environment) -> Verified:
    most = len(check.returns)
    found: list[tuple[Any, ...]] = []
    try:
        for each in attempts(environment):
            with each:
                found = _asked(connection, check, environment, most + 1)
    except psycopg.Error as error:
        if connection.closed:
            raise
        return Verified(check.name, ok=False, problem=f"line {check.query.line}: {said_by(error, check.query.text)}")
    if [tuple(map(_plain, row)) for row in found] == [tuple(map(_plain, row)) for row in check.returns]:
        return Verified(check.name, ok=True)
    return Verified(check.name, ok=False, problem=f"line {check.query.line}: {_difference(check.returns, found)}")


def _asked(
    connection: psycopg.Connection[Any], check: Check, environment: Environment, most: int
) -> list[tuple[Any, ...]]:
    with connection.transaction():
        connection.execute("set transaction read only")
        limit(connection, environment, is_local=True)
        with connection.cursor(name="verify") as cursor:  # it reads no more rows than it takes
            return cursor.execute(check.query.text.encode()).fetchmany(most)


def _difference(wanted: Sequence[tuple[Any, ...]], found: Sequence[tuple[Any, ...]]) -> str:
    """Return how rows differ: one value from another one, and of anything else only how many rows do."""
    if _is_one_value(wanted) and _is_one_value(found):
        is_text = isinstance(wanted[0][0], str)
        return (
            f"must return {_wanted(wanted)}, and returned {_cell(found[0][0], 'another text' if is_text else 'a text')}"
        )
    if len(found) == len(wanted):
        pairs = zip(found, wanted, strict=True)
        differing = sum(tuple(map(_plain, one)) != tuple(map(_plain, other)) for one, other in pairs)
        differ = f"{differing} differ{'s' if differing == 1 else ''}"
        return f"must return {_wanted(wanted)}, and of the {_counted(len(found))} that it returned {differ}"
    if len(found) > len(wanted):  # no more than one too many was read
        returned = f"more than {_counted(len(wanted))}" if wanted else "at least 1 row"
    else:
        returned = _counted(len(found)) if found else "nothing"
    return f"must return {_wanted(wanted)}, and returned {returned}"


def _wanted(rows: Sequence[tuple[Any, ...]]) -> str:
    """Return what the file says that a query returns: one value, or how many rows."""
    if not _is_one_value(rows):
        return _counted(len(rows)) if rows else "nothing"
    value = rows[0][0]
    return json_text(value) if isinstance(value, str) else _cell(value, str(value))


def _is_one_value(rows: Sequence[tuple[Any, ...]]) -> bool:
    return len(rows) == 1 and len(rows[0]) == 1


def _plain(value: Any) -> tuple[type, Any]:
    """Return a value as it is compared: a true is no 1, and what TOML cannot write is a text."""
    match value:
        case bool():
            return bool, value
        case int() | float():
            return float, value
        case Decimal():
            is_whole = value.is_finite() and value == value.to_integral_value()
            return float, int(value) if is_whole else float(value)
        case datetime(tzinfo=tzinfo) if tzinfo is not None:
            return str, str(value.astimezone(UTC))
        case None:
            return str, None
        case _:
            return str, str(value)


def _cell(value: Any, otherwise: str) -> str:
    """Return a value that is no text of a row, and else what stands for it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, _SHOWN) else otherwise


def _counted(number: int) -> str:
    return f"{number} row{'' if number == 1 else 's'}"

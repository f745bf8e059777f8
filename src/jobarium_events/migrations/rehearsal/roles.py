"""The roles that migrations name: a Postgres that was just started has none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.statements import identifier

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["make_roles", "roles_named"]


def roles_named(statements: Iterable[Statement]) -> frozenset[str]:
    """Return the roles that some statements name, but for those that they make."""
    named: set[str] = set()
    made: set[str] = set()
    for statement in statements:
        named.update(_named(statement.node))
        if statement.kind == "create_role_stmt":
            made.add(statement.node.role)
    return frozenset(named - made)


def make_roles(connection: Connection[Any], names: Iterable[str]) -> tuple[str, ...]:
    """Make the roles that are not there, and return their names."""
    there = {name for (name,) in connection.execute("select rolname from pg_roles").fetchall()}
    missing = tuple(sorted(name for name in names if name not in there and not name.startswith("pg_")))
    for name in missing:
        connection.execute(f"create role {identifier(name)}".encode())
    return missing


def _named(message: Any) -> Iterator[str]:
    if message.DESCRIPTOR.name == "RoleSpec" and message.rolename:
        yield message.rolename
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if isinstance(value, Iterable) else (value,):
                yield from _named(each)

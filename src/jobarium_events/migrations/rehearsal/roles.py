"""The roles that migrations name: a Postgres that was just started has none of them.

There they are made. On a Postgres that is given by its URL they are not, as they would be there for its other databases
as well, and be left there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.rehearsal.refusals import ScratchError
from jobarium_events.statements import identifier

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["check_roles", "make_roles", "roles_kept", "roles_named"]

_MAKES_ANY = ("do_stmt", "call_stmt")
_MADE = re.compile(r'\bcreate\s+(?:role|user)\s+(?:"([^"]+)"|(\w+))', re.IGNORECASE)


def roles_named(statements: Iterable[Statement]) -> frozenset[str]:
    """Return the roles that some statements name, but for those that they make."""
    named: set[str] = set()
    made: set[str] = set()
    for statement in statements:
        named.update(_named(statement.node))
        if statement.kind == "create_role_stmt":
            made.add(statement.node.role)
        if statement.kind in _MAKES_ANY:  # which may do so only where it is not there, as what was before may need it
            blocks = {quoted or plain.lower() for quoted, plain in _MADE.findall(statement.text)}
            made.update(blocks - named)
    return frozenset(named - made)


def make_roles(connection: Connection[Any], names: Iterable[str]) -> tuple[str, ...]:
    """Make the roles that are not there, and return their names."""
    missing = _missing(connection, names)
    for name in missing:
        connection.execute(f"create role {identifier(name)}".encode())
    return missing


@contextmanager
def roles_kept(connect: Callable[[], Connection[Any]]) -> Iterator[None]:
    """Drop the roles that are made meanwhile: a block that was run to look ahead makes them again when it counts.

    Args:
        connect: Opens a connection to a Postgres that nobody else makes roles on.
    """
    with connect() as connection:
        before = _there(connection)
    yield
    with connect() as connection:
        for name in sorted(_there(connection) - before):
            connection.execute(f"drop role {identifier(name)}".encode())


def check_roles(connection: Connection[Any], earlier: Sequence[Migration], migration: Migration) -> None:
    """See whether a Postgres has the roles that a migration names, or those that are run before it.

    Args:
        connection: To any of its databases.
        earlier: Those that are run before, in their order.
        migration: The migration.

    Raises:
        ScratchError: If it lacks one that no statement makes.
    """
    parts = [(each, statement) for each in (*earlier, migration) for statement in each.up]
    parts += [(migration, statement) for statement in migration.down]
    blocks = [statement.text for _, statement in parts if statement.kind in _MAKES_ANY]
    named = roles_named(statement for _, statement in parts if not _may_lack(statement))
    missing = [name for name in _missing(connection, named) if not any(name in each for each in blocks)]
    if not missing:
        return
    wheres = []
    for name in missing:
        migration, statement = next((each, part) for each, part in parts if name in roles_named([part]))
        wheres.append(f"{name}, which line {statement.line} of {migration.path.name} names")
    them, make = ("them", "s") if len(missing) > 1 else ("it", "")
    raise ScratchError(
        f"the Postgres to rehearse on lacks the role{make} {'; '.join(wheres)}; make {them} there with create role, as "
        "roles belong to the whole server, or rehearse without a URL, on a Postgres that is started with "
        f"{them}"
    )


def _may_lack(statement: Statement) -> bool:
    return statement.kind == "drop_role_stmt" and bool(statement.node.missing_ok)


def _missing(connection: Connection[Any], names: Iterable[str]) -> tuple[str, ...]:
    there = _there(connection)
    return tuple(sorted(name for name in names if name not in there and not name.startswith("pg_")))


def _there(connection: Connection[Any]) -> set[str]:
    return {name for (name,) in connection.execute("select rolname from pg_roles").fetchall()}


def _named(message: Any) -> Iterator[str]:
    if message.DESCRIPTOR.name == "RoleSpec" and message.rolename:
        yield message.rolename
    if message.DESCRIPTOR.name == "GrantRoleStmt":  # `grant reader to app`: the first of both is written as a privilege
        yield from (each.access_priv.priv_name for each in message.granted_roles)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if isinstance(value, Iterable) else (value,):
                yield from _named(each)

"""Indexes that are built, rebuilt or dropped CONCURRENTLY: what a failed or a killed one leaves, and its removal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jobarium_events.extras import extra
from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.running.failures import StepFailed, said_by
from jobarium_events.migrations.running.indexes import is_the_one
from jobarium_events.statements import statements

with extra("migrations"):
    import psycopg
    from psycopg import sql

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["cleaned", "finishing", "is_built", "waits_unseen"]

SQL = statements(__package__, "concurrently.sql")
_SCHEMA = "REINDEX_OBJECT_SCHEMA"


def waits_unseen(statement: Statement) -> bool:
    """Whether it waits for older transactions while nobody who reads or writes waits behind it."""
    return statement.kind in ("index_stmt", "reindex_stmt", "drop_stmt")


def is_built(connection: psycopg.Connection[Any], statement: Statement) -> bool:
    """Whether the index that a statement builds is there, on its table, and valid.

    Raises:
        StepFailed: If one of its name is there that was made otherwise, or may have been; it is left as it is.
    """
    if statement.kind != "index_stmt":
        return False
    found = connection.execute(SQL["built"], (_quoted(statement.node.relation), statement.node.idxname)).fetchone()
    if found is None:
        return False
    if not is_the_one(statement.node, found[0]):
        problem = (
            f"an index {statement.node.idxname} is there already, and it cannot be told that it is this one: it is "
            f"`{found[0]}`, and asked for is `{' '.join(statement.text.split())}`; nothing was dropped; drop it or "
            "rename it, and apply again"
        )
        raise StepFailed(statement.line, problem)
    return True


def finishing(connection: psycopg.Connection[Any], statement: Statement) -> str | None:
    """Return what finishes the work of a statement that was broken off; None if it is to be run as it is."""
    if statement.kind != "alter_table_stmt":
        return None
    command = getattr(statement.node.cmds[0].alter_table_cmd, "def").partition_cmd
    parent, part = _quoted(statement.node.relation), _quoted(command.name)
    if connection.execute(SQL["is_detaching"], (part, parent)).fetchone() is None:
        return None
    return f"alter table {parent} detach partition {part} finalize"


@contextmanager
def cleaned(connection: psycopg.Connection[Any], statement: Statement) -> Iterator[None]:
    """Drop the invalid indexes that an earlier run of a statement has left, and those that this one leaves if it fails.

    Raises:
        StepFailed: If the index has no name, or if another session builds one on the table.
    """
    if statement.kind not in ("index_stmt", "reindex_stmt"):
        yield
        return
    if statement.kind == "index_stmt" and not statement.node.idxname:
        problem = "builds an index that has no name; give it one, by which a run that is broken off can be cleaned up"
        raise StepFailed(statement.line, problem)
    _drop_invalid(connection, statement)
    try:
        yield
    except psycopg.Error as error:
        if connection.closed:
            raise
        try:
            _drop_invalid(connection, statement)
        except psycopg.Error as other:
            said = said_by(error, statement.text)
            problem = f"{said}; the invalid index is still there, the next run drops it ({said_by(other)})"
            raise StepFailed(statement.line, problem, error.sqlstate) from None
        raise


def _drop_invalid(connection: psycopg.Connection[Any], statement: Statement) -> None:
    found = connection.execute(SQL["invalid"], _scope(statement)).fetchall()
    for schema, name, builder in found:
        if builder is not None:
            problem = f"the session {builder} is building the index {name}; wait until it has ended, and apply again"
            raise StepFailed(statement.line, problem)
        connection.execute(sql.SQL("drop index concurrently if exists {}").format(sql.Identifier(schema, name)))


def _scope(statement: Statement) -> dict[str, str | None]:
    """Return where to look for what a statement leaves: a table, a schema, or all; and by which name."""
    node = statement.node
    scope: dict[str, str | None] = {"relation": None, "schema": None, "name": None}
    if node.relation.relname:
        scope["relation"] = _quoted(node.relation)
    if statement.kind == "index_stmt":
        scope["name"] = node.idxname
    elif enum_name(node, "kind") == _SCHEMA:
        scope["schema"] = node.name
    return scope


def _quoted(relation: Any) -> str:
    names = (relation.schemaname, relation.relname)
    return ".".join('"' + name.replace('"', '""') + '"' for name in names if name)

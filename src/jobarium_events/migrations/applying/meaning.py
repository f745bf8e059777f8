"""What columns mean as the database has it, where the files do not say so: the comments that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.names import listed_names, relation_name
from jobarium_events.migrations.lint.rules import commented_types
from jobarium_events.statements import statements

if TYPE_CHECKING:
    from psycopg import Connection

    from jobarium_events.migrations.files.migration import Migration

__all__ = ["meant_otherwise"]

_SQL = statements(__package__, "meaning.sql")


def meant_otherwise(connection: Connection[Any], migration: Migration) -> tuple[tuple[str, str], ...]:
    """Return the columns on which ``up`` comments, or on whose types, and which the database says something else of.

    Where there is no comment yet, nothing is said otherwise. Nor is it where the comment is there already, as after a
    run that was broken off.

    Returns:
        Pairs of a table, with its schema unless that is ``public``, and a column.
    """
    commented = [each for each in migration.up if each.kind == "comment_stmt"]
    if not commented:
        return ()
    made = {relation_name(each.node.relation) for each in migration.up if each.kind == "create_stmt"}
    columns: dict[tuple[str, str], str] = {}
    for each in commented:
        if enum_name(each.node, "objtype") == "OBJECT_COLUMN":
            columns[listed_names(each.node.object)] = each.node.comment
    found: dict[tuple[str, str], None] = {}
    for (table, column), text in columns.items():
        named = {"table": table, "column": column, "text": text}
        if table not in made and connection.execute(_SQL["column"], named).fetchone() is not None:
            found[table, column] = None
    for type_, text in commented_types(commented).items():
        found.update(
            ((row[0], row[1]), None) for row in connection.execute(_SQL["type"], {"type": type_, "text": text})
        )
    return tuple(found)

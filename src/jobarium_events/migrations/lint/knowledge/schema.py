"""What is known of a database's tables from the statements so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from jobarium_events.migrations.files.parsing import Statement
from jobarium_events.migrations.lint.knowledge.altering import altered
from jobarium_events.migrations.lint.knowledge.creating import (
    domain_created,
    enum_changed,
    enum_created,
    index_created,
    query_kept,
    selected_into,
    statistics_created,
    table_created,
    trigger_created,
    view_created,
)
from jobarium_events.migrations.lint.knowledge.known import Known
from jobarium_events.migrations.lint.knowledge.publishing import publication_altered, publication_created
from jobarium_events.migrations.lint.knowledge.removing import domain_changed, dropped
from jobarium_events.migrations.lint.knowledge.renaming import commented, moved, renamed
from jobarium_events.migrations.lint.knowledge.tables import (
    Column,
    Constraint,
    ConstraintKind,
    Domain,
    EnumType,
    Index,
    Relation,
    Table,
)
from jobarium_events.migrations.lint.names import schema_elements

__all__ = ["Column", "Constraint", "ConstraintKind", "Domain", "EnumType", "Index", "Relation", "Schema", "Table"]


class Schema(Known, frozen=True, kw_only=True, gc=False):
    """What is known of a database's tables: a value, which `apply` makes anew for each statement.

    A name has its schema before it, unless that is ``public``: ``"job"``, ``"audit.entry"``. Nothing need be known:
    a file may stand alone, and then its tables are known only by what it says of them.

    Attributes:
        tables: By name; views and the like are among them.
        indexes: By name.
        enums: By name.
        domains: By name.
        statistics: Extended statistics by name, each with its table.
        created: The tables made since the last `afresh`, under their names of today.
        tied: For each table the names of those that read it, or are parts of it, with ``references`` before it of those
            that refer to it, and for each function, written with ``()``, of those whose triggers call it; for looking
            them up.
        indexed: For each table the names of its indexes; what was so once may be there.
        publications: By name.
    """

    def apply(self, statement: Statement) -> Schema:
        """Return what is known after a statement; the same if it says nothing of tables, or cannot be followed."""
        follow = _FOLLOWED.get(statement.kind)
        if follow is not None:
            found: Schema = follow(self, statement.node)
            return found
        keep = _KEPT.get(statement.kind)
        if keep is not None:
            kept: Schema = keep(self, statement.node, statement.text)
            return kept
        return self

    def apply_all(self, statements: Iterable[Statement]) -> Schema:
        """Return what is known after some statements."""
        schema = self
        for statement in statements:
            schema = schema.apply(statement)
        return schema

    def afresh(self) -> Schema:
        """Return the same with no table that counts as created: for the next file, or the next transaction."""
        return msgspec.structs.replace(self, created=frozenset()) if self.created else self


def _schema_created(schema: Schema, node: Any) -> Schema:
    for each in schema_elements(node):
        kind = each.WhichOneof("node")
        schema = schema.apply(Statement("", 0, kind, getattr(each, kind)))
    return schema


_FOLLOWED: dict[str, Callable[[Any, Any], Any]] = {
    "create_stmt": table_created,
    "create_foreign_table_stmt": lambda schema, node: table_created(schema, node.base_stmt),
    "create_schema_stmt": _schema_created,
    "select_stmt": selected_into,
    "index_stmt": index_created,
    "create_enum_stmt": enum_created,
    "alter_enum_stmt": enum_changed,
    "create_domain_stmt": domain_created,
    "alter_domain_stmt": domain_changed,
    "create_stats_stmt": statistics_created,
    "create_trig_stmt": trigger_created,
    "alter_table_stmt": altered,
    "drop_stmt": dropped,
    "rename_stmt": renamed,
    "alter_object_schema_stmt": moved,
    "comment_stmt": commented,
    "create_publication_stmt": publication_created,
    "alter_publication_stmt": publication_altered,
}
_KEPT: dict[str, Callable[[Any, Any, str], Any]] = {
    "view_stmt": view_created,
    "create_table_as_stmt": query_kept,
}
"""Those that keep a query, of which their text says whether there is another one within it."""

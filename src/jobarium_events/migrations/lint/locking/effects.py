"""What one statement does to its tables while it runs: the locks it takes, and whether it rewrites or reads them whole.

What it says of locks, rewrites and scans is held against a live Postgres by the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.locking import making, rows, unmaking, upkeep
from jobarium_events.migrations.lint.locking.commands import command_kind, commanded
from jobarium_events.migrations.lint.locking.gathering import Gathered
from jobarium_events.migrations.lint.locking.locks import Effects, Lock, LockMode
from jobarium_events.migrations.lint.names import joined, relation_name

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.lint.knowledge.schema import Schema

__all__ = ["TOLD", "Effects", "Lock", "LockMode", "effects"]


def effects(statement: Statement, schema: Schema, version: int) -> Effects:
    """Tell what a statement does to its tables.

    Where something is not known, such as the type that a column has, the worse is told. What a function or a block
    of code does is not told at all.

    Args:
        statement: The statement.
        schema: What is known of the tables before it.
        version: The major version of Postgres, from 13 to 18.
    """
    kind, node = statement.kind, statement.node
    if kind == "alter_table_stmt":
        told = Gathered(schema, version, statement.text)
        return told.effects(_altered(told, node))
    if kind == "select_stmt" and node.HasField("into_clause"):
        kind = "create_table_as_stmt"
    tell = TOLD.get(kind)
    if tell is None:
        return _nothing(_kind(kind, node))
    told = Gathered(schema, version, statement.text)
    tell(told, node)
    return told.effects(_kind(kind, node))


@cache
def _nothing(kind: str) -> Effects:
    return Effects(kind=kind, locks=(), rewrite=False, scan=False)


def _altered(told: Gathered, node: Any) -> str:
    objtype = enum_name(node, "objtype")
    commands = [each.alter_table_cmd for each in node.cmds]
    if objtype == "OBJECT_INDEX":
        _index_altered(told, node, commands)
        return "alter-index"
    if objtype == "OBJECT_TYPE":
        _type_altered(told, relation_name(node.relation), commands)
        return "alter-composite-type"
    if objtype == "OBJECT_SEQUENCE":
        return "alter-sequence"
    table = relation_name(node.relation)
    told.alone = not node.relation.inh
    told.gone = frozenset(each.name for each in commands if enum_name(each, "subtype") == "AT_DropConstraint")
    for command in commands:
        commanded(told, table, command)
    kinds = {command_kind(command) for command in commands}
    return kinds.pop() if len(kinds) == 1 else "alter-table"


def _type_altered(told: Gathered, name: str, commands: list[Any]) -> None:
    """Gather what ``alter type`` does to the tables whose columns are its attributes: to each what it says."""
    tables = [each.name for each in told.known.typed_tables(name)]
    for command in commands:
        for table in tables:
            commanded(told, table, command)
        along = enum_name(command, "behavior") == "DROP_CASCADE" and not tables
        told.rewrite |= along and enum_name(command, "subtype") == "AT_AlterColumnType"


def _index_altered(told: Gathered, node: Any, commands: list[Any]) -> None:
    """Gather what ``alter index`` does to the tables, which is something only if it is put together with another.

    One that is moved is locked by its own name, and queries of its table wait for that lock as for one of the table.
    """
    schema = relation_name(node.relation).rpartition(".")[0]
    for command in commands:
        if enum_name(command, "subtype") == "AT_SetTableSpace":
            told.lock(LockMode.ACCESS_EXCLUSIVE, (relation_name(node.relation),))
        part = getattr(command, "def").partition_cmd.name
        if part.relname:
            for name in (relation_name(node.relation), joined((part.schemaname or schema, part.relname))):
                index = told.known.indexes.get(name)
                told.lock(LockMode.ACCESS_SHARE, (index.table,) if index else ())


def _kind(kind: str, node: Any) -> str:
    """Return the word for a statement."""
    if kind == "create_table_as_stmt":
        is_view = type(node).__name__ == "CreateTableAsStmt" and enum_name(node, "objtype") == "OBJECT_MATVIEW"
        return "create-materialized-view" if is_view else "create-table-as"
    if kind in _FIELDS:
        field, prefix = _FIELDS[kind]
        value = enum_name(node, field)
        return f"{prefix}-{_WORDS.get(value, value.removeprefix('OBJECT_').lower().replace('_', '-'))}"
    if kind == "vacuum_stmt" and not node.is_vacuumcmd:
        return "analyze"
    return _KINDS.get(kind) or kind.removesuffix("_stmt").replace("_", "-")


_FIELDS = {
    "drop_stmt": ("remove_type", "drop"),
    "rename_stmt": ("rename_type", "rename"),
}
_WORDS = {
    "OBJECT_MATVIEW": "materialized-view",
    "OBJECT_TABCONSTRAINT": "constraint",
    "OBJECT_STATISTIC_EXT": "statistics",
}
_KINDS = {
    "alter_domain_stmt": "alter-domain",
    "alter_object_schema_stmt": "set-schema",
    "alter_seq_stmt": "alter-sequence",
    "alter_table_move_all_stmt": "set-tablespace",
    "composite_type_stmt": "create-type",
    "create_enum_stmt": "create-type",
    "create_foreign_table_stmt": "create-foreign-table",
    "create_range_stmt": "create-type",
    "create_seq_stmt": "create-sequence",
    "create_stats_stmt": "create-statistics",
    "create_stmt": "create-table",
    "create_trig_stmt": "create-trigger",
    "index_stmt": "create-index",
    "refresh_mat_view_stmt": "refresh-materialized-view",
    "rule_stmt": "create-rule",
    "variable_set_stmt": "set",
    "view_stmt": "create-view",
}
TOLD: dict[str, Callable[[Gathered, Any], None]] = {
    "alter_domain_stmt": upkeep.domain_altered,
    "alter_object_schema_stmt": upkeep.moved,
    "alter_policy_stmt": making.policy_made,
    "alter_publication_stmt": making.publication_made,
    "alter_seq_stmt": making.sequence_tied,
    "alter_table_move_all_stmt": upkeep.all_moved,
    "cluster_stmt": upkeep.clustered,
    "comment_stmt": upkeep.commented,
    "copy_stmt": rows.copied,
    "create_foreign_table_stmt": making.foreign_table_made,
    "create_policy_stmt": making.policy_made,
    "create_publication_stmt": making.publication_made,
    "create_schema_stmt": making.schema_made,
    "create_seq_stmt": making.sequence_tied,
    "create_stats_stmt": making.statistics_made,
    "create_stmt": making.table_made,
    "create_table_as_stmt": making.query_kept,
    "create_trig_stmt": making.trigger_made,
    "declare_cursor_stmt": rows.explained,
    "delete_stmt": rows.queried,
    "drop_owned_stmt": upkeep.all_owned,
    "drop_stmt": unmaking.dropped,
    "explain_stmt": rows.explained,
    "grant_stmt": upkeep.granted,
    "index_stmt": making.index_made,
    "insert_stmt": rows.queried,
    "lock_stmt": upkeep.locked,
    "merge_stmt": rows.queried,
    "prepare_stmt": rows.explained,
    "reassign_owned_stmt": upkeep.all_owned,
    "refresh_mat_view_stmt": making.refreshed,
    "reindex_stmt": upkeep.reindexed,
    "rename_stmt": upkeep.renamed,
    "rule_stmt": making.rule_made,
    "select_stmt": rows.queried,
    "truncate_stmt": unmaking.truncated,
    "update_stmt": rows.queried,
    "vacuum_stmt": upkeep.vacuumed,
    "view_stmt": making.view_made,
}
"""What tells of each kind of statement but ``alter table``; of others there is nothing to tell."""

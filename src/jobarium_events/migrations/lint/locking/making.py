"""What ``create`` does to tables: to the new one, and to those that it is tied to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.publishing import tables_named
from jobarium_events.migrations.lint.knowledge.tables import Relation
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.locking.partitions import partition_made
from jobarium_events.migrations.lint.locking.touching import is_whole, touched
from jobarium_events.migrations.lint.names import inner, joined, relation_name, schema_elements, texts

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.locking.gathering import Gathered

__all__ = [
    "foreign_table_made",
    "index_made",
    "policy_made",
    "publication_made",
    "query_kept",
    "refreshed",
    "rule_made",
    "schema_made",
    "sequence_tied",
    "statistics_made",
    "table_made",
    "trigger_made",
    "view_made",
]


def table_made(told: Gathered, node: Any) -> None:
    """Gather what a ``CreateStmt`` does."""
    name = relation_name(node.relation)
    if node.if_not_exists and name in told.known.tables:
        return
    if node.relation.relpersistence != "t":
        told.lock(LockMode.ACCESS_EXCLUSIVE, (name,))
    parents = [relation_name(each.range_var) for each in node.inh_relations]
    if node.HasField("partbound"):
        partition_made(told, parents[0])
    else:
        told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, parents)
    lowered = told.text.lower()
    if lowered and "references" not in lowered and "like" not in lowered:
        return  # of what it lists, nothing else touches another table
    for each in (*node.table_elts, *node.constraints):
        match each.WhichOneof("node"):
            case "column_def":
                for constraint in each.column_def.constraints:
                    _tied(told, name, constraint.constraint)
            case "constraint":
                _tied(told, name, each.constraint)
            case "table_like_clause":
                told.lock(LockMode.ACCESS_SHARE, (relation_name(each.table_like_clause.relation),))
            case _:
                pass


def _tied(told: Gathered, name: str, node: Any) -> None:
    if not node.HasField("pktable"):
        return
    referenced = relation_name(node.pktable)
    if referenced != name:
        told.lock(LockMode.SHARE_ROW_EXCLUSIVE, (referenced, *told.partitions(referenced)))


def foreign_table_made(told: Gathered, node: Any) -> None:
    """Gather what a ``CreateForeignTableStmt`` does."""
    table_made(told, node.base_stmt)


def query_kept(told: Gathered, node: Any) -> None:
    """Gather what a ``CreateTableAsStmt``, or a ``select ... into``, does."""
    is_select = type(node).__name__ == "SelectStmt"
    into = node.into_clause if is_select else node.into
    name = relation_name(into.rel)
    if not is_select and node.if_not_exists and name in told.known.tables:
        return
    query = node if is_select else inner(node.query)
    if into.rel.relpersistence != "t":
        told.lock(LockMode.ACCESS_EXCLUSIVE, (name,))
    for table, mode in touched(query, text=told.text):
        told.lock(mode, told.behind(table))
    told.scan |= type(query).__name__ == "SelectStmt" and is_whole(query) and not into.skip_data


def view_made(told: Gathered, node: Any) -> None:
    """Gather what a ``ViewStmt`` does."""
    if node.view.relpersistence != "t":
        told.lock(LockMode.ACCESS_EXCLUSIVE, (relation_name(node.view),))
    for table, _ in touched(inner(node.query), text=told.text):
        told.lock(LockMode.ACCESS_SHARE, (table,))


def refreshed(told: Gathered, node: Any) -> None:
    """Gather what a ``RefreshMatViewStmt`` does."""
    name = relation_name(node.relation)
    told.lock(LockMode.EXCLUSIVE if node.concurrent else LockMode.ACCESS_EXCLUSIVE, (name,))
    if node.skip_data:
        return
    for table in told.known.table(name).reads:
        told.lock(LockMode.ACCESS_SHARE, told.behind(table))
    told.scan = True
    told.rewrite |= not node.concurrent


def index_made(told: Gathered, node: Any) -> None:
    """Gather what an ``IndexStmt`` does; of a partitioned table alone, there is nothing to read."""
    table = relation_name(node.relation)
    there = node.if_not_exists and joined((table.rpartition(".")[0], node.idxname)) in told.known.indexes
    alone = not node.relation.inh
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE if node.concurrent else LockMode.SHARE
    told.lock(mode, (table,) if alone or there else (table, *told.partitions(table)))
    told.scan |= not there and not (alone and told.known.table(table).kind is Relation.PARTITIONED)


def statistics_made(told: Gathered, node: Any) -> None:
    """Gather what a ``CreateStatsStmt`` does."""
    for each in node.relations:
        told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (relation_name(each.range_var),))


def trigger_made(told: Gathered, node: Any) -> None:
    """Gather what a ``CreateTrigStmt`` does."""
    table = relation_name(node.relation)
    told.lock(LockMode.SHARE_ROW_EXCLUSIVE, (table, *(told.partitions(table) if node.row else ())))
    if node.HasField("constrrel"):
        told.lock(LockMode.ACCESS_SHARE, (relation_name(node.constrrel),))


def rule_made(told: Gathered, node: Any) -> None:
    """Gather what a ``RuleStmt`` does."""
    told.lock(LockMode.ACCESS_EXCLUSIVE, (relation_name(node.relation),))
    for action in node.actions:
        for table, mode in touched(action, frozenset(("old", "new"))):
            told.lock(mode, (table,))


def policy_made(told: Gathered, node: Any) -> None:
    """Gather what a ``CreatePolicyStmt`` or an ``AlterPolicyStmt`` does."""
    told.lock(LockMode.ACCESS_EXCLUSIVE, (relation_name(node.table),))
    for condition in (node.qual, node.with_check):
        for table, mode in touched(condition):
            told.lock(mode, (table,))


def sequence_tied(told: Gathered, node: Any) -> None:
    """Gather what a ``CreateSeqStmt`` or an ``AlterSeqStmt`` does to the table whose column owns the sequence."""
    for option in node.options:
        if option.def_elem.defname == "owned_by":
            *table, _ = texts(option.def_elem.arg.list.items) or ("",)
            if table:
                told.lock(LockMode.ACCESS_SHARE, (joined(table),))


def publication_made(told: Gathered, node: Any) -> None:
    """Gather what a ``CreatePublicationStmt`` or an ``AlterPublicationStmt`` does.

    What a publication is set to takes those out that it had before, as far as they are known.
    """
    told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, tables_named(told.known, node))
    if type(node).__name__ == "AlterPublicationStmt" and enum_name(node, "action") == "AP_SetObjects":
        publication = told.known.publications.get(node.pubname)
        told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, () if publication is None else publication.tables)


def schema_made(told: Gathered, node: Any) -> None:
    """Gather what a ``CreateSchemaStmt`` does with what it makes in the schema."""
    for each in schema_elements(node):
        element = inner(each)
        if element.DESCRIPTOR.name == "CreateStmt":
            table_made(told, element)
        elif element.DESCRIPTOR.name == "ViewStmt":
            view_made(told, element)

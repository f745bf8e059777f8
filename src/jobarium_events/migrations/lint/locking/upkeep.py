"""What upkeep, renaming, comments, rights and explicit locks do to tables."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.options import is_on
from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.tables import Relation
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.locking.versions import ANALYZE_HEIRS, GRANT_LOCKS
from jobarium_events.migrations.lint.names import joined, listed_name, listed_names, relation_name, texts

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.locking.gathering import Gathered

__all__ = [
    "all_moved",
    "all_owned",
    "clustered",
    "commented",
    "domain_altered",
    "granted",
    "locked",
    "moved",
    "reindexed",
    "renamed",
    "vacuumed",
]

_RELATIONS = ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE")
_ON_TABLES = ("OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE")
_MOVED = {
    "OBJECT_TABLE": (Relation.TABLE, Relation.PARTITIONED),
    "OBJECT_MATVIEW": (Relation.MATERIALIZED_VIEW,),
}
_DEFAULT_TABLESPACE = "pg_default"
_WITH_ROWS = (Relation.TABLE, Relation.MATERIALIZED_VIEW)
_STORED = (*_WITH_ROWS, Relation.PARTITIONED)


def renamed(told: Gathered, node: Any) -> None:
    """Gather what a ``RenameStmt`` does."""
    kind = enum_name(node, "rename_type")
    table = relation_name(node.relation)
    if kind in ("OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"):
        told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(table))
    elif kind in (*_RELATIONS, *_ON_TABLES):
        told.lock(LockMode.ACCESS_EXCLUSIVE, (table,))
    elif kind == "OBJECT_ATTRIBUTE":
        told.lock(LockMode.ACCESS_EXCLUSIVE, [each.name for each in told.known.typed_tables(table)])


def moved(told: Gathered, node: Any) -> None:
    """Gather what an ``AlterObjectSchemaStmt`` does."""
    if enum_name(node, "object_type") in _RELATIONS:
        told.lock(LockMode.ACCESS_EXCLUSIVE, (relation_name(node.relation),))


def commented(told: Gathered, node: Any) -> None:
    """Gather what a ``CommentStmt`` does."""
    kind = enum_name(node, "objtype")
    if kind in _RELATIONS:
        told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (listed_name(node.object),))
    elif kind == "OBJECT_COLUMN":
        told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (listed_names(node.object)[0],))
    elif kind in _ON_TABLES:
        told.lock(LockMode.ACCESS_SHARE, (listed_names(node.object)[0],))


def granted(told: Gathered, node: Any) -> None:
    """Gather what a ``GrantStmt`` does."""
    named = enum_name(node, "targtype") == "ACL_TARGET_OBJECT" and enum_name(node, "objtype") == "OBJECT_TABLE"
    if named and told.version >= GRANT_LOCKS:
        told.lock(LockMode.ACCESS_SHARE, [relation_name(each.range_var) for each in node.objects])


def locked(told: Gathered, node: Any) -> None:
    """Gather what a ``LockStmt`` does."""
    mode = list(LockMode)[min(max(node.mode, 1), len(LockMode)) - 1]
    for each in node.relations:
        table = relation_name(each.range_var)
        told.lock(mode, told.behind(table) if each.range_var.inh else (table,))


def reindexed(told: Gathered, node: Any) -> None:
    """Gather what a ``ReindexStmt`` does; an index whose table is not known stands for it."""
    concurrent = is_on(node.params, "concurrently")
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE if concurrent else LockMode.SHARE
    told.scan = True
    match enum_name(node, "kind"):
        case "REINDEX_OBJECT_INDEX":
            index = told.known.indexes.get(relation_name(node.relation))
            table = index.table if index else relation_name(node.relation)
            told.lock(mode, (table, *told.partitions(table)))
        case "REINDEX_OBJECT_TABLE":
            table = relation_name(node.relation)
            told.lock(mode, (table,))
            told.lock(LockMode.SHARE, told.partitions(table))  # for a moment also CONCURRENTLY, while it lists them
        case "REINDEX_OBJECT_SCHEMA":
            found = _stored(told, _WITH_ROWS)
            told.lock(mode, [name for name in found if (name.rpartition(".")[0] or "public") == node.name])
        case _:
            told.lock(mode, _stored(told, _WITH_ROWS))


def _stored(told: Gathered, kinds: Collection[Relation] = _STORED) -> list[str]:
    return [each.name for each in told.known.tables.values() if each.kind in kinds]


def all_moved(told: Gathered, node: Any) -> None:
    """Gather what an ``AlterTableMoveAllStmt`` does, whosever the tables or indexes of the tablespace are.

    Where nothing is known to have been put there, it may be the one that all of the database is in.
    """
    place = node.orig_tablespacename
    kinds = _MOVED.get(enum_name(node, "objtype"), ())
    tables = [each for each in told.known.tables.values() if each.kind in kinds]
    places = {each.name: each.tablespace for each in tables}
    vague = {each.name for each in tables if not each.complete and each.kind is Relation.TABLE and not each.tablespace}
    if not kinds:
        made = told.known.indexes.values()
        places = {each.name: each.made.table_space if each.made is not None else "" for each in made}
    put_there = {name for name, its in places.items() if its == place}
    rest = vague if put_there and place != _DEFAULT_TABLESPACE else {name for name, its in places.items() if not its}
    told.lock(LockMode.ACCESS_EXCLUSIVE, put_there | rest)
    told.rewrite |= bool(kinds)


def all_owned(told: Gathered, _: Any) -> None:
    """Gather what is done to all that a role owns; whose the tables are is not known, so that it may be any."""
    told.lock(LockMode.ACCESS_EXCLUSIVE, [*told.known.tables])


def clustered(told: Gathered, node: Any) -> None:
    """Gather what a ``ClusterStmt`` does."""
    table = relation_name(node.relation)
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table, *told.partitions(table)) if table else ())
    told.rewrite = True


def vacuumed(told: Gathered, node: Any) -> None:
    """Gather what a ``VacuumStmt`` does, which may be an ``analyze``; that reads no more than a sample."""
    full = is_on(node.options, "full")
    mode = LockMode.ACCESS_EXCLUSIVE if full else LockMode.SHARE_UPDATE_EXCLUSIVE
    told.rewrite |= full
    told.scan |= bool(node.is_vacuumcmd)
    tables = [each.vacuum_relation.relation for each in node.rels]
    if not tables:
        told.lock(mode, _stored(told))
    for each in tables:
        name = relation_name(each)
        told.lock(mode, (name,))
        partitions = told.partitions(name)
        heirs = told.known.descendants(name)
        if told.version >= ANALYZE_HEIRS or partitions:
            told.lock(mode, heirs if each.inh else ())
        elif not node.is_vacuumcmd:
            told.lock(LockMode.ACCESS_SHARE, heirs)


def domain_altered(told: Gathered, node: Any) -> None:
    """Gather what an ``AlterDomainStmt`` does to the tables with columns of that domain, or of one over it."""
    definition = getattr(node, "def").constraint
    if node.subtype in ("O", "V") or (node.subtype == "C" and not definition.skip_validation):
        name = joined(texts(node.type_name))
        domains = told.known.domains_over(name)
        tables = [table.name for each in domains for table, _ in told.known.using_type(each)]
        told.lock(LockMode.SHARE, tables)
        told.scan |= bool(tables) or name not in told.known.domains

"""What is known after ``create``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.altering import with_constraint, with_constraints
from jobarium_events.migrations.lint.knowledge.definitions import (
    INDEXED,
    Columns,
    constraint_of,
    constraint_of_heir,
    constraints_of,
    index_of,
)
from jobarium_events.migrations.lint.knowledge.known import Known
from jobarium_events.migrations.lint.knowledge.tables import (
    Column,
    Constraint,
    ConstraintKind,
    Domain,
    EnumType,
    Relation,
    Table,
)
from jobarium_events.migrations.lint.locking.touching import named_tables
from jobarium_events.migrations.lint.names import (
    chosen_name,
    inner,
    joined,
    output_names,
    relation_name,
    texts,
    type_text,
)

__all__ = [
    "domain_created",
    "enum_changed",
    "enum_created",
    "hides",
    "index_created",
    "query_kept",
    "selected_into",
    "statistics_created",
    "table_created",
    "trigger_created",
    "view_created",
]

K = TypeVar("K", bound=Known)
_LIKE = {"comments": 1, "constraints": 4, "defaults": 8, "generated": 16, "identity": 32, "indexes": 64}
"""The bits of what ``like`` includes, as in Postgres' ``TableLikeOption``."""


def table_created(known: K, node: Any) -> K:
    """Return what is known after a ``CreateStmt``."""
    name = relation_name(node.relation)
    if name in known.tables and (node.if_not_exists or hides(known, node.relation)):
        return known
    parents = tuple(relation_name(each.range_var) for each in node.inh_relations)
    table = Table(
        name=name,
        kind=Relation.PARTITIONED if node.HasField("partspec") else Relation.TABLE,
        columns=_inherited(known, parents),
        complete=all(known.table(parent).complete for parent in parents) and not node.HasField("of_typename"),
        parents=parents,
        of=joined(texts(node.of_typename.names)) if node.HasField("of_typename") else "",
        partition_key=_partition_key(node.partspec),
        default_partition=node.HasField("partbound") and node.partbound.is_default,
        temporary=node.relation.relpersistence == "t",
        unlogged=node.relation.relpersistence == "u",
        tablespace=node.tablespacename,
    )
    if parents:
        known = known.with_table(table, created=True)
    for parent in parents:
        for constraint in known.table(parent).constraints.values():
            if node.HasField("partbound") or constraint.kind is ConstraintKind.CHECK:
                taken = known.table(name).constraints
                known = with_constraint(known, name, constraint_of_heir(constraint, name, taken))
    return _with_elements(known, known.table(name) if parents else table, (*node.table_elts, *node.constraints))


def _inherited(known: Known, parents: tuple[str, ...]) -> Mapping[str, Column]:
    if len(parents) == 1:
        return known.table(parents[0]).columns
    return {key: column for parent in parents for key, column in known.table(parent).columns.items()}


def hides(known: Known, relation: Any) -> bool:
    """Whether a temporary table has the name of another one, which goes on under it for everybody else."""
    name = relation_name(relation)
    return relation.relpersistence == "t" and name in known.tables and not known.table(name).temporary


def _partition_key(spec: Any) -> tuple[str, ...]:
    names = tuple(each.partition_elem.name for each in spec.part_params)
    return names if all(names) else ()


def _with_elements(known: K, table: Table, nodes: Iterable[Any]) -> K:
    """Return the same with a new table, to which come the columns and constraints that its statement lists."""
    columns: dict[str, Any] = {}
    found: list[Constraint] = []
    name, taken = table.name, set(table.constraints)
    for node in nodes:
        match node.WhichOneof("node"):
            case "column_def":
                definition = node.column_def
                columns[definition.colname] = definition
                more = constraints_of(definition, name, taken)
            case "constraint":
                constraint = constraint_of(node.constraint, name, taken)
                more = [] if constraint is None else [constraint]
            case _:
                known = _like(known.with_table(table, created=True), name, node.table_like_clause)
                table = known.table(name)
                continue
        for constraint in more:
            found.append(constraint)
            taken.add(constraint.name)
    if columns:
        table = msgspec.structs.replace(table, columns=Columns({**table.columns, **columns}))
    return with_constraints(known, table, found, created=True)


def _like(known: K, name: str, clause: Any) -> K:
    """Return the same with what ``like`` copies into a table."""
    table, source = known.table(name), known.table(relation_name(clause.relation))

    def copied(what: str) -> bool:
        return bool(clause.options & _LIKE[what])

    columns = {
        key: msgspec.structs.replace(
            column,
            default=column.default if copied("defaults") else None,
            generated=column.generated if copied("generated") else "",
            identity=column.identity and copied("identity"),
            serial=False,  # its default, if copied, takes from the sequence of the other table
            comment=column.comment if copied("comments") else None,
        )
        for key, column in source.columns.items()
    }
    complete = table.complete and source.complete
    known = known.with_table(msgspec.structs.replace(table, columns={**table.columns, **columns}, complete=complete))
    for constraint in source.constraints.values():
        what = "indexes" if constraint.kind in INDEXED else "constraints"
        if constraint.kind is not ConstraintKind.FOREIGN_KEY and copied(what):
            taken = known.table(name).constraints
            valid = msgspec.structs.replace(constraint, validated=constraint.enforced)
            known = with_constraint(known, name, constraint_of_heir(valid, name, taken))
    for index in tuple(known.indexes_of(source.name)) if copied("indexes") else ():
        if not index.constraint:
            own = joined((name.rpartition(".")[0], chosen_name(name, index.columns, "idx", known.indexes)))
            known = known.with_index(msgspec.structs.replace(index, name=own, table=name))
    return known


def view_created(known: K, node: Any, text: str) -> K:
    """Return what is known after a ``ViewStmt``, which is part of a text."""
    name = relation_name(node.view)
    names = texts(node.aliases) or output_names(node.query.select_stmt)
    columns = {each: Column(name=each) for each in names} if "" not in names else {}
    query = inner(node.query)
    table = Table(name=name, kind=Relation.VIEW, reads=named_tables(query, text), query=query, columns=columns)
    return known.with_table(table, created=name not in known.tables)


def query_kept(known: K, node: Any, text: str) -> K:
    """Return what is known after a ``CreateTableAsStmt``, which is part of a text."""
    name = relation_name(node.into.rel)
    if name in known.tables and (node.if_not_exists or hides(known, node.into.rel)):
        return known
    is_view = enum_name(node, "objtype") == "OBJECT_MATVIEW"
    kind, reads = (
        (Relation.MATERIALIZED_VIEW, named_tables(inner(node.query), text)) if is_view else (Relation.TABLE, ())
    )
    columns = {each: Column(name=each) for each in texts(node.into.col_names)}
    return known.with_table(Table(name=name, kind=kind, reads=reads, columns=columns), created=True)


def selected_into(known: K, node: Any) -> K:
    """Return what is known after a ``SelectStmt``, which may make a table."""
    if not node.HasField("into_clause"):
        return known
    return known.with_table(Table(name=relation_name(node.into_clause.rel)), created=True)


def index_created(known: K, node: Any) -> K:
    """Return what is known after an ``IndexStmt``."""
    index = index_of(node, known.indexes)
    if index.name in known.indexes and node.if_not_exists:
        return known
    partitioned = known.table(index.table).kind is Relation.PARTITIONED
    return known.with_index(msgspec.structs.replace(index, valid=not partitioned or node.relation.inh))


def enum_created(known: K, node: Any) -> K:
    """Return what is known after a ``CreateEnumStmt``."""
    return known.with_enum(EnumType(joined(texts(node.type_name)), texts(node.vals)))


def enum_changed(known: K, node: Any) -> K:
    """Return what is known after an ``AlterEnumStmt``."""
    enum = known.enums.get(joined(texts(node.type_name)))
    if enum is None:
        return known
    values = list(enum.values)
    if node.old_val:
        values = [node.new_val if value == node.old_val else value for value in values]
    elif node.new_val not in values:
        place = len(values)
        if node.new_val_neighbor in values:
            place = values.index(node.new_val_neighbor) + int(node.new_val_is_after)
        values.insert(place, node.new_val)
    return known.with_enum(EnumType(enum.name, tuple(values)))


def domain_created(known: K, node: Any) -> K:
    """Return what is known after a ``CreateDomainStmt``."""
    base = known.domains.get(type_text(node.type_name))
    limited, default = (base.limited, base.default) if base else (False, None)
    name = joined(texts(node.domainname))
    checks: dict[str, Any] = {}
    for each in node.constraints:
        match enum_name(each.constraint, "contype"):
            case "CONSTR_CHECK":
                limited = True
                checks[each.constraint.conname or chosen_name(name, (), "check", checks)] = each.constraint.raw_expr
            case "CONSTR_NOTNULL":
                limited = True
            case "CONSTR_DEFAULT":
                default = each.constraint.raw_expr
            case _:
                pass
    type_ = base.type if base else type_text(node.type_name)
    over = base.name if base else ""
    return known.with_domain(Domain(name, type_, limited, default, over, checks))


def statistics_created(known: K, node: Any) -> K:
    """Return what is known after a ``CreateStatsStmt``; those without a name are left out."""
    tables = [relation_name(each.range_var) for each in node.relations]
    name = joined(texts(node.defnames))
    return msgspec.structs.replace(known, statistics={**known.statistics, name: tables[0]}) if name else known


def trigger_created(known: K, node: Any) -> K:
    """Return what is known after a ``CreateTrigStmt``."""
    table = known.table(relation_name(node.relation))
    triggers = {**table.triggers, node.trigname: joined(texts(node.funcname))}
    trees = {**table.trigger_trees, node.trigname: node}
    return known.with_table(msgspec.structs.replace(table, triggers=triggers, trigger_trees=trees))

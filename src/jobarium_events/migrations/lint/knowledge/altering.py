"""What is known after ``alter table``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.definitions import (
    INDEXED,
    collation_of,
    column_of,
    constraint_of,
    constraint_of_heir,
    constraints_of,
)
from jobarium_events.migrations.lint.knowledge.known import Known
from jobarium_events.migrations.lint.knowledge.layers import layered
from jobarium_events.migrations.lint.knowledge.tables import (
    Column,
    Constraint,
    ConstraintKind,
    Index,
    Relation,
    ReplicaIdentity,
    Table,
)
from jobarium_events.migrations.lint.names import chosen_name, joined, relation_name, type_text

__all__ = ["altered", "with_constraint", "with_constraints", "without_column"]

K = TypeVar("K", bound=Known)


def altered(known: K, node: Any) -> K:
    """Return what is known after an ``AlterTableStmt``."""
    name = relation_name(node.relation)
    objtype = enum_name(node, "objtype")
    if objtype not in ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"):
        return known
    if name not in known.tables:
        known = known.with_table(Table(name=name))
    before = known
    for each in node.cmds:
        command = each.alter_table_cmd
        follow = _COMMANDS.get(enum_name(command, "subtype"))
        if follow is not None:
            known = follow(known, name, command)
    return known if node.relation.inh else _with_heirs_of(before, known, name)


def _with_heirs_of(before: K, known: K, table: str) -> K:
    """Return the same with the heirs of a table as they were, which ``alter table only`` leaves what they have."""
    for name in known.descendants(table):
        if name in before.tables:
            known = known.with_table(before.table(name))
            for index in before.indexes_of(name):
                known = known.with_index(index)
    return known


def with_constraint(known: K, table: str, constraint: Constraint) -> K:
    """Return the same with a constraint of a table, and what comes with it."""
    return with_constraints(known, known.table(table), (constraint,))


def with_constraints(known: K, table: Table, more: Iterable[Constraint], *, created: bool = False) -> K:
    """Return the same with a table as it is now, but for some constraints that it gets, and what comes with them."""
    columns = table.columns
    constraints = {**table.constraints}
    schema = table.name.rpartition(".")[0]
    for each in more:
        constraints[each.name] = each
        if each.kind is ConstraintKind.PRIMARY_KEY or (each.kind is ConstraintKind.NOT_NULL and each.validated):
            for name in each.columns:
                column = columns.get(name) or Column(name=name)
                if column.nullable or name not in columns:
                    columns = layered(columns).having(name, _changed(column, nullable=False))
        if each.kind in INDEXED:
            index = Index(
                name=joined((schema, each.name)),
                table=table.name,
                columns=each.columns,
                unique=each.kind is not ConstraintKind.EXCLUSION,
                constraint=True,
            )
            known = known.with_index(index)
    return known.with_table(_changed(table, columns=columns, constraints=constraints), created=created)


def without_column(known: K, table: str, name: str) -> K:
    """Return the same without a column, and what depends on it."""
    found = known.table(table)
    gone = {each.name for each in found.constraints.values() if name in each.columns}
    known = known.without_indexes([each.name for each in known.indexes_of(table) if name in each.columns])
    for other, key in list(known.referencing(table)):
        if name in key.referenced or (not key.referenced and _is_key(found, name)):
            rest = {each: value for each, value in other.constraints.items() if each != key.name}
            known = known.with_table(_changed(known.table(other.name), constraints=rest))
    found = known.table(table)
    columns = {each: column for each, column in found.columns.items() if each != name}
    constraints = {each: value for each, value in found.constraints.items() if each not in gone}
    return known.with_table(_changed(found, columns=columns, constraints=constraints))


def _is_key(table: Table, column: str) -> bool:
    return any(
        each.kind is ConstraintKind.PRIMARY_KEY and column in each.columns for each in table.constraints.values()
    )


def _changed(value: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(value, **fields)


def _definition(command: Any) -> Any:
    return getattr(command, "def")


def _family(known: Known, table: str) -> tuple[str, ...]:
    return (table, *known.descendants(table))


def _add_column(known: K, table: str, command: Any) -> K:
    definition = _definition(command).column_def
    found = known.table(table)
    if definition.colname in found.columns:
        return known
    added = constraints_of(definition, table, found.constraints)
    for name in _family(known, table):
        heir = known.table(name)
        if definition.colname not in heir.columns:
            columns = layered(heir.columns).having(definition.colname, column_of(definition))
            known = known.with_table(_changed(heir, columns=columns))
        for constraint in added:
            if name == table:
                known = with_constraint(known, name, constraint)
            elif _goes_on(found, constraint):
                taken = known.table(name).constraints
                known = with_constraint(known, name, constraint_of_heir(constraint, name, taken))
    return known


def _drop_column(known: K, table: str, command: Any) -> K:
    for name in _family(known, table):
        known = without_column(known, name, command.name)
    return known


def _column_becomes(**fields: Any) -> Callable[[K, str, Any], K]:
    def follow(known: K, table: str, command: Any) -> K:
        return _with_column(known, table, command.name, **fields)

    return follow


def _with_column(known: K, table: str, column: str, **fields: Any) -> K:
    for name in _family(known, table):
        found = known.table(name)
        changed = _changed(found.columns.get(column) or Column(name=column), **fields)
        known = known.with_table(_changed(found, columns=layered(found.columns).having(column, changed)))
    return known


def _set_default(known: K, table: str, command: Any) -> K:
    default = _definition(command) if command.HasField("def") else None
    return _with_column(known, table, command.name, default=default, serial=False)


def _drop_not_null(known: K, table: str, command: Any) -> K:
    found = known.table(table)
    kept = {
        name: each
        for name, each in found.constraints.items()
        if each.kind is not ConstraintKind.NOT_NULL or command.name not in each.columns
    }
    known = known.with_table(_changed(found, constraints=kept))
    return _with_column(known, table, command.name, nullable=True)


def _set_type(known: K, table: str, command: Any) -> K:
    definition = _definition(command).column_def
    type_, collation = type_text(definition.type_name), collation_of(definition)
    return _with_column(known, table, command.name, type=type_, collation=collation)


def _add_constraint(known: K, table: str, command: Any) -> K:
    node = _definition(command).constraint
    found = constraint_of(node, table, known.table(table).constraints)
    if found is None:
        return known
    index = None
    if node.indexname:
        used = joined((table.rpartition(".")[0], node.indexname))
        index = known.indexes.get(used)
        if index is not None:
            known = known.without_indexes([used])
            found = _changed(found, columns=index.columns)
    keys = known.table(table).foreign_keys()  # those of its partitions are theirs, and not taken over by another one
    again = any(each.columns == found.columns and each.references == found.references for each in keys)
    known = with_constraint(known, table, found)
    if index is not None and index.identity:
        own = joined((table.rpartition(".")[0], found.name))
        known = known.with_index(_changed(known.indexes[own], identity=True))
    for name in known.descendants(table) if _goes_on(known.table(table), found) and not node.is_no_inherit else ():
        if found.kind is ConstraintKind.FOREIGN_KEY and not again:
            known = _with_same(known, name, found)
        else:
            known = with_constraint(known, name, constraint_of_heir(found, name, known.table(name).constraints))
    return known


def _goes_on(table: Table, constraint: Constraint) -> bool:
    """Whether heirs get the constraints of a table; partitions get all of them."""
    always = (ConstraintKind.CHECK, ConstraintKind.NOT_NULL)
    return constraint.kind in always or table.kind is Relation.PARTITIONED


def _alter_constraint(known: K, table: str, command: Any) -> K:
    change = _definition(command).atalter_constraint
    for name in _family(known, table):
        constraint = known.table(name).constraints.get(change.conname)
        if constraint is not None and change.alter_enforceability:
            on = bool(change.is_enforced)
            known = with_constraint(known, name, _changed(constraint, enforced=on, validated=on))
    return known


def _drop_constraint(known: K, table: str, command: Any) -> K:
    for name in _family(known, table):
        found = known.table(name)
        gone = found.constraints.get(command.name)
        if gone is None:
            continue
        kept = {each: value for each, value in found.constraints.items() if each != command.name}
        columns = dict(found.columns)
        for column in gone.columns if gone.kind is ConstraintKind.NOT_NULL else ():
            columns[column] = _changed(columns.get(column, Column(name=column)), nullable=True)
        known = known.with_table(_changed(found, columns=columns, constraints=kept))
        if gone.kind in INDEXED:
            known = known.without_indexes([joined((name.rpartition(".")[0], gone.name))])
            known = _without_keys(known, name, gone)
    return known


def _without_keys(known: K, table: str, key: Constraint) -> K:
    """Return the same without the foreign keys that lead to a key which is gone."""
    for other, constraint in list(known.referencing(table)):
        is_primary = key.kind is ConstraintKind.PRIMARY_KEY
        if constraint.referenced == key.columns or (is_primary and not constraint.referenced):
            found = known.table(other.name)
            kept = {name: each for name, each in found.constraints.items() if name != constraint.name}
            known = known.with_table(_changed(found, constraints=kept))
    return known


def _validate(known: K, table: str, command: Any) -> K:
    for name in _family(known, table):
        constraint = known.table(name).constraints.get(command.name)
        if constraint is not None:
            known = with_constraint(known, name, _changed(constraint, validated=True))
    return known


def _attach(known: K, table: str, command: Any) -> K:
    part = _definition(command).partition_cmd
    name = relation_name(part.name)
    found, parent = known.table(name), known.table(table)
    if parent.kind is Relation.TABLE:
        known = known.with_table(_changed(parent, kind=Relation.PARTITIONED))
    known = known.with_table(_changed(found, parents=(table,), default_partition=bool(part.bound.is_default)))
    for constraint in parent.constraints.values():
        known = _with_same(known, name, constraint)
    return known


def _with_same(known: K, table: str, constraint: Constraint) -> K:
    """Return the same with a constraint of a table that is attached, unless it has such a one."""
    for each in known.table(table).constraints.values():
        if (each.kind, each.columns, each.references) == (constraint.kind, constraint.columns, constraint.references):
            return known
    return with_constraint(known, table, constraint_of_heir(constraint, table, known.table(table).constraints))


def _detach(known: K, table: str, command: Any) -> K:
    """Return the same with a partition by itself, which keeps what it has had of the indexes of the whole."""
    found = known.table(relation_name(_definition(command).partition_cmd.name))
    own = {(each.columns, each.computed) for each in known.indexes_of(found.name)}
    for index in tuple(known.indexes_of(table)):
        if not index.constraint and (index.columns, index.computed) not in own:
            name = chosen_name(found.name, index.columns, "idx", known.indexes)
            name = joined((found.name.rpartition(".")[0], name))
            known = known.with_index(_changed(index, name=name, table=found.name))
    return known.with_table(_changed(found, parents=(), default_partition=False))


def _inherit(known: K, table: str, command: Any) -> K:
    found = known.table(table)
    parent = relation_name(_definition(command).range_var)
    return known.with_table(_changed(found, parents=(*found.parents, parent)))


def _disinherit(known: K, table: str, command: Any) -> K:
    found = known.table(table)
    parent = relation_name(_definition(command).range_var)
    return known.with_table(_changed(found, parents=tuple(each for each in found.parents if each != parent)))


def _set_tablespace(known: K, table: str, command: Any) -> K:
    return known.with_table(_changed(known.table(table), tablespace=command.name))


def _logging(*, unlogged: bool) -> Callable[[K, str, Any], K]:
    def follow(known: K, table: str, _: Any) -> K:
        return known.with_table(_changed(known.table(table), unlogged=unlogged))

    return follow


def _secured(*, on: bool) -> Callable[[K, str, Any], K]:
    def follow(known: K, table: str, _: Any) -> K:
        return known.with_table(_changed(known.table(table), row_security=on))

    return follow


def _identify(known: K, table: str, command: Any) -> K:
    """Return the same with another replica identity; an index that is not known is taken for one that serves."""
    node = _definition(command).replica_identity_stmt
    chosen = ReplicaIdentity(node.identity_type)
    name = joined((table.rpartition(".")[0], node.name))
    if chosen is ReplicaIdentity.INDEX and name not in known.indexes:
        chosen = ReplicaIdentity.FULL
    for index in tuple(known.indexes_of(table)) if chosen is ReplicaIdentity.INDEX else ():
        known = known.with_index(_changed(index, identity=index.name == name))
    return known.with_table(_changed(known.table(table), identity=chosen))


_COMMANDS: dict[str, Callable[[Any, str, Any], Any]] = {
    "AT_AddColumn": _add_column,
    "AT_DropColumn": _drop_column,
    "AT_ColumnDefault": _set_default,
    "AT_SetNotNull": _column_becomes(nullable=False),
    "AT_DropNotNull": _drop_not_null,
    "AT_DropExpression": _column_becomes(generated=""),
    "AT_AddIdentity": _column_becomes(identity=True),
    "AT_DropIdentity": _column_becomes(identity=False),
    "AT_AlterColumnType": _set_type,
    "AT_AddConstraint": _add_constraint,
    "AT_DropConstraint": _drop_constraint,
    "AT_AlterConstraint": _alter_constraint,
    "AT_ValidateConstraint": _validate,
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
    "AT_AddInherit": _inherit,
    "AT_DropInherit": _disinherit,
    "AT_SetTableSpace": _set_tablespace,
    "AT_SetLogged": _logging(unlogged=False),
    "AT_SetUnLogged": _logging(unlogged=True),
    "AT_ReplicaIdentity": _identify,
    "AT_EnableRowSecurity": _secured(on=True),
    "AT_DisableRowSecurity": _secured(on=False),
}

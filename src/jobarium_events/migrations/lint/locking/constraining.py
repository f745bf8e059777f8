"""What the commands of ``alter table`` on constraints do to tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.definitions import constraint_of
from jobarium_events.migrations.lint.knowledge.tables import Constraint, ConstraintKind
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.locking.versions import CONSTRAINT_LOCKS_HEIRS
from jobarium_events.migrations.lint.names import joined

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.locking.gathering import Gathered

__all__ = [
    "constraint_added",
    "constraint_altered",
    "constraint_dropped",
    "constraint_in_column",
    "constraint_validated",
    "keys_of_column_rebuilt",
]

_INDEXED = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUSION)


def constraint_added(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``add constraint`` does."""
    node = getattr(command, "def").constraint
    if enum_name(node, "contype") == "CONSTR_CHECK":  # what it asks for makes no difference
        told.lock(LockMode.ACCESS_EXCLUSIVE, _held_to(told, table, node))
        told.scan |= not node.skip_validation and node.is_enforced
        return
    constraint = constraint_of(node, table, ())
    if constraint is None:
        told.lock(LockMode.ACCESS_EXCLUSIVE, (table,))
    elif constraint.kind is ConstraintKind.FOREIGN_KEY:
        _foreign_key_added(told, table, constraint)
    elif constraint.kind in _INDEXED:
        _index_added(told, table, constraint, node)
    else:
        told.lock(LockMode.ACCESS_EXCLUSIVE, _held_to(told, table, node))
        told.scan |= constraint.validated and constraint.enforced and not _known_to_hold(told, table, constraint)


def _held_to(told: Gathered, table: str, node: Any) -> tuple[str, ...]:
    """Return the tables that are locked for a constraint on rows."""
    return told.family(table) if not node.is_no_inherit or told.version >= CONSTRAINT_LOCKS_HEIRS else (table,)


def _known_to_hold(told: Gathered, table: str, constraint: Constraint) -> bool:
    if constraint.kind is not ConstraintKind.NOT_NULL:
        return False
    found = told.known.table(table)
    columns = [found.columns.get(name) for name in constraint.columns]
    return all(
        (column is not None and not column.nullable) or found.proven_not_null(name, told.gone)
        for name, column in zip(constraint.columns, columns, strict=True)
    )


def _foreign_key_added(told: Gathered, table: str, constraint: Constraint) -> None:
    heirs = told.family(table) if told.version >= CONSTRAINT_LOCKS_HEIRS else (table, *told.partitions(table))
    told.lock(LockMode.SHARE_ROW_EXCLUSIVE, heirs)
    parts = told.partitions(table)
    taken = [part for part in parts if _has_key(told, part, constraint)]
    # What keeps a key of a partition in step goes from the other table, since that of the whole does it from then on.
    mode = LockMode.ACCESS_EXCLUSIVE if taken else LockMode.SHARE_ROW_EXCLUSIVE
    told.lock(mode, _referenced(told, constraint))
    told.scan |= constraint.validated and constraint.enforced and (not parts or len(taken) < len(parts))


def _has_key(told: Gathered, part: str, constraint: Constraint) -> bool:
    """Whether a partition has a valid foreign key of its own already, so that it is no more than taken over."""
    found = told.known.table(part)
    return any(
        each.columns == constraint.columns and each.references == constraint.references and each.validated
        for each in found.foreign_keys()
        if not told.known.inherits_key(found, each)
    )


def _referenced(told: Gathered, constraint: Constraint) -> tuple[str, ...]:
    name = constraint.references
    return () if name is None else (name, *told.partitions(name))


def _index_added(told: Gathered, table: str, constraint: Constraint, node: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table,))
    is_primary = constraint.kind is ConstraintKind.PRIMARY_KEY
    partitions = told.partitions(table)
    sets_not_null = is_primary and not (partitions and _known_to_hold(told, table, _not_null(constraint.columns)))
    if told.version >= CONSTRAINT_LOCKS_HEIRS or sets_not_null:
        told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(table))
    else:
        told.lock(LockMode.SHARE, partitions)
    if not node.indexname:
        told.scan = True
    elif is_primary:
        index = told.known.indexes.get(joined((table.rpartition(".")[0], node.indexname)))
        told.scan |= index is None or not _known_to_hold(told, table, _not_null(index.columns))


def _not_null(columns: tuple[str, ...]) -> Constraint:
    return Constraint(name="", kind=ConstraintKind.NOT_NULL, columns=columns)


def constraint_in_column(told: Gathered, table: str, node: Any, *, filled: bool) -> None:
    """Gather what a constraint does that comes with a new column.

    Args:
        told: Where to.
        table: The column's table.
        node: The tree of the constraint.
        filled: Whether the column has a default, so that a foreign key has something to check.
    """
    constraint = constraint_of(node, table, (), ("",))
    if constraint is None:
        return
    if constraint.kind is ConstraintKind.FOREIGN_KEY:
        told.lock(LockMode.SHARE_ROW_EXCLUSIVE, _referenced(told, constraint))
        told.scan |= filled and constraint.enforced
    elif constraint.kind is ConstraintKind.CHECK:
        told.scan |= constraint.enforced
    else:
        told.scan |= constraint.kind in _INDEXED


def constraint_altered(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``alter constraint`` does; to be enforced or not, triggers come and go on both tables."""
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table, *told.partitions(table)))
    change = getattr(command, "def").atalter_constraint
    if change.alter_enforceability:
        told.scan |= change.is_enforced
        constraint = told.known.table(table).constraints.get(change.conname)
        mode = LockMode.SHARE_ROW_EXCLUSIVE if change.is_enforced else LockMode.ACCESS_EXCLUSIVE
        told.lock(mode, _referenced(told, constraint) if constraint else ())


def constraint_validated(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``validate constraint`` does; it reads the table unless the constraint is known to be valid."""
    told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, (table,))
    constraint = told.known.table(table).constraints.get(command.name)
    if constraint is not None and constraint.validated:
        return
    told.scan = True
    if constraint is None:
        return
    if constraint.kind is ConstraintKind.FOREIGN_KEY:
        told.lock(LockMode.ROW_SHARE, (constraint.references or "",))
    else:
        told.lock(LockMode.SHARE_UPDATE_EXCLUSIVE, told.family(table))


def constraint_dropped(told: Gathered, table: str, command: Any) -> None:
    """Gather what ``drop constraint`` does."""
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.kin(table))
    constraint = told.known.table(table).constraints.get(command.name)
    if constraint is None:
        return
    if constraint.kind is ConstraintKind.FOREIGN_KEY:
        told.lock(LockMode.ACCESS_EXCLUSIVE, _referenced(told, constraint))
    elif constraint.kind in _INDEXED and enum_name(command, "behavior") == "DROP_CASCADE":
        for other, key in told.known.referencing(table):
            if key.referenced in ((), constraint.columns):
                told.lock(LockMode.ACCESS_EXCLUSIVE, (other.name,))


def keys_of_column_rebuilt(told: Gathered, table: str, column: str) -> None:
    """Gather what a new type of a column does to tables that foreign keys link to its own."""
    found = told.known.table(table)
    for key in found.foreign_keys():
        if column in key.columns:
            told.lock(LockMode.ACCESS_EXCLUSIVE, _referenced(told, key))
    primary = [each for each in found.constraints.values() if each.kind is ConstraintKind.PRIMARY_KEY]
    for other, key in told.known.referencing(table):
        referenced = key.referenced or (primary[0].columns if primary else (column,))
        if column in referenced:
            told.lock(LockMode.ACCESS_EXCLUSIVE, (other.name,))

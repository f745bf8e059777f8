"""What the commands of ``alter table`` do to tables: those on columns and on the table itself.

The modes are those of ``AlterTableGetLockLevel`` in Postgres' ``tablecmds.c``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.definitions import collation_of, column_of, is_serial
from jobarium_events.migrations.lint.knowledge.tables import Column, ConstraintKind
from jobarium_events.migrations.lint.locking.constraining import (
    constraint_added,
    constraint_altered,
    constraint_dropped,
    constraint_in_column,
    constraint_validated,
    keys_of_column_rebuilt,
)
from jobarium_events.migrations.lint.locking.conversions import keeps_indexes, keeps_rows
from jobarium_events.migrations.lint.locking.functions import is_volatile
from jobarium_events.migrations.lint.locking.gathering import Gathered
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.locking.partitions import attached, detached, finalized
from jobarium_events.migrations.lint.locking.versions import IDENTITY_IN_PARTITIONS, NOT_NULL_IS_A_CONSTRAINT
from jobarium_events.migrations.lint.names import relation_name, type_text

__all__ = ["COMMANDS", "command_kind", "commanded"]

_Told = Callable[[Gathered, str, Any], None]

_EXCLUSIVE_OPTIONS = {"user_catalog_table", "security_barrier", "security_invoker", "check_option"}
"""Those that ``set (...)`` takes an ACCESS EXCLUSIVE lock for; for the others it is SHARE UPDATE EXCLUSIVE."""


def command_kind(command: Any) -> str:
    """Return what an ``AlterTableCmd`` does, in a word."""
    subtype = enum_name(command, "subtype")
    if subtype == "AT_ColumnDefault":
        return "set-default" if command.HasField("def") else "drop-default"
    if subtype == "AT_AddConstraint":
        return _ADDED.get(enum_name(getattr(command, "def").constraint, "contype"), "add-constraint")
    return COMMANDS[subtype][0] if subtype in COMMANDS else subtype.removeprefix("AT_").lower()


def commanded(told: Gathered, table: str, command: Any) -> None:
    """Gather what an ``AlterTableCmd`` does to a table."""
    tell = COMMANDS.get(enum_name(command, "subtype"), ("", _lock(LockMode.ACCESS_EXCLUSIVE)))[1]
    tell(told, table, command)


def _lock(mode: LockMode, *, heirs: bool = False) -> _Told:
    def tell(told: Gathered, table: str, _: Any) -> None:
        told.lock(mode, told.family(table) if heirs else (table,))

    return tell


def _add_column(told: Gathered, table: str, command: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(table))
    definition = getattr(command, "def").column_def
    if command.missing_ok and told.known.column(table, definition.colname):
        return
    column = column_of(definition)
    domain = told.known.domains.get(column.type)
    default = column.default if column.default is not None or domain is None else domain.default
    told.rewrite |= (
        is_serial(definition)
        or column.identity
        or column.generated == "stored"
        or (domain is not None and domain.limited)
        or (default is not None and is_volatile(default))
    )
    told.scan |= not column.nullable and default is None
    for node in definition.constraints:
        constraint_in_column(told, table, node.constraint, filled=default is not None)


def _drop_column(told: Gathered, table: str, command: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.kin(table))
    found = told.known.table(table)
    for key in found.foreign_keys():
        if command.name in key.columns and key.references:
            told.lock(LockMode.ACCESS_EXCLUSIVE, told.whole(key.references))
    if enum_name(command, "behavior") != "DROP_CASCADE":
        return
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.known.readers(table))
    for other, key in told.known.referencing(table):
        if not key.referenced or command.name in key.referenced:
            told.lock(LockMode.ACCESS_EXCLUSIVE, (other.name,))


def _drop_not_null(told: Gathered, table: str, _: Any) -> None:
    handed_down = told.version >= NOT_NULL_IS_A_CONSTRAINT
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.kin(table) if handed_down else told.family(table))


def _set_not_null(told: Gathered, table: str, command: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(table))
    for name in told.family(table):
        column = told.known.column(name, command.name)
        is_so = column is not None and not column.nullable
        told.scan |= not is_so and not told.known.table(name).proven_not_null(command.name, told.gone)


def _set_expression(told: Gathered, table: str, command: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(table))
    column = told.known.column(table, command.name) or Column(name=command.name)
    if column.generated != "virtual":
        told.rewrite = True
        return
    checks = told.known.table(table).constraints.values()
    told.scan |= not column.nullable or any(
        each.kind is ConstraintKind.CHECK and command.name in each.columns for each in checks
    )


def _set_type(told: Gathered, table: str, command: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(table))
    keys_of_column_rebuilt(told, table, command.name)
    known = told.known
    definition = getattr(command, "def").column_def
    column = known.column(table, command.name) or Column(name=command.name)
    new = type_text(definition.type_name)
    using = definition.raw_default if definition.HasField("raw_default") else None
    if column.generated == "virtual":
        return
    if not keeps_rows(known, command.name, column.type, new, using):
        told.rewrite = True
        return
    ordered = keeps_indexes(known, column.type, new) and collation_of(definition) == column.collation
    for name in told.family(table):
        indexes = (each for each in known.indexes_of(name) if command.name in each.columns)
        checks = (each for each in known.table(name).constraints.values() if command.name in each.columns)
        told.scan |= any(each.computed or not ordered for each in indexes)
        told.scan |= any(each.kind is ConstraintKind.CHECK and each.validated and each.enforced for each in checks)


def _set_options(told: Gathered, table: str, command: Any) -> None:
    options = {each.def_elem.defname for each in getattr(command, "def").list.items}
    exclusive = bool(options & _EXCLUSIVE_OPTIONS)
    told.lock(LockMode.ACCESS_EXCLUSIVE if exclusive else LockMode.SHARE_UPDATE_EXCLUSIVE, (table,))


def _set_logging(*, unlogged: bool) -> _Told:
    def tell(told: Gathered, table: str, _: Any) -> None:
        told.lock(LockMode.ACCESS_EXCLUSIVE, (table,))
        found = told.known.table(table)
        told.rewrite |= not found.complete or found.unlogged != unlogged

    return tell


def _set_access_method(told: Gathered, table: str, command: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table,))
    told.rewrite |= (command.name or "heap") != "heap"


def _set_tablespace(told: Gathered, table: str, command: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table,))
    found = told.known.table(table)
    told.rewrite |= not found.complete or (found.tablespace or "pg_default") != command.name


def _switch_trigger(told: Gathered, table: str, _: Any) -> None:
    told.lock(LockMode.SHARE_ROW_EXCLUSIVE, (table, *told.partitions(table)))


def _change_identity(told: Gathered, table: str, _: Any) -> None:
    told.lock(LockMode.ACCESS_EXCLUSIVE, (table,))
    told.lock(LockMode.ACCESS_EXCLUSIVE, told.partitions(table) if told.version >= IDENTITY_IN_PARTITIONS else ())


def _inherit(mode: LockMode) -> _Told:
    def tell(told: Gathered, table: str, command: Any) -> None:
        told.lock(LockMode.ACCESS_EXCLUSIVE, told.family(table))
        told.lock(mode, (relation_name(getattr(command, "def").range_var),))

    return tell


_ADDED = {
    "CONSTR_CHECK": "add-check",
    "CONSTR_NOTNULL": "add-not-null",
    "CONSTR_PRIMARY": "add-primary-key",
    "CONSTR_UNIQUE": "add-unique",
    "CONSTR_FOREIGN": "add-foreign-key",
    "CONSTR_EXCLUSION": "add-exclusion",
}
_EXCLUSIVE = _lock(LockMode.ACCESS_EXCLUSIVE)
_EXCLUSIVE_HEIRS = _lock(LockMode.ACCESS_EXCLUSIVE, heirs=True)
_UPDATE = _lock(LockMode.SHARE_UPDATE_EXCLUSIVE)
COMMANDS: dict[str, tuple[str, _Told]] = {
    "AT_AddColumn": ("add-column", _add_column),
    "AT_ColumnDefault": ("set-default", _EXCLUSIVE_HEIRS),
    "AT_DropColumn": ("drop-column", _drop_column),
    "AT_SetNotNull": ("set-not-null", _set_not_null),
    "AT_DropNotNull": ("drop-not-null", _drop_not_null),
    "AT_SetExpression": ("set-expression", _set_expression),
    "AT_DropExpression": ("drop-expression", _EXCLUSIVE_HEIRS),
    "AT_SetStatistics": ("set-statistics", _lock(LockMode.SHARE_UPDATE_EXCLUSIVE, heirs=True)),
    "AT_SetOptions": ("set-column-options", _UPDATE),
    "AT_ResetOptions": ("set-column-options", _UPDATE),
    "AT_SetStorage": ("set-storage", _EXCLUSIVE_HEIRS),
    "AT_SetCompression": ("set-compression", _EXCLUSIVE),
    "AT_AddIdentity": ("add-identity", _change_identity),
    "AT_SetIdentity": ("set-identity", _change_identity),
    "AT_DropIdentity": ("drop-identity", _change_identity),
    "AT_AlterColumnType": ("alter-column-type", _set_type),
    "AT_AlterColumnGenericOptions": ("set-column-options", _EXCLUSIVE),
    "AT_AddConstraint": ("add-constraint", constraint_added),
    "AT_AlterConstraint": ("alter-constraint", constraint_altered),
    "AT_ValidateConstraint": ("validate-constraint", constraint_validated),
    "AT_DropConstraint": ("drop-constraint", constraint_dropped),
    "AT_ChangeOwner": ("owner", _EXCLUSIVE),
    "AT_ClusterOn": ("cluster-on", _UPDATE),
    "AT_DropCluster": ("set-without-cluster", _UPDATE),
    "AT_SetLogged": ("set-logged", _set_logging(unlogged=False)),
    "AT_SetUnLogged": ("set-unlogged", _set_logging(unlogged=True)),
    "AT_SetAccessMethod": ("set-access-method", _set_access_method),
    "AT_SetTableSpace": ("set-tablespace", _set_tablespace),
    "AT_SetRelOptions": ("set-storage-parameters", _set_options),
    "AT_ResetRelOptions": ("reset-storage-parameters", _set_options),
    **dict.fromkeys(
        (
            *("AT_EnableTrig", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig", "AT_EnableTrigAll", "AT_EnableTrigUser"),
            *("AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser"),
        ),
        ("enable-trigger", _switch_trigger),
    ),
    **dict.fromkeys(
        ("AT_EnableRule", "AT_EnableAlwaysRule", "AT_EnableReplicaRule", "AT_DisableRule"), ("enable-rule", _EXCLUSIVE)
    ),
    "AT_AddInherit": ("inherit", _inherit(LockMode.SHARE_UPDATE_EXCLUSIVE)),
    "AT_DropInherit": ("no-inherit", _inherit(LockMode.ACCESS_SHARE)),
    "AT_AddOf": ("of-type", _EXCLUSIVE),
    "AT_DropOf": ("not-of-type", _EXCLUSIVE),
    "AT_ReplicaIdentity": ("replica-identity", _EXCLUSIVE),
    **dict.fromkeys(
        ("AT_EnableRowSecurity", "AT_DisableRowSecurity", "AT_ForceRowSecurity", "AT_NoForceRowSecurity"),
        ("row-security", _EXCLUSIVE),
    ),
    "AT_AttachPartition": ("attach-partition", attached),
    "AT_DetachPartition": ("detach-partition", detached),
    "AT_DetachPartitionFinalize": ("detach-partition", finalized),
}
"""The word for each command, and what tells of it."""

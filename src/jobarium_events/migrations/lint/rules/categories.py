"""Rules about a migration's category: expand only adds, migrate only moves data, contract only removes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.changing import MAY_CHANGE, changes
from jobarium_events.migrations.lint.names import listed_name, listed_names, relation_name
from jobarium_events.migrations.lint.rules.relied import taken_rights
from jobarium_events.migrations.lint.rules.rule import Hit, Rule, Subject, described

__all__ = ["misplaced"]


class _Does(StrEnum):
    """What a statement does, as far as categories go."""

    ADDS = "adds to the schema"
    MOVES = "changes rows"
    ASKS = "asks more of the rows that are there"
    PROVES = "adds a constraint, or drops one that was there to prove another"
    REMOVES = "removes from the schema"
    CHANGES = "changes what is there"
    DUAL = "has rows written twice"
    NOTHING = "changes neither schema nor rows"


_ALLOWED = {
    Category.EXPAND: {_Does.ADDS, _Does.PROVES, _Does.DUAL, _Does.NOTHING},
    Category.MIGRATE: {_Does.MOVES, _Does.ASKS, _Does.PROVES, _Does.DUAL, _Does.NOTHING},
    Category.CONTRACT: {_Does.REMOVES, _Does.NOTHING},
}
_BELONGS = {
    _Does.ADDS: Category.EXPAND,
    _Does.PROVES: Category.EXPAND,
    _Does.DUAL: Category.EXPAND,
    _Does.MOVES: Category.MIGRATE,
    _Does.ASKS: Category.MIGRATE,
    _Does.REMOVES: Category.CONTRACT,
}
_RULES: dict[Category, Rule] = {
    Category.EXPAND: described(
        "expand-only-adds",
        "An expand runs before the code that needs it, beside code that knows nothing of it: it may only add.",
    ),
    Category.MIGRATE: described(
        "migrate-only-moves",
        "A migrate runs while old and new code do: it may move data, and ask of all rows what they all fulfil by then.",
    ),
    Category.CONTRACT: described(
        "contract-only-removes",
        "A contract runs last, and cannot be undone without loss: what it adds would have no way back.",
    ),
}

_KINDS = {
    **dict.fromkeys(
        (
            "create_stmt index_stmt view_stmt create_schema_stmt create_extension_stmt "
            "create_seq_stmt create_enum_stmt create_domain_stmt composite_type_stmt create_range_stmt define_stmt "
            "create_stats_stmt create_policy_stmt create_foreign_table_stmt create_publication_stmt create_role_stmt "
            "create_op_class_stmt create_op_family_stmt create_cast_stmt create_conversion_stmt create_fdw_stmt "
            "create_foreign_server_stmt create_user_mapping_stmt create_am_stmt create_plang_stmt"
        ).split(),
        _Does.ADDS,
    ),
    **dict.fromkeys("create_function_stmt create_trig_stmt".split(), _Does.DUAL),
    "call_stmt": _Does.MOVES,
    **dict.fromkeys("drop_stmt drop_owned_stmt dropdb_stmt drop_role_stmt truncate_stmt".split(), _Does.REMOVES),
    **dict.fromkeys(
        (
            "comment_stmt variable_set_stmt variable_show_stmt transaction_stmt reindex_stmt "
            "vacuum_stmt refresh_mat_view_stmt lock_stmt sec_label_stmt alter_default_privileges_stmt "
            "alter_stats_stmt alter_owner_stmt discard_stmt check_point_stmt notify_stmt constraints_set_stmt "
            "grant_role_stmt"
        ).split(),
        _Does.NOTHING,
    ),
}
_ADDED_COMMANDS = {"AT_AddColumn", "AT_ColumnDefault", "AT_AddIdentity", "AT_AttachPartition", "AT_AddInherit"}
_DUAL_COMMANDS = {
    "AT_EnableTrig",
    "AT_EnableAlwaysTrig",
    "AT_EnableReplicaTrig",
    "AT_EnableTrigAll",
    "AT_EnableTrigUser",
}
_QUIET_COMMANDS = {
    "AT_SetStatistics",
    "AT_SetOptions",
    "AT_ResetOptions",
    "AT_SetRelOptions",
    "AT_ResetRelOptions",
    "AT_SetStorage",
    "AT_SetCompression",
    "AT_ChangeOwner",
    "AT_ClusterOn",
    "AT_DropCluster",
    "AT_ReplicaIdentity",
    "AT_DropNotNull",
}
_REMOVED_COMMANDS = {"AT_DropColumn", "AT_DropConstraint", "AT_DetachPartition", "AT_DetachPartitionFinalize"}
_REMOVED_COMMANDS |= {"AT_DropIdentity", "AT_DropExpression", "AT_DropInherit", "AT_DisableTrig", "AT_DisableRule"}


def misplaced(subject: Subject) -> Iterator[tuple[Rule, Hit]]:
    """Yield what a statement of ``up`` does that is not for a migration of its category."""
    if subject.header is None:
        return
    category = subject.header.category
    allowed = _ALLOWED[category]
    for does in dict.fromkeys(_does(subject)):
        if does in allowed:
            continue
        belongs = _BELONGS.get(does)
        text = f"{does}, which is not for a migration of category {category}"
        if belongs is None:
            yield _RULES[category], Hit(f"{text}; add something new beside it instead, and remove the old one later")
        else:
            safe = f'-- category = "{belongs}"\n-- name: up\n{subject.statement.text};'
            yield _RULES[category], Hit(f"{text}; move it to one of category {belongs}", safe)


def _does(subject: Subject) -> Iterator[_Does]:
    """Yield what a statement does; one on a table that the file made itself only adds to the file's additions."""
    statement, node = subject.statement, subject.node
    match statement.kind:
        case kind if kind in MAY_CHANGE:
            yield from _rows(subject)
        case "grant_stmt":
            yield _Does.REMOVES if any(taken_rights(subject, node)) else _Does.NOTHING
        case "alter_table_stmt":
            if subject.is_own(relation_name(node.relation)):
                yield _Does.ADDS
            else:
                yield from (_command(subject, each.alter_table_cmd) for each in node.cmds)
        case "alter_enum_stmt":
            yield _Does.CHANGES if node.old_val else _Does.ADDS
        case "alter_domain_stmt":
            yield {"V": _Does.ASKS, "C": _Does.PROVES, "X": _Does.REMOVES}.get(node.subtype, _Does.CHANGES)
        case "alter_seq_stmt":
            only_owned = all(each.def_elem.defname == "owned_by" for each in node.options)
            yield _Does.NOTHING if only_owned else _Does.CHANGES
        case "drop_stmt":
            yield _dropped(subject)
        case kind:
            yield _KINDS.get(kind, _Does.CHANGES)


def _rows(subject: Subject) -> Iterator[_Does]:
    """Yield what a statement does that may change rows, by itself or by a query within it."""
    statement, node = subject.statement, subject.node
    for each in changes(statement):
        yield _Does.ADDS if subject.is_own(relation_name(each.relation)) else _Does.MOVES
    match statement.kind:
        case "copy_stmt":
            yield _Does.ADDS if subject.is_own(relation_name(node.relation)) else _Does.MOVES
        case "create_table_as_stmt":
            yield _Does.ADDS
        case "select_stmt" if node.HasField("into_clause"):
            yield _Does.ADDS
        case "prepare_stmt" | "declare_cursor_stmt":
            yield _Does.CHANGES
        case _:
            pass


def _dropped(subject: Subject) -> _Does:
    """Return what a drop is; that of an index or a trigger that nobody knows comes before it is made anew."""
    node, schema = subject.node, subject.schema
    match enum_name(node, "remove_type"):
        case "OBJECT_INDEX" if node.missing_ok:
            is_known = any(listed_name(each) in schema.indexes for each in node.objects)
        case "OBJECT_TRIGGER" if node.missing_ok:
            table, trigger = listed_names(node.objects[0])
            is_known = trigger in schema.table(table).triggers
        case _:
            is_known = True
    return _Does.REMOVES if is_known else _Does.NOTHING


def _command(subject: Subject, command: Any) -> _Does:
    name = enum_name(command, "subtype")
    if name == "AT_DropConstraint" and _was_never(subject, command):
        return _Does.NOTHING
    if name == "AT_DropConstraint":
        return _Does.PROVES if _is_proven(subject, command.name) else _Does.REMOVES
    if name == "AT_ColumnDefault" and not command.HasField("def"):
        return _Does.REMOVES
    if name in ("AT_SetNotNull", "AT_ValidateConstraint"):
        return _Does.ASKS
    if name == "AT_AddConstraint":
        return _Does.PROVES
    if name == "AT_AlterColumnType":
        effects = subject.effects
        return _Does.CHANGES if effects.rewrite or effects.scan else _Does.ADDS
    for names, does in (
        (_ADDED_COMMANDS, _Does.ADDS),
        (_DUAL_COMMANDS, _Does.DUAL),
        (_QUIET_COMMANDS, _Does.NOTHING),
        (_REMOVED_COMMANDS, _Does.REMOVES),
    ):
        if name in names:
            return does
    return _Does.CHANGES


def _was_never(subject: Subject, command: Any) -> bool:
    """Whether a constraint need not be there, and is not: it is dropped before it is added, for another try."""
    table = subject.schema.table(relation_name(subject.node.relation))
    return bool(command.missing_ok and table.complete and command.name not in table.constraints)


def _is_proven(subject: Subject, constraint: str) -> bool:
    """Whether a constraint says no more than that columns are not null, which they are not allowed to be by now."""
    table = subject.schema.tables.get(relation_name(subject.node.relation))
    known = table.constraints.get(constraint) if table is not None else None
    if table is None or known is None or not known.proves:
        return False
    return all(column in table.columns and not table.columns[column].nullable for column in known.proves)

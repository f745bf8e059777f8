"""What queries and changes of rows do to tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.options import is_on
from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.tables import Constraint, ConstraintKind, Table
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.locking.touching import is_whole, touched
from jobarium_events.migrations.lint.names import inner, relation_name
from jobarium_events.migrations.lint.walking import messages

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.locking.gathering import Gathered

__all__ = ["copied", "explained", "queried"]

_QUERIES = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
_CHANGING = ("cascade", "set null", "set default")


def queried(told: Gathered, node: Any, *, is_run: bool = True) -> None:
    """Gather what a ``SelectStmt``, an ``InsertStmt`` and so on does, and what the foreign keys there ask for.

    It counts as a scan if it has no condition at all. Which rows a condition reads, only the planner knows.
    """
    for table, mode in touched(node, text=told.text):
        told.lock(mode, told.behind(table))
    told.scan |= is_whole(node)
    within = messages(node.with_clause) if node.HasField("with_clause") else ()
    for each in (node, *within):
        if is_run and _writes(each):
            _bounded(told, relation_name(each.relation))
        _linked(told, each)


def _writes(node: Any) -> bool:
    """Whether rows are written into a table, and not only deleted."""
    match type(node).__name__:
        case "InsertStmt" | "UpdateStmt":
            return True
        case "MergeStmt":
            whens = (each.merge_when_clause for each in node.merge_when_clauses)
            return any(enum_name(each, "command_type") in ("CMD_INSERT", "CMD_UPDATE") for each in whens)
        case _:
            return False


def _bounded(told: Gathered, table: str) -> None:
    """Lock what a partition is one of: rows that are written into it have to be for it."""
    told.lock(LockMode.ACCESS_SHARE, told.known.above(table))


def _linked(told: Gathered, node: Any) -> None:
    match type(node).__name__:
        case "InsertStmt":
            columns = {each.res_target.name for each in node.cols}
            _looked_up(told, relation_name(node.relation), columns)
            changed = {each.res_target.name for each in node.on_conflict_clause.target_list}
            if changed:
                _updated(told, relation_name(node.relation), changed)
        case "UpdateStmt":
            _updated(told, relation_name(node.relation), {each.res_target.name for each in node.target_list})
        case "DeleteStmt":
            _gone(told, relation_name(node.relation), set())
        case _:
            pass


def _looked_up(told: Gathered, table: str, columns: set[str]) -> None:
    """Lock the rows that new values of foreign keys lead to."""
    for key in told.known.table(table).foreign_keys():
        if key.enforced and key.references and (not columns or columns & set(key.columns)):
            told.lock(LockMode.ROW_SHARE, told.family(key.references))


def _updated(told: Gathered, table: str, columns: set[str]) -> None:
    _looked_up(told, table, columns)
    for other, key in told.known.leading_to(table):
        if key.enforced and columns & set(_referenced(told, table, key)):
            _sought(told, other, key, key.on_update)


def _sought(told: Gathered, table: Table, key: Constraint, action: str) -> None:
    """Look for what leads to a row; where no index helps, the table is read whole for each of them."""
    told.lock(LockMode.ROW_EXCLUSIVE if action in _CHANGING else LockMode.ROW_SHARE, told.family(table.name))
    served = any(index.columns[:1] == key.columns[:1] for index in told.known.indexes_of(table.name))
    told.scan |= table.complete and not served


def _gone(told: Gathered, table: str, seen: set[str]) -> None:
    """Lock what leads to rows that are deleted, and what leads to those that go with them."""
    seen.add(table)
    for other, key in told.known.leading_to(table):
        if not key.enforced:
            continue
        _sought(told, other, key, key.on_delete)
        if key.on_delete == "cascade" and other.name not in seen:
            _gone(told, other.name, seen)


def _referenced(told: Gathered, table: str, key: Constraint) -> tuple[str, ...]:
    if key.referenced:
        return key.referenced
    constraints = told.known.table(table).constraints.values()
    return next((each.columns for each in constraints if each.kind is ConstraintKind.PRIMARY_KEY), ())


def copied(told: Gathered, node: Any) -> None:
    """Gather what a ``CopyStmt`` does."""
    if node.HasField("query"):
        queried(told, inner(node.query))
        return
    table = relation_name(node.relation)
    told.lock(LockMode.ROW_EXCLUSIVE if node.is_from else LockMode.ACCESS_SHARE, told.behind(table))
    told.scan |= not node.is_from
    if node.is_from:
        _bounded(told, table)
        _looked_up(told, table, {each.string.sval for each in node.attlist})


def explained(told: Gathered, node: Any) -> None:
    """Gather what a query does within another statement, such as a cursor's, or one that is only explained."""
    query = inner(node.query)
    if type(query).__name__ not in _QUERIES:
        return
    is_run = type(node).__name__ == "ExplainStmt" and is_on(node.options, "analyze")
    queried(told, query, is_run=is_run)
    told.scan &= is_run

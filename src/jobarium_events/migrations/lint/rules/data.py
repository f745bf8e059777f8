"""Rules about rows: they are moved in batches, by the section backfill."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.files.parsing import enum_name, parse
from jobarium_events.migrations.lint.changing import MAY_CHANGE, changes
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.names import joined, relation_name
from jobarium_events.migrations.lint.rewriting import changed, lines
from jobarium_events.migrations.lint.rules.keys import key_of, within
from jobarium_events.migrations.lint.rules.parts import part
from jobarium_events.migrations.lint.rules.rule import Hit, Stands, Subject, rule
from jobarium_events.migrations.lint.walking import calls, messages, tables_of

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["filled_by", "is_bounded"]

_OF_ROWS = ("UpdateStmt", "DeleteStmt")
_VOLATILE = {"random", "gen_random_uuid", "uuid_generate_v4", "uuidv4", "uuidv7", "clock_timestamp", "timeofday"}
_VOLATILE |= {"random_normal", "gen_random_bytes", "uuid_generate_v1", "nextval"}
_BEYOND = {"setval", "pg_notify", "set_config", "dblink", "dblink_exec", "pg_advisory_lock", "lo_import"}
_BEYOND |= {"pg_sleep", "pg_terminate_backend", "pg_cancel_backend", "lo_create", "lo_unlink"}


def _batched(subject: Subject, table: str) -> str:
    """Return a change of rows for one range of keys."""
    within_range = _condition(within(key_of(subject, table)))

    def in_range(copy: Any) -> None:
        if not copy.HasField("where_clause"):
            copy.where_clause.CopyFrom(within_range)
            return
        own = type(copy.where_clause)()
        own.CopyFrom(copy.where_clause)
        copy.where_clause.CopyFrom(_condition("a and b"))
        copy.where_clause.bool_expr.args[0].CopyFrom(within_range)
        copy.where_clause.bool_expr.args[1].CopyFrom(own)

    batch = changed(subject.statement, in_range)
    return f"{_EACH}\n{lines(batch)}" if subject.header is None else part("backfill", batch)


_EACH = "-- for one range of keys after the other, each in a transaction of its own; $1 and what follows are its ends:"


def _range_by_range(subject: Subject) -> str:
    """Return how rows are changed in batches; a file of others has no sections."""
    own = "one range of keys after the other, each in a transaction of its own"
    return own if subject.header is None else "in the section backfill, one range of keys after the other"


@lru_cache
def _condition(text: str) -> Any:
    """Return the tree of a condition, which is only copied."""
    return parse(f"select 1 where {text}")[0].node.where_clause


@rule(
    "data-without-where",
    "A change of every row keeps each of them locked until the last is done, and doubles the table's size.",
    *MAY_CHANGE,
)
def data_without_where(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield an update or delete of all rows; a condition that asks nothing of them is none."""
    if subject.section is Section.BACKFILL:
        return
    for each in changes(subject.statement):
        table = relation_name(each.relation)
        if type(each).__name__ not in _OF_ROWS or is_bounded(each) or subject.is_new(table):
            continue
        text = f"changes every row of {table} at once; do it {_range_by_range(subject)}"
        yield Hit(text, partial(_batched, subject, table) if each is node else "")


def is_bounded(node: Any) -> bool:
    """Whether an update or delete has a condition that asks something of the rows."""
    return bool(node.HasField("where_clause") and any(_is_column(each) for each in messages(node.where_clause)))


def _is_column(message: Any) -> bool:
    return type(message).__name__ == "ColumnRef"


@rule(
    "data-not-batched",
    "A change of many rows in one go keeps them locked until the last is done, and replicas fall behind.",
    *MAY_CHANGE,
    severity=Severity.WARNING,
)
def data_not_batched(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a change of rows that nothing bounds but its condition, and a copy of rows."""
    if subject.section is Section.BACKFILL:
        return
    for each in changes(subject.statement):
        table, what = relation_name(each.relation), type(each).__name__
        if what == "InsertStmt":
            yield from _copied(subject, each.select_stmt)
        elif not subject.is_new(table) and (what == "MergeStmt" or is_bounded(each)):
            text = f"changes rows of {table} in one go; unless they are few, do it {_range_by_range(subject)}"
            safe = partial(_batched, subject, table) if each is node and what != "MergeStmt" else ""
            yield Hit(text, safe)
    if subject.statement.kind == "create_table_as_stmt" and enum_name(node, "objtype") != "OBJECT_MATVIEW":
        yield from _copied(subject, node.query) if not node.into.skip_data else ()
    elif subject.statement.kind == "select_stmt" and node.HasField("into_clause"):
        yield from _copied(subject, node, without=relation_name(node.into_clause.rel))


def _copied(subject: Subject, query: Any, without: str = "") -> Iterator[Hit]:
    """Yield that a query's rows are copied, if they come from tables that were there before the file."""
    if not _may_query(subject.statement):
        return
    read = [each for each in tables_of(query) if each != without and not subject.is_new(each)]
    if read:
        yield Hit(f"copies rows of {', '.join(read)} in one go; copy them {_range_by_range(subject)}")


def _may_query(statement: Statement) -> bool:
    """Whether a statement may have a query; most inserts have nothing but values."""
    text = statement.text.lower()
    return "select" in text or "table" in text


def filled_by(statement: Statement) -> str:
    """Return the table into which a statement copies rows, however many; empty if it copies none, or but its own."""
    node = statement.node
    match statement.kind:
        case "insert_stmt" if _may_query(statement) and tables_of(node.select_stmt):
            return relation_name(node.relation)
        case "copy_stmt" if node.is_from:
            return relation_name(node.relation)
        case "create_table_as_stmt" if not node.into.skip_data:
            return relation_name(node.into.rel)
        case "select_stmt" if node.HasField("into_clause"):
            return relation_name(node.into_clause.rel)
        case _:
            return ""


@rule(
    "backfill-other-table",
    "A backfill goes through the keys of the table that its header names; of another one it misses rows.",
    "insert_stmt",
    "update_stmt",
    "delete_stmt",
    "merge_stmt",
    "select_stmt",
    where=Stands.BACKFILL,
)
def backfill_other_table(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a backfill that neither writes nor reads the table whose keys it is given."""
    if subject.header is None or subject.header.backfill is None:
        return
    table = joined(subject.header.backfill.table.split("."))
    found = tables_of(node)
    if table not in found:
        yield Hit(f"is given the keys of {table}, and uses {', '.join(found) or 'no table'}; name that in its header")


@rule(
    "backfill-beyond",
    "What a backfill does beyond its rows is not undone with its transaction, and is done again with the next try.",
    "insert_stmt",
    "update_stmt",
    "delete_stmt",
    "merge_stmt",
    "select_stmt",
    where=Stands.BACKFILL,
)
def backfill_beyond(_: Subject, node: Any) -> Iterator[Hit]:
    """Yield a backfill that calls what does something else as well."""
    for name in sorted(calls(node) & _BEYOND):
        yield Hit(f"calls {name}, which does more than change its rows; do that elsewhere")


@rule(
    "backfill-volatile",
    "A batch that fails is tried again, and what is other each time gives the same rows other values then.",
    "insert_stmt",
    "update_stmt",
    "delete_stmt",
    "merge_stmt",
    "select_stmt",
    where=Stands.BACKFILL,
    severity=Severity.WARNING,
)
def backfill_volatile(_: Subject, node: Any) -> Iterator[Hit]:
    """Yield a backfill that calls what is other each time."""
    for name in sorted(calls(node) & _VOLATILE):
        yield Hit(f"calls {name}, which is other each time: after a rollback the same rows get other values")

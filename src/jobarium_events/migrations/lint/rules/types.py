"""Rules about types and names: what is cheap to choose well at first, and dear to change afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.names import base_type, joined
from jobarium_events.migrations.lint.rewriting import changed, lines
from jobarium_events.migrations.lint.rules.rule import Hit, Stands, Subject, rule
from jobarium_events.migrations.lint.walking import constants

_LONGEST = 63
_SMALL = {"int4", "int2", "serial", "serial4", "smallserial", "serial2"}


def _columns(subject: Subject, node: Any) -> Iterable[tuple[Any, str]]:
    """Return the columns that a statement makes, each with its type's own name."""
    if subject.statement.kind == "create_stmt":
        return subject.columns
    column = getattr(node, "def").column_def
    return ((column, base_type(column)),)


def _with_type(subject: Subject, column: Any, to: str) -> str:
    """Return the statement with another type for one column."""

    def other(copy: Any) -> None:
        found = copy.table_elts if subject.statement.kind == "create_stmt" else copy.cmds
        for each in found:
            is_element = each.HasField("column_def")
            if not is_element and not each.HasField("alter_table_cmd"):
                continue
            made = each.column_def if is_element else getattr(each.alter_table_cmd, "def").column_def
            if made.colname == column.colname:
                del made.type_name.names[:], made.type_name.typmods[:]
                made.type_name.names.add().string.sval = to

    return lines(changed(subject.statement, other))


@rule(
    "integer-key",
    "A key of four bytes ends at 2,147,483,647, and to widen it the whole table is written anew.",
    "create_stmt",
    "AT_AddColumn",
    severity=Severity.WARNING,
    having=_SMALL,
)
def integer_key(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a key that may run out of numbers."""
    for column, base in _columns(subject, node):
        if base not in _SMALL:
            continue
        is_serial = "serial" in base
        if is_serial or any(enum_name(each.constraint, "contype") == "CONSTR_IDENTITY" for each in column.constraints):
            text = f"numbers rows by {column.colname} of four bytes or less; have it of eight"
            yield Hit(text, _with_type(subject, column, "bigserial" if is_serial else "bigint"))


@rule(
    "timestamp-without-zone",
    "A timestamp without its time zone is another moment for each who reads it in another one.",
    "create_stmt",
    "AT_AddColumn",
    severity=Severity.WARNING,
    having=["timestamp"],
)
def timestamp_without_zone(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a column of moments that does not say which."""
    for column, base in _columns(subject, node):
        if base == "timestamp":
            text = f"has the column {column.colname} of type timestamp, which says nothing of its zone"
            yield Hit(text, _with_type(subject, column, "timestamptz"))


@rule(
    "char-type",
    "char(n) is filled up with spaces, which comparisons pass over and everything else does not.",
    "create_stmt",
    "AT_AddColumn",
    severity=Severity.WARNING,
    having=["bpchar"],
)
def char_type(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a column of texts with spaces behind them."""
    for column, base in _columns(subject, node):
        if base == "bpchar":
            text = (
                f"has the column {column.colname} of type char; a text with a check of its length does without spaces"
            )
            yield Hit(text, _with_type(subject, column, "text"))


@rule(
    "json-type",
    "Values of json cannot be compared, so queries with DISTINCT or UNION that worked before fail with the column.",
    "create_stmt",
    "AT_AddColumn",
    severity=Severity.WARNING,
    having=["json"],
)
def json_type(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a column of json."""
    for column, base in _columns(subject, node):
        if base == "json":
            yield Hit(f"has the column {column.colname} of type json", _with_type(subject, column, "jsonb"))


@rule(
    "name-too-long",
    "Postgres cuts a name after 63 bytes without a word, and two may become the same.",
    "create_stmt",
    "index_stmt",
    "view_stmt",
    "AT_AddColumn",
    "AT_AddConstraint",
)
def name_too_long(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield names of which Postgres keeps only a part."""
    match subject.statement.kind:
        case "create_stmt":
            found = [node.relation.relname, *[column.colname for column, _ in subject.columns]]
        case "index_stmt":
            found = [node.idxname]
        case "view_stmt":
            found = [node.view.relname]
        case _:
            definition = getattr(node, "def")
            found = [definition.column_def.colname, definition.constraint.conname]
    for name in found:
        if len(name.encode()) >= _LONGEST and re.search(
            rf"{re.escape(name)}[\w$]", subject.statement.text, re.IGNORECASE
        ):
            yield Hit(f"has a name of which Postgres keeps only {name}; give it a shorter one")


@rule(
    "enum-value-used-at-once",
    "A value that a transaction adds to a type cannot be used in it: Postgres refuses it.",
    "",
    where=Stands.TRANSACTION,
)
def enum_value_used_at_once(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield the use of a value in the transaction that adds it."""
    if subject.transaction is None:
        return
    added = {
        each.node.new_val: joined(part.string.sval for part in each.node.type_name)
        for each, _ in subject.transaction.statements
        if each.kind == "alter_enum_stmt" and not each.node.old_val
    }
    made = {
        joined(part.string.sval for part in each.node.type_name)
        for each, _ in subject.transaction.statements
        if each.kind == "create_enum_stmt"
    }
    for value in sorted(added.keys() & constants(node)) if added else ():
        if added[value] not in made:
            text = f"uses the value {value!r} in the transaction that adds it to {added[value]}; end that before"
            yield Hit(text, lines("commit", "begin", subject.statement.text))

"""Rules about what a column means: its comment, its values, and its default; they change only by a decision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.migrations.files.parsing import enum_name, expression
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.knowledge.schema import ConstraintKind
from jobarium_events.migrations.lint.names import inner, joined, listed_names, relation_name, texts
from jobarium_events.migrations.lint.queries import redefined
from jobarium_events.migrations.lint.rules.rule import Hit, Rule, described

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jobarium_events.evolution.decision import Decision
    from jobarium_events.migrations.files.header import Header
    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.lint.knowledge.schema import Schema, Table

__all__ = ["CHANGED", "commented_types", "reworded"]

CHANGED = described(
    "meaning-changed",
    "Code that runs reads a column as it was meant; what it means is never changed in silence.",
    firm=True,
    breaks=True,
)
_UNKNOWN = described(
    "meaning-unknown",
    "Whether a comment changes what a column means cannot be told where nothing says what it meant.",
    Severity.WARNING,
)
_OF_TYPES = ("OBJECT_TYPE", "OBJECT_DOMAIN")
_Columns = Iterator[tuple[str, str]]


class Limits(NamedTuple):
    """What the checks of a table, and a column's enum, let one of its columns be.

    Attributes:
        values: The values that all lists of them have in common; None if nothing lists them.
        others: What other checks of the column alone ask for, as SQL, but for its not being null.
    """

    values: frozenset[str] | None = None
    others: frozenset[str] = frozenset()


_NO_LIMITS = Limits()


def reworded(
    statement: Statement,
    before: Schema,
    after: Schema,
    header: Header,
    decisions: Mapping[str, Decision],
    *,
    types: Mapping[str, str],
) -> Iterator[tuple[Rule, Hit]]:
    """Yield each column whose meaning a statement changes without a decision that names it.

    Args:
        statement: The statement.
        before: What is known of the tables before it.
        after: What is known of them after it.
        header: What its file says of itself.
        decisions: The decision log.
        types: The comments of types before it; see `commented_types`.
    """
    if statement.kind == "comment_stmt" and (text := _unknown(statement, before, types)):
        yield _UNKNOWN, Hit(f"{text}; put the statement that made it into the baseline")
        return
    decision = decisions.get(header.decision or "")
    for table, column in _changed(statement, before, after, types):
        is_decided = decision is not None and decision.allows_column(table, column)
        if table not in before.created and not is_decided:
            yield CHANGED, _hit(table, column, header)


def commented_types(statements: Iterable[Statement]) -> dict[str, str]:
    """Return the types and domains on which some statements comment, each with the last comment; empty for none."""
    said = {}
    for each in statements:
        if each.kind == "comment_stmt" and enum_name(each.node, "objtype") in _OF_TYPES:
            said[_type_in(each.node)] = str(each.node.comment)
    return said


def _hit(table: str, column: str, header: Header) -> Hit:
    by = f"{header.decision} does not name it" if header.decision else "no decision in the header names it"
    text = f"changes what {table}.{column} means, and {by}; have one accepted with this table, or add another column"
    return Hit(text, f'[[columns]]\ntable = "{table}"\nmeanings = ["{column}"]')


def _unknown(statement: Statement, before: Schema, types: Mapping[str, str]) -> str:
    """Return that nothing says what a comment's column meant before; empty if something does, or if it is new."""
    node = statement.node
    kind = enum_name(node, "objtype")
    if kind == "OBJECT_COLUMN":
        table, column = listed_names(node.object)
        known, was = before.tables.get(table), before.column(table, column)
        if table in before.created or (known is not None and known.complete) or (was is not None and was.comment):
            return ""
        return f"comments on {table}.{column}, and no earlier file or baseline says what it meant"
    if kind in _OF_TYPES:
        name = _type_in(node)
        used = [f"{table}.{column}" for table, column in _used(before, name) if table not in before.created]
        if used and name not in types and name not in before.enums and name not in before.domains:
            return f"comments on the type of {', '.join(used)}, and no earlier file or baseline says what it meant"
    return ""


def _changed(statement: Statement, before: Schema, after: Schema, types: Mapping[str, str]) -> _Columns:
    """Yield the columns whose meaning a statement changes."""
    node = statement.node
    match statement.kind:
        case "comment_stmt":
            yield from _commented(node, before, types)
        case "alter_table_stmt":
            table = relation_name(node.relation)
            yield from ((table, each) for each in _limited(node, table, before, after))
            yield from ((table, each) for each in _defaulted(node, before.table(table)))
        case "view_stmt" if node.replace:
            yield from _redefined(node, before.table(relation_name(node.view)))
        case "alter_enum_stmt":
            name = joined(texts(node.type_name))
            if before.enums.get(name) != after.enums.get(name):
                yield from _used(before, name)
        case "alter_domain_stmt":
            yield from _of_domain(node, before)
        case _:
            pass


def _commented(node: Any, before: Schema, types: Mapping[str, str]) -> _Columns:
    """Yield the columns that had another comment, by themselves or by their type."""
    kind = enum_name(node, "objtype")
    if kind == "OBJECT_COLUMN":
        table, column = listed_names(node.object)
        was = before.column(table, column)
        if was is not None and was.comment is not None and was.comment != (node.comment or None):
            yield table, column
    elif kind in _OF_TYPES:
        name = _type_in(node)
        if types.get(name) and types[name] != node.comment:
            yield from _used(before, name)


def _redefined(node: Any, view: Table) -> _Columns:
    """Yield the columns of a view that may have other values by the query that replaces its own."""
    if view.query is not None:
        names = redefined(view.query, inner(node.query), tuple(view.columns))
        yield from ((view.name, each) for each in names)


def _defaulted(node: Any, table: Table) -> Iterator[str]:
    """Yield the columns that had a default, and are given another one."""
    for each in node.cmds:
        command = each.alter_table_cmd
        known = table.columns.get(command.name)
        if enum_name(command, "subtype") != "AT_ColumnDefault" or known is None or known.default is None:
            continue
        if command.HasField("def") and expression(known.default) != expression(getattr(command, "def")):
            yield command.name


def _limited(node: Any, table: str, before: Schema, after: Schema) -> Iterator[str]:
    """Yield the columns that had limits, and have others after an ``alter table``."""
    old, new = before.table(table), after.table(table)
    found = {
        each.alter_table_cmd.name
        for each in node.cmds
        if enum_name(each.alter_table_cmd, "subtype") == "AT_AlterColumnType"
    }
    if old.constraints is not new.constraints:
        for name in old.constraints.keys() | new.constraints.keys():
            was, now = old.constraints.get(name), new.constraints.get(name)
            if was is not now:
                found.update(*(each.columns for each in (was, now) if each is not None))
    for column in old.columns:
        if column in found and column in new.columns:
            limits = _limits(before, old, column)
            if limits != _NO_LIMITS and limits != _limits(after, new, column):
                yield column


def _limits(schema: Schema, table: Table, column: str) -> Limits:
    """Return the limits of a column; a partition's bounds hold even if the check goes that has proved them."""
    enum = schema.enums.get(table.columns[column].type.removesuffix("[]"))
    values = None if enum is None else frozenset(enum.values)
    others = set()
    for each in table.constraints.values():
        if each.kind is not ConstraintKind.CHECK or each.columns != (column,) or not each.enforced:
            continue
        if each.allowed is not None:
            values = frozenset(each.allowed) if values is None else values & frozenset(each.allowed)
        elif not table.parents and type(inner(each.expression)).__name__ != "NullTest":
            others.add(expression(each.expression))
    return Limits(values, frozenset(others))


def _of_domain(node: Any, before: Schema) -> _Columns:
    """Yield the columns of a domain that is asked for more than before, or for less."""
    name = joined(texts(node.type_name))
    known = before.domains.get(name)
    match node.subtype:
        case "C" if enum_name(getattr(node, "def").constraint, "contype") == "CONSTR_CHECK":
            was_limited = known is not None and known.limited
        case "X":
            was_limited = known is None or known.limited
        case _:
            return
    for table, column in _used(before, name):
        if was_limited or _limits(before, before.table(table), column) != _NO_LIMITS:
            yield table, column


def _used(schema: Schema, type_: str) -> _Columns:
    """Yield the columns of a type."""
    return ((table.name, column.name) for table, column in schema.using_type(type_))


def _type_in(node: Any) -> str:
    """Return the type on which a ``CommentStmt`` comments."""
    return joined(texts(node.object.type_name.names))

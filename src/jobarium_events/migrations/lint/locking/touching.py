"""Which tables a query or a change of rows names, and how it locks each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.lint.names import relation_name
from jobarium_events.migrations.lint.walking import NAMELESS, held, parts

__all__ = ["is_whole", "named_tables", "touched"]

_CHANGES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
_STATEMENTS = ("SelectStmt", *_CHANGES)
_QUERYING = ("select", "values", "table")
"""The words with which a query begins."""
_OWN = {"SelectStmt": 1, "InsertStmt": 1, "UpdateStmt": 0, "DeleteStmt": 0}
"""How many of them a statement has by itself."""
_NONE: frozenset[str] = frozenset()


def named_tables(message: Any, text: str = "") -> tuple[str, ...]:
    """Return the tables that a query names, in their order.

    Args:
        message: The query's tree.
        text: That of the statement; see `touched`.
    """
    return tuple(dict.fromkeys(name for name, _ in touched(message, text=text)))


def touched(message: Any, hidden: frozenset[str] = frozenset(), *, text: str = "") -> Iterator[tuple[str, LockMode]]:
    """Yield the tables that a statement names, each with how it is locked; a table may come more than once.

    Args:
        message: A statement's tree, or a part of it.
        hidden: The names that a ``with`` around it gives to queries, which are no tables.
        text: That of the statement. Where it shows that no query stands within another one, only what comes after
            ``from`` is looked into, since no expression can name a table.
    """
    if text and _is_single(message, text):
        return _of_single(message)
    return _touched([message], hidden)


def _is_single(message: Any, text: str) -> bool:
    """Whether a statement has no query but itself, or but the one that it inserts."""
    kind = type(message).__name__
    if kind not in _OWN or message.HasField("with_clause"):
        return False
    if kind == "InsertStmt" and message.select_stmt.select_stmt.HasField("with_clause"):
        return False
    lowered = text.lower()
    return sum(map(lowered.count, _QUERYING)) <= _OWN[kind]


def _of_single(message: Any) -> Iterator[tuple[str, LockMode]]:
    """Yield the same of a statement that has no query but itself, or but the one that it inserts."""
    kind = type(message).__name__
    if kind == "InsertStmt":
        yield relation_name(message.relation), LockMode.ROW_EXCLUSIVE
        if message.HasField("select_stmt"):
            yield from _of_single(message.select_stmt.select_stmt)
        return
    if kind == "SelectStmt":
        yield from _locked(message, _NONE)
        sources = message.from_clause
    else:
        yield relation_name(message.relation), LockMode.ROW_EXCLUSIVE
        sources = message.from_clause if kind == "UpdateStmt" else message.using_clause
    yield from _touched(held(sources, NAMELESS)[::-1], _NONE)


def _touched(waiting: list[Any], hidden: frozenset[str]) -> Iterator[tuple[str, LockMode]]:
    """Yield the same of several messages, the last of them first."""
    while waiting:
        each = waiting.pop()
        kind = type(each).__name__
        if kind == "RangeVar":
            if each.relname and (each.schemaname or each.relname not in hidden):
                yield relation_name(each), LockMode.ACCESS_SHARE
        elif kind in _STATEMENTS:
            yield from _statement(each, kind, hidden)
        else:
            waiting += parts(each, (), NAMELESS)[::-1]


def _statement(message: Any, kind: str, hidden: frozenset[str]) -> Iterator[tuple[str, LockMode]]:
    if message.HasField("with_clause"):
        clause = message.with_clause
        ctes = [node.common_table_expr for node in clause.ctes]
        if clause.recursive:
            hidden |= {each.ctename for each in ctes}
        for each in ctes:
            yield from touched(each, hidden)
            hidden |= {each.ctename}
    if kind in _CHANGES:
        yield relation_name(message.relation), LockMode.ROW_EXCLUSIVE
        yield from _touched(parts(message, ("with_clause", "relation"), NAMELESS)[::-1], hidden)
        return
    yield from _locked(message, hidden)
    yield from _touched(parts(message, ("with_clause", "locking_clause", "into_clause"), NAMELESS)[::-1], hidden)


def _locked(message: Any, hidden: frozenset[str]) -> Iterator[tuple[str, LockMode]]:
    """Yield the tables whose rows a query locks."""
    for node in message.locking_clause:
        only = {each.range_var.relname for each in node.locking_clause.locked_rels}
        for name, called in _from(message.from_clause, hidden):
            if not only or called in only:
                yield name, LockMode.ROW_SHARE


def _from(nodes: Any, hidden: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the tables of a ``from``, each with what it is called there."""
    for node in nodes:
        if node.WhichOneof("node") == "range_var":
            relation = node.range_var
            if relation.schemaname or relation.relname not in hidden:
                yield relation_name(relation), relation.alias.aliasname or relation.relname
        elif node.WhichOneof("node") == "join_expr":
            yield from _from([node.join_expr.larg, node.join_expr.rarg], hidden)


def is_whole(message: Any) -> bool:
    """Whether a statement reads a table with no condition at all, so that it reads it whole."""
    kind = type(message).__name__
    parts = [node.common_table_expr.ctequery for node in message.with_clause.ctes] if kind != "Node" else []
    if kind == "Node":
        found = message.WhichOneof("node")
        return found in _WHOLE and is_whole(getattr(message, found))
    if any(is_whole(each) for each in parts):
        return True
    match kind:
        case "InsertStmt":
            return message.HasField("select_stmt") and is_whole(message.select_stmt)
        case "UpdateStmt" | "DeleteStmt":
            return not message.HasField("where_clause")
        case "MergeStmt":
            return True
        case _:
            if message.HasField("larg"):
                return is_whole(message.larg) or is_whole(message.rarg)
            unlimited = not message.HasField("where_clause") and not message.HasField("limit_count")
            hidden = frozenset(node.common_table_expr.ctename for node in message.with_clause.ctes)
            return unlimited and any(True for _ in _from(message.from_clause, hidden))


_WHOLE = ("select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt")

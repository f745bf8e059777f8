"""Which rows a statement changes: its own, and those of the queries within it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.options import is_on
from jobarium_events.migrations.lint.walking import messages

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["MAY_CHANGE", "changes"]

_CHANGING = ("insert_stmt", "update_stmt", "delete_stmt", "merge_stmt")
_HOLDING = ("explain_stmt", "prepare_stmt", "copy_stmt", "declare_cursor_stmt")

MAY_CHANGE = (*_CHANGING, *_HOLDING, "select_stmt", "create_table_as_stmt")
"""The kinds of statements that may change rows, by themselves or by a query within them."""

_WITH = re.compile(r"\bwith\b")
_CHANGES = {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}


def changes(statement: Statement) -> Iterator[Any]:
    """Yield the tree of each change of rows in a statement: itself, those of its ``with``, and what it explains."""
    node, kind = statement.node, statement.kind
    if kind in _CHANGING:
        yield node
    if kind == "explain_stmt" and not is_on(node.options, "analyze"):
        return
    if kind in _HOLDING or (kind in MAY_CHANGE and _has_with(statement.text.lower())):
        yield from (each for each in messages(node) if type(each).__name__ in _CHANGES and each is not node)


def _has_with(text: str) -> bool:
    return "with" in text and _WITH.search(text) is not None  # few texts have it, and what looks for words is slow

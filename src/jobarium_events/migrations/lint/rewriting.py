"""SQL made of a statement's own tree: names as they have to be written, and the statement with something changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jobarium_events.migrations.files.parsing import Statement, is_reserved, written

__all__ = ["also", "changed", "lines", "only", "quoted", "shown"]

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
_LONGEST = 63  # bytes of a name that Postgres keeps


def quoted(*parts: str) -> str:
    """Return a name as it has to be written in SQL."""
    return ".".join(
        part if _PLAIN.fullmatch(part) and not is_reserved(part) else f'"{part.replace(chr(34), chr(34) * 2)}"'
        for part in parts
        if part
    )


def shown(table: str) -> str:
    """Return a table's name, which may have its schema before it, as it has to be written in SQL."""
    return quoted(*table.split("."))


def also(*parts: str) -> str:
    """Return a name for something new, made of others and not longer than Postgres keeps."""
    return quoted("_".join(part.rpartition(".")[2] for part in parts).encode()[:_LONGEST].decode(errors="ignore"))


def lines(*statements: str) -> str:
    """Return statements as SQL, each on a line of its own and ended."""
    return "\n".join(f"{statement};" for statement in statements if statement)


def changed(statement: Statement, change: Callable[[Any], None]) -> str:
    """Return a statement with something changed in its tree, as SQL."""
    node = type(statement.node)()
    node.CopyFrom(statement.node)
    change(node)
    return written(statement.kind, node)


def only(statement: Statement, command: Any, change: Callable[[Any], None] | None = None) -> str:
    """Return an ``alter table`` with one of its commands alone, and something changed in that."""

    def alone(node: Any) -> None:
        del node.cmds[:]
        node.cmds.add().alter_table_cmd.CopyFrom(command)
        if change is not None:
            change(node.cmds[0].alter_table_cmd)

    return changed(statement, alone)

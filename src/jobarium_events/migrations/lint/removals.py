"""What statements take away that code may read: tables, views and columns. The one notion of it: lint's and the gates'.

What is emptied by ``truncate`` or ``delete`` is still there, and code goes on; that is for the rules on data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.names import listed_name, relation_name

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["Removals", "Removed", "Unclear", "removals", "removed", "said_of", "unclear"]

_RELATIONS = ("OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW")
_LEFT_ALONE = ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE")
"""What no table, view or column depends on."""
_IN_A_BLOCK = re.compile(
    r"\b(drop\s+(table|column|view|materialized|foreign|schema|type|domain|owned)|detach)\b", re.IGNORECASE
)
_COMMON = "public."


class Removed(msgspec.Struct, frozen=True):
    """A table, a view, or a column, that a statement removes.

    Attributes:
        table: The table or the view, with its schema unless that is ``public``.
        column: The column; empty if it is the whole table.
    """

    table: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table


class Unclear(msgspec.Struct, frozen=True):
    """A statement that takes away what it does not name.

    Attributes:
        line: Its line.
        text: What it does, and what to write instead.
    """

    line: int
    text: str


class Removals(msgspec.Struct, frozen=True):
    """What some statements take away.

    Attributes:
        gone: What they name.
        unclear: The statements by which more may go.
    """

    gone: tuple[Removed, ...] = ()
    unclear: tuple[Unclear, ...] = ()


def removals(statements: Iterable[Statement]) -> Removals:
    """Return what some statements take away, taken together.

    A table that they make themselves before was not there for anybody; a view that they make anew is there again.
    """
    gone: dict[Removed, None] = {}
    made: set[str] = set()
    doubtful: list[Unclear] = []
    for statement in statements:
        gone.update((each, None) for each in removed(statement) if each.table not in made)
        if text := unclear(statement):
            doubtful.append(Unclear(statement.line, text))
        name = _made(statement)
        if name and statement.kind == "view_stmt":
            gone.pop(Removed(name), None)
        elif name and Removed(name) not in gone:
            made.add(name)
    return Removals(tuple(gone), tuple(doubtful))


def removed(statement: Statement) -> Iterator[Removed]:
    """Yield the tables, views and columns that a statement names and removes.

    A partition that is detached goes as well: its rows are in the table no more.
    """
    node = statement.node
    if statement.kind == "drop_stmt" and enum_name(node, "remove_type") in _RELATIONS:
        yield from (Removed(listed_name(each)) for each in node.objects)
    elif statement.kind == "alter_table_stmt":
        table = relation_name(node.relation)
        for each in node.cmds:
            command = each.alter_table_cmd
            match enum_name(command, "subtype"):
                case "AT_DropColumn":
                    yield Removed(table, command.name)
                case "AT_DetachPartition":
                    yield Removed(relation_name(getattr(command, "def").partition_cmd.name))
                case "AT_DropInherit":
                    yield Removed(table)
                case _:
                    pass


def unclear(statement: Statement) -> str:
    """Return why a statement may take away what it does not name, and what to write instead; empty if it does not."""
    node = statement.node
    match statement.kind:
        case "drop_stmt" if enum_name(node, "remove_type") not in _LEFT_ALONE:
            cascades = enum_name(node, "behavior") == "DROP_CASCADE"
        case "alter_table_stmt":
            commands = (each.alter_table_cmd for each in node.cmds)
            cascades = any(enum_name(each, "behavior") == "DROP_CASCADE" for each in commands)
        case "drop_owned_stmt":
            return "drops whatever a role owns, which the file does not name; drop each by its name"
        case "dropdb_stmt":
            return "drops a database, with all that is in it; that is no migration of this one"
        case "do_stmt" if any(_IN_A_BLOCK.search(each.def_elem.arg.string.sval) for each in node.args):
            return "removes something within a block of code, where it cannot be seen what; write it as a statement"
        case _:
            return ""
    how = "takes along whatever depends on it, which the file does not name"
    return f"{how}; drop each by its name before, and leave out `cascade`" if cascades else ""


def said_of(out_of_use: Mapping[str, str], gone: Removed) -> str | None:
    """Return since which release something is out of use, as a header says: of itself, or of its whole table."""
    said = {name.removeprefix(_COMMON): since for name, since in out_of_use.items()}
    return said.get(str(gone)) or said.get(gone.table)


def _made(statement: Statement) -> str:
    """Return the name of the table or the view that a statement makes; empty if it makes none."""
    match statement.kind:
        case "create_stmt" if not statement.node.if_not_exists:
            return relation_name(statement.node.relation)
        case "view_stmt":
            return relation_name(statement.node.view)
        case _:
            return ""

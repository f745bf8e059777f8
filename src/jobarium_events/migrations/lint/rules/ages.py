"""The rule about what older versions of Postgres do not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule

_NEWER_COMMANDS = {
    "AT_SetExpression": ("set expression", 17),
    "AT_SetAccessMethod": ("set access method", 15),
    "AT_SetCompression": ("set compression", 14),
}
_DEFINING = {"AT_AddColumn", "AT_AddConstraint", "AT_DetachPartition"}
"""The commands of which it depends on what is in them."""


@rule(
    "newer-syntax",
    "Older versions of Postgres do not know it, so the migration fails where they still run.",
    *_NEWER_COMMANDS,
    *_DEFINING,
    "create_trig_stmt",
    "index_stmt",
    "merge_stmt",
)
def newer_syntax(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield what the oldest version cannot read."""
    for what, version in _newer(subject, node):
        if subject.oldest < version:
            yield Hit(f"needs Postgres {version} for {what}, and is to run on {subject.oldest} as well")


def _newer(subject: Subject, node: Any) -> Iterator[tuple[str, int]]:
    match subject.statement.kind:
        case "merge_stmt":
            yield "merge", 15
        case "index_stmt" if node.nulls_not_distinct:
            yield "nulls not distinct", 15
        case "create_trig_stmt" if node.replace:
            yield "create or replace trigger", 14
        case "alter_table_stmt":
            yield from _newer_command(node)
        case _:
            pass


def _newer_command(command: Any) -> Iterator[tuple[str, int]]:
    name = enum_name(command, "subtype")
    if name in _NEWER_COMMANDS:
        yield _NEWER_COMMANDS[name]
    if name not in _DEFINING:
        return
    definition = getattr(command, "def")
    if name == "AT_DetachPartition" and definition.partition_cmd.concurrent:
        yield "detach partition concurrently", 14
    constraints = [definition.constraint] if name == "AT_AddConstraint" else []
    if name == "AT_AddColumn":
        constraints += (each.constraint for each in definition.column_def.constraints)
    elif constraints and enum_name(constraints[0], "contype") == "CONSTR_NOTNULL":
        yield "not null as a constraint", 18
    for each in constraints:
        if each.nulls_not_distinct:
            yield "nulls not distinct", 15
        if each.without_overlaps:
            yield "without overlaps", 18
        if each.generated_kind == "v":
            yield "virtual columns", 18

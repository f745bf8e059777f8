"""How Alembic and Django are told to do what a finding says, where a file is what one of them has printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.lint.names import texts
from jobarium_events.migrations.lint.reading import Tool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.lint.rules.rule import Hit, Rule

__all__ = ["in_tool"]

_CONCURRENT = ("index-not-concurrent", "drop-index-not-concurrent", "concurrently-in-transaction")
_IN_ALEMBIC = "-- in Alembic:\n-- with op.get_context().autocommit_block():"
_IN_DJANGO = "-- in Django, in a migration that has `atomic = False`:"


def in_tool(tool: Tool, statement: Statement, found: Iterable[tuple[Rule, Hit]]) -> list[tuple[Rule, Hit]]:
    """Return what was found, with how an index is made or dropped concurrently in the tool, above the SQL for it."""
    return [
        (rule, _also_in(tool, statement, hit) if rule.id in _CONCURRENT and hit.safe else hit) for rule, hit in found
    ]


def _also_in(tool: Tool, statement: Statement, hit: Hit) -> Hit:
    match statement.kind:
        case "index_stmt":
            said = _made_in_alembic(statement.node) if tool is Tool.ALEMBIC else _made_in_django(statement.node)
        case "drop_stmt":
            said = "\n".join(_dropped(tool, texts(each.list.items)) for each in statement.node.objects)
        case _:
            return hit
    where = _IN_ALEMBIC if tool is Tool.ALEMBIC else _IN_DJANGO
    return msgspec.structs.replace(hit, safe=f"{where}\n{said}\n{hit.safe}")


def _made_in_alembic(node: Any) -> str:
    schema = f"schema={_string(node.relation.schemaname)}, " if node.relation.schemaname else ""
    unique = "unique=True, " if node.unique else ""
    names = f"{_string(node.idxname)}, {_string(node.relation.relname)}, [{_columns(node)}]"
    return f"--     op.create_index({names}, {unique}{schema}postgresql_concurrently=True)"


def _made_in_django(node: Any) -> str:
    if node.unique:
        return "-- RunSQL(..., state_operations=[...]) with this SQL:"
    index = f"models.Index(fields=[{_columns(node)}], name={_string(node.idxname)})"
    return f"-- AddIndexConcurrently(model_name=..., index={index})"


def _dropped(tool: Tool, names: tuple[str, ...]) -> str:
    name = _string(names[-1])
    if tool is Tool.DJANGO:
        return f"-- RemoveIndexConcurrently(model_name=..., name={name})"
    schema = f"schema={_string(names[0])}, " if len(names) > 1 else ""
    return f"--     op.drop_index({name}, {schema}postgresql_concurrently=True)"


def _columns(node: Any) -> str:
    """Return the columns of an index as a list in Python has them; of expressions and conditions nothing is made up."""
    elements = [each.index_elem for each in node.index_params]
    is_plain = all(each.name for each in elements) and not node.HasField("where_clause")
    return ", ".join(_string(each.name) for each in elements) if is_plain else "..."


def _string(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)

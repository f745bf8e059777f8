"""Rules about what running code relies on without naming it: defaults, rights, and what triggers do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.lint.names import joined, listed_name, relation_name, texts
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule

__all__ = ["taken_rights"]


def _is_over(subject: Subject) -> bool:
    """Whether no code relies on it any more, or never did: in a contract, and on the way back of what came."""
    is_contract = subject.header is not None and subject.header.category is Category.CONTRACT
    return is_contract or subject.section is Section.DOWN


@rule(
    "drop-default",
    "Code that leaves the column out of its inserts has them refused once a required column has no default.",
    "AT_ColumnDefault",
    breaks=True,
)
def drop_default(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a required column that loses its default."""
    table = relation_name(subject.node.relation)
    if command.HasField("def") or subject.is_new(table) or _is_over(subject):
        return
    column = subject.schema.column(table, command.name)
    if column is not None and not column.nullable:
        text = f"takes its default from {table}.{command.name}, which is required: running code that does not name it "
        yield Hit(f"{text}can insert no more; drop it once all code does")


@rule(
    "revoke",
    "Code that runs as that role is refused from that moment on.",
    "grant_stmt",
    breaks=True,
)
def revoke(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield rights that are taken away from what the file did not make."""
    names = [] if _is_over(subject) else list(taken_rights(subject, node))
    if names:
        yield Hit(f"takes rights on {', '.join(names)} away from code that may run; do it once none needs them")


def taken_rights(subject: Subject, node: Any) -> Iterator[str]:
    """Yield on what a ``GrantStmt`` takes rights away, but for what the file made itself."""
    if not node.is_grant:
        names = map(_granted, node.objects)
        yield from (each for each in names if not subject.is_new(each) and each not in subject.made)


def _granted(node: Any) -> str:
    match node.WhichOneof("node"):
        case "range_var":
            return relation_name(node.range_var)
        case "object_with_args":
            return joined(texts(node.object_with_args.objname))
        case _:
            return listed_name(node)


@rule(
    "function-replaced",
    "A trigger calls the new function from that moment on, for each row that running code writes.",
    "create_function_stmt",
)
def function_replaced(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a function that triggers of tables in use call."""
    if not node.replace or subject.section is Section.DOWN:
        return
    name = joined(texts(node.funcname))
    if name in subject.made:
        return
    used = [each for each in subject.schema.calling(name) if not subject.is_new(each)]
    if used:
        text = (
            f"changes what a trigger of {', '.join(used)} does under running code; make another function, and another"
        )
        yield Hit(f"{text} trigger beside it, and drop the old ones later")

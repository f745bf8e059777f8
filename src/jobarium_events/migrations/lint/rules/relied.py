"""Rules about what running code relies on without naming it: defaults, rights, and what triggers do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.files.parsing import enum_name, written
from jobarium_events.migrations.lint.names import joined, listed_name, relation_name, texts
from jobarium_events.migrations.lint.rewriting import changed, quoted, shown
from jobarium_events.migrations.lint.rules.parts import UP, part, parts, unused
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule

__all__ = ["taken_rights"]

_WITH_RIGHTS = frozenset(
    f"OBJECT_{each}"
    for each in "AGGREGATE DATABASE DOMAIN FDW FOREIGN_SERVER FUNCTION LANGUAGE PROCEDURE ROUTINE SCHEMA TYPE".split()
)
"""What else than tables roles are granted rights on."""


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
        drop = f"alter table {shown(table)} alter column {quoted(command.name)} drop default"
        yield Hit(f"{text}can insert no more; drop it once all code does", unused(subject, drop))


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
        text = f"takes rights on {', '.join(names)} away from code that may run; do it once none needs them"
        yield Hit(text, unused(subject, subject.statement.text))


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
    "owner-changed",
    "The role that owned it loses the rights that came with that, and code that runs as it is refused from that moment "
    "on.",
    "AT_ChangeOwner",
    "alter_owner_stmt",
    "reassign_owned_stmt",
    breaks=True,
)
def owner_changed(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield what gets another owner, but for what the file made itself."""
    name = "" if _is_over(subject) else _owned(subject, node)
    if name and not subject.is_new(name) and name not in subject.made:
        text = f"takes {name} from the role that owns it, and its rights with that; grant that role what its code needs"
        safe = unused(subject, subject.statement.text)
        yield Hit(f"{text} in the same transaction, or do it once no code runs as it", safe)


def _owned(subject: Subject, node: Any) -> str:
    """Return what gets another owner, if there are rights on such a thing."""
    match subject.statement.kind:
        case "alter_table_stmt":
            return relation_name(subject.node.relation)
        case "reassign_owned_stmt":
            return "everything"
        case _ if enum_name(node, "object_type") in _WITH_RIGHTS:
            return _granted(node.object)
        case _:
            return ""


@rule(
    "rows-hidden",
    "Rows that a policy keeps back are gone for code that runs, and what it writes of such rows is refused.",
    "create_policy_stmt",
    "AT_EnableRowSecurity",
    "AT_ForceRowSecurity",
    breaks=True,
)
def rows_hidden(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a policy that takes rows away, and row security that comes to a table; without it, no policy does."""
    if subject.statement.kind == "create_policy_stmt":
        table = relation_name(node.table)
        takes = not node.permissive and subject.schema.table(table).may_hide_rows
        text = f"adds a policy by which {table} has fewer rows for code that runs"
    else:
        table, takes = relation_name(subject.node.relation), True
        text = f"turns on row security for {table}, of which code that runs has then only the rows that policies show"
    if takes and not subject.is_new(table) and not _is_over(subject):
        yield Hit(f"{text}; do it once no code needs the others")


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
        yield Hit(f"{text} trigger beside it, and drop the old ones later", _beside(subject, name, used))


def _beside(subject: Subject, function: str, used: list[str]) -> str:
    """Return another function, with a trigger for each that calls the old one, and what drops those."""

    def renamed(copy: Any) -> None:
        copy.funcname[-1].string.sval += "_new"
        copy.replace = False

    made, gone = [changed(subject.statement, renamed)], []
    for name in used:
        table = subject.schema.table(name)
        for trigger in (each for each, called in table.triggers.items() if called == function):
            tree = table.trigger_trees.get(trigger)
            if tree is None:
                continue
            copy = type(tree)()
            copy.CopyFrom(tree)
            renamed(copy)
            copy.trigname += "_new"
            made.append(written("create_trig_stmt", copy))
            gone.append(f"drop trigger {quoted(trigger)} on {shown(name)}")
    return parts(part(UP, *made), unused(subject, *gone, f"drop function {shown(function)}()"))

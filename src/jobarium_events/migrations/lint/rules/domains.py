"""Rules about domains: what they ask of the values of every column that has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import expression, parse
from jobarium_events.migrations.lint.knowledge.schema import Relation
from jobarium_events.migrations.lint.names import joined, relation_name, texts, type_text
from jobarium_events.migrations.lint.rewriting import also, changed, lines, only, shown
from jobarium_events.migrations.lint.rules.parts import LATER, UP, part, parts
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule
from jobarium_events.migrations.lint.walking import messages

_CHECKED = (Relation.TABLE, Relation.PARTITIONED)


@rule(
    "domain-column",
    "For a column of a domain with a check, or with a default of its own for each row, the table is written anew.",
    "AT_AddColumn",
)
def domain_column(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a column that is added with what a domain asks of each row."""
    table = relation_name(subject.node.relation)
    if not subject.effects.rewrite or subject.is_new(table):
        return
    column = getattr(command, "def").column_def
    domain = subject.schema.domains.get(type_text(column.type_name))
    if domain is None:
        return

    def plain(copy: Any) -> None:
        made = parse(f"alter table a add column b {domain.type}")[0].node.cmds[0].alter_table_cmd
        getattr(copy, "def").column_def.type_name.CopyFrom(getattr(made, "def").column_def.type_name)

    text = f"adds {table}.{column.colname} of the domain {domain.name}, so the table is written anew while reads and "
    text += f"writes wait; have it of type {domain.type}, and ask the same of it by a check that is added NOT VALID"
    yield Hit(text, lines(only(subject.statement, command, plain)))


@rule(
    "domain-constraint",
    "A constraint of a domain reads every table with a column of it, while writes wait.",
    "alter_domain_stmt",
)
def domain_constraint(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a constraint of a domain that is checked against the rows, be it with its adding or afterwards."""
    constraint = getattr(node, "def").constraint
    if node.subtype not in ("C", "V") or (node.subtype == "C" and constraint.skip_validation):
        return
    names = texts(node.type_name)
    name = joined(names)
    used = [(table, column) for table, column in subject.schema.using_type(name) if not subject.is_new(table.name)]
    if not used and name in subject.schema.domains:
        return
    text = f"checks every column of {'.'.join(names)} while writes wait, and there is no other way to do it"
    checked = [
        (table.name, column.name)
        for table, column in used
        if table.kind in _CHECKED and not table.parents and not column.type.endswith("[]")
    ]
    if node.subtype == "V":
        domain = subject.schema.domains.get(name)
        condition = domain.checks.get(node.name) if domain is not None else None
        safe = _proof((), checked, condition) if condition is not None and checked else ""
        text += "; it holds for new values already, and a check of each table proves the rows that are there"
        yield Hit(text, safe)
        return
    label = constraint.conname or also(names[-1], "check").strip('"')

    def not_valid(copy: Any) -> None:
        added = getattr(copy, "def").constraint
        added.conname = label
        added.skip_validation, added.initially_valid = True, False

    step = changed(subject.statement, not_valid)
    text += "; add it NOT VALID, and have a check of each table prove the rows that are there"
    yield Hit(text, _proof((step,), checked, constraint.raw_expr) if checked else lines(step))


def _proof(first: tuple[str, ...], checked: Iterable[tuple[str, str]], condition: Any) -> str:
    """Return what adds checks of some columns, and what proves by them the rows that are there."""
    steps, proofs = [*first], []
    for table, column in checked:
        own, asked = also(table, column, "check"), _asked(condition, column)
        steps.append(f"alter table {shown(table)} add constraint {own} check ({asked}) not valid")
        proofs.append(f"alter table {shown(table)} validate constraint {own}")
    return parts(part(UP, *steps), part(LATER, *proofs))


def _asked(condition: Any, column: str) -> str:
    """Return as SQL what a domain asks of its values, asked of a column."""
    copy = type(condition)()
    copy.CopyFrom(condition)
    for each in messages(copy):
        if type(each).__name__ == "ColumnRef" and texts(each.fields) == ("value",):
            each.fields[0].string.sval = column
    return expression(copy)

"""Rules about domains: what they ask of the values of every column that has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.names import relation_name, type_text
from jobarium_events.migrations.lint.rewriting import lines, only
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule


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

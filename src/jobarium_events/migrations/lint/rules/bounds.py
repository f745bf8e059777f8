"""The bounds of a partition as checks, which prove where rows belong so that Postgres need not read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import expression, written
from jobarium_events.migrations.lint.knowledge.schema import ConstraintKind
from jobarium_events.migrations.lint.rewriting import also, quoted, shown
from jobarium_events.migrations.lint.rules.parts import LATER, UP, part, parts

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.schema import Index, Schema
    from jobarium_events.migrations.lint.rules.rule import Subject

__all__ = ["kept_out", "proven"]

_KEYS = {ConstraintKind.PRIMARY_KEY: "primary key", ConstraintKind.UNIQUE: "unique"}
_OPEN = ("minvalue", "maxvalue")


def kept_out(subject: Subject, table: str, rest: str, bound: Any) -> str:
    """Return what proves that the default partition has no row of a new one, and then the statement that makes it.

    Empty where that takes more than a check of one column.
    """
    said = _said(subject.schema, table, bound)
    if not said:
        return ""
    column = quoted(subject.schema.table(table).partition_key[0])
    name = also(rest, *_text(bound), "out")
    check = f"alter table {shown(rest)} add constraint {name} check (not ({column} is not null and {said})) not valid"
    validate = f"alter table {shown(rest)} validate constraint {name}"
    return parts(part(UP, check), part(LATER, validate), part(LATER, subject.statement.text))


def proven(subject: Subject, table: str, name: str, bound: Any) -> str:
    """Return what proves that a table has no row beyond the bounds, with its indexes, and then what attaches it.

    Empty where that takes more than a check of one column.
    """
    schema = subject.schema
    said = _said(schema, table, bound)
    if not said:
        return ""
    column = schema.table(table).partition_key[0]
    known = schema.column(name, column)
    checks = {also(name, "bounds"): said}
    if known is None or known.nullable:
        checks = {also(name, column, "not_null"): f"{quoted(column)} is not null", **checks}
    adding = [
        f"alter table {shown(name)} add constraint {own} check ({text}) not valid" for own, text in checks.items()
    ]
    proving = [f"alter table {shown(name)} validate constraint {own}" for own in checks]
    indexes = [step for index in _lacking(schema, table, name) for step in _built(schema, index, name)]
    return parts(part(UP, *adding, *indexes), part(LATER, *proving), part(LATER, subject.statement.text))


def _said(schema: Schema, table: str, bound: Any) -> str:
    """Return as SQL what the bounds of a partition say of the one column; empty if it is not one, or they say else."""
    key = schema.table(table).partition_key
    if len(key) != 1 or bound.is_default:
        return ""
    column = quoted(key[0])
    if bound.listdatums:
        is_plain = not any(each.a_const.isnull for each in bound.listdatums)
        return f"{column} in ({', '.join(map(expression, bound.listdatums))})" if is_plain else ""
    limits = [f"{column} >= {text}" for text in _limits(bound.lowerdatums)]
    limits += [f"{column} < {text}" for text in _limits(bound.upperdatums)]
    return " and ".join(limits)


def _limits(datums: Any) -> Iterator[str]:
    texts = (expression(each) for each in datums)
    return (each for each in texts if each.lower() not in _OPEN)


def _text(bound: Any) -> list[str]:
    """Return what tells bounds apart, as part of a name."""
    first = [*bound.listdatums, *bound.lowerdatums][:1]
    return [expression(each).strip("'") for each in first]


def _lacking(schema: Schema, table: str, name: str) -> Iterator[Index]:
    """Yield the indexes of a partitioned table of whose columns a table has none."""
    own = {(each.columns, each.unique) for each in schema.indexes_of(name)}
    return (each for each in schema.indexes_of(table) if (each.columns, each.unique) not in own)


def _built(schema: Schema, index: Index, table: str) -> Iterator[str]:
    """Yield what builds an index of a partitioned table on another one, while writes go on."""
    own = also(table, *index.columns, "key" if index.constraint else "idx")
    if index.made is not None:
        copy = type(index.made)()
        copy.CopyFrom(index.made)
        copy.relation.schemaname, _, copy.relation.relname = table.rpartition(".")
        copy.relation.inh = copy.concurrent = True
        copy.idxname = own.strip('"')
        yield written("index_stmt", copy)
        return
    constraint = schema.table(index.table).constraints.get(index.name.rpartition(".")[2])
    if constraint is not None and constraint.kind in _KEYS:
        columns = ", ".join(map(quoted, index.columns))
        yield f"create unique index concurrently {own} on {shown(table)} ({columns})"
        yield f"alter table {shown(table)} add constraint {own} {_KEYS[constraint.kind]} using index {own}"

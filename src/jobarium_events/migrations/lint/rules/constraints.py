"""Rules about constraints: added without reading the table, and validated while writes go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import enum_name, expression
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.knowledge.schema import Relation
from jobarium_events.migrations.lint.names import listed_name, relation_name
from jobarium_events.migrations.lint.rewriting import also, lines, only, quoted, shown
from jobarium_events.migrations.lint.rules.bounds import kept_out, proven
from jobarium_events.migrations.lint.rules.columns import not_null
from jobarium_events.migrations.lint.rules.foreign_keys import apart, constraint_in
from jobarium_events.migrations.lint.rules.parts import unused
from jobarium_events.migrations.lint.rules.rule import Hit, Stands, Subject, rule

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.schema import Index, Schema

_BUILDS = {"CONSTR_UNIQUE": "unique", "CONSTR_PRIMARY": "primary key"}


@rule(
    "check-validated",
    "A check that is valid at once reads the whole table, while reads and writes wait.",
    "AT_AddConstraint",
    "AT_AddColumn",
    having=["CONSTR_CHECK", "CONSTR_NOTNULL"],
)
def check_validated(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a check, or a NOT NULL constraint, without NOT VALID."""
    table = relation_name(subject.node.relation)
    if subject.is_new(table):
        return
    if command.HasField("def") and getattr(command, "def").HasField("column_def"):
        yield from _check_of_column(subject, command, table)
        return
    constraint = constraint_in(command)
    kind = enum_name(constraint, "contype")
    if constraint.skip_validation or (not constraint.is_enforced and kind == "CONSTR_CHECK"):
        return
    if kind == "CONSTR_CHECK":
        text = f"checks all of {table} while reads and writes wait; add it NOT VALID, and validate it after that"
        yield Hit(text, apart(subject, command, "check"))
    elif kind == "CONSTR_NOTNULL" and subject.effects.scan:
        text = f"checks all of {table} while reads and writes wait; add it NOT VALID, and validate it after that"
        yield Hit(text, lines(*not_null(subject, table, constraint.keys[0].string.sval)))


def _check_of_column(subject: Subject, command: Any, table: str) -> Iterator[Hit]:
    column = getattr(command, "def").column_def
    checks = [each.constraint for each in column.constraints if enum_name(each.constraint, "contype") == "CONSTR_CHECK"]
    if not checks or not subject.effects.scan:
        return

    def without(copy: Any) -> None:
        added = getattr(copy, "def").column_def
        kept = [each for each in added.constraints if enum_name(each.constraint, "contype") != "CONSTR_CHECK"]
        del added.constraints[:]
        added.constraints.extend(kept)

    safe = [only(subject.statement, command, without)]
    for each in checks:
        name = quoted(each.conname) if each.conname else also(table, column.colname, "check")
        add = f"alter table {shown(table)} add constraint {name} check ({expression(each.raw_expr)}) not valid"
        safe += [add, f"alter table {shown(table)} validate constraint {name}"]
    text = f"checks all of {table} for its new column while reads and writes wait; add the check NOT VALID"
    yield Hit(text, lines(*safe))


@rule(
    "constraint-builds-index",
    "A unique, primary key or exclusion constraint builds its index while reads and writes wait.",
    "AT_AddConstraint",
    "AT_AddColumn",
    having=[*_BUILDS, "CONSTR_EXCLUSION"],
)
def constraint_builds_index(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a constraint that is not made of an index that is there."""
    table = relation_name(subject.node.relation)
    if subject.is_new(table):
        return
    node = getattr(command, "def")
    found = (
        [each.constraint for each in node.column_def.constraints] if node.HasField("column_def") else [node.constraint]
    )
    for constraint in found:
        kind = enum_name(constraint, "contype")
        if constraint.indexname or (kind not in _BUILDS and kind != "CONSTR_EXCLUSION"):
            continue
        if kind == "CONSTR_EXCLUSION" or constraint.without_overlaps:
            text = f"builds an index on {table} while writes wait, and no index can be built for it before; "
            yield Hit(text + "add it to a new table, and have code move over")
            continue
        yield _from_index(subject, command, constraint, _BUILDS[kind])


def _from_index(subject: Subject, command: Any, constraint: Any, words: str) -> Hit:
    table = relation_name(subject.node.relation)
    node = getattr(command, "def")
    columns = [each.string.sval for each in constraint.keys] or [node.column_def.colname]
    name = quoted(constraint.conname) if constraint.conname else also(table, *columns, "key")
    nulls = " nulls not distinct" if constraint.nulls_not_distinct else ""
    include = ", ".join(quoted(each.string.sval) for each in constraint.including)
    index = f"create unique index concurrently {name} on {shown(table)} ({', '.join(map(quoted, columns))})"
    index += (f" include ({include})" if include else "") + nulls
    safe = [index]
    if node.HasField("column_def"):

        def without(copy: Any) -> None:
            column = getattr(copy, "def").column_def
            kept = [each for each in column.constraints if enum_name(each.constraint, "contype") not in _BUILDS]
            del column.constraints[:]
            column.constraints.extend(kept)

        safe.insert(0, only(subject.statement, command, without))
    if words == "primary key":
        known = subject.schema.tables.get(table)
        for column in columns:
            is_there = known.columns.get(column) if known is not None else None
            if is_there is None or is_there.nullable:
                safe += not_null(subject, table, column)
    safe.append(f"alter table {shown(table)} add constraint {name} {words} using index {name}")
    text = (
        f"builds the index of a {words} constraint on {table} while reads and writes wait; build it concurrently first"
    )
    return Hit(text, lines(*safe))


@rule(
    "primary-key-scans",
    "A primary key made of an index whose columns may be null reads the whole table while reads and writes wait.",
    "AT_AddConstraint",
    having=["CONSTR_PRIMARY"],
)
def primary_key_scans(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a primary key that has its columns required with a scan."""
    constraint = constraint_in(command)
    table = relation_name(subject.node.relation)
    if enum_name(constraint, "contype") != "CONSTR_PRIMARY" or not constraint.indexname or not subject.effects.scan:
        return
    index = subject.schema.indexes.get(constraint.indexname)
    known = subject.schema.tables.get(table)
    if subject.is_new(table) or index is None:
        return
    nullable = [
        column
        for column in index.columns
        if known is None or column not in known.columns or known.columns[column].nullable
    ]
    safe = [step for column in nullable for step in not_null(subject, table, column)]
    text = f"reads all of {table} for columns that may be null, {', '.join(nullable)}; require them first"
    yield Hit(text, lines(*safe, subject.statement.text))


@rule(
    "validated-with-its-adding",
    "Validated in the transaction that adds it, a constraint keeps the strong lock of its adding while it is checked.",
    "AT_ValidateConstraint",
    where=Stands.TRANSACTION,
)
def validated_with_its_adding(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a constraint that is validated under the lock with which it was added."""
    table = relation_name(subject.node.relation)
    if subject.transaction is None or subject.is_new(table):
        return
    for statement, _ in subject.transaction.statements:
        if statement.kind != "alter_table_stmt" or relation_name(statement.node.relation) != table:
            continue
        for each in statement.node.cmds:
            added = each.alter_table_cmd
            is_it = enum_name(added, "subtype") == "AT_AddConstraint" and constraint_in(added).conname == command.name
            if is_it:
                text = f"validates {command.name} in the transaction that adds it; end the transaction before"
                yield Hit(text, lines("commit", "begin", subject.statement.text))


@rule(
    "drop-constraint",
    "Code that runs relies on what a constraint keeps out; without it, wrong rows come in and stay.",
    "AT_DropConstraint",
    "drop_stmt",
    severity=Severity.WARNING,
)
def drop_constraint(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a constraint that is dropped from a table that is in use, and was not made only to prove something."""
    if subject.statement.kind == "drop_stmt":
        yield from _no_longer_unique(subject)
        return
    table = relation_name(subject.node.relation)
    known = subject.schema.tables.get(table)
    constraint = known.constraints.get(command.name) if known is not None else None
    is_proof = (
        constraint is not None
        and known is not None
        and bool(constraint.proves)
        and all(column in known.columns and not known.columns[column].nullable for column in constraint.proves)
    )
    if subject.header is not None or subject.is_new(table) or is_proof:
        return
    text = f"drops the constraint {command.name} of {table}; make sure that no code relies on it"
    exists = "if exists " if command.missing_ok else ""
    drop = f"alter table {shown(table)} drop constraint {exists}{quoted(command.name)}"
    yield Hit(text, unused(subject, drop))


def _no_longer_unique(subject: Subject) -> Iterator[Hit]:
    """Yield unique indexes that are dropped from tables in use, unless another one keeps out the same by the end."""
    if subject.header is not None or enum_name(subject.node, "remove_type") != "OBJECT_INDEX":
        return
    known = (subject.schema.indexes.get(listed_name(each)) for each in subject.node.objects)
    for index in known:
        if index is None or not index.unique or index.constraint or subject.is_new(index.table):
            continue
        if _is_kept_out(subject.end, index):
            continue
        text = f"drops the unique index {index.name} of {index.table}; make sure that no code relies on it: "
        drop = f"drop index concurrently {shown(index.name)}"
        yield Hit(f"{text}`on conflict` for its columns is refused from then on", unused(subject, drop))


def _is_kept_out(schema: Schema, index: Index) -> bool:
    """Whether another index keeps out what an index does; of those with conditions or expressions nobody can tell."""
    return not index.computed and any(
        each.unique and not each.computed and {*each.columns} == {*index.columns}
        for each in schema.indexes_of(index.table)
        if each.name != index.name
    )


@rule(
    "attach-reads-table",
    "A partition without a check that proves its bounds is read whole while it is attached, and writes to it wait.",
    "AT_AttachPartition",
)
def attach_reads_table(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a partition that is attached with a scan."""
    part = relation_name(getattr(command, "def").partition_cmd.name)
    table = relation_name(subject.node.relation)
    bound = getattr(command, "def").partition_cmd.bound
    known = subject.schema.tables.get(table)
    if not subject.effects.scan:
        return
    rest = subject.schema.default_partition(table)
    if rest is not None and not subject.is_new(rest):
        text = (
            f"reads all of {rest} while reads and writes of it wait, for rows that belong to {part}; prove by a check "
        )
        yield Hit(
            f"{text}that it has none, and allow the rule with this as its reason", kept_out(subject, table, rest, bound)
        )
    if subject.is_new(part):
        return
    text = f"reads all of {part} while writes to it wait"
    if not bound.is_default and known is not None:
        text += "; before that, add a check of the same bounds NOT VALID and validate it, and build there concurrently "
        text += f"what {table} has of indexes"
    yield Hit(text, proven(subject, table, part, bound))


@rule(
    "detach-not-concurrent",
    "Detaching a partition without CONCURRENTLY makes reads and writes of the whole table wait.",
    "AT_DetachPartition",
)
def detach_not_concurrent(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a partition that is detached under the strongest lock."""
    table = relation_name(subject.node.relation)
    known = subject.schema.tables.get(table)
    partition = getattr(command, "def").partition_cmd
    if partition.concurrent or subject.is_new(table) or subject.versions[-1] < _DETACHES_CONCURRENTLY:
        return
    if known is not None and known.kind is not Relation.PARTITIONED:
        return

    def concurrently(copy: Any) -> None:
        getattr(copy, "def").partition_cmd.concurrent = True

    text = f"detaches {relation_name(partition.name)} while reads and writes of {table} wait; detach it concurrently"
    yield Hit(text, lines(only(subject.statement, command, concurrently)))


_DETACHES_CONCURRENTLY = 14
"""The version that can."""

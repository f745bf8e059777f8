"""Rules about foreign keys: added without reading the table, be it partitioned or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.names import relation_name
from jobarium_events.migrations.lint.rewriting import also, changed, lines, only, quoted, shown
from jobarium_events.migrations.lint.rules.partitions import NOT_VALID_KEYS, is_partitioned
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule

__all__ = ["apart", "constraint_in"]


def constraint_in(command: Any) -> Any:
    """Return the constraint that a command adds."""
    return getattr(command, "def").constraint


def _name(table: str, constraint: Any, ending: str) -> str:
    keys = [each.string.sval for each in (*constraint.keys, *constraint.fk_attrs)]
    return quoted(constraint.conname) if constraint.conname else also(table, *keys, ending)


def apart(subject: Subject, command: Any, ending: str) -> str:
    """Return how a constraint is added without a scan, and then validated."""
    table = relation_name(subject.node.relation)
    name = _name(table, constraint_in(command), ending)

    def not_valid(copy: Any) -> None:
        constraint = constraint_in(copy)
        constraint.conname = name.strip('"')
        constraint.skip_validation, constraint.initially_valid = True, False

    add = only(subject.statement, command, not_valid)
    return lines(add, f"alter table {shown(table)} validate constraint {name}")


@rule(
    "foreign-key-validated",
    "A foreign key that is valid at once reads the whole table, while writes to it and to the other table wait.",
    "AT_AddConstraint",
    "AT_AddColumn",
    having=["CONSTR_FOREIGN"],
)
def foreign_key_validated(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a foreign key without NOT VALID."""
    constraint = constraint_in(command)
    table = relation_name(subject.node.relation)
    if getattr(command, "def").HasField("column_def"):
        yield from _key_of_column(subject, command, table)
        return
    if enum_name(constraint, "contype") != "CONSTR_FOREIGN" or constraint.skip_validation or subject.is_new(table):
        return
    other = relation_name(constraint.pktable)
    text = f"checks all of {table} while writes to it and to {other} wait; add it NOT VALID, and validate it after that"
    if is_partitioned(subject, table) and subject.oldest < NOT_VALID_KEYS:
        yield from _on_partitions(subject, command, table)
    else:
        yield Hit(text, apart(subject, command, "fkey"))


def _on_partitions(subject: Subject, command: Any, table: str) -> Iterator[Hit]:
    """Yield a foreign key of a partitioned table, unless each of its partitions has it by then."""
    columns = tuple(each.string.sval for each in constraint_in(command).fk_attrs)
    other = relation_name(constraint_in(command).pktable)
    safe = []
    for part in subject.schema.descendants(table):
        keys = subject.schema.table(part).foreign_keys()
        if any(each.columns == columns and each.references == other and each.validated for each in keys):
            continue
        name = also(part, *columns, "fkey")

        def on_part(copy: Any, part: str = part, name: str = name) -> None:
            copy.relation.schemaname, _, copy.relation.relname = part.rpartition(".")
            constraint = constraint_in(copy.cmds[0].alter_table_cmd)
            constraint.conname = name.strip('"')
            constraint.skip_validation, constraint.initially_valid = True, False

        safe.append(changed(subject.statement, on_part))
        safe.append(f"alter table {shown(part)} validate constraint {name}")
    if safe:
        text = f"checks all of {table} while writes to it and to {other} wait; add it NOT VALID to each partition and "
        yield Hit(f"{text}validate it there before", lines(*safe, subject.statement.text))


def _key_of_column(subject: Subject, command: Any, table: str) -> Iterator[Hit]:
    """Yield a foreign key that comes with a column whose default has to be looked for in the other table."""
    column = getattr(command, "def").column_def
    keys = [each.constraint for each in column.constraints if enum_name(each.constraint, "contype") == "CONSTR_FOREIGN"]
    if not keys or not subject.effects.scan or subject.is_new(table):
        return
    if all(enum_name(each.constraint, "contype") != "CONSTR_DEFAULT" for each in column.constraints):
        return

    def without(copy: Any) -> None:
        added = getattr(copy, "def").column_def
        kept = [each for each in added.constraints if enum_name(each.constraint, "contype") != "CONSTR_FOREIGN"]
        del added.constraints[:]
        added.constraints.extend(kept)

    other = relation_name(keys[0].pktable)
    name = quoted(keys[0].conname) if keys[0].conname else also(table, column.colname, "fkey")
    to = ", ".join(quoted(each.string.sval) for each in keys[0].pk_attrs)
    add = f"alter table {shown(table)} add constraint {name} foreign key ({quoted(column.colname)}) references "
    add += shown(other) + (f" ({to})" if to else "") + " not valid"
    text = (
        f"checks all of {table} for its new column while reads and writes of it, and writes to {other}, wait; add the"
    )
    safe = lines(
        only(subject.statement, command, without), add, f"alter table {shown(table)} validate constraint {name}"
    )
    yield Hit(f"{text} foreign key NOT VALID after the column", safe)

"""Rules about columns: those that are added, and what changes of those that are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.files.parsing import enum_name, expression
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.knowledge.schema import Constraint, ConstraintKind
from jobarium_events.migrations.lint.locking.functions import is_volatile
from jobarium_events.migrations.lint.names import base_type, relation_name
from jobarium_events.migrations.lint.rewriting import also, changed, lines, only, quoted, shown
from jobarium_events.migrations.lint.rules.keys import batch
from jobarium_events.migrations.lint.rules.parts import BACKFILL, LATER, UP, dual_write, part, parts
from jobarium_events.migrations.lint.rules.rule import Hit, Stands, Subject, rule

_SERIAL = {"serial": "integer", "serial4": "integer", "bigserial": "bigint", "serial8": "bigint"}
_SERIAL |= {"smallserial": "smallint", "serial2": "smallint"}
_NOT_VALID_NOT_NULL = 18  # the version that has it


def _column(command: Any) -> Any:
    return getattr(command, "def").column_def


def constraint_kinds(column: Any) -> dict[str, Any]:
    """Return the constraints of a column that is added, by the parser's names for their kinds."""
    return {enum_name(each.constraint, "contype"): each.constraint for each in column.constraints}


def _without(command: Any, *kinds: str) -> None:
    """Take constraints of some kinds from a column that is added."""
    column = _column(command)
    kept = [each for each in column.constraints if enum_name(each.constraint, "contype") not in kinds]
    del column.constraints[:]
    column.constraints.extend(kept)


@rule(
    "volatile-default",
    "A default that differs from row to row has the whole table written anew while reads and writes wait.",
    "AT_AddColumn",
    having=["CONSTR_DEFAULT"],
)
def volatile_default(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a column whose default is volatile."""
    table = relation_name(subject.node.relation)
    column = _column(command)
    kinds = constraint_kinds(column)
    default = kinds.get("CONSTR_DEFAULT")
    if default is None or not subject.effects.rewrite or subject.is_new(table) or is_numbered(column, kinds):
        return
    if not is_volatile(default.raw_expr):
        return
    value = expression(default.raw_expr)
    name = quoted(column.colname)
    text = f"adds {table}.{column.colname} with a default of its own for each row, so the table is written anew; "
    text += "add it without, set the default, and fill the rows in a backfill"
    yield Hit(
        text,
        parts(
            part(
                UP,
                only(subject.statement, command, lambda copy: _without(copy, "CONSTR_DEFAULT", "CONSTR_NOTNULL")),
                f"alter table {shown(table)} alter column {name} set default {value}",
            ),
            part(BACKFILL, batch(subject, table, f"{name} = {value}", f"{name} is null")),
        ),
    )


def is_numbered(column: Any, kinds: dict[str, Any]) -> bool:
    """Whether a column's values come from a sequence of its own."""
    return "CONSTR_IDENTITY" in kinds or base_type(column) in _SERIAL


@rule(
    "numbered-column",
    "A serial or identity column that is added numbers every row at once: the whole table is written anew.",
    "AT_AddColumn",
    having=["CONSTR_IDENTITY", *_SERIAL],
)
def numbered_column(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a serial or identity column that is added."""
    table = relation_name(subject.node.relation)
    column = _column(command)
    if subject.is_new(table) or not is_numbered(column, constraint_kinds(column)):
        return
    name, sequence = quoted(column.colname), also(table, column.colname, "seq")
    plain = _SERIAL.get(base_type(column))

    def nullable(copy: Any) -> None:
        _without(copy, "CONSTR_IDENTITY", "CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_UNIQUE")
        if plain is not None:
            _column(copy).type_name.names[-1].string.sval = plain

    text = f"numbers every row of {table} at once, so the table is written anew; number new rows by a default, and "
    text += "the others in a backfill"
    yield Hit(
        text,
        parts(
            part(
                UP,
                f"create sequence {sequence}",
                only(subject.statement, command, nullable),
                f"alter table {shown(table)} alter column {name} set default nextval('{sequence}')",
                f"alter sequence {sequence} owned by {shown(table)}.{name}",
            ),
            part(BACKFILL, batch(subject, table, f"{name} = nextval('{sequence}')", f"{name} is null")),
        ),
    )


@rule(
    "generated-column",
    "A stored generated column that is added is computed for every row at once: the whole table is written anew.",
    "AT_AddColumn",
    "AT_SetExpression",
)
def generated_column(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a generated column that is stored."""
    table = relation_name(subject.node.relation)
    if not subject.effects.rewrite or subject.is_new(table):
        return
    column = _column(command)
    generated = constraint_kinds(column).get("CONSTR_GENERATED") if column.colname else None
    if column.colname and generated is None:
        return
    if generated is None:
        text = f"changes how {table}.{command.name} is generated, so the table is written anew; add another column"
        yield Hit(text)
        return
    name = quoted(column.colname)
    value = expression(generated.raw_expr)
    text = f"computes {table}.{column.colname} for every row at once, so the table is written anew; "
    text += "add a plain column, write it by a trigger, and fill the rows in a backfill"
    function = also(table, column.colname)
    body = "begin new.{0} := (select {1} from (select new.*) as {2}); return new; end"
    body = body.format(name, value, quoted(table.rpartition(".")[2]))
    yield Hit(
        text,
        parts(
            part(
                UP,
                only(subject.statement, command, lambda copy: _without(copy, "CONSTR_GENERATED")),
                f"create function {function}() returns trigger language plpgsql as $$ {body} $$",
                f"create trigger {function} before insert or update on {shown(table)} for each row "
                f"execute function {function}()",
            ),
            part(BACKFILL, batch(subject, table, f"{name} = {value}", f"{name} is null")),
        ),
    )


@rule(
    "required-column",
    "A new column is nullable until its backfill is complete: code that runs does not know it, and leaves it out.",
    "AT_AddColumn",
    having=["CONSTR_NOTNULL", "CONSTR_PRIMARY"],
)
def required_column(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a column that is added as a required one."""
    table = relation_name(subject.node.relation)
    column = _column(command)
    kinds = constraint_kinds(column)
    if subject.is_new(table) or not kinds.keys() & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"}:
        return
    if subject.section is Section.DOWN or "CONSTR_GENERATED" in kinds or is_numbered(column, kinds):
        return
    has_default = "CONSTR_DEFAULT" in kinds
    if has_default and subject.header is None:
        return
    name = quoted(column.colname)
    value = expression(kinds["CONSTR_DEFAULT"].raw_expr) if has_default else ""
    nullable = only(subject.statement, command, lambda copy: _without(copy, "CONSTR_NOTNULL", "CONSTR_PRIMARY"))
    steps = [part(UP, nullable)]
    if value:
        steps.append(part(BACKFILL, batch(subject, table, f"{name} = {value}", f"{name} is null")))
    steps.append(part(LATER, *not_null(subject, table, column.colname)))
    refused = "its default is there for the code that runs, yet nothing has shown that every row has a value"
    if not value:
        refused = "what the code that runs inserts is refused, as it leaves the column out"
    text = f"adds {table}.{column.colname} as a required column: {refused}; add it as a nullable one, fill it, and "
    yield Hit(f"{text}then require it", parts(*steps))


def not_null(subject: Subject, table: str, column: str) -> list[str]:
    """Return how a column is required of all rows without keeping writes waiting while they are read."""
    name, constraint = quoted(column), also(table, column, "not_null")
    alter = f"alter table {shown(table)}"
    if subject.oldest >= _NOT_VALID_NOT_NULL:
        return [
            f"{alter} add constraint {constraint} not null {name} not valid",
            f"{alter} validate constraint {constraint}",
        ]
    return [
        f"{alter} add constraint {constraint} check ({name} is not null) not valid",
        f"{alter} validate constraint {constraint}",
        f"{alter} alter column {name} set not null",
        f"{alter} drop constraint {constraint}",
    ]


@rule(
    "set-not-null",
    "SET NOT NULL reads the whole table while reads and writes wait, unless a validated check has proved it already.",
    "AT_SetNotNull",
)
def set_not_null(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a column that is required with a scan."""
    table = relation_name(subject.node.relation)
    if subject.effects.scan and not subject.is_new(table):
        text = f"reads all of {table} while reads and writes wait; prove it by a check that is validated before"
        yield Hit(text, part("up, once every row has a value", *not_null(subject, table, command.name)))


@rule(
    "required-unfilled",
    "Code that runs may leave the column null, and is refused from that moment on: its backfill is complete before.",
    "AT_AddColumn",
    "AT_AddConstraint",
    "AT_SetNotNull",
    where=Stands.MIGRATION,
    breaks=True,
)
def required_unfilled(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a column that is required of all rows, and of which no backfill is said to be complete."""
    table, header = relation_name(subject.node.relation), subject.header
    if subject.is_new(table) or subject.section is not Section.UP or header is None:
        return
    is_filled = header.backfill is not None and header.backfill.table.removeprefix("public.") == table
    if is_filled or header.completes:
        return
    known = subject.schema.table(table)
    proven = {each for constraint in known.constraints.values() for each in _demanded(constraint)}
    for column in _required(subject, command):
        was = known.columns.get(column)
        if column in proven or (was is not None and not was.nullable):
            continue
        text = f"requires {table}.{column}, which code that runs may leave null; fill it in a backfill, and say that "
        yield Hit(f"{text}this has to be complete before", '-- completes = ["..."]')


def _required(subject: Subject, command: Any) -> Iterator[str]:
    """Yield the columns that a command asks not to be null, without giving them a value."""
    match enum_name(command, "subtype"):
        case "AT_SetNotNull":
            yield command.name
        case "AT_AddColumn":
            column = _column(command)
            kinds = constraint_kinds(column)
            has_value = kinds.keys() & {"CONSTR_DEFAULT", "CONSTR_GENERATED"} or is_numbered(column, kinds)
            if kinds.keys() & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"} and not has_value:
                yield column.colname
        case _:
            table = relation_name(subject.node.relation)
            before, after = (each.table(table).constraints for each in (subject.schema, subject.after))
            yield from (name for each in after.keys() - before.keys() for name in _demanded(after[each]))


def _demanded(constraint: Constraint) -> tuple[str, ...]:
    """Return the columns that a constraint asks not to be null; one that is not enforced asks for nothing."""
    if not constraint.enforced:
        return ()
    return constraint.columns if constraint.kind is ConstraintKind.NOT_NULL else constraint.proves


@rule(
    "type-change",
    "A column of another type has the whole table written anew, or read, while reads and writes wait.",
    "AT_AlterColumnType",
    breaks=True,
)
def type_change(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a change of a column's type that is more than a change of the catalog."""
    table = relation_name(subject.node.relation)
    if not (subject.effects.rewrite or subject.effects.scan) or subject.is_new(table):
        return
    new = f"{command.name}_new"

    def added(copy: Any) -> None:
        del copy.cmds[:]
        add = copy.cmds.add().alter_table_cmd
        add.CopyFrom(command)
        add.name = ""
        add.subtype = add.DESCRIPTOR.fields_by_name["subtype"].enum_type.values_by_name["AT_AddColumn"].number
        column = _column(add)
        column.colname, column.is_local = new, True
        column.ClearField("raw_default")

    column = _column(command)
    old = quoted(command.name)
    added_sql = changed(subject.statement, added)
    to = added_sql.rpartition(f"COLUMN {quoted(new)} ")[2]
    value = expression(column.raw_default) if column.HasField("raw_default") else f"{old}::{to}"
    does = "writes the whole table anew" if subject.effects.rewrite else "reads the whole table"
    known = subject.schema.column(table, command.name)
    is_cast = known is not None and known.type and not column.HasField("raw_default")
    back = f"{quoted(new)}::{known.type}" if is_cast and known is not None else "..."  # only its author knows it
    text = f"changes the type of {table}.{command.name}, which {does} while reads and writes wait; add a column of the "
    text += "new type, write both by a trigger, fill it in a backfill, have code move over, and drop the old one later"
    yield Hit(
        text,
        parts(part(UP, added_sql), dual_write(subject, table, (command.name, new), (value, back))),
    )


@rule(
    "drop-not-null",
    "Code that runs takes it for granted that the column is not null, and may fail at the first row where it is.",
    "AT_DropNotNull",
    severity=Severity.WARNING,
)
def drop_not_null(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a column that may be null from now on."""
    table = relation_name(subject.node.relation)
    if not subject.is_new(table) and subject.section is not Section.DOWN:
        text = f"lets {table}.{command.name} be null; have the code that reads it released first"
        name = quoted(command.name)
        yield Hit(text, lines(f"select count(*) from {shown(table)} where {name} is null"))  # noqa: S608 - shown, and not run; names are quoted

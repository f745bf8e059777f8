"""Rules about indexes: built, dropped and built anew while writes go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.options import is_on
from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.files.steps import runs_in_transaction
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.knowledge.definitions import index_of
from jobarium_events.migrations.lint.names import chosen_name, listed_name, relation_name
from jobarium_events.migrations.lint.rewriting import changed, lines, quoted, shown
from jobarium_events.migrations.lint.rules.partitions import is_partitioned
from jobarium_events.migrations.lint.rules.rule import Hit, Stands, Subject, rule

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.schema import Index, Schema

_WIDE = 3


@rule(
    "index-not-concurrent",
    "An index that is built without CONCURRENTLY makes every write to the table wait until it is done.",
    "index_stmt",
)
def index_not_concurrent(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield an index that is built while writes wait."""
    table = relation_name(node.relation)
    if node.concurrent or subject.is_new(table) or not node.relation.inh:
        return
    name = _name(subject, node)
    if is_partitioned(subject, table):

        def on_parent(copy: Any) -> None:
            copy.relation.inh = False
            copy.idxname = name.rpartition(".")[2]

        parts = list(subject.schema.descendants(table))
        safe = [changed(subject.statement, on_parent)]
        for part in parts:
            schema, dot, own = part.rpartition(".")
            of_part = f"{own}_{name.rpartition('.')[2]}"

            def on_part(copy: Any, schema: str = schema, own: str = own, of_part: str = of_part) -> None:
                copy.relation.schemaname, copy.relation.relname = schema, own
                copy.idxname, copy.concurrent = of_part, True

            safe.append(changed(subject.statement, on_part))
            safe.append(f"alter index {shown(name)} attach partition {shown(f'{schema}{dot}{of_part}')}")
        text = (
            f"builds an index on {table} and its partitions while writes wait; build it on each partition concurrently"
        )
        nested = any(is_partitioned(subject, part) for part in parts)
        yield Hit(text, "" if nested else lines(*safe))
        return

    def concurrently(copy: Any) -> None:
        copy.concurrent, copy.idxname = True, name.rpartition(".")[2]

    text = f"builds an index on {table} while all writes to it wait; build it concurrently"
    yield Hit(text, lines(changed(subject.statement, concurrently)))


def _name(subject: Subject, node: Any) -> str:
    """Return the name of an index, or that which Postgres would give it, with its schema."""
    return index_of(node, subject.schema.indexes).name


@rule(
    "index-unnamed",
    "A concurrent build that fails leaves an invalid index, which can only be dropped by a name that is known.",
    "index_stmt",
)
def index_unnamed(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield an index that is built concurrently and has no name."""
    if node.concurrent and not node.idxname:

        def named(copy: Any) -> None:
            copy.idxname = _name(subject, node).rpartition(".")[2]

        weighs = None if subject.header is not None else Severity.WARNING
        text = f"builds an index on {relation_name(node.relation)} that has no name; give it one"
        yield Hit(text, lines(changed(subject.statement, named)), weighs)


@rule(
    "index-if-not-exists",
    "A concurrent build that failed leaves an invalid index of that name, and IF NOT EXISTS passes over it in silence.",
    "index_stmt",
    severity=Severity.WARNING,
)
def index_if_not_exists(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield an index whose earlier, failed build would pass for it."""
    if node.concurrent and node.if_not_exists:
        schema = node.relation.schemaname

        def without(copy: Any) -> None:
            copy.if_not_exists = False

        text = f"passes over an invalid {node.idxname} that a failed build left; drop it first, and build it anew"
        drop = f"drop index concurrently if exists {quoted(schema, node.idxname)}"
        yield Hit(text, lines(drop, changed(subject.statement, without)))


@rule(
    "index-wide",
    "Each column makes an index larger and each write slower, and beyond three they seldom help a query.",
    "index_stmt",
    severity=Severity.WARNING,
)
def index_wide(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield an index of many columns that is not unique."""
    if not node.unique and len(node.index_params) > _WIDE:
        text = f"builds an index of {len(node.index_params)} columns; begin with those that tell rows apart best"

        def fewer(copy: Any) -> None:
            del copy.index_params[_WIDE:]

        yield Hit(text, lines(changed(subject.statement, fewer)))


@rule(
    "drop-index-not-concurrent",
    "Dropping an index without CONCURRENTLY waits for all queries on its table, and all others wait behind it.",
    "drop_stmt",
)
def drop_index_not_concurrent(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield indexes that are dropped while reads and writes wait."""
    if node.concurrent or enum_name(node, "remove_type") != "OBJECT_INDEX":
        return
    parts = [[item.string.sval for item in each.list.items] for each in node.objects]
    found = [".".join(each) for each in parts]
    known = [subject.schema.indexes.get(name.removeprefix("public.")) for name in found]
    if all(index is not None and subject.is_new(index.table) for index in known):
        return
    if all(index is not None and is_partitioned(subject, index.table) for index in known):
        text = f"drops {', '.join(found)} of a partitioned table while its reads and writes wait, as it has to be"
        yield Hit(text, "", Severity.WARNING)
        return
    if any(map(_is_of_constraint, known)):
        return  # it is refused, see the next rule
    exists = "if exists " if node.missing_ok else ""
    safe = [f"drop index concurrently {exists}{quoted(*each)}" for each in parts]
    text = f"drops {', '.join(found)} while reads and writes of the table wait; drop it concurrently"
    yield Hit(text, lines(*safe))


@rule(
    "drop-index-of-constraint",
    "Postgres refuses to drop an index that a constraint needs, so the migration fails; it goes with the constraint.",
    "drop_stmt",
)
def drop_index_of_constraint(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield indexes that only go with their constraints."""
    if enum_name(node, "remove_type") != "OBJECT_INDEX":
        return
    known = subject.schema.indexes
    tables = {name: known[name].table for name in map(listed_name, node.objects) if _is_of_constraint(known.get(name))}
    if not tables:
        return
    exists = "if exists " if node.missing_ok else ""
    steps = [
        f"alter table {shown(tables[name])} drop constraint {exists}{quoted(name.rpartition('.')[2])}"
        if name in tables
        else f"drop index concurrently {exists}{shown(name)}"
        for name in map(listed_name, node.objects)
    ]
    text = f"drops {', '.join(tables)}, which Postgres refuses, since a constraint needs it; drop the constraint"
    yield Hit(text, lines(*steps))


def _is_of_constraint(index: Index | None) -> bool:
    return index is not None and index.constraint


@rule(
    "reindex-not-concurrent",
    "Building an index anew without CONCURRENTLY makes writes to its table wait until it is done.",
    "reindex_stmt",
)
def reindex_not_concurrent(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield indexes that are built anew while writes wait."""
    locks = subject.effects.locks
    if is_on(node.params, "concurrently") or (locks and all(subject.is_new(lock.table) for lock in locks)):
        return

    def concurrently(copy: Any) -> None:
        kept = [each for each in copy.params if each.def_elem.defname != "concurrently"]
        del copy.params[:]
        copy.params.extend(kept)
        copy.params.add().def_elem.defname = "concurrently"

    what = relation_name(node.relation) if node.HasField("relation") else node.name
    text = f"builds anew the indexes of {what} while writes wait; build them concurrently"
    yield Hit(text, lines(changed(subject.statement, concurrently)))


@rule(
    "concurrently-in-transaction",
    "Postgres refuses what is done concurrently within a transaction, so the migration fails.",
    "index_stmt",
    "drop_stmt",
    "reindex_stmt",
    "alter_table_stmt",
    "vacuum_stmt",
    "createdb_stmt",
    "dropdb_stmt",
    "alter_system_stmt",
    where=Stands.TRANSACTION,
)
def concurrently_in_transaction(subject: Subject, _: Any) -> Iterator[Hit]:
    """Yield a statement that cannot be where it is."""
    if subject.transaction is not None and not runs_in_transaction(subject.statement):
        text = "cannot run within a transaction; end the transaction before it"
        yield Hit(text, lines("commit", subject.statement.text, "begin"))


@rule(
    "foreign-key-without-index",
    "Without an index on the columns of a foreign key, each delete in the other table reads this one whole.",
    "AT_AddConstraint",
    "create_stmt",
    "create_schema_stmt",
    severity=Severity.WARNING,
    having=["CONSTR_FOREIGN"],
)
def foreign_key_without_index(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a foreign key of a known table that has no index on its columns; a new table may get it afterwards."""
    if subject.statement.kind in ("create_stmt", "create_schema_stmt"):
        yield from _keys_of_new(subject)
        return
    constraint = getattr(command, "def").constraint
    table = relation_name(subject.node.relation)
    known = subject.schema.tables.get(table)
    if enum_name(constraint, "contype") != "CONSTR_FOREIGN" or known is None or not known.complete:
        return
    columns = tuple(each.string.sval for each in constraint.fk_attrs)
    is_new = subject.is_new(table)
    if _is_served(subject.end if is_new else subject.schema, table, columns):
        return
    if is_new:
        yield _unserved(subject, table, columns, f"adds a foreign key on {table}")
        return
    text = f"adds a foreign key on {table} whose columns {', '.join(columns)} no index has; build one first"
    name = chosen_name(table, columns, "idx", subject.schema.indexes)
    if is_partitioned(subject, table):
        yield Hit(text)
        return
    build = f"create index concurrently {quoted(name)} on {shown(table)} ({', '.join(map(quoted, columns))})"
    yield Hit(text, lines(build, subject.statement.text))


def _keys_of_new(subject: Subject) -> Iterator[Hit]:
    """Yield the foreign keys that a new table comes with, if no index has their columns by the end."""
    for table in sorted(subject.after.created - subject.schema.created):
        known = subject.end.tables.get(table)
        for key in subject.after.table(table).foreign_keys():
            if known is None or key.name not in known.constraints or not key.enforced:
                continue
            if subject.after.inherits_key(known, key) or _is_served(subject.end, table, key.columns):
                continue
            yield _unserved(subject, table, key.columns, f"makes {table} with a foreign key")


def _unserved(subject: Subject, table: str, columns: tuple[str, ...], said: str) -> Hit:
    """Return that no index has the columns of a new table's foreign key, by the end of what makes it."""
    name = chosen_name(table, columns, "idx", subject.end.indexes)
    build = f"create index {quoted(name)} on {shown(table)} ({', '.join(map(quoted, columns))})"
    text = f"{said} whose columns {', '.join(columns)} no index has by the end; build one after it"
    return Hit(text, lines(subject.statement.text, build))


def _is_served(schema: Schema, table: str, columns: tuple[str, ...]) -> bool:
    """Whether an index begins with the columns of a foreign key, in whatever order."""
    return any({*index.columns[: len(columns)]} == {*columns} for index in schema.indexes_of(table))

"""Rules about partitioned tables: what Postgres refuses there, and what a new partition keeps waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.schema import Relation
from jobarium_events.migrations.lint.names import listed_name, relation_name
from jobarium_events.migrations.lint.rules.bounds import kept_out
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule

__all__ = ["NOT_VALID_KEYS", "is_partitioned"]

NOT_VALID_KEYS = 18  # the first version that has them on partitioned tables


def is_partitioned(subject: Subject, table: str) -> bool:
    """Whether a table is known to be partitioned."""
    return subject.schema.table(table).kind is Relation.PARTITIONED


@rule(
    "partitioned-refused",
    "Postgres refuses it for a partitioned table, so the migration fails.",
    "index_stmt",
    "drop_stmt",
    "AT_AddConstraint",
)
def partitioned_refused(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield what can be done to plain tables only."""
    match subject.statement.kind:
        case "index_stmt" if node.concurrent and is_partitioned(subject, relation_name(node.relation)):
            table = relation_name(node.relation)
            yield Hit(f"builds an index on the partitioned {table} concurrently; build it on each of its partitions")
        case "drop_stmt" if node.concurrent:
            for name in map(listed_name, node.objects):
                index = subject.schema.indexes.get(name)
                if index is not None and is_partitioned(subject, index.table):
                    yield Hit(f"drops {name} of the partitioned {index.table} concurrently; drop it without")
        case "alter_table_stmt" if is_partitioned(subject, relation_name(subject.node.relation)):
            yield from _constraint_refused(subject, getattr(node, "def").constraint)
        case _:
            pass


def _constraint_refused(subject: Subject, constraint: Any) -> Iterator[Hit]:
    table = relation_name(subject.node.relation)
    is_key = enum_name(constraint, "contype") == "CONSTR_FOREIGN"
    if is_key and constraint.skip_validation and subject.oldest < NOT_VALID_KEYS:
        text = f"adds a foreign key NOT VALID to the partitioned {table}, which Postgres has since {NOT_VALID_KEYS}; "
        yield Hit(f"{text}add it so to each partition, validate it there, and add it to {table} after that")
    elif constraint.indexname:
        yield Hit(f"makes a constraint of the partitioned {table} of an index; add it as such to a new table")


@rule(
    "partition-made",
    "A partition that is made beside a default one has that read whole, while reads and writes of all of them wait.",
    "create_stmt",
)
def partition_made(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a partition whose rows might be in the default one already."""
    if not node.HasField("partbound") or not subject.effects.scan:
        return
    table = relation_name(node.inh_relations[0].range_var)
    rest = subject.schema.default_partition(table)
    if rest is None or subject.is_new(rest):
        return
    text = f"has {rest} read whole while reads and writes of {table} wait; prove by a check of {rest} that none of its "
    text += "rows belongs to the new one, and allow the rule with this as its reason"
    yield Hit(text, kept_out(subject, table, rest, node.partbound))

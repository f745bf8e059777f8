"""What is known of a table: its columns, constraints and indexes, as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from jobarium_events.migrations.lint.names import schema_of

__all__ = [
    "Column",
    "Constraint",
    "ConstraintKind",
    "Domain",
    "EnumType",
    "Index",
    "Publication",
    "Relation",
    "ReplicaIdentity",
    "Table",
]


class Relation(StrEnum):
    """What stands behind the name of a table."""

    TABLE = "table"
    PARTITIONED = "partitioned table"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized view"
    FOREIGN_TABLE = "foreign table"


class ConstraintKind(StrEnum):
    """What a constraint asks for."""

    CHECK = "check"
    NOT_NULL = "not null"
    PRIMARY_KEY = "primary key"
    UNIQUE = "unique"
    FOREIGN_KEY = "foreign key"
    EXCLUSION = "exclusion"


class ReplicaIdentity(StrEnum):
    """By what those who replicate a table are told which row was updated or deleted; the letters are Postgres'."""

    DEFAULT = "d"
    """By its primary key, if it has one."""
    INDEX = "i"
    FULL = "f"
    """By the whole row."""
    NOTHING = "n"


class Column(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a column.

    Attributes:
        name: Its name.
        type: Its type as Postgres shows it: ``"character varying(20)"``; empty if it is not known.
        nullable: Whether it may be null.
        default: The tree of its default; None if it has none, or is generated.
        generated: ``"stored"``, ``"virtual"``, or empty if it is a plain one.
        identity: Whether its values come from a sequence of its own.
        serial: Whether its default does, since it was defined as ``serial`` or the like.
        collation: As it was set for the column; empty if it is that of the type.
        comment: Its comment.
    """

    name: str
    type: str = ""
    nullable: bool = True
    default: Any = None
    generated: str = ""
    identity: bool = False
    serial: bool = False
    collation: str = ""
    comment: str | None = None


class Constraint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a constraint.

    Attributes:
        name: Its name, or that which Postgres would give it.
        kind: What it asks for.
        columns: Of which columns; for a check those that it names.
        validated: Whether it holds for the rows that were there before it; False after ``not valid``.
        enforced: Whether it is asked for at all; False after ``not enforced``.
        expression: The tree of what a check asks for.
        references: To which table a foreign key leads.
        referenced: To which columns; empty if they are those of its primary key.
        on_delete: What a foreign key does when a referenced row goes: ``"cascade"``, and so on; empty for nothing.
        on_update: The same when its key changes.
        proves: The columns that a check proves not to be null.
        allowed: For a check that lists the values of one column, the values as texts.
    """

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    validated: bool = True
    enforced: bool = True
    expression: Any = None
    references: str | None = None
    referenced: tuple[str, ...] = ()
    on_delete: str = ""
    on_update: str = ""
    proves: tuple[str, ...] = ()
    allowed: tuple[str, ...] | None = None


class Index(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of an index.

    Attributes:
        name: Its name, or that which Postgres would give it.
        table: Its table.
        columns: The columns that it names, in its keys, in expressions, or in its condition.
        computed: Whether it has an expression or a condition.
        unique: Whether it allows no value twice.
        valid: Whether queries may use it; False for one on a partitioned table alone.
        constraint: Whether it belongs to a constraint of its name.
        identity: Whether it was chosen as the replica identity of its table.
        made: The tree of the statement that made it; None if that is of a constraint.
    """

    name: str
    table: str
    columns: tuple[str, ...] = ()
    computed: bool = False
    unique: bool = False
    valid: bool = True
    constraint: bool = False
    identity: bool = False
    made: Any = None


class EnumType(msgspec.Struct, frozen=True, gc=False):
    """A type with a list of values.

    Attributes:
        name: Its name.
        values: In their order.
    """

    name: str
    values: tuple[str, ...]


class Domain(msgspec.Struct, frozen=True, gc=False):
    """A type that stands for another one, within limits.

    Attributes:
        name: Its name.
        type: The type below it, as text.
        limited: Whether it has a check, or allows no null; its own, or of a domain below it.
        default: The tree of its default; None if it has none.
        checks: By name, the trees of what its own checks ask for.
        over: The domain right below it; empty if that is no domain.
    """

    name: str
    type: str
    limited: bool = False
    default: Any = None
    over: str = ""
    checks: Mapping[str, Any] = {}


class Publication(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What others may subscribe to.

    Attributes:
        name: Its name.
        tables: Those that it was given; the partitions of each are published with it.
        schemas: Those of which it publishes every table.
        every: Whether it publishes all tables.
        changes: Whether it publishes updates or deletes.
    """

    name: str
    tables: frozenset[str] = frozenset()
    schemas: frozenset[str] = frozenset()
    every: bool = False
    changes: bool = True

    def has(self, table: str) -> bool:
        """Whether it publishes a table by itself, and not as a partition of another one."""
        return self.every or table in self.tables or schema_of(table) in self.schemas


class Table(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a table, or of what can be read like one.

    Attributes:
        name: Its name, with its schema unless that is ``public``.
        kind: What stands behind the name.
        columns: By name, in their order; only those that a statement named if the table is not `complete`.
        constraints: By name.
        complete: Whether a statement made it, so that all of its columns are known.
        parents: The tables whose partition or heir it is.
        of: The type whose attributes its columns are; empty if they are its own.
        partition_key: The columns by which its partitions are told from each other; empty if they are expressions.
        default_partition: Whether it is the partition for what no other one takes.
        reads: For a view, the tables that it reads.
        query: For a view, the tree of its query, if that is known.
        triggers: By name, each with the function that it calls.
        trigger_trees: By name, the trees of the statements that made them, as far as they are known.
        temporary: Whether it ends with the session, so that no other one ever waits for it.
        unlogged: Whether its rows are lost in a crash.
        tablespace: Where it was put; empty if that is where all of the database is.
        row_security: Whether policies say which rows of it there are; None if no file says so or otherwise.
        identity: By what those who replicate it are told of which row a change is.
        comment: Its comment.
    """

    name: str
    kind: Relation = Relation.TABLE
    columns: Mapping[str, Column] = {}
    constraints: Mapping[str, Constraint] = {}
    complete: bool = False
    parents: tuple[str, ...] = ()
    of: str = ""
    partition_key: tuple[str, ...] = ()
    default_partition: bool = False
    reads: tuple[str, ...] = ()
    query: Any = None
    triggers: Mapping[str, str] = {}
    trigger_trees: Mapping[str, Any] = {}
    temporary: bool = False
    unlogged: bool = False
    tablespace: str = ""
    row_security: bool | None = None
    identity: ReplicaIdentity = ReplicaIdentity.DEFAULT
    comment: str | None = None

    def foreign_keys(self) -> Iterator[Constraint]:
        """Yield its foreign keys."""
        return (each for each in self.constraints.values() if each.kind is ConstraintKind.FOREIGN_KEY)

    @property
    def may_hide_rows(self) -> bool:
        """Whether its policies hold; where nothing says so, only those of a table that was not seen to be made."""
        return not self.complete if self.row_security is None else self.row_security

    def proven_not_null(self, column: str, without: frozenset[str] = frozenset()) -> bool:
        """Whether a valid constraint proves that a column is not null; but for some, by their names."""
        proving = (each for each in self.constraints.values() if column in each.proves and each.name not in without)
        return any(each.validated and each.enforced for each in proving)

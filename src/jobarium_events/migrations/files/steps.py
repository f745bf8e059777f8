"""Statements put together to steps: what is committed at once.

As psql would run a file: each statement is committed by itself, apart from those between ``begin`` and ``commit``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from jobarium_events.migrations.files.options import is_on
from jobarium_events.migrations.files.parsing import SqlError, Statement, enum_name

__all__ = ["Step", "runs_in_transaction", "steps", "transaction_command"]

_NEVER = {
    "alter_subscription_stmt",
    "alter_system_stmt",
    "create_subscription_stmt",
    "create_table_space_stmt",
    "createdb_stmt",
    "drop_subscription_stmt",
    "drop_table_space_stmt",
    "dropdb_stmt",
    "vacuum_stmt",
}
_ALLOWED = ("TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_COMMIT")
_OF_ONE_TABLE = ("REINDEX_OBJECT_INDEX", "REINDEX_OBJECT_TABLE")
_OF_PARTITIONS = ("reindex_stmt", "cluster_stmt")
"""What Postgres refuses in a transaction if the table has partitions, which a file need not tell."""


class Step(msgspec.Struct, frozen=True):
    """What is committed at once.

    Attributes:
        statements: One, or those of an explicit transaction.
        in_transaction: Whether Postgres lets it run in a transaction, together with the record of it, in any case.
    """

    statements: tuple[Statement, ...]
    in_transaction: bool

    @property
    def line(self) -> int:
        """The line of its first statement."""
        return self.statements[0].line


def steps(statements: Iterable[Statement]) -> tuple[Step, ...]:
    """Put statements together.

    Raises:
        SqlError: If transactions are begun and not committed, or the other way round, or not by plain `begin` and
            `commit`.
    """
    return tuple(_steps(statements))


def _steps(statements: Iterable[Statement]) -> Iterator[Step]:
    begun: list[Statement] | None = None
    line = 0
    for statement in statements:
        match _steering(statement):
            case "":
                if begun is None:
                    yield Step((statement,), runs_in_transaction(statement) and statement.kind not in _OF_PARTITIONS)
                else:
                    begun.append(statement)
            case "TRANS_STMT_BEGIN" | "TRANS_STMT_START":
                if begun is not None:
                    raise SqlError(statement.line, f"begins a transaction within the one of line {line}")
                begun, line = [], statement.line
            case _:
                if begun is None:
                    raise SqlError(statement.line, "commits, and no transaction was begun")
                if begun:
                    yield Step(tuple(begun), all(map(runs_in_transaction, begun)))
                begun = None
    if begun is not None:
        raise SqlError(line, "begins a transaction that is not committed")


def _steering(statement: Statement) -> str:
    """Return the parser's name of a `begin` or a `commit`; empty for a statement that steers no transaction.

    Raises:
        SqlError: If it steers one in another way.
    """
    how = transaction_command(statement)
    if how and how not in _ALLOWED:
        raise SqlError(statement.line, "steers a transaction; only begin and commit may do so in a file")
    if how and (statement.node.options or statement.node.chain):
        raise SqlError(statement.line, "steers a transaction by more than a plain begin or commit")
    return how


def transaction_command(statement: Statement) -> str:
    """Return the parser's name of a command on transactions; empty for any other statement."""
    return enum_name(statement.node, "kind") if statement.kind == "transaction_stmt" else ""


def runs_in_transaction(statement: Statement) -> bool:
    """Whether Postgres lets a statement run within a transaction."""
    node = statement.node
    match statement.kind:
        case kind if kind in _NEVER:
            return kind == "vacuum_stmt" and not node.is_vacuumcmd  # the tree of `analyze` is one of these as well
        case "index_stmt" | "drop_stmt":
            return not node.concurrent
        case "reindex_stmt":
            of_one = enum_name(node, "kind") in _OF_ONE_TABLE
            return of_one and not is_on(node.params, "concurrently")
        case "alter_table_stmt":
            commands = (getattr(each.alter_table_cmd, "def") for each in node.cmds)
            return not any(each.partition_cmd.concurrent for each in commands)
        case "cluster_stmt":
            return bool(node.HasField("relation"))  # without a table, it is every table that was clustered before
        case "alter_database_stmt":
            return all(each.def_elem.defname != "tablespace" for each in node.options)
        case "discard_stmt":
            return enum_name(node, "target") != "DISCARD_ALL"
        case _:
            return True

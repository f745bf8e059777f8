"""Which tables that a file made are in use already: code that runs on older ones reaches them.

Nobody uses a table yet that the file has made, so that most rules about locks do not hold for it. That ends where a
statement ties it to what was there before, and that statement is committed: a trigger writes into it from then on, a
partition is given rows, a view reads it. What a function does is not in the statement, so that a trigger or a block of
code may reach all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.names import joined, relation_name, texts
from jobarium_events.migrations.lint.rules.calling import is_hidden
from jobarium_events.migrations.lint.walking import tables_of

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.lint.knowledge.schema import Schema

__all__ = ["Done", "Reached"]

_TYING = frozenset(
    "alter_object_schema_stmt alter_policy_stmt alter_table_stmt call_stmt copy_stmt create_function_stmt "
    "create_policy_stmt create_schema_stmt create_stmt create_table_as_stmt create_trig_stmt do_stmt execute_stmt "
    "explain_stmt insert_stmt rename_stmt rule_stmt select_stmt view_stmt".split()
)
_WORD = re.compile(r"[\w$]+")
_ENABLING = frozenset(
    "AT_EnableTrig AT_EnableAlwaysTrig AT_EnableReplicaTrig AT_EnableTrigAll AT_EnableTrigUser AT_EnableRule "
    "AT_EnableAlwaysRule AT_EnableReplicaRule".split()
)


class Done(NamedTuple):
    """What a file has done by a statement.

    Attributes:
        made: The functions and schemas that it has made before.
        filled: The tables into which it has copied rows by then.
        in_transaction: Whether the statement stands within a transaction.
    """

    made: frozenset[str]
    filled: frozenset[str]
    in_transaction: bool


class Reached:
    """The tables of a file that others use by now.

    Args:
        original: What was known of the tables before the file.
    """

    def __init__(self, original: Schema) -> None:
        self._original = original
        self._now: frozenset[str] = frozenset()
        self._with_commit: frozenset[str] = frozenset()

    def unused(self, created: frozenset[str], schema: Schema) -> frozenset[str]:
        """Return those of the tables that a file made which nobody uses yet.

        Args:
            created: The tables that the file made.
            schema: What is known of the tables.
        """
        if not self._now:
            return created
        found = set(self._now)
        for table in self._now:
            found.update(schema.descendants(table), schema.above(table))
        return created - found

    def follow(self, statement: Statement, schema: Schema, after: Schema, done: Done) -> None:
        """Note what a statement ties to older tables; what is in a transaction, others see with its commit.

        Args:
            statement: The statement.
            schema: What is known of the tables before it.
            after: What is known of them after it; the file has made some of them.
            done: What the file has done by then.
        """
        if statement.kind not in _TYING:
            return
        found = after.created.intersection(self._tied(statement, schema, after, done.made))
        found |= _referring(after, done.filled)
        if done.in_transaction:
            self._with_commit |= found
        else:
            self._now |= found

    def end(self, *, committed: bool) -> None:
        """End a transaction."""
        if committed:
            self._now |= self._with_commit
        self._with_commit = frozenset()

    def _tied(self, statement: Statement, schema: Schema, after: Schema, made: frozenset[str]) -> Iterable[str]:
        """Return the tables of the file that a statement lets others reach."""
        node, created = statement.node, after.created
        match statement.kind:
            case "create_trig_stmt":
                return () if relation_name(node.relation) in created else created
            case "rule_stmt":
                return () if relation_name(node.relation) in created else tables_of(node)
            case "create_policy_stmt" | "alter_policy_stmt":
                return () if relation_name(node.table) in created else tables_of(node)
            case "view_stmt":
                is_old = node.replace and relation_name(node.view) not in schema.created
                return tables_of(node.query) if is_old else ()
            case "create_function_stmt":
                # A new one is called by nobody yet; of one that is replaced, the text is all that is known.
                is_old = node.replace and joined(texts(node.funcname)) not in made
                return _written(statement.text, created) if is_old else ()
            case "create_stmt" | "create_schema_stmt":
                return _made(statement, created)
            case "rename_stmt" | "alter_object_schema_stmt":
                return self._renamed(statement, schema, after)
            case "alter_table_stmt":
                return _altered(statement, created, made)
            case _:
                return created if is_hidden(statement) else ()

    def _renamed(self, statement: Statement, schema: Schema, after: Schema) -> Iterable[str]:
        """Return the new name of a table that is in use, or that takes the place of one that was there."""
        was_used = relation_name(statement.node.relation) in self._now | self._with_commit
        return [new for new in after.created - schema.created if was_used or new in self._original.tables]


def _made(statement: Statement, created: frozenset[str]) -> Iterable[str]:
    """Return a new table that is a part of an older one; all, if a schema is made with a trigger."""
    node = statement.node
    if statement.kind == "create_schema_stmt":
        has_trigger = any(each.WhichOneof("node") == "create_trig_stmt" for each in node.schema_elts)
        return created if has_trigger else ()
    parents = [relation_name(each.range_var) for each in node.inh_relations]
    return () if all(each in created for each in parents) else (relation_name(node.relation),)


def _altered(statement: Statement, created: frozenset[str], made: frozenset[str]) -> Iterable[str]:
    """Return the tables of the file that an ``alter table`` lets others reach."""
    table = relation_name(statement.node.relation)
    found: set[str] = set()
    for each in statement.node.cmds:
        command = each.alter_table_cmd
        subtype = enum_name(command, "subtype")
        match subtype:
            case "AT_AttachPartition" if table not in created:
                found.add(relation_name(getattr(command, "def").partition_cmd.name))
            case "AT_AddInherit" if relation_name(getattr(command, "def").range_var) not in created:
                found.add(table)
            case _ if subtype in _ENABLING and table not in created:
                found |= created
            case _:
                pass
    if table not in created and any(name.rpartition(".")[2] in statement.text for name in made):
        found |= created
    return found


def _written(text: str, created: frozenset[str]) -> Iterable[str]:
    """Return those whose names stand in a text; all, if it makes up statements as it goes."""
    words = {*_WORD.findall(text.lower())}
    return created if "execute" in words else [each for each in created if each.rpartition(".")[2].lower() in words]


def _referring(schema: Schema, filled: frozenset[str]) -> set[str]:
    """Return the tables of the file that have rows, and are tied to older ones by foreign keys.

    What is deleted there is looked for here, or what is written there has to be here. One without rows is locked for
    so short that it does not count.
    """
    found = set()
    for table in schema.created & filled:
        tied = [key.references for key in schema.table(table).foreign_keys()]
        tied += [other.name for other, _ in schema.leading_to(table)]
        if any(other and other not in schema.created for other in tied):
            found.add(table)
    return found

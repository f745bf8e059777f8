"""What a rule is, what it is shown, and how it is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

import msgspec

from jobarium_events.migrations.files.header import Header
from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.files.parsing import Statement, enum_name
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.locking.locks import Effects, Lock
from jobarium_events.migrations.lint.names import relation_name

__all__ = ["RULES", "Hit", "Rule", "Stands", "Subject", "TimeoutSet", "Transaction", "checks", "described", "rule"]


class Stands(StrEnum):
    """Where a statement stands, as far as some rules are about no other place."""

    TRANSACTION = "within a transaction"
    MIGRATION = "in a migration of ours"
    BACKFILL = "in the section backfill"
    WITHOUT_TIMEOUT = "where no lock_timeout holds"


class Rule(msgspec.Struct, frozen=True):
    """A rule.

    Attributes:
        id: By which it is known.
        why: What goes wrong otherwise, in a sentence.
        severity: How much its findings weigh.
        firm: Whether nobody can allow what it forbids.
        breaks: Whether code that runs breaks by it, so that it needs a decision, whoever allows it.
    """

    id: str
    why: str
    severity: Severity
    firm: bool = False
    breaks: bool = False


class Hit(msgspec.Struct, frozen=True, gc=False):
    """That a rule is broken.

    Attributes:
        text: What is wrong and how to mend it.
        safe: The SQL to write instead, or what makes it where that takes long, since nobody asks for that of a finding
            which is allowed; empty where there is none.
        severity: How much it weighs, if not what the rule's findings do.
    """

    text: str
    safe: str | Callable[[], str] = ""
    severity: Severity | None = None


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """What an explicit transaction has done before a statement.

    Attributes:
        statements: Its statements so far, each with what it does.
    """

    statements: tuple[tuple[Statement, Effects], ...] = ()

    def blocked(self, created: frozenset[str]) -> dict[str, Lock]:
        """Return the locks that it holds and that writes wait for, by table; new tables make nobody wait."""
        held: dict[str, Lock] = {}
        for _, effects in self.statements:
            for lock in effects.locks:
                if lock.mode.blocks_writes and lock.table not in created:
                    held.setdefault(lock.table, lock)
        return held


class TimeoutSet(NamedTuple):
    """What a statement sets lock_timeout to.

    Attributes:
        milliseconds: For how long it lets wait; 0 for as long as it takes.
        is_local: Whether that ends with the transaction.
    """

    milliseconds: float
    is_local: bool


class Subject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a rule is shown of a statement.

    Attributes:
        statement: The statement.
        effects: What it does to its tables.
        schema: What is known of the tables before it.
        after: What is known of them after it.
        end: What is known of them after the last statement of the section, or of the migration.
        own: The tables that the file has made by then, the statement's own included.
        created: Those of them that nobody uses yet; see `Reached`.
        original: What was known of them before the file, and its section up.
        versions: The versions of Postgres for which it is judged.
        section: The section that it is in; None in a file that is no migration of ours.
        header: What the file says of itself, if it is a migration of ours.
        transaction: What the transaction that it is in has done before; None if it is in none.
        made: The functions and schemas that the file has made by then.
        filled: The tables into which the file has copied rows by then.
        columns: The columns of a table that it creates, each as it is defined, with its type's own name.
        timeout: What it sets lock_timeout to.
    """

    statement: Statement
    effects: Effects
    schema: Schema
    after: Schema
    end: Schema
    own: frozenset[str]
    created: frozenset[str]
    original: Schema
    versions: tuple[int, ...]
    section: Section | None = None
    header: Header | None = None
    transaction: Transaction | None = None
    made: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()
    columns: tuple[tuple[Any, str], ...] = ()
    timeout: TimeoutSet | None = None

    @property
    def node(self) -> Any:
        """The statement's tree."""
        return self.statement.node

    @property
    def oldest(self) -> int:
        """The oldest version of Postgres that it has to run on."""
        return self.versions[0]

    @property
    def waited_for(self) -> list[Lock]:
        """The locks for which writes of running code wait; nobody uses a table yet that the file made."""
        return [lock for lock in self.effects.locks if lock.mode.blocks_writes and not self._is_of_new(lock.table)]

    def _is_of_new(self, name: str) -> bool:
        """Whether a name is that of a new table, or of an index of one."""
        index = self.schema.indexes.get(name)
        return (index.table if index is not None else name) in self.created

    @property
    def goes_through(self) -> bool:
        """Whether it writes anew, or reads whole, a table that may have many rows; a new one has those of the file."""
        if not (self.effects.rewrite or self.effects.scan):
            return False
        tables = self._gone_through()
        return not tables or not all(self.is_new(each) and each not in self.filled for each in tables)

    def _gone_through(self) -> list[str]:
        """Return the tables of whose rows it may read each; what a foreign key leads to is looked up row by row."""
        if self.statement.kind not in ("alter_table_stmt", "index_stmt"):
            return [lock.table for lock in self.effects.locks]
        table = relation_name(self.node.relation)
        commands = [each.alter_table_cmd for each in self.node.cmds] if self.statement.kind != "index_stmt" else []
        parts = [
            relation_name(getattr(each, "def").partition_cmd.name)
            for each in commands
            if enum_name(each, "subtype") == "AT_AttachPartition"
        ]
        return [each for name in (table, *parts) for each in (name, *self.schema.descendants(name))]

    def is_new(self, table: str) -> bool:
        """Whether the file made the table itself, and no code uses it yet."""
        return table in self.created

    def is_own(self, table: str) -> bool:
        """Whether the file made the table itself, whoever uses it by now."""
        return table in self.own


Check = Callable[[Subject, Any], Iterable[Hit]]

RULES: dict[str, Rule] = {}
"""Every rule, by its id."""


class _Declared(msgspec.Struct, frozen=True):
    """A rule about single statements, with what it is about; see `rule`."""

    rule: Rule
    check: Check
    on: frozenset[str]
    having: frozenset[str]
    where: Stands | None

    def is_about(self, on: str, having: frozenset[str], stands: frozenset[Stands]) -> bool:
        is_so = (on in self.on or self.is_general) and (self.where is None or self.where in stands)
        return is_so and (not self.having or not self.having.isdisjoint(having))

    @property
    def is_general(self) -> bool:
        return "" in self.on


_DECLARED: list[_Declared] = []
_NONE: frozenset[str] = frozenset()
_TOLD_APART: set[str] = set()
"""All that rules ask a column or a constraint to have."""


def checks(on: str, having: Iterable[str], stands: frozenset[Stands]) -> tuple[tuple[Rule, Check], ...]:
    """Return the rules that a statement, or a command of an ``alter table``, may break, each with its check.

    Of a statement, those come first that are about every kind.

    Args:
        on: The kind of the statement, or the parser's name for the command.
        having: The types of the columns that it makes, and the kinds of the constraints.
        stands: Where it stands.
    """
    return _checks(on, _NONE if not having else _NONE.union(_TOLD_APART.intersection(having)), stands)


@cache
def _checks(on: str, having: frozenset[str], stands: frozenset[Stands]) -> tuple[tuple[Rule, Check], ...]:
    is_command = on.startswith("AT_")
    found = [each for each in _DECLARED if each.is_about(on, having, stands)]
    general = [] if is_command else [each for each in found if each.is_general]
    return tuple((each.rule, each.check) for each in (*general, *(each for each in found if not each.is_general)))


def described(
    id_: str, why: str, severity: Severity = Severity.ERROR, *, firm: bool = False, breaks: bool = False
) -> Rule:
    """Enter a rule that is about more than one statement, and return it."""
    RULES[id_] = found = Rule(id_, why, severity, firm, breaks)
    return found


def rule(
    id_: str,
    why: str,
    *on: str,
    having: Iterable[str] = (),
    where: Stands | None = None,
    severity: Severity = Severity.ERROR,
    firm: bool = False,
    breaks: bool = False,
) -> Callable[[Check], Check]:
    """Declare a rule about single statements.

    Args:
        id_: By which it is known.
        why: What goes wrong otherwise.
        on: The kinds of statements that it is shown, such as ``"index_stmt"``, and the commands of an ``alter table``,
            such as ``"AT_AddColumn"``; it is then shown the command beside the statement. ``""`` is every kind.
        having: It is shown only those that make a column of such a type, or a constraint of such a kind, by the
            parser's names: ``"timestamp"``, ``"CONSTR_CHECK"``; all if it names none.
        where: It is shown only those that stand there; all if it names no place.
        severity: How much its findings weigh.
        firm: Whether nobody can allow what it forbids.
        breaks: Whether code that runs breaks by it.
    """
    entered = described(id_, why, severity, firm=firm, breaks=breaks)

    def declare(check: Check) -> Check:
        _DECLARED.append(_Declared(entered, check, frozenset(on), frozenset(having), where))
        _TOLD_APART.update(having)
        return check

    return declare

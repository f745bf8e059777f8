"""Statements judged one after the other: what each does, and which rules it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.evolution.decision import Decision
from jobarium_events.migrations.files.header import Header
from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.files.steps import transaction_command
from jobarium_events.migrations.lint.findings import Finding, LintedStatement
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.locking.effects import effects
from jobarium_events.migrations.lint.locking.locks import Effects, Lock, LockMode
from jobarium_events.migrations.lint.names import base_type, enum_name, relation_name
from jobarium_events.migrations.lint.removals import Removed
from jobarium_events.migrations.lint.rules import allowed, checks, long_under_lock, made_by, misplaced, reworded
from jobarium_events.migrations.lint.rules.removals import guarded
from jobarium_events.migrations.lint.rules.rule import Hit, Rule, Subject, Transaction
from jobarium_events.migrations.lint.rules.transactions import TRANSACTION_OPEN, sets_timeout

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["Around", "judge"]

_VARYING = {"grant_stmt", "vacuum_stmt"}  # and those on tables with heirs; see `lint.versions`
_BEGINS = ("TRANS_STMT_BEGIN", "TRANS_STMT_START")
_ENDS = ("TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK")

_Found = dict[tuple[Rule, Hit], tuple[int, ...]]


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all statements of a section.

    Attributes:
        file: Path of the file.
        versions: The versions of Postgres for which they are judged.
        original: What was known of the tables before the file.
        section: The section; None in a file that is no migration of ours.
        header: What the file says of itself, if it is a migration of ours.
        releases: The releases in their order.
        decisions: The decision log.
        before_first: What is found of the section as a whole; it stands at its first statement.
        made: The functions and schemas that the section before it makes, on the way back from which it is.
        going: What the section removes that code may read.
    """

    file: str
    versions: tuple[int, ...]
    original: Schema
    section: Section | None = None
    header: Header | None = None
    releases: tuple[str, ...] = ()
    decisions: Mapping[str, Decision] = {}
    before_first: Sequence[tuple[Rule, Hit]] = ()
    made: frozenset[str] = frozenset()
    going: frozenset[Removed] = frozenset()


def judge(
    statements: Iterable[Statement], schema: Schema, around: Around, begins: frozenset[int] = frozenset()
) -> tuple[list[LintedStatement], Schema]:
    """Judge statements in their order.

    Args:
        statements: The statements.
        schema: What is known of the tables before the first.
        around: What holds for all of them.
        begins: The places of those with which another migration begins.

    Returns:
        What was found of each, and what is known of the tables after the last.
    """
    state = _State(around)
    linted = []
    for place, statement in enumerate(statements):
        if place in begins:
            schema = schema.afresh()
            state.go_on()
        after = schema.apply(statement)
        linted.append(state.judged(statement, schema, after, around.before_first if place == 0 else ()))
        schema = after
    if state.transaction is not None and linted:
        hit = Hit("begins a transaction that is not committed", "commit;")
        linted[state.begun] = _with(linted[state.begun], around.file, TRANSACTION_OPEN, hit)
    return linted, schema


def _with(linted: LintedStatement, file: str, rule: Rule, hit: Hit) -> LintedStatement:
    more = _finding(file, linted.line, rule, hit, ())
    return msgspec.structs.replace(linted, findings=(*linted.findings, more))


class _State:
    """Where the statements stand: the transaction they are in, and the time-out that they have."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._is_ours = around.header is not None
        self._timeout = self._local_timeout = False
        self._made = around.made
        self._count = 0
        self.transaction: Transaction | None = None
        self.begun = 0

    def go_on(self) -> None:
        """Begin with another migration, which may be applied at another time, whatever is printed around the two."""
        if self.transaction is not None:
            self.transaction = Transaction()

    def judged(
        self, statement: Statement, schema: Schema, after: Schema, first: Sequence[tuple[Rule, Hit]]
    ) -> LintedStatement:
        around = self._around
        found: _Found = dict.fromkeys(first, around.versions)
        created = after.created if schema.created <= after.created else schema.created | after.created
        groups = _effects(statement, schema, around.versions)
        subject = None
        for done, versions in groups:
            subject = Subject(
                statement=statement,
                effects=done,
                schema=schema,
                created=created,
                original=around.original,
                versions=around.versions,
                section=around.section,
                header=around.header,
                transaction=self.transaction,
                timeout=self._is_ours or self._timeout or self._local_timeout,
                made=self._made,
            )
            hits = tuple(_hits(subject))
            for each in (*hits, *long_under_lock(subject, hits)):
                found[each] = tuple(dict.fromkeys(found.get(each, ()) + versions))
        if statement.kind == "transaction_stmt":
            found.update((each, around.versions) for each in self._steered(statement))
        elif self.transaction is not None:
            self.transaction = Transaction((*self.transaction.statements, (statement, groups[0][0])))
        if around.section is Section.UP and around.header is not None and subject is not None:
            found.update((each, around.versions) for each in misplaced(subject))
            guards = guarded(statement, around.header, around.releases, around.decisions, around.going)
            found.update((each, around.versions) for each in guards)
            found.update(
                (each, around.versions) for each in reworded(statement, schema, after, around.header, around.decisions)
            )
        if statement.kind == "variable_set_stmt" and sets_timeout(statement.node):
            self._local_timeout = self._local_timeout or self.transaction is not None
            self._timeout = self._timeout or not statement.node.is_local
        if made := made_by(statement):
            self._made |= made
        self._count += 1
        return self._linted(statement, groups, found)

    def _steered(self, statement: Statement) -> Iterator[tuple[Rule, Hit]]:
        """Follow a command on transactions, and yield what is wrong with it."""
        how = transaction_command(statement)
        if how in _BEGINS:
            if self.transaction is not None:
                yield TRANSACTION_OPEN, Hit("begins a transaction within another one", "commit;")
            self.transaction, self.begun = Transaction(), self._count
        elif how in _ENDS:
            if self.transaction is None:
                yield TRANSACTION_OPEN, Hit("ends a transaction, and none was begun", "begin;")
            self.transaction, self._local_timeout = None, False

    def _linted(
        self, statement: Statement, groups: list[tuple[Effects, tuple[int, ...]]], found: _Found
    ) -> LintedStatement:
        around = self._around
        done = groups[0][0] if len(groups) == 1 else _worst(groups)
        kept = allowed(statement, found) if found or statement.comments else ()
        return LintedStatement(
            file=around.file,
            line=statement.line,
            kind=done.kind,
            section=around.section.value if around.section is not None else "",
            locks=done.locks,
            rewrite=done.rewrite,
            scan=done.scan,
            findings=tuple(
                [
                    _finding(around.file, statement.line, rule, hit, self._partly(found.get((rule, hit), ())))
                    for rule, hit in kept
                ]
            )
            if kept
            else (),
        )

    def _partly(self, versions: tuple[int, ...]) -> tuple[int, ...]:
        """Return versions, unless they are all."""
        return () if len(versions) == len(self._around.versions) else versions


def _hits(subject: Subject) -> Iterator[tuple[Rule, Hit]]:
    """Yield every rule that a statement breaks."""
    statement, node = subject.statement, subject.node
    within = subject.transaction is not None
    having = _types(node) if statement.kind == "create_stmt" else ()
    for rule, check in checks(statement.kind, having, within=within):
        for hit in check(subject, node):
            yield rule, hit
    if statement.kind == "alter_table_stmt":
        for each in node.cmds:
            command = each.alter_table_cmd
            subtype = enum_name(command, "subtype")
            for rule, check in checks(subtype, _made(subtype, command), within=within):
                for hit in check(subject, command):
                    yield rule, hit


def _types(node: Any) -> list[str]:
    """Return the types of the columns that a ``CreateStmt`` makes."""
    return [base_type(each.column_def) for each in node.table_elts]


def _made(subtype: str, command: Any) -> list[str]:
    """Return the type of a column that a command of ``alter table`` adds, and the kinds of constraints."""
    if subtype == "AT_AddColumn":
        column = getattr(command, "def").column_def
        return [base_type(column), *(enum_name(each.constraint, "contype") for each in column.constraints)]
    return [enum_name(getattr(command, "def").constraint, "contype")] if subtype == "AT_AddConstraint" else []


def _effects(statement: Statement, schema: Schema, versions: tuple[int, ...]) -> list[tuple[Effects, tuple[int, ...]]]:
    """Return what a statement does, each with the versions of Postgres on which it does it."""
    first = effects(statement, schema, versions[0])
    if len(versions) == 1 or not _varies(statement, schema):
        return [(first, versions)]
    last = effects(statement, schema, versions[-1])
    if last == first:
        return [(first, versions)]
    groups: list[tuple[Effects, tuple[int, ...]]] = []
    for version in versions:
        known = {versions[0]: first, versions[-1]: last}.get(version)
        done = effects(statement, schema, version) if known is None else known
        if groups and groups[-1][0] == done:
            groups[-1] = (done, (*groups[-1][1], version))
        else:
            groups.append((done, (version,)))
    return groups


def _varies(statement: Statement, schema: Schema) -> bool:
    """Whether versions of Postgres may differ in what a statement does."""
    if statement.kind == "alter_table_stmt":
        return bool(schema.descendants(relation_name(statement.node.relation)))
    return statement.kind in _VARYING


def _worst(groups: list[tuple[Effects, tuple[int, ...]]]) -> Effects:
    """Return what a statement does at the worst, where versions of Postgres differ."""
    return Effects(
        kind=groups[0][0].kind,
        locks=_strongest(groups),
        rewrite=any(done.rewrite for done, _ in groups),
        scan=any(done.scan for done, _ in groups),
    )


def _strongest(groups: list[tuple[Effects, tuple[int, ...]]]) -> tuple[Lock, ...]:
    strongest: dict[str, LockMode] = {}
    for done, _ in groups:
        for lock in done.locks:
            if lock.table not in strongest or lock.mode.strength > strongest[lock.table].strength:
                strongest[lock.table] = lock.mode
    return tuple(Lock(table, mode) for table, mode in sorted(strongest.items()))


def _finding(file: str, line: int, rule: Rule, hit: Hit, versions: tuple[int, ...]) -> Finding:
    return Finding(
        rule=rule.id,
        severity=hit.severity or rule.severity,
        file=file,
        line=line,
        text=hit.text,
        safe=hit.safe if isinstance(hit.safe, str) else hit.safe(),
        versions=versions,
    )

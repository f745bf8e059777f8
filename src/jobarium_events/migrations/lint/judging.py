"""Statements judged one after the other: what each does, and which rules it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.evolution.decision import Decision
from jobarium_events.migrations.files.header import Header
from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.files.steps import transaction_command
from jobarium_events.migrations.lint.findings import Finding, LintedStatement
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.locking.effects import effects
from jobarium_events.migrations.lint.locking.locks import Effects, Lock, LockMode
from jobarium_events.migrations.lint.mending import outside_transactions, said_once, with_time_out
from jobarium_events.migrations.lint.names import base_type, relation_name
from jobarium_events.migrations.lint.reached import Done, Reached
from jobarium_events.migrations.lint.reading import Tool
from jobarium_events.migrations.lint.removals import Removed
from jobarium_events.migrations.lint.rules import (
    allowed,
    checks,
    commented_types,
    long_under_lock,
    made_by,
    misplaced,
    reworded,
)
from jobarium_events.migrations.lint.rules.data import filled_by
from jobarium_events.migrations.lint.rules.removals import Filling, guarded, unfinished
from jobarium_events.migrations.lint.rules.rule import Hit, Rule, Stands, Subject, TimeoutSet, Transaction
from jobarium_events.migrations.lint.rules.transactions import TRANSACTION_OPEN, timeout_set
from jobarium_events.migrations.lint.tools import in_tool

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["Around", "judge"]

_VARYING = {"grant_stmt", "vacuum_stmt"}  # and those on tables with heirs; see `lint.versions`
_LISTING = {"create_stmt", "create_schema_stmt"}
_STEERING = {"transaction_stmt", "variable_set_stmt"}  # after which the next one stands elsewhere
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
        types: The comments of types before the section.
        fillings: The other migrations of the folder that have a backfill.
        tool: What printed the file.
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
    types: Mapping[str, str] = {}
    fillings: tuple[Filling, ...] = ()
    tool: Tool = Tool.NONE


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
    known = _known(statements, schema, begins)
    for place, (statement, before, after, end) in enumerate(known):
        if place in begins:
            state.go_on()
        linted.append(state.judged(statement, before, after, end, around.before_first if place == 0 else ()))
        schema = after
    if state.transaction is not None and linted:
        hit = Hit("begins a transaction that is not committed", "commit;")
        linted[state.begun] = _with(linted[state.begun], around.file, TRANSACTION_OPEN, hit)
    return said_once(linted), schema


def _known(
    statements: Iterable[Statement], schema: Schema, begins: frozenset[int]
) -> list[tuple[Statement, Schema, Schema, Schema]]:
    """Return each statement with what is known before it, after it, and after the last of its migration."""
    steps: list[tuple[Statement, Schema, Schema]] = []
    ends: list[Schema] = []
    for place, statement in enumerate(statements):
        if place in begins:
            ends += [schema] * (place - len(ends))
            schema = schema.afresh()
        after = schema.apply(statement)
        steps.append((statement, schema, after))
        schema = after
    ends += [schema] * (len(steps) - len(ends))
    return [(*step, end) for step, end in zip(steps, ends, strict=True)]


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
        self._filled: frozenset[str] = frozenset()
        self._reached = Reached(around.original)
        self._types = around.types
        self._count = 0
        self.transaction: Transaction | None = None
        self.begun = 0
        self._stands = self._place()

    def go_on(self) -> None:
        """Begin with another migration, which may be applied at another time, whatever is printed around the two."""
        if self.transaction is not None:
            self.transaction = Transaction()
        self._reached.end(committed=True)

    def judged(
        self, statement: Statement, schema: Schema, after: Schema, end: Schema, first: Sequence[tuple[Rule, Hit]]
    ) -> LintedStatement:
        around = self._around
        found: _Found = dict.fromkeys(first, around.versions)
        own = after.created if schema.created <= after.created else schema.created | after.created
        created = self._reached.unused(own, schema) if own else own
        groups = _effects(statement, schema, around.versions)
        columns = _columns(statement) if statement.kind == "create_stmt" else ()
        timeout = timeout_set(statement)
        subject = None
        for done, versions in groups:
            subject = Subject(
                statement=statement,
                effects=done,
                schema=schema,
                after=after,
                end=end,
                own=own,
                created=created,
                original=around.original,
                versions=around.versions,
                section=around.section,
                header=around.header,
                transaction=self.transaction,
                made=self._made,
                filled=self._filled,
                columns=columns,
                timeout=timeout,
            )
            hits = _hits(subject, self._stands)
            if done.rewrite or done.scan:
                hits += long_under_lock(subject, hits)
            for each in hits:
                found[each] = tuple(dict.fromkeys(found.get(each, ()) + versions))
        if statement.kind == "transaction_stmt":
            found.update((each, around.versions) for each in self._steered(statement))
        elif self.transaction is not None:
            self.transaction = Transaction((*self.transaction.statements, (statement, groups[0][0])))
        if around.section is Section.UP and around.header is not None and subject is not None:
            found.update((each, around.versions) for each in misplaced(subject))
            guards = guarded(statement, around.header, around.releases, around.decisions, around.going)
            found.update((each, around.versions) for each in guards)
            left = unfinished(statement, around.header, around.going, around.fillings)
            found.update((each, around.versions) for each in left)
            meanings = reworded(statement, schema, after, around.header, around.decisions, types=self._types)
            found.update((each, around.versions) for each in meanings)
        made = self._made
        self._follow(statement, timeout)
        if after.created:
            done_by_then = Done(made, self._filled, in_transaction=self.transaction is not None)
            self._reached.follow(statement, schema, after, done_by_then)
        is_within = subject is not None and subject.transaction is not None
        return self._linted(statement, groups, found, is_within=is_within)

    def _follow(self, statement: Statement, timeout: TimeoutSet | None) -> None:
        """Note what a statement leaves behind for those after it."""
        if timeout is not None and timeout.milliseconds:
            self._local_timeout = self._local_timeout or self.transaction is not None
            self._timeout = self._timeout or not timeout.is_local
        if timeout is not None or statement.kind in _STEERING:
            self._stands = self._place()
        if made := made_by(statement):
            self._made |= made
        if filled := filled_by(statement):
            self._filled |= {filled}
        if statement.kind == "comment_stmt" and (types := commented_types((statement,))):
            self._types = {**self._types, **types}
        self._count += 1

    def _place(self) -> frozenset[Stands]:
        """Return where the next statement stands."""
        is_timed = self._is_ours or self._timeout or self._local_timeout
        return _places(
            (
                (Stands.TRANSACTION, self.transaction is not None),
                (Stands.MIGRATION, self._is_ours),
                (Stands.BACKFILL, self._around.section is Section.BACKFILL),
                (Stands.WITHOUT_TIMEOUT, not is_timed),
            )
        )

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
            self._reached.end(committed=how == "TRANS_STMT_COMMIT")

    def _linted(
        self, statement: Statement, groups: list[tuple[Effects, tuple[int, ...]]], found: _Found, *, is_within: bool
    ) -> LintedStatement:
        around = self._around
        done = groups[0][0] if len(groups) == 1 else _worst(groups)
        kept = list(allowed(statement, found)) if found or statement.comments else []
        shown = self._shown(statement, kept, is_within=is_within) if kept else kept
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
                    _finding(around.file, statement.line, rule, hit, self._partly(found.get(was, ())))
                    for (rule, hit), was in zip(shown, kept, strict=True)
                ]
            )
            if kept
            else (),
        )

    def _shown(self, statement: Statement, kept: list[tuple[Rule, Hit]], *, is_within: bool) -> list[tuple[Rule, Hit]]:
        """Return what was found on a statement as it can be followed there, and goes together."""
        shown = with_time_out(outside_transactions(kept) if is_within else kept)
        tool = self._around.tool
        return shown if tool is Tool.NONE else in_tool(tool, statement, shown)

    def _partly(self, versions: tuple[int, ...]) -> tuple[int, ...]:
        """Return versions, unless they are all."""
        return () if len(versions) == len(self._around.versions) else versions


@cache
def _places(holding: tuple[tuple[Stands, bool], ...]) -> frozenset[Stands]:
    return frozenset(place for place, is_so in holding if is_so)


def _hits(subject: Subject, stands: frozenset[Stands]) -> list[tuple[Rule, Hit]]:
    """Return every rule that a statement breaks."""
    statement = subject.statement
    kind, node = statement.kind, statement.node
    having = _listed(subject) if kind in _LISTING else ()
    found = [(rule, hit) for rule, check in checks(kind, having, stands) for hit in check(subject, node)]
    if kind == "alter_table_stmt":
        for each in node.cmds:
            command = each.alter_table_cmd
            subtype = enum_name(command, "subtype")
            for rule, check in checks(subtype, _made(subtype, command), stands):
                found += [(rule, hit) for hit in check(subject, command)]
    return found


def _columns(statement: Statement) -> tuple[tuple[Any, str], ...]:
    """Return the columns that ``create table`` makes, each with its type's own name."""
    definitions = [each.column_def for each in statement.node.table_elts if each.HasField("column_def")]
    return tuple([(each, base_type(each)) for each in definitions])


def _listed(subject: Subject) -> list[str]:
    """Return the types of the columns that ``create table`` makes, and what it may have of constraints."""
    types = [base for _, base in subject.columns]
    return [*types, "CONSTR_FOREIGN"] if "references" in subject.statement.text.lower() else types


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

"""Rules about what is removed: only once no code uses it, and as the header says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.names import listed_name, relation_name
from jobarium_events.migrations.lint.removals import Removed, removed, said_of, unclear
from jobarium_events.migrations.lint.rewriting import lines, quoted, shown
from jobarium_events.migrations.lint.rules.parts import unused
from jobarium_events.migrations.lint.rules.rule import Hit, Rule, Subject, described, rule
from jobarium_events.migrations.lint.walking import columns_in, messages, tables_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from jobarium_events.evolution.decision import Decision
    from jobarium_events.migrations.files.header import Header
    from jobarium_events.migrations.files.migration import Migration
    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.lint.knowledge.schema import Schema

__all__ = ["Filling", "guarded", "unfinished"]

_ALL = ""
"""What stands for all columns of a table, where those that a tree names are asked for."""
_TABLES = {"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"}
_READ = {"OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_SEQUENCE", "OBJECT_SCHEMA"}
_READ |= {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE", "OBJECT_EXTENSION"}


def _was_there(schema: Schema, each: Removed) -> bool:
    table = schema.tables.get(each.table)
    return table is not None and (not each.column or each.column in table.columns)


def _severity(subject: Subject, gone: Iterable[Removed]) -> Severity | None:
    """Return how much a removal weighs; None if it is all right, or if the category's rules are about it."""
    if subject.section is None:
        return None if all(subject.is_new(each.table) for each in gone) else Severity.WARNING
    if subject.section is not Section.DOWN:
        return None
    undoes = all(_was_there(subject.schema, each) and not _was_there(subject.original, each) for each in gone)
    return None if undoes else Severity.ERROR


@rule(
    "drop-column",
    "Code that runs still reads and writes the column, and fails from that moment on.",
    "AT_DropColumn",
)
def drop_column(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield a column that goes, in a file that is no contract of ours, or in a way back that did not bring it."""
    gone = Removed(relation_name(subject.node.relation), command.name)
    severity = _severity(subject, [gone])
    if severity is not None:
        name = quoted(command.name)
        text = f"drops {gone}, which code that runs may use; until none does, let it be null, so that code may leave it"
        yield Hit(text, lines(f"alter table {shown(gone.table)} alter column {name} drop not null"), severity)


@rule(
    "drop-table",
    "Code that runs still reads and writes the table, and fails from that moment on.",
    "drop_stmt",
)
def drop_table(subject: Subject, _: Any) -> Iterator[Hit]:
    """Yield a table that goes, in a file that is no contract of ours, or in a way back that did not bring it."""
    gone = list(removed(subject.statement))
    is_table = enum_name(subject.node, "remove_type") in _TABLES
    severity = _severity(subject, gone) if gone and is_table else None
    if severity is not None:
        names = ", ".join(map(str, gone))
        text = f"drops {names}, which code that runs may use; drop it in a migration of category contract"
        yield Hit(text, unused(subject, subject.statement.text), severity)


@rule(
    "drop-other",
    "Code that runs may still use the view, function, type, sequence or schema, and fails from that moment on.",
    "drop_stmt",
    severity=Severity.WARNING,
)
def drop_other(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield what else goes that code may name, in a file that is no migration of ours."""
    kind = enum_name(node, "remove_type")
    if subject.section is not None or kind not in _READ:
        return
    names = [listed_name(each) for each in node.objects]
    if all(subject.is_new(each) for each in names):
        return
    what = kind.removeprefix("OBJECT_").lower().replace("matview", "materialized view")
    text = f"drops the {what} {', '.join(names)}, which code that runs may use; drop it once none does"
    yield Hit(text, unused(subject, subject.statement.text))


_MISSING = described(
    "out-of-use-missing",
    "What is removed has to have been out of use for two releases, and the header says since when.",
)
_LATE = described(
    "out-of-use-too-late",
    "Fewer than two releases after code stopped using it, a release that still does may be rolled back to.",
)
_UNGUARDED = described(
    "contract-unguarded",
    "What is removed does not come back: a flag has to show that nothing needs it, and a decision that it may go.",
)
_UNNAMED = described(
    "removal-unnamed",
    "What goes along with something else is named nowhere, so that nobody can show that no code uses it any more.",
    firm=True,
)
_UNFINISHED = described(
    "backfill-not-completed",
    "A backfill that is not complete fails, or leaves rows as they were, once what it reads or writes is gone.",
)
_UNDECIDED = described(
    "decision-not-accepted",
    "A decision that is not in the log, or not accepted, allows nothing.",
)


def guarded(
    statement: Statement,
    header: Header,
    releases: tuple[str, ...],
    decisions: Mapping[str, Decision],
    going: Collection[Removed],
) -> Iterator[tuple[Rule, Hit]]:
    """Yield what a header lacks for what a statement removes, whatever category it names: what the gates ask for.

    Args:
        statement: The statement.
        header: The header.
        releases: The releases in their order.
        decisions: The decision log.
        going: What is gone after the whole section.
    """
    if text := unclear(statement):
        yield _UNNAMED, Hit(text)
    gone = [each for each in removed(statement) if each in going] if going else []
    if not gone:
        return
    for each in gone:
        since = said_of(header.out_of_use, each)
        if since is None:
            text = f"removes {each}, and the header does not say since which release no code uses it"
            safe = f'-- out_of_use = {{ "{each}" = "{releases[0] if releases else header.release}" }}'
            yield _MISSING, Hit(f"{text}; write it there", safe)
        elif since in releases and header.release in releases:
            apart = releases.index(header.release) - releases.index(since)
            if apart < WINDOW:
                first = releases[releases.index(since) + WINDOW :][:1]
                text = f"removes {each} in {header.release}, {apart} releases after it was put out of use in {since}"
                safe = f'-- release = "{first[0]}"' if first else ""
                yield _LATE, Hit(f"{text}; wait for {WINDOW}", safe)
    lacks = [name for name in ("feature_flag", "decision") if getattr(header, name) is None]
    if lacks:
        names = ", ".join(map(str, gone))
        text = f"removes {names}, and the header has no {' and no '.join(lacks)}"
        flag = f"without-{names.split(',')[0].replace('.', '-').replace('_', '-')}"
        written = {"feature_flag": f'-- feature_flag = "{flag}"', "decision": '-- decision = "DEC-0001"'}
        yield _UNGUARDED, Hit(text, "\n".join(written[name] for name in lacks))
    if header.decision is not None:
        found = decisions.get(header.decision)
        if found is None or not found.is_accepted:
            how = "is not in the decision log" if found is None else f"is {found.status}"
            yield _UNDECIDED, Hit(f"names {header.decision}, which {how}; have it accepted first")


class Filling(NamedTuple):
    """A migration of the same folder that has a backfill.

    Attributes:
        migration: The migration.
        is_later: Whether it comes after the one that is judged.
    """

    migration: Migration
    is_later: bool


def unfinished(
    statement: Statement, header: Header, going: Collection[Removed], fillings: Iterable[Filling]
) -> Iterator[tuple[Rule, Hit]]:
    """Yield the backfills that use what a statement removes, and that need not be complete by then.

    Args:
        statement: The statement.
        header: What its file says of itself.
        going: What is gone after the whole section.
        fillings: The other migrations with a backfill.
    """
    if not going:
        return
    gone = [each for each in removed(statement) if each in going]
    for migration, is_later in fillings:
        used = [] if migration.id in header.completes else [each for each in gone if _is_used(each, migration)]
        if not used:
            continue
        text = f"removes {', '.join(map(str, used))}, which the backfill of {migration.id} uses"
        if is_later:
            yield _UNFINISHED, Hit(f"{text}, and that comes after it; remove it in a migration that comes later")
        else:
            ids = ", ".join(f'"{each}"' for each in (*header.completes, migration.id))
            yield _UNFINISHED, Hit(f"{text}; say that this has to be complete before", f"-- completes = [{ids}]")


def _is_used(gone: Removed, migration: Migration) -> bool:
    """Whether the backfill of a migration reads or writes something, itself or by the migration's own trigger."""
    backfill = migration.backfill
    if backfill is None or gone.table not in tables_of(backfill.node):
        return False
    if not gone.column:
        return True
    triggers = [each for each in migration.up if each.kind == "create_trig_stmt"]
    if any(relation_name(each.node.relation) == gone.table for each in triggers):
        word = re.compile(rf"\b{re.escape(gone.column)}\b")
        if any(word.search(each.text) for each in migration.up if each.kind == "create_function_stmt"):
            return True
    written = {each.name for each in messages(backfill.node) if type(each).__name__ == "ResTarget"}
    return bool({gone.column, _ALL} & {*columns_in(backfill.node), *written - {_ALL}})

"""The rule behind all others: what takes long under a lock that writes wait for, and is named by none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jobarium_events.migrations.lint.names import relation_name
from jobarium_events.migrations.lint.rules.rule import Hit, Rule, Subject, described

__all__ = ["long_under_lock"]

_RULE = described(
    "long-under-lock",
    "Reading or writing a whole table takes as long as it is large, and all that time others wait for its lock.",
)
_NAMING = frozenset(
    "attach-reads-table check-validated cluster constraint-builds-index domain-column domain-constraint "
    "foreign-key-validated generated-column index-not-concurrent numbered-column partition-made primary-key-scans "
    "refresh-not-concurrent reindex-not-concurrent required-column set-not-null table-rewritten type-change truncate "
    "vacuum-full volatile-default".split()
)
"""The rules that name it."""


_NOT_LONG = ("refresh_mat_view_stmt", "reindex_stmt")
"""What only others of its kind wait for as long as it reads; not CONCURRENTLY, `reindex` has a rule of its own."""


def long_under_lock(subject: Subject, found: Iterable[tuple[Rule, Hit]]) -> Iterator[tuple[Rule, Hit]]:
    """Yield that a statement takes long under a lock, if no rule that it breaks says so."""
    effects = subject.effects
    if not (effects.rewrite or effects.scan) or subject.statement.kind in _NOT_LONG or _is_of_new_table(subject):
        return
    waited_for = subject.waited_for
    if not waited_for or any(rule.id in _NAMING for rule, _ in found):
        return
    does = "writes a table anew" if effects.rewrite else "reads a table whole"
    tables = ", ".join(lock.table for lock in waited_for)
    yield _RULE, Hit(f"{does} while others wait for {tables}; do it beside the table, in steps that are short")


def _is_of_new_table(subject: Subject) -> bool:
    """Whether the table that is written or read is the file's own, whatever else is locked with it."""
    is_alter = subject.statement.kind == "alter_table_stmt"
    return is_alter and subject.is_new(relation_name(subject.node.relation))

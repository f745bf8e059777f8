"""What breaks code that runs although a comment allows it: that is for a decision, and not only for a reason.

The rules say themselves whether code breaks by what they forbid; see `Rule.breaks`. What is removed is told apart from
it, by `removals`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.lint.findings import Finding
from jobarium_events.migrations.lint.judging import Around, judge
from jobarium_events.migrations.lint.rules import RULES, UNDECIDED, broken_anyway

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobarium_events.migrations.files.parsing import Statement
    from jobarium_events.migrations.lint.findings import LintedStatement, Report
    from jobarium_events.migrations.lint.knowledge.schema import Schema

__all__ = ["breaks", "with_undecided"]


def with_undecided(
    statements: Sequence[Statement], linted: Iterable[LintedStatement], schema: Schema, around: Around
) -> list[LintedStatement]:
    """Return what was found of the statements of ``up``, and which of them break code that runs and nobody has decided.

    Args:
        statements: The statements.
        linted: What was found of each.
        schema: What is known of the tables before the first.
        around: What holds for all of them.
    """
    named = None if around.header is None else around.header.decision
    decision = around.decisions.get(named or "")
    allowed = [broken_anyway(each) for each in statements]
    if not any(allowed) or (decision is not None and decision.is_accepted):
        return list(linted)
    bare, _ = judge([msgspec.structs.replace(each, comments=()) for each in statements], schema, around)
    how = "the header names no decision"
    if named is not None:
        how = f"{named} is not in the decision log" if decision is None else f"{named} is {decision.status}"
    found = []
    for one, whole, ids in zip(linted, bare, allowed, strict=True):
        more = [
            Finding(
                rule=UNDECIDED.id,
                severity=UNDECIDED.severity,
                file=each.file,
                line=each.line,
                text=f"{each.text.partition(';')[0]}; allowing {each.rule} is not enough for that, and {how}",
                safe='-- decision = "DEC-0001"' if named is None else "",
            )
            for each in whole.findings
            if each.rule in ids
        ]
        found.append(msgspec.structs.replace(one, findings=(*one.findings, *more)) if more else one)
    return found


def breaks(report: Report, file: str) -> tuple[Finding, ...]:
    """Return by what a migration's ``up`` breaks code that runs, as far as lint has found it."""
    return tuple(
        finding
        for statement in report.statements
        if statement.file == file and statement.section == "up"
        for finding in statement.findings
        if RULES[finding.rule].breaks
    )

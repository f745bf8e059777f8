"""Findings that somebody allows, each with the reason: ``-- lint: allow RULE: reason`` above the statement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.rules.rule import RULES, Hit, Rule, described

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["UNDECIDED", "allowed", "broken_anyway"]

_WRITTEN = re.compile(r"lint:\s*allow\b\s*([^\s:]*)\s*(?::\s*(.*))?")

_WITHOUT_REASON = described(
    "allow-without-reason",
    "Whoever reads the file later has to know why the rule does not hold here.",
)
_UNKNOWN = described(
    "allow-unknown",
    "A rule that there is not is not allowed by it, and the one that was meant still holds.",
)
_UNUSED = described(
    "allow-unused",
    "What is allowed and does not happen would be allowed unseen once it does.",
    Severity.WARNING,
)
UNDECIDED = described(
    "breaking-undecided",
    "What breaks code that runs needs a decision that is accepted, and not only a reason.",
    firm=True,
    breaks=True,
)
_NEVER = {_WITHOUT_REASON.id, _UNKNOWN.id, _UNUSED.id}


def allowed(statement: Statement, found: Iterable[tuple[Rule, Hit]]) -> Iterator[tuple[Rule, Hit]]:
    """Yield what was found on a statement, without what is allowed, and with what is wrong with the allowing."""
    left = list(found)
    for comment in statement.comments:
        match = _WRITTEN.match(comment)
        if match is None:
            continue
        id_, reason = match[1], (match[2] or "").strip()
        if id_ not in RULES or id_ in _NEVER or RULES[id_].firm:
            yield (
                _UNKNOWN,
                Hit(f"allows {id_ or 'nothing'}, which is no rule that can be allowed; see the page of rules"),
            )
        elif not reason:
            yield (
                _WITHOUT_REASON,
                Hit(f"allows {id_} without a reason", f"-- lint: allow {id_}: why it does no harm here"),
            )
        elif not any(rule.id == id_ for rule, _ in left):
            yield _UNUSED, Hit(f"allows {id_}, which does not happen here; remove the comment")
        else:
            left = [(rule, hit) for rule, hit in left if rule.id != id_]
    yield from left


def broken_anyway(statement: Statement) -> frozenset[str]:
    """Return the rules that a statement allows, and that code which runs breaks by all the same."""
    found = (_WRITTEN.match(comment) for comment in statement.comments)
    ids = {match[1] for match in found if match is not None and (match[2] or "").strip()}
    return frozenset(id_ for id_ in ids if id_ in RULES and RULES[id_].breaks and not RULES[id_].firm)

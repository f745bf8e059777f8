"""What findings say to write instead, so that it can be followed where the statement stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.files.steps import runs_in_transaction, transaction_command
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.rewriting import lines
from jobarium_events.migrations.lint.rules.rule import Hit
from jobarium_events.migrations.lint.rules.transactions import NO_TIMEOUT, SET_TIMEOUT, TOGETHER

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.findings import LintedStatement
    from jobarium_events.migrations.lint.rules.rule import Rule

__all__ = ["outside_transactions", "said_once", "with_time_out"]

_ENDED = lines("commit")
_ALONE = "concurrently"


def outside_transactions(found: Iterable[tuple[Rule, Hit]]) -> list[tuple[Rule, Hit]]:
    """Return what was found on a statement of a transaction, with what cannot run in one outside of it.

    Where one finding says to write such a thing, that the statement locks too much in its transaction is mended by the
    same; else two findings would say what does not go together.
    """
    shown = [(rule, hit if rule.id == TOGETHER else _outside(hit)) for rule, hit in found]
    safes = [str(hit.safe) for rule, hit in shown if rule.id != TOGETHER]
    mended = next((safe for safe in safes if safe.startswith(_ENDED) and _ALONE in safe.lower()), "")
    return [
        (rule, Hit(hit.text, mended, hit.severity) if mended and rule.id == TOGETHER else hit) for rule, hit in shown
    ]


def _outside(hit: Hit) -> Hit:
    """Return a finding whose SQL ends the transaction first, if Postgres refuses it within one."""
    safe = hit.safe if isinstance(hit.safe, str) else hit.safe()
    if _ALONE not in safe.lower():
        return hit
    statements = parse(safe)
    if all(map(runs_in_transaction, statements)) or transaction_command(statements[0]):
        return hit
    return Hit(f"{hit.text}, outside any transaction", f"{_ENDED}\n{safe}\n{lines('begin')}", hit.severity)


def with_time_out(found: Iterable[tuple[Rule, Hit]]) -> list[tuple[Rule, Hit]]:
    """Return what was found on a statement, with the time-out set for what another finding says to write instead.

    Else two findings would say what does not go together. No write waits for what is done concurrently, and a time-out
    would only leave an index that is not valid.
    """
    found = list(found)
    if all(rule.id != NO_TIMEOUT for rule, _ in found):
        return found
    instead = next((safe for rule, hit in found if (safe := _instead(rule, hit))), "")
    return [(rule, _timed(hit, instead) if instead and rule.id == NO_TIMEOUT else hit) for rule, hit in found]


def _instead(rule: Rule, hit: Hit) -> str:
    """Return the SQL of a finding without which the statement may not run; empty if it has none."""
    is_error = (hit.severity or rule.severity) is Severity.ERROR
    if not is_error or rule.id in (NO_TIMEOUT, TOGETHER):
        return ""
    return hit.safe if isinstance(hit.safe, str) else hit.safe()


def _timed(hit: Hit, instead: str) -> Hit:
    """Return the finding of a missing time-out, with that set before the first step for whose lock writes wait."""
    steps = [each for each in parse(instead) if not transaction_command(each)]
    if not steps:
        return hit  # it is no more than how to have it printed
    waiting = [each for each in steps if runs_in_transaction(each)]
    if not waiting:
        return Hit(f"{hit.text}, or do it concurrently instead, for which no writes wait", instead, hit.severity)
    written = instead.split("\n")
    written.insert(waiting[0].line - 1, SET_TIMEOUT)
    return Hit(hit.text, "\n".join(written), hit.severity)


def said_once(linted: Iterable[LintedStatement]) -> list[LintedStatement]:
    """Return the statements of a file, of which only the first says that no time-out holds, and for how many more."""
    kept: list[LintedStatement] = []
    first, more = -1, 0
    for each in linted:
        if each.findings and any(finding.rule == NO_TIMEOUT for finding in each.findings):
            if first < 0:
                first = len(kept)
            else:
                more += 1
                rest = tuple(finding for finding in each.findings if finding.rule != NO_TIMEOUT)
                kept.append(msgspec.structs.replace(each, findings=rest))
                continue
        kept.append(each)
    if more:
        said = f", for {more} more {'statement' if more == 1 else 'statements'} after it as well"
        kept[first] = _saying(kept[first], said)
    return kept


def _saying(linted: LintedStatement, said: str) -> LintedStatement:
    """Return a statement that says more of the time-out."""
    findings = tuple(
        msgspec.structs.replace(each, text=each.text + said) if each.rule == NO_TIMEOUT else each
        for each in linted.findings
    )
    return msgspec.structs.replace(linted, findings=findings)

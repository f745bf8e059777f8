"""A change is held against the earlier forms of its version too, for two compatible steps can make one that breaks.

Events that were stored under an older form are replayed, and consumers of the release before the last may still be
deployed. So the lock keeps each form that a version had: what was emitted under any of them is to be accepted now, and
what is emitted now is to be accepted under each that was current in one of the last two releases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jobarium_events.evolution.comparing import UNPROVEN, as_released, compare
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.evolution.meanings import publish
from jobarium_events.evolution.verdicts import Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from jobarium_events.evolution.findings import Finding
    from jobarium_events.evolution.lock import Lock
    from jobarium_events.evolution.published import Form, Published

__all__ = ["earlier_findings"]

_RULE = "earlier-release-broken"


def earlier_findings(lock: Lock, now: Published, broken: Collection[Reader]) -> Iterator[Finding]:
    """Yield which readers a change breaks that have, or read, an earlier form of the version.

    Args:
        lock: All that has been released.
        now: The contract as it is to be.
        broken: The readers whom it breaks already if it is held against the last release; nothing more is said of them.
    """
    key = (now.contract.event, now.contract.version)
    released = lock.contracts.get(key)
    if released is None or released.structure == now.structure:
        return
    # What texts say is no matter here.
    now = msgspec.structs.replace(now, meanings={})
    whole = [reader for reader in Reader if reader not in broken]
    for form in reversed(lock.forms.get(key, ())):
        asked = [reader for reader in whole if reader is Reader.NEW or _is_recent(form, lock)]
        if asked and form.structure != now.structure:
            for reader, finding in _broken(form, now, asked).items():
                whole.remove(reader)
                yield finding


def _is_recent(form: Form, lock: Lock) -> bool:
    """Whether consumers that know nothing newer may still be deployed."""
    return form.last in lock.releases[-WINDOW:]


def _broken(form: Form, now: Published, asked: Collection[Reader]) -> dict[Reader, Finding]:
    """Return, for each reader that is broken or may be, the change that explains it best."""
    from jobarium_events.evolution.judging import Delivery, Side  # noqa: PLC0415 - the provers are slow to import

    contract = form.of(now.contract)
    releases = form.first if form.first == form.last else f"{form.first} to {form.last}"
    before, after = as_released(contract.version, contract.version, releases)
    old, new = Side(contract.schema, before), Side(now.contract.schema, after)
    deliveries = {Reader.NEW: Delivery(old, new, Reader.NEW), Reader.OLD: Delivery(new, old, Reader.OLD)}
    if all(deliveries[reader].containment.holds for reader in asked):
        return {}
    found: dict[Reader, Finding] = {}
    for finding in compare(publish(contract), now, released=releases).findings():
        reader = finding.reader
        if reader is None or reader not in asked or finding.severity is not Severity.ERROR:
            continue
        if reader not in found or (found[reader].rule == UNPROVEN and finding.rule != UNPROVEN):
            rule = UNPROVEN if finding.rule == UNPROVEN else _RULE
            text = f"compared with {releases}, {finding.text}"
            advice = finding.advice if reader is Reader.NEW else f"{finding.advice} {_later(form)}"
            found[reader] = msgspec.structs.replace(finding, rule=rule, text=text, advice=advice)
    return found


def _later(form: Form) -> str:
    return f"Or leave it for a later release: consumers of {form.last} count for {WINDOW} releases."

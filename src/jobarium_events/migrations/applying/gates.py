"""Gates: what has to be so before a migration is applied, each with what to do where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from jobarium_events.migrations.applying import removing
from jobarium_events.migrations.applying.approving import approvals
from jobarium_events.migrations.applying.deciding import decision
from jobarium_events.migrations.applying.rehearsed import goes_back, rehearsed
from jobarium_events.migrations.applying.situation import Gate, Situation
from jobarium_events.migrations.files.header import Risk
from jobarium_events.migrations.files.settings import SETTINGS, Role
from jobarium_events.migrations.files.steps import steps
from jobarium_events.migrations.record.states import Stage

if TYPE_CHECKING:
    from jobarium_events.migrations.files.migration import Migration

__all__ = ["Gate", "gates"]

_PLAN = 3  # words that a plan has at least


def gates(situation: Situation, migration: Migration) -> tuple[Gate, ...]:
    """Return the gates that a migration has to pass, passed or not, in the order in which they are seen to."""
    return tuple(gate for ask in (_ALL if situation.asked else _ALWAYS) for gate in ask(situation, migration))


def _dropped(situation: Situation, _: Migration) -> Iterator[Gate]:
    if situation.dropped:
        text = (
            f"earlier runs here had to pass all gates, and {SETTINGS} says `gates = false` now; "
            "put that back, or say why: --without-gates REASON"
        )
        yield Gate("gates", passed=False, text=text)


def _order(situation: Situation, migration: Migration) -> Iterator[Gate]:
    if situation.stage(migration.id) is Stage.ROLLING_BACK:
        yield Gate("order", passed=False, text=f"its way back was begun; finish it: `db rollback {migration.id}`")
    missing = [
        id_
        for id_ in migration.header.depends_on
        if situation.stage(id_) is not Stage.APPLIED and id_ not in situation.ahead
    ]
    if missing:
        yield Gate(
            "order", passed=False, text=f"it depends on {', '.join(missing)}, not applied here; apply that first"
        )
    elif migration.header.depends_on:
        applied = [id_ for id_ in migration.header.depends_on if situation.stage(id_) is Stage.APPLIED]
        left = [id_ for id_ in migration.header.depends_on if id_ not in applied]
        said = [f"{', '.join(applied)} applied before it"] if applied else []
        said += [f"this plan applies {', '.join(left)} before it"] if left else []
        yield Gate("order", passed=True, text="; ".join(said))


def _backfills(situation: Situation, migration: Migration) -> Iterator[Gate]:
    complete = [id_ for id_ in migration.header.completes if _is_backfilled(situation, id_)]
    left = [id_ for id_ in migration.header.completes if id_ not in complete]
    missing = [id_ for id_ in left if id_ not in situation.ahead]
    if missing:
        yield Gate("backfills", passed=False, text=f"the backfill of {', '.join(missing)} is not complete; apply it")
    elif migration.header.completes:
        said = [f"complete: {', '.join(complete)}"] if complete else []
        said += [f"complete once this plan has run its own backfill of {', '.join(left)}"] if left else []
        yield Gate("backfills", passed=True, text="; ".join(said))


def _is_backfilled(situation: Situation, id_: str) -> bool:
    return id_ in situation.states and situation.states[id_].is_backfilled


def _lint(situation: Situation, migration: Migration) -> Iterator[Gate]:
    is_clean = situation.is_clean(migration)
    text = "lint finds nothing" if is_clean else f"lint finds something; see `db lint {migration.path}`, and mend it"
    yield Gate("lint", is_clean, text)


def _review(situation: Situation, migration: Migration) -> Iterator[Gate]:
    given = [each for each in approvals(situation.entries, migration) if each.role is Role.CTO]
    valid = [each for each in given if situation.void(each, migration) is None]
    how = f"`db approve {migration.id} --role cto --by NAME`"
    if valid:
        yield Gate("review", passed=True, text=f"reviewed by {valid[-1].by} at {_at(valid[-1].at)}")
    elif given:
        text = f"{situation.void(given[-1], migration)}; have it reviewed anew: {how}"
        yield Gate("review", passed=False, text=text)
    else:
        yield Gate("review", passed=False, text=f"not reviewed in the role cto: {how}")


def _approval(situation: Situation, migration: Migration) -> Iterator[Gate]:
    if migration.header.risk is not Risk.HIGH:
        return
    given = [each for each in approvals(situation.entries, migration) if each.role is Role.CEO]
    counting = [each for each in given if situation.void(each, migration) is None]
    valid = [each for each in counting if each.window is not None]
    opened = [each for each in valid if each.window is not None and situation.now in each.window]
    how = f"`db approve {migration.id} --role ceo --by NAME --window FROM/TO`"
    state = situation.states.get(migration.id)
    has_begun = state is not None and bool(state.up or state.is_backfilling)
    is_up = has_begun and state is not None and len(state.up) == len(steps(migration.up))
    if valid and is_up:  # what is left is its backfill, which may take days
        yield Gate("approval", passed=True, text=f"approved by {valid[-1].by} for {valid[-1].window}, and begun then")
    elif opened:
        yield Gate("approval", passed=True, text=f"approved by {opened[-1].by} for {opened[-1].window}")
    elif valid:
        text = (
            f"approved by {valid[-1].by} for {valid[-1].window}, and it is {_at(situation.now)} by the server's clock"
        )
        yield Gate("approval", passed=False, text=f"{text}; wait for the window, or have another approved: {how}")
    elif counting:
        text = f"{counting[-1].by} approved it for a window that cannot be read; have another approved: {how}"
        yield Gate("approval", passed=False, text=text)
    elif given:
        text = f"{situation.void(given[-1], migration)}; have it approved anew: {how}"
        yield Gate("approval", passed=False, text=text)
    else:
        yield Gate("approval", passed=False, text=f"of high risk, and not approved in the role ceo: {how}")


def _rollback(situation: Situation, migration: Migration) -> Iterator[Gate]:
    header = migration.header
    is_major = header.risk is Risk.HIGH
    if migration.down and is_major:
        is_tried = goes_back(situation, migration)
        text = "a rollback plan, and a section down that was rehearsed"
        missing = f"of high risk, and its way back was not rehearsed to its end: `db rehearse {migration.id}`"
        yield Gate("rollback", is_tried, text if is_tried else missing)
    elif migration.down:
        yield Gate("rollback", passed=True, text="a rollback plan, and a section down")
    elif header.containment is None and migration.up:
        text = "no way back; write a section down, or the header's `containment`"
        yield Gate("rollback", passed=False, text=text)
    elif header.containment is None and not is_major:
        yield Gate("rollback", passed=True, text="a rollback plan, for a backfill that can be paused")
    else:
        yield _contained(situation, migration, header.containment or header.rollback_plan, is_major=is_major)


def _contained(situation: Situation, migration: Migration, plan: str, *, is_major: bool) -> Gate:
    """Return the gate of what has no way back: where nothing can be rehearsed, somebody has to answer for the plan."""
    if len(plan.split()) < _PLAN:
        text = f"{plan!r} does not say what limits the harm; write in words what is done, or a section down"
        return Gate("rollback", passed=False, text=text)
    if not is_major:
        return Gate("rollback", passed=True, text="a rollback plan, and its containment")
    given = [each for each in approvals(situation.entries, migration) if each.role is Role.CEO]
    valid = [each for each in given if situation.void(each, migration) is None]
    if valid:
        return Gate("rollback", passed=True, text=f"no way back, and its containment is approved by {valid[-1].by}")
    text = "of high risk, with no way back to rehearse; write a section down, or have its containment approved: "
    return Gate(
        "rollback", passed=False, text=f"{text}`db approve {migration.id} --role ceo --by NAME --window FROM/TO`"
    )


def _alerts(_: Situation, migration: Migration) -> Iterator[Gate]:
    count = len(migration.header.alerts)
    missing = "no thresholds of alerts; write them as `alerts` into the header"
    yield Gate("alerts", bool(count), f"{count} given" if count else missing)


_Asked = Callable[[Situation, "Migration"], Iterator[Gate]]
_ALWAYS: tuple[_Asked, ...] = (_dropped, _order, _backfills)
_ALL: tuple[_Asked, ...] = (
    _lint,
    rehearsed,
    _review,
    _approval,
    _rollback,
    _alerts,
    decision,
    *_ALWAYS,
    removing.named,
    removing.unused,
    removing.flag,
)


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")

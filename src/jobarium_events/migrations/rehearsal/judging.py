"""What is wrong with a migration, as sentences, told from what was seen of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.rehearsal.wording import in_time

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.locking.locks import Effects
    from jobarium_events.migrations.rehearsal.report import Blocked, Checked, ObservedStep, ProbeResult, WayBack

__all__ = [
    "TOLERANCE",
    "of_blocking",
    "of_checks",
    "of_effects",
    "of_probes",
    "of_rewrites",
    "of_runtime",
    "of_vacuums",
    "of_way_back",
    "slower",
]

_TIMES, _SOON, _LATE = 5, 0.02, 0.25
"""How many times longer is worth a word, from which time on, and from which on it is wrong; in seconds."""

TOLERANCE = 1.5
"""How many times the estimated runtime a migration may take: machines differ."""


def of_runtime(seconds: float, estimated: float) -> Iterator[str]:
    """Tell whether it took longer than its header says."""
    if seconds > estimated * TOLERANCE:
        yield (
            f"it took {in_time(seconds)}, which is more than {TOLERANCE:g} times the estimated {Span(estimated)}; "
            "correct estimated_runtime, or make it quicker"
        )


def of_blocking(blocked: Iterable[Blocked], lock_timeout: float) -> Iterator[str]:
    """Tell which probes waited for longer than a migration may wait itself."""
    longest: dict[tuple[int, str], Blocked] = {}
    for wait in blocked:
        known = longest.get((wait.line, wait.probe))
        if known is None or known.seconds < wait.seconds:
            longest[wait.line, wait.probe] = wait
    for (line, probe), wait in sorted(longest.items()):
        if wait.seconds > lock_timeout:
            yield (
                f"line {line} blocked {probe!r} for {in_time(wait.seconds)}, longer than the lock_timeout of "
                f"{Span(lock_timeout)}"
            )


def slower(probes: Iterable[ProbeResult]) -> Iterator[tuple[str, bool]]:
    """Yield what takes much longer than before ``up``, and whether it is so much that it is wrong."""
    for probe in probes:
        for when, seconds in (("after up", probe.after), ("while up runs", probe.p95)):
            if probe.idle is None or seconds is None or seconds < max(probe.idle * _TIMES, _SOON):
                continue
            usual = probe.usual or 0.0
            is_wrong = when == "after up" and usual > max(probe.idle * _TIMES, _LATE)
            said = f"{probe.name!r} takes {in_time(seconds)} {when}, where it took {in_time(probe.idle)} before"
            yield f"{said} (95 of 100 are quicker)", is_wrong
            break


def of_rewrites(step: ObservedStep, rows: Mapping[str, int], expected: Mapping[str, int]) -> Iterator[str]:
    """Tell how long tables take that are written anew, here and where the migration matters."""
    for table in step.rewrites:
        if table not in rows:
            yield f"Line {step.line} wrote {table} anew, which the migration makes: {in_time(step.seconds)}."
            continue
        here, there = rows[table], expected.get(table, 0)
        scaled = f", which is about {in_time(step.seconds * there / here)} for {there}" if here and there > here else ""
        yield f"Line {step.line} wrote {table} anew: {in_time(step.seconds)} for {here} rows{scaled}."


def of_effects(step: ObservedStep, predicted: Iterable[Effects]) -> Iterator[str]:
    """Tell which locks of a step are stronger, and which rewrites are more, than the lint knows of."""
    effects = list(predicted)
    expected: dict[str, LockMode] = {}
    for lock in (lock for each in effects for lock in each.locks):
        table = lock.table.removeprefix("public.")
        expected[table] = max(expected.get(table, lock.mode), lock.mode, key=lambda mode: mode.strength)
    for held in step.locks:
        mode, known = LockMode(held.mode), expected.get(held.table)
        if mode is LockMode.ACCESS_EXCLUSIVE and known is not None and _vacuums(effects):
            continue  # see `of_vacuums`
        least = LockMode.ROW_EXCLUSIVE.strength if known is None else known.strength
        if mode.strength > max(least, LockMode.ROW_EXCLUSIVE.strength):
            foretold = "none" if known is None else known.words
            yield f"line {step.line} took {mode.words} on {held.table}; the lint foretells {foretold}"
    if step.rewrites and not any(each.rewrite for each in effects):
        yield f"line {step.line} wrote {', '.join(step.rewrites)} anew; the lint foretells no rewrite"


def _vacuums(effects: Iterable[Effects]) -> bool:
    return any(each.kind == "vacuum" and not each.rewrite for each in effects)


def of_vacuums(step: ObservedStep, predicted: Iterable[Effects]) -> Iterator[str]:
    """Tell of which tables a vacuum cut off the empty end, for which nobody on the primary has to wait for long."""
    if _vacuums(predicted):
        for held in step.locks:
            if held.mode == LockMode.ACCESS_EXCLUSIVE.value:
                yield (
                    f"Line {step.line} cut off the empty end of {held.table} under an ACCESS EXCLUSIVE lock. It gives "
                    "way to whoever waits, but not on a replica; `vacuum (truncate false)` leaves the end there."
                )


def of_probes(probes: Iterable[ProbeResult]) -> Iterator[str]:
    """Tell which statements failed that had to succeed."""
    for probe in probes:
        if probe.failed:
            times = f"{probe.failed} of {probe.count} times"
            yield f"{probe.name!r}, which {_CODES[probe.when]} runs, failed {times}: {probe.error}"


_CODES = {"old": "the old code", "new": "the new code", "both": "the old code as the new"}


def of_checks(checks: Iterable[Checked]) -> Iterator[str]:
    """Tell which queries of `verify` did not return what they must."""
    for check in checks:
        if not check.ok:
            yield f"verify {check.at}: {check.name}: {check.problem}"


_KEPT_VALUES = (
    "; if up adds a value, which Postgres takes out of no enum again, leave out down, and say in containment what "
    "limits the harm"
)


def of_way_back(back: WayBack) -> Iterator[str]:
    """Tell what `down` did not put back."""
    for each in back.schema:
        is_of_enum = each.startswith("enum ") and " was: " in each
        yield f"down does not put back the schema: {each}{_KEPT_VALUES if is_of_enum else ''}"
    yield from (f"down does not put back the data: {each}" for each in back.data)

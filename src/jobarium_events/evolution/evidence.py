"""The evidence that a version is no longer seen: the counters of every service that emits or consumes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.counters import PAUSE, Count, Counters, read_counters
from jobarium_events.evolution.refusals import EvidenceError

if TYPE_CHECKING:
    from jobarium_events.contract import Contract

__all__ = ["FRESH", "UNSEEN", "distinct", "moment", "times", "unseen_by"]

UNSEEN = timedelta(days=14)
"""For how long a version has to be unseen before it may be retired, if nothing else is said."""

FRESH = timedelta(days=7)
"""How old the counters may be, both when the evidence is taken and when the release is made."""

_SKEW = timedelta(hours=1)  # by how much clocks may differ


class _Watch(msgspec.Struct, frozen=True):
    """What one process of a service has seen of one version."""

    count: Count
    until: datetime

    @property
    def flaw(self) -> str:
        """What it says that cannot be; "" if all of it can."""
        number, since, last = self.count.emitted + self.count.consumed, self.count.since, self.count.last
        if bool(number) != (last is not None):
            seen = f"it was seen {times(number)}" if number else "it was never seen"
            return f"{seen}, and `last` says {_said(last) if last else 'nothing'}"
        if last is not None and last < since - _SKEW:
            return f"it was last seen at {_said(last)}, and is counted since {_said(since)}"
        if max(since, last or since) > self.until:
            return f"they end at {_said(self.until)}, and speak of {_said(max(since, last or since))}"
        return ""


class _Watched(msgspec.Struct, frozen=True):
    """What one service has seen of one version, all its processes together.

    Attributes:
        processes: What each has seen; at least one.
        since: The moment since which it is counted up to the end, without a gap.
        gap: The time before that in which no process counted, if any counted earlier.
    """

    processes: Sequence[_Watch]
    since: datetime
    gap: tuple[datetime, datetime] | None = None

    @classmethod
    def of(cls, processes: Sequence[_Watch]) -> _Watched:
        """Put together what the processes have seen, from the end back to the first gap."""
        latest, *others = sorted(processes, key=lambda each: each.until, reverse=True)
        since = latest.count.since
        for each in others:
            # Every one that follows ends earlier still, so none of them can close this gap.
            if each.until < since - PAUSE:
                return cls(processes, since, (each.until, since))
            since = min(since, each.count.since)
        return cls(processes, since)

    @property
    def until(self) -> datetime:
        """The moment up to which it is counted."""
        return max(each.until for each in self.processes)

    @property
    def last(self) -> datetime | None:
        """When any process saw the version last; None if never."""
        return max(filter(None, (each.count.last for each in self.processes)), default=None)

    @property
    def unseen(self) -> str:
        """The time in which the version is counted without a gap, and was not seen."""
        return f"{_said(max(self.since, self.last or self.since))}/{_said(self.until)}"


def unseen_by(
    contract: Contract,
    files: Sequence[Path],
    *,
    now: datetime,
    unseen: timedelta = UNSEEN,
    released: Contract | None = None,
) -> dict[str, str]:
    """Return for each service that emits or consumes a contract the time in which it has not seen it.

    Args:
        contract: The contract that is to be retired.
        files: Files of counters; a service may have several, one for each of its processes. One that is
            given twice counts once.
        now: The present moment.
        unseen: For how long it has to be unseen at least.
        released: The contract as it was released last. Who consumed it then may consume it still, though the manifest
            says otherwise since.

    Raises:
        EvidenceError: With everything that the counters do not show.
        CountersError: If a file is no file of counters.
    """
    watched = _watched(contract, [read_counters(path) for path in distinct(files)])
    services = dict.fromkeys([contract.owner, *contract.consumers], "")
    for service in (released.owner, *released.consumers) if released else ():
        services.setdefault(service, " (it is in the catalog of the last release)")
    # A service that nobody knew to consume it counts as well.
    for service in watched:
        services.setdefault(service, "")
    problems = [
        problem
        for service, why in services.items()
        for problem in _problems(service, why, watched.get(service), contract, now=now, unseen=unseen)
    ]
    if problems:
        raise EvidenceError(contract.name, problems)
    return {service: each.unseen for service, each in sorted(watched.items())}


def distinct(files: Iterable[Path]) -> tuple[Path, ...]:
    """Return some files, each once: given twice, by whatever path, a file of counters would be counted twice."""
    found: dict[Path, Path] = {}
    for path in files:
        found.setdefault(path.resolve(), path)
    return tuple(found.values())


def _watched(contract: Contract, files: Iterable[Counters]) -> Mapping[str, _Watched]:
    found: dict[str, list[_Watch]] = {}
    for counters in files:
        for count in counters.counts:
            if (count.event, count.version) == (contract.event, contract.version):
                found.setdefault(counters.service, []).append(_Watch(count, counters.until))
    return {service: _Watched.of(processes) for service, processes in found.items()}


def _problems(
    service: str, why: str, watched: _Watched | None, contract: Contract, *, now: datetime, unseen: timedelta
) -> Iterator[str]:
    if watched is None:
        yield (
            f"{service} has no counters of it: its VersionCounters must watch {contract.name}, and give their file{why}"
        )
        return
    until, last = watched.until, watched.last
    if flaw := next((each.flaw for each in watched.processes if each.flaw), None):
        yield f"the counters of {service} contradict themselves: {flaw}; take new ones"
    elif until > now + _SKEW:
        yield f"the counters of {service} contradict the clock: they end at {_said(until)}; set the clock right"
    elif until < now - FRESH:
        yield f"the counters of {service} end at {moment(until)}, {(now - until).days} days ago: take new ones"
    elif last is not None and until - last < unseen:
        emitted = sum(each.count.emitted for each in watched.processes)
        consumed = sum(each.count.consumed for each in watched.processes)
        yield (
            f"{service} has emitted it {times(emitted)} and got it {times(consumed)}, the last time at "
            f"{moment(last)}: it has to be unseen for {unseen.days} days"
        )
    elif until - watched.since < unseen and watched.gap is not None:
        start, end = watched.gap
        yield (
            f"{service} has not counted from {moment(start)} to {moment(end)}: it has to be unseen for {unseen.days} "
            "days without a gap; give the files of all its processes, or wait"
        )
    elif until - watched.since < unseen:
        yield (
            f"{service} has counted from {moment(watched.since)} to {moment(until)} only: it has to be unseen for "
            f"{unseen.days} days"
        )


def _said(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(when: datetime) -> str:
    """Return a moment as people read it; what a file says is quoted exactly instead."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def times(number: int) -> str:
    """Return how often something was seen, in words."""
    return "once" if number == 1 else f"{number:,} times"

"""Whether a release was deployed long enough ago, as the record of a database says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.migrations.record.states import deployed_releases

if TYPE_CHECKING:
    from jobarium_events.migrations.record.record import Entry

__all__ = ["out_of_use"]


def out_of_use(entries: Iterable[Entry], releases: Sequence[str], since: str) -> str | None:
    """Return why what a release put out of use may still be used; None if it may not.

    Counted are the releases that were deployed after it, each once, since the last time that an older one was: a
    service that was rolled back uses it again.

    Args:
        entries: The record.
        releases: All releases in their order.
        since: The release since which no code uses it.
    """
    place = {name: number for number, name in enumerate(releases)}
    first = place[since]
    seen: list[str] = []
    for name, _ in deployed_releases(entries):
        if place.get(name, -1) < first:
            seen.clear()
        elif name not in seen:
            seen.append(name)
    how = "record each release by `db deployed RELEASE`"
    if not seen:
        return f"out of use since {since}, and neither that nor a later release is deployed here; {how}"
    later = len(seen) - 1
    if later < WINDOW:
        after = ", ".join(seen[1:]) or "none"
        return f"out of use since {since}; {WINDOW} releases have to be deployed after it, and there is {after}; {how}"
    return None

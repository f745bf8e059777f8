"""Whether a release was deployed long enough ago, as the record of a database says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.migrations.record.states import deployed_releases

if TYPE_CHECKING:
    from jobarium_events.migrations.record.record import Entry

__all__ = ["NO_APP", "out_of_use"]

NO_APP = "none"
"""What an operator says in place of a release where no app uses the database."""


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
    back: tuple[str, str] | None = None
    last = ""
    for name, _ in deployed_releases(entries):
        if place.get(name, -1) < first:
            back = (last, name) if seen else back
            seen.clear()
        elif name not in seen:
            seen.append(name)
        last = name
    how = "record each release by `db deployed RELEASE`"
    if not seen and back is not None:
        newer, older = back
        uses = "no app used it then" if older == NO_APP else f"{older} may use it"
        return (
            f"out of use since {since}, and the app went back from {newer} to {older}, so that it counts anew: "
            f"{uses}, and neither {since} nor a later release is deployed since; {how}"
        )
    if not seen:
        return f"out of use since {since}, and neither that nor a later release is deployed here; {how}"
    later = len(seen) - 1
    if later < WINDOW:
        after = ", ".join(name for name in seen if name != (since if since in seen else seen[0])) or "none"
        after += f" since the app went back from {back[0]} to {back[1]}" if back is not None else ""
        return f"out of use since {since}; {WINDOW} releases have to be deployed after it, and there is {after}; {how}"
    return None

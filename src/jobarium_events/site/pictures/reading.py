"""What the flow graph says of each event: who sends and who reads it, and where its versions stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.contract import Lifecycle, version_number
from jobarium_events.site.pictures.texts import counted, listed

if TYPE_CHECKING:
    from jobarium_events.contract import Contract

__all__ = ["Read", "read"]


class Read(msgspec.Struct, frozen=True):
    """What the graph says of one event.

    Attributes:
        event: Its name.
        versions: Its versions, the newest first, with where each stands unless that is active.
        notes: The same in less and less room: those that are retired are counted, and the older ones of the others.
        producers: Who sends it.
        consumers: Who reads it.
        is_over: Whether all of its versions are retired, so that they no longer do.
    """

    event: str
    versions: str
    notes: tuple[str, ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    is_over: bool = False


def read(contracts: Sequence[Contract]) -> tuple[Read, ...]:
    """Return what is to be said of the events of some contracts, in the order in which they come."""
    events: dict[str, list[Contract]] = {}
    for contract in contracts:
        events.setdefault(contract.event, []).append(contract)
    found = []
    for event, versions in events.items():
        versions.sort(key=lambda each: version_number(each.version))
        newest = versions[::-1]
        producers = tuple(dict.fromkeys(each.owner for each in versions))
        consumers = tuple(dict.fromkeys(name for each in versions for name in each.consumers))
        is_over = all(each.lifecycle is Lifecycle.RETIRED for each in versions)
        found.append(Read(event, _standing(newest), tuple(_notes(newest)), producers, consumers, is_over))
    return tuple(found)


def _standing(versions: Sequence[Contract]) -> str:
    """Return some versions with where they stand: ``"v3; v2 and v1 deprecated"``."""
    parts = []
    for state, alike in groupby(versions, key=lambda each: each.lifecycle):
        names = listed([each.version for each in alike])
        parts.append(names if state is Lifecycle.ACTIVE else f"{names} {state}")
    return "; ".join(parts)


def _notes(versions: Sequence[Contract]) -> Iterator[str]:
    used = [each for each in versions if each.lifecycle is not Lifecycle.RETIRED] or versions
    retired = [each for each in versions if each not in used]
    end = [_standing(retired) if len(retired) == 1 else f"{len(retired)} retired"] if retired else []
    for count in range(len(used), 0, -1):
        more = [f"{len(used) - count} more"] if count < len(used) else []
        yield "; ".join([_standing(used[:count]), *more, *end])
    yield counted(len(versions), "version")

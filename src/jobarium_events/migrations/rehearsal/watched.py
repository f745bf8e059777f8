"""What was seen of one step while it ran, look by look."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.migrations.rehearsal.report import Held

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.relations import Relation

__all__ = ["Found", "Watched"]

_TABLES = ("r", "p", "m", "f", "v")
_BUILDING = "building"


class Found(NamedTuple):
    """What a backend holds or waits for: on which relation, if it is one; for whom, for which of ours, for how long."""

    pid: int
    relation: int | None
    mode: str
    granted: bool
    by: list[int] | None
    ours: list[int] | None
    waited: float = 0.0

    def is_only_for(self, holding: frozenset[int]) -> bool:
        """Whether it waits, and for nobody but some sessions."""
        return bool(self.by) and holding.issuperset(self.by or ())


class _Span:
    """When something was seen: its first and last sight, and the time between sights that followed each other."""

    def __init__(self, begin: float) -> None:
        self.begin = self.last = begin
        self.seconds = 0.0

    def seen(self, at: float, before: float) -> None:
        """Note that it is there; `before` is when the sample before this one was taken."""
        if self.last == before:
            self.seconds += at - before
        self.last = at


class Watched:
    """What is seen while one step runs."""

    def __init__(self, line: int, text: str, began: float, relations: Mapping[int, Relation]) -> None:
        self.line = line
        self.text = text
        self.began = began
        self.relations = relations
        self.held: dict[tuple[int, str], _Span] = {}
        self.awaited: dict[tuple[int, str], _Span] = {}
        self.building: dict[int, _Span] = {}
        self.at_commit: set[tuple[int, str]] = set()
        self.retries = 0
        # When each lock was last waited for, whomever for, and when that was over, as far as looks tell.
        self._waits: dict[tuple[int, str], tuple[float, float]] = {}
        self._waiting: set[tuple[int, str]] = set()
        self._looked = began
        self._unseen = 0.0

    def retried(self, _attempt: int, _problem: str) -> None:
        """Count a further attempt; see `run_step`."""
        self.retries += 1

    def name(self, oid: int | None) -> str:
        """Return the name of a table; empty for what is none, or was not there before the step."""
        relation = None if oid is None else self.relations.get(oid)
        return relation.name if relation is not None and relation.kind in _TABLES else ""

    def note(self, locks: Iterable[tuple[int, str]], at: float) -> None:
        """Note locks of which is known that they are held now, and no more."""
        for key in locks:
            self.held.setdefault(key, _Span(at))

    def look(
        self, found: Iterable[Found], holding: frozenset[int], at: float, before: float
    ) -> list[tuple[int, str | None]]:
        """Note a sample, and return which of the sessions that held the step up have served, each for which mode.

        The mode is None for a wait that is not for a table.
        """
        served: list[tuple[int, str | None]] = []
        waiting = set()
        for each in found:
            relation, mode, granted = each.relation, each.mode, each.granted
            wanted = None if relation is None else mode
            served += ((pid, wanted) for pid in set(each.by or ()).intersection(each.ours or ()))
            if relation is None:
                continue
            spans: dict[Any, _Span] = self.held if granted else self.awaited
            key: Any = (relation, mode)
            if mode == _BUILDING:
                spans, key = self.building, relation
            if not granted:
                waiting.add(key)
                if each.is_only_for(holding):
                    continue  # nobody but this observer is in its way
            begin = before if granted and key in self._waiting else at
            spans.setdefault(key, _Span(begin)).seen(at, before)
        self._waits |= {key: (self._waits[key][0], at) for key in self._waiting - waiting}
        self._waits |= dict.fromkeys(waiting, (at, math.inf))
        self._waiting = waiting
        self._unseen, self._looked = max(self._unseen, at - self._looked), at
        return served

    def locks(self, ended: float, proven: Collection[tuple[int, str]] | None) -> Iterator[Held]:
        """Yield the locks on tables that were there before.

        Args:
            ended: When the step was over.
            proven: What it has certainly held by what it left; None if it failed, or a transaction held it. If it did
                not fail, then it has got what it waited for.
        """
        alone = () if proven is None else (*self._waits, *proven)
        unseen = max(self._unseen, ended - self._looked)
        keys = {*self.held, *self.at_commit, *alone}
        for oid, mode in sorted(keys, key=lambda key: (self.name(key[0]), key[1])):
            if not self.name(oid):
                continue
            span = self.held.get((oid, mode))
            if (oid, mode) in self.at_commit:
                begin, end = self.began if span is None else span.begin, ended
                seconds = end - begin
            elif span is not None:
                # What one look met and no other was briefer than the longest time between two.
                begin, end, seconds = span.begin, span.last, span.seconds or min(unseen, ended - self.began)
            elif (oid, mode) in self._waits:
                begin, end = self._waits[oid, mode]
                end = min(end, ended)
                seconds = end - begin
            else:
                # No look met it, so it was briefer than the longest time between two.
                begin, end, seconds = self.began, ended, min(unseen, ended - self.began)
            waited = self.awaited.get((oid, mode))
            yield Held(
                table=self.name(oid),
                mode=mode,
                waited=0.0 if waited is None else waited.seconds,
                begin=begin,
                end=end,
                seconds=seconds,
            )

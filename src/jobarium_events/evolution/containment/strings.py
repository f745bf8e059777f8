"""Strings that satisfy lengths, patterns, formats and lists of values at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING

from jobarium_events.evolution.containment.atoms import Among, Atom, Formatted, Longest, Patterned, Shortest
from jobarium_events.evolution.containment.formats import bounds, implied
from jobarium_events.evolution.containment.regular import Requirement, requirements
from jobarium_events.evolution.containment.words import words
from jobarium_events.validation.formats import CHECKS
from jobarium_events.validation.patterns import translate

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.found import Spend

__all__ = ["strings"]


def strings(atoms: Iterable[Atom], count: int, spend: Spend, *, wide: bool) -> tuple[list[str], bool, set[str]]:
    """Return strings that satisfy all atoms, the shortest first; whether there are no others; and what was left out.

    Args:
        atoms: About strings.
        count: How many are wanted.
        spend: Called for each step; may raise to end the search.
        wide: Where it is not known exactly which texts are in a format: whether to err towards too many strings, for a
            proof that there is none; otherwise towards too few, for strings that are certain.
    """
    wanted = _Wanted(atoms, wide=wide)
    found: list[str] = []
    if wanted.listed is not None:
        every = [text for text in sorted(wanted.listed, key=lambda text: (len(text), text)) if wanted.admits(text)]
        return every[:count], len(every) <= count, wanted.opaque
    complete = True
    for required in wanted.requirements():
        without = wanted.excluded | frozenset(found)
        texts, all_of_them = words(required, wanted.shortest, wanted.longest, count, without=without, spend=spend)
        found += texts
        if len(found) >= count:
            return found[:count], False, wanted.opaque
        complete &= all_of_them
    return found, complete, wanted.opaque


class _Wanted:
    def __init__(self, atoms: Iterable[Atom], *, wide: bool) -> None:
        self.wide = wide
        self.shortest = 0
        self.longest: int | None = None
        self.listed: frozenset[str] | None = None
        self.excluded: frozenset[str] = frozenset()
        self.patterns: list[Patterned] = []
        self.formats: list[Formatted] = []
        self.opaque: set[str] = set()
        for atom in atoms:
            self._take(atom)

    def _take(self, atom: Atom) -> None:
        match atom:
            case Shortest(length):
                self.shortest = max(self.shortest, length)
            case Longest(length):
                self.longest = length if self.longest is None else min(self.longest, length)
            case Among(values, True):
                self.listed = values if self.listed is None else self.listed & values
            case Among(values, False):
                self.excluded |= values
            case Patterned():
                self.patterns.append(atom)
            case Formatted():
                self.formats.append(atom)
            case _:  # it is not looked into
                pass

    def admits(self, text: str) -> bool:
        return (
            text not in self.excluded
            and len(text) >= self.shortest
            and (self.longest is None or len(text) <= self.longest)
            and all(_matches(each.pattern, text) is each.holds for each in self.patterns)
            and all(self._is_formatted(each, text) for each in self.formats)
        )

    def _is_formatted(self, wanted: Formatted, text: str) -> bool:
        """Whether a text is, or is not, in a format, as wanted; where that is not known, as `wide` has it."""
        check = CHECKS.get(wanted.format)
        if check is not None:
            return check(text) is wanted.holds
        certain, possible = bounds(wanted.format)
        if certain is not None and _matches(certain, text):
            return wanted.holds
        if possible is not None and not _matches(possible, text):
            return not wanted.holds
        self.opaque.add(f"format {wanted.format!r}")
        return self.wide

    def requirements(self) -> Iterable[list[Requirement]]:
        """Return alternatives; a string is wanted if it fulfils one of them."""
        held, failed = ({each.format for each in self.formats if each.holds is holds} for holds in (True, False))
        if any(not failed.isdisjoint(implied(name)) for name in held):
            return []
        alternatives: list[list[tuple[Requirement, ...]]] = []
        for pattern in self.patterns:
            alternatives += self._pattern(pattern.pattern, f"pattern {pattern.pattern!r}", holds=pattern.holds)
        for each in self.formats:
            certain, possible = bounds(each.format)
            pattern_ = possible if each.holds is self.wide else certain
            if certain != possible:
                self.opaque.add(f"format {each.format!r}")
            if pattern_ is not None:
                alternatives += self._pattern(pattern_, f"format {each.format!r}", holds=each.holds)
            elif not self.wide:
                return []
        return [[each for part in choice for each in part] for choice in product(*alternatives)]

    def _pattern(self, pattern: str, name: str, *, holds: bool) -> list[list[tuple[Requirement, ...]]]:
        """Return what a pattern asks for: of each list one."""
        required = requirements(pattern)
        if required is None:
            self.opaque.add(name)
            return []
        if holds:
            return [[required]]
        return [[(Requirement(each.automaton, not each.holds),) for each in required]]


def _matches(pattern: str, text: str) -> bool:
    return re.search(translate(pattern), text) is not None

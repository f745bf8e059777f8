"""Numbers that satisfy bounds, multiples and lists of values at once. All arithmetic is exact, on fractions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import count as counting
from math import ceil, floor, gcd, lcm
from typing import TYPE_CHECKING, Any

from jobarium_events.evolution.containment.atoms import Among, AtLeast, AtMost, Atom, Multiple

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.found import Spend

__all__ = ["numbers"]

_FINEST = 20
"""How many decimal places are tried between two bounds."""


def numbers(atoms: Iterable[Atom], count: int, spend: Spend) -> tuple[list[float], bool]:
    """Return numbers that satisfy all atoms, those near 0 first, and whether there are no others.

    Args:
        atoms: About numbers.
        count: How many are wanted.
        spend: Called for each candidate; may raise to end the search.
    """
    wanted = _Wanted(atoms)
    found: list[float] = []
    for candidate in wanted.candidates():
        spend(1)
        if not wanted.admits(candidate):
            continue
        number = _written(candidate)
        if number is None:
            wanted.exhausted = False
        else:
            found.append(number)
            if len(found) == count:
                return found, False
    return found, wanted.exhausted


class _Wanted:
    def __init__(self, atoms: Iterable[Atom]) -> None:
        self.low: tuple[Fraction, bool] | None = None
        self.high: tuple[Fraction, bool] | None = None
        self.listed: frozenset[Any] | None = None
        self.excluded: frozenset[Any] = frozenset()
        self.step: Fraction | None = None
        self.avoided: list[Fraction] = []
        self.exhausted = True  # whether the candidates are all that there are
        for atom in atoms:
            self._take(atom)

    def _take(self, atom: Atom) -> None:
        match atom:
            case AtLeast(bound, strict):
                self.low = (bound, strict) if self.low is None else max(self.low, (bound, strict))
            case AtMost(bound, strict):
                if self.high is None or (bound, not strict) < (self.high[0], not self.high[1]):
                    self.high = bound, strict
            case Multiple(of, True):
                self.step = of if self.step is None else _common(self.step, of)
            case Multiple(of, False):
                self.avoided.append(of)
            case Among(values, True):
                self.listed = values if self.listed is None else self.listed & values
            case Among(values, False):
                self.excluded |= values
            case _:  # it is not looked into
                pass

    def admits(self, number: Fraction) -> bool:
        return (
            self._is_within(number)
            and number not in self.excluded
            and (self.step is None or _divides(self.step, number))
            and not any(_divides(each, number) for each in self.avoided)
        )

    def _is_within(self, number: Fraction) -> bool:
        if self.low is not None and (number < self.low[0] or (self.low[1] and number == self.low[0])):
            return False
        return self.high is None or not (number > self.high[0] or (self.high[1] and number == self.high[0]))

    def candidates(self) -> Iterator[Fraction]:
        """Yield numbers among which all that are admitted stand, or enough of them, or say that it is not known."""
        if self.listed is not None:
            yield from sorted(self.listed, key=lambda each: (abs(each), each < 0))
        elif self.step is not None:
            if not any(_divides(each, self.step) for each in self.avoided):
                yield from self._multiples(self.step)
        elif self.low is not None and self.high is not None and self.low[0] >= self.high[0]:
            yield self.low[0]  # the only one there may be
        else:
            yield from self._decimals()

    def _multiples(self, step: Fraction) -> Iterator[Fraction]:
        first = None if self.low is None else ceil(self.low[0] / step)
        last = None if self.high is None else floor(self.high[0] / step)
        for factor in _outward(first, last):
            yield factor * step

    def _decimals(self) -> Iterator[Fraction]:
        """Yield the nearest to 0 of ever finer decimal numbers; between two bounds there is no end of them."""
        enough = 2 + 10 * (1 + len(self.excluded) + len(self.avoided))
        seen: set[Fraction] = set()
        for places in range(_FINEST):
            step = Fraction(1, 10**places)
            for number, _ in zip(self._multiples(step), range(enough), strict=False):
                if number not in seen:
                    seen.add(number)
                    yield number
        self.exhausted = False


def _outward(first: int | None, last: int | None) -> Iterator[int]:
    """Yield the integers of a range, the nearest to 0 first."""
    if first is not None and last is not None and first > last:
        return
    start = max(first, 0) if first is not None else 0
    start = min(start, last) if last is not None else start
    yield start
    for distance in counting(1):
        up, down = start + distance, start - distance
        above, below = last is None or up <= last, first is None or down >= first
        if above:
            yield up
        if below:
            yield down
        if not above and not below:
            return


def _divides(step: Fraction, number: Fraction) -> bool:
    return (number / step).denominator == 1


def _common(one: Fraction, other: Fraction) -> Fraction:
    """Return the least common multiple."""
    return Fraction(lcm(one.numerator, other.numerator), gcd(one.denominator, other.denominator))


def _written(number: Fraction) -> float | None:
    """Return the number as JSON has it; None if no Python number is written exactly so."""
    if number.denominator == 1:
        return number.numerator
    try:
        nearest = float(number)
    except OverflowError:
        return None
    return nearest if Fraction(Decimal(repr(nearest))) == number else None

"""Chance, as SQL: numbers that follow from the seed, the column and the row, and from nothing else.

Within the SQL, ``_n`` is the row's number from 0 on, and ``_a`` how often the row was tried.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import accumulate
from math import exp, log

import msgspec

__all__ = ["Draw", "pool"]

_MASK = 2**62 - 1
_FRACTION = 2**32  # of a hash, the lower half is mixed best


class Draw(msgspec.Struct, frozen=True):
    """A source of numbers.

    Attributes:
        salt: What tells it from every other.
        of: SQL of the number that they follow from.
    """

    salt: int
    of: str = "_n"

    @classmethod
    def made(cls, seed: int, *names: str, of: str = "_n") -> Draw:
        """Return the source for a use, which the names tell."""
        digest = sha256("\0".join([str(seed), *names]).encode()).digest()
        return cls(int.from_bytes(digest[:8], "big") >> 2, of)

    @property
    def share(self) -> str:
        """A number from 0 to below 1."""
        return f"(({self._hash} & {_FRACTION - 1})::float8 / {_FRACTION})"

    def below(self, size: int | str) -> str:
        """Return a whole number from 0 to below a size, each as likely as the others."""
        return f"(({self._hash} & {_MASK}) % {size})"

    def skewed(self, size: int) -> str:
        """Return a whole number from 0 to below a size; the k-th is as likely as 1 / (k + 1), as Zipf has it."""
        return f"(least(floor(exp({self.share} * {log(size + 1)!r})), {size})::bigint - 1)" if size > 1 else "0"

    def weighted(self, frequencies: tuple[float, ...], size: int) -> str:
        """Return a whole number from 0 to below a size; how often the first ones are drawn is given."""
        sums = list(accumulate(frequencies[:size]))
        others = size - len(sums)
        if not others:
            sums = [each / sums[-1] for each in sums]
        bounds = ", ".join(f"{min(each, 1):.9f}" for each in sums)
        first = f"width_bucket({self.share}, array[{bounds}]::float8[])"
        if not others:
            return f"least({first}, {size - 1})::bigint"
        rest = Draw(self.salt ^ 1, self.of).below(others)
        return f"(case when {self.share} < {sums[-1]:.9f} then {first} else {len(sums)} + {rest} end)::bigint"

    @property
    def _hash(self) -> str:
        return f"hashint8extended({self.of}, {self.salt} + _a)"


def pool(distinct: int, draws: float, most: int) -> int:
    """Return among how many values one has to draw, so that a number of different ones is to be expected.

    Args:
        distinct: How many different ones there are to be.
        draws: How often is drawn.
        most: How many values there are.
    """
    low, high = distinct, max(most, distinct)
    while low < high:
        middle = (low + high) // 2
        if middle * (1 - exp(-draws / middle)) < min(distinct, 0.999 * draws):
            low = middle + 1
        else:
            high = middle
    return low

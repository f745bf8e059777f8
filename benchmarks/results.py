"""What a run found out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from benchmarks.timing import Ratio  # noqa: TC001 - what was saved is read by these types

__all__ = ["LEEWAY", "Environment", "LoadedCatalog", "PeerRow", "Results", "Row", "failures", "settled"]

LEEWAY = 1.5
"""By how much a ratio may exceed its bound before `failures` names it: more than noise alone explains."""


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: What the library does.
        base: What it is compared with.
        ratio: How many times as long as that it takes.
        bound: The ratio that it is to keep; None where there is none.
    """

    name: str
    base: str
    ratio: Ratio
    bound: float | None = None

    @property
    def over(self) -> bool:
        """Whether the ratio is over its bound at all."""
        return self.bound is not None and self.ratio.value > self.bound

    @property
    def fails(self) -> bool:
        """Whether it is so far over that noise alone does not explain it."""
        return self.bound is not None and self.ratio.value > self.bound * LEEWAY


@dataclass(frozen=True)
class PeerRow:
    """One way to read an event, ours or another library's.

    Attributes:
        name: Of the way.
        ours: Whether it is this library's.
        ratios: For each event, by its label: how many times as long as ``orjson.loads`` it takes.
    """

    name: str
    ours: bool
    ratios: dict[str, Ratio]


@dataclass(frozen=True)
class LoadedCatalog:
    """What it took to load a folder of contracts.

    Attributes:
        contracts: How many.
        seconds: How long it took.
        megabytes: By how much the process grew; None where the system does not say.
    """

    contracts: int
    seconds: float
    megabytes: float | None


@dataclass(frozen=True)
class Environment:
    """Where it was measured: nothing that names a machine or a place on it."""

    command: str
    date: str
    python: str
    system: str
    cpu: str
    cores: int
    packages: dict[str, str]


@dataclass(frozen=True)
class Results:
    """All that one run found out; ``sizes`` are those of the events in bytes, by label."""

    environment: Environment
    sizes: dict[str, int]
    rows: list[Row]
    peers: list[PeerRow]
    catalogs: list[LoadedCatalog] = field(default_factory=list)


def failures(rows: Iterable[Row]) -> list[str]:
    """Return a sentence for each row that fails."""
    return [
        f"{row.name}: {row.ratio.value:.2f} times {row.base}; the bound is {row.bound:g}, "
        f"and {LEEWAY:g} times the bound is allowed for noise"
        for row in rows
        if row.fails and row.bound is not None
    ]


def settled(measure: Callable[[], list[Row]], attempts: int) -> list[Row]:
    """Measure; while a row fails, measure again, up to ``attempts`` times in all, and keep each row's lowest ratio.

    What is slow is slow each time; what the machine did meanwhile is not.
    """
    rows = measure()
    for _ in range(attempts - 1):
        if not any(row.fails for row in rows):
            break
        rows = [min(pair, key=lambda row: row.ratio.value) for pair in zip(rows, measure(), strict=True)]
    return rows

"""What a run found out, as text: for the terminal, for Markdown pages, as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from benchmarks.results import Results

if TYPE_CHECKING:
    from benchmarks.results import Environment, LoadedCatalog, PeerRow, Row

__all__ = [
    "BEGIN",
    "END",
    "MissingMarkers",
    "as_json",
    "from_json",
    "in_full",
    "in_short",
    "put_between_markers",
    "terminal",
]

BEGIN, END = "<!-- benchmark -->", "<!-- /benchmark -->"


class MissingMarkers(Exception):
    """A page has no place for the table."""


def put_between_markers(page: str, text: str) -> str:
    """Return a page with the text between its markers.

    Raises:
        MissingMarkers: If the page does not have each marker once, in order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in before:
        raise MissingMarkers(f"the page needs {BEGIN} and, after it, {END}, each once")
    return f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}"


def as_json(results: Results) -> str:
    """Return the results as JSON, for programs and for later runs to compare with."""
    return json.dumps(dataclasses.asdict(results), indent=2) + "\n"


def from_json(text: str) -> Results:
    """Return the results that `as_json` has written.

    Raises:
        msgspec.ValidationError: If they are none.
    """
    return msgspec.json.decode(text, type=Results)


# -- terminal ------------------------------------------------------------------------------------------------------


def terminal(results: Results) -> str:
    """Return the tables as they stand well in a terminal."""
    parts = [
        _described(results.environment),
        _aligned(["", "times", "bound", "ours", "theirs", "compared with"], map(_cells, results.rows)),
        _aligned(_peer_header(results), (_peer_cells(row, results) for row in results.peers)),
        *map(_loaded, results.catalogs),
    ]
    return "\n\n".join(parts[:3]) + "\n\n" + "\n".join(parts[3:])


def _cells(row: Row) -> list[str]:
    mark = " FAILS" if row.fails else " over" if row.over else ""
    bound = "" if row.bound is None else f"{row.bound:g}{mark}"
    ratio = row.ratio
    return [row.name, f"{ratio.value:.2f}", bound, _time(ratio.seconds), _time(ratio.base_seconds), row.base]


def _aligned(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    table = [header, *lines]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
    )


# -- Markdown ------------------------------------------------------------------------------------------------------


def in_short(results: Results) -> str:
    """Return the bounds and the peers, for the front page."""
    bounded = [row for row in results.rows if row.bound is not None]
    return "\n\n".join((_rows_table(bounded), _peers_table(results)))


def in_full(results: Results) -> str:
    """Return everything, for the page of the benchmarks."""
    bounded = [row for row in results.rows if row.bound is not None]
    others = [row for row in results.rows if row.bound is None]
    parts = [
        f"By `{results.environment.command}` on {results.environment.date}: {_described(results.environment)}.",
        "### With a bound",
        _rows_table(bounded),
        "### Without a bound",
        _rows_table(others),
        "### Reading an event, compared with `orjson.loads`",
        _peers_table(results),
        "### Loading a catalog from a folder",
        "\n".join(f"- {_loaded(each)}" for each in results.catalogs),
    ]
    return "\n\n".join(part for part in parts if part)


def _rows_table(rows: Sequence[Row]) -> str:
    bounded = any(row.bound is not None for row in rows)
    header = ["what", "compared with", "times as long", *(["bound"] if bounded else []), "ours", "theirs"]
    lines = []
    for row in rows:
        ratio = f"{row.ratio.value:.2f}"
        bound = [] if row.bound is None else [f"{row.bound:g}{' (over)' if row.over else ''}"]
        lines.append([row.name, row.base, ratio, *bound, _time(row.ratio.seconds), _time(row.ratio.base_seconds)])
    return _markdown(header, lines, left=2)


def _peers_table(results: Results) -> str:
    lines = []
    for row in results.peers:
        cells = _peer_cells(row, results)
        lines.append([f"**{cell}**" for cell in cells] if row.ours else cells)
    return _markdown(_peer_header(results), lines, left=1)


def _markdown(header: Sequence[str], lines: Iterable[Sequence[str]], *, left: int) -> str:
    rule = ["---" if place < left else "---:" for place in range(len(header))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *lines))


# -- both ----------------------------------------------------------------------------------------------------------


def _peer_header(results: Results) -> list[str]:
    return ["from bytes to a validated event", *(f"{label}, {size:,} bytes" for label, size in results.sizes.items())]


def _peer_cells(row: PeerRow, results: Results) -> list[str]:
    ratios = (row.ratios[label] for label in results.sizes)
    return [row.name, *(f"{ratio.value:.2f} ({_time(ratio.seconds)})" for ratio in ratios)]


def _loaded(loaded: LoadedCatalog) -> str:
    size = "" if loaded.megabytes is None else f", {loaded.megabytes:.0f} MB"
    return f"{loaded.contracts:,} contracts: {loaded.seconds:.2f} s{size}"


def _described(environment: Environment) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in environment.packages.items())
    cores = f"{environment.cores} core{'s' if environment.cores != 1 else ''}"
    return f"{environment.python}, {environment.system}, {environment.cpu}, {cores}; {packages}"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"

"""``python -m benchmarks``: measure, print the tables, and write what was found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.backfills import backfills
from benchmarks.catalogs import large_catalog
from benchmarks.checks import checks
from benchmarks.delivery import delivery
from benchmarks.events import large, medium, small
from benchmarks.inboxes import inboxes
from benchmarks.linting import linting
from benchmarks.peers import OURS, PARSER, PEERS, fit
from benchmarks.plot import DARK, LIGHT, draw
from benchmarks.processes import ROOT, fresh_process
from benchmarks.report import BEGIN, as_json, from_json, in_full, in_short, put_between_markers, terminal
from benchmarks.results import LoadedCatalog, PeerRow, Results, Row, failures, settled
from benchmarks.scenarios import Scenario, scenarios
from benchmarks.sites import sites
from benchmarks.surroundings import surroundings
from benchmarks.timing import Effort, Task, compared, race

_DOCS = ROOT / "docs"
FULL = Effort(rounds=400, slice_seconds=0.004, processes=120)
QUICK = Effort(rounds=50, slice_seconds=0.002, processes=24, changed=80)
ATTEMPTS = 3
"""So often at most a row that fails is measured."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and return the exit code."""
    options = _options(arguments)
    if options.redraw:
        _show(from_json((_DOCS / "benchmarks.json").read_text(encoding="utf-8")))
        return 0
    effort = QUICK if options.quick else FULL
    results = measured(effort, command=_command(options), attempts=ATTEMPTS if options.check else 1)
    print(terminal(results))
    if options.save:
        _save(results)
    else:
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "benchmarks.json").write_text(as_json(results), encoding="utf-8")
        draw(results, ROOT / "build" / "benchmarks.svg", LIGHT)
    failed = failures(results.rows) if options.check else []
    for failure in failed:
        print(f"FAILS: {failure}", file=sys.stderr)
    return 1 if failed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure how fast the library is.")
    parser.add_argument(
        "--check", action="store_true", help="fail if a ratio is over its bound by more than a half each of three times"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--quick", action="store_true", help="measure briefly")
    kind.add_argument("--save", action="store_true", help="renew docs/ and README.md, not build/")
    kind.add_argument("--redraw", action="store_true", help="measure nothing; show anew what was saved last")
    return parser.parse_args(arguments)


def _command(options: argparse.Namespace) -> str:
    return " ".join(["python -m benchmarks", *(f"--{name}" for name, given in vars(options).items() if given)])


def measured(effort: Effort, *, command: str, attempts: int) -> Results:
    """Measure everything; what fails, up to ``attempts`` times."""
    catalogs: list[LoadedCatalog] = []

    def catalog(effort: Effort) -> list[Row]:
        row, catalogs[:] = large_catalog(effort)
        return [row]

    parts: list[Callable[[Effort], list[Row]]] = [partial(_row, scenario) for scenario in _told(scenarios())]
    parts += [fresh_process, catalog, checks, inboxes, delivery, backfills, linting, sites]
    rows = [row for part in parts for row in settled(partial(part, effort), attempts)]
    return Results(
        environment=surroundings(command),
        sizes={sample.label: len(sample.raw) for sample in (small(), medium(), large())},
        rows=sorted(rows, key=lambda each: each.bound is None),
        peers=_peers(effort),
        catalogs=catalogs,
    )


def _told(found: list[Scenario]) -> list[Scenario]:
    after = "processes, checks, delivery, lint, site and peers"
    print(f"measuring {len(found)} scenarios, then {after} ...", file=sys.stderr)
    return found


def _row(scenario: Scenario, effort: Effort) -> list[Row]:
    ratio = compared(*race([scenario.ours, scenario.base], effort))
    return [Row(scenario.name, scenario.base_name, ratio, scenario.bound)]


def _peers(effort: Effort) -> list[PeerRow]:
    contenders = (PARSER, OURS, *PEERS)
    rows = [PeerRow(peer.name, peer is OURS, {}) for peer in contenders]
    for sample in (small(), medium(), large()):
        times = race([Task.of(*fit(peer, sample)) for peer in contenders], effort)
        for row, taken in zip(rows, times, strict=True):
            row.ratios[sample.label] = compared(taken, times[0])
    return rows


def _save(results: Results) -> None:
    (_DOCS / "benchmarks.json").write_text(as_json(results), encoding="utf-8")
    _show(results)


def _show(results: Results) -> None:
    draw(results, _DOCS / "images" / "benchmarks.svg", LIGHT)
    draw(results, _DOCS / "images" / "benchmarks-dark.svg", DARK)
    page = _DOCS / "benchmarks.md"
    page.write_text(put_between_markers(page.read_text(encoding="utf-8"), in_full(results)), encoding="utf-8")
    front = ROOT / "README.md"
    if front.exists() and BEGIN in (text := front.read_text(encoding="utf-8")):
        front.write_text(put_between_markers(text, in_short(results)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

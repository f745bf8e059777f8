"""What it costs to lint migrations, beside what it costs Postgres' own parser to read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from postgast import parse

from benchmarks.migrations import BRIEF, USUAL
from benchmarks.results import Row
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import Effort, compared
from jobarium_events.migrations.lint.linting import lint_files

__all__ = ["linting"]

FILES = 1_000
_BOUND = 3.0
_ROUNDS = 45


def linting(effort: Effort) -> list[Row]:
    """Compare linting files with parsing them: those that services usually have, and very short ones."""
    count = FILES if effort.changed >= FILES else FILES // 10
    return [
        _compared(f"lint {count:,} files of SQL", USUAL, count, _BOUND),
        _compared(f"lint {count:,} files of a few short statements", BRIEF, count, None),
    ]


def _compared(name: str, kinds: tuple[str, ...], count: int, bound: float | None) -> Row:
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        for number in range(count):
            service, kind = divmod(number, len(kinds))
            (folder / f"{number:04}.sql").write_text(kinds[kind].replace("SERVICE", f"service_{service}"))
        texts = [path.read_text() for path in sorted(folder.iterdir())]
        report = lint_files([folder])
        if report.files != count or report.findings:
            raise UnfitScenario(f"{len(report.findings)} findings in {report.files} of {count} files")
        ours: list[float] = []
        base: list[float] = []
        for _ in range(_ROUNDS):
            ours.append(_took(lambda: lint_files([folder])))
            base.append(_took(lambda: [parse(text) for text in texts]))
    return Row(name, "postgast.parse of their texts", compared(ours, base), bound)


def _took(run: Callable[[], object]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start

"""Whether a large catalog slows consuming down. Each catalog lives in a process of its own, as it would in a service.

In one process both would share one heap, and whatever the large one costs the garbage collector would fall on both.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from benchmarks.events import catalog as bundled
from benchmarks.events import four
from benchmarks.processes import ROOT, environment
from benchmarks.results import LoadedCatalog, Row
from benchmarks.timing import Effort, Runner, Task, compared
from jobarium_events import Catalog, Consumer, Contract, Outcome

__all__ = ["large_catalog", "serve", "write_folder"]

FEW, MANY = 14, 10_000


def large_catalog(effort: Effort) -> tuple[Row, list[LoadedCatalog]]:
    """Compare consuming with many contracts loaded to consuming with few."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory()))
        services = [stack.enter_context(_service(root, count, effort)) for count in (MANY, FEW)]
        loaded = [service.loaded for service in services]
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(effort.rounds):
            for place in (0, 1) if number % 2 == 0 else (1, 0):
                times[place].append(services[place].run())
    return Row(f"consume with {MANY:,} contracts loaded", f"the same with {FEW}", compared(*times), 1.1), loaded


def write_folder(folder: Path, count: int) -> None:
    """Write a catalog's folder of so many contracts: the four that are consumed, and copies under other names."""
    real = [sample.contract for sample in four()]
    copies = itertools.islice(itertools.cycle(bundled()), count - len(real))
    named = [(contract.event, contract) for contract in real]
    named += [(f"benchmark.copy{number}", contract) for number, contract in enumerate(copies)]
    tables = ['releases = ["2026.1"]\n']
    for event, contract in named:
        place = folder / event
        place.mkdir(parents=True)
        (place / f"{contract.version}.json").write_bytes(orjson.dumps(contract.schema))
        tables.append(_table(event, contract))
    (folder / "catalog.toml").write_text("\n".join(tables), encoding="utf-8")


def _table(event: str, contract: Contract) -> str:
    lines = [
        f'[event."{event}"]',
        f"owner = {json.dumps(contract.owner)}",
        f"consumers = {json.dumps(contract.consumers)}",
        f'[event."{event}".{contract.version}]',
        f"key = {json.dumps(contract.key.text)}",
        'introduced = "2026.1"',
    ]
    if contract.ordering is not None:
        lines.append(f'ordering = {{ per = "{contract.ordering.per}", by = "{contract.ordering.by}" }}')
    return "\n".join(lines) + "\n"


class _Service:
    """The other process, seen from this one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.loaded = LoadedCatalog(**self._answer())

    def run(self) -> float:
        """Return the seconds of one event."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process with the catalog ended early")
        return json.loads(line)


@contextmanager
def _service(root: Path, count: int, effort: Effort) -> Iterator[_Service]:
    folder = root / str(count)
    write_folder(folder, count)
    code = f"from benchmarks.catalogs import serve; serve({str(folder)!r}, {effort.slice_seconds!r})"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(root / "bytecode"),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield _Service(process)
        finally:
            process.kill()


def serve(folder: str, slice_seconds: float) -> None:
    """Load a catalog, say what it took, then time one slice of events for every line of input."""
    before, start = _megabytes(), time.perf_counter()
    catalog = Catalog.load(folder)
    seconds, after = time.perf_counter() - start, _megabytes()
    grown = None if before is None or after is None else after - before
    print(json.dumps({"contracts": len(catalog), "seconds": seconds, "megabytes": grown}), flush=True)
    consumer = Consumer(catalog, name="benchmark")
    for sample in four():
        consumer.on(sample.contract.event, sample.contract.version)(lambda _: None)
        if consumer.consume(sample.raw) is not Outcome.HANDLED:
            raise RuntimeError("not handled")
    _share_a_core()
    runner = Runner(Task(consumer.consume, tuple((sample.raw,) for sample in four())), slice_seconds)
    for _ in sys.stdin:
        print(json.dumps(runner.run()), flush=True)


def _share_a_core() -> None:
    """Move to the core that all these processes use: what else runs there falls on all alike."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _megabytes() -> float | None:
    """Return how much memory this process holds. (Its peak would not do: a process inherits that of its parent.)"""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1024**2

"""Fresh processes: what a service, a job or a function waits for before its first event."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.events import medium
from benchmarks.results import Row
from benchmarks.timing import Effort, compared

__all__ = ["environment", "fresh_process"]

ROOT = Path(__file__).resolve().parent.parent

_BASE = "import msgspec, orjson"

_OURS = """\
from jobarium_events import Catalog, Consumer, Producer

catalog = Catalog.bundled()
producer = Producer(catalog, name={owner!r}, send=lambda message: None)
consumer = Consumer(catalog, name="benchmark")
consumer.on({event!r}, {version!r})(lambda event: None)
message = producer.emit({event!r}, {payload!r})
raise SystemExit(consumer.consume(message.body) != "handled")
"""


def fresh_process(effort: Effort) -> list[Row]:
    """Compare a process that emits and consumes one event with one that only imports msgspec and orjson."""
    contract = medium().contract
    ours = _OURS.format(owner=contract.owner, event=contract.event, version=contract.version, payload=medium().payload)
    with TemporaryDirectory() as folder:
        surroundings = environment(Path(folder))
        scripts = (ours, _BASE)
        for script in scripts:  # once for the bytecode, once more for the system's own caches
            _run(script, surroundings)
            _run(script, surroundings)
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(effort.processes):
            for place in _turns(number):
                times[place].append(_run(scripts[place], surroundings))
    base = "a process that imports msgspec and orjson"
    return [Row("fresh process: import, catalog, one emit, one consume", base, compared(*times), 2)]


def environment(cache: Path) -> dict[str, str]:
    """Return the variables for a process that keeps its bytecode, as an installed service has it, in a folder."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache)}


def _turns(number: int) -> Sequence[int]:
    return (0, 1) if number % 2 == 0 else (1, 0)


def _run(script: str, surroundings: dict[str, str]) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", script], env=surroundings, cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    return perf_counter() - start

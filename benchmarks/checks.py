"""What it costs to check a folder of schemas: unchanged contracts cost their digests, changed ones a proof each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import msgspec
import orjson

from benchmarks.catalogs import write_folder
from benchmarks.results import Row
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import Effort, compared
from jobarium_events import Catalog
from jobarium_events.evolution.checking import check
from jobarium_events.evolution.lock import LOCK_FILE, Lock, lock_bytes
from jobarium_events.evolution.meanings import publish, structure

__all__ = ["checks"]

UNCHANGED = 1_000


def checks(effort: Effort) -> list[Row]:
    """Compare checking unchanged contracts with loading them, and checking many changed ones with checking few."""
    with TemporaryDirectory() as folder:
        return [*_unchanged(Path(folder), effort), *_changed(Path(folder), effort)]


def _unchanged(root: Path, effort: Effort) -> list[Row]:
    folder, other = root / "unchanged", root / "other"
    write_folder(folder, UNCHANGED)
    write_folder(other, UNCHANGED)
    _freeze(folder)
    load = partial(Catalog.load, folder)
    against = {"the lock": partial(check, folder), "another folder": partial(check, folder, against=str(other))}
    for name, run in against.items():
        if run().unchanged != UNCHANGED:
            raise UnfitScenario(f"not all is unchanged against {name}")
    times = _turns([load, *against.values()], max(2, effort.processes // 8))
    what = f"check {UNCHANGED:,} unchanged contracts against"
    return [
        Row(f"{what} {name}", "loading them", compared(taken, times[0]), 3)
        for name, taken in zip(against, times[1:], strict=True)
    ]


def _changed(root: Path, effort: Effort) -> list[Row]:
    counts = (effort.changed // 4, effort.changed // 2, effort.changed)
    runs = []
    for count in counts:
        before, after = root / f"before{count}", root / f"after{count}"
        write_folder(before, count)
        write_folder(after, count)
        for number, path in enumerate(sorted(after.glob("*/*.json"))):
            path.write_bytes(orjson.dumps(_with_a_change(orjson.loads(path.read_bytes()), number)))
        runs.append(partial(_check_all, after, before, count))
    times = [[taken / count for taken in each] for each, count in zip(_turns(runs, 2), counts, strict=True)]
    base = f"each of {counts[0]:,}"
    return [
        Row(f"check {count:,} changed contracts, each", base, compared(taken, times[0]), 1.3)
        for count, taken in zip(counts[1:], times[1:], strict=True)
    ]


def _check_all(folder: Path, against: Path, count: int) -> None:
    if len(check(folder, against=str(against)).comparisons) != count:
        raise UnfitScenario("not all is changed")


def _with_a_change(schema: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a schema with a change that no other schema here has, so that no answer is known from before."""
    name = f"field_{number}"
    match number % 3:
        case 0:
            return {**schema, "properties": {**schema["properties"], name: {"type": "string"}}}
        case 1:
            return {**schema, "properties": {**schema["properties"], name: {"type": "integer"}}, "required": [name]}
        case _:
            first = {**schema["properties"][schema["required"][0]], "maxLength": 100 + number}
            return {**schema, "properties": {**schema["properties"], schema["required"][0]: first}}


def _freeze(folder: Path) -> None:
    """Write the lock of a folder, as its release would."""
    catalog = Catalog.load(folder)
    contracts = {}
    for contract in catalog:
        slim = msgspec.structs.replace(contract, schema_json=orjson.dumps(structure(contract.schema)))
        key = (contract.event, contract.version)
        contracts[key] = msgspec.structs.replace(publish(contract), contract=slim)
    frozen = dict.fromkeys(contracts, catalog.releases[-1])
    lock = Lock(releases=catalog.releases, planned=(), contracts=contracts, frozen=frozen)
    (folder / LOCK_FILE).write_bytes(lock_bytes(lock))


def _turns(runs: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Return the seconds that each run took in each round; they take turns."""
    times: list[list[float]] = [[] for _ in runs]
    for number in range(rounds):
        for place in range(len(runs)):
            turn = (place + number) % len(runs)
            start = perf_counter()
            runs[turn]()
            times[turn].append(perf_counter() - start)
    return times

"""The check: whether a folder of schemas may ship as it is, and everything that speaks against it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.catalog.loading import load_folder, schema_path
from jobarium_events.contract import Lifecycle
from jobarium_events.errors import CatalogError
from jobarium_events.evolution.allowing import between_versions, inside_version, predecessor, to_registry
from jobarium_events.evolution.baselines import LOCK, NoCatalog, open_baseline
from jobarium_events.evolution.comparing import compare
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.earlier import earlier_findings
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.illustrations import refused_examples
from jobarium_events.evolution.lifecycle import lifecycle_findings
from jobarium_events.evolution.lock import read_lock
from jobarium_events.evolution.meanings import meaning_changes, publish
from jobarium_events.evolution.removed import returned
from jobarium_events.evolution.reports import Mode, Report
from jobarium_events.evolution.rewritten import rewritten

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from jobarium_events.contract import Contract
    from jobarium_events.evolution.comparing import Comparison
    from jobarium_events.evolution.lock import Lock
    from jobarium_events.evolution.meanings import MeaningChange
    from jobarium_events.evolution.published import Baseline, Published

__all__ = ["Mode", "Report", "check"]

Key = tuple[str, str]
"""Event and version."""


def check(folder: str | os.PathLike[str], *, against: str | None = None, mode: Mode | None = None) -> Report:
    """Check whether a folder of schemas may ship as it is.

    Args:
        folder: The folder, with its manifest.
        against: What to hold it against: ``"lock"``, ``"git:REF"`` or another folder. By default the lock of the
            folder, if it has one.
        mode: Ask only what a registry would ask: plain containment of the schemas as written.

    Raises:
        BaselineError: If there is no such baseline, or it cannot be used.
        LockError: If the folder's lock cannot be used.
    """
    folder = Path(folder)
    lock = read_lock(folder)
    baseline = open_baseline(folder, against, lock)
    report = Report(folder=str(folder), against=baseline.name if baseline else "", mode=mode or "")
    try:
        manifest, entries = load_folder(folder)
    except CatalogError as error:
        return msgspec.structs.replace(report, findings=_ordered(_mistakes(error)))
    contracts = {(each.event, each.version): each for each in (entry.contract for entry in entries)}
    changed = dict(_changed(contracts, baseline))
    found = list(_about(baseline, contracts))
    comparisons: list[Comparison] = []
    if mode is not None:
        for key, (old, new) in changed.items():
            found += to_registry(old.contract, new.contract, schema_path(*key), mode)
    else:
        decisions, mistakes = read_decisions(folder, lock=lock, known=contracts.keys())
        found += mistakes
        found += rewritten(baseline, lock)
        lost = lock.removed if lock else {}
        back = {key: list(returned(publish(contracts[key]), lost[key])) for key in lost if key in contracts}
        found += chain.from_iterable(back.values())
        found += lifecycle_findings(manifest, contracts, baseline, decisions, lock)
        found += chain.from_iterable(map(refused_examples, entries))
        for key, (old, new) in changed.items():
            comparisons.append(compare(old, new))
            open_ = _open_meanings(baseline, lock, key, new)
            inside = list(inside_version(comparisons[-1], contracts[key], decisions.values(), lock, open_))
            found += inside
            if lock is not None:
                wrong = (each for each in (*inside, *back.get(key, ())) if each.severity is Severity.ERROR)
                broken = {each.reader for each in wrong if each.reader}
                found += earlier_findings(lock, new, broken)
        for before, contract in _new_versions(contracts, baseline):
            comparisons.append(compare(before, contract))
            found += between_versions(comparisons[-1], contract, decisions.values())
    known = baseline.contracts if baseline else {}
    return msgspec.structs.replace(
        report,
        findings=_ordered(found),
        comparisons=tuple(comparisons),
        contracts=len(contracts),
        unchanged=sum(key in known and key not in changed for key in contracts),
    )


def _mistakes(error: CatalogError) -> Iterator[Finding]:
    for problem in error.problems:
        yield Finding(
            rule="catalog-mistake", severity=Severity.ERROR, file=problem.file, pointer=problem.place, text=problem.text
        )


def _about(baseline: Baseline | None, contracts: Mapping[Key, Contract]) -> Iterator[Finding]:
    """Yield that there is nothing to hold published contracts against, so that a green report does not mislead."""
    published = any(each.lifecycle is not Lifecycle.DRAFT for each in contracts.values())
    if baseline is None and published:
        yield Finding(
            rule="no-baseline",
            severity=Severity.WARNING,
            text="there is no lock, so published contracts are held against nothing",
            advice="freeze them with `jobarium-events release NAME`, or name what to check --against",
        )
    elif baseline is not None and not baseline.contracts and not baseline.releases and published:
        missing, first = "has no catalog", "catalog"
        if not isinstance(baseline, NoCatalog):
            missing, first = "has a catalog of which nothing had been released yet", "release"
        yield Finding(
            rule="baseline-empty",
            severity=Severity.WARNING,
            text=f"{baseline.name} {missing}, so every contract counts as new",
            advice=f"this is right for the first {first} only",
        )


def _changed(
    contracts: Mapping[Key, Contract], baseline: Baseline | None
) -> Iterator[tuple[Key, tuple[Published, Published]]]:
    """Yield what each contract was and is, where its digests differ."""
    for key, contract in contracts.items():
        old = baseline.contracts.get(key) if baseline else None
        if old is None or _same(old.contract, contract):
            continue
        new = publish(contract)
        if (old.structure, old.meanings) != (new.structure, new.meanings):
            yield key, (old, new)


def _open_meanings(
    baseline: Baseline | None, lock: Lock | None, key: Key, new: Published
) -> tuple[MeaningChange, ...] | None:
    """Return what has changed of a contract's meanings since the lock froze it; None if the baseline is no older."""
    if lock is None or baseline is None or key not in lock.contracts:
        return None
    if baseline.name != LOCK and lock.frozen[key] in baseline.releases:
        return None
    changes = meaning_changes(lock.contracts[key], new)
    return tuple(each for each in changes if not lock.accepts(*key, each))


def _same(old: Contract, new: Contract) -> bool:
    """Whether two contracts are the same to the letter, which spares their digests."""
    return (old.schema_json, old.key, old.ordering) == (new.schema_json, new.key, new.ordering)


def _new_versions(contracts: Mapping[Key, Contract], baseline: Baseline | None) -> Iterator[tuple[Contract, Contract]]:
    """Yield each version that has not been published, after the one that it follows."""
    published: dict[str, dict[str, Contract]] = {}
    for (event, version), contract in contracts.items():
        if (event, version) in baseline.contracts if baseline else contract.lifecycle is not Lifecycle.DRAFT:
            published.setdefault(event, {})[version] = contract
    for (event, version), contract in contracts.items():
        if baseline is None or (event, version) not in baseline.contracts:
            before = predecessor(contract, published.get(event, {}))
            if before is not None:
                yield before, contract


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(
        sorted(
            findings, key=lambda each: (each.contract, each.file, each.pointer, each.rule, each.reader or "", each.text)
        )
    )

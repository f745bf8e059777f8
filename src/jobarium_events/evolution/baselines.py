"""Opens what a folder of schemas is held against: its lock, a commit of git, or another folder."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from jobarium_events.catalog.files import FolderFiles, KeptFiles
from jobarium_events.catalog.loading import load_files
from jobarium_events.catalog.manifest import MANIFEST
from jobarium_events.contract import Lifecycle
from jobarium_events.errors import CatalogError, JobariumEventsError
from jobarium_events.evolution.commits import Commit, GitError
from jobarium_events.evolution.lock import LOCK_FILE, parse_lock, read_lock
from jobarium_events.evolution.meanings import publish
from jobarium_events.evolution.published import Baseline
from jobarium_events.evolution.refusals import LockError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobarium_events.catalog.files import Files
    from jobarium_events.errors import Problem
    from jobarium_events.evolution.lock import Lock

__all__ = ["GIT", "LOCK", "BaselineError", "NoCatalog", "open_baseline"]

LOCK = "lock"
"""How the lock of the folder itself is named."""

GIT = "git:"
"""How a commit is named: ``git:REF``, or ``git:REF:PATH`` where the folder had another path then."""


class BaselineError(JobariumEventsError):
    """There is nothing usable under the name of a baseline.

    Attributes:
        baseline: The name, as the user gave it.
        problem: What is wrong, and the way out.
        problems: Where its schemas are broken, every mistake in them.
    """

    def __init__(self, baseline: str, problem: str, problems: Iterable[Problem] = ()) -> None:
        self.baseline = baseline
        self.problem = problem
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        return f"the baseline {self.baseline or repr('')} {self.problem}{':' if lines else ''}{lines}"


class NoCatalog(Baseline, frozen=True):
    """A commit that was made before there was a catalog, so that there is nothing to hold a change against."""


def open_baseline(folder: Path, against: str | None, lock: Lock | None = None) -> Baseline | None:
    """Open a baseline; nothing that belongs to the user is touched.

    Args:
        folder: The folder that is checked.
        against: ``"lock"``, ``"git:REF"``, ``"git:REF:PATH"`` or another folder; None for the folder's lock, if it
            has one.
        lock: That lock, where it has been read already.

    Returns:
        The baseline, or None if none was asked for and there is no lock. A `NoCatalog` if the commit was made before
        there was a catalog.

    Raises:
        BaselineError: If there is no such baseline, or it cannot be used.
        JobariumEventsError: If the lock is broken, or was edited by hand.
    """
    if against is None or against == LOCK:
        lock = lock or read_lock(folder)
        if lock is not None:
            return lock.baseline()
        if against is None:
            return None
        raise BaselineError(
            against, f"is not there: {folder} has no {LOCK_FILE}; `jobarium-events release NAME` writes it"
        )
    if against.startswith(GIT):
        return _committed(folder, against)
    if not against.strip():  # Path("") is the current folder, which nobody means by a variable that is not set
        raise BaselineError(
            against, "is no name, as of a variable that is not set; name a folder, or lock, or a commit as git:REF"
        )
    if not Path(against).is_dir():
        raise BaselineError(against, "is no folder; name a folder, or lock, or a commit as git:REF")
    if not (Path(against) / MANIFEST).is_file():
        raise BaselineError(against, f"is no catalog's folder: it has no {MANIFEST}; name the one that has")
    return _published(
        FolderFiles(Path(against)),
        against,
        mend="choose another one, or mend them",
        restore="restore it, or choose another folder",
    )


def _committed(folder: Path, name: str) -> Baseline:
    ref, _, path = name.removeprefix(GIT).partition(":")
    try:
        commit = Commit.find(folder, ref)
        place = _normal(name, path) if path else commit.path_of(folder)
        files = commit.files(place)
        if MANIFEST not in files:
            if files or path:
                raise BaselineError(name, f"has no {MANIFEST} in {place or 'its root'}; name another commit or folder")
            moved = [each for each in commit.folders_with(MANIFEST) if not (commit.root / each / MANIFEST).exists()]
            if moved:
                listed = " or ".join(f"{GIT}{ref}:{each}" for each in moved)
                raise BaselineError(name, f"has no folder {place}; if the schemas were moved, check against {listed}")
            return NoCatalog(name=name, releases=(), planned=(), contracts={})
        # What is committed cannot be mended.
        return _published(
            KeptFiles(files),
            name,
            mend="choose another commit",
            restore="choose another commit, or check against lock",
        )
    except GitError as error:
        raise BaselineError(name, str(error)) from None


def _normal(name: str, path: str) -> str:
    """Return a path as git spells it: from the repository's root, which itself is the empty path."""
    normal = posixpath.normpath(path.lstrip("/") or ".")
    if normal == ".." or normal.startswith("../"):
        raise BaselineError(name, "leads out of the repository; give the path from the repository's root")
    return "" if normal == "." else normal


def _published(files: Files, name: str, *, mend: str, restore: str) -> Baseline:
    """Return what some files have published; their lock, if there is one, knows since when fields are deprecated.

    Args:
        files: The files.
        name: How the user named them.
        mend: What to do if the schemas have mistakes.
        restore: What to do if the lock cannot be used.
    """
    try:
        manifest, entries = load_files(files, name)
        lock = parse_lock(files.read(LOCK_FILE), Path(LOCK_FILE)) if LOCK_FILE in files.paths() else None
    except CatalogError as error:
        raise BaselineError(name, f"has broken schemas; {mend}", error.problems) from None
    except LockError as error:
        raise BaselineError(name, f"has a {LOCK_FILE} that {error.problem}; {restore}") from None
    kept = lock.contracts if lock else {}
    contracts = {}
    for contract in (entry.contract for entry in entries):
        if contract.lifecycle is not Lifecycle.DRAFT:
            key = (contract.event, contract.version)
            contracts[key] = publish(contract, deprecated=kept[key].deprecated if key in kept else {})
    return Baseline(name=name, releases=manifest.releases, planned=manifest.planned, contracts=contracts, lock=lock)

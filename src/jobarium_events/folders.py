"""A folder that a command fills: what it wrote there before is kept in a list, so that nobody else's file is touched.

The list stands in the folder itself. What it names is the command's own: the next run replaces it, and removes what
is no longer part of the output. Every other file is somebody's, and is neither replaced nor removed.
"""

from __future__ import annotations

import errno
from collections.abc import Container, Iterable, Mapping
from enum import StrEnum
from pathlib import Path, PurePosixPath

import msgspec

from jobarium_events.errors import JobariumEventsError
from jobarium_events.writing import write_files

__all__ = ["Difference", "FolderRefused", "State", "Written", "check_folder", "write_folder"]


class FolderRefused(JobariumEventsError):
    """A folder holds what is not this command's own, at a place that it would write or remove.

    Attributes:
        folder: The folder.
        problem: What is wrong with it, and the way out.
        paths: The files that this is about, if it is about some.
    """

    def __init__(self, folder: str, problem: str, paths: Iterable[str] = ()) -> None:
        self.folder = folder
        self.problem = problem
        self.paths = tuple(paths)

    def __str__(self) -> str:
        return f"{self.folder} {self.problem}" + "".join(f"\n  - {path}" for path in self.paths)


class State(StrEnum):
    """How a file in a folder differs from what would be written."""

    MISSING = "missing"
    """It is not there."""
    DIFFERENT = "different"
    """Its content is another."""
    STALE = "stale"
    """An earlier run wrote it, and it is no longer part of the output."""


class Difference(msgspec.Struct, frozen=True):
    """One file that is not as it would be written.

    Attributes:
        path: The file's path in the folder.
        state: How it differs.
    """

    path: str
    state: State


class Written(msgspec.Struct, frozen=True):
    """What a run did, by paths in the folder.

    Attributes:
        written: The files that were written, new or changed.
        removed: The stale files that were removed.
        unchanged: How many files were as they should be already.
    """

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int


class _List(msgspec.Struct, frozen=True):
    about: str
    files: tuple[str, ...]


def write_folder(folder: Path, files: Mapping[str, bytes], *, listed: str, alone: bool = False) -> Written:
    """Make a folder hold some files, beside what others keep there; all of them are written, or none.

    Args:
        folder: The folder; it is made if it is not there.
        files: Content by path in the folder, with ``/`` between its parts.
        listed: The name of the list in the folder, such as ``"site.json"``: one for each kind of output.
        alone: Whether a folder that holds anything is refused unless the list is there.

    Raises:
        FolderRefused: If somebody else's file stands where one is to be written, or the list cannot be used.
        OSError: If a file cannot be written or removed; it names that file.
    """
    before = _before(folder, listed)
    if before is None and alone and folder.is_dir() and any(folder.iterdir()):
        raise FolderRefused(str(folder), "holds other files, and none of this command; name an empty or a new folder")
    owned = set(before or ())
    wanted = {**files, listed: _list_of(files)}
    for path in sorted(wanted.keys() | owned):
        _inside(folder, path)
    changed = {path: content for path, content in wanted.items() if _content(folder / path) != content}
    _refuse_foreign(folder, changed, owned | {listed})
    stale = [path for path in sorted(owned - files.keys()) if _is_there(folder / path)]
    # A process that is killed from here on leaves a list of all that may be there, so the next run clears it up.
    first = {listed: _list_of([*files, *stale])} if changed or stale else {}
    rest = {path: content for path, content in changed.items() if path != listed}
    write_files({folder / path: content for path, content in {**first, **rest}.items()})
    for path in stale:
        _remove(folder, path)
    if stale:
        write_files({folder / listed: wanted[listed]})
    return Written(tuple(sorted(changed)), tuple(stale), len(wanted) - len(changed))


def check_folder(folder: Path, files: Mapping[str, bytes], *, listed: str) -> list[Difference]:
    """Return how a folder differs from what `write_folder` would make of it, by path; nothing is written.

    Raises:
        FolderRefused: If `write_folder` would refuse the folder.
        OSError: If a file cannot be read.
    """
    found = []
    owned = set(_before(folder, listed) or ())
    for path, content in {**files, listed: _list_of(files)}.items():
        _inside(folder, path)
        present = _content(folder / path)
        if present != content:
            found.append(Difference(path, State.MISSING if present is None else State.DIFFERENT))
    _refuse_foreign(folder, [each.path for each in found], owned | {listed})
    stale = owned - files.keys()
    found += [Difference(path, State.STALE) for path in stale if _is_there(folder / path)]
    return sorted(found, key=lambda difference: difference.path)


def _refuse_foreign(folder: Path, paths: Iterable[str], owned: Container[str]) -> None:
    foreign = [path for path in paths if _is_foreign(folder / path, owned=path in owned)]
    if foreign:
        problem = "has files of somebody else where this command writes; move them, or name another folder:"
        raise FolderRefused(str(folder), problem, sorted(foreign))


def _before(folder: Path, listed: str) -> tuple[str, ...] | None:
    """Return the paths that earlier runs wrote, or None if there was none."""
    content = _content(folder / listed)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=_List).files
    except msgspec.DecodeError:
        problem = f"has a {listed} that is no list of this command; delete it, or name another folder"
        raise FolderRefused(str(folder), problem) from None


def _list_of(files: Iterable[str]) -> bytes:
    about = "Files that jobarium-events wrote here. Its next run replaces them, and removes what is no longer needed."
    return msgspec.json.format(msgspec.json.encode(_List(about, tuple(sorted(files)))), indent=2) + b"\n"


def _inside(folder: Path, path: str) -> None:
    """Refuse a path that leads out of the folder, by its own parts or by a link on the way."""
    plain = PurePosixPath(path)
    leads_out = plain.is_absolute() or ".." in plain.parts or not plain.parts
    if leads_out or not (folder / path).parent.resolve().is_relative_to(folder.resolve()):
        raise FolderRefused(str(folder), f"would be left by {path}; nothing outside of it is written or removed")


def _is_foreign(path: Path, *, owned: bool) -> bool:
    return path.is_symlink() or (not owned and path.exists())  # to write through a link would be to write elsewhere


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _content(path: Path) -> bytes | None:
    try:
        return None if path.is_symlink() else path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise OSError(errno.EISDIR, "is a folder, and a file is to be written there", str(path)) from None


def _remove(folder: Path, path: str) -> None:
    """Remove a file, and the folders that were there for it alone."""
    place = folder / path
    place.unlink()
    for above in place.parents:
        if above == folder or any(above.iterdir()):
            return
        above.rmdir()

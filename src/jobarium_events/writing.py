"""Files are written together, each of them whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_files"]

_MODE = 0o644


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write some files, in their order, each whole; if one cannot be written, all are as they were before.

    A process that is killed in between leaves whole files, the first ones new and the others old.

    Raises:
        OSError: If a file cannot be written; it names that file.
    """
    staged: dict[Path, Path] = {}
    made: list[Path] = []
    try:
        for path, content in files.items():
            try:
                made += _make_folder(path.parent)
                staged[path.resolve()] = _stage(path.resolve(), content)
            except OSError as error:  # it may name a temporary file, which nobody asked for
                raise OSError(error.errno, error.strerror, str(path)) from None
        _replace(staged)
    except BaseException:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
        for folder in reversed(made):
            folder.rmdir()
        raise


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder, and return what had to be made for it."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir()
    return missing[::-1]


def _stage(path: Path, content: bytes) -> Path:
    """Write the content beside its place."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode if path.exists() else _MODE)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _replace(staged: Mapping[Path, Path]) -> None:
    before: dict[Path, bytes | None] = {}
    for path, temporary in staged.items():
        try:
            content = path.read_bytes() if path.exists() else None
            temporary.replace(path)
        except OSError as error:
            _restore(before)
            raise OSError(error.errno, error.strerror, str(path)) from None
        before[path] = content


def _restore(before: Mapping[Path, bytes | None]) -> None:
    for path, content in before.items():
        if content is None:
            path.unlink()
        else:
            _stage(path, content).replace(path)

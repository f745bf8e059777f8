"""The files of a catalog, wherever they are kept: in a folder, or in memory as they were at another time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

__all__ = ["Files", "FolderFiles", "KeptFiles"]


class Files(Protocol):
    """Files by their path in the catalog's folder, with ``/`` between its parts."""

    def paths(self) -> Iterator[str]:
        """Yield the paths of all files that may belong to a catalog: at most one folder deep."""
        ...

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            OSError: If it is not there or cannot be read.
        """
        ...


class FolderFiles:
    """The files of a folder, read when they are asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def paths(self) -> Iterator[str]:
        """Yield the paths of the files; hidden folders are none of a catalog's."""
        for entry in self._root.iterdir():
            if not entry.is_dir():
                yield entry.name
            elif not entry.name.startswith("."):
                yield from (f"{entry.name}/{inner.name}" for inner in entry.iterdir())

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        return (self._root / path).read_bytes()


class KeptFiles:
    """Files that are in memory already."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents

    def paths(self) -> Iterator[str]:
        """Yield the paths of the files."""
        return iter(self._contents)

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        try:
            return self._contents[path]
        except KeyError:
            raise FileNotFoundError(f"no such file: {path}") from None

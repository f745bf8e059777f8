"""What is made of a catalog stands outside of its folder: within, it would be taken for a part of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.folders import FolderRefused

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["refuse_within"]


def refuse_within(folder: Path | None, output: Path, kind: str = "folder") -> None:
    """Refuse to write into a catalog.

    Args:
        folder: The catalog's folder; None for the bundled catalog.
        output: What is to be written.
        kind: What that is: a folder or a file.

    Raises:
        FolderRefused: If it lies within the catalog's folder.
    """
    if folder is not None and output.resolve().is_relative_to(folder.resolve()):
        problem = f"lies within the catalog {folder}, which would take it for an event; name a {kind} outside of it"
        raise FolderRefused(str(output), problem)

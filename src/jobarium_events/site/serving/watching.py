"""When the files that the site is made of change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from jobarium_events.extras import extra

with extra("site"):
    from watchfiles import Change, watch

__all__ = ["changes"]

_LOOK = 500  # milliseconds between two looks at single files
_GATHER = 300  # milliseconds in which changes count as one, at most
_STEP = 50  # milliseconds without a change after which those before it are told, and within which a signal counts


def changes(
    folders: Sequence[Path], files: Sequence[Path] = (), *, is_due: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Yield once at first, and then each time that something changed: below the folders, or one of the files.

    A change is told even if it comes while an earlier one is dealt with. What begins with a dot is left out: editors
    and this library write there first. Files are looked at instead of watched, as they may stand in a large folder.

    Args:
        folders: They are watched with all below them.
        files: They are looked at twice a second.
        is_due: Asked as often; where it says so, that counts as a change.

    Raises:
        KeyboardInterrupt: When the process is told to end.
        OSError: If a folder is not there.
    """
    roots = [folder.resolve() for folder in folders]

    def counts(_: Change, path: str) -> bool:
        return any(_is_shown(Path(path), root) for root in roots)

    seen = _states(files)
    unwatched = _below(roots)
    yield
    is_first = True
    for found in watch(
        *roots, watch_filter=counts, debounce=_GATHER, rust_timeout=_LOOK, yield_on_timeout=True, step=_STEP
    ):
        before, seen = seen, _states(files)
        is_missed = is_first and _below(roots) != unwatched
        is_first = False
        if found or before != seen or is_missed or is_due():
            yield


def _is_shown(path: Path, root: Path) -> bool:
    return path.is_relative_to(root) and not any(part.startswith(".") for part in path.relative_to(root).parts)


def _below(roots: Iterable[Path]) -> dict[Path, tuple[int, ...]]:
    return _states(path for root in roots for path in root.rglob("*") if _is_shown(path, root))


def _states(files: Iterable[Path]) -> dict[Path, tuple[int, ...]]:
    return {file: _state(file) for file in files}


def _state(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns

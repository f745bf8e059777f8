"""How the figures of a rehearsal are written for people, in a terminal and on a page."""

from __future__ import annotations

from jobarium_events.migrations.lint.locking.locks import LockMode

__all__ = ["harm", "in_bytes", "in_time", "mode_words"]

_KILO = 1024
_SHORTEST = 0.0001


def in_time(seconds: float) -> str:
    """Return a time in words: ``"4.2 ms"``, ``"1.25 s"``, ``"3 min 20 s"``."""
    if seconds < _SHORTEST:
        return f"{_digits(seconds * 1e6)} µs" if seconds else "0 ms"
    if round(seconds, 3) < 1:
        return f"{_digits(seconds * 1e3)} ms"
    if round(seconds, 1) < 60:  # noqa: PLR2004 - as everybody knows
        return f"{_digits(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest if not hours else 0, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def in_bytes(size: int) -> str:
    """Return a number of bytes in words: ``"16 kB"``."""
    if size < _KILO:
        return f"{size} bytes"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= _KILO
        if value < _KILO:
            return f"{_digits(value)} {unit}"
    return f"{_digits(value / _KILO)} TB"


def mode_words(mode: str) -> str:
    """Return a mode of locks as SQL has it: ``"ACCESS EXCLUSIVE"``."""
    return LockMode(mode).words


def harm(mode: str) -> str:
    """Return what waits for a lock, in one word: ``"all"``, ``"writes"``, ``"changes"`` to the table, or ``"none"``."""
    lock = LockMode(mode)
    if lock.blocks_reads:
        return "all"
    if lock.blocks_writes:
        return "writes"
    return "changes" if lock is LockMode.SHARE_UPDATE_EXCLUSIVE else "none"


def _digits(value: float) -> str:
    """Return a number with three digits that count, and no more."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits

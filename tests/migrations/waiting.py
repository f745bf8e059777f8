"""Waiting for what another thread or backend does."""

from __future__ import annotations

import time
from collections.abc import Callable

_PATIENCE = 60.0


def until(happened: Callable[[], bool]) -> None:
    """Return once something has happened; fail if it does not."""
    end = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)

"""Waiting for what another session does, until it has done it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0


def awaited(look: Callable[[], T], otherwise: str, seconds: float = 0.02) -> T:
    """Return what is found, once it is."""
    end = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < end, otherwise
        time.sleep(seconds)
    return seen

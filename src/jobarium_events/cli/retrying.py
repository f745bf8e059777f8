"""What stamina logs of another attempt, left out where a command itself says why it tries again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_staminas_lines"]


@contextmanager
def without_staminas_lines() -> Iterator[None]:
    """Keep stamina from logging what the library tries again; what a service's own functions do is logged as ever."""
    stamina = logging.getLogger("stamina")
    stamina.addFilter(_is_of_others)
    try:
        yield
    finally:
        stamina.removeFilter(_is_of_others)


def _is_of_others(record: logging.LogRecord) -> bool:
    """Whether a log record of stamina's is of a function; the library tries blocks again, which have no name."""
    return getattr(record, "stamina.callable", None) != "<context block>"

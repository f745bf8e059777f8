"""What ends at a signal in good order, where other commands end at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

__all__ = ["SIGNALS", "BrokenOff", "EndedBySignals", "stopped_by_signals"]

SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""What asks a process to end."""


class EndedBySignals:
    """Ends its block at a signal, with all that has to be cleaned up, instead of the process; and goes on behind it."""

    def __enter__(self) -> None:
        self._before: dict[signal.Signals, Any] = {each: signal.signal(each, _end) for each in SIGNALS}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        for each, handler in self._before.items():
            signal.signal(each, handler)
        is_ended = isinstance(error, KeyboardInterrupt)
        if is_ended:
            _forget_it()
        return is_ended


def _end(*_: object) -> None:
    raise KeyboardInterrupt  # asyncio lets it through, and cancels what is being opened


def _forget_it() -> None:
    """Keep Python from ending by SIGINT although a KeyboardInterrupt was caught.

    It does once one has passed through an `exec` of a text, as dataclasses have it while modules are imported. Another
    `exec` that ends well makes it forget that.
    """
    exec("")  # noqa: S102 - nothing is run


class BrokenOff(Exception):
    """What was under way was broken off by a second signal.

    Attributes:
        number: Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stopped_by_signals(told: Callable[[], None]) -> Iterator[threading.Event]:
    """Lend an event that is set at a signal; a second one breaks off what is under way, and a third ends the process.

    What is broken off may still undo what it has begun, and note that it was broken off; psycopg cancels the statement
    that it waits for.

    Args:
        told: Called at the first.

    Raises:
        BrokenOff: At the second.
    """
    stop = threading.Event()
    last: list[int] = []

    def handle(number: int, _: object) -> None:
        if not stop.is_set():
            stop.set()
            told()
            return
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        last.append(number)
        raise KeyboardInterrupt("broken off by a signal")

    handler: Callable[..., None] = handle
    before = {each: signal.signal(each, handler) for each in SIGNALS}
    try:
        yield stop
    except KeyboardInterrupt:
        if not last:
            raise
        _forget_it()
        raise BrokenOff(last[0]) from None
    finally:
        for each, previous in before.items():
            signal.signal(each, previous)

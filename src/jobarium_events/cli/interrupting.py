"""What ends at a signal in good order, where other commands end at once."""

import signal
from types import TracebackType
from typing import Any

__all__ = ["SIGNALS", "EndedBySignals"]

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
            # Once one has passed through an `exec` of a text, as dataclasses have it while modules are imported,
            # Python ends by SIGINT, whoever has caught it. Another `exec` that ends well makes it forget that.
            exec("")  # noqa: S102 - nothing is run
        return is_ended


def _end(*_: object) -> None:
    raise KeyboardInterrupt  # asyncio lets it through, and cancels what is being opened

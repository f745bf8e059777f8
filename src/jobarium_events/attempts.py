"""How often the handler of an event has failed, and when that is often enough."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jobarium_events.errors import DeclarationError, HandlerFailed, Rejection, ViewError

if TYPE_CHECKING:
    from jobarium_events.envelope import Event

__all__ = ["Attempts", "Endless"]

_MOST_EVENTS = 10_000
"""How many failing events are remembered; the one that has failed least recently is forgotten first."""
_NOTHING = nullcontext()


class Endless:
    """No end of attempts: whatever fails is raised."""

    def at(self, event: Event[Any]) -> AbstractContextManager[None]:  # noqa: ARG002 - as that of `Attempts`
        """Return a block for the attempt at an event."""
        return _NOTHING

    def rejection(self, error: Rejection | ViewError) -> Rejection:
        """Return why an event that could not be read is rejected.

        Raises:
            ViewError: If it is not: the contract accepts the event.
        """
        if isinstance(error, Rejection):
            return error
        raise error


class Attempts:
    """So many attempts at each event, counted in this process; safe to share between threads and tasks.

    Args:
        most: How often the handler of one event may fail.

    Raises:
        DeclarationError: If that is no number of attempts.
    """

    def __init__(self, most: int) -> None:
        if type(most) is not int or most < 1:
            raise DeclarationError("attempts must be a whole number, 1 or more; without it there is no end of them")
        self._most = most
        self._failures: dict[UUID, int] = {}
        self._guard = threading.Lock()

    @contextmanager
    def at(self, event: Event[Any]) -> Iterator[None]:
        """Count the attempt at an event that is made in this block, if it fails.

        Raises:
            HandlerFailed: In place of the last failure.
            Exception: Any failure before. A DeclarationError is not counted: it is the service's mistake, and the same
                for every event.
        """
        try:
            yield
        except DeclarationError:
            raise
        except Exception as error:
            if not self._is_last(event.event_id):
                raise
            times = "once" if self._most == 1 else f"{self._most} times"
            problem = f"its handler failed {times}, the last time with {type(error).__name__}"
            raise HandlerFailed(event.event_name, event.event_version, problem=problem) from error
        if self._failures:
            with self._guard:
                self._failures.pop(event.event_id, None)

    def rejection(self, error: Rejection | ViewError) -> Rejection:
        """Return why an event that could not be read is rejected. A view refuses it each time, so it is not counted."""
        if isinstance(error, Rejection):
            return error
        return HandlerFailed(error.event, error.version, problem=str(error))

    def _is_last(self, event_id: UUID) -> bool:
        with self._guard:
            failures = self._failures.pop(event_id, 0) + 1
            if failures >= self._most:
                return True
            self._failures[event_id] = failures
            if len(self._failures) > _MOST_EVENTS:
                del self._failures[next(iter(self._failures))]
            return False

"""What carries messages to a broker: one method, and what it raises where the broker will never take a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jobarium_events.calling import is_async
from jobarium_events.errors import DeclarationError, JobariumEventsError

if TYPE_CHECKING:
    from jobarium_events.envelope import Message

__all__ = ["SAFE", "Refused", "Transport", "check_transport", "safe_text"]


class Transport(Protocol):
    """Carries messages to a broker.

    Its `asend` is a producer's `send`, for `aemit`, and what a relay publishes through.
    """

    async def asend(self, message: Message) -> None:
        """Hand a message to the broker, and return once the broker has confirmed that it keeps it.

        Messages whose `asend` runs at the same time may arrive in any order; one that begins after another has
        returned arrives after it.

        Raises:
            Refused: If the broker will never take this message, however often it is sent.
            Exception: Anything else, if sending it again may succeed.
        """


class Refused(JobariumEventsError):
    """A broker will never take this message, wherever it goes: it is too large, or has a header that is.

    What the broker lacks, such as a topic or a permission, is no refusal: that can be mended, and then it is sent.

    Attributes:
        reason: Why, in the broker's words; never a value from the payload.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __str__(self) -> str:
        return f"the broker refused the message: {self.reason}"


def check_transport(given: object, user: str) -> None:
    """Raise if something is no transport, before it has sent anything.

    Raises:
        DeclarationError: Saying what `user` needs.
    """
    name = type(given).__name__
    asend = getattr(given, "asend", None)
    if not callable(asend):
        raise DeclarationError(f"{user} needs a transport with an async `asend`, not {name}")
    if not is_async(asend):
        # It would send, and fail where what it returns is awaited: each attempt would be another delivery.
        raise DeclarationError(f"{user} needs a transport whose `asend` is declared `async def`; that of {name} is not")


SAFE = (JobariumEventsError, OSError)
"""The exceptions whose texts hold nothing of a payload: this library's, and the system's (no connection, no answer)."""


def safe_text(error: BaseException) -> str:
    """Return an exception in words that are safe to log and to print.

    What one says that is not among `SAFE` is anyone's guess, so it is told by its type, with the first cause that is.
    """
    told, cause = _type_name(error), error
    while not isinstance(cause, SAFE):
        above = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
        if above is None:
            return told
        cause = above
    text = f"{_type_name(cause)}: {cause}".removesuffix(": ")
    return text if cause is error else f"{told}, because of {text}"


def _type_name(error: BaseException) -> str:
    """Return the name of an exception's type, with its module where that is not plain."""
    kind = type(error)
    is_plain = kind.__module__ in ("builtins", "__main__") or kind.__module__.startswith("jobarium_events.")
    return kind.__qualname__ if is_plain else f"{kind.__module__}.{kind.__qualname__}"

"""What a transport must be, and which of what it raises may be told."""

from __future__ import annotations

from functools import partial

import pytest

from jobarium_events.errors import DeclarationError
from jobarium_events.testing import InMemoryTransport
from jobarium_events.transports import Refused, check_transport, safe_text


class Given:
    def __init__(self, asend):
        self.asend = asend


async def sends(message): ...


class Called:
    async def __call__(self, message): ...


@pytest.mark.parametrize("given", [InMemoryTransport(), Given(sends), Given(partial(sends)), Given(Called())])
def test_what_is_async_is_a_transport(given):
    assert check_transport(given, "a relay") is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "a relay needs a transport with an async `asend`, not int"),
        (Given(None), "a relay needs a transport with an async `asend`, not Given"),
        (Given(print), "a relay needs a transport whose `asend` is declared `async def`; that of Given is not"),
    ],
)
def test_what_is_none_is_said(given, said):
    with pytest.raises(DeclarationError) as refused:
        check_transport(given, "a relay")
    assert str(refused.value) == said


def caused(error, cause):
    error.__cause__ = cause
    return error


def within(error, context):
    error.__context__ = context
    return error


class Client(Exception):
    """As a broker's client raises it."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "TimeoutError"),
        (ConnectionRefusedError(111, "Connect call failed"), "ConnectionRefusedError: [Errno 111] Connect call failed"),
        (Refused("too large"), "Refused: the broker refused the message: too large"),
        (ValueError("j-7 is bad"), "ValueError"),
        (Client("j-7 is bad"), f"{__name__}.Client"),
        (caused(Client("j-7"), OSError("away")), f"{__name__}.Client, because of OSError: away"),
        (within(Client("j-7"), OSError("away")), f"{__name__}.Client, because of OSError: away"),
        (caused(within(Client("j-7"), OSError("away")), ValueError("j-7")), f"{__name__}.Client"),
        (caused(Client("j-7"), within(KeyError("j-7"), OSError())), f"{__name__}.Client, because of OSError"),
    ],
)
def test_only_what_is_safe_is_told(error, said):
    assert safe_text(error) == said

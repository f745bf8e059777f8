"""Functions that a service hands in, and what must not be lost in them."""

import functools

import pytest

from jobarium_events import Consumer, Producer
from jobarium_events.calling import is_async, refuse_awaitable, refuse_generator
from jobarium_events.errors import DeclarationError
from jobarium_events.testing import captured
from tests.strategies import BUNDLED


def generator(event):
    yield event


async def asynchronous_generator(event):
    yield event


async def coroutine(event):
    return event


class Called:
    def __call__(self, event):
        yield event


@pytest.mark.parametrize("function", [generator, asynchronous_generator, Called(), functools.partial(generator)])
def test_a_generator_is_no_handler(function):
    with pytest.raises(DeclarationError, match="would never run"):
        Consumer(BUNDLED, name="taker").on("job.updated", "v1")(function)
    with pytest.raises(DeclarationError, match="would never run"):
        Consumer(BUNDLED, name="taker", strict=False).otherwise(function)


def test_what_is_async():
    assert is_async(coroutine)
    assert is_async(functools.partial(coroutine))
    assert not is_async(print)
    refuse_generator(coroutine, "coroutine")
    refuse_awaitable(None, "never raised")
    with pytest.raises(DeclarationError, match="await it"):
        refuse_awaitable(coroutine(1), "await it")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Consumer("schemas", name="taker"), "Catalog.load"),
        (lambda: Producer("schemas", name="maker"), "Catalog.load"),
        (lambda: Consumer(BUNDLED, name="taker", dead_letters=[]), "append"),
        (lambda: Producer(BUNDLED, name="maker", send=5), "function of a Message"),
        (lambda: Producer(BUNDLED, name="maker", declares=["v1"]), "must map"),
        (lambda: captured().__enter__(), "name the producers"),
    ],
)
def test_what_is_handed_in_is_checked_at_once(make, problem):
    with pytest.raises(DeclarationError, match=problem):
        make()

"""`shrunk`: from a document that shows something to the smallest one that still shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

__all__ = ["CALLS", "shrunk"]

CALLS = 2000
"""How often a document of ordinary size is judged at most while it is shrunk."""

_SIMPLEST: tuple[Any, ...] = (None, False, 0, "", [], {}, True)
_LONG = 64
_ODD = 100
_ORDINARY = 10_000  # a document is as many times as costly to judge as it has this many characters

_Fits = Callable[[Any], bool]
_Run = TypeVar("_Run", str, list[Any])


def shrunk(document: Any, holds: Callable[[Any], bool], *, calls: int = CALLS) -> Any:
    """Return the smallest document found for which `holds` is true.

    Members and items are dropped, and values replaced by simpler ones, until no single step makes it smaller. The
    result is the same every time. The given document is not changed.

    Args:
        document: A JSON document for which `holds` is true.
        holds: What the result must still satisfy.
        calls: How often `holds` is asked at most; a large document counts for several. Where that is too seldom, the
            result is smaller, but not smallest.
    """
    left = calls
    smallest = document

    def fits(candidate: Any) -> bool:
        nonlocal left, smallest
        left -= 1 + _weight(candidate)[0] // _ORDINARY
        if left < 0:
            raise _Spent
        if not holds(candidate):
            return False
        smallest = candidate
        return True

    try:
        while True:
            smaller = _simplified(document, fits)
            if _weight(smaller) == _weight(document):  # every step that was taken has made it lighter
                return smaller
            document = smaller
    except _Spent:
        # Every step that fits is taken, so the last one is the smallest.
        return smallest


class _Spent(Exception):
    """No more calls are left."""


def _simplified(value: Any, fits: _Fits) -> Any:
    """Return the value in one place after one round of steps, of which each left the whole fit."""
    weight = _weight(value)
    for simple in _SIMPLEST:
        if _weight(simple) < weight and fits(simple):
            return simple
    match value:
        case str():
            return _simplified_text(value, fits)
        case bool():
            return value
        case int() | float():
            return next((each for each in _simpler_numbers(value) if _weight(each) < weight and fits(each)), value)
        case list():
            value = _thinned(value, fits)
            for index in range(len(value)):
                value = _with(value, index, _simplified(value[index], _in_place(value, index, fits)))
        case dict():
            names = _thinned(sorted(value), lambda names: fits({name: value[name] for name in names}))
            value = {name: value[name] for name in value if name in names}
            for name in names:
                value = _with(value, name, _simplified(value[name], _in_place(value, name, fits)))
        case _:
            return value
    return value


def _with(whole: Any, key: Any, inner: Any) -> Any:
    if inner is whole[key]:
        return whole
    copy = whole.copy()
    copy[key] = inner
    return copy


def _in_place(whole: Any, key: Any, fits: _Fits) -> _Fits:
    return lambda inner: fits(_with(whole, key, inner))


def _thinned(items: _Run, fits: Callable[[_Run], bool], shortest: int = 1) -> _Run:
    """Drop runs of items or characters, the longest runs first."""
    run = len(items)
    while run >= shortest:
        start = 0
        while start < len(items):
            rest = items[:start] + items[start + run :]
            if fits(rest):
                items = rest
            else:
                start += run
        run //= 2
    return items


def _simplified_text(text: str, fits: _Fits) -> str:
    if len(text) > _LONG:
        # Most often only the length counts, which takes a few steps to halve but very many to thin out.
        text = _cut(text, fits)
        plain = "a" * len(text)
        text = plain if text != plain and fits(plain) else text
    text = _thinned(text, fits, shortest=max(1, len(text) // _LONG))
    if len(text) <= _LONG:
        for index, character in enumerate(text):
            plain = f"{text[:index]}a{text[index + 1 :]}"
            if _oddity(character) and fits(plain):
                text = plain
    return text


def _cut(text: str, fits: _Fits) -> str:
    """Drop as much as may go from the end of a text, found by halves."""
    short = 0  # which does not fit, or the whole text would have become the empty one
    while len(text) - short > 1:
        middle = (short + len(text)) // 2
        if fits(text[:middle]):
            text = text[:middle]
        else:
            short = middle
    return text


def _simpler_numbers(number: float) -> Iterator[float]:
    """Yield numbers that are easier to read than this one, the easiest first."""
    sign = 1 if number > 0 else -1
    yield from (1, -1)
    if isinstance(number, int):
        size = abs(number)
        yield from (sign * 10**power for power in range(len(str(size))))
        step = size
        while step > 1:
            yield sign * (size - step + 1)
            step //= 2
        yield from (number - sign, number - 2 * sign)
    else:
        yield from (0.5, 1.5, -0.5)
        if abs(number) < 1e15:  # noqa: PLR2004 - beyond it, a float has no fraction left
            yield from (int(number), int(number) + sign, round(number, 1), round(number, 2))


def _weight(value: Any) -> tuple[int, int]:
    """Return a size that any simplification of any part makes smaller: characters first, then how odd they are."""
    match value:
        case None:
            return 1, 0
        case bool():
            return 1, 1 + 5 * value
        case int() | float():
            digits = len(str(value)) if value else 0
            odd = isinstance(value, float) and (1 if (2 * value).is_integer() else _ODD)
            return 1 + digits, 2 + odd + int(10 * min(abs(value), 1e6)) + (value < 0)
        case str():
            return 1 + len(value), 3 + sum(_oddity(each) * value.count(each) for each in set(value))
        case list():
            inner = [_weight(each) for each in value]
            return 1 + sum(size for size, _ in inner), 4 + sum(rank for _, rank in inner)
        case _:
            inner = [_weight(each) for each in value.values()]
            names = sum(1 + len(name) for name in value)
            return 1 + names + sum(size for size, _ in inner), 5 + sum(rank for _, rank in inner)


def _oddity(character: str) -> int:
    """Return how far a character is from a plain letter."""
    if character == "a":
        return 0
    return 1 if character.isascii() and character.isalnum() else 2

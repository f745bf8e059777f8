"""Spans of time as people write them: ``"200ms"``, ``"30s"``, ``"15m"``, ``"2h"``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isclose
from typing import Any

__all__ = ["SPANS", "Span"]

_WRITTEN = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SHOWN = (("h", 3600.0), ("m", 60.0), ("s", 1.0))
_LONGEST = (2**31 - 1) / 1000  # as Postgres counts its time-outs


class Span(float):
    """A span of time in seconds, which prints as people write it."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Span:
        """Read a span.

        Raises:
            ValueError: If the text is none.
        """
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise ValueError("not a number and ms, s, m or h")
        seconds = float(match["number"]) * _UNITS[match["unit"]]
        if seconds > _LONGEST:
            raise ValueError("longer than 596h, which is as far as Postgres counts")
        return cls(seconds)

    @classmethod
    def decoded(cls, kind: type, value: Any) -> Any:
        """Read a span where msgspec meets one; see `msgspec.convert`."""
        if kind is not cls:
            raise NotImplementedError
        if not isinstance(value, str):
            raise TypeError("not a text")
        return cls.read(value)

    @property
    def milliseconds(self) -> int:
        """As Postgres takes its time-outs; at least one, since zero would be none."""
        return max(round(self * 1000), 1)

    def __str__(self) -> str:
        fitting = [(unit, self / seconds) for unit, seconds in _SHOWN if self >= seconds]
        exact = next(((unit, number) for unit, number in fitting if isclose(number, round(number, 1))), None)
        unit, number = exact or (fitting[0] if fitting else ("ms", self * 1000))
        return f"{round(number, 1):.10g}{unit}"


SPANS: Mapping[type, str] = {Span: 'a time such as "200ms", "30s", "15m" or "2h"'}
"""How a span is written, for `misfits`."""

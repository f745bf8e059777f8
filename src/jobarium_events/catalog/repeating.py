"""Finds members that stand twice in one object of a JSON text, of which a reader would silently keep the last."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from jobarium_events.validation.dialects import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["repeated_members"]


def repeated_members(content: bytes, value: Any) -> Iterator[str]:
    """Yield the JSON Pointer of each member that is given more than once.

    Args:
        content: A JSON text.
        value: What a reader has made of it.
    """
    # Each member has a colon, and a text its own, unless that is written as \u003a. So in nearly every file counting
    # tells that nothing was lost, and it is not read again.
    if content.count(b":") != orjson.dumps(value).count(b":") or b"\\u003" in content:
        yield from _repeated(json.loads(content, object_pairs_hook=_Members), "")


class _Members(dict[str, Any]):
    """An object that knows which of its members were given more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs)
        self.repeated = {name for name in self if times[name] > 1}


def _repeated(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, _Members):
        for name, inner in value.items():
            if name in value.repeated:
                yield f"{pointer}/{escape(name)}"
            yield from _repeated(inner, f"{pointer}/{escape(name)}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _repeated(inner, f"{pointer}/{number}")

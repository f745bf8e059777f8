"""Where in a text of TOML each key is set, so that a mistake is told with its line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["key_lines"]


def key_lines(text: str) -> Mapping[str, int]:
    """Return on which line of a valid document each key is set, also those within tables: ``backfill.table``.

    A key is set where the lines up to there are the first that have it; so strings and lists of several lines are told
    from keys. Every line is read anew for it, so this is for documents with a mistake.
    """
    found: dict[str, int] = {}
    lines = text.split("\n")
    begin = 1
    for number in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value
        for path in _paths(document, ""):
            found.setdefault(path, begin)
        begin = number + 1
    return found


def _paths(table: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in table.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{key}.")

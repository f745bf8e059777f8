"""Where in a text of TOML each key is set, so that a mistake is told with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["TomlError", "key_lines", "read_toml"]

_LINE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)")


class TomlError(ValueError):
    """A text that is no TOML.

    Attributes:
        line: Counted from 1.
        problem: What is wrong there.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(line, problem)
        self.line = line
        self.problem = problem


def read_toml(text: str) -> dict[str, Any]:
    """Read a document.

    Raises:
        TomlError: If it is none.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _LINE.search(str(error))
        line = int(place["line"]) if place and place["line"] else text.count("\n") + 1
        raise TomlError(line, f"is no valid TOML: {_LINE.sub('', str(error))}") from None
    except RecursionError:
        raise TomlError(1, "is no valid TOML: it nests too deeply") from None


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

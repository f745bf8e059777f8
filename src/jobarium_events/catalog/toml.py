"""Reads texts of TOML; what is wrong with one is told with its line, in the words of those who write the file."""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["TomlError", "read_toml"]

_PLACE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)")
_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
_NAME = re.compile(r"'([^']*)'")


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

    def __str__(self) -> str:
        return f"{self.problem} (at line {self.line})"


def read_toml(text: str) -> dict[str, Any]:
    """Read a document.

    Raises:
        TomlError: If it is none.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        # What is missing at the end is missed on the last line that says something.
        line = int(place["line"]) if place and place["line"] else text.rstrip().count("\n") + 1
        raise TomlError(line, _in_words(_PLACE.sub("", str(error)), text.split("\n")[line - 1])) from None
    except RecursionError:
        raise TomlError(1, "is no valid TOML: it nests too deeply") from None


def _in_words(problem: str, line: str) -> str:
    """Return what tomllib says, in other words where its own are of its inside."""
    key, is_set, _ = line.partition("=")
    twice = _TWICE.fullmatch(problem)
    if problem == "Cannot overwrite a value" or twice:
        what = f"[{'.'.join(_NAME.findall(twice[1]))}]" if twice else repr(key.strip()) if is_set else "a key"
        return f"has {what} twice; keep one of them"
    if problem == r"Illegal character '\n'":
        problem = "a text does not end on its line; close its quotation mark"
    if problem == "Invalid value":
        problem = "this is no value; a text stands in quotation marks"
    return f"is no valid TOML: {problem}"

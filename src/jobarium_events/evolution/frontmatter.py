"""Markdown with TOML front matter, taken apart: the tables between two lines of ``+++``, and the sections below."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from jobarium_events.catalog.toml import TomlError, read_toml

__all__ = ["FENCE", "FrontMatterError", "Page", "parse"]

FENCE = "+++"

_CODE = re.compile(r" {0,3}(```+|~~~+)")
_HEADING = re.compile(r"## +(.*?)[ #]*")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_PREAMBLE = ""


class FrontMatterError(ValueError):
    """A page whose front matter cannot be read; the text says what is wrong.

    Attributes:
        line: The line of the page where that shows.
    """

    def __init__(self, problem: str, line: int = 1) -> None:
        super().__init__(problem)
        self.line = line


class Page(msgspec.Struct, frozen=True):
    """A page, taken apart.

    Attributes:
        tables: What the front matter says.
        sections: The text below each heading of the second level, without comments; empty where nothing is said. What
            stands before the first one, if anything does, is below ``""``.
        repeated: Headings that stand there more than once.
    """

    tables: dict[str, Any]
    sections: dict[str, str]
    repeated: tuple[str, ...] = ()


def parse(text: str) -> Page:
    """Take a page apart.

    Raises:
        FrontMatterError: If it has no front matter, or this is no valid TOML.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != FENCE:
        raise FrontMatterError(f"does not begin with front matter: TOML between two lines of {FENCE}")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        raise FrontMatterError(f"has front matter that does not end; close it with a line of {FENCE}")
    try:
        tables = read_toml("\n".join(lines[1:end]) + "\n")
    except TomlError as error:
        line = error.line + 1  # of the page, which begins with a fence
        raise FrontMatterError(f"has front matter that {error.problem} (at line {line})", line) from None
    sections, repeated = _sections(lines[end + 1 :])
    return Page(tables, sections, repeated)


def _sections(lines: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    inside: list[str] = []
    found = {_PREAMBLE: inside}
    repeated = []
    fence = ""
    for line in lines:
        code = _CODE.match(line)
        if code and not fence:
            fence = code[1]
        elif code and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        heading = None if fence else _HEADING.fullmatch(line.rstrip())
        if heading is None:
            inside.append(line)
            continue
        if heading[1] in found:
            repeated.append(heading[1])
        inside = found.setdefault(heading[1], [])
    texts = {name: _COMMENT.sub("", "\n".join(body)).strip() for name, body in found.items()}
    if not texts[_PREAMBLE]:
        del texts[_PREAMBLE]
    return texts, tuple(dict.fromkeys(repeated))

"""Texts between dollars, such as the body of a function: what stands in them is no part of the file around them."""

from __future__ import annotations

import re

__all__ = ["left_open"]

_TAG = re.compile(r"(?<![\w$])\$(?:[^\W\d]\w*)?\$")
_PASSED_OVER = re.compile(r"'[^']*'|--.*")


def left_open(line: str, tag: str = "") -> str:
    """Return the tag of the text that is open at the end of a line, such as ``"$$"``; empty if none is.

    Args:
        line: The line.
        tag: That of the text that is open at its beginning; empty if none is.
    """
    while True:
        if tag:
            _, closes, line = line.partition(tag)
            if not closes:
                return tag
            tag = ""
        line = _PASSED_OVER.sub("", line) if "$" in line else ""
        opens = _TAG.search(line)
        if opens is None:
            return ""
        tag, line = opens[0], line[opens.end() :]
